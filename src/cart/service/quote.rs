//! What a cart costs at a destination, by each way to ship there.

use super::super::model::{Cart, Offer};
use super::find;
use super::price::{customer, empty, found, price, promotions_of, too_much};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::pricing::Quote;
use crate::shipping::{self, ShippingMethod};
use crate::taxes;
use crate::types::country::is_country;
use crate::types::{Destination, Email, Money};

/// The asker's cart as it would be taxed and shipped at `destination`, by the method of this code,
/// or by the first one. Gives the methods that serve it, too, in their order. `email`: what a
/// guest has said of themselves so far. Errors: `Invalid` at `shipping_method`.
pub async fn with_shipping(
    app: &App,
    ctx: &Ctx,
    destination: &Destination,
    code: Option<&str>,
    email: Option<Email>,
) -> Result<(Cart, Vec<Offer>)> {
    let mut conn = app.db.conn().await?;
    let methods = shipping::service::methods_to(&mut conn, app, destination).await?;
    let method = choose_method(&methods, code)?;
    let Some(row) = find(&mut conn, ctx).await? else {
        let price = Money::zero(app.currency());
        let offers = methods.into_iter().map(|method| Offer { method, price });
        return Ok((empty(app, ctx)?, offers.collect()));
    };
    let mut customer = customer(ctx);
    customer.email = customer.email.or(email);
    let found = found(&mut conn, app, ctx.user_id(), row.id, row.token).await?;
    let promotions = promotions_of(&mut conn, app, ctx.now, &found, &customer).await?;
    let there = taxes::service::rates(&mut conn, app, destination).await?;
    let here = taxes::service::rates(&mut conn, app, &app.config.home()).await?;
    let by = |method: Option<&ShippingMethod>| {
        let rates = match method {
            Some(method) if method.is_pickup() => &here,
            _ => &there,
        };
        let terms = (promotions.clone(), rates.clone());
        price(app, ctx.now, found.clone(), terms, method)
    };
    let offer = |candidate: &ShippingMethod| {
        let quote = by(Some(candidate))?.quote;
        let price = shipping_as_written(&quote)?;
        let method = candidate.clone();
        Ok(Offer { method, price })
    };
    let offers = methods.iter().map(offer).collect::<Result<_>>()?;
    Ok((by(method)?, offers))
}

/// What shipping costs as prices are written.
fn shipping_as_written(quote: &Quote) -> Result<Money> {
    if quote.prices_include_tax {
        Ok(quote.shipping)
    } else {
        let net = quote.shipping.minus(quote.shipping_tax);
        net.map_err(too_much)
    }
}

/// The ways to ship to `destination`, each with its price for the asker's cart, for the API;
/// without a country, the shop's own. Gives whether there is a cart to price. Errors: `Invalid` at
/// `country`.
pub async fn offers(app: &App, ctx: &Ctx, destination: Destination) -> Result<(bool, Vec<Offer>)> {
    let destination = known(app, destination)?;
    let (cart, offers) = with_shipping(app, ctx, &destination, None, None).await?;
    Ok((!cart.is_empty(), offers))
}

/// The asker's cart as it would be taxed and shipped at `destination`, for the API; without a
/// country, the shop's own. Errors: `Invalid` at `shipping_method`, `country`.
pub async fn quote(
    app: &App,
    ctx: &Ctx,
    destination: Destination,
    shipping_method: Option<&str>,
) -> Result<Cart> {
    let destination = known(app, destination)?;
    let shown = with_shipping(app, ctx, &destination, shipping_method, None).await?;
    Ok(shown.0)
}

/// A destination with a country that there is: the shop's own where none is given.
pub(super) fn known(app: &App, destination: Destination) -> Result<Destination> {
    if destination.country.is_empty() {
        let country = app.config.country.clone();
        return Ok(Destination {
            country,
            ..destination
        });
    }
    if is_country(&destination.country) {
        return Ok(destination);
    }
    let message = "Write the two letters of a country, such as DE.";
    Err(Error::invalid("country", "unknown", message))
}

/// The method of this code among those that serve a destination; without a code, the first one
/// that brings the goods. Errors: `Invalid` at `shipping_method`.
pub fn choose_method<'m>(
    methods: &'m [ShippingMethod],
    code: Option<&str>,
) -> Result<Option<&'m ShippingMethod>> {
    let Some(code) = code.filter(|code| !code.is_empty()) else {
        let delivery = methods.iter().find(|method| !method.is_pickup());
        return Ok(delivery.or(methods.first()));
    };
    let found = methods.iter().find(|method| method.code == code);
    found.map(Some).ok_or_else(|| {
        let message = "There is no such way to ship there. Choose another one.";
        Error::invalid("shipping_method", "unknown", message)
    })
}
