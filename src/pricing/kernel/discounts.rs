//! What promotions take off. Each works on what the earlier ones left: first those for single
//! lines, then those for the whole order, each kind in the order of the input; free shipping
//! comes last. An exclusive promotion stands alone: whichever set leaves the lower price counts,
//! the common one where both do.

use super::super::model::{Applied, Benefit, PriceInput, Promotion, Refusal, Refused, Target};
use super::check;
use super::taxes::WHOLE;
use crate::types::money::{ratio, share_out};
use crate::types::{Money, MoneyError};

/// What is off each line.
#[derive(Clone, Copy, Default)]
pub struct Off {
    /// By promotions for the line, in minor units.
    pub line: i64,
    /// By promotions for the order, in minor units.
    pub order: i64,
}

/// A promotion that takes something off lines.
pub struct Cut {
    /// Which, and how much in all.
    pub applied: Applied,
    /// What it gives, in words.
    pub words: String,
    /// What it takes off each line, in minor units.
    pub shares: Vec<i64>,
}

/// What all promotions together do to the lines.
pub struct Discounts {
    /// By line, in the order of the input.
    pub off: Vec<Off>,
    /// The promotions that did it.
    pub cuts: Vec<Cut>,
    /// A promotion that makes shipping free.
    pub free_shipping: Option<Applied>,
    /// Those that do not count.
    pub refused: Vec<Refused>,
}

impl Discounts {
    fn amount(&self) -> i64 {
        self.off.iter().map(|off| off.line + off.order).sum()
    }
}

/// Chooses and applies promotions. `subtotals` are the lines' prices in minor units; `shipping`
/// tells what shipping costs for goods that cost so much, which free shipping is worth. Errors: a
/// promotion that may count with an amount of another currency, or below zero.
pub fn discounts(
    input: &PriceInput,
    subtotals: &[i64],
    shipping: impl Fn(i64) -> Result<i64, MoneyError>,
) -> Result<Discounts, MoneyError> {
    let mut refused = Vec::new();
    let mut open = Vec::new();
    for promotion in &input.promotions {
        // What cannot count may be of another currency: the shop's may have changed since.
        if promotion.barred.is_none() {
            check_amounts(promotion, input)?;
        }
        match refusal(input, promotion, subtotals) {
            Some(reason) => refused.push(refuse(promotion, reason)),
            None => open.push(promotion),
        }
    }
    let (alone, common): (Vec<&Promotion>, Vec<&Promotion>) = open
        .iter()
        .copied()
        .partition(|promotion| promotion.exclusive);
    let subtotal: i64 = subtotals.iter().sum();
    let price = |found: &Discounts| -> Result<i64, MoneyError> {
        let goods = subtotal - found.amount();
        if found.free_shipping.is_some() {
            Ok(goods)
        } else {
            Ok(goods + shipping(goods)?)
        }
    };
    let mut best = apply(input, &common, subtotals);
    let mut chosen: Vec<&Promotion> = common;
    for promotion in alone {
        let found = apply(input, &[promotion], subtotals);
        if price(&found)? < price(&best)? {
            best = found;
            chosen = vec![promotion];
        }
    }
    let left_out = open
        .iter()
        .filter(|one| !chosen.iter().any(|other| other.id == one.id));
    refused.extend(left_out.map(|promotion| refuse(promotion, Refusal::NotCombined)));
    refused.append(&mut best.refused);
    best.refused = refused;
    Ok(best)
}

/// Errors: an amount of another currency than the price's, or below zero.
fn check_amounts(promotion: &Promotion, input: &PriceInput) -> Result<(), MoneyError> {
    if let Benefit::Amount(amount) = promotion.benefit {
        check(amount, input.currency)?;
    }
    promotion
        .minimum
        .map_or(Ok(()), |minimum| check(minimum, input.currency))
}

/// Why a promotion cannot count, whatever the others do.
fn refusal(input: &PriceInput, promotion: &Promotion, subtotals: &[i64]) -> Option<Refusal> {
    if let Some(barred) = &promotion.barred {
        return Some(barred.clone());
    }
    if let Some(starts_at) = promotion
        .starts_at
        .filter(|starts_at| input.at < *starts_at)
    {
        return Some(Refusal::NotYet(starts_at));
    }
    if promotion.ends_at.is_some_and(|ends_at| input.at >= ends_at) {
        return Some(Refusal::Over);
    }
    let covered = || {
        let lines = input.lines.iter().zip(subtotals);
        lines.filter(|(line, _)| line.quantity > 0 && promotion.target.covers(line))
    };
    if covered().next().is_none() {
        return Some(Refusal::NothingMatches);
    }
    let sum: i64 = covered().map(|(_, subtotal)| subtotal).sum();
    if let Some(minimum) = promotion.minimum.filter(|minimum| sum < minimum.minor()) {
        return Some(Refusal::BelowMinimum(minimum));
    }
    if let Benefit::BuyXGetY { buy, get, .. } = promotion.benefit {
        let pieces: i64 = covered().map(|(line, _)| line.quantity).sum();
        if pieces < buy.saturating_add(get) {
            return Some(Refusal::NothingMatches);
        }
    }
    None
}

