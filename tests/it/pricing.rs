//! The pricing kernel: exact examples with their traces, and what holds for any cart.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use zoco::pricing::{PriceInput, PriceLine, Quote, ShippingPrice, quote};
use zoco::types::{Currency, Money, MoneyError, VariantId};

use crate::support::plain;

/// No decimals, two, three.
const CURRENCIES: [&str; 3] = ["JPY", "EUR", "KWD"];

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn line(label: &str, quantity: i64, unit_price: Money, tax_rate: u32) -> PriceLine {
    PriceLine {
        variant_id: VariantId(1),
        label: label.to_owned(),
        quantity,
        unit_price,
        tax_rate,
        ships: true,
    }
}

fn steps(quote: &Quote) -> Vec<(String, String)> {
    let steps = quote.trace.iter();
    steps
        .map(|step| (step.text.replace('\u{a0}', " "), step.amount.amount()))
        .collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(text, amount)| (text.to_owned(), amount.to_owned()))
        .to_vec()
}

/// Two mugs and a vase, shipped for 4.90 unless it is free.
fn example(prices_include_tax: bool, free_over: Option<i64>) -> PriceInput {
    let euros = |minor| Money::new(minor, Currency::eur());
    PriceInput {
        currency: Currency::eur(),
        prices_include_tax,
        lines: vec![
            line("Everyday mug, Oat", 2, euros(1999), 2100),
            line("Tea, green", 1, euros(595), 550),
        ],
        shipping: Some(ShippingPrice {
            label: "Standard delivery".to_owned(),
            price: euros(490),
            free_over: free_over.map(euros),
            tax_rate: 2100,
        }),
    }
}

/// Any cart in any of the currencies.
fn any_input() -> impl Strategy<Value = PriceInput> {
    let any_line = (0_i64..=99, 0_i64..=10_000_000, 0_u32..=10_000);
    let any_shipping = proptest::option::of((
        0_i64..=100_000,
        proptest::option::of(0_i64..=1_000_000),
        0_u32..=10_000,
    ));
    (
        0..CURRENCIES.len(),
        any::<bool>(),
        vec(any_line, 0..12),
        any_shipping,
    )
        .prop_map(|(index, prices_include_tax, lines, shipping)| {
            let currency = currency(CURRENCIES[index]);
            let money = |minor| Money::new(minor, currency);
            let lines = lines.into_iter();
            PriceInput {
                currency,
                prices_include_tax,
                lines: lines
                    .map(|(quantity, price, rate)| line("Thing", quantity, money(price), rate))
                    .collect(),
                shipping: shipping.map(|(price, free_over, tax_rate)| ShippingPrice {
                    label: "Post".to_owned(),
                    price: money(price),
                    free_over: free_over.map(money),
                    tax_rate,
                }),
            }
        })
}

/// Runs a property; failures are not kept in files, the seed is in the message.
fn holds(property: impl Fn(PriceInput) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: 512,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&any_input(), property)
        .unwrap_or_else(|error| panic!("{error}"));
}

