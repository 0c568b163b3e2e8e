//! Reading the posted pairs of a product form.

use std::collections::{BTreeMap, HashMap};

use super::{Action, AttributeRow, OptionRow, ProductForm, ValueRow, VariantRow};

impl ProductForm {
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
            "paged" => self.paged = true,
            "combine" => self.combine = true,
            "publish_at" => self.publish_at = value,
            "digital" => self.digital = true,
            "tax_class" => self.tax_class = value,
            "seo_title" => self.seo_title = value,
            "seo_description" => self.seo_description = value,
            "related" => self.related = value,
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
        if self.variants.is_empty() && !self.paged {
            self.variants = Self::blank().variants;
        }
    }
}

impl VariantRow {
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

    pub fn set(&mut self, field: &str, value: String) {
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
