//! The product form as it is typed: filled from a product, and made into the service's input.
//!
//! A field's name is the place where the service reports its mistakes, `variants.3.price`, so
//! each row keeps its place: empty rows are dropped when a form is read, and rows that are to go
//! stand after those that stay.

mod combine;
mod compare;
mod read;

pub(super) use compare::Differences;

use crate::catalog::model::{Product, ProductStatus, Variant};
use crate::catalog::service::{
    AttributeInput, MAX_OPTIONS, OptionInput, OptionValueInput, ProductInput, VariantInput,
};
use crate::taxes::STANDARD;
use crate::types::{CategoryId, MoneyInput, Timestamp, VariantId};

/// The most variants that the form shows itself; more have a page of their own.
pub(super) const INLINE_VARIANTS: usize = 50;
/// Empty rows for attributes and for values of an option.
const SPARE: usize = 2;
/// The same when somebody asked for more.
const SPARE_MORE: usize = 10;

/// What the button that was pressed asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Action {
    /// Keep it.
    #[default]
    Save,
    /// More empty rows.
    More,
    /// Rows for all combinations of the options that have none yet.
    Variants,
}

/// The form, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProductForm {
    pub action: Action,
    /// The version that the typist saw; 0 for a new product.
    pub version: i64,
    pub name: String,
    pub slug: String,
    pub maker: String,
    pub summary: String,
    pub description: String,
    pub category_id: String,
    pub status: String,
    pub publish_at: String,
    pub digital: bool,
    pub tax_class: String,
    pub seo_title: String,
    pub seo_description: String,
    /// Slugs, parted by commas.
    pub related: String,
    pub tags: String,
    pub attributes: Vec<AttributeRow>,
    pub options: Vec<OptionRow>,
    pub variants: Vec<VariantRow>,
    /// The variants are too many for the form: it shows none, and saving leaves them alone.
    pub paged: bool,
    /// Saving also makes the variants of combinations that have none.
    pub combine: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AttributeRow {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OptionRow {
    pub name: String,
    pub values: Vec<ValueRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueRow {
    pub value: String,
    pub swatch: String,
    /// What the value was when the form was drawn: variants follow it to its new name.
    pub was: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct VariantRow {
    /// Empty for a new one.
    pub id: String,
    /// One value for each option.
    pub options: Vec<String>,
    pub sku: String,
    pub price: String,
    pub compare_at_price: String,
    pub stock: String,
    /// What the stock was when the form was drawn. Only a stock that was changed is written, or
    /// saving a description would put back what was sold meanwhile.
    pub stock_was: String,
    pub weight_grams: String,
    pub barcode: String,
    pub active: bool,
    pub remove: bool,
}

impl VariantRow {
    pub fn of(variant: &Variant) -> Self {
        let money =
            |money: Option<crate::types::Money>| money.map_or(String::new(), |m| m.amount());
        let stock = variant.stock.on_hand.to_string();
        Self {
            id: variant.id.to_string(),
            options: variant.options.clone(),
            sku: variant.sku.clone(),
            price: variant.price.amount(),
            compare_at_price: money(variant.compare_at),
            stock: stock.clone(),
            stock_was: stock,
            weight_grams: if variant.weight_grams == 0 {
                String::new()
            } else {
                variant.weight_grams.to_string()
            },
            barcode: variant.barcode.clone(),
            active: variant.active,
            remove: false,
        }
    }

    /// In words: `Oat, 350 ml`.
    pub fn label(&self) -> String {
        if self.options.iter().all(|option| option.is_empty()) {
            "New variant".to_owned()
        } else {
            self.options.join(", ")
        }
    }

    pub fn input(&self) -> VariantInput {
        let stock = self.stock.trim();
        let changed = !stock.is_empty() && stock != self.stock_was;
        let before = self.compare_at_price.trim();
        VariantInput {
            id: self.id.parse().ok().map(VariantId),
            sku: Some(self.sku.clone()),
            options: self.options.clone(),
            price: Some(MoneyInput::new(self.price.clone())),
            compare_at_price: Some(MoneyInput::new(if before.is_empty() {
                "0"
            } else {
                before
            })),
            stock: changed.then(|| number(stock)),
            weight_grams: Some(number(&self.weight_grams)),
            barcode: Some(self.barcode.clone()),
            active: Some(self.active),
        }
    }
}

/// A number as typed; nothing is 0. What is none becomes -1, which the service refuses with a
/// message at that field.
pub(super) fn number(text: &str) -> i64 {
    let text = text.trim();
    if text.is_empty() {
        0
    } else {
        text.parse().unwrap_or(-1)
    }
}

impl ProductForm {
    /// The form of a new product.
    pub fn blank() -> Self {
        Self {
            status: ProductStatus::Active.to_string(),
            tax_class: STANDARD.to_owned(),
            variants: vec![VariantRow {
                active: true,
                ..VariantRow::default()
            }],
            ..Self::default()
        }
    }

    /// A product as it is. A variant that is no longer sold and fits the options no more is left
    /// out: it stays for the sake of the orders that name it.
    pub fn of(product: &Product) -> Self {
        let fits =
            |variant: &&Variant| variant.active || variant.options.len() == product.options.len();
        let value = |value: &crate::catalog::OptionValue| ValueRow {
            value: value.value.clone(),
            swatch: value.swatch.clone().unwrap_or_default(),
            was: value.value.clone(),
        };
        let attribute = |(name, value): &(String, String)| AttributeRow {
            name: name.clone(),
            value: value.clone(),
        };
        let option = |option: &crate::catalog::ProductOption| OptionRow {
            name: option.name.clone(),
            values: option.values.iter().map(value).collect(),
        };
        let variants: Vec<&Variant> = product.variants.iter().filter(fits).collect();
        let paged = variants.len() > INLINE_VARIANTS;
        Self {
            action: Action::Save,
            paged,
            combine: false,
            version: product.version,
            name: product.name.clone(),
            slug: product.slug.to_string(),
            maker: product.maker.clone(),
            summary: product.summary.clone(),
            description: product.description.clone(),
            category_id: product
                .category_id
                .map_or(String::new(), |id| id.to_string()),
            status: product.status.to_string(),
            publish_at: product.publish_at.map_or(String::new(), Timestamp::field),
            digital: product.digital,
            tax_class: product.tax_class.clone(),
            seo_title: product.seo.title.clone(),
            seo_description: product.seo.description.clone(),
            related: product
                .related
                .iter()
                .map(|one| one.slug.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            tags: product.tags.join(", "),
            attributes: product.attributes.iter().map(attribute).collect(),
            options: product.options.iter().map(option).collect(),
            variants: if paged {
                Vec::new()
            } else {
                variants.into_iter().map(VariantRow::of).collect()
            },
        }
    }

    /// What the service is asked to write.
    pub fn input(&self) -> ProductInput {
        let attribute = |row: &AttributeRow| AttributeInput {
            name: row.name.clone(),
            value: row.value.clone(),
        };
        let value = |row: &ValueRow| OptionValueInput {
            value: row.value.clone(),
            swatch: Some(row.swatch.clone()),
            was: Some(row.was.clone()),
        };
        let option = |row: &OptionRow| OptionInput {
            name: row.name.clone(),
            values: row.values.iter().map(value).collect(),
        };
        let stays = |row: &&VariantRow| !row.remove;
        ProductInput {
            name: Some(self.name.clone()),
            slug: Some(self.slug.clone()),
            maker: Some(self.maker.clone()),
            summary: Some(self.summary.clone()),
            description: Some(self.description.clone()),
            category_id: Some(CategoryId(number(&self.category_id))),
            status: Some(self.status.clone()),
            publish_at: Some(self.publish_at.clone()),
            digital: Some(self.digital),
            tax_class: Some(self.tax_class.clone()),
            seo_title: Some(self.seo_title.clone()),
            seo_description: Some(self.seo_description.clone()),
            related: Some(self.related.split(',').map(str::to_owned).collect()),
            tags: Some(self.tags.split(',').map(str::to_owned).collect()),
            attributes: Some(self.attributes.iter().map(attribute).collect()),
            options: Some(self.options.iter().map(option).collect()),
            variants: (!self.paged).then(|| {
                let staying = self.variants.iter().filter(stays);
                staying.map(VariantRow::input).collect()
            }),
            combine: Some(self.combine),
            ..ProductInput::default()
        }
    }

    /// Whether it has one price and one stock, without a table of variants.
    pub fn is_simple(&self) -> bool {
        !self.paged && self.options.is_empty() && self.variants.len() == 1
    }

    /// The same form with empty rows to fill.
    pub fn with_spare_rows(mut self) -> Self {
        let spare = if self.action == Action::More {
            SPARE_MORE
        } else {
            SPARE
        };
        let empty = |count: usize| std::iter::repeat_n(AttributeRow::default(), count);
        self.attributes.extend(empty(spare));
        if !self.is_simple() && !self.paged {
            let row = VariantRow {
                options: vec![String::new(); self.options.len()],
                active: true,
                ..VariantRow::default()
            };
            let count = if self.action == Action::More {
                spare
            } else {
                1
            };
            self.variants.extend(std::iter::repeat_n(row, count));
        }
        if self.options.len() < MAX_OPTIONS {
            self.options.push(OptionRow::default());
        }
        for option in &mut self.options {
            let values = std::iter::repeat_n(ValueRow::default(), spare);
            option.values.extend(values);
        }
        self
    }
}
