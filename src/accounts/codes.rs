//! Codes of the second factor: those that an app reckons (TOTP, RFC 6238), and recovery codes.

use anyhow::anyhow;
use qrcode::QrCode;
use qrcode::render::svg::Color;
use totp_rs::{Builder, Secret, Totp};

use crate::app::Rng;
use crate::types::Timestamp;

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a secret, as the RFC recommends.
const SECRET_BYTES: usize = 20;
/// Letters and digits of a recovery code: 80 random bits, so that a fast hash is enough.
const RECOVERY_LENGTH: usize = 16;

/// A new secret, in base 32.
pub fn new_secret(rng: &Rng) -> String {
    Secret::from(rng.bytes::<SECRET_BYTES>()).to_base32()
}

/// Codes of six digits, a new one every 30 seconds. One step before and after is taken, too, for
/// clocks that go wrong. Errors: this is no secret of ours.
fn totp(secret: &str) -> anyhow::Result<Builder> {
    let secret = Secret::try_from_base32(secret).map_err(|error| anyhow!("{error}"))?;
    anyhow::ensure!(
        secret.as_bytes().len() == SECRET_BYTES,
        "the secret has another length"
    );
    Ok(Builder::new().with_secret(secret))
}

/// The step whose code this is, if it is one of now. Errors: the secret is damaged.
pub fn step_of(secret: &str, code: &str, now: Timestamp) -> anyhow::Result<Option<i64>> {
    let totp = totp(secret)?.build().map_err(|error| anyhow!("{error}"))?;
    let digits: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(None);
    }
    let seconds = u64::try_from(now.unix_seconds())?;
    Ok(totp
        .check(&digits, seconds)
        .and_then(|step| i64::try_from(step).ok()))
}

/// What an app is told by the QR code: `otpauth://totp/…`. Errors: this is no secret of ours.
pub fn url(secret: &str, shop: &str, email: &str) -> anyhow::Result<String> {
    // A colon parts the two in the address.
    let plain = |text: &str| text.replace(':', " ");
    let totp: Totp = totp(secret)?
        .with_issuer(Some(plain(shop)))
        .with_account_name(plain(email))
        .build()
        .map_err(|error| anyhow!("{error}"))?;
    totp.to_url().map_err(|error| anyhow!("{error}"))
}

/// A QR code as an SVG element.
pub fn qr(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text)?;
    let image = code.render::<Color<'_>>().min_dimensions(220, 220).build();
    let start = image.find("<svg").unwrap_or_default();
    Ok(image[start..].to_owned())
}

/// New recovery codes: `XXXX-XXXX-XXXX-XXXX` each.
pub fn new_recovery(rng: &Rng) -> Vec<String> {
    let codes = (0..RECOVERY_CODES).map(|_| {
        let code = rng.readable(RECOVERY_LENGTH);
        let parts = [&code[..4], &code[4..8], &code[8..12], &code[12..]];
        parts.join("-")
    });
    codes.collect()
}

/// A recovery code as it is hashed, however it was typed: without what parts it, in capitals, and
/// with digits for the letters that look like them. None for what is no recovery code.
pub fn recovery(typed: &str) -> Option<String> {
    let signs = typed.chars().filter(|sign| sign.is_ascii_alphanumeric());
    let code: String = signs
        .map(|sign| match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .take(RECOVERY_LENGTH + 1)
        .collect();
    (code.len() == RECOVERY_LENGTH).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // The secret of RFC 6238's test vectors; the last six of its eight digits.
        let secret = Secret::from(*b"12345678901234567890").to_base32();
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        assert_eq!(step_of(&secret, "287082", at(59)).unwrap(), Some(1));
        assert_eq!(
            step_of(&secret, "081 804", at(1_111_111_109)).unwrap(),
            Some(37_037_036)
        );
        // A step before and after, and no further.
        assert_eq!(step_of(&secret, "287082", at(89)).unwrap(), Some(1));
        assert_eq!(step_of(&secret, "287082", at(0)).unwrap(), Some(1));
        assert_eq!(step_of(&secret, "287082", at(90)).unwrap(), None);
        for wrong in ["", "28708", "2870822", "٢٨٧٠٨٢", "287-82"] {
            assert_eq!(step_of(&secret, wrong, at(59)).unwrap(), None, "{wrong}");
        }
        assert!(step_of("short", "287082", at(59)).is_err());
        assert!(step_of("GEZDGNBV", "287082", at(59)).is_err());
    }

    #[test]
    fn an_app_is_told_by_a_picture() {
        let secret = new_secret(&Rng::seeded(1));
        let url = url(&secret, "Tom: Shop", "ada@example.com").unwrap();
        assert_eq!(
            url,
            format!(
                "otpauth://totp/Tom%20%20Shop:ada%40example.com?secret={secret}&issuer=Tom%20%20Shop"
            )
        );
        let picture = qr(&url).unwrap();
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>"));
        assert!(!picture.contains("style"));
    }

    #[test]
    fn recovery_codes_forgive_how_they_are_typed() {
        let codes = new_recovery(&Rng::seeded(1));
        assert_eq!(codes.len(), RECOVERY_CODES);
        let first = &codes[0];
        assert_eq!(first.len(), 19);
        let plain = first.replace('-', "");
        assert_eq!(recovery(first).as_deref(), Some(plain.as_str()));
        assert_eq!(
            recovery(&format!(" {} ", plain.to_lowercase())).as_deref(),
            Some(plain.as_str())
        );
        assert_eq!(
            recovery("oil0-0000-0000-0000").as_deref(),
            Some("0110000000000000")
        );
        assert_eq!(recovery("0000-0000-0000-000"), None);
        assert_eq!(recovery("0000-0000-0000-00000"), None);
    }
}
