//! What an action makes of one product: no I/O, so that the preview and the change agree.

use super::action::{BulkAction, PriceRule};
use crate::catalog::model::{Product, ProductStatus, Variant};
use crate::catalog::service::draft::{MAX_TAGS, same};
use crate::types::{CategoryId, Money, ProductId, VariantId, text_enum};

/// A product that an action changes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// What changes.
    pub change: Change,
}

/// What changes of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Whether it is for sale: before, after.
    Status(ProductStatus, ProductStatus),
    /// Where it stands in the tree: before, after.
    Category(Option<CategoryId>, Option<CategoryId>),
    /// Its tags: before, after.
    Tags(Vec<String>, Vec<String>),
    /// Prices of variants.
    Prices(Vec<NewPrice>),
    /// It goes for good.
    Deleted,
}

/// The price of a variant before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrice {
    /// Which variant.
    pub variant_id: VariantId,
    /// The merchant's own number.
    pub sku: String,
    /// Its options as a shopper reads them; empty for a product without options.
    pub variant: String,
    /// What it costs now.
    pub before: Money,
    /// What it will cost.
    pub after: Money,
    /// The former price as it is.
    pub former_before: Option<Money>,
    /// The former price as it will be.
    pub former_after: Option<Money>,
}

/// Why a product is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is so already.
    Unchanged,
    /// It was deleted meanwhile.
    Gone,
    /// Somebody changed it after the preview.
    Stale,
    /// A price would be larger than the shop can hold.
    TooLarge,
    /// It has as many tags as a product can have.
    TooManyTags,
}
text_enum!(Skip {
    Unchanged => "unchanged",
    Gone => "gone",
    Stale => "changed_meanwhile",
    TooLarge => "too_large",
    TooManyTags => "too_many_tags",
});

impl Skip {
    /// For people: `3 products …`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unchanged => "stay as they are, because nothing about them would change",
            Self::Gone => "are no longer there",
            Self::Stale => "were changed by somebody else meanwhile",
            Self::TooLarge => "would have a price that is too large",
            Self::TooManyTags => "have as many tags as a product can have",
        }
    }
}

/// What is to be written of a product.
pub(super) enum Outcome {
    /// The product as it will be.
    Changed(Box<Product>),
    /// Nothing is left of it.
    Deleted,
}

/// What `action` makes of a product; `ordered` tells whether it was ever ordered.
pub(super) fn plan(
    action: &BulkAction,
    before: &Product,
    ordered: bool,
) -> Result<(Outcome, Change), Skip> {
    let mut after = before.clone();
    let change = match action {
        BulkAction::Publish => status(&mut after, ProductStatus::Active)?,
        BulkAction::Unpublish => status(&mut after, ProductStatus::Draft)?,
        BulkAction::Archive => status(&mut after, ProductStatus::Archived)?,
        BulkAction::Delete if !ordered => return Ok((Outcome::Deleted, Change::Deleted)),
        BulkAction::Delete => status(&mut after, ProductStatus::Archived)?,
        BulkAction::Category(category) => {
            if before.category_id == *category {
                return Err(Skip::Unchanged);
            }
            after.category_id = *category;
            Change::Category(before.category_id, *category)
        }
        BulkAction::AddTag(tag) => {
            if before.tags.iter().any(|other| same(other, tag)) {
                return Err(Skip::Unchanged);
            }
            if before.tags.len() >= MAX_TAGS {
                return Err(Skip::TooManyTags);
            }
            after.tags.push(tag.clone());
            Change::Tags(before.tags.clone(), after.tags.clone())
        }
        BulkAction::RemoveTag(tag) => {
            after.tags.retain(|other| !same(other, tag));
            if after.tags.len() == before.tags.len() {
                return Err(Skip::Unchanged);
            }
            Change::Tags(before.tags.clone(), after.tags.clone())
        }
        BulkAction::Price(rule) => Change::Prices(prices(rule, &mut after.variants)?),
    };
    Ok((Outcome::Changed(Box::new(after)), change))
}

/// Whoever changes the status decides now: nothing waits for a time any more.
fn status(product: &mut Product, status: ProductStatus) -> Result<Change, Skip> {
    if product.status == status {
        return Err(Skip::Unchanged);
    }
    let before = std::mem::replace(&mut product.status, status);
    product.publish_at = None;
    Ok(Change::Status(before, status))
}

/// Changes prices; gives those that changed.
fn prices(rule: &PriceRule, variants: &mut [Variant]) -> Result<Vec<NewPrice>, Skip> {
    let mut changed = Vec::new();
    for variant in variants {
        let (old, before) = (variant.price.minor(), variant.compare_at);
        let currency = variant.price.currency();
        let new = rule.apply(old).ok_or(Skip::TooLarge)?;
        let former = rule.former(old, new, before.map(Money::minor));
        let former = former.map(|minor| Money::new(minor, currency));
        let price = Money::new(new, currency);
        if price == variant.price && former == before {
            continue;
        }
        changed.push(NewPrice {
            variant_id: variant.id,
            sku: variant.sku.clone(),
            variant: variant.name(),
            before: std::mem::replace(&mut variant.price, price),
            after: price,
            former_before: std::mem::replace(&mut variant.compare_at, former),
            former_after: former,
        });
    }
    if changed.is_empty() {
        return Err(Skip::Unchanged);
    }
    Ok(changed)
}
