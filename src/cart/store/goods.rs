//! What can be put into a cart, as the catalog has it.

use crate::db::{self, Conn, FromRow, fetch_all, fetch_optional};
use crate::types::{Currency, ProductId, Slug, VariantId};

/// What can be put into a cart: a variant that is for sale.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OfferRow {
    /// The variant.
    pub variant_id: VariantId,
    /// The product's name.
    pub name: String,
    /// Today's price.
    pub price_minor: i64,
    /// Pieces that can be sold now.
    pub available: i64,
    /// Whether it is sold beyond that.
    pub backorder: bool,
}

#[derive(FromRow)]
struct SlugRow {
    #[sqlx(try_from = "String")]
    slug: Slug,
}

/// A variant that is for sale.
pub async fn offer(
    conn: &mut Conn,
    variant: VariantId,
    currency: Currency,
) -> db::Result<Option<OfferRow>> {
    fetch_optional!(
        conn,
        OfferRow,
        "select v.id as variant_id, p.name, v.price_minor,
            coalesce((
                select cast(sum(s.on_hand - s.reserved) as bigint)
                from stock_levels s
                where s.variant_id = v.id
                    and s.location_id in (select id from locations where active)
            ), 0) as available,
            v.backorder
        from variants v
        join products p on p.id = v.product_id
        where v.id = $1 and v.active and v.currency = $2 and p.status = 'active'",
        variant,
        currency.code(),
    )
}

/// The first two variants of a product that are for sale: enough to know whether there is one.
pub async fn variants_of(
    conn: &mut Conn,
    product: ProductId,
    currency: Currency,
) -> db::Result<Vec<VariantId>> {
    let rows = fetch_all!(
        conn,
        (VariantId,),
        "select v.id
        from variants v
        join products p on p.id = v.product_id
        where p.id = $1 and v.active and v.currency = $2 and p.status = 'active'
        order by v.position, v.id
        limit 2",
        product,
        currency.code(),
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The slug of a variant's product, or of a product, for sale or not.
pub async fn slug_of(
    conn: &mut Conn,
    variant: Option<VariantId>,
    product: Option<ProductId>,
) -> db::Result<Option<Slug>> {
    let row = fetch_optional!(
        conn,
        SlugRow,
        "select p.slug
        from products p
        where p.id = $1 or p.id = (select v.product_id from variants v where v.id = $2)
        limit 1",
        product,
        variant,
    )?;
    Ok(row.map(|row| row.slug))
}
