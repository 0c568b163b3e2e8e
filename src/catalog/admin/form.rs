//! The product form as it is typed: reading it from the posted pairs, filling it from a product,
//! and making the service's input of it.
//!
//! A field's name is the place where the service reports its mistakes, `variants.3.price`, so
//! each row keeps its place: empty rows are dropped when a form is read, and rows that are to go
//! stand after those that stay.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::model::{CategoryTree, Product, ProductStatus, Variant};
use crate::catalog::service::{
    AttributeInput, MAX_OPTIONS, MAX_VARIANTS, OptionInput, OptionValueInput, ProductInput,
    VariantInput,
};
use crate::error::FieldErrors;
use crate::types::{CategoryId, MoneyInput, VariantId};

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
    pub tags: String,
    pub attributes: Vec<AttributeRow>,
    pub options: Vec<OptionRow>,
    pub variants: Vec<VariantRow>,
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

/// A field that somebody else changed while the form was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub label: String,
    pub theirs: String,
    pub yours: String,
}

impl VariantRow {
    fn of(variant: &Variant) -> Self {
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

    fn is_blank(&self) -> bool {
        [
            &self.id,
            &self.sku,
            &self.price,
            &self.compare_at_price,
            &self.stock,
            &self.weight_grams,
            &self.barcode,
        ]
        .into_iter()
        .chain(&self.options)
        .all(|text| text.trim().is_empty())
    }

    fn set(&mut self, field: &str, value: String) {
        match field {
            "id" => self.id = value,
            "sku" => self.sku = value,
            "price" => self.price = value,
            "compare_at_price" => self.compare_at_price = value,
            "stock" => self.stock = value,
            "stock_was" => self.stock_was = value,
            "weight_grams" => self.weight_grams = value,
            "barcode" => self.barcode = value,
            "active" => self.active = true,
            "remove" => self.remove = true,
            _ => {}
        }
    }

    fn input(&self) -> VariantInput {
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
        Self {
            action: Action::Save,
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
            tags: product.tags.join(", "),
            attributes: product.attributes.iter().map(attribute).collect(),
            options: product.options.iter().map(option).collect(),
            variants: product
                .variants
                .iter()
                .filter(fits)
                .map(VariantRow::of)
                .collect(),
        }
    }

    /// What was posted.
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self {
            version: -1,
            ..Self::default()
        };
        let mut attributes: BTreeMap<u16, AttributeRow> = BTreeMap::new();
        let mut options: BTreeMap<u16, (String, BTreeMap<u16, ValueRow>)> = BTreeMap::new();
        let mut variants: BTreeMap<u16, (VariantRow, BTreeMap<u16, String>)> = BTreeMap::new();
        for (name, value) in pairs {
            // Browsers part lines with two signs.
            let value = value.replace("\r\n", "\n");
            let mut parts = name.splitn(3, '.');
            let (list, row) = (parts.next().unwrap_or_default(), parts.next());
            let Some(row) = row else {
                form.set(list, value);
                continue;
            };
            let (Ok(row), Some(field)) = (row.parse(), parts.next()) else {
                continue;
            };
            match list {
                "attributes" => {
                    let attribute = attributes.entry(row).or_default();
                    match field {
                        "name" => attribute.name = value,
                        "value" => attribute.value = value,
                        _ => {}
                    }
                }
                "options" => set_option(options.entry(row).or_default(), field, value),
                "variants" => {
                    let (variant, chosen) = variants.entry(row).or_default();
                    match field.strip_prefix("options.").map(str::parse) {
                        Some(Ok(option)) => drop(chosen.insert(option, value)),
                        Some(Err(_)) => {}
                        None => variant.set(field, value),
                    }
                }
                _ => {}
            }
        }
        attributes.retain(|_, row| !row.name.trim().is_empty() || !row.value.trim().is_empty());
        form.attributes = attributes.into_values().collect();
        form.take_options(options, variants);
        form
    }

    fn set(&mut self, field: &str, value: String) {
        match field {
            "do" => {
                self.action = match value.as_str() {
                    "more" => Action::More,
                    "variants" => Action::Variants,
                    _ => Action::Save,
                }
            }
            "version" => self.version = value.parse().unwrap_or(-1),
            "name" => self.name = value,
            "slug" => self.slug = value,
            "maker" => self.maker = value,
            "summary" => self.summary = value,
            "description" => self.description = value,
            "category_id" => self.category_id = value,
            "status" => self.status = value,
            "tags" => self.tags = value,
            _ => {}
        }
    }

