//! What a cart would cost that nobody has.

use serde::Deserialize;

use super::super::model::Cart;
use super::draft::{self, SimulatedLine};
use super::price::Terms;
use super::quote::{choose_method, known};
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{FieldErrors, Result};
use crate::promotions::Customer;
use crate::shipping;
use crate::types::{Destination, Email, Timestamp};

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
    /// Where it goes, ISO 3166-1 alpha-2; left out: the shop's own country.
    pub country: Option<String>,
    /// Region or state there.
    pub region: Option<String>,
    /// Postal code there.
    pub postal_code: Option<String>,
    /// When, RFC 3339; left out: now.
    pub at: Option<String>,
}

/// Staff: what a cart would cost. Nothing is written. Errors: `Invalid` at `lines.N.sku`,
/// `lines.N.quantity`, `lines`, `codes`, `email`, `country`, `shipping_method`, `at`.
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
    draft::check_size(&input.lines, &input.codes, &[], &mut errors);
    errors.clone().into_result()?;
    let mut conn = app.db.conn().await?;
    let typed = |given: &Option<String>| given.clone().unwrap_or_default();
    let destination = Destination {
        region: typed(&input.region),
        postal_code: typed(&input.postal_code),
        ..Destination::country(&typed(&input.country))
    };
    let destination = known(app, destination)?;
    let methods = shipping::service::methods_to(&mut conn, app, &destination).await?;
    let method = choose_method(&methods, input.shipping_method.as_deref())?;
    let (lines, codes) = (&input.lines, &input.codes);
    let draft = draft::draft(&mut conn, app, lines, codes, &mut errors).await?;
    errors.into_result()?;
    let terms = Terms {
        customer: &Customer {
            user_id: None,
            email,
        },
        destination: &destination,
        method,
    };
    draft::price_draft(&mut conn, app, at, &draft, &terms).await
}
