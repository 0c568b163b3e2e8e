//! Every store function of accounts, on both databases.
