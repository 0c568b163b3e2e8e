//! SQL of reviews.
