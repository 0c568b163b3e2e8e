//! App: everything a service needs that is not part of the request. Cheap to clone.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};

use crate::config::Config;
use crate::ctx::Ctx;
use crate::db::Db;
use crate::mail::Mailer;
use crate::payments::Providers;
use crate::search::Search;
use crate::storage::Storage;
use crate::types::{Clock, Currency};

/// The running shop.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] holds.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where tokens come from.
    pub rng: Rng,
    /// Who sends letters.
    pub mailer: Mailer,
    /// Where pictures are kept.
    pub storage: Storage,
    /// Where words are looked up.
    pub search: Search,
    /// The ways to pay.
    pub payments: Providers,
    /// What opens guests' orders.
    pub guest_tokens: crate::orders::GuestTokens,
    /// What hashes passwords, a bounded number at a time.
    pub passwords: crate::accounts::Passwords,
    /// How often one asker may ask.
    pub limits: crate::web::limits::Limits,
    /// What signs access tokens.
    pub tokens: crate::accounts::TokenKeys,
}

impl App {
    /// Opens the shop that the settings name and brings its database up to date.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let db = Db::open(&config.database_url(), config.database_connections)
            .await
            .context("cannot open the database")?;
        db.migrate().await.context("cannot migrate the database")?;
        let mailer = Mailer::from_config(&config)?;
        let app = Self::assemble(config, db, Clock::System, Rng::System, mailer).await?;
        crate::taxes::service::ensure_default(&app).await?;
        crate::shipping::service::ensure_default(&app).await?;
        Ok(app)
    }

    /// Puts a shop together over a database that is up to date.
    pub async fn assemble(
        config: Config,
        db: Db,
        clock: Clock,
        rng: Rng,
        mailer: Mailer,
    ) -> anyhow::Result<Self> {
        let storage = Storage::new(config.data_dir.join("media"));
        let search = Search::new(config.data_dir.join("index"));
        let app = Self(Arc::new(Parts {
            passwords: crate::accounts::Passwords::new()?,
            tokens: crate::accounts::TokenKeys::load(&config, &db, &rng).await?,
            payments: Providers::from_config(&config)?,
            limits: crate::web::limits::Limits::new(&config),
            guest_tokens: crate::orders::GuestTokens::load(&db, &rng).await?,
            config,
            db,
            clock,
            rng,
            mailer,
            storage,
            search,
        }));
        Ok(app)
    }

    /// The shop's one currency.
    pub fn currency(&self) -> Currency {
        self.config.currency()
    }

    /// A [`Ctx`] of the shop itself, now.
    pub fn system(&self) -> Ctx {
        Ctx::system(self.clock.now())
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Random numbers: the system's, or a seeded row of them that tests repeat.
pub enum Rng {
    /// From the operating system; fit for secrets.
    System,
    /// The same row every time.
    Seeded(Box<Mutex<StdRng>>),
}

impl Rng {
    /// A seeded one, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's rng"
    )]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => rand::rng().fill_bytes(&mut bytes),
            Self::Seeded(rng) => {
                rng.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .fill_bytes(&mut bytes);
            }
        }
        bytes
    }

    /// An unguessable token: 256 bits as 64 hexadecimal digits.
    pub fn token(&self) -> String {
        hex::encode(self.bytes::<32>())
    }

    /// `length` letters and digits that are hard to mistake for each other (Crockford's
    /// base 32, five bits each): for order numbers and first passwords.
    pub fn readable(&self, length: usize) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bytes = self.bytes::<32>();
        bytes
            .iter()
            .take(length)
            .map(|byte| DIGITS[usize::from(byte % 32)] as char)
            .collect()
    }
}
