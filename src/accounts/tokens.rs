//! Access tokens: JWTs that are signed with HS256 and nothing else.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::Tokens;
use crate::app::Rng;
use crate::config::Config;
use crate::db::{Db, settings};
use crate::types::{Timestamp, UserId};

const ISSUER: &str = "zoco";
const AUDIENCE: &str = "zoco-api";
/// How far the clocks of two instances may stand apart, for a token that is not valid yet.
const SKEW_SECONDS: i64 = 30;

/// What an access token says. The role is not in it: it is read from the user's row each time,
/// so that whoever loses a permission loses it at once.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs and checks access tokens.
pub struct TokenKeys {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
}

impl TokenKeys {
    /// The key of the settings, or the one that was made once and kept in the database.
    pub async fn load(config: &Config, db: &Db, rng: &Rng) -> anyhow::Result<Self> {
        if let Some(secret) = &config.jwt_secret {
            return Ok(Self::new(secret.expose_secret()));
        }
        let mut tx = db.begin().await?;
        let key = settings::get_or_keep(&mut tx, "access_token_key", &rng.token()).await?;
        tx.commit().await?;
        Ok(Self::new(&key))
    }

    fn new(key: &str) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
        // The crate would ask the system's clock; `check` asks ours.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        Self {
            signing: EncodingKey::from_secret(key.as_bytes()),
            checking: DecodingKey::from_secret(key.as_bytes()),
            rules,
        }
    }

    /// A token for a user, good for [`Tokens::ACCESS_SECONDS`] from `now`.
    pub fn sign(&self, user: UserId, now: Timestamp) -> anyhow::Result<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.to_string(),
            iat: now.unix_seconds(),
            nbf: now.unix_seconds(),
            exp: now.unix_seconds() + Tokens::ACCESS_SECONDS,
        };
        let header = Header::new(Algorithm::HS256);
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }

    /// Whose token it is; none for one that we did not sign, of another algorithm, issuer or
    /// audience, not valid yet or no more.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<UserId> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.rules)
            .ok()?
            .claims;
        let now = now.unix_seconds();
        let in_time = claims.nbf - SKEW_SECONDS <= now && now < claims.exp;
        claims.sub.parse().ok().filter(|_| in_time)
    }
}

/// What the database keeps of a refresh token. It is random and long, so that a fast hash
/// without salt is enough.
pub fn fingerprint(refresh_token: &str) -> String {
    hex::encode(Sha256::digest(refresh_token.as_bytes()))
}
