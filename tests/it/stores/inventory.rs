//! Every store function of inventory, on both databases.
