//! The demo catalog: what is in it, and that it is put in once.
