//! The real program as a child: starting, stopping, commands, and being killed.
