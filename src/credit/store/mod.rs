//! SQL of gift cards, store credit and their ledger. A balance moves by one conditional statement,
//! together with its entry: it is never read and then written, and never falls below zero.

mod ledger;

use super::model::{CreditAccount, CreditFilter, CreditKind, CreditState};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{CreditAccountId, Currency, Money, Page, PageRequest, Timestamp, UserId};

pub use ledger::{NewEntry, entries, imbalances, post};

#[derive(FromRow)]
struct Row {
    id: CreditAccountId,
    #[sqlx(try_from = "String")]
    kind: CreditKind,
    last_four: String,
    user_id: Option<UserId>,
    user_email: Option<String>,
    #[sqlx(try_from = "String")]
    currency: Currency,
    balance_minor: i64,
    initial_minor: i64,
    expires_at: Option<Timestamp>,
    active: bool,
    note: String,
    recipient_email: String,
    message: String,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for CreditAccount {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            last_four: row.last_four,
            user_id: row.user_id,
            user_email: row.user_email,
            balance: Money::new(row.balance_minor, row.currency),
            initial: Money::new(row.initial_minor, row.currency),
            expires_at: row.expires_at,
            active: row.active,
            note: row.note,
            recipient_email: row.recipient_email,
            message: row.message,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn accounts_where() -> Query {
    Query::new(
        "select a.id, a.kind, a.last_four, a.user_id, u.email as user_email, a.currency,
            a.balance_minor, a.initial_minor, a.expires_at, a.active, a.note, a.recipient_email,
            a.message, a.version, a.created_at, a.updated_at
        from credit_accounts a
        left join users u on u.id = a.user_id
        where ",
    )
}

async fn one(conn: &mut Conn, query: &Query) -> db::Result<Option<CreditAccount>> {
    let row: Option<Row> = query.fetch_optional(conn).await?;
    Ok(row.map(CreditAccount::from))
}

/// An account.
pub async fn by_id(conn: &mut Conn, id: CreditAccountId) -> db::Result<Option<CreditAccount>> {
    let mut query = accounts_where();
    query.push("a.id = ").bind(id);
    one(conn, &query).await
}

/// The card whose code has this hash.
pub async fn by_code(conn: &mut Conn, code_hash: &str) -> db::Result<Option<CreditAccount>> {
    let mut query = accounts_where();
    query.push("a.code_hash = ").bind(code_hash);
    one(conn, &query).await
}

/// Somebody's store credit in a currency.
pub async fn of_user(
    conn: &mut Conn,
    user: UserId,
    currency: Currency,
) -> db::Result<Option<CreditAccount>> {
    let mut query = accounts_where();
    query.push("a.user_id = ").bind(user);
    query.push(" and a.currency = ").bind(currency.code());
    one(conn, &query).await
}

/// All store credit of somebody, in any currency, by id.
pub async fn all_of_user(conn: &mut Conn, user: UserId) -> db::Result<Vec<CreditAccount>> {
    let mut query = accounts_where();
    query.push("a.user_id = ").bind(user).push(" order by a.id");
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(CreditAccount::from).collect())
}

/// Accounts by their ids, in ascending order.
pub async fn by_ids(conn: &mut Conn, ids: &[CreditAccountId]) -> db::Result<Vec<CreditAccount>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = accounts_where();
    query.push("a.id in ").bind_list(ids.iter().copied());
    query.push(" order by a.id");
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(CreditAccount::from).collect())
}

/// Locks accounts until the transaction ends, in ascending id.
pub async fn lock(tx: &mut Tx, ids: &[CreditAccountId]) -> db::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut query = Query::new("select id from credit_accounts where id in ");
    query.bind_list(ids.iter().copied()).push(" order by id");
    let _: Vec<(CreditAccountId,)> = query.lock().fetch_all(tx).await?;
    Ok(())
}

/// Narrows a query of accounts `a` of people `u`.
fn narrow(query: &mut Query, kind: CreditKind, filter: &CreditFilter, now: Timestamp) {
    query.push("a.kind = ").bind(kind);
    let search = filter.search.trim();
    if !search.is_empty() {
        let part = format!("%{}%", search.to_lowercase());
        query
            .push(" and (a.last_four = ")
            .bind(super::model::last_four_of(&super::model::code_of(search)));
        query
            .push(" or lower(a.recipient_email) like ")
            .bind(part.clone());
        query.push(" or lower(a.note) like ").bind(part.clone());
        query.push(" or lower(u.email) like ").bind(part).push(")");
    }
    match filter.state {
        None => {}
        Some(CreditState::Off) => {
            query.push(" and not a.active");
        }
        Some(CreditState::Expired) => {
            query
                .push(" and a.active and a.expires_at is not null and a.expires_at <= ")
                .bind(now);
        }
        Some(state) => {
            query
                .push(" and a.active and (a.expires_at is null or a.expires_at > ")
                .bind(now)
                .push(")");
            query.push(match state {
                CreditState::Empty => " and a.balance_minor = 0",
                _ => " and a.balance_minor > 0",
            });
        }
    }
}

