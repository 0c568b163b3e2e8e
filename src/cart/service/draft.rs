//! Carts that are not kept: read from SKUs, priced like any other, and written down only by what
//! makes an order of them.

use serde::{Deserialize, Serialize};

use super::super::model::Cart;
use super::super::store::{self, CartStatus, LineRow};
use super::MAX_LINES;
use super::codes::{MAX_CARDS, MAX_CODES};
use super::price::{Found, Terms, assemble, is_for_sale};
use crate::app::App;
use crate::credit::{self, CreditAccount};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{FieldErrors, Result};
use crate::promotions;
use crate::types::{CartId, Timestamp, UserId};

/// A line of a cart that nobody has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedLine {
    /// The variant's SKU.
    pub sku: String,
    /// How many.
    pub quantity: i64,
}

/// A cart that is not kept.
#[derive(Clone, Default)]
pub struct Draft {
    lines: Vec<LineRow>,
    codes: Vec<String>,
    gift_cards: Vec<CreditAccount>,
}

impl Draft {
    /// The same, to be paid with these gift cards.
    pub fn with_cards(self, mut gift_cards: Vec<CreditAccount>) -> Self {
        // As they come out of a cart that is kept.
        gift_cards.sort_by_key(|card| card.id);
        gift_cards.dedup_by_key(|card| card.id);
        Self { gift_cards, ..self }
    }
}

/// Adds what is wrong with how much there is, at `lines`, `codes` and `gift_cards`.
pub fn check_size(
    lines: &[SimulatedLine],
    codes: &[String],
    gift_cards: &[String],
    errors: &mut FieldErrors,
) {
    if lines.is_empty() || lines.len() > MAX_LINES {
        errors.add("lines", "range", format!("Name 1 to {MAX_LINES} articles."));
    }
    if codes.len() > MAX_CODES {
        let message = format!("A cart takes {MAX_CODES} codes.");
        errors.add("codes", "too_many", message);
    }
    if gift_cards.len() > MAX_CARDS {
        let message = format!("A cart takes {MAX_CARDS} gift cards.");
        errors.add("gift_cards", "too_many", message);
    }
}

/// Reads a cart that is not kept. Lines of the same variant become one. Adds messages at
/// `lines.N.sku` and `lines.N.quantity`.
pub async fn draft(
    conn: &mut Conn,
    app: &App,
    wanted: &[SimulatedLine],
    codes: &[String],
    errors: &mut FieldErrors,
) -> Result<Draft> {
    // Each row asks for one more in the query; who sent too many is told so already.
    let wanted = wanted.get(..MAX_LINES).unwrap_or(wanted);
    let skus: Vec<String> = wanted
        .iter()
        .map(|line| line.sku.trim().to_owned())
        .collect();
    let known = store::lines_of_skus(conn, &skus).await?;
    let mut lines: Vec<LineRow> = Vec::with_capacity(skus.len());
    for (index, (wanted, sku)) in wanted.iter().zip(&skus).enumerate() {
        if sku.is_empty() {
            errors.add(&format!("lines.{index}.sku"), "required", "Write the SKU.");
            continue;
        }
        let line = known
            .iter()
            .find(|line| line.sku == *sku && is_for_sale(app, line));
        let Some(line) = line else {
            let message = "Nothing for sale has this SKU.";
            errors.add(&format!("lines.{index}.sku"), "unknown", message);
            continue;
        };
        let before = lines
            .iter_mut()
            .find(|other| other.variant_id == line.variant_id);
        let had = before.as_ref().map_or(0, |other| other.quantity);
        let max = app.config.max_quantity;
        if wanted.quantity < 1 || had.saturating_add(wanted.quantity) > max {
            let message = format!("Choose 1 to {max} of one article.");
            errors.add(&format!("lines.{index}.quantity"), "range", message);
        }
        match before {
            Some(other) => other.quantity = other.quantity.saturating_add(wanted.quantity),
            None => lines.push(LineRow {
                quantity: wanted.quantity,
                ..line.clone()
            }),
        }
    }
    let mut codes: Vec<String> = codes
        .iter()
        .map(|typed| promotions::code_of(typed))
        .filter(|code| !code.is_empty())
        .collect();
    codes.sort();
    codes.dedup();
    Ok(Draft {
        lines,
        codes,
        gift_cards: Vec::new(),
    })
}

/// What a draft costs on these terms at a moment, and what its owner has to pay it with.
pub async fn price_draft(
    conn: &mut Conn,
    app: &App,
    at: Timestamp,
    draft: &Draft,
    terms: &Terms<'_>,
) -> Result<Cart> {
    let store_credit = match terms.customer.user_id {
        Some(user) => credit::service::of_user(conn, user, app.currency()).await?,
        None => None,
    };
    let found = Found {
        lines: draft.lines.clone(),
        codes: draft.codes.clone(),
        gift_cards: draft.gift_cards.clone(),
        store_credit,
        ..Found::default()
    };
    assemble(conn, app, at, found, terms).await
}

/// For checkout: writes a draft down as a cart that is ordered already, in the transaction that
/// makes the order. `owner`: whose it is. Gives none when the token was used before.
pub async fn keep_draft(
    tx: &mut Tx,
    ctx: &Ctx,
    draft: &Draft,
    token: &str,
    owner: Option<UserId>,
) -> Result<Option<CartId>> {
    let Some(cart) = store::insert_ordered(tx, token, owner, ctx.now).await? else {
        return Ok(None);
    };
    for line in &draft.lines {
        let (variant, price) = (line.variant_id, line.price_minor);
        store::add(tx, cart, variant, line.quantity, price, ctx.now).await?;
    }
    for code in &draft.codes {
        store::add_code(tx, cart, code, ctx.now).await?;
    }
    for card in &draft.gift_cards {
        store::add_gift_card(tx, cart, card.id, ctx.now).await?;
    }
    Ok(Some(cart))
}

/// For checkout: the cart that a draft became, by the token that it was kept with.
pub async fn kept(conn: &mut Conn, token: &str) -> Result<Option<CartId>> {
    let row = store::by_token(conn, token).await?;
    let ordered = row.filter(|row| row.status == CartStatus::Ordered);
    Ok(ordered.map(|row| row.id))
}
