//! Integration tests, one binary. What the machine cannot run is counted as ignored.

mod access;
mod accounts;
mod addresses;
mod admin;
mod api;
mod audit;
mod browser;
mod cart;
mod catalog;
mod checkout;
mod credit;
mod demo;
mod doctor;
mod emails;
mod faults;
mod fulfilments;
mod goods;
mod hostile;
mod imports;
mod inventory;
mod invoices;
mod jobs;
mod layers;
mod letters;
mod limits;
mod made_orders;
mod order_list;
mod orders;
mod parity;
mod passwords;
mod payments;
mod pricing;
mod privacy;
mod process;
mod promotions;
mod races;
mod rehearse;
mod rest;
mod returns;
mod reviews;
mod search;
mod security;
mod seo;
mod server;
mod sessions;
mod shipping;
mod shop;
mod staff;
mod stores;
mod support;
mod taxes;
mod two_factor;
mod variants;
mod walk;

fn main() -> std::process::ExitCode {
    support::run()
}
