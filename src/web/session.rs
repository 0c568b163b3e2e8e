//! Browser sessions, kept in our own database, and what a visit remembers.
//!
//! The id in the cookie opens an account, so only its hash is kept. An id that is not known is
//! never taken over: a session that somebody planted is worth nothing.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

use super::viewer::Flash;
use crate::app::App;
use crate::config::{Config, SignInLimits};
use crate::ctx::{Ctx, Role};
use crate::db::{self, FromRow, Tx, execute, fetch_optional};
use crate::error::{Error, Result};
use crate::jobs::Chore;
use crate::types::{Timestamp, UserId};

const SIGN_IN: &str = "sign_in";
const HALF_SIGNED_IN: &str = "half_signed_in";
const CART_TOKEN: &str = "cart_token";
const ORDER_TOKENS: &str = "order_tokens";
const FLASH: &str = "flash";

/// How long somebody may take from the password to the code.
const SECOND_STEP_SECONDS: i64 = 5 * 60;

/// The last use of a session is written down so often at most: a look at a page writes nothing.
const TOUCH_SECONDS: i64 = 5 * 60;

/// The layer that gives pages their session. The cookie is made on first write only. It lasts as
/// long as a session can; the shop decides at each use whether that one is over.
pub fn layer(app: &App) -> SessionManagerLayer<Sessions> {
    let lifetime = time::Duration::seconds(longest(&app.config).lifetime);
    SessionManagerLayer::new(Sessions::new(app))
        .with_name("zoco_session")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(app.config.is_https())
        .with_expiry(Expiry::OnInactivity(lifetime))
}

/// What a browser's visit remembers.
#[derive(Clone, Debug)]
pub struct Visit(pub Session);

/// Who signed in, when, and where: what the list of their sign-ins shows.
#[derive(Debug, Serialize, Deserialize)]
struct SignIn {
    user: UserId,
    /// Microseconds since 1970.
    since: i64,
    user_agent: String,
    address: String,
}

/// Who gave their password, and when: they are not signed in yet.
#[derive(Debug, Serialize, Deserialize)]
struct HalfSignedIn {
    user: UserId,
    /// Microseconds since 1970.
    at: i64,
}

impl Visit {
    /// The signed-in user's id, if somebody signed in.
    pub async fn user_id(&self) -> Result<Option<UserId>> {
        let sign_in: Option<SignIn> = self.0.get(SIGN_IN).await.map_err(internal)?;
        Ok(sign_in.map(|sign_in| sign_in.user))
    }

    /// What is kept of the session's id; empty before there is one.
    pub fn kept_id(&self) -> String {
        self.0.id().as_ref().map(kept_id).unwrap_or_default()
    }

    /// The password was right, and a code is still to come: the session gets a new id, and nobody
    /// is signed in by it.
    pub async fn begin_sign_in(&self, ctx: &Ctx, user: UserId) -> Result<()> {
        let at = ctx.now.0;
        self.0.cycle_id().await.map_err(internal)?;
        let half = HalfSignedIn { user, at };
        self.0.insert(HALF_SIGNED_IN, half).await.map_err(internal)
    }

    /// Whose password was right within the last five minutes.
    pub async fn half_signed_in(&self, now: Timestamp) -> Result<Option<UserId>> {
        let half: Option<HalfSignedIn> = self.0.get(HALF_SIGNED_IN).await.map_err(internal)?;
        let half = half.filter(|half| {
            let ends_at = Timestamp(half.at).plus_seconds(SECOND_STEP_SECONDS);
            now < ends_at
        });
        Ok(half.map(|half| half.user))
    }

    /// Signs in: the session gets a new id, so that one which somebody else knows is worth
    /// nothing.
    pub async fn sign_in(&self, ctx: &Ctx, user: UserId) -> Result<()> {
        let address = ctx.address.map(|address| address.to_string());
        let sign_in = SignIn {
            user,
            since: ctx.now.0,
            user_agent: ctx.user_agent.clone(),
            address: address.unwrap_or_default(),
        };
        self.0.cycle_id().await.map_err(internal)?;
        let half = self.0.remove::<HalfSignedIn>(HALF_SIGNED_IN).await;
        half.map_err(internal)?;
        self.0.insert(SIGN_IN, sign_in).await.map_err(internal)
    }

