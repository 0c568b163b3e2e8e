//! What a cart would cost that nobody has.

use serde::{Deserialize, Serialize};

use super::super::model::Cart;
use super::super::store::{self, LineRow};
use super::MAX_LINES;
use super::codes::MAX_CODES;
use super::price::{Found, Terms, assemble, is_for_sale};
use super::quote::choose_method;
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{FieldErrors, Result};
use crate::promotions::{self, Customer};
use crate::shipping;
use crate::types::{Email, Timestamp};

/// A line of a cart that nobody has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedLine {
    /// The variant's SKU.
    pub sku: String,
    /// How many.
    pub quantity: i64,
}

/// A cart that nobody has.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Simulation {
    /// What is in it.
    pub lines: Vec<SimulatedLine>,
    /// Codes of promotions.
    pub codes: Vec<String>,
    /// Whose it is, for limits; left out: somebody new.
    pub email: Option<String>,
    /// Code of the shipping method; left out: the first one.
    pub shipping_method: Option<String>,
    /// When, RFC 3339; left out: now.
    pub at: Option<String>,
}

/// Staff: what a cart would cost. Nothing is written. Errors: `Invalid` at `lines.N.sku`,
/// `lines.N.quantity`, `lines`, `codes`, `email`, `shipping_method`, `at`.
pub async fn simulate(app: &App, ctx: &Ctx, input: Simulation) -> Result<Cart> {
    ctx.require(Permission::Promotions)?;
    let mut errors = FieldErrors::default();
    let at = match input
        .at
        .as_deref()
        .map(str::trim)
        .filter(|at| !at.is_empty())
    {
        None => ctx.now,
        Some(typed) => Timestamp::typed(typed).unwrap_or_else(|| {
            errors.add(
                "at",
                "invalid",
                "Write a date and time like 2026-12-24T09:00.",
            );
            ctx.now
        }),
    };
    let email = input
        .email
        .as_deref()
        .filter(|typed| !typed.trim().is_empty());
    let email = email.and_then(|typed| {
        let read = Email::parse(typed).ok_or("This is not an e-mail address.");
        errors.keep("email", "email", read)
    });
    if input.lines.is_empty() || input.lines.len() > MAX_LINES {
        errors.add("lines", "range", format!("Name 1 to {MAX_LINES} articles."));
    }
    let codes: Vec<String> = input
        .codes
        .iter()
        .map(|typed| promotions::code_of(typed))
        .collect();
    if codes.len() > MAX_CODES {
        errors.add(
            "codes",
            "too_many",
            format!("A cart takes {MAX_CODES} codes."),
        );
    }
    errors.clone().into_result()?;
    let mut conn = app.db.conn().await?;
    let home = app.config.home();
    let methods = shipping::service::methods_to(&mut conn, app, &home).await?;
    let method = choose_method(&methods, input.shipping_method.as_deref())?;
    let skus: Vec<String> = input
        .lines
        .iter()
        .map(|line| line.sku.trim().to_owned())
        .collect();
    let known = store::lines_of_skus(&mut conn, &skus).await?;
    let mut lines: Vec<LineRow> = Vec::with_capacity(skus.len());
    for (index, (wanted, sku)) in input.lines.iter().zip(&skus).enumerate() {
        let line = known
            .iter()
            .find(|line| line.sku == *sku && is_for_sale(app, line));
        let Some(line) = line else {
            let message = "Nothing for sale has this SKU.";
            errors.add(&format!("lines.{index}.sku"), "unknown", message);
            continue;
        };
        if !(1..=app.config.max_quantity).contains(&wanted.quantity) {
            let message = format!("Choose 1 to {}.", app.config.max_quantity);
            errors.add(&format!("lines.{index}.quantity"), "range", message);
        }
        match lines
            .iter_mut()
            .find(|other| other.variant_id == line.variant_id)
        {
            Some(other) => other.quantity = other.quantity.saturating_add(wanted.quantity),
            None => lines.push(LineRow {
                quantity: wanted.quantity,
                ..line.clone()
            }),
        }
    }
    errors.into_result()?;
    let found = Found {
        lines,
        codes,
        ..Found::default()
    };
    let terms = Terms {
        customer: &Customer {
            user_id: None,
            email,
        },
        destination: &home,
        method,
    };
    assemble(&mut conn, app, at, found, &terms).await
}
