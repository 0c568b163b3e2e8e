//! SQL of the counters of attempts.

use crate::db::{self, FromRow, Tx, execute, fetch_one};
use crate::types::Timestamp;

/// What a counter of attempts says after one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Attempts {
    /// How many there were in this window, this one included.
    pub attempts: i64,
    /// When counting starts anew.
    pub window_ends_at: Timestamp,
}

/// Counts one more attempt under this name; a window that is over starts anew.
pub async fn count_attempt(
    tx: &mut Tx,
    name: &str,
    now: Timestamp,
    window_ends_at: Timestamp,
) -> db::Result<Attempts> {
    fetch_one!(
        tx,
        Attempts,
        "insert into throttles (name, attempts, window_ends_at)
        values ($1, 1, $2)
        on conflict (name) do update
        set attempts = case
                when throttles.window_ends_at <= $3 then 1
                else throttles.attempts + 1
            end,
            window_ends_at = case
                when throttles.window_ends_at <= $3 then excluded.window_ends_at
                else throttles.window_ends_at
            end
        returning attempts, window_ends_at",
        name,
        window_ends_at,
        now,
    )
}

/// Takes one attempt back.
pub async fn forgive_attempt(tx: &mut Tx, name: &str) -> db::Result<()> {
    execute!(
        tx,
        "update throttles
        set attempts = attempts - 1
        where name = $1 and attempts > 0",
        name,
    )?;
    Ok(())
}

/// Takes all attempts back.
pub async fn forgive_all(tx: &mut Tx, name: &str) -> db::Result<()> {
    execute!(tx, "delete from throttles where name = $1", name)?;
    Ok(())
}

/// Forgets counters whose window is over. Gives how many.
pub async fn delete_old_attempts(tx: &mut Tx, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "delete from throttles
        where window_ends_at <= $1",
        now,
    )
}
