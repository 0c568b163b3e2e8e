//! SQL of the products of a batch.

use super::{CHUNK, read_json, write_json};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all};
use crate::imports::model::{Change, Counts, Item, Outcome, Verdict};
use crate::types::{ImportId, ImportProductId, Page, PageRequest, ProductId};

/// A product of the file that is read and waits to be compared.
#[derive(Clone, Debug, FromRow)]
pub struct Read {
    /// Its id.
    pub id: ImportProductId,
    /// What its rows have in common.
    pub handle: String,
    /// The line of the first.
    pub line: i64,
    /// How many there are.
    pub rows: i64,
}

/// The next products that wait to be compared.
pub async fn next_read(conn: &mut Conn, id: ImportId, limit: i64) -> db::Result<Vec<Read>> {
    fetch_all!(
        conn,
        Read,
        "select p.id, p.handle, p.line, (
                select count(*) from import_lines as l
                where l.batch_id = p.batch_id and l.handle = p.handle
            ) as rows
        from import_products as p
        where p.batch_id = $1 and p.verdict = 'read'
        order by p.id
        limit $2",
        id,
        limit,
    )
}

/// What a dry run found out about a product.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which one.
    pub id: ImportProductId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub verdict: Verdict,
    /// The product in the catalog, with the version that was looked at.
    pub product: Option<(ProductId, i64)>,
    /// What is to be written, as JSON.
    pub described: String,
    /// What would change.
    pub changes: Vec<Change>,
}

/// Writes what a dry run found out.
pub async fn set_findings(tx: &mut Tx, findings: &[Finding]) -> db::Result<()> {
    for findings in findings.chunks(CHUNK) {
        // Both databases call the columns of `values` so.
        let mut query = Query::new(
            "update import_products set name = d.column2, verdict = d.column3,
                product_id = d.column4, version = d.column5, described = d.column6,
                changes = d.column7
            from (values ",
        );
        for (index, finding) in findings.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(finding.id).push(", ").bind(&finding.name);
            query.push(", ").bind(finding.verdict);
            query
                .push(", cast(")
                .bind(finding.product.map(|(id, _)| id))
                .push(" as bigint)");
            query
                .push(", cast(")
                .bind(finding.product.map(|(_, version)| version))
                .push(" as bigint)");
            query.push(", ").bind(&finding.described);
            query
                .push(", ")
                .bind(write_json(&finding.changes))
                .push(")");
        }
        query.push(") as d where import_products.id = d.column1");
        query.execute(tx).await?;
    }
    Ok(())
}

/// How many products of a batch are what.
pub async fn counts(conn: &mut Conn, id: ImportId) -> db::Result<Counts> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(try_from = "String")]
        verdict: Verdict,
        #[sqlx(try_from = "String")]
        outcome: Outcome,
        count: i64,
    }
    let rows = fetch_all!(
        conn,
        Row,
        "select verdict, outcome, count(*) as count
        from import_products
        where batch_id = $1
        group by verdict, outcome
        order by verdict, outcome",
        id,
    )?;
    Ok(Counts(
        rows.into_iter()
            .map(|row| (row.verdict, row.outcome, row.count))
            .collect(),
    ))
}

#[derive(FromRow)]
struct ItemRow {
    id: ImportProductId,
    batch_id: ImportId,
    handle: String,
    line: i64,
    name: String,
    #[sqlx(try_from = "String")]
    verdict: Verdict,
    #[sqlx(try_from = "String")]
    outcome: Outcome,
    product_id: Option<ProductId>,
    version: Option<i64>,
    changes: String,
    problem: String,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            id: row.id,
            batch_id: row.batch_id,
            handle: row.handle,
            line: row.line,
            name: row.name,
            verdict: row.verdict,
            outcome: row.outcome,
            product_id: row.product_id,
            version: row.version,
            changes: read_json(&row.changes),
            problem: row.problem,
        }
    }
}

