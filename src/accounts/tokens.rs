//! Access tokens: JWTs that are signed with HS256 and nothing else, by keys that can be changed
//! while the shop runs.
//!
//! A token names its key in `kid`. After a change the key before still checks the tokens that it
//! signed, until the last of them has run out.

use std::sync::{PoisonError, RwLock};

use anyhow::ensure;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::Tokens;
use crate::app::Rng;
use crate::config::Config;
use crate::db::{Conn, Db, Tx, settings};
use crate::types::{Timestamp, UserId};

const ISSUER: &str = "zoco";
const AUDIENCE: &str = "zoco-api";
/// How far the clocks of two instances may stand apart, for a token that is not valid yet.
const SKEW_SECONDS: i64 = 30;
/// The name under which the database keeps the keys.
const KEPT: &str = "access_token_key";
/// After so long an instance looks whether there is a new key.
const FRESH_SECONDS: i64 = 60;
/// A token with an unknown key makes an instance look so often at most, whoever sent it.
const LOOK_SECONDS: i64 = 1;
/// How long a key checks tokens after the next one was made: as long as the last token that it
/// signed, on an instance that had not looked yet.
const OVERLAP_SECONDS: i64 = Tokens::ACCESS_SECONDS + 2 * FRESH_SECONDS;

/// What an access token says. The role is not in it: it is read from the user's row each time,
/// so that whoever loses a permission loses it at once.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    /// The sign-in that it comes from.
    sid: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Whom an access token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Their id.
    pub user: UserId,
    /// The sign-in that it comes from.
    pub family: String,
}

/// A key as the database keeps it, the newest first.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    key: String,
    /// Microseconds since 1970.
    made_at: i64,
}

struct Key {
    id: String,
    signing: EncodingKey,
    checking: DecodingKey,
    /// When it stops to check tokens; none for the newest, and for those of the settings.
    ends_at: Option<Timestamp>,
}

impl Key {
    fn new(secret: &str, ends_at: Option<Timestamp>) -> Self {
        Self {
            id: hex::encode(&Sha256::digest(format!("key id of {secret}"))[..8]),
            signing: EncodingKey::from_secret(secret.as_bytes()),
            checking: DecodingKey::from_secret(secret.as_bytes()),
            ends_at,
        }
    }
}

/// The keys, the one that signs first, and when they were read.
struct Ring {
    keys: Vec<Key>,
    read_at: Timestamp,
}

/// Signs and checks access tokens.
pub struct TokenKeys {
    ring: RwLock<Ring>,
    /// Whether the keys are settings, which only a new start changes.
    are_settings: bool,
    rules: Validation,
}

impl TokenKeys {
    /// The keys of the settings, or those that are kept in the database, where the first one is
    /// made once.
    pub async fn load(config: &Config, db: &Db, rng: &Rng) -> anyhow::Result<Self> {
        if let Some(secret) = &config.jwt_secret {
            let secrets = std::iter::once(secret).chain(&config.jwt_previous_secrets);
            let keys = secrets.map(|secret| Key::new(secret.expose_secret(), None));
            return Ok(Self::new(keys.collect(), true));
        }
        let mut tx = db.begin().await?;
        let kept = settings::get_or_keep(&mut tx, KEPT, &first(rng)?).await?;
        tx.commit().await?;
        Ok(Self::new(keys_of(&parse(&kept)), false))
    }

