//! Which variant a click on an option's value leads to, and how the values are shown. Pure.

use std::cmp::Reverse;

use crate::catalog::{Product, Variant};
use crate::types::Money;

/// An option as the page offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name: `Colour`.
    pub name: String,
    /// What is chosen now.
    pub chosen: String,
    /// What can be chosen, in the merchant's order.
    pub values: Vec<ChoiceValue>,
}

/// A value of an option as the page offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceValue {
    /// `Oat`
    pub value: String,
    /// A colour to show, `#e4dac8`.
    pub swatch: Option<String>,
    /// Where choosing it leads; none when no variant has it.
    pub target: Option<Target>,
    /// Whether it is the one chosen.
    pub current: bool,
}

/// The variant that a value leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The page with this variant chosen.
    pub href: String,
    /// Whether none of it is left.
    pub sold_out: bool,
    /// Its price, where prices differ.
    pub price: Option<Money>,
}

impl Choice {
    /// Whether its values are colours to show.
    pub fn has_colours(&self) -> bool {
        !self.values.is_empty() && self.values.iter().all(|value| value.swatch.is_some())
    }
}

/// The variant that the address asks for, else the first in stock, else the first.
pub fn chosen<'p>(product: &'p Product, asked: Option<&str>) -> Option<&'p Variant> {
    let asked = asked.and_then(|id| id.parse().ok());
    product
        .for_sale()
        .find(|variant| Some(variant.id) == asked)
        .or_else(|| product.for_sale().find(|variant| variant.in_stock()))
        .or_else(|| product.for_sale().next())
}

/// The variant with `value` for option number `option` that keeps the rest of what `current`
/// has; where there is none, the one that keeps the most of it, rather in stock than not.
pub fn with_value<'p>(
    product: &'p Product,
    current: &Variant,
    option: usize,
    value: &str,
) -> Option<&'p Variant> {
    let kept = |variant: &Variant| {
        variant
            .options
            .iter()
            .zip(&current.options)
            .filter(|(its, wanted)| its == wanted)
            .count()
    };
    product
        .for_sale()
        .filter(|variant| variant.options.get(option).is_some_and(|its| its == value))
        .min_by_key(|variant| (Reverse(kept(variant)), !variant.in_stock()))
}

