//! Every store function of reviews, on both databases.