    fn new(keys: Vec<Key>, are_settings: bool) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
        // The crate would ask the system's clock; `verify` asks ours.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let read_at = Timestamp(0);
        Self {
            ring: RwLock::new(Ring { keys, read_at }),
            are_settings,
            rules,
        }
    }

    /// Makes a new key, which signs from now on; the ones before check what they signed as long as
    /// it is good. Errors: the key is a setting.
    pub async fn rotate(&self, tx: &mut Tx, rng: &Rng, now: Timestamp) -> anyhow::Result<()> {
        ensure!(
            !self.are_settings,
            "the key is the setting jwt_secret: put it in front of jwt_previous_secrets, and a new \
             one in its place"
        );
        let old = settings::get_or_keep(tx, KEPT, &first(rng)?).await?;
        let mut kept = parse(&old);
        let alive = keys_of(&kept)
            .iter()
            .filter(|key| is_good(key, now))
            .count();
        kept.truncate(alive);
        let key = rng.token();
        let made_at = now.0;
        kept.insert(0, Kept { key, made_at });
        let new = serde_json::to_string(&kept)?;
        ensure!(
            settings::replace(tx, KEPT, &old, &new).await?,
            "somebody else makes a new key right now"
        );
        Ok(())
    }

    /// A token for somebody who signed in, good for [`Tokens::ACCESS_SECONDS`] from `now`.
    pub async fn sign(
        &self,
        conn: &mut Conn,
        bearer: &Bearer,
        now: Timestamp,
    ) -> anyhow::Result<String> {
        self.look(conn, now, FRESH_SECONDS).await?;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.user.to_string(),
            sid: bearer.family.clone(),
            iat: now.unix_seconds(),
            nbf: now.unix_seconds(),
            exp: now.unix_seconds() + Tokens::ACCESS_SECONDS,
        };
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let key = ring.keys.first();
        let key = key.ok_or_else(|| anyhow::anyhow!("there is no key to sign with"))?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.id.clone());
        Ok(jsonwebtoken::encode(&header, &claims, &key.signing)?)
    }

    /// Whose token it is; none for one that we did not sign, of another algorithm, issuer or
    /// audience, not valid yet or no more.
    pub async fn check(
        &self,
        conn: &mut Conn,
        token: &str,
        now: Timestamp,
    ) -> anyhow::Result<Option<Bearer>> {
        let header = jsonwebtoken::decode_header(token);
        let Some(id) = header.ok().and_then(|header| header.kid) else {
            return Ok(None);
        };
        self.look(conn, now, FRESH_SECONDS).await?;
        if !self.knows(&id) {
            self.look(conn, now, LOOK_SECONDS).await?;
        }
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = ring.keys.iter();
        let key = keys.find(|key| key.id == id && is_good(key, now));
        Ok(key.and_then(|key| self.verify(key, token, now)))
    }

    fn verify(&self, key: &Key, token: &str, now: Timestamp) -> Option<Bearer> {
        let claims = jsonwebtoken::decode::<Claims>(token, &key.checking, &self.rules)
            .ok()?
            .claims;
        let now = now.unix_seconds();
        let in_time = claims.nbf.saturating_sub(SKEW_SECONDS) <= now && now < claims.exp;
        let user = claims.sub.parse().ok().filter(|_| in_time)?;
        let family = claims.sid;
        Some(Bearer { user, family })
    }

    fn knows(&self, id: &str) -> bool {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.keys.iter().any(|key| key.id == id)
    }

    /// Reads the keys again when they were read `age` seconds ago or earlier.
    async fn look(&self, conn: &mut Conn, now: Timestamp, age: i64) -> anyhow::Result<()> {
        let read_at = {
            let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
            ring.read_at
        };
        if self.are_settings || read_at.plus_seconds(age) > now {
            return Ok(());
        }
        let kept = settings::get(conn, KEPT).await?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.read_at = now;
        if let Some(kept) = kept {
            ring.keys = keys_of(&parse(&kept));
        }
        Ok(())
    }
}

fn is_good(key: &Key, now: Timestamp) -> bool {
    key.ends_at.is_none_or(|ends_at| now < ends_at)
}

/// What is kept of the very first key.
fn first(rng: &Rng) -> anyhow::Result<String> {
    let key = rng.token();
    Ok(serde_json::to_string(&[Kept { key, made_at: 0 }])?)
}

/// What is kept; before keys could be changed it was one key, as it is.
fn parse(kept: &str) -> Vec<Kept> {
    serde_json::from_str(kept).unwrap_or_else(|_| {
        let key = kept.to_owned();
        vec![Kept { key, made_at: 0 }]
    })
}

fn keys_of(kept: &[Kept]) -> Vec<Key> {
    let next = std::iter::once(None).chain(kept.iter().map(Some));
    let keys = kept.iter().zip(next).map(|(kept, next)| {
        let ends_at = next.map(|next| Timestamp(next.made_at).plus_seconds(OVERLAP_SECONDS));
        Key::new(&kept.key, ends_at)
    });
    keys.collect()
}

/// What the database keeps of a refresh token or a personal token. They are random and long, so
/// that a fast hash without salt is enough.
pub fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// What every personal token begins with, so that it is found where it does not belong.
const PERSONAL: &str = "zoco_pat_";

/// A new personal token: 160 random bits and eight digits that tell a typing mistake.
pub fn new_personal(rng: &Rng) -> String {
    let body = hex::encode(rng.bytes::<20>());
    format!("{PERSONAL}{body}{}", checksum(&body))
}

/// Whether a bearer's token is a personal one; those with a typing mistake are not.
pub fn is_personal(token: &str) -> bool {
    let digits = token.strip_prefix(PERSONAL);
    let parts = digits.and_then(|digits| digits.split_at_checked(40));
    parts.is_some_and(|(body, sum)| checksum(body) == sum)
}

fn checksum(body: &str) -> String {
    hex::encode(&Sha256::digest(body.as_bytes())[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_tokens_are_told_from_others() {
        let token = new_personal(&Rng::seeded(1));
        assert_eq!(token.len(), 57);
        assert!(is_personal(&token));
        let typo = token.replace(&token[20..21], "x");
        for other in [&typo, "", "zoco_pat_", "zoco_pat_é", "a.b.c", &token[1..]] {
            assert!(!is_personal(other), "{other}");
        }
    }

    #[test]
    fn keys_end_some_time_after_the_next_one() {
        let kept = |key: &str, made_at| Kept {
            key: key.to_owned(),
            made_at,
        };
        let keys = keys_of(&[kept("c", 20_000_000), kept("b", 10_000_000), kept("a", 0)]);
        let ends: Vec<_> = keys.iter().map(|key| key.ends_at).collect();
        let after = |seconds| Some(Timestamp(0).plus_seconds(seconds + OVERLAP_SECONDS));
        assert_eq!(ends, [None, after(20), after(10)]);
        assert_eq!(parse("0123abcd")[0].key, "0123abcd");
    }
}