/// What the page offers beside the variant that is chosen now.
pub fn choices(product: &Product, current: &Variant, page: &str) -> Vec<Choice> {
    let prices_differ = product
        .price_range()
        .is_some_and(|(lowest, highest)| lowest != highest);
    let target = |variant: &Variant| Target {
        href: format!("{page}?variant={}#buy", variant.id),
        sold_out: !variant.in_stock(),
        price: prices_differ.then_some(variant.price),
    };
    product
        .options
        .iter()
        .enumerate()
        .map(|(number, option)| {
            let chosen = current.options.get(number).cloned().unwrap_or_default();
            let values = option.values.iter().map(|value| ChoiceValue {
                target: with_value(product, current, number, &value.value).map(target),
                current: value.value == chosen,
                value: value.value.clone(),
                swatch: value.swatch.clone(),
            });
            Choice {
                name: option.name.clone(),
                values: values.collect(),
                chosen,
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog::{OptionValue, ProductOption, ProductStatus, Rating};
    use crate::inventory::StockLevel;
    use crate::types::{Currency, ProductId, Slug, Timestamp, VariantId};

    /// A mug of these variants: id, colour, size, price in cents, stock.
    pub fn mug(variants: &[(i64, &str, &str, i64, i64)]) -> Product {
        let option = |name: &str, values: &[&str], swatch: Option<&str>| ProductOption {
            name: name.to_owned(),
            values: values
                .iter()
                .map(|value| OptionValue {
                    value: (*value).to_owned(),
                    swatch: swatch.map(str::to_owned),
                })
                .collect(),
        };
        let variant = |&(id, colour, size, price, stock): &(i64, &str, &str, i64, i64)| Variant {
            id: VariantId(id),
            product_id: ProductId(1),
            sku: format!("mug-{id}"),
            options: vec![colour.to_owned(), size.to_owned()],
            price: Money::new(price, Currency::eur()),
            compare_at: None,
            weight_grams: 0,
            barcode: String::new(),
            position: id,
            active: true,
            stock: StockLevel {
                on_hand: stock,
                reserved: 0,
            },
            backorder: false,
        };
        Product {
            id: ProductId(1),
            slug: Slug::from_text("mug", "mug"),
            name: "Mug".to_owned(),
            maker: String::new(),
            summary: String::new(),
            description: String::new(),
            category_id: None,
            status: ProductStatus::Active,
            options: vec![
                option("Colour", &["Oat", "Sage", "Ink"], Some("#e4dac8")),
                option("Size", &["S", "L"], None),
            ],
            tags: Vec::new(),
            publish_at: None,
            digital: false,
            tax_class: "standard".to_owned(),
            seo: crate::catalog::Seo::default(),
            related: Vec::new(),
            attributes: Vec::new(),
            variants: variants.iter().map(variant).collect(),
            images: Vec::new(),
            rating: Rating::default(),
            version: 1,
            created_by: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn leads_to(product: &Product, current: usize, option: usize, value: &str) -> Option<i64> {
        with_value(product, &product.variants[current], option, value).map(|found| found.id.0)
    }

    #[test]
    fn a_value_keeps_the_rest_of_the_choice_even_when_that_is_sold_out() {
        let product = mug(&[
            (1, "Oat", "S", 2400, 3),
            (2, "Oat", "L", 2800, 3),
            (3, "Sage", "S", 2400, 3),
            (4, "Sage", "L", 2800, 0),
        ]);
        assert_eq!(leads_to(&product, 1, 0, "Sage"), Some(4));
        assert_eq!(leads_to(&product, 0, 0, "Sage"), Some(3));
        assert_eq!(leads_to(&product, 0, 1, "S"), Some(1));
        assert_eq!(leads_to(&product, 0, 0, "Ink"), None);
    }

    #[test]
    fn without_that_combination_the_nearest_in_stock_is_chosen() {
        let product = mug(&[
            (1, "Oat", "L", 2800, 3),
            (2, "Ink", "S", 2400, 0),
            (3, "Ink", "M", 2400, 2),
            (4, "Ink", "XL", 2400, 2),
        ]);
        assert_eq!(leads_to(&product, 0, 0, "Ink"), Some(3));
        let none_left = mug(&[
            (1, "Oat", "L", 1, 1),
            (2, "Ink", "S", 1, 0),
            (3, "Ink", "M", 1, 0),
        ]);
        assert_eq!(leads_to(&none_left, 0, 0, "Ink"), Some(2));
    }

    #[test]
    fn the_page_starts_with_what_was_asked_for_or_can_be_bought() {
        let mut product = mug(&[
            (1, "Oat", "S", 2400, 0),
            (2, "Oat", "L", 2800, 1),
            (3, "Ink", "S", 2400, 1),
        ]);
        let first = |product: &Product, asked| chosen(product, asked).map(|found| found.id.0);
        assert_eq!(first(&product, Some("3")), Some(3));
        assert_eq!(first(&product, Some("1")), Some(1));
        for wrong in [None, Some("99"), Some("abc"), Some("")] {
            assert_eq!(first(&product, wrong), Some(2), "{wrong:?}");
        }
        product.variants[2].active = false;
        assert_eq!(first(&product, Some("3")), Some(2));
        product.variants[1].stock.on_hand = 0;
        assert_eq!(first(&product, None), Some(1));
        product.variants.clear();
        assert_eq!(first(&product, None), None);
    }

    #[test]
    fn the_choices_say_what_is_chosen_sold_out_and_not_to_be_had() {
        let product = mug(&[(1, "Oat", "S", 2400, 5), (2, "Sage", "S", 2600, 0)]);
        let choices = choices(&product, &product.variants[0], "/products/mug");
        assert!(choices[0].has_colours() && !choices[1].has_colours());
        assert_eq!(choices[0].chosen, "Oat");
        let [oat, sage, ink] = &choices[0].values[..] else {
            panic!("{choices:?}")
        };
        assert!(oat.current && !sage.current);
        let sage = sage.target.as_ref().unwrap();
        assert_eq!(sage.href, "/products/mug?variant=2#buy");
        assert!(sage.sold_out);
        assert_eq!(sage.price.map(Money::minor), Some(2600));
        assert_eq!(ink.target, None);
        // Large is nowhere; small is what is shown.
        assert!(choices[1].values[0].current);
        assert_eq!(choices[1].values[1].target, None);
    }
}
