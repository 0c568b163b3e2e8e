//! SQL of promotions: keeping and finding them. Codes and uses are in files of their own.

mod codes;
mod redemptions;

use super::model::{
    Benefit, Kind, Promotion, PromotionFilter, PromotionState, Scope, Target, Trigger,
};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one};
use crate::types::{
    CategoryId, Currency, Money, Page, PageRequest, ProductId, PromotionId, Timestamp,
};

pub use codes::{codes, delete_code, insert_codes, with_codes};
pub use redemptions::{
    count_of_customer, erase, has_ordered, imbalances, insert_redemption, lock_first_orders,
    recount, redemptions, release, use_code, use_promotion,
};

#[derive(FromRow)]
struct Row {
    id: PromotionId,
    name: String,
    #[sqlx(try_from = "String")]
    trigger_kind: Trigger,
    #[sqlx(try_from = "String")]
    kind: Kind,
    percent: i64,
    amount_minor: i64,
    buy: i64,
    get: i64,
    #[sqlx(try_from = "String")]
    target: Scope,
    minimum_minor: Option<i64>,
    #[sqlx(try_from = "String")]
    currency: Currency,
    first_order: bool,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    exclusive: bool,
    max_uses: Option<i64>,
    max_uses_per_customer: Option<i64>,
    uses: i64,
    position: i64,
    active: bool,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Promotion {
    /// What it is for has no ids yet.
    fn from(row: Row) -> Self {
        let percent = u32::try_from(row.percent).unwrap_or(0);
        Self {
            id: row.id,
            name: row.name,
            trigger: row.trigger_kind,
            benefit: match row.kind {
                Kind::Percentage => Benefit::Percentage(percent),
                Kind::Amount => Benefit::Amount(Money::new(row.amount_minor, row.currency)),
                Kind::FreeShipping => Benefit::FreeShipping,
                Kind::BuyXGetY => Benefit::BuyXGetY {
                    buy: row.buy,
                    get: row.get,
                    percent,
                },
            },
            target: match row.target {
                Scope::Order => Target::Order,
                Scope::Products => Target::Products(Vec::new()),
                Scope::Categories => Target::Categories(Vec::new()),
            },
            minimum: row
                .minimum_minor
                .map(|minor| Money::new(minor, row.currency)),
            first_order: row.first_order,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            exclusive: row.exclusive,
            max_uses: row.max_uses,
            max_uses_per_customer: row.max_uses_per_customer,
            uses: row.uses,
            position: row.position,
            active: row.active,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The columns of a promotion, as their writer needs them.
struct Columns {
    kind: Kind,
    percent: i64,
    amount_minor: i64,
    buy: i64,
    get: i64,
    target: Scope,
}

impl From<&Promotion> for Columns {
    fn from(promotion: &Promotion) -> Self {
        let mut columns = Self {
            kind: Kind::of(&promotion.benefit),
            percent: 0,
            amount_minor: 0,
            buy: 0,
            get: 0,
            target: Scope::of(&promotion.target),
        };
        match promotion.benefit {
            Benefit::Percentage(percent) => columns.percent = i64::from(percent),
            Benefit::Amount(amount) => columns.amount_minor = amount.minor(),
            Benefit::FreeShipping => {}
            Benefit::BuyXGetY { buy, get, percent } => {
                (columns.buy, columns.get, columns.percent) = (buy, get, i64::from(percent));
            }
        }
        columns
    }
}

/// Promotions that a condition, which comes next, names.
fn promotions_where() -> Query {
    Query::new(
        "select p.id, p.name, p.trigger_kind, p.kind, p.percent, p.amount_minor, p.buy, p.get,
            p.target, p.minimum_minor, p.currency, p.first_order, p.starts_at, p.ends_at,
            p.exclusive, p.max_uses, p.max_uses_per_customer, p.uses, p.position, p.active,
            p.version, p.created_at, p.updated_at
        from promotions p
        where ",
    )
}

/// Reads promotions with what they are for. `below`: with all categories below those named.
async fn complete(conn: &mut Conn, query: &Query, below: bool) -> db::Result<Vec<Promotion>> {
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    let mut promotions: Vec<Promotion> = rows.into_iter().map(Promotion::from).collect();
    let of = |scope: fn(&Target) -> bool| {
        let meant = promotions.iter().filter(|one| scope(&one.target));
        meant.map(|one| one.id).collect::<Vec<_>>()
    };
    let products = of(|target| matches!(target, Target::Products(_)));
    let categories = of(|target| matches!(target, Target::Categories(_)));
    let products = products_of(conn, &products).await?;
    let categories = categories_of(conn, &categories, below).await?;
    for promotion in &mut promotions {
        let mine = |pairs: &[(PromotionId, i64)]| {
            let mine = pairs.iter().filter(|(id, _)| *id == promotion.id);
            mine.map(|(_, other)| *other).collect::<Vec<_>>()
        };
        match &mut promotion.target {
            Target::Order => {}
            Target::Products(ids) => *ids = mine(&products).into_iter().map(ProductId).collect(),
            Target::Categories(ids) => {
                *ids = mine(&categories).into_iter().map(CategoryId).collect();
            }
        }
    }
    Ok(promotions)
}

async fn products_of(
    conn: &mut Conn,
    promotions: &[PromotionId],
) -> db::Result<Vec<(PromotionId, i64)>> {
    if promotions.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "select promotion_id, product_id
        from promotion_products
        where promotion_id in ",
    );
    query
        .bind_list(promotions.iter().copied())
        .push(" order by promotion_id, product_id");
    query.fetch_all(conn).await
}

async fn categories_of(
    conn: &mut Conn,
    promotions: &[PromotionId],
    below: bool,
) -> db::Result<Vec<(PromotionId, i64)>> {
    if promotions.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "with recursive named (promotion_id, category_id) as (
            select promotion_id, category_id
            from promotion_categories
            where promotion_id in ",
    );
    query.bind_list(promotions.iter().copied());
    if below {
        query.push(
            "
            union
            select n.promotion_id, c.id
            from named n
            join categories c on c.parent_id = n.category_id",
        );
    }
    query.push(") select promotion_id, category_id from named order by promotion_id, category_id");
    query.fetch_all(conn).await
}

/// The automatic promotions that may count at a moment, the most important first.
pub async fn automatic(
    conn: &mut Conn,
    currency: Currency,
    at: Timestamp,
    limit: i64,
) -> db::Result<Vec<Promotion>> {
    let mut query = promotions_where();
    query.push("p.active and p.trigger_kind = 'automatic' and p.currency = ");
    query.bind(currency.code());
    query
        .push(" and (p.starts_at is null or p.starts_at <= ")
        .bind(at);
    query
        .push(") and (p.ends_at is null or p.ends_at > ")
        .bind(at);
    query.push(") order by p.position, p.id limit ").bind(limit);
    complete(conn, &query, true).await
}

/// Promotions by id, with all categories below those named, in the order of their importance.
pub async fn by_ids(conn: &mut Conn, ids: &[PromotionId]) -> db::Result<Vec<Promotion>> {
    let mut query = promotions_where();
    query.push("p.id in ").bind_list(ids.iter().copied());
    query.push(" order by p.position, p.id");
    complete(conn, &query, true).await
}

/// A promotion, with the categories that staff named.
pub async fn by_id(conn: &mut Conn, id: PromotionId) -> db::Result<Option<Promotion>> {
    let mut query = promotions_where();
    query.push("p.id = ").bind(id);
    Ok(complete(conn, &query, false).await?.pop())
}

/// Narrows a query of promotions `p`.
fn narrow(query: &mut Query, filter: &PromotionFilter, now: Timestamp) {
    query.push("true");
    if !filter.search.trim().is_empty() {
        let part = format!("%{}%", filter.search.trim().to_lowercase());
        query.push(" and (lower(p.name) like ").bind(part);
        query.push(
            " or exists (
                select 1
                from promotion_codes c
                where c.promotion_id = p.id and c.code = ",
        );
        query.bind(super::model::code_of(&filter.search)).push("))");
    }
    let over = |query: &mut Query| {
        query
            .push("(p.ends_at is not null and p.ends_at <= ")
            .bind(now)
            .push(")");
    };
    let full = "(p.max_uses is not null and p.uses >= p.max_uses)";
    let early = |query: &mut Query| {
        query
            .push("(p.starts_at is not null and p.starts_at > ")
            .bind(now)
            .push(")");
    };
    match filter.state {
        None => {}
        Some(PromotionState::Off) => {
            query.push(" and not p.active");
        }
        Some(PromotionState::Over) => {
            query.push(" and p.active and ");
            over(query);
        }
        Some(PromotionState::UsedUp) => {
            query
                .push(" and p.active and ")
                .push(full)
                .push(" and not ");
            over(query);
        }
        Some(PromotionState::Scheduled) => {
            query
                .push(" and p.active and not ")
                .push(full)
                .push(" and not ");
            over(query);
            query.push(" and ");
            early(query);
        }
        Some(PromotionState::Live) => {
            query
                .push(" and p.active and not ")
                .push(full)
                .push(" and not ");
            over(query);
            query.push(" and not ");
            early(query);
        }
    }
}

/// Promotions that a filter names, in the order of their importance.
pub async fn list(
    conn: &mut Conn,
    filter: &PromotionFilter,
    now: Timestamp,
    request: PageRequest,
) -> db::Result<Page<Promotion>> {
    let mut query = promotions_where();
    narrow(&mut query, filter, now);
    query
        .push(" order by p.position, p.id limit ")
        .bind(request.limit());
    query.push(" offset ").bind(request.offset());
    let items = complete(conn, &query, false).await?;
    let mut count = Query::new("select count(*) from promotions p where ");
    narrow(&mut count, filter, now);
    let (total,): (i64,) = count.fetch_one(conn).await?;
    Ok(Page {
        items,
        total,
        request,
    })
}

/// Adds a promotion with what it is for; gives its id.
pub async fn insert(
    tx: &mut Tx,
    promotion: &Promotion,
    currency: Currency,
) -> db::Result<PromotionId> {
    let columns = Columns::from(promotion);
    let (id,) = fetch_one!(
        tx,
        (PromotionId,),
        "insert into promotions (name, trigger_kind, kind, percent, amount_minor, buy, get, target,
            minimum_minor, currency, first_order, starts_at, ends_at, exclusive, max_uses,
            max_uses_per_customer, position, active, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $19)
        returning id",
        &promotion.name,
        promotion.trigger,
        columns.kind,
        columns.percent,
        columns.amount_minor,
        columns.buy,
        columns.get,
        columns.target,
        promotion.minimum.map(Money::minor),
        currency.code(),
        promotion.first_order,
        promotion.starts_at,
        promotion.ends_at,
        promotion.exclusive,
        promotion.max_uses,
        promotion.max_uses_per_customer,
        promotion.position,
        promotion.active,
        promotion.created_at,
    )?;
    write_target(tx, id, &promotion.target).await?;
    Ok(id)
}

/// Changes a promotion that still has the version `before`. Gives false when it has another.
pub async fn update(tx: &mut Tx, promotion: &Promotion, before: i64) -> db::Result<bool> {
    let columns = Columns::from(promotion);
    let changed = execute!(
        tx,
        "update promotions
        set name = $1, trigger_kind = $2, kind = $3, percent = $4, amount_minor = $5, buy = $6,
            get = $7, target = $8, minimum_minor = $9, first_order = $10, starts_at = $11,
            ends_at = $12, exclusive = $13, max_uses = $14, max_uses_per_customer = $15,
            position = $16, active = $17, version = $18, updated_at = $19
        where id = $20 and version = $21",
        &promotion.name,
        promotion.trigger,
        columns.kind,
        columns.percent,
        columns.amount_minor,
        columns.buy,
        columns.get,
        columns.target,
        promotion.minimum.map(Money::minor),
        promotion.first_order,
        promotion.starts_at,
        promotion.ends_at,
        promotion.exclusive,
        promotion.max_uses,
        promotion.max_uses_per_customer,
        promotion.position,
        promotion.active,
        promotion.version,
        promotion.updated_at,
        promotion.id,
        before,
    )?;
    if changed == 1 {
        execute!(
            tx,
            "delete from promotion_products where promotion_id = $1",
            promotion.id
        )?;
        execute!(
            tx,
            "delete from promotion_categories where promotion_id = $1",
            promotion.id
        )?;
        write_target(tx, promotion.id, &promotion.target).await?;
    }
    Ok(changed == 1)
}

async fn write_target(tx: &mut Tx, id: PromotionId, target: &Target) -> db::Result<()> {
    let (mut query, ids): (Query, Vec<i64>) = match target {
        Target::Order => return Ok(()),
        Target::Products(ids) => (
            Query::new("insert into promotion_products (promotion_id, product_id) values "),
            ids.iter().map(|id| id.0).collect(),
        ),
        Target::Categories(ids) => (
            Query::new("insert into promotion_categories (promotion_id, category_id) values "),
            ids.iter().map(|id| id.0).collect(),
        ),
    };
    for (index, other) in ids.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(id).push(", ").bind(*other).push(")");
    }
    if !ids.is_empty() {
        query.execute(tx).await?;
    }
    Ok(())
}

/// Deletes a promotion that no order has used, with its codes. Gives false when one has, or when
/// it has another version.
pub async fn delete(tx: &mut Tx, id: PromotionId, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from promotions
        where id = $1 and version = $2
            and not exists (select 1 from promotion_redemptions r where r.promotion_id = $1)",
        id,
        version,
    )?;
    Ok(deleted == 1)
}

/// Which of these products there are not.
pub async fn missing_products(conn: &mut Conn, ids: &[ProductId]) -> db::Result<Vec<ProductId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new("select id from products where id in ");
    query.bind_list(ids.iter().copied());
    let found: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    let is_missing = |id: &ProductId| !found.contains(&(*id,));
    Ok(ids.iter().copied().filter(is_missing).collect())
}

/// Which of these categories there are not.
pub async fn missing_categories(
    conn: &mut Conn,
    ids: &[CategoryId],
) -> db::Result<Vec<CategoryId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new("select id from categories where id in ");
    query.bind_list(ids.iter().copied());
    let found: Vec<(CategoryId,)> = query.fetch_all(conn).await?;
    let is_missing = |id: &CategoryId| !found.contains(&(*id,));
    Ok(ids.iter().copied().filter(is_missing).collect())
}
