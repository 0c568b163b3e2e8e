//! The outbox, the worker and the mails.
