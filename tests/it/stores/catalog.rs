//! Every store function of catalog, on both databases.