    /// Gives the session a new id: for when its user changed what protects their account.
    pub async fn renew(&self) -> Result<()> {
        self.0.cycle_id().await.map_err(internal)
    }

    /// Signs out: the session ends, with all that it remembers. What is remembered from here on
    /// has a new id.
    pub async fn sign_out(&self) -> Result<()> {
        self.0.clear().await;
        self.0.cycle_id().await.map_err(internal)
    }

    /// The token of the guest's cart.
    pub async fn cart_token(&self) -> Result<Option<String>> {
        self.0.get(CART_TOKEN).await.map_err(internal)
    }

    /// Remembers the token of the guest's cart; `None` forgets it.
    pub async fn set_cart_token(&self, token: Option<&str>) -> Result<()> {
        match token {
            Some(token) => self.0.insert(CART_TOKEN, token).await.map_err(internal),
            None => self
                .0
                .remove::<String>(CART_TOKEN)
                .await
                .map(drop)
                .map_err(internal),
        }
    }

    /// The guest token of an order that this visit placed.
    pub async fn order_token(&self, number: &str) -> Result<Option<String>> {
        let tokens: Option<HashMap<String, String>> =
            self.0.get(ORDER_TOKENS).await.map_err(internal)?;
        Ok(tokens.and_then(|mut tokens| tokens.remove(number)))
    }

    /// Remembers the guest token of an order.
    pub async fn add_order_token(&self, number: &str, token: &str) -> Result<()> {
        let mut tokens: HashMap<String, String> = self
            .0
            .get(ORDER_TOKENS)
            .await
            .map_err(internal)?
            .unwrap_or_default();
        tokens.insert(number.to_owned(), token.to_owned());
        self.0.insert(ORDER_TOKENS, tokens).await.map_err(internal)
    }

    /// A message for the next page.
    pub async fn flash(&self, flash: Flash) -> Result<()> {
        let mut flashes: Vec<Flash> = self
            .0
            .get(FLASH)
            .await
            .map_err(internal)?
            .unwrap_or_default();
        flashes.push(flash);
        self.0.insert(FLASH, flashes).await.map_err(internal)
    }

    /// Takes the messages for this page.
    pub async fn take_flashes(&self) -> Result<Vec<Flash>> {
        let waiting: Option<Vec<Flash>> = self.0.get(FLASH).await.map_err(internal)?;
        match waiting {
            None => Ok(Vec::new()),
            Some(flashes) => {
                self.0.remove::<Vec<Flash>>(FLASH).await.map_err(internal)?;
                Ok(flashes)
            }
        }
    }
}

fn internal(error: tower_sessions::session::Error) -> Error {
    Error::Internal(error.into())
}

/// Sessions as rows.
#[derive(Clone)]
pub struct Sessions(App);

