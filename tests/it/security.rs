//! What protects the shop: headers, cookies, cross-site requests, throttles, limits.
