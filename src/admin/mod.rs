//! The back office: its start page and what its pages share.

pub mod pages;
