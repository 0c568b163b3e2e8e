//! Reviews: writing, changing, counting, through pages and API.
