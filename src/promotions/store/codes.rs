//! SQL of codes.

use super::super::model::Code;
use crate::db::{self, Conn, FromRow, Query, Tx, execute};
use crate::types::{Page, PageRequest, PromotionCodeId, PromotionId, Timestamp};

#[derive(FromRow)]
struct Row {
    id: PromotionCodeId,
    promotion_id: PromotionId,
    code: String,
    max_uses: Option<i64>,
    uses: i64,
    created_at: Timestamp,
}

impl From<Row> for Code {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            promotion_id: row.promotion_id,
            code: row.code,
            max_uses: row.max_uses,
            uses: row.uses,
            created_at: row.created_at,
        }
    }
}

fn codes_where() -> Query {
    Query::new(
        "select id, promotion_id, code, max_uses, uses, created_at
        from promotion_codes
        where ",
    )
}

/// The codes among these that there are.
pub async fn with_codes(conn: &mut Conn, codes: &[String]) -> db::Result<Vec<Code>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = codes_where();
    query
        .push("code in ")
        .bind_list(codes.iter().map(String::as_str));
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Code::from).collect())
}

/// The codes of a promotion, the newest first.
pub async fn codes(
    conn: &mut Conn,
    promotion: PromotionId,
    request: PageRequest,
) -> db::Result<Page<Code>> {
    let mut query = codes_where();
    query.push("promotion_id = ").bind(promotion);
    query.push(" order by id desc limit ").bind(request.limit());
    query.push(" offset ").bind(request.offset());
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    let mut count = Query::new("select count(*) from promotion_codes where promotion_id = ");
    count.bind(promotion);
    let (total,): (i64,) = count.fetch_one(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(Code::from).collect(),
        total,
        request,
    })
}

/// Adds codes to a promotion; those that there are already are left out. Gives how many were
/// added.
pub async fn insert_codes(
    tx: &mut Tx,
    promotion: PromotionId,
    codes: &[String],
    max_uses: Option<i64>,
    now: Timestamp,
) -> db::Result<u64> {
    let mut added = 0;
    for codes in codes.chunks(500) {
        let mut query = Query::new(
            "insert into promotion_codes (promotion_id, code, max_uses, created_at)
            values ",
        );
        for (index, code) in codes.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(promotion).push(", ").bind(code.as_str());
            query
                .push(", ")
                .bind(max_uses)
                .push(", ")
                .bind(now)
                .push(")");
        }
        query.push(" on conflict (code) do nothing");
        added += query.execute(tx).await?;
    }
    Ok(added)
}

/// Removes a code that no order has used. Gives false when one has, or when there is none.
pub async fn delete_code(tx: &mut Tx, promotion: PromotionId, code: &str) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from promotion_codes
        where promotion_id = $1 and code = $2
            and not exists (
                select 1
                from promotion_redemptions r
                where r.code_id = promotion_codes.id
            )",
        promotion,
        code,
    )?;
    Ok(deleted == 1)
}
