//! Signatures of events: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`, the scheme of
//! Stripe, which the test gateway uses as well.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::provider::{Answer, Trouble};
use crate::types::Timestamp;

/// How old, or how far ahead of our clock, an event may be, in seconds. What is older may be a
/// copy that somebody kept.
pub const TOLERANCE_SECONDS: i64 = 300;

/// The header of a body that is sent at `at`.
pub fn header(secret: &str, at: Timestamp, body: &str) -> String {
    let seconds = at.unix_seconds();
    let sum = keyed(secret, &seconds.to_string(), body).finalize();
    format!("t={seconds},v1={}", hex::encode(sum.into_bytes()))
}

/// Checks a body against its header. There may be several signatures, while a secret is being
/// changed; one must be right. Errors: `Refused`.
pub fn check(secret: &str, header: &str, body: &str, now: Timestamp) -> Answer<()> {
    let refused = |words: &str| Err(Trouble::Refused(words.to_owned()));
    let mut sent = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", seconds)) => sent = Some(seconds),
            Some(("v1", signature)) => signatures.extend(hex::decode(signature).ok()),
            _ => {}
        }
    }
    let Some((text, seconds)) = sent.and_then(|text| Some((text, text.parse::<i64>().ok()?)))
    else {
        return refused("The signature tells no time.");
    };
    // `verify_slice` takes as long for a near miss as for a far one.
    let right = |signature: &Vec<u8>| keyed(secret, text, body).verify_slice(signature).is_ok();
    if !signatures.iter().any(right) {
        return refused("The signature is not right.");
    }
    if now.unix_seconds().abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
        return refused("The signature is too old.");
    }
    Ok(())
}

fn keyed(secret: &str, seconds: &str, body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_lately_with_the_secret_passes() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let signed = header("secret", now, "{}");
        let passes = |secret: &str, header: &str, body: &str, at: Timestamp| {
            check(secret, header, body, at).is_ok()
        };
        assert!(passes("secret", &signed, "{}", now));
        assert!(passes("secret", &signed, "{}", now.plus_seconds(300)));
        assert!(passes("secret", &signed, "{}", now.plus_seconds(-300)));
        assert!(!passes("secret", &signed, "{}", now.plus_seconds(301)));
        assert!(!passes("secret", &signed, "{}", now.plus_seconds(-301)));
        assert!(!passes("other", &signed, "{}", now));
        assert!(!passes("secret", &signed, "{ }", now));
        let other = header("other", now, "{}");
        let (_, wrong) = other.split_once(",v1=").unwrap();
        assert!(passes("secret", &format!("{signed},v1={wrong}"), "{}", now));
        let later = signed.replace("t=", "t=9");
        for none in ["", "t=1", "v1=00", &later, &format!("t=x,v1={wrong}")] {
            assert!(!passes("secret", none, "{}", now), "{none}");
        }
    }

    #[test]
    fn the_signature_is_the_one_of_the_documentation() {
        // HMAC-SHA256 of "1700000000.{}" with the key "whsec_test", by another program.
        let at = Timestamp(1_700_000_000_000_000);
        let expected = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
        assert_eq!(
            header("whsec_test", at, "{}"),
            format!("t=1700000000,v1={expected}")
        );
    }
}
