//! Every store function, on both databases, called without the service above it.

mod accounts;
mod audit;
mod cart;
mod catalog;
mod inventory;
mod jobs;
mod orders;
mod payments;
mod reviews;
mod shipping;
