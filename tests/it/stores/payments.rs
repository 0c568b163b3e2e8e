//! Every store function of payments, on both databases.