plain! {
    fn prices_with_tax_are_what_is_paid() {
        let quote = quote(&example(true, None)).unwrap();
        assert_eq!(quote.subtotal.amount(), "45.93");
        assert_eq!(quote.shipping.amount(), "4.90");
        assert_eq!(quote.total.amount(), "50.83");
        // 39.98 · 21/121 = 6.939, 5.95 · 5.5/105.5 = 0.310, 4.90 · 21/121 = 0.850
        assert_eq!(quote.lines[0].tax.amount(), "6.94");
        assert_eq!(quote.lines[1].tax.amount(), "0.31");
        assert_eq!(quote.tax.amount(), "8.10");
        assert_eq!(
            steps(&quote),
            pairs([
                ("2 × Everyday mug, Oat at 19.99 €", "39.98"),
                ("1 × Tea, green at 5.95 €", "5.95"),
                ("Subtotal", "45.93"),
                ("Standard delivery", "4.90"),
                ("Contains 5.5 % tax", "0.31"),
                ("Contains 21 % tax", "7.79"),
                ("Total", "50.83"),
            ])
        );
    }

    fn tax_is_added_to_prices_without_it() {
        let quote = quote(&example(false, None)).unwrap();
        // 39.98 · 0.21 = 8.396, 5.95 · 0.055 = 0.327, 4.90 · 0.21 = 1.029
        assert_eq!(quote.lines[0].total.amount(), "48.38");
        assert_eq!(quote.lines[1].total.amount(), "6.28");
        assert_eq!(quote.shipping.amount(), "5.93", "its tax included");
        assert_eq!(quote.total.amount(), "60.59");
        assert_eq!(
            steps(&quote)[2..],
            pairs([
                ("Subtotal", "45.93"),
                ("Standard delivery", "4.90"),
                ("Plus 5.5 % tax", "0.33"),
                ("Plus 21 % tax", "9.43"),
                ("Total", "60.59"),
            ])
        );
    }

    fn shipping_is_free_from_exactly_its_threshold() {
        let at = |free_over| quote(&example(true, Some(free_over))).unwrap();
        assert_eq!(at(4594).shipping.amount(), "4.90");
        let free = at(4593);
        assert_eq!(free.shipping.amount(), "0.00");
        assert_eq!(free.total, free.subtotal);
        assert_eq!(
            steps(&free)[3],
            (
                "Standard delivery, free from 45.93 €".to_owned(),
                "0.00".to_owned()
            )
        );
        let open = quote(&PriceInput {
            shipping: None,
            ..example(true, None)
        })
        .unwrap();
        assert!(!open.shipping_known);
        assert_eq!(open.total, open.subtotal);
    }

    fn nothing_costs_nothing() {
        let quote = quote(&PriceInput {
            lines: Vec::new(),
            ..example(false, None)
        })
        .unwrap();
        assert!(quote.total.is_zero() && quote.shipping.is_zero() && quote.tax.is_zero());
        assert_eq!(
            steps(&quote),
            pairs([("Subtotal", "0.00"), ("Total", "0.00")])
        );
    }

    fn each_currency_has_its_decimals() {
        for (code, subtotal, tax) in [
            ("JPY", "2997", "520"),
            ("EUR", "29.97", "5.20"),
            ("KWD", "2.997", "0.520"),
        ] {
            let unit_price = Money::new(999, currency(code));
            let input = PriceInput {
                currency: currency(code),
                prices_include_tax: true,
                lines: vec![line("Thing", 3, unit_price, 2100)],
                shipping: None,
            };
            let quote = quote(&input).unwrap();
            assert_eq!(
                (
                    quote.subtotal.amount().as_str(),
                    quote.tax.amount().as_str()
                ),
                (subtotal, tax)
            );
        }
    }

    fn tax_of_nothing_and_of_all() {
        let input = |rate, prices_include_tax| PriceInput {
            currency: Currency::eur(),
            prices_include_tax,
            lines: vec![line("Thing", 1, Money::new(101, Currency::eur()), rate)],
            shipping: None,
        };
        assert!(quote(&input(0, true)).unwrap().tax.is_zero());
        assert_eq!(
            steps(&quote(&input(0, false)).unwrap()).len(),
            3,
            "no step for no tax"
        );
        assert_eq!(
            quote(&input(10_000, true)).unwrap().tax.minor(),
            51,
            "half of it, rounded away from zero"
        );
        assert_eq!(quote(&input(10_000, false)).unwrap().total.minor(), 202);
    }

    fn what_is_not_sent_costs_no_shipping() {
        let mut input = example(true, None);
        input.lines[0].ships = false;
        assert_eq!(quote(&input).unwrap().shipping.minor(), 490, "the tea is sent");
        input.lines[1].ships = false;
        let quote = quote(&input).unwrap();
        assert_eq!((quote.shipping.minor(), quote.total), (0, quote.subtotal));
        assert!(steps(&quote).contains(&("Nothing to send".to_owned(), "0.00".to_owned())));
    }

    fn what_is_no_price_is_refused() {
        let euros = |minor| Money::new(minor, Currency::eur());
        let with = |changed: PriceLine| {
            quote(&PriceInput {
                lines: vec![changed],
                ..example(true, None)
            })
        };
        assert_eq!(
            with(line("Thing", -1, euros(1), 0)),
            Err(MoneyError::Negative)
        );
        assert_eq!(
            with(line("Thing", 1, euros(-1), 0)),
            Err(MoneyError::Negative)
        );
        assert_eq!(
            with(line("Thing", 1, Money::new(1, currency("JPY")), 0)),
            Err(MoneyError::MixedCurrencies)
        );
        assert_eq!(
            with(line("Thing", 2, euros(Money::MAX_MINOR), 0)),
            Err(MoneyError::Overflow)
        );
        let mut input = example(false, None);
        input.lines = vec![line("Thing", 1, euros(Money::MAX_MINOR), 2100)];
        assert_eq!(quote(&input), Err(MoneyError::Overflow));
        for price in [euros(-1), Money::new(1, currency("JPY"))] {
            let mut input = example(true, None);
            input.shipping.as_mut().unwrap().price = price;
            assert!(quote(&input).is_err());
            let mut input = example(true, None);
            input.shipping.as_mut().unwrap().free_over = Some(price);
            assert!(quote(&input).is_err());
        }
    }

    fn lines_and_shipping_are_the_total() {
        holds(|input| {
            let quote = quote(&input).unwrap();
            let lines: i64 = quote.lines.iter().map(|line| line.total.minor()).sum();
            prop_assert_eq!(lines + quote.shipping.minor(), quote.total.minor());
            let subtotals: i64 = quote.lines.iter().map(|line| line.subtotal.minor()).sum();
            prop_assert_eq!(subtotals, quote.subtotal.minor());
            prop_assert_eq!(quote.lines.len(), input.lines.len());
            prop_assert_eq!(quote.trace.last().unwrap().amount, quote.total);
            Ok(())
        });
    }

    fn nothing_is_negative_and_tax_has_its_bounds() {
        holds(|input| {
            let quote = quote(&input).unwrap();
            for line in &quote.lines {
                prop_assert!(line.tax.minor() >= 0 && line.subtotal.minor() >= 0);
                // Rates go to 100 %: at most half of a price with tax, at most all of one without.
                let most = if input.prices_include_tax {
                    (line.subtotal.minor() + 1) / 2
                } else {
                    line.subtotal.minor()
                };
                prop_assert!(line.tax.minor() <= most);
                let total = if input.prices_include_tax {
                    line.subtotal
                } else {
                    line.subtotal.plus(line.tax).unwrap()
                };
                prop_assert_eq!(line.total, total);
            }
            prop_assert!(quote.shipping.minor() >= 0 && quote.tax.minor() >= 0);
            prop_assert!(quote.tax.minor() <= quote.total.minor());
            prop_assert!(quote.trace.iter().all(|step| step.amount.minor() >= 0));
            Ok(())
        });
    }

    fn the_steps_of_the_trace_lead_to_the_total() {
        holds(|input| {
            let quote = quote(&input).unwrap();
            let after_lines = &quote.trace[quote.lines.len()..];
            let (total, steps) = after_lines.split_last().unwrap();
            let added: i64 = steps
                .iter()
                .filter(|step| !step.text.starts_with("Contains"))
                .map(|step| step.amount.minor())
                .sum();
            prop_assert_eq!(added, total.amount.minor());
            let taxes: i64 = steps
                .iter()
                .filter(|step| step.text.ends_with("% tax"))
                .map(|step| step.amount.minor())
                .sum();
            prop_assert_eq!(taxes, quote.tax.minor());
            Ok(())
        });
    }

    fn the_same_input_gives_the_same_quote() {
        holds(|input| {
            prop_assert_eq!(quote(&input), quote(&input.clone()));
            Ok(())
        });
    }

    fn more_of_a_thing_never_costs_less() {
        holds(|mut input| {
            // Delivery may become free with more, so it is left out here.
            input.shipping = None;
            let before = quote(&input).unwrap().total;
            if let Some(line) = input.lines.first_mut() {
                line.quantity += 1;
            }
            prop_assert!(quote(&input).unwrap().total.minor() >= before.minor());
            Ok(())
        });
    }
}
