//! Hashing passwords: Argon2id with the parameters that OWASP's Password Storage Cheat Sheet
//! names, a bounded number at a time.

use std::sync::Arc;

use anyhow::anyhow;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use zxcvbn::Entropy;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords off the threads that answer requests. As many at a time as there are
/// processors; the others wait, so that a flood of sign-ins takes neither all memory nor the
/// threads that other blocking work needs. Never call it while a transaction is open.
pub struct Passwords {
    slots: Arc<Semaphore>,
    argon2: Argon2<'static>,
}

impl Passwords {
    /// Ready to hash.
    pub fn new() -> anyhow::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let params =
            Params::new(MEMORY_KIB, ROUNDS, LANES, None).map_err(|error| anyhow!(error))?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(processors)),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
        })
    }

    /// The hash of a password, as a PHC string.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> anyhow::Result<String> {
        let argon2 = self.argon2.clone();
        let password = password.to_owned();
        self.work(move || {
            let hash = argon2
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map_err(|error| anyhow!(error))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether this password was hashed to `hash`. The answer without a hash is no, and takes as
    /// long: nobody can tell by the clock whether there is an account.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> anyhow::Result<bool> {
        let Some(hash) = hash.map(str::to_owned) else {
            self.hash(password, [0; 16]).await?;
            return Ok(false);
        };
        let argon2 = self.argon2.clone();
        let password = password.to_owned();
        self.work(move || {
            let verdict = argon2.verify_password(password.as_bytes(), hash.as_str());
            match verdict {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(anyhow!(error).context("a kept password hash is damaged")),
            }
        })
        .await
    }

    /// Whether a hash was made with less than today's parameters, so that it has to be made anew
    /// the next time the password is there.
    pub fn is_outdated(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else {
            return false;
        };
        let kept = Params::try_from(&hash);
        let same = kept.is_ok_and(|kept| {
            let today = self.argon2.params();
            kept.m_cost() >= today.m_cost()
                && kept.t_cost() >= today.t_cost()
                && kept.p_cost() >= today.p_cost()
        });
        !same || hash.algorithm != Algorithm::Argon2id.ident()
    }

    /// How hard a password is to guess for somebody who knows `known`, such as its owner's name.
    pub async fn strength(&self, password: &str, known: Vec<String>) -> anyhow::Result<Entropy> {
        let password = password.to_owned();
        self.work(move || {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Ok(zxcvbn::zxcvbn(&password, &known))
        })
        .await
    }

    /// Runs `work` when there is room. The room belongs to the work, not to the waiting request:
    /// a client that hangs up does not make room for another while its hash is still computed.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let room = self.slots.clone().acquire_owned().await?;
        tokio::task::spawn_blocking(move || {
            let _room = room;
            work()
        })
        .await?
    }
}
