//! SQL that writes products.

use super::{CHUNK, write_options, write_texts};
use crate::catalog::model::{Product, ProductStatus, Variant};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{ProductId, Slug, Timestamp, VariantId};

/// Counts a product's version up and locks its row until the transaction ends. Gives the new
/// version; none when there is no such product.
pub async fn touch_product(tx: &mut Tx, id: ProductId, now: Timestamp) -> db::Result<Option<i64>> {
    let row = fetch_optional!(
        tx,
        (i64,),
        "update products
        set version = version + 1, updated_at = $2
        where id = $1
        returning version",
        id,
        now,
    )?;
    Ok(row.map(|(version,)| version))
}

/// The version of a product, whose row stays locked until the transaction ends; none when there is
/// no such product.
pub async fn lock_product_version(tx: &mut Tx, id: ProductId) -> db::Result<Option<i64>> {
    let row = fetch_optional!(
        tx,
        (i64,),
        "update products
        set version = version
        where id = $1
        returning version",
        id,
    )?;
    Ok(row.map(|(version,)| version))
}

/// All slugs that are `base`, or `base` with something behind a hyphen.
pub async fn slugs_like(conn: &mut Conn, base: &Slug) -> db::Result<Vec<String>> {
    // A long slug is cut to make room for a number: look for what is left of it, too. A slug
    // holds nothing that is special to `like`.
    let room = Slug::MAX_LEN - 10;
    let pattern = match base.as_str().get(..room) {
        Some(head) => format!("{head}%"),
        None => format!("{base}-%"),
    };
    let rows = fetch_all!(
        conn,
        (String,),
        "select slug
        from products
        where slug = $1 or slug like $2",
        base,
        pattern,
    )?;
    Ok(rows.into_iter().map(|(slug,)| slug).collect())
}

/// Adds a product without what lies in tables of its own; its id and version are given by the
/// database.
pub async fn insert_product(tx: &mut Tx, product: &Product) -> db::Result<ProductId> {
    let (lowest, highest) = price_columns(product);
    let (id,) = fetch_one!(
        tx,
        (ProductId,),
        "insert into products
            (slug, name, maker, summary, description, category_id, status, options,
            price_min_minor, price_max_minor, rating_score, created_by, created_at,
            updated_at, publish_at, digital, seo_title, seo_description, tax_class)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19)
        returning id",
        &product.slug,
        &product.name,
        &product.maker,
        &product.summary,
        &product.description,
        product.category_id,
        product.status,
        write_options(&product.options),
        lowest,
        highest,
        product.rating.score(),
        product.created_by,
        product.created_at,
        product.updated_at,
        product.publish_at,
        product.digital,
        &product.seo.title,
        &product.seo.description,
        tax_class_column(product),
    )?;
    Ok(id)
}

/// Writes a product whose version [`touch_product`] has counted up, without what lies in tables
/// of its own.
pub async fn update_product(tx: &mut Tx, product: &Product) -> db::Result<()> {
    let (lowest, highest) = price_columns(product);
    execute!(
        tx,
        "update products
        set slug = $2, name = $3, maker = $4, summary = $5, description = $6, category_id = $7,
            status = $8, options = $9, price_min_minor = $10, price_max_minor = $11,
            publish_at = $12, digital = $13, seo_title = $14, seo_description = $15,
            tax_class = $16
        where id = $1",
        product.id,
        &product.slug,
        &product.name,
        &product.maker,
        &product.summary,
        &product.description,
        product.category_id,
        product.status,
        write_options(&product.options),
        lowest,
        highest,
        product.publish_at,
        product.digital,
        &product.seo.title,
        &product.seo.description,
        tax_class_column(product),
    )?;
    Ok(())
}

/// The table keeps no class for the one that every shop has.
fn tax_class_column(product: &Product) -> Option<&str> {
    Some(product.tax_class.as_str()).filter(|class| *class != "standard")
}

/// The lowest and highest price of the active variants, in minor units.
pub(super) fn price_columns(product: &Product) -> (Option<i64>, Option<i64>) {
    let range = product.price_range();
    (
        range.map(|(lowest, _)| lowest.minor()),
        range.map(|(_, highest)| highest.minor()),
    )
}

/// Deletes a product with all that belongs to it; the files of its pictures stay.
pub async fn delete_product(tx: &mut Tx, id: ProductId) -> db::Result<()> {
    execute!(tx, "delete from products where id = $1", id)?;
    Ok(())
}

