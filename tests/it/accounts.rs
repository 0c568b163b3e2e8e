//! Accounts: registering, signing in, tokens, profiles, through pages and API.
