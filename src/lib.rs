//! Zoco: a whole web shop in one program. The modules, in reading order.

#![forbid(unsafe_code)]

// What everything stands on.
pub mod app;
pub mod config;
pub mod ctx;
pub mod error;
pub mod types;

// The machinery, without shop words.
pub mod db;
pub mod jobs;
pub mod mail;
pub mod storage;
pub mod web;

// The shop; each feature calls only those above it.
pub mod accounts;
pub mod addresses;
pub mod admin;
pub mod audit;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod credit;
pub mod imports;
pub mod inventory;
pub mod orders;
pub mod payments;
pub mod pricing;
pub mod privacy;
pub mod promotions;
pub mod reviews;
pub mod search;
pub mod shipping;
pub mod taxes;

// What is sold in a demonstration shop.
pub mod demo;

// Where the features are plugged in.
pub mod routes;

// What is tried out: a rush on a copy of the shop, and a crash at each step.
pub mod faults;
pub mod rehearse;