impl Sessions {
    /// Those of a shop.
    pub fn new(app: &App) -> Self {
        Self(app.clone())
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

/// What is kept of an id.
fn kept_id(id: &Id) -> String {
    hex::encode(Sha256::digest(id.to_string()))
}

/// The limits of whoever may stay signed in longest, by which sessions are forgotten.
fn longest(config: &Config) -> SignInLimits {
    let (customers, staff) = (
        config.sign_ins_of(Role::Customer),
        config.sign_ins_of(Role::Staff),
    );
    SignInLimits {
        idle: customers.idle.max(staff.idle),
        lifetime: customers.lifetime.max(staff.lifetime),
    }
}

/// The end of what began at `started_at` and is used at `now`.
fn end(limits: SignInLimits, started_at: Timestamp, now: Timestamp) -> Timestamp {
    let idle = now.plus_seconds(limits.idle);
    idle.min(started_at.plus_seconds(limits.lifetime))
}

#[derive(FromRow)]
struct SessionRow {
    data: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    /// Of the user; none for a guest.
    role: Option<String>,
}

impl SessionRow {
    fn is_over(&self, config: &Config, now: Timestamp) -> bool {
        let role = self.role.as_deref().and_then(|role| role.parse().ok());
        let limits = config.sign_ins_of(role.unwrap_or(Role::Customer));
        end(limits, self.created_at, self.last_used_at) <= now
    }
}

/// The clock is the shop's: what the crate says of the end of a session goes by the system's.
#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        // 128 random bits do not collide.
        let data = serde_json::to_string(&record.data).map_err(encode)?;
        let now = self.0.clock.now();
        let sign_in = record.data.get(SIGN_IN).cloned();
        let sign_in: Option<SignIn> = sign_in.and_then(|kept| serde_json::from_value(kept).ok());
        // A new id does not make the visit any younger.
        let started_at = sign_in.as_ref().map_or(now, |kept| Timestamp(kept.since));
        let (user_agent, address) = sign_in.as_ref().map_or(("", ""), |kept| {
            (kept.user_agent.as_str(), kept.address.as_str())
        });
        let mut tx = self.0.db.begin().await.map_err(backend)?;
        execute!(
            &mut tx,
            "insert into sessions
                (id, user_id, data, user_agent, address, created_at, last_used_at, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)",
            kept_id(&record.id),
            sign_in.as_ref().map(|kept| kept.user.0),
            data,
            user_agent,
            address,
            started_at,
            now,
            end(longest(&self.0.config), started_at, now),
        )
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    /// Saves what a session remembers. One that was ended meanwhile stays so.
    async fn save(&self, record: &Record) -> StoreResult<()> {
        let data = serde_json::to_string(&record.data).map_err(encode)?;
        let mut tx = self.0.db.begin().await.map_err(backend)?;
        execute!(
            &mut tx,
            "update sessions
            set data = $1
            where id = $2",
            data,
            kept_id(&record.id),
        )
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let now = self.0.clock.now();
        let kept_id = kept_id(id);
        let row = {
            let mut conn = self.0.db.conn().await.map_err(backend)?;
            fetch_optional!(
                &mut conn,
                SessionRow,
                "select s.data, s.created_at, s.last_used_at, s.expires_at, u.role
                from sessions s
                left join users u on u.id = s.user_id
                where s.id = $1",
                &kept_id,
            )
            .map_err(backend)?
        };
        let Some(row) = row.filter(|row| !row.is_over(&self.0.config, now)) else {
            return Ok(None);
        };
        if row.last_used_at.plus_seconds(TOUCH_SECONDS) <= now {
            // The visit goes on, whether this could be written or not.
            let expires_at = end(longest(&self.0.config), row.created_at, now);
            if let Err(error) = touch(&self.0, &kept_id, now, expires_at).await {
                tracing::warn!(%error, "the last use of a session was not written down");
            }
        }
        let data = serde_json::from_str(&row.data).map_err(encode)?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: OffsetDateTime::from(row.expires_at),
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let mut tx = self.0.db.begin().await.map_err(backend)?;
        execute!(&mut tx, "delete from sessions where id = $1", kept_id(id),).map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

/// Writes the last use down, once for many requests at a time.
async fn touch(app: &App, id: &str, now: Timestamp, expires_at: Timestamp) -> db::Result<()> {
    let mut tx: Tx = app.db.begin().await?;
    execute!(
        &mut tx,
        "update sessions
        set last_used_at = $1, expires_at = $2
        where id = $3 and last_used_at < $1",
        now,
        expires_at,
        id,
    )?;
    tx.commit().await
}

/// Removes sessions that have ended.
pub const SWEEP: Chore = Chore {
    name: "sessions.sweep",
    every: Duration::from_secs(600),
    run: |app| Box::pin(sweep(app)),
};

async fn sweep(app: App) -> Result<u64> {
    let mut tx = app.db.begin().await?;
    let gone = execute!(
        &mut tx,
        "delete from sessions where expires_at <= $1",
        app.clock.now()
    )?;
    tx.commit().await?;
    Ok(gone)
}

fn backend(error: db::DbError) -> StoreError {
    StoreError::Backend(error.to_string())
}

fn encode(error: serde_json::Error) -> StoreError {
    StoreError::Encode(error.to_string())
}