/// A page of a batch's products by line, of a verdict and an outcome.
pub async fn items(
    conn: &mut Conn,
    id: ImportId,
    verdict: Option<Verdict>,
    outcome: Option<Outcome>,
    page: PageRequest,
) -> db::Result<Page<Item>> {
    let narrow = |query: &mut Query| {
        query
            .push(" from import_products where batch_id = ")
            .bind(id);
        if let Some(verdict) = verdict {
            query.push(" and verdict = ").bind(verdict);
        }
        if let Some(outcome) = outcome {
            query.push(" and outcome = ").bind(outcome);
        }
    };
    let mut query = Query::new("select count(*)");
    narrow(&mut query);
    let counted: Vec<(i64,)> = query.fetch_all(conn).await?;
    let mut query = Query::new(
        "select id, batch_id, handle, line, name, verdict, outcome, product_id, version, changes,
            problem",
    );
    narrow(&mut query);
    query.push(" order by line, id limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<ItemRow> = query.fetch_all(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(Item::from).collect(),
        total: counted.first().map_or(0, |(count,)| *count),
        request: page,
    })
}

/// A product of a batch, for the work on it.
#[derive(Clone, Debug, FromRow)]
pub struct Work {
    /// Its id.
    pub id: ImportProductId,
    /// Whether it is a new product.
    #[sqlx(try_from = "String")]
    pub verdict: Verdict,
    /// The product in the catalog.
    pub product_id: Option<ProductId>,
    /// The version that it must have.
    pub version: Option<i64>,
    /// JSON: what is written.
    pub described: String,
    /// JSON: what was before.
    pub former: String,
    /// JSON: products that go with it and are yet to be named.
    pub related: String,
}

/// The next products that wait to be written.
pub async fn next_waiting(conn: &mut Conn, id: ImportId, limit: i64) -> db::Result<Vec<Work>> {
    fetch_all!(
        conn,
        Work,
        "select id, verdict, product_id, version, described, former, related
        from import_products
        where batch_id = $1 and outcome = 'waiting' and verdict in ('new', 'changed')
        order by id
        limit $2",
        id,
        limit,
    )
}

/// The next written products whose related products are yet to be named.
pub async fn next_unrelated(conn: &mut Conn, id: ImportId, limit: i64) -> db::Result<Vec<Work>> {
    fetch_all!(
        conn,
        Work,
        "select id, verdict, product_id, version, described, former, related
        from import_products
        where batch_id = $1 and outcome = 'applied' and related <> ''
        order by id
        limit $2",
        id,
        limit,
    )
}

/// The next products that can be put back, the last written first.
pub async fn next_applied(conn: &mut Conn, id: ImportId, limit: i64) -> db::Result<Vec<Work>> {
    fetch_all!(
        conn,
        Work,
        "select id, verdict, product_id, version, described, former, related
        from import_products
        where batch_id = $1 and outcome = 'applied'
        order by id desc
        limit $2",
        id,
        limit,
    )
}

/// Notes that a product was written: which one it is, the version that it has now, what there was
/// before and which related products are yet to be named, as JSON.
pub async fn set_applied(
    tx: &mut Tx,
    id: ImportProductId,
    product: ProductId,
    version: i64,
    former: &str,
    related: &str,
) -> db::Result<()> {
    execute!(
        tx,
        "update import_products
        set outcome = 'applied', product_id = $2, version = $3, former = $4, related = $5
        where id = $1",
        id,
        product,
        version,
        former,
        related,
    )?;
    Ok(())
}

/// Notes that the related products of a written product are named, or cannot be; `version`: the
/// one that the product has now.
pub async fn set_related(tx: &mut Tx, id: ImportProductId, version: i64) -> db::Result<()> {
    execute!(
        tx,
        "update import_products set related = '', version = $2 where id = $1",
        id,
        version,
    )?;
    Ok(())
}

/// Notes what became of a product, and why.
pub async fn set_outcome(
    tx: &mut Tx,
    id: ImportProductId,
    outcome: Outcome,
    problem: &str,
) -> db::Result<()> {
    execute!(
        tx,
        "update import_products set outcome = $2, problem = $3 where id = $1",
        id,
        outcome,
        problem,
    )?;
    Ok(())
}

/// Follows a product that a picture of the batch has changed: from one version to the next.
pub async fn follow_version(
    tx: &mut Tx,
    id: ImportProductId,
    from: i64,
    to: i64,
) -> db::Result<()> {
    execute!(
        tx,
        "update import_products set version = $3
        where id = $1 and version = $2 and outcome = 'applied'",
        id,
        from,
        to,
    )?;
    Ok(())
}
