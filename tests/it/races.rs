//! Many at once: the last piece, one cart twice, two tokens.
