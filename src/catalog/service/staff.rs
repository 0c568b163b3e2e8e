//! The list of products for staff, drafts and archived ones too.

use std::collections::HashMap;

use super::indexing;
use crate::app::App;
use crate::catalog::model::{
    CategoryTree, ProductCard, ProductSort, StaffCard, StaffFilter, StaffWords,
};
use crate::catalog::store::{self, Matching, StaffMatching};
use crate::ctx::{Ctx, Permission};
use crate::error::Result;
use crate::search::Found;
use crate::types::{Page, PageRequest, ProductId};

/// Who may see the list: those who work on products, and those who only count them.
pub(super) const MAY_LIST: [Permission; 2] = [Permission::Catalog, Permission::Inventory];

/// A page of products, in a number of statements that does not grow with them.
pub async fn list_for_staff(
    app: &App,
    ctx: &Ctx,
    filter: &StaffFilter,
    page: PageRequest,
) -> Result<Page<StaffCard>> {
    ctx.require_any(&MAY_LIST)?;
    let words = indexing::find_for_staff(app, &filter.search).await?;
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let matching = matching(filter, &tree, words.as_ref());
    let mut found = Page {
        items: Vec::new(),
        total: store::count_for_staff(&mut conn, &matching).await?,
        request: page,
    };
    let ids = store::ids_for_staff(&mut conn, &matching, filter.sort, page).await?;
    let these = Matching {
        ranked: Some(ids.as_slice().into()),
        ..Matching::default()
    };
    let all = PageRequest::new(1, PageRequest::MAX_PER_PAGE);
    let sort = ProductSort::default();
    let cards = store::cards(&mut conn, &these, sort, all, app.currency()).await?;
    let mut cards: HashMap<ProductId, ProductCard> =
        cards.into_iter().map(|card| (card.id, card)).collect();
    let skus = store::first_skus(&mut conn, &ids).await?;
    let mut skus: HashMap<ProductId, String> = skus.into_iter().collect();
    found.items = ids
        .iter()
        .filter_map(|id| {
            Some(StaffCard {
                card: cards.remove(id)?,
                sku: skus.remove(id).unwrap_or_default(),
            })
        })
        .collect();
    Ok(found)
}

/// The makers and tags that there are, for those who filter by them.
pub async fn staff_words(app: &App, ctx: &Ctx) -> Result<StaffWords> {
    ctx.require_any(&MAY_LIST)?;
    let mut conn = app.db.conn().await?;
    Ok(StaffWords {
        makers: store::known_makers(&mut conn).await?,
        tags: store::known_tags(&mut conn).await?,
    })
}

/// What a filter means, with what was found of its words.
pub(super) fn matching(
    filter: &StaffFilter,
    tree: &CategoryTree,
    words: Option<&Found>,
) -> StaffMatching {
    let some = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    StaffMatching {
        common: Matching {
            ranked: words.map(|found| found.products.as_slice().into()),
            categories: filter.category.map(|id| tree.with_descendants(id)),
            min_price: filter.min_price.map(|price| price.minor()),
            max_price: filter.max_price.map(|price| price.minor()),
            status: filter.status,
            ..Matching::default()
        },
        tag: some(&filter.tag),
        maker: some(&filter.maker),
        stock: filter.stock,
        scheduled: filter.scheduled,
        without_picture: filter.without_picture,
    }
}
