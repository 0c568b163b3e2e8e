//! The pricing kernel: exact examples with their traces, and what holds for any cart.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use zoco::pricing::{
    Benefit, PriceInput, PriceLine, Promotion, Quote, RateStep, Refusal, ShippingPrice,
    ShippingRate, Target, quote,
};
use zoco::types::{
    CategoryId, Currency, Money, MoneyError, ProductId, PromotionId, TaxRate, Timestamp, VariantId,
};

use crate::support::plain;

/// No decimals, two, three.
const CURRENCIES: [&str; 3] = ["JPY", "EUR", "KWD"];

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn line(label: &str, quantity: i64, unit_price: Money, tax_rate: u32) -> PriceLine {
    PriceLine {
        variant_id: VariantId(1),
        product_id: ProductId(1),
        category_id: None,
        label: label.to_owned(),
        quantity,
        unit_price,
        tax: TaxRate::plain(tax_rate),
        ships: true,
        weight_grams: 250,
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
        at: NOW,
        promotions: Vec::new(),
        lines: vec![
            line("Everyday mug, Oat", 2, euros(1999), 2100),
            line("Tea, green", 1, euros(595), 550),
        ],
        shipping: Some(ShippingPrice {
            label: "Standard delivery".to_owned(),
            rate: ShippingRate::Flat(euros(490)),
            free_over: free_over.map(euros),
            tax: TaxRate::plain(2100),
        }),
    }
}

/// When everything here is priced.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

/// A promotion that nothing keeps from counting.
fn promotion(id: i64, benefit: Benefit, target: Target) -> Promotion {
    Promotion {
        id: PromotionId(id),
        name: format!("Promotion {id}"),
        code: None,
        benefit,
        target,
        minimum: None,
        starts_at: None,
        ends_at: None,
        exclusive: false,
        barred: None,
    }
}

fn any_benefit(currency: Currency) -> impl Strategy<Value = Benefit> {
    prop_oneof![
        (0_u32..=10_000).prop_map(Benefit::Percentage),
        Just(Benefit::Percentage(10_000)),
        (0_i64..=50_000_000).prop_map(move |minor| Benefit::Amount(Money::new(minor, currency))),
        Just(Benefit::FreeShipping),
        (1_i64..=4, 1_i64..=3, 0_u32..=10_000).prop_map(|(buy, get, percent)| Benefit::BuyXGetY {
            buy,
            get,
            percent
        }),
    ]
}

fn any_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Order),
        vec((1_i64..=4).prop_map(ProductId), 1..3).prop_map(Target::Products),
        vec((1_i64..=3).prop_map(CategoryId), 1..3).prop_map(Target::Categories),
    ]
}

fn any_promotion(currency: Currency) -> impl Strategy<Value = Promotion> {
    (
        1_i64..=1_000,
        any_benefit(currency),
        any_target(),
        proptest::option::of(0_i64..=1_000_000),
        prop::bool::weighted(0.2),
    )
        .prop_map(move |(id, benefit, target, minimum, exclusive)| Promotion {
            minimum: minimum.map(|minor| Money::new(minor, currency)),
            exclusive,
            ..promotion(id, benefit, target)
        })
}

/// Each promotion with an id of its own, as the shop's books have them.
fn numbered(promotions: Vec<Promotion>) -> Vec<Promotion> {
    let promotions = (1..).zip(promotions);
    let numbered = promotions.map(|(id, promotion)| Promotion {
        id: PromotionId(id),
        ..promotion
    });
    numbered.collect()
}

fn any_rate(currency: Currency) -> impl Strategy<Value = ShippingRate> {
    let step = move |(from, minor)| RateStep {
        from,
        price: Money::new(minor, currency),
    };
    let steps = || vec((0_i64..=100_000, 0_i64..=100_000).prop_map(step), 0..4);
    prop_oneof![
        (0_i64..=100_000).prop_map(move |minor| ShippingRate::Flat(Money::new(minor, currency))),
        steps().prop_map(ShippingRate::ByWeight),
        steps().prop_map(ShippingRate::ByTotal),
    ]
}

