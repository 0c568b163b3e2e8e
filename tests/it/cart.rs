//! The cart: filling, changing, checking and merging, through pages and API.
