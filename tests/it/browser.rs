//! A purchase in a real Chromium.