/// Writes the status of a product whose version [`touch_product`] has counted up. It no longer
/// waits for a time.
pub async fn set_status(tx: &mut Tx, id: ProductId, status: ProductStatus) -> db::Result<()> {
    execute!(
        tx,
        "update products set status = $2, publish_at = null where id = $1",
        id,
        status
    )?;
    Ok(())
}

/// The variants of a product that were ever ordered.
///
/// `orders` comes after the catalog and its code is not known here; that a line names a variant
/// is all that is asked of its table.
pub async fn ordered_variants(conn: &mut Conn, id: ProductId) -> db::Result<Vec<VariantId>> {
    let rows = fetch_all!(
        conn,
        (VariantId,),
        "select distinct variant_id
        from order_lines
        where product_id = $1",
        id,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Makes a slug that a product gave up lead to it.
pub async fn put_redirect(tx: &mut Tx, slug: &Slug, id: ProductId) -> db::Result<()> {
    execute!(
        tx,
        "insert into product_redirects (slug, product_id)
        values ($1, $2)
        on conflict (slug) do update set product_id = excluded.product_id",
        slug,
        id,
    )?;
    Ok(())
}

/// Makes a slug lead nowhere else, because a product has it now.
pub async fn delete_redirect(tx: &mut Tx, slug: &Slug) -> db::Result<()> {
    execute!(tx, "delete from product_redirects where slug = $1", slug)?;
    Ok(())
}

/// Writes all attributes of a product anew, in their order.
pub async fn replace_attributes(
    tx: &mut Tx,
    id: ProductId,
    attributes: &[(String, String)],
) -> db::Result<()> {
    execute!(
        tx,
        "delete from product_attributes where product_id = $1",
        id
    )?;
    if attributes.is_empty() {
        return Ok(());
    }
    let mut query =
        Query::new("insert into product_attributes (product_id, name, value, position) values ");
    for (position, (name, value)) in (0_i64..).zip(attributes) {
        query.push(if position == 0 { "(" } else { ", (" });
        query.bind(id).push(", ").bind(name);
        query.push(", ").bind(value);
        query.push(", ").bind(position).push(")");
    }
    query.execute(tx).await?;
    Ok(())
}

/// Writes all tags of a product anew, in their order.
pub async fn replace_tags(tx: &mut Tx, id: ProductId, tags: &[String]) -> db::Result<()> {
    execute!(tx, "delete from product_tags where product_id = $1", id)?;
    if tags.is_empty() {
        return Ok(());
    }
    let mut query = Query::new("insert into product_tags (product_id, tag, position) values ");
    for (position, tag) in (0_i64..).zip(tags) {
        query.push(if position == 0 { "(" } else { ", (" });
        query.bind(id).push(", ").bind(tag);
        query.push(", ").bind(position).push(")");
    }
    query.execute(tx).await?;
    Ok(())
}

/// Writes anew what goes well with a product, in its order.
pub async fn replace_related(tx: &mut Tx, id: ProductId, related: &[ProductId]) -> db::Result<()> {
    execute!(
        tx,
        "delete from product_relations where product_id = $1",
        id
    )?;
    if related.is_empty() {
        return Ok(());
    }
    let mut query =
        Query::new("insert into product_relations (product_id, related_id, position) values ");
    for (position, related) in (0_i64..).zip(related) {
        query.push(if position == 0 { "(" } else { ", (" });
        query.bind(id).push(", ").bind(*related);
        query.push(", ").bind(position).push(")");
    }
    query.execute(tx).await?;
    Ok(())
}

/// Drafts whose time has come, the oldest first.
pub async fn due_products(
    conn: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> db::Result<Vec<ProductId>> {
    let rows = fetch_all!(
        conn,
        (ProductId,),
        "select id
        from products
        where status = 'draft' and publish_at <= $1
        order by publish_at, id
        limit $2",
        now,
        limit,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// SKUs of other products' variants: those among `skus`, and all that begin with `prefix`
/// (letters, digits and hyphens only), for which the whole table is looked through.
pub async fn skus_of_others(
    conn: &mut Conn,
    id: ProductId,
    prefix: Option<&str>,
    skus: &[String],
) -> db::Result<Vec<String>> {
    let mut found = Vec::new();
    if let Some(prefix) = prefix {
        let pattern = format!("{prefix}%");
        let rows = fetch_all!(
            conn,
            (String,),
            "select sku
            from variants
            where product_id <> $1 and sku like $2",
            id,
            pattern,
        )?;
        found.extend(rows.into_iter().map(|(sku,): (String,)| sku));
    }
    for skus in skus.chunks(CHUNK) {
        let mut query = Query::new("select sku from variants where product_id <> ");
        query.bind(id).push(" and sku in ").bind_list(skus);
        let rows: Vec<(String,)> = query.fetch_all(conn).await?;
        found.extend(rows.into_iter().map(|(sku,)| sku));
    }
    Ok(found)
}

/// Which product has a variant of each SKU.
pub async fn owners_of_skus(
    conn: &mut Conn,
    skus: &[String],
) -> db::Result<Vec<(String, ProductId)>> {
    let mut found = Vec::with_capacity(skus.len());
    for skus in skus.chunks(CHUNK) {
        let mut query = Query::new("select sku, product_id from variants where sku in ");
        let rows: Vec<(String, ProductId)> = query.bind_list(skus).fetch_all(conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Adds variants; gives their SKUs with the ids that the database gave.
pub async fn insert_variants(
    tx: &mut Tx,
    product: ProductId,
    variants: &[&Variant],
    now: Timestamp,
) -> db::Result<Vec<(String, VariantId)>> {
    #[derive(FromRow)]
    struct Row {
        id: VariantId,
        sku: String,
    }
    let mut made = Vec::with_capacity(variants.len());
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into variants
                (product_id, sku, options, price_minor, compare_at_minor, currency,
                weight_grams, barcode, position, active, created_at, updated_at)
            values ",
        );
        for (index, variant) in variants.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(product).push(", ").bind(&variant.sku);
            query.push(", ").bind(write_texts(&variant.options));
            query.push(", ").bind(variant.price.minor());
            query.push(", ").bind(compare_at_column(variant));
            query.push(", ").bind(variant.price.currency().code());
            query.push(", ").bind(variant.weight_grams);
            query.push(", ").bind(&variant.barcode);
            query.push(", ").bind(variant.position);
            query.push(", ").bind(variant.active);
            query.push(", ").bind(now).push(", ").bind(now).push(")");
        }
        query.push(" returning id, sku");
        let rows: Vec<Row> = query.fetch_all(tx).await?;
        made.extend(rows.into_iter().map(|row| (row.sku, row.id)));
    }
    Ok(made)
}

fn compare_at_column(variant: &Variant) -> Option<i64> {
    variant.compare_at.map(|price| price.minor())
}

/// Writes changed variants.
pub async fn update_variants(tx: &mut Tx, variants: &[&Variant], now: Timestamp) -> db::Result<()> {
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new("update variants set updated_at = ");
        // Both databases call the columns of `values` so.
        query.bind(now).push(
            ", sku = d.column2, options = d.column3, price_minor = d.column4,
                compare_at_minor = d.column5, currency = d.column6, weight_grams = d.column7,
                barcode = d.column8, position = d.column9, active = d.column10
            from (values ",
        );
        for (index, variant) in variants.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(variant.id).push(", ").bind(&variant.sku);
            query.push(", ").bind(write_texts(&variant.options));
            query.push(", ").bind(variant.price.minor());
            query.push(", ").bind(compare_at_column(variant));
            query.push(", ").bind(variant.price.currency().code());
            query.push(", ").bind(variant.weight_grams);
            query.push(", ").bind(&variant.barcode);
            query.push(", ").bind(variant.position);
            query.push(", ").bind(variant.active).push(")");
        }
        query.push(") as d where variants.id = d.column1");
        query.execute(tx).await?;
    }
    Ok(())
}

/// Takes the SKUs of variants away until [`update_variants`] gives them others: each row is
/// checked on its own, so two variants could not swap theirs.
pub async fn free_skus(tx: &mut Tx, variants: &[VariantId]) -> db::Result<()> {
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new(
            "update variants
            set sku = ' ' || cast(id as text)
            where id in ",
        );
        query
            .bind_list(variants.iter().copied())
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Deletes variants; carts that hold one lose it.
pub async fn delete_variants(tx: &mut Tx, variants: &[VariantId]) -> db::Result<()> {
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new("delete from variants where id in ");
        query
            .bind_list(variants.iter().copied())
            .execute(tx)
            .await?;
    }
    Ok(())
}
