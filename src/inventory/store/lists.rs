//! SQL of the lists for staff: stock by variant, and the ledger.

use std::collections::HashMap;

use crate::db::{self, Conn, FromRow, Query, Tx, execute};
use crate::inventory::model::{
    MovementEntry, MovementFilter, Reason, Shelf, StockFilter, StockLevel, StockRow, StockShow,
};
use crate::types::{PageRequest, ProductId, Timestamp, VariantId};

/// Pieces of the variant `v` that can be bought.
const AVAILABLE: &str = "coalesce((
        select sum(s.on_hand - s.reserved)
        from stock_levels as s
        where s.variant_id = v.id
            and s.location_id in (select id from locations where active)
    ), 0)";

/// Adds ` from … where …`: variants that are not archived with their products.
fn push_matching(query: &mut Query, filter: &StockFilter) {
    query.push(
        " from variants as v
        join products as p on p.id = v.product_id
        where v.active and p.status <> 'archived'",
    );
    match filter.show {
        StockShow::All => {}
        StockShow::Low => {
            query.push(" and ").push(AVAILABLE);
            query.push(" <= coalesce(v.low_stock, ");
            query.bind(StockLevel::LOW).push(")");
        }
        StockShow::Out => {
            query.push(" and ").push(AVAILABLE).push(" <= 0");
        }
        StockShow::Owed => {
            query.push(
                " and exists (
                    select 1
                    from stock_levels as s
                    where s.variant_id = v.id and s.on_hand < s.reserved)",
            );
        }
        StockShow::Reserved => {
            query.push(
                " and exists (
                    select 1
                    from stock_levels as s
                    where s.variant_id = v.id and s.reserved > 0)",
            );
        }
        StockShow::Waiting => {
            query.push(
                " and exists (
                    select 1
                    from stock_waiters as w
                    where w.variant_id = v.id and w.notified_at is null)",
            );
        }
    }
    let words = filter.search.trim().to_lowercase();
    if !words.is_empty() {
        let words = words
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let pattern = format!("%{words}%");
        query.push(" and (lower(p.name) like ").bind(&pattern);
        query.push(" escape '\\' or lower(v.sku) like ");
        query.bind(&pattern).push(" escape '\\')");
    }
}

/// How many variants a list of stock has.
pub async fn count_stock(conn: &mut Conn, filter: &StockFilter) -> db::Result<i64> {
    let mut query = Query::new("select count(*)");
    push_matching(&mut query, filter);
    let (total,) = query.fetch_one::<(i64,)>(conn).await?;
    Ok(total)
}

