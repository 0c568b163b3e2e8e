//! SQL of the pictures that batches fetch.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::imports::model::{Picture, PictureState};
use crate::types::{
    ImageId, ImportId, ImportPictureId, ImportProductId, Page, PageRequest, ProductId, Timestamp,
};

/// Adds pictures to fetch: address, what it shows, option value.
pub async fn insert_pictures(
    tx: &mut Tx,
    batch: ImportId,
    item: ImportProductId,
    product: ProductId,
    pictures: &[(String, String, String)],
    due: Timestamp,
) -> db::Result<()> {
    if pictures.is_empty() {
        return Ok(());
    }
    let mut query = Query::new(
        "insert into import_pictures
            (batch_id, item_id, product_id, url, alt, option_value, state, due_at)
        values ",
    );
    for (index, (url, alt, option_value)) in pictures.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query
            .bind(batch)
            .push(", ")
            .bind(item)
            .push(", ")
            .bind(product);
        query.push(", ").bind(url).push(", ").bind(alt);
        query.push(", ").bind(option_value).push(", 'waiting', ");
        query.bind(due).push(")");
    }
    query.execute(tx).await?;
    Ok(())
}

#[derive(FromRow)]
struct PictureRow {
    id: ImportPictureId,
    batch_id: ImportId,
    item_id: ImportProductId,
    product_id: ProductId,
    name: String,
    url: String,
    alt: String,
    option_value: String,
    #[sqlx(try_from = "String")]
    state: PictureState,
    attempts: i64,
    problem: String,
    image_id: Option<ImageId>,
}

impl From<PictureRow> for Picture {
    fn from(row: PictureRow) -> Self {
        Self {
            id: row.id,
            batch_id: row.batch_id,
            item_id: row.item_id,
            product_id: row.product_id,
            name: row.name,
            url: row.url,
            alt: row.alt,
            option_value: row.option_value,
            state: row.state,
            attempts: row.attempts,
            problem: row.problem,
            image_id: row.image_id,
        }
    }
}

fn select_pictures() -> Query {
    Query::new(
        "select i.id, i.batch_id, i.item_id, i.product_id, p.name, i.url, i.alt, i.option_value,
            i.state, i.attempts, i.problem, i.image_id
        from import_pictures as i
        join import_products as p on p.id = i.item_id
        where ",
    )
}

/// A page of a batch's pictures in one state, oldest first.
pub async fn pictures(
    conn: &mut Conn,
    id: ImportId,
    state: PictureState,
    page: PageRequest,
) -> db::Result<Page<Picture>> {
    let (total,) = fetch_one!(
        conn,
        (i64,),
        "select count(*) from import_pictures where batch_id = $1 and state = $2",
        id,
        state,
    )?;
    let mut query = select_pictures();
    query
        .push("i.batch_id = ")
        .bind(id)
        .push(" and i.state = ")
        .bind(state);
    query.push(" order by i.id limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<PictureRow> = query.fetch_all(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(Picture::from).collect(),
        total,
        request: page,
    })
}

/// How many pictures of a batch wait, are fetched and failed.
pub async fn picture_counts(conn: &mut Conn, id: ImportId) -> db::Result<Vec<(String, i64)>> {
    fetch_all!(
        conn,
        (String, i64),
        "select state, count(*)
        from import_pictures
        where batch_id = $1
        group by state
        order by state",
        id,
    )
}

/// Whether the time of a picture has come.
pub async fn is_picture_due(conn: &mut Conn, now: Timestamp) -> db::Result<bool> {
    let (due,): (bool,) = fetch_one!(
        conn,
        (bool,),
        "select exists (
            select 1 from import_pictures where state = 'waiting' and due_at <= $1
        )",
        now,
    )?;
    Ok(due)
}

/// Takes pictures whose time has come, one of each product so that they come in their order; each
/// may be taken again at `again`, should whoever takes it now not come back.
pub async fn take_pictures(
    tx: &mut Tx,
    now: Timestamp,
    again: Timestamp,
    limit: i64,
) -> db::Result<Vec<Picture>> {
    let taken = fetch_all!(
        tx,
        (ImportPictureId,),
        "update import_pictures set due_at = $2, attempts = attempts + 1
        where id in (
            select i.id
            from import_pictures as i
            where i.state = 'waiting' and i.due_at <= $1 and not exists (
                select 1
                from import_pictures as e
                where e.item_id = i.item_id and e.state = 'waiting' and e.id < i.id
            )
            order by i.due_at, i.id
            limit $3
        )
        returning id",
        now,
        again,
        limit,
    )?;
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = select_pictures();
    query
        .push("i.id in ")
        .bind_list(taken.into_iter().map(|(id,)| id));
    query.push(" order by i.id");
    let rows: Vec<PictureRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(Picture::from).collect())
}

/// Puts the next try of a picture off, and says why.
pub async fn put_off_picture(
    tx: &mut Tx,
    id: ImportPictureId,
    due: Timestamp,
    problem: &str,
) -> db::Result<()> {
    execute!(
        tx,
        "update import_pictures set due_at = $2, problem = $3
        where id = $1 and state = 'waiting'",
        id,
        due,
        problem,
    )?;
    Ok(())
}

/// The pictures in the catalog that a product of a batch brought.
pub async fn brought_images(conn: &mut Conn, item: ImportProductId) -> db::Result<Vec<ImageId>> {
    let rows = fetch_all!(
        conn,
        (ImageId,),
        "select image_id from import_pictures
        where item_id = $1 and image_id is not null
        order by id",
        item,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Notes what became of a picture; tells whether it still waited.
pub async fn set_picture(
    tx: &mut Tx,
    id: ImportPictureId,
    state: PictureState,
    problem: &str,
    image: Option<ImageId>,
) -> db::Result<bool> {
    let done = execute!(
        tx,
        "update import_pictures set state = $2, problem = $3, image_id = $4
        where id = $1 and state = 'waiting'",
        id,
        state,
        problem,
        image,
    )?;
    Ok(done == 1)
}

/// Lets the failed pictures of a batch wait again; gives how many.
pub async fn retry_pictures(tx: &mut Tx, id: ImportId, due: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "update import_pictures set state = 'waiting', problem = '', attempts = 0, due_at = $2
        where batch_id = $1 and state = 'failed'",
        id,
        due,
    )
}

/// Gives up the pictures of a batch that still wait.
pub async fn drop_pictures(tx: &mut Tx, id: ImportId, why: &str) -> db::Result<()> {
    execute!(
        tx,
        "update import_pictures set state = 'failed', problem = $2
        where batch_id = $1 and state = 'waiting'",
        id,
        why,
    )?;
    Ok(())
}

/// Notes where a product's picture came from.
pub async fn put_source(
    tx: &mut Tx,
    product: ProductId,
    url: &str,
    image: ImageId,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into picture_sources (product_id, url, image_id)
        values ($1, $2, $3)
        on conflict (product_id, url) do update set image_id = excluded.image_id",
        product,
        url,
        image,
    )?;
    Ok(())
}

/// Where the pictures of products came from: product, address.
pub async fn sources(
    conn: &mut Conn,
    products: &[ProductId],
) -> db::Result<Vec<(ProductId, String)>> {
    let mut query = Query::new("select product_id, url from picture_sources where product_id in ");
    query.bind_list(products.iter().copied());
    query.push(" order by product_id, url");
    query.fetch_all(conn).await
}
