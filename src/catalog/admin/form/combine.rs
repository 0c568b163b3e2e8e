//! Variants for all combinations of a form's options.

use std::collections::HashSet;

use super::{INLINE_VARIANTS, OptionRow, ProductForm, VariantRow};
use crate::catalog::service::{MAX_VARIANTS, combinations};
use crate::error::FieldErrors;

impl ProductForm {
    /// Adds a row for each combination of the options that has none; where that makes more than
    /// the form shows, saving will make them instead. A row without a choice gets
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
        if count > INLINE_VARIANTS || self.paged {
            self.combine = true;
            return errors;
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
}
