//! The back office: who may open what, products, categories and orders by form.
