//! Browser sessions, kept in our own database, and what a visit remembers.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

use super::viewer::Flash;
use crate::app::App;
use crate::db::{self, Tx, execute, fetch_optional};
use crate::error::{Error, Result};
use crate::jobs::Chore;
use crate::types::{Timestamp, UserId};

const USER: &str = "user";
const CART_TOKEN: &str = "cart_token";
const ORDER_TOKENS: &str = "order_tokens";
const FLASH: &str = "flash";

/// How long a session lasts after its last change.
const IDLE_DAYS: i64 = 30;

/// The layer that gives pages their session. The cookie is made on first write only.
pub fn layer(app: &App) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions(app.clone()))
        .with_name("zoco_session")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(app.config.is_https())
        .with_expiry(Expiry::OnInactivity(time::Duration::days(IDLE_DAYS)))
}

/// What a browser's visit remembers.
#[derive(Clone, Debug)]
pub struct Visit(pub Session);

impl Visit {
    /// The signed-in user's id, if somebody signed in.
    pub async fn user_id(&self) -> Result<Option<UserId>> {
        self.0.get(USER).await.map_err(internal)
    }

    /// Signs in: the session gets a new id, so that a planted one is worth nothing.
    pub async fn sign_in(&self, user: UserId) -> Result<()> {
        self.0.cycle_id().await.map_err(internal)?;
        self.0.insert(USER, user).await.map_err(internal)
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

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        // 128 random bits do not collide; saving is creating.
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        let data = serde_json::to_string(&record.data).map_err(encode)?;
        let user = record.data.get(USER).and_then(Value::as_i64);
        let expires = Timestamp::from(record.expiry_date);
        let mut tx = self.0.db.begin().await.map_err(backend)?;
        upsert(
            &mut tx,
            &record.id.to_string(),
            user,
            &data,
            self.0.clock.now(),
            expires,
        )
        .await
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let mut conn = self.0.db.conn().await.map_err(backend)?;
        let row = fetch_optional!(
            &mut conn,
            (String, Timestamp),
            "select data, expires_at from sessions where id = $1 and expires_at > $2",
            id.to_string(),
            self.0.clock.now(),
        )
        .map_err(backend)?;
        let Some((data, expires)) = row else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(encode)?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: OffsetDateTime::from(expires),
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let mut tx = self.0.db.begin().await.map_err(backend)?;
        execute!(
            &mut tx,
            "delete from sessions where id = $1",
            id.to_string()
        )
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

async fn upsert(
    tx: &mut Tx,
    id: &str,
    user: Option<i64>,
    data: &str,
    now: Timestamp,
    expires: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into sessions (id, user_id, data, created_at, expires_at)
        values ($1, $2, $3, $4, $5)
        on conflict (id) do update
        set user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at",
        id,
        user,
        data,
        now,
        expires,
    )?;
    Ok(())
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
