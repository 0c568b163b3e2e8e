//! Every store function of audit, on both databases.