/// The variants of a page of such a list.
pub async fn stock_ids(
    conn: &mut Conn,
    filter: &StockFilter,
    page: PageRequest,
) -> db::Result<Vec<VariantId>> {
    let mut query = Query::new("select v.id");
    push_matching(&mut query, filter);
    match filter.show {
        StockShow::All | StockShow::Waiting | StockShow::Reserved => {
            query.push(" order by lower(p.name), p.id, v.position, v.id");
        }
        StockShow::Low | StockShow::Out | StockShow::Owed => {
            query.push(" order by ").push(AVAILABLE).push(", v.id");
        }
    }
    query.push(" limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<(VariantId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

#[derive(FromRow)]
struct StockRowRow {
    variant_id: VariantId,
    product_id: ProductId,
    product: String,
    slug: String,
    for_sale: bool,
    options: String,
    sku: String,
    backorder: bool,
    low_stock: Option<i64>,
    waiting: i64,
}

/// These variants, in this order; one that is not there is left out.
pub async fn stock_rows(conn: &mut Conn, variants: &[VariantId]) -> db::Result<Vec<StockRow>> {
    let mut query = Query::new(
        "select v.id as variant_id, p.id as product_id, p.name as product, p.slug,
            v.active and p.status = 'active' as for_sale, v.options, v.sku,
            v.backorder, v.low_stock,
            (
                select count(*)
                from stock_waiters as w
                where w.variant_id = v.id and w.notified_at is null
            ) as waiting
        from variants as v
        join products as p on p.id = v.product_id
        where v.id in ",
    );
    query.bind_list(variants.iter().copied());
    let rows: Vec<StockRowRow> = query.fetch_all(conn).await?;
    let mut rows: HashMap<VariantId, StockRowRow> =
        rows.into_iter().map(|row| (row.variant_id, row)).collect();
    let mut shelves: HashMap<VariantId, Vec<Shelf>> = HashMap::new();
    for shelf in super::shelves(conn, variants).await? {
        shelves.entry(shelf.variant_id).or_default().push(shelf);
    }
    let found = variants.iter().filter_map(|id| {
        let row = rows.remove(id)?;
        let options: Vec<String> = serde_json::from_str(&row.options).unwrap_or_default();
        Some(StockRow {
            variant_id: row.variant_id,
            product_id: row.product_id,
            product: row.product,
            slug: row.slug,
            for_sale: row.for_sale,
            variant: options.join(", "),
            sku: row.sku,
            backorder: row.backorder,
            low_stock: row.low_stock,
            waiting: row.waiting,
            shelves: shelves.remove(id).unwrap_or_default(),
        })
    });
    Ok(found.collect())
}

fn push_movements(query: &mut Query, filter: &MovementFilter) {
    query.push(
        " from stock_movements as m
        join locations as l on l.id = m.location_id
        left join users as u on u.id = m.actor_id
        where true",
    );
    if let Some(variant) = filter.variant_id {
        query.push(" and m.variant_id = ").bind(variant);
    }
    if let Some(location) = &filter.location {
        query.push(" and l.code = ").bind(location);
    }
    if let Some(reason) = filter.reason {
        query.push(" and m.reason = ").bind(reason);
    }
    if let Some(reference) = &filter.reference {
        query.push(" and m.reference = ").bind(reference);
    }
}

/// How many entries of the ledger match.
pub async fn count_movements(conn: &mut Conn, filter: &MovementFilter) -> db::Result<i64> {
    let mut query = Query::new("select count(*)");
    push_movements(&mut query, filter);
    let (total,) = query.fetch_one::<(i64,)>(conn).await?;
    Ok(total)
}

#[derive(FromRow)]
struct MovementRow {
    id: i64,
    variant_id: VariantId,
    location: String,
    location_name: String,
    quantity: i64,
    balance: i64,
    #[sqlx(try_from = "String")]
    reason: Reason,
    reference: String,
    note: String,
    actor: Option<String>,
    created_at: Timestamp,
}

/// A page of the ledger, the newest entry first.
pub async fn movements(
    conn: &mut Conn,
    filter: &MovementFilter,
    page: PageRequest,
) -> db::Result<Vec<MovementEntry>> {
    let mut query = Query::new(
        "select m.id, m.variant_id, l.code as location, l.name as location_name, m.quantity,
            (
                select cast(sum(b.quantity) as bigint)
                from stock_movements as b
                where b.variant_id = m.variant_id and b.id <= m.id
            ) as balance,
            m.reason, m.reference, m.note, u.name as actor, m.created_at",
    );
    push_movements(&mut query, filter);
    query.push(" order by m.id desc limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<MovementRow> = query.fetch_all(conn).await?;
    let entries = rows.into_iter().map(|row| MovementEntry {
        id: row.id,
        variant_id: row.variant_id,
        location: row.location,
        location_name: row.location_name,
        quantity: row.quantity,
        balance: row.balance,
        reason: row.reason,
        reference: row.reference,
        note: row.note,
        actor: row.actor,
        at: row.created_at,
    });
    Ok(entries.collect())
}

/// Says whether a variant is sold beyond its stock, and from how many pieces down it is low.
pub async fn set_rules(
    tx: &mut Tx,
    variant: VariantId,
    backorder: bool,
    low_stock: Option<i64>,
) -> db::Result<()> {
    execute!(
        tx,
        "update variants
        set backorder = $2, low_stock = $3
        where id = $1",
        variant,
        backorder,
        low_stock,
    )?;
    Ok(())
}
