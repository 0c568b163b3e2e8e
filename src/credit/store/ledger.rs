//! The ledger of gift cards and store credit.

use crate::credit::model::{CreditEntry, CreditImbalance, CreditReason};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one};
use crate::types::{
    CreditAccountId, CreditEntryId, Currency, Money, Page, PageRequest, Timestamp, UserId,
};

/// A movement to be written.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    /// What comes, or goes where negative, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: CreditReason,
    /// The number of the order; empty for none.
    pub reference: &'a str,
    /// What staff wrote.
    pub note: &'a str,
    /// What may be written once only for this account; none where that does not matter.
    pub once: Option<&'a str>,
    /// Who moves it.
    pub actor: (Option<UserId>, &'a str),
}

/// Moves a balance and writes the entry. Gives false, and does nothing, where the account does not
/// have so much, or the entry that may be written once is there.
pub async fn post(
    tx: &mut Tx,
    id: CreditAccountId,
    entry: &NewEntry<'_>,
    now: Timestamp,
) -> db::Result<bool> {
    // Who writes something once holds the order's row or the account's, so that the entry of
    // somebody who was faster is seen here; where not, the unique index refuses the second one.
    let moved = execute!(
        tx,
        "update credit_accounts
        set balance_minor = balance_minor + $2, version = version + 1, updated_at = $3
        where id = $1 and balance_minor + $2 >= 0
            and not exists (
                select 1
                from credit_entries e
                where e.account_id = credit_accounts.id and e.once_key = $4
            )",
        id,
        entry.amount,
        now,
        entry.once,
    )?;
    if moved == 0 {
        return Ok(false);
    }
    execute!(
        tx,
        "insert into credit_entries
            (account_id, amount_minor, reason, reference, note, once_key, actor_id, actor_name,
            created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        entry.amount,
        entry.reason,
        entry.reference,
        entry.note,
        entry.once,
        entry.actor.0,
        entry.actor.1,
        now,
    )?;
    Ok(true)
}

#[derive(FromRow)]
struct EntryRow {
    id: CreditEntryId,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    #[sqlx(try_from = "String")]
    reason: CreditReason,
    reference: String,
    note: String,
    actor_name: String,
    created_at: Timestamp,
}

/// The ledger of an account, the newest entry first.
pub async fn entries(
    conn: &mut Conn,
    id: CreditAccountId,
    request: PageRequest,
) -> db::Result<Page<CreditEntry>> {
    let rows = fetch_all!(
        conn,
        EntryRow,
        "select e.id, e.amount_minor, a.currency, e.reason, e.reference, e.note, e.actor_name,
            e.created_at
        from credit_entries e
        join credit_accounts a on a.id = e.account_id
        where e.account_id = $1
        order by e.id desc
        limit $2 offset $3",
        id,
        request.limit(),
        request.offset(),
    )?;
    let (total,) = fetch_one!(
        conn,
        (i64,),
        "select count(*) from credit_entries where account_id = $1",
        id,
    )?;
    let items = rows.into_iter().map(|row| CreditEntry {
        id: row.id,
        amount_minor: row.amount_minor,
        amount: Money::new(row.amount_minor.abs(), row.currency),
        reason: row.reason,
        reference: row.reference,
        note: row.note,
        actor_name: row.actor_name,
        created_at: row.created_at,
    });
    Ok(Page {
        items: items.collect(),
        total,
        request,
    })
}

/// Accounts whose balance is not the sum of their entries; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> db::Result<Vec<CreditImbalance>> {
    let rows = fetch_all!(
        conn,
        (CreditAccountId, i64, i64),
        "select a.id, a.balance_minor, cast(coalesce(sum(e.amount_minor), 0) as bigint) as entries
        from credit_accounts a
        left join credit_entries e on e.account_id = a.id
        group by a.id, a.balance_minor
        having a.balance_minor <> cast(coalesce(sum(e.amount_minor), 0) as bigint)
        order by a.id"
    )?;
    let imbalance = |(account_id, balance, entries)| CreditImbalance {
        account_id,
        balance,
        entries,
    };
    Ok(rows.into_iter().map(imbalance).collect())
}