fn refuse(promotion: &Promotion, reason: Refusal) -> Refused {
    Refused {
        name: promotion.name.clone(),
        code: promotion.code.clone(),
        reason,
    }
}

/// Applies a set of promotions that all may count.
fn apply(input: &PriceInput, promotions: &[&Promotion], subtotals: &[i64]) -> Discounts {
    let mut found = Discounts {
        off: vec![Off::default(); subtotals.len()],
        cuts: Vec::new(),
        free_shipping: None,
        refused: Vec::new(),
    };
    let mut left = subtotals.to_vec();
    let for_order = |promotion: &Promotion| {
        promotion.target == Target::Order && !matches!(promotion.benefit, Benefit::BuyXGetY { .. })
    };
    let mut ordered = promotions.to_vec();
    ordered.sort_by_key(|promotion| for_order(promotion));
    for promotion in ordered {
        let applied = |minor| Applied {
            id: promotion.id,
            name: promotion.name.clone(),
            code: promotion.code.clone(),
            amount: Money::new(minor, input.currency),
        };
        if promotion.benefit == Benefit::FreeShipping {
            if found.free_shipping.is_none() {
                found.free_shipping = Some(applied(0));
            } else {
                found.refused.push(refuse(promotion, Refusal::NothingLeft));
            }
            continue;
        }
        let shares = cut(input, promotion, &left);
        let amount: i64 = shares.iter().sum();
        if amount == 0 {
            found.refused.push(refuse(promotion, Refusal::NothingLeft));
            continue;
        }
        for ((off, left), share) in found.off.iter_mut().zip(&mut left).zip(&shares) {
            *left -= share;
            if for_order(promotion) {
                off.order += share;
            } else {
                off.line += share;
            }
        }
        found.cuts.push(Cut {
            applied: applied(amount),
            words: promotion.benefit.in_words(),
            shares,
        });
    }
    found
}

/// What one promotion takes off each line, of what is `left` of it; never more than that.
fn cut(input: &PriceInput, promotion: &Promotion, left: &[i64]) -> Vec<i64> {
    let covered: Vec<i64> = (input.lines.iter().zip(left))
        .map(|(line, &left)| {
            if promotion.target.covers(line) {
                left
            } else {
                0
            }
        })
        .collect();
    let sum: i64 = covered.iter().sum();
    match &promotion.benefit {
        Benefit::Percentage(rate) => {
            let rate = i64::from(*rate).min(WHOLE);
            if promotion.target == Target::Order {
                share_out(ratio(sum, rate, WHOLE), &covered)
            } else {
                covered
                    .iter()
                    .map(|&left| ratio(left, rate, WHOLE))
                    .collect()
            }
        }
        Benefit::Amount(amount) => share_out(amount.minor().min(sum), &covered),
        Benefit::BuyXGetY { buy, get, percent } => {
            let cheap = cheapest(input, promotion, *buy, *get);
            let rate = i64::from(*percent).min(WHOLE);
            let lines = input.lines.iter().zip(cheap).zip(&covered);
            lines
                .map(|((line, pieces), &left)| {
                    ratio(line.unit_price.minor() * pieces, rate, WHOLE).min(left)
                })
                .collect()
        }
        Benefit::FreeShipping => vec![0; left.len()],
    }
}

/// How many pieces of each line are among the cheapest that are reduced.
fn cheapest(input: &PriceInput, promotion: &Promotion, buy: i64, get: i64) -> Vec<i64> {
    let covers = |index: &usize| promotion.target.covers(&input.lines[*index]);
    let mut lines: Vec<usize> = (0..input.lines.len()).filter(covers).collect();
    let pieces: i64 = lines.iter().map(|&index| input.lines[index].quantity).sum();
    let set = buy.max(0).saturating_add(get.max(0)).max(1);
    let mut reduced = pieces / set * get.max(0);
    lines.sort_by_key(|&index| input.lines[index].unit_price.minor());
    let mut cheap = vec![0; input.lines.len()];
    for index in lines {
        cheap[index] = reduced.min(input.lines[index].quantity);
        reduced -= cheap[index];
    }
    cheap
}
