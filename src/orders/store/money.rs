//! SQL of orders: what the shop asks of their money.

use crate::db::{self, Conn, FromRow, fetch_all};
use crate::orders::model::PaymentStatus;
use crate::types::{Currency, Money, OrderId, Timestamp};

/// The numbers of pending orders without a settled payment, all begun before a time, that may not
/// wait for longer, the oldest first: nobody finished paying them.
pub async fn given_up_on(
    conn: &mut Conn,
    before: Timestamp,
    now: Timestamp,
    limit: i64,
) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select o.number
        from orders o
        where o.status = 'pending' and o.placed_at <= $1
            and (o.pay_until is null or o.pay_until <= $2)
            and exists (select 1 from payments p where p.order_id = o.id)
            and not exists (
                select 1
                from payments p
                where p.order_id = o.id and (p.settled_at is not null or p.created_at > $1)
            )
        order by o.placed_at, o.id
        limit $3",
        before,
        now,
        limit,
    )?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

#[derive(FromRow)]
struct MoneyRow {
    id: OrderId,
    number: String,
    #[sqlx(try_from = "String")]
    payment_status: PaymentStatus,
    total_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
}

/// Id, number, payment status and total of orders after an id, in ascending order.
pub async fn money_of(
    conn: &mut Conn,
    after: OrderId,
    limit: i64,
) -> db::Result<Vec<(OrderId, String, PaymentStatus, Money)>> {
    let rows = fetch_all!(
        conn,
        MoneyRow,
        "select id, number, payment_status, total_minor, currency
        from orders
        where id > $1
        order by id
        limit $2",
        after,
        limit,
    )?;
    let rows = rows.into_iter().map(|row| {
        let total = Money::new(row.total_minor, row.currency);
        (row.id, row.number, row.payment_status, total)
    });
    Ok(rows.collect())
}
