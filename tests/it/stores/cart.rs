//! Every store function of cart, on both databases.