    /// Drops empty options and rows, and lets the variants follow: a column of an option that
    /// went goes, a value that was renamed is renamed there, too.
    fn take_options(
        &mut self,
        mut options: BTreeMap<u16, (String, BTreeMap<u16, ValueRow>)>,
        variants: BTreeMap<u16, (VariantRow, BTreeMap<u16, String>)>,
    ) {
        for (_, values) in options.values_mut() {
            values.retain(|_, row| !row.value.trim().is_empty() || !row.swatch.trim().is_empty());
        }
        options.retain(|_, (name, values)| !name.trim().is_empty() || !values.is_empty());
        let renamed: Vec<(u16, HashMap<String, String>)> = options
            .iter()
            .map(|(&column, (_, values))| {
                let renamed = values.values().filter(|row| !row.was.is_empty());
                let renamed = renamed.map(|row| (row.was.clone(), row.value.trim().to_owned()));
                (column, renamed.collect())
            })
            .collect();
        let (mut stay, mut go) = (Vec::new(), Vec::new());
        for (mut row, mut chosen) in variants.into_values() {
            let had_options = chosen.values().any(|value| !value.trim().is_empty());
            for (column, renamed) in &renamed {
                let value = chosen.remove(column).unwrap_or_default();
                let value = renamed.get(value.trim()).cloned().unwrap_or(value);
                row.options.push(value);
            }
            if renamed.is_empty() && had_options {
                // Without options it is another thing than what was sold so far.
                row.id.clear();
            }
            match (row.is_blank(), row.remove) {
                (true, _) => {}
                (false, true) => go.push(row),
                (false, false) => stay.push(row),
            }
        }
        stay.extend(go);
        self.variants = stay;
        self.options = options
            .into_values()
            .map(|(name, values)| OptionRow {
                name,
                values: values.into_values().collect(),
            })
            .collect();
        if self.variants.is_empty() {
            self.variants = Self::blank().variants;
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
            tags: Some(self.tags.split(',').map(str::to_owned).collect()),
            attributes: Some(self.attributes.iter().map(attribute).collect()),
            options: Some(self.options.iter().map(option).collect()),
            variants: Some(
                self.variants
                    .iter()
                    .filter(stays)
                    .map(VariantRow::input)
                    .collect(),
            ),
            ..ProductInput::default()
        }
    }

    /// Whether it has one price and one stock, without a table of variants.
    pub fn is_simple(&self) -> bool {
        self.options.is_empty() && self.variants.len() == 1
    }

    /// Adds a row for each combination of the options that has none. A row without a choice gets
    /// the first one, so that the stock of a simple product goes on. Errors: `Invalid` at
    /// `variants` when there would be too many.
    pub fn make_variants(&mut self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let columns = self.columns();
        let sizes = columns.iter().map(Vec::len);
        let count = sizes.fold(1_usize, |count, size| count.saturating_mul(size.max(1)));
        if columns.is_empty() || columns.iter().any(Vec::is_empty) {
            errors.add(
                "variants",
                "options",
                "Give each option a name and values first.",
            );
            return errors;
        }
        if count > MAX_VARIANTS {
            let message =
                format!("These options make {count} variants; {MAX_VARIANTS} is the most.");
            errors.add("variants", "length", message);
            return errors;
        }
        let price = self
            .variants
            .iter()
            .find(|row| !row.price.trim().is_empty());
        let model = VariantRow {
            active: true,
            price: price.map_or(String::new(), |row| row.price.clone()),
            ..VariantRow::default()
        };
        let mut there: HashSet<Vec<String>> = HashSet::new();
        for row in &mut self.variants {
            for (chosen, values) in row.options.iter_mut().zip(&columns) {
                if chosen.trim().is_empty() {
                    chosen.clone_from(&values[0]);
                }
            }
            there.insert(row.options.clone());
        }
        for options in combinations(&columns) {
            if there.insert(options.clone()) {
                self.variants.push(VariantRow {
                    options,
                    ..model.clone()
                });
            }
        }
        // Rows that are to go stand last, whatever was added.
        self.variants.sort_by_key(|row| row.remove);
        errors
    }

