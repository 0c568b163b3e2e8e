//! Orders: who sees them, moving them on, cancelling, through pages and API.
