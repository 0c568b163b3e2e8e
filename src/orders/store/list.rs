//! SQL of orders: lists of them.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::orders::model::{
    FulfilmentStatus, OrderFilter, OrderStatus, OrderSummary, OrderView, PaymentStatus, Task,
    Waiting,
};
use crate::types::{
    Currency, Email, Money, OrderId, OrderViewId, Page, PageRequest, Timestamp, UserId,
};

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

/// An order as a table has it: what lists show, and more of its sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRow {
    /// For the next lot.
    pub id: OrderId,
    /// What lists show.
    pub summary: OrderSummary,
    /// Where it goes.
    pub country: String,
    /// Subtotal, discounts, shipping and tax.
    pub sums: [Money; 4],
}

#[derive(FromRow)]
struct ExportedRow {
    id: OrderId,
    #[sqlx(flatten)]
    summary: SummaryRow,
    country: String,
    subtotal_minor: i64,
    discount_minor: i64,
    shipping_minor: i64,
    tax_minor: i64,
}

/// Orders before the one with the id `below`, the newest first.
pub async fn below(
    conn: &mut Conn,
    filter: &OrderFilter,
    below: i64,
    limit: i64,
) -> db::Result<Vec<ExportRow>> {
    let mut query = Query::new(
        "select o.id, o.number, o.customer, o.email, o.status, o.payment_status,
            o.fulfilment_status,
            coalesce((
                select cast(sum(l.quantity) as bigint)
                from order_lines l
                where l.order_id = o.id
            ), 0) as count,
            o.total_minor, o.currency, o.placed_at, o.country, o.subtotal_minor, o.discount_minor,
            o.shipping_minor, o.tax_minor
        from orders o
        where o.id < ",
    );
    query.bind(below);
    narrow(&mut query, None, filter);
    query.push(" order by o.id desc limit ").bind(limit);
    let rows: Vec<ExportedRow> = query.fetch_all(conn).await?;
    let rows = rows.into_iter().map(|row| {
        let money = |minor| Money::new(minor, row.summary.currency);
        ExportRow {
            id: row.id,
            sums: [
                money(row.subtotal_minor),
                money(row.discount_minor),
                money(row.shipping_minor),
                money(row.tax_minor),
            ],
            country: row.country,
            summary: OrderSummary::from(row.summary),
        }
    });
    Ok(rows.collect())
}

/// The views of the list that somebody keeps, by name.
pub async fn views(conn: &mut Conn, user: UserId) -> db::Result<Vec<OrderView>> {
    let rows = fetch_all!(
        conn,
        (OrderViewId, String, String),
        "select id, name, query
        from order_views
        where user_id = $1
        order by name, id",
        user,
    )?;
    let views = rows.into_iter();
    Ok(views
        .map(|(id, name, query)| OrderView { id, name, query })
        .collect())
}

/// Keeps a view, in place of the one with the same name.
pub async fn save_view(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    text: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into order_views (user_id, name, query, created_at)
        values ($1, $2, $3, $4)
        on conflict (user_id, name) do update
        set query = excluded.query",
        user,
        name,
        text,
        now,
    )?;
    Ok(())
}

/// Removes a view of somebody. Gives false when they have no such view.
pub async fn delete_view(tx: &mut Tx, user: UserId, view: OrderViewId) -> db::Result<bool> {
    let gone = execute!(
        tx,
        "delete from order_views
        where id = $1 and user_id = $2",
        view,
        user,
    )?;
    Ok(gone == 1)
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
    if let Some(state) = filter.return_state {
        query
            .push(" and exists (select 1 from returns r where r.order_id = o.id and r.status = ")
            .bind(state)
            .push(")");
    }
    match filter.task {
        None => {}
        Some(Task::Send) => {
            query.push(
                " and o.status in ('confirmed', 'processing')
                and o.fulfilment_status <> 'fulfilled'",
            );
        }
        Some(Task::Money) => {
            query.push(" and o.payment_status = 'unpaid' and o.status <> 'cancelled'");
        }
        Some(Task::Return) => {
            query.push(
                " and exists (
                    select 1
                    from returns r
                    where r.order_id = o.id and r.status in ('requested', 'received')
                )",
            );
        }
    }
    if let Some(invoiced) = filter.invoiced {
        query.push(if invoiced {
            " and exists (select 1 from invoices i where i.order_id = o.id)"
        } else {
            " and not exists (select 1 from invoices i where i.order_id = o.id)"
        });
    }
    if !filter.country.is_empty() {
        query.push(" and o.country = ").bind(&*filter.country);
    }
    if !filter.provider.is_empty() {
        query
            .push(" and exists (select 1 from payments p where p.order_id = o.id and p.provider = ")
            .bind(&*filter.provider)
            .push(")");
    }
    if let Some(from) = filter.from {
        query.push(" and o.placed_at >= ").bind(from);
    }
    if let Some(until) = filter.until {
        query.push(" and o.placed_at < ").bind(until);
    }
    if let Some(least) = filter.min_total {
        query.push(" and o.total_minor >= ").bind(least);
    }
    if let Some(most) = filter.max_total {
        query.push(" and o.total_minor <= ").bind(most);
    }
}
