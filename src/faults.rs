//! Named places at which a test stops the program dead, as a crash would. They are compiled for
//! tests only: the feature `faults` is on for the targets of `cargo test` and nothing else. A test
//! starts the program with `ZOCO_FAULT=name`, and the first time that it comes there it aborts.

/// All places, in the order of an order's life.
pub const POINTS: &[&str] = &[
    "place.claimed",
    "place.stock_held",
    "place.promotions_counted",
    "place.order_written",
    "place.committed",
    "gateway.about_to_be_asked",
    "gateway.answered",
    "gateway.written",
    "gateway.committed",
    "webhook.kept",
    "webhook.committed",
    "payment.seen",
    "payment.written",
    "payment.committed",
    "refund.written",
    "refund.committed",
    "return.written",
    "return.committed",
    "cancel.written",
    "cancel.committed",
];

/// Aborts the program when a test asked for it here. `point` is one of [`POINTS`].
#[cfg(feature = "faults")]
pub fn reach(point: &'static str) {
    if std::env::var("ZOCO_FAULT").is_ok_and(|wanted| wanted == point) {
        eprintln!("stopped at {point}");
        std::process::abort();
    }
}

/// Does nothing outside of tests.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn reach(_: &'static str) {}
