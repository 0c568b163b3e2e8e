//! The tokens that open guests' orders.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::app::Rng;
use crate::db::{Db, settings};

/// Makes the token of a guest's order: HMAC-SHA256 of its number, with a key that is made once
/// and kept in the settings. So the confirmation mail, which is written later and perhaps twice,
/// can carry a link with the token although neither the order nor any event holds it: the order
/// keeps its hash only, and the number alone opens nothing. The key is not the one that signs
/// access tokens, so that changing that one leaves the links in old mails alone.
pub struct GuestTokens(Hmac<Sha256>);

impl GuestTokens {
    /// Reads the key, or makes it.
    pub async fn load(db: &Db, rng: &Rng) -> anyhow::Result<Self> {
        let mut tx = db.begin().await?;
        let key = settings::get_or_keep(&mut tx, "guest_order_key", &rng.token()).await?;
        tx.commit().await?;
        Ok(Self(Hmac::new_from_slice(key.as_bytes())?))
    }

    /// The token of an order: 64 hexadecimal digits.
    pub fn token(&self, number: &str) -> String {
        self.sign(number)
    }

    /// The token of the cart that becomes an order which staff make: the same for the same maker
    /// and key, and nobody guesses it who guesses the key.
    pub fn of_cart(&self, maker: &str, key: &str) -> String {
        // No number has a space, so that this is never the token of an order.
        self.sign(&format!("cart of {maker} {key}"))
    }

    fn sign(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

/// What an order keeps of its token: what `Rule::HoldsToken` compares with.
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// A new public number: 60 random bits as `K7QM-3XWT-9RPA`.
pub fn new_number(rng: &Rng) -> String {
    let digits = rng.readable(12);
    let (first, rest) = digits.split_at(4);
    let (second, third) = rest.split_at(4);
    format!("{first}-{second}-{third}")
}

/// A number as somebody typed it, in the form that the shop keeps.
pub fn tidy_number(text: &str) -> String {
    text.trim().to_ascii_uppercase()
}
