//! The rules of variants: all given, some given, or the one of a simple product.

use std::collections::{HashMap, HashSet};

use super::{Draft, MAX_BARCODE, MAX_SKU, MAX_VARIANTS, MAX_WEIGHT, Top, at_most, line};
use crate::catalog::model::{Product, ProductOption, Variant};
use crate::catalog::service::input::{OptionInput, VariantInput, VariantsInput};
use crate::inventory::StockLevel;
use crate::inventory::service::{MAX_ON_HAND, STOCK_RANGE};
use crate::types::{Currency, Money, VariantId};

impl Draft {
    /// What describes a simple product says nothing beside a list of variants.
    pub(super) fn none_of(&mut self, top: &Top) {
        for field in top.fields() {
            let message = "Give this with each of the variants.";
            self.errors.add(field, "not_simple", message);
        }
    }

    /// All variants that there are to be, each with the place of its messages.
    pub(super) fn variants(
        &mut self,
        before: &Product,
        given: Vec<Row>,
        ordered: &[VariantId],
        currency: Currency,
    ) {
        if given.is_empty() {
            self.errors
                .add("variants", "required", "Give at least one variant.");
        }
        if !at_most(
            &mut self.errors,
            "variants",
            given.len(),
            MAX_VARIANTS,
            "variants",
        ) {
            return;
        }
        let mut named: HashSet<VariantId> = HashSet::new();
        let mut seen: HashSet<Vec<String>> = HashSet::new();
        self.product.variants.clear();
        for (place, input) in given {
            let found = input.id.map(|id| {
                let found = before.variants.iter().find(|variant| variant.id == id);
                found.filter(|_| named.insert(id))
            });
            if let Some(None) = found {
                let message = "This product has no such variant, or it is given twice.";
                self.errors.add(&format!("{place}id"), "unknown", message);
            }
            let variant = self.variant(&place, found.flatten(), &input, currency);
            if !seen.insert(variant.options.clone()) {
                let message = "Another variant has the same options.";
                self.errors
                    .add(&format!("{place}options"), "repeated", message);
            }
            self.keep(place, variant, input.stock);
        }
        for variant in &before.variants {
            if named.contains(&variant.id) {
                continue;
            }
            if ordered.contains(&variant.id) {
                self.product.variants.push(Variant {
                    active: false,
                    ..variant.clone()
                });
            } else {
                self.gone.push(variant.id);
            }
        }
        self.number();
    }

    /// The variants that there were, of a simple product with what is given at the top.
    pub(super) fn same_variants(&mut self, top: Top, currency: Currency) {
        let (errors, options) = (&mut self.errors, &self.product.options);
        let fits = |variant: &Variant| option_mistake(options, &variant.options).is_none();
        if self
            .product
            .variants
            .iter()
            .any(|one| one.active && !fits(one))
        {
            let message = "The variants do not fit these options: give the variants, too.";
            errors.add("variants", "options", message);
            return;
        }
        if !options.is_empty() {
            for field in top.fields() {
                let message = "This product has options: give this with each of the variants.";
                errors.add(field, "not_simple", message);
            }
            if self.product.variants.is_empty() {
                errors.add("variants", "required", "Give at least one variant.");
            }
            return;
        }
        if self.product.id.0 != 0 && top.fields().next().is_none() {
            return;
        }
        let input = VariantInput {
            price: top.price,
            sku: top.sku,
            ..VariantInput::default()
        };
        let mut variants = std::mem::take(&mut self.product.variants);
        let index = variants
            .iter()
            .position(|variant| variant.active)
            .or(variants.iter().position(|one| one.options.is_empty()));
        let before = index.map(|index| variants.remove(index));
        let variant = self.variant("", before.as_ref(), &input, currency);
        self.keep(String::new(), variant, top.stock);
        self.product.variants.extend(variants);
        self.number();
    }

