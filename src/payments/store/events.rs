//! SQL of the inbox of events.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_optional};
use crate::payments::model::{EventState, GatewayEvent, PaymentEvent};
use crate::types::{PaymentEventId, PaymentId, Timestamp};

#[derive(FromRow)]
struct Row {
    id: PaymentEventId,
    provider: String,
    event_id: String,
    kind: String,
    payment_id: Option<PaymentId>,
    reference: String,
    payload: String,
    #[sqlx(try_from = "String")]
    state: EventState,
    outcome: String,
    received_at: Timestamp,
}

impl From<Row> for PaymentEvent {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            event_id: row.event_id,
            kind: row.kind,
            payment_id: row.payment_id,
            reference: row.reference,
            payload: row.payload,
            state: row.state,
            outcome: row.outcome,
            received_at: row.received_at,
        }
    }
}

/// Events that a condition, which comes next, names.
fn events_where() -> Query {
    Query::new(
        "select id, provider, event_id, kind, payment_id, reference, payload, state, outcome,
            received_at
        from payment_events
        where ",
    )
}

async fn all(conn: &mut Conn, query: &Query) -> db::Result<Vec<PaymentEvent>> {
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(PaymentEvent::from).collect())
}

/// Puts an event into the inbox. Gives none for one that is in it already.
pub async fn insert_event(
    tx: &mut Tx,
    provider: &str,
    event: &GatewayEvent,
    payload: &str,
    now: Timestamp,
) -> db::Result<Option<PaymentEventId>> {
    let reference = event.references.first().map_or("", String::as_str);
    let row = fetch_optional!(
        tx,
        (PaymentEventId,),
        "insert into payment_events
            (provider, event_id, kind, reference, payload, state, received_at)
        values ($1, $2, $3, $4, $5, 'received', $6)
        on conflict (provider, event_id) do nothing
        returning id",
        provider,
        &event.id,
        &event.kind,
        reference,
        payload,
        now,
    )?;
    Ok(row.map(|(id,)| id))
}

/// An event.
pub async fn event_by_id(conn: &mut Conn, id: PaymentEventId) -> db::Result<Option<PaymentEvent>> {
    let mut query = events_where();
    query.push("id = ").bind(id);
    Ok(all(conn, &query).await?.into_iter().next())
}

/// Events that came before a time and were not acted on.
pub async fn waiting_events(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> db::Result<Vec<PaymentEvent>> {
    let mut query = events_where();
    query.push("state = 'received' and received_at <= ");
    query.bind(before);
    query.push(" order by received_at, id limit ").bind(limit);
    all(conn, &query).await
}

/// Events about payments that the shop does not know, the newest first.
pub async fn unknown_events(conn: &mut Conn, limit: i64) -> db::Result<Vec<PaymentEvent>> {
    let mut query = events_where();
    query.push("state = 'unknown' order by received_at desc, id desc limit ");
    query.bind(limit);
    all(conn, &query).await
}

/// Notes what became of an event.
pub async fn finish_event(
    tx: &mut Tx,
    id: PaymentEventId,
    payment: Option<PaymentId>,
    state: EventState,
    outcome: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update payment_events
        set payment_id = $2, state = $3, outcome = $4, handled_at = $5
        where id = $1",
        id,
        payment,
        state,
        outcome,
        now,
    )?;
    Ok(())
}
