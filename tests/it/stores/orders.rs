//! Every store function of orders, on both databases.