/// Any cart in any of the currencies, with any promotions.
fn any_input() -> impl Strategy<Value = PriceInput> {
    (0..CURRENCIES.len()).prop_flat_map(|index| {
        let currency = currency(CURRENCIES[index]);
        let money = move |minor| Money::new(minor, currency);
        let any_line = (
            0_i64..=99,
            0_i64..=10_000_000,
            0_u32..=10_000,
            1_i64..=4,
            any::<bool>(),
        );
        let any_line =
            any_line.prop_map(move |(quantity, price, rate, product, ships)| PriceLine {
                variant_id: VariantId(product),
                product_id: ProductId(product),
                category_id: Some(CategoryId(product / 2 + 1)),
                ships,
                ..line("Thing", quantity, money(price), rate)
            });
        let any_shipping = proptest::option::of((
            any_rate(currency),
            proptest::option::of(0_i64..=1_000_000),
            0_u32..=10_000,
        ));
        (
            any::<bool>(),
            vec(any_line, 0..12),
            vec(any_promotion(currency), 0..5),
            any_shipping,
        )
            .prop_map(move |(prices_include_tax, lines, promotions, shipping)| {
                PriceInput {
                    currency,
                    prices_include_tax,
                    at: NOW,
                    lines,
                    promotions: numbered(promotions),
                    shipping: shipping.map(|(rate, free_over, tax)| ShippingPrice {
                        label: "Post".to_owned(),
                        rate,
                        free_over: free_over.map(money),
                        tax: TaxRate::plain(tax),
                    }),
                }
            })
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
                at: NOW,
                promotions: Vec::new(),
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
            at: NOW,
            promotions: Vec::new(),
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
            input.shipping.as_mut().unwrap().rate = ShippingRate::Flat(price);
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
            let off = |line: &zoco::pricing::QuoteLine| {
                line.line_discount.minor() + line.order_discount.minor()
            };
            let discounts: i64 = quote.lines.iter().map(off).sum();
            prop_assert_eq!(discounts, quote.discount.minor());
            let applied: i64 = quote.applied.iter().map(|applied| applied.amount.minor()).sum();
            prop_assert_eq!(applied, discounts + quote.shipping_discount.minor());
            let taxes: i64 = quote.taxes.iter().map(|share| share.tax.minor()).sum();
            prop_assert_eq!(taxes, quote.tax.minor());
            let nets: i64 = quote.taxes.iter().map(|share| share.net.minor()).sum();
            prop_assert_eq!(nets + taxes, quote.total.minor());
            prop_assert_eq!(quote.lines.len(), input.lines.len());
            prop_assert_eq!(quote.trace.last().unwrap().amount, quote.total);
            // Each promotion counts or is refused.
            prop_assert_eq!(quote.applied.len() + quote.refused.len(), input.promotions.len());
            Ok(())
        });
    }

    fn nothing_is_negative_and_tax_has_its_bounds() {
        holds(|input| {
            let quote = quote(&input).unwrap();
            for line in &quote.lines {
                prop_assert!(line.line_discount.minor() >= 0 && line.order_discount.minor() >= 0);
                let left = line.subtotal.minor()
                    - line.line_discount.minor()
                    - line.order_discount.minor();
                prop_assert!(left >= 0 && line.tax.minor() >= 0);
                // Rates go to 100 %: at most half of a price with tax, at most all of one without.
                let most = if input.prices_include_tax { (left + 1) / 2 } else { left };
                prop_assert!(line.tax.minor() <= most);
                let tax = if input.prices_include_tax { 0 } else { line.tax.minor() };
                prop_assert_eq!(line.total.minor(), left + tax);
            }
            prop_assert!(quote.shipping.minor() >= 0 && quote.tax.minor() >= 0);
            prop_assert!(quote.tax.minor() <= quote.total.minor());
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
            // Delivery and promotions may give more with more, so they are left out here.
            input.shipping = None;
            input.promotions.clear();
            let before = quote(&input).unwrap().total;
            if let Some(line) = input.lines.first_mut() {
                line.quantity += 1;
            }
            prop_assert!(quote(&input).unwrap().total.minor() >= before.minor());
            Ok(())
        });
    }

    fn a_promotion_never_makes_the_goods_dearer() {
        holds(|mut input| {
            input.shipping = None;
            let with = quote(&input).unwrap();
            input.promotions.clear();
            prop_assert!(with.goods().minor() <= quote(&input).unwrap().goods().minor());
            Ok(())
        });
    }

    fn all_of_it_off_is_exactly_nothing() {
        holds(|mut input| {
            input.promotions = vec![
                promotion(1, Benefit::Percentage(10_000), Target::Order),
                promotion(2, Benefit::FreeShipping, Target::Order),
            ];
            let quote = quote(&input).unwrap();
            prop_assert!(quote.total.is_zero() && quote.tax.is_zero());
            Ok(())
        });
    }

    fn an_order_discount_is_shared_out_by_largest_remainder() {
        let mut input = example(true, None);
        input.promotions = vec![Promotion {
            code: Some("TEN".to_owned()),
            ..promotion(1, Benefit::Percentage(1_000), Target::Order)
        }];
        let quote = quote(&input).unwrap();
        // 10 % of 45.93 is 4.59; by 39.98 to 5.95 that is 3.995 to 0.595.
        let shares = quote.lines.iter().map(|line| line.order_discount.amount());
        assert_eq!(shares.collect::<Vec<_>>(), ["4.00", "0.59"]);
        assert_eq!(quote.lines[0].total.amount(), "35.98");
        assert_eq!(quote.lines[0].tax.amount(), "6.24", "35.98 · 21/121");
        assert_eq!(quote.total.amount(), "46.24");
        assert_eq!(
            steps(&quote)[2..5],
            pairs([
                ("Subtotal", "45.93"),
                (
                    "Promotion 1 (TEN): 10 % off; 4.00 € of Everyday mug, Oat, 0.59 € of Tea, green",
                    "-4.59"
                ),
                ("Standard delivery", "4.90"),
            ])
        );
    }

    fn line_discounts_come_before_those_of_the_order() {
        let mut input = example(true, None);
        input.lines[1].product_id = ProductId(2);
        let euros = |minor| Money::new(minor, Currency::eur());
        input.promotions = vec![
            promotion(1, Benefit::Amount(euros(500)), Target::Order),
            promotion(2, Benefit::Percentage(5_000), Target::Products(vec![ProductId(2)])),
        ];
        let quote = quote(&input).unwrap();
        // Half of 5.95 is 2.98 (half away from zero); 5.00 are shared by 39.98 to 2.97.
        assert_eq!(quote.lines[1].line_discount.amount(), "2.98");
        assert_eq!(quote.lines[1].order_discount.amount(), "0.35");
        assert_eq!(quote.lines[0].order_discount.amount(), "4.65");
        let ids: Vec<i64> = quote.applied.iter().map(|applied| applied.id.0).collect();
        assert_eq!(ids, [2, 1]);
    }

    fn of_three_pieces_the_cheapest_is_free() {
        let mut input = example(true, None);
        let free = Benefit::BuyXGetY { buy: 2, get: 1, percent: 10_000 };
        input.promotions = vec![promotion(1, free.clone(), Target::Order)];
        let quote_of = |input: &PriceInput| quote(input).unwrap();
        assert_eq!(quote_of(&input).lines[1].line_discount.amount(), "5.95");
        input.lines[1].quantity = 4;
        // Six pieces make two sets: two teas are free.
        assert_eq!(quote_of(&input).discount.amount(), "11.90");
        input.lines[1].quantity = 0;
        let refused = quote_of(&input).refused;
        assert_eq!(refused[0].reason, Refusal::NothingMatches, "two pieces make no set");
    }

    fn shipping_follows_weight_and_total() {
        let euros = |minor| Money::new(minor, Currency::eur());
        let step = |from, minor| RateStep { from, price: euros(minor) };
        let with = |rate| {
            let mut input = example(true, None);
            input.shipping.as_mut().unwrap().rate = rate;
            quote(&input).unwrap().shipping.minor()
        };
        // Three pieces of 250 g.
        let by_weight = |from| ShippingRate::ByWeight(vec![step(0, 300), step(from, 700)]);
        assert_eq!((with(by_weight(750)), with(by_weight(751))), (700, 300));
        let by_total = |from| ShippingRate::ByTotal(vec![step(from, 0), step(1_000, 490)]);
        assert_eq!((with(by_total(4_593)), with(by_total(4_594))), (0, 490));
        let above = ShippingRate::ByWeight(vec![step(5_000, 900)]);
        assert_eq!(with(above), 900, "below the first step, the first one counts");
    }

    fn the_set_that_leaves_the_lower_price_counts() {
        let off = |id, minor| promotion(id, Benefit::Amount(Money::new(minor, Currency::eur())), Target::Order);
        let mut input = example(true, Some(4_000));
        // Six off 45.93, with delivery to pay, are dearer than five off with delivery for nothing.
        input.promotions = vec![off(1, 500), Promotion { exclusive: true, ..off(2, 600) }];
        let quote = quote(&input).unwrap();
        assert_eq!((quote.discount.minor(), quote.total.minor()), (500, 4_093));
        assert_eq!(quote.refused[0].reason, Refusal::NotCombined);
    }

    fn free_shipping_is_not_spent_on_what_costs_nothing() {
        let mut input = example(true, Some(4_000));
        input.promotions = vec![promotion(1, Benefit::FreeShipping, Target::Order)];
        let refused = |input: &PriceInput| {
            let quote = quote(input).unwrap();
            assert!(quote.applied.is_empty(), "{:?}", quote.applied);
            quote.refused[0].reason.clone()
        };
        assert_eq!(refused(&input), Refusal::NothingLeft);
        input.lines.iter_mut().for_each(|line| line.ships = false);
        input.shipping = None;
        assert_eq!(refused(&input), Refusal::NothingLeft, "nothing is sent");
    }

    fn what_cannot_count_may_be_of_another_currency() {
        let mut input = example(true, None);
        let dollars = Benefit::Amount(Money::new(500, currency("USD")));
        let other = promotion(1, dollars, Target::Order);
        input.promotions = vec![other.clone()];
        assert!(quote(&input).is_err());
        input.promotions = vec![Promotion { barred: Some(Refusal::Over), ..other }];
        assert_eq!(quote(&input).unwrap().refused[0].reason, Refusal::Over);
    }

    fn free_shipping_from_a_sum_looks_at_what_is_left() {
        let mut input = example(true, Some(4_593));
        input.promotions = vec![promotion(1, Benefit::Percentage(100), Target::Order)];
        assert_eq!(quote(&input).unwrap().shipping.minor(), 490);
        input.promotions = vec![promotion(1, Benefit::FreeShipping, Target::Order)];
        input.shipping.as_mut().unwrap().free_over = None;
        let quote = quote(&input).unwrap();
        assert_eq!((quote.shipping.minor(), quote.shipping_discount.minor()), (0, 490));
        assert!(steps(&quote).contains(&("Promotion 1: free shipping".to_owned(), "-4.90".to_owned())));
    }

    fn the_better_of_exclusive_and_common_counts() {
        let mut input = example(true, None);
        let alone = |id, percent| Promotion {
            exclusive: true,
            ..promotion(id, Benefit::Percentage(percent), Target::Order)
        };
        let common = promotion(1, Benefit::Percentage(1_000), Target::Order);
        input.promotions = vec![common.clone(), alone(2, 900), alone(3, 2_000)];
        let quote_of = |input: &PriceInput| quote(input).unwrap();
        let ids = |quote: &Quote| quote.applied.iter().map(|one| one.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&quote_of(&input)), [3]);
        assert!(quote_of(&input).refused.iter().all(|one| one.reason == Refusal::NotCombined));
        input.promotions = vec![common, alone(2, 1_000)];
        assert_eq!(ids(&quote_of(&input)), [1], "the common ones where both are as good");
    }

    fn a_promotion_has_its_time_and_its_minimum() {
        let euros = |minor| Money::new(minor, Currency::eur());
        let plain = promotion(1, Benefit::Percentage(1_000), Target::Order);
        let reason = |promotion: Promotion| {
            let mut input = example(true, None);
            input.promotions = vec![promotion];
            quote(&input).unwrap().refused.first().map(|one| one.reason.clone())
        };
        let later = NOW.plus_seconds(1);
        assert_eq!(
            reason(Promotion { starts_at: Some(later), ..plain.clone() }),
            Some(Refusal::NotYet(later))
        );
        assert_eq!(
            reason(Promotion { ends_at: Some(NOW), ..plain.clone() }),
            Some(Refusal::Over)
        );
        assert_eq!(
            reason(Promotion { minimum: Some(euros(4_594)), ..plain.clone() }),
            Some(Refusal::BelowMinimum(euros(4_594)))
        );
        assert_eq!(
            reason(Promotion { barred: Some(Refusal::UsedUp), ..plain.clone() }),
            Some(Refusal::UsedUp)
        );
        assert_eq!(
            reason(Promotion {
                target: Target::Categories(vec![CategoryId(9)]),
                ..plain.clone()
            }),
            Some(Refusal::NothingMatches)
        );
        assert_eq!(
            reason(Promotion {
                starts_at: Some(NOW),
                ends_at: Some(later),
                minimum: Some(euros(4_593)),
                ..plain
            }),
            None
        );
    }
}