/// Accounts of a kind that a filter names, the newest first.
pub async fn list(
    conn: &mut Conn,
    kind: CreditKind,
    filter: &CreditFilter,
    now: Timestamp,
    request: PageRequest,
) -> db::Result<Page<CreditAccount>> {
    let mut query = accounts_where();
    narrow(&mut query, kind, filter, now);
    query
        .push(" order by a.id desc limit ")
        .bind(request.limit());
    query.push(" offset ").bind(request.offset());
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    let mut count = Query::new(
        "select count(*)
        from credit_accounts a
        left join users u on u.id = a.user_id
        where ",
    );
    narrow(&mut count, kind, filter, now);
    let (total,): (i64,) = count.fetch_one(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(CreditAccount::from).collect(),
        total,
        request,
    })
}

/// What the shop owes on accounts of a kind, in minor units of a currency.
pub async fn outstanding(conn: &mut Conn, kind: CreditKind, currency: Currency) -> db::Result<i64> {
    let (sum,) = fetch_one!(
        conn,
        (i64,),
        "select cast(coalesce(sum(balance_minor), 0) as bigint)
        from credit_accounts
        where kind = $1 and currency = $2",
        kind,
        currency.code(),
    )?;
    Ok(sum)
}

/// Opens an account with nothing on it; `code`: a card's hash and last four. `batch`: the form
/// that it comes of, and its place there. Gives its id.
pub async fn insert(
    tx: &mut Tx,
    account: &CreditAccount,
    code: Option<(&str, &str)>,
    batch: Option<(&str, i64)>,
) -> db::Result<CreditAccountId> {
    let (id,) = fetch_one!(
        tx,
        (CreditAccountId,),
        "insert into credit_accounts
            (kind, code_hash, last_four, user_id, currency, balance_minor, initial_minor,
            expires_at, active, note, recipient_email, message, batch, batch_position, version,
            created_at, updated_at)
        values ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        returning id",
        account.kind,
        code.map(|(hash, _)| hash),
        code.map_or("", |(_, last_four)| last_four),
        account.user_id,
        account.balance.currency().code(),
        account.initial.minor(),
        account.expires_at,
        account.active,
        &account.note,
        &account.recipient_email,
        &account.message,
        batch.map(|(batch, _)| batch),
        batch.map_or(0, |(_, position)| position),
        account.version,
        account.created_at,
        account.updated_at,
    )?;
    Ok(id)
}

/// Opens somebody's store credit with nothing on it, unless it is there.
pub async fn open_for_user(
    tx: &mut Tx,
    user: UserId,
    currency: Currency,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into credit_accounts (kind, user_id, currency, created_at, updated_at)
        values ($1, $2, $3, $4, $4)
        on conflict (user_id, currency) where user_id is not null do nothing",
        CreditKind::StoreCredit,
        user,
        currency.code(),
        now,
    )?;
    Ok(())
}

/// Whether a form issued its cards already.
pub async fn has_batch(conn: &mut Conn, batch: &str) -> db::Result<bool> {
    let (there,) = fetch_one!(
        conn,
        (bool,),
        "select exists (select 1 from credit_accounts where batch = $1)",
        batch,
    )?;
    Ok(there)
}

/// Writes what staff may change, if the version is still `version`; tells whether it did.
pub async fn update(tx: &mut Tx, account: &CreditAccount, version: i64) -> db::Result<bool> {
    let updated = execute!(
        tx,
        "update credit_accounts
        set expires_at = $3, active = $4, note = $5, recipient_email = $6, version = version + 1,
            updated_at = $7
        where id = $1 and version = $2",
        account.id,
        version,
        account.expires_at,
        account.active,
        &account.note,
        &account.recipient_email,
        account.updated_at,
    )?;
    Ok(updated == 1)
}

/// Gives a card another code; the one before is good for nothing any more.
pub async fn set_code(
    tx: &mut Tx,
    id: CreditAccountId,
    code_hash: &str,
    last_four: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update credit_accounts
        set code_hash = $2, last_four = $3, version = version + 1, updated_at = $4
        where id = $1 and kind = 'gift_card'",
        id,
        code_hash,
        last_four,
        now,
    )?;
    Ok(())
}

/// Lets an account pay at least until a moment: money came back to it.
pub async fn good_until(tx: &mut Tx, id: CreditAccountId, at: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update credit_accounts
        set expires_at = $2
        where id = $1 and expires_at < $2",
        id,
        at,
    )?;
    Ok(())
}

/// The user with this e-mail address.
pub async fn user_of(conn: &mut Conn, email: &str) -> db::Result<Option<UserId>> {
    let found = fetch_optional!(
        conn,
        (UserId,),
        "select id from users where email = $1",
        email,
    )?;
    Ok(found.map(|(id,)| id))
}

/// Accounts that are over and have something left, by id.
pub async fn over(conn: &mut Conn, now: Timestamp, limit: i64) -> db::Result<Vec<CreditAccountId>> {
    let rows = fetch_all!(
        conn,
        (CreditAccountId,),
        "select id
        from credit_accounts
        where expires_at is not null and expires_at <= $1 and balance_minor > 0
        order by id
        limit $2",
        now,
        limit,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Takes a person whose account ends out of accounts and ledgers, which stay in the books.
pub async fn erase(tx: &mut Tx, user: UserId, email: &str) -> db::Result<()> {
    execute!(
        tx,
        "update credit_accounts
        set user_id = null, note = ''
        where user_id = $1",
        user,
    )?;
    execute!(
        tx,
        "update credit_accounts
        set recipient_email = '', message = ''
        where recipient_email = $1",
        email,
    )?;
    execute!(
        tx,
        "update credit_entries
        set actor_id = null, actor_name = 'Customer'
        where actor_id = $1",
        user,
    )?;
    Ok(())
}