    /// The values of each option.
    fn columns(&self) -> Vec<Vec<String>> {
        let values = |row: &OptionRow| {
            let values = row.values.iter().map(|row| row.value.trim().to_owned());
            values.filter(|value| !value.is_empty()).collect()
        };
        self.options.iter().map(values).collect()
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
        if !self.is_simple() {
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

    /// Takes up what somebody else wrote meanwhile, without losing a word that was typed here.
    /// Gives what now differs from what is kept.
    pub fn catch_up(&mut self, current: &Product, tree: &CategoryTree) -> Vec<Difference> {
        let theirs = Self::of(current);
        let mut differences = Vec::new();
        let mut compare = |label: &str, theirs: &str, yours: &str| {
            if theirs.trim() != yours.trim() {
                differences.push(Difference {
                    label: label.to_owned(),
                    theirs: theirs.to_owned(),
                    yours: yours.to_owned(),
                });
            }
        };
        compare("Name", &theirs.name, &self.name);
        compare("Name in URLs", &theirs.slug, &self.slug);
        compare("Summary", &theirs.summary, &self.summary);
        compare("Description", &theirs.description, &self.description);
        compare("Status", &theirs.status, &self.status);
        compare("Maker", &theirs.maker, &self.maker);
        compare("Tags", &theirs.tags, &self.tags);
        compare(
            "Attributes",
            &theirs.attributes_in_words(),
            &self.attributes_in_words(),
        );
        compare(
            "Options",
            &theirs.options_in_words(),
            &self.options_in_words(),
        );
        let category = |id: &str| {
            let found = tree.get(CategoryId(number(id)));
            found.map_or("", |category| &category.name).to_owned()
        };
        let (their_category, own) = (category(&theirs.category_id), category(&self.category_id));
        compare("Category", &their_category, &own);
        let mut kept: HashMap<&str, &VariantRow> = theirs
            .variants
            .iter()
            .map(|row| (row.id.as_str(), row))
            .collect();
        for row in &mut self.variants {
            let Some(their) = kept.remove(row.id.as_str()) else {
                if !row.id.is_empty() {
                    compare(&row.label(), "removed", &row.sku);
                    row.id.clear();
                }
                continue;
            };
            if row.stock.trim() == row.stock_was {
                row.stock.clone_from(&their.stock);
            }
            row.stock_was.clone_from(&their.stock);
            for (name, theirs, yours) in [
                ("SKU", &their.sku, &row.sku),
                ("Price", &their.price, &row.price),
                (
                    "Price before",
                    &their.compare_at_price,
                    &row.compare_at_price,
                ),
                ("Stock", &their.stock, &row.stock),
                ("Weight", &their.weight_grams, &row.weight_grams),
                ("Barcode", &their.barcode, &row.barcode),
            ] {
                let label = match row.options.join(", ") {
                    words if words.is_empty() => name.to_owned(),
                    words => format!("{name}, {words}"),
                };
                compare(&label, theirs, yours);
            }
            let on_sale = |row: &VariantRow| if row.active { "on sale" } else { "not on sale" };
            compare(&row.label(), on_sale(their), on_sale(row));
        }
        for row in theirs
            .variants
            .iter()
            .filter(|row| kept.contains_key(row.id.as_str()))
        {
            compare(&row.label(), &row.sku, "");
        }
        let added = theirs
            .variants
            .iter()
            .filter(|row| kept.contains_key(row.id.as_str()));
        let added: Vec<VariantRow> = added.cloned().collect();
        self.variants.extend(added);
        self.variants.sort_by_key(|row| row.remove);
        self.version = current.version;
        differences
    }

    fn attributes_in_words(&self) -> String {
        let one = |row: &AttributeRow| format!("{}: {}", row.name.trim(), row.value.trim());
        self.attributes
            .iter()
            .map(one)
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn options_in_words(&self) -> String {
        let value = |row: &ValueRow| {
            let words = format!("{} {}", row.value.trim(), row.swatch.trim());
            words.trim().to_owned()
        };
        let one = |row: &OptionRow| {
            let values: Vec<String> = row.values.iter().map(value).collect();
            format!("{}: {}", row.name.trim(), values.join(", "))
        };
        self.options.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

fn set_option((name, values): &mut (String, BTreeMap<u16, ValueRow>), field: &str, value: String) {
    if field == "name" {
        *name = value;
        return;
    }
    let place = field
        .strip_prefix("values.")
        .and_then(|rest| rest.split_once('.'));
    let Some((row, field)) = place else { return };
    let Ok(row) = row.parse() else { return };
    let row = values.entry(row).or_default();
    match field {
        "value" => row.value = value,
        "swatch" => row.swatch = value,
        "was" => row.was = value,
        _ => {}
    }
}

/// All choices of one value from each column, the last column turning fastest.
fn combinations(columns: &[Vec<String>]) -> Vec<Vec<String>> {
    columns.iter().fold(vec![Vec::new()], |begun, values| {
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