    /// Values that got another name take the pictures along, and the variants where the input
    /// does not give them; as long as the options are as many as before.
    pub(super) fn follow(&mut self, options: &[OptionInput], variants_given: bool) {
        if options.len() != self.product.options.len() {
            return;
        }
        let renamed = |option: &OptionInput| -> HashMap<String, String> {
            let values = option.values.iter();
            let names = values.filter_map(|value| {
                let was = value.was.as_ref().filter(|was| !was.is_empty())?;
                Some((was.clone(), value.value.trim().to_owned()))
            });
            names.collect()
        };
        let columns: Vec<HashMap<String, String>> = options.iter().map(renamed).collect();
        for image in &mut self.product.images {
            let mut names = columns
                .iter()
                .filter_map(|names| names.get(&image.option_value));
            if let Some(name) = names.next() {
                image.option_value.clone_from(name);
            }
        }
        if variants_given {
            return;
        }
        for variant in &mut self.product.variants {
            for (chosen, renamed) in variant.options.iter_mut().zip(&columns) {
                if let Some(name) = renamed.get(chosen) {
                    chosen.clone_from(name);
                }
            }
        }
    }

    /// A variant for each combination of the options that has none, at the price of the first.
    pub(super) fn combine(&mut self) {
        let options = &self.product.options;
        let sizes = options.iter().map(|option| option.values.len());
        let count = sizes.fold(1_usize, usize::saturating_mul);
        let fits = at_most(
            &mut self.errors,
            "variants",
            count,
            MAX_VARIANTS,
            "variants",
        );
        let model = self.product.variants.first().cloned();
        let (Some(model), true) = (model, fits && !options.is_empty()) else {
            return;
        };
        // Places are given in the order of the variants, also to those that have none yet.
        self.places
            .resize(self.product.variants.len(), OTHERS.to_owned());
        self.stock.resize(self.product.variants.len(), None);
        let there: HashSet<Vec<String>> = self
            .product
            .variants
            .iter()
            .map(|variant| variant.options.clone())
            .collect();
        let values = |option: &ProductOption| {
            let values = option.values.iter().map(|value| value.value.clone());
            values.collect()
        };
        let columns: Vec<Vec<String>> = self.product.options.iter().map(values).collect();
        for options in combinations(&columns) {
            if !there.contains(&options) {
                let variant = Variant {
                    id: VariantId(0),
                    sku: String::new(),
                    barcode: String::new(),
                    options,
                    active: true,
                    stock: StockLevel::default(),
                    backorder: false,
                    ..model.clone()
                };
                self.keep(OTHERS.to_owned(), variant, None);
            }
        }
        self.number();
    }

    /// One variant: what `input` makes of the one before, or a new one.
    fn variant(
        &mut self,
        place: &str,
        before: Option<&Variant>,
        input: &VariantInput,
        currency: Currency,
    ) -> Variant {
        let errors = &mut self.errors;
        let at = |field: &str| format!("{place}{field}");
        let mut variant = before.cloned().unwrap_or(Variant {
            id: VariantId(0),
            product_id: self.product.id,
            sku: String::new(),
            options: Vec::new(),
            price: Money::zero(currency),
            compare_at: None,
            weight_grams: 0,
            barcode: String::new(),
            position: 0,
            active: true,
            stock: StockLevel::default(),
            backorder: false,
        });
        if let Some(sku) = &input.sku {
            let sku = line(errors, &at("sku"), sku, MAX_SKU);
            if !sku.is_empty() {
                variant.sku = sku;
            }
        }
        if before.is_none() || !input.options.is_empty() {
            let trimmed = input.options.iter().map(|value| value.trim().to_owned());
            variant.options = trimmed.collect();
        }
        if let Some(mistake) = option_mistake(&self.product.options, &variant.options) {
            errors.add(&at("options"), "options", mistake);
        }
        match &input.price {
            Some(price) => {
                let price = errors.keep(&at("price"), "money", price.read(currency));
                variant.price = price.unwrap_or(variant.price);
            }
            None if before.is_none() => errors.add(&at("price"), "required", "Give it a price."),
            None => {}
        }
        if let Some(price) = &input.compare_at_price {
            let price = errors.keep(&at("compare_at_price"), "money", price.read(currency));
            variant.compare_at = price.filter(|price| !price.is_zero());
        }
        if let Some(weight) = input.weight_grams {
            if !(0..=MAX_WEIGHT).contains(&weight) {
                let message = format!("A weight is a number of grams from 0 to {MAX_WEIGHT}.");
                errors.add(&at("weight_grams"), "range", message);
            }
            variant.weight_grams = weight;
        }
        if let Some(barcode) = &input.barcode {
            variant.barcode = line(errors, &at("barcode"), barcode, MAX_BARCODE);
        }
        variant.active = input.active.unwrap_or(variant.active);
        variant
    }

