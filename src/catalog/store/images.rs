//! SQL of pictures.

use crate::catalog::model::Image;
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one};
use crate::types::{ImageId, ProductId, Timestamp};

#[derive(FromRow)]
pub(super) struct ImageRow {
    pub(super) id: ImageId,
    pub(super) product_id: ProductId,
    pub(super) storage_key: String,
    pub(super) alt: String,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) option_value: String,
    pub(super) position: i64,
}

impl From<ImageRow> for Image {
    fn from(row: ImageRow) -> Self {
        Self {
            id: row.id,
            storage_key: row.storage_key,
            alt: row.alt,
            width: row.width,
            height: row.height,
            option_value: row.option_value,
            position: row.position,
        }
    }
}

/// The pictures of products, the cover first.
pub(super) async fn images(conn: &mut Conn, products: &[ProductId]) -> db::Result<Vec<ImageRow>> {
    let mut query = Query::new(
        "select id, product_id, storage_key, alt, width, height, option_value, position
        from product_images
        where product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" order by product_id, position, id");
    query.fetch_all(conn).await
}

/// Adds a picture; its id is given by the database.
pub async fn insert_image(
    tx: &mut Tx,
    product: ProductId,
    image: &Image,
    now: Timestamp,
) -> db::Result<ImageId> {
    let (id,) = fetch_one!(
        tx,
        (ImageId,),
        "insert into product_images
            (product_id, storage_key, alt, width, height, option_value, position, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning id",
        product,
        &image.storage_key,
        &image.alt,
        image.width,
        image.height,
        &image.option_value,
        image.position,
        now,
    )?;
    Ok(id)
}

/// Writes a picture's alt text, place and option value.
pub async fn update_image(tx: &mut Tx, image: &Image) -> db::Result<()> {
    execute!(
        tx,
        "update product_images
        set alt = $2, option_value = $3, position = $4
        where id = $1",
        image.id,
        &image.alt,
        &image.option_value,
        image.position,
    )?;
    Ok(())
}

/// Numbers the pictures of a product from 0, in this order.
pub async fn place_images(tx: &mut Tx, images: &[ImageId]) -> db::Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    // Both databases call the columns of `values` so.
    let mut query = Query::new("update product_images set position = d.column2 from (values ");
    for (position, &image) in (0_i64..).zip(images) {
        query.push(if position == 0 { "(" } else { ", (" });
        query.bind(image).push(", ").bind(position).push(")");
    }
    query.push(") as d where product_images.id = d.column1");
    query.execute(tx).await?;
    Ok(())
}

/// Removes a picture.
pub async fn delete_image(tx: &mut Tx, image: ImageId) -> db::Result<()> {
    execute!(tx, "delete from product_images where id = $1", image)?;
    Ok(())
}
