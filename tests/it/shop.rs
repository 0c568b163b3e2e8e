//! The pages for shoppers: home, lists, product, and what they tell.
