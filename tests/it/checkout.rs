//! Checkout: from a cart to an order, through pages and API.
