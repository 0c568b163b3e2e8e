//! Every store function of shipping, on both databases.
