//! Both databases have the same schema.