    fn keep(&mut self, place: String, variant: Variant, stock: Option<i64>) {
        if stock.is_some_and(|stock| !(0..=MAX_ON_HAND).contains(&stock)) {
            self.errors
                .add(&format!("{place}stock"), "range", STOCK_RANGE);
        }
        self.product.variants.push(variant);
        self.places.push(place);
        self.stock.push(stock);
    }

    fn number(&mut self) {
        for (position, variant) in (0..).zip(&mut self.product.variants) {
            variant.position = position;
        }
    }
}

/// A variant as it is given, and where its messages go.
pub(super) type Row = (String, VariantInput);

/// Where the messages of variants go that the input does not name.
const OTHERS: &str = "others.";

/// Each in the place that its number tells: `variants.3.`
pub(super) fn numbered(given: Vec<VariantInput>) -> Vec<Row> {
    let place = |(index, input)| (format!("variants.{index}."), input);
    given.into_iter().enumerate().map(place).collect()
}

/// The variants that stay, in their order, with what `input` says of some of them; the new ones
/// at the end.
pub(super) fn among(before: &Product, input: VariantsInput) -> Vec<Row> {
    let mut given = numbered(input.variants);
    let mut rows = Vec::with_capacity(before.variants.len() + given.len());
    for variant in &before.variants {
        if input.remove.contains(&variant.id) {
            continue;
        }
        let place = given.iter().position(|(_, one)| one.id == Some(variant.id));
        // One that is no longer sold may fit the options no more: it stays as it is.
        let fits = variant.options.len() == before.options.len();
        match place {
            Some(place) => rows.push(given.remove(place)),
            None if !variant.active && !fits => {}
            None => {
                let same = VariantInput {
                    id: Some(variant.id),
                    ..VariantInput::default()
                };
                rows.push((OTHERS.to_owned(), same));
            }
        }
    }
    rows.append(&mut given);
    rows
}

/// All choices of one value of each option, the last option turning fastest.
pub fn combinations(options: &[Vec<String>]) -> Vec<Vec<String>> {
    options.iter().fold(vec![Vec::new()], |begun, values| {
        let with = |begun: Vec<String>| {
            values.iter().map(move |value| {
                let mut longer = begun.clone();
                longer.push(value.clone());
                longer
            })
        };
        begun.into_iter().flat_map(with).collect()
    })
}

/// What is wrong with a variant's choice, if anything.
fn option_mistake(options: &[ProductOption], chosen: &[String]) -> Option<String> {
    if options.len() != chosen.len() {
        return Some(match options.len() {
            0 => "This product has no options.".to_owned(),
            1 => "Give one value of the option.".to_owned(),
            count => format!("Give one value of each of the {count} options."),
        });
    }
    let wrong = options.iter().zip(chosen).find(|(option, value)| {
        let mut values = option.values.iter();
        !values.any(|known| known.value == **value)
    });
    wrong.map(|(option, value)| format!("\u{201c}{value}\u{201d} is no {}.", option.name))
}
