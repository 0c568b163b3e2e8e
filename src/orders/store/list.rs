//! SQL of orders: lists of them.

use crate::db::{self, Conn, FromRow, Query, fetch_all, fetch_one};
use crate::orders::model::{
    FulfilmentStatus, OrderFilter, OrderStatus, OrderSummary, PaymentStatus, Waiting,
};
use crate::types::{Currency, Email, Money, Page, PageRequest, Timestamp, UserId};

#[derive(FromRow)]
struct SummaryRow {
    number: String,
    customer: String,
    #[sqlx(try_from = "String")]
    email: Email,
    #[sqlx(try_from = "String")]
    status: OrderStatus,
    #[sqlx(try_from = "String")]
    payment_status: PaymentStatus,
    #[sqlx(try_from = "String")]
    fulfilment_status: FulfilmentStatus,
    count: i64,
    total_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    placed_at: Timestamp,
}

impl From<SummaryRow> for OrderSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            number: row.number,
            customer: row.customer,
            email: row.email,
            status: row.status,
            payment_status: row.payment_status,
            fulfilment_status: row.fulfilment_status,
            count: row.count,
            total: Money::new(row.total_minor, row.currency),
            placed_at: row.placed_at,
        }
    }
}

/// A page of orders, newest first: of one user, or of all.
pub async fn list(
    conn: &mut Conn,
    user: Option<UserId>,
    filter: &OrderFilter,
    page: PageRequest,
) -> db::Result<Page<OrderSummary>> {
    let mut total = Query::new("select count(*) from orders o where true");
    narrow(&mut total, user, filter);
    let (total,): (i64,) = total.fetch_one(conn).await?;
    let mut query = Query::new(
        "select o.number, o.customer, o.email, o.status, o.payment_status, o.fulfilment_status,
            coalesce((
                select cast(sum(l.quantity) as bigint)
                from order_lines l
                where l.order_id = o.id
            ), 0) as count,
            o.total_minor, o.currency, o.placed_at
        from orders o
        where true",
    );
    narrow(&mut query, user, filter);
    query
        .push(" order by o.placed_at desc, o.id desc limit ")
        .bind(page.limit())
        .push(" offset ")
        .bind(page.offset());
    let rows: Vec<SummaryRow> = query.fetch_all(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(OrderSummary::from).collect(),
        total,
        request: page,
    })
}

/// Orders that are not cancelled and hold goods, or moved on, for which no money came and none is
/// expected; the newest first.
pub async fn without_money(conn: &mut Conn, limit: i64) -> db::Result<Vec<OrderSummary>> {
    let rows = fetch_all!(
        conn,
        SummaryRow,
        "select o.number, o.customer, o.email, o.status, o.payment_status, o.fulfilment_status,
            coalesce((
                select cast(sum(l.quantity) as bigint)
                from order_lines l
                where l.order_id = o.id
            ), 0) as count,
            o.total_minor, o.currency, o.placed_at
        from orders o
        where o.payment_status = 'unpaid' and o.status <> 'cancelled' and o.total_minor > 0
            and (o.status <> 'pending' or exists (
                select 1
                from payments p
                where p.order_id = o.id and p.settled_at is not null
            ))
            and not exists (
                select 1
                from payments p
                where p.order_id = o.id and p.unmatched = ''
                    and p.status in ('pending', 'authorized', 'captured')
            )
        order by o.placed_at desc, o.id desc
        limit $1",
        limit,
    )?;
    Ok(rows.into_iter().map(OrderSummary::from).collect())
}

/// How many orders wait for staff.
pub async fn waiting(conn: &mut Conn) -> db::Result<Waiting> {
    let (pending, unpaid) = fetch_one!(
        conn,
        (i64, i64),
        "select
            (select count(*) from orders where status = 'pending') as pending,
            (select count(*) from orders
                where payment_status = 'unpaid' and status <> 'cancelled') as unpaid"
    )?;
    Ok(Waiting { pending, unpaid })
}

fn narrow(query: &mut Query, user: Option<UserId>, filter: &OrderFilter) {
    if let Some(user) = user {
        query.push(" and o.user_id = ").bind(user);
    }
    if !filter.search.trim().is_empty() {
        // Folding leaves letters, digits and spaces: nothing that `like` would read as a sign.
        let words = crate::types::text::fold(&filter.search);
        if words.is_empty() {
            query.push(" and false");
        } else {
            query
                .push(" and o.search_text like ")
                .bind(format!("%{words}%"));
        }
    }
    if let Some(status) = filter.status {
        query.push(" and o.status = ").bind(status);
    }
    if let Some(status) = filter.payment_status {
        query.push(" and o.payment_status = ").bind(status);
    }
    if let Some(status) = filter.fulfilment_status {
        query.push(" and o.fulfilment_status = ").bind(status);
    }
}
