//! What to do when somebody else saved the product while the form was open.

use std::collections::{HashMap, HashSet};

use super::super::Difference;
use super::{AttributeRow, OptionRow, ProductForm, ValueRow, VariantRow, number};
use crate::catalog::model::{CategoryTree, Product};
use crate::types::CategoryId;

#[derive(Default)]
pub(in crate::catalog::admin) struct Differences(pub Vec<Difference>);

impl Differences {
    pub fn compare(&mut self, label: &str, theirs: &str, yours: &str) {
        if theirs.trim() != yours.trim() {
            self.0.push(Difference {
                label: label.to_owned(),
                theirs: theirs.to_owned(),
                yours: yours.to_owned(),
            });
        }
    }
}

impl ProductForm {
    /// Takes up what somebody else wrote meanwhile, without losing a word that was typed here.
    /// Gives what now differs from what is kept.
    pub fn catch_up(&mut self, current: &Product, tree: &CategoryTree) -> Vec<Difference> {
        let theirs = Self::of(current);
        let mut differences = Differences::default();
        self.compare_texts(&theirs, tree, &mut differences);
        if !self.paged {
            self.compare_variants(&theirs, current, &mut differences);
        }
        self.version = current.version;
        differences.0
    }

    fn compare_variants(
        &mut self,
        theirs: &Self,
        current: &Product,
        differences: &mut Differences,
    ) {
        let theirs: HashMap<&str, &VariantRow> = theirs
            .variants
            .iter()
            .map(|row| (row.id.as_str(), row))
            .collect();
        for row in &mut self.variants {
            match theirs.get(row.id.as_str()) {
                Some(their) => row.catch_up(their, differences),
                None if row.id.is_empty() => {}
                None => {
                    // It is gone; what was typed becomes a new one.
                    differences.compare(&row.label(), "removed", &row.sku);
                    row.id.clear();
                }
            }
        }
        self.take_new_variants(&theirs, current, differences);
    }

    fn compare_texts(&self, theirs: &Self, tree: &CategoryTree, differences: &mut Differences) {
        let category = |id: &str| {
            let found = tree.get(CategoryId(number(id)));
            found.map_or("", |category| &category.name)
        };
        let (their_attributes, attributes) = (theirs.attributes(), self.attributes());
        let (their_options, options) = (theirs.options(), self.options());
        for (label, theirs, yours) in [
            ("Name", theirs.name.as_str(), self.name.as_str()),
            ("Name in URLs", &theirs.slug, &self.slug),
            ("Summary", &theirs.summary, &self.summary),
            ("Description", &theirs.description, &self.description),
            ("Status", &theirs.status, &self.status),
            ("Maker", &theirs.maker, &self.maker),
            ("On sale from", &theirs.publish_at, &self.publish_at),
            ("Digital", yes(theirs.digital), yes(self.digital)),
            ("Tax class", &theirs.tax_class, &self.tax_class),
            ("Search title", &theirs.seo_title, &self.seo_title),
            (
                "Search description",
                &theirs.seo_description,
                &self.seo_description,
            ),
            ("Goes well with", &theirs.related, &self.related),
            ("Tags", &theirs.tags, &self.tags),
            ("Attributes", &their_attributes, &attributes),
            ("Options", &their_options, &options),
            (
                "Category",
                category(&theirs.category_id),
                category(&self.category_id),
            ),
        ] {
            differences.compare(label, theirs, yours);
        }
    }

    /// A variant that somebody else added stands in no row here; saving must not remove it.
    fn take_new_variants(
        &mut self,
        theirs: &HashMap<&str, &VariantRow>,
        current: &Product,
        differences: &mut Differences,
    ) {
        let here: HashSet<String> = self.variants.iter().map(|row| row.id.clone()).collect();
        for variant in &current.variants {
            let id = variant.id.to_string();
            if let Some(&row) = theirs.get(id.as_str()).filter(|_| !here.contains(&id)) {
                differences.compare(&row.label(), &row.sku, "");
                self.variants.push(row.clone());
            }
        }
        self.variants.sort_by_key(|row| row.remove);
    }

    fn attributes(&self) -> String {
        let one = |row: &AttributeRow| format!("{}: {}", row.name.trim(), row.value.trim());
        let all: Vec<String> = self.attributes.iter().map(one).collect();
        all.join("; ")
    }

    fn options(&self) -> String {
        let value = |row: &ValueRow| {
            let words = format!("{} {}", row.value.trim(), row.swatch.trim());
            words.trim().to_owned()
        };
        let one = |row: &OptionRow| {
            let values: Vec<String> = row.values.iter().map(value).collect();
            format!("{}: {}", row.name.trim(), values.join(", "))
        };
        let all: Vec<String> = self.options.iter().map(one).collect();
        all.join("; ")
    }
}

fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

impl VariantRow {
    /// A stock that was not touched follows the shelf.
    pub(in crate::catalog::admin) fn catch_up(
        &mut self,
        theirs: &Self,
        differences: &mut Differences,
    ) {
        if self.stock.trim() == self.stock_was {
            self.stock.clone_from(&theirs.stock);
        }
        self.stock_was.clone_from(&theirs.stock);
        for (name, theirs, yours) in [
            ("SKU", theirs.sku.as_str(), self.sku.as_str()),
            ("Price", &theirs.price, &self.price),
            (
                "Price before",
                &theirs.compare_at_price,
                &self.compare_at_price,
            ),
            ("Stock", &theirs.stock, &self.stock),
            ("Weight", &theirs.weight_grams, &self.weight_grams),
            ("Barcode", &theirs.barcode, &self.barcode),
            ("On sale", yes(theirs.active), yes(self.active)),
        ] {
            let words = self.options.join(", ");
            let label = if words.is_empty() {
                name.to_owned()
            } else {
                format!("{name}, {words}")
            };
            differences.compare(&label, theirs, yours);
        }
    }
}
