//! What holds for the whole API: problems, limits, idempotency, lists, the document.
