//! The README's walk through the API, run as it stands there.
