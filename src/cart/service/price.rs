//! A cart as the database has it, with today's prices, stock, promotions and taxes.

use super::super::model::{Cart, CartItem, CartNotice};
use super::super::store::{self, CartRow, LineRow};
use crate::app::App;
use crate::credit::{self, CreditAccount};
use crate::ctx::Ctx;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::pricing::{self, PriceInput, PriceLine, ShippingPrice};
use crate::promotions::{self, Customer, Offers};
use crate::shipping::ShippingMethod;
use crate::taxes::{self, Rates};
use crate::types::{CartId, Destination, Money, MoneyError, Timestamp, UserId};

/// What a cart is priced for.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// Who buys, as far as limits of promotions go.
    pub customer: &'t Customer,
    /// Where it goes, which decides on taxes.
    pub destination: &'t Destination,
    /// How it is shipped; none while that is open.
    pub method: Option<&'t ShippingMethod>,
}

/// A cart as the database has it.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub(super) id: Option<CartId>,
    pub(super) token: String,
    pub(super) lines: Vec<LineRow>,
    pub(super) codes: Vec<String>,
    pub(super) gift_cards: Vec<CreditAccount>,
    pub(super) store_credit: Option<CreditAccount>,
}

/// For checkout: a cart with prices, stock and promotions of a moment on these terms, and with
/// what its customer has to pay it with, read in the caller's transaction.
pub async fn priced(
    conn: &mut Conn,
    app: &App,
    at: Timestamp,
    cart: CartId,
    terms: &Terms<'_>,
) -> Result<Cart> {
    let owner = terms.customer.user_id;
    let found = found(conn, app, owner, cart, String::new()).await?;
    assemble(conn, app, at, found, terms).await
}

/// A cart that nobody put anything into yet.
pub(super) fn empty(app: &App, ctx: &Ctx) -> Result<Cart> {
    let none = (Offers::default(), Rates::default());
    price(app, ctx.now, Found::default(), none, None)
}

/// The asker's cart while nothing is chosen: taxed at home, without shipping.
pub(super) async fn load(conn: &mut Conn, app: &App, ctx: &Ctx, row: &CartRow) -> Result<Cart> {
    let found = found(conn, app, ctx.user_id(), row.id, row.token.clone()).await?;
    let terms = Terms {
        customer: &customer(ctx),
        destination: &app.config.home(),
        method: None,
    };
    assemble(conn, app, ctx.now, found, &terms).await
}

pub(super) async fn found(
    conn: &mut Conn,
    app: &App,
    owner: Option<UserId>,
    id: CartId,
    token: String,
) -> Result<Found> {
    let cards = store::gift_cards(conn, id).await?;
    let store_credit = match owner {
        Some(user) => credit::service::of_user(conn, user, app.currency()).await?,
        None => None,
    };
    Ok(Found {
        gift_cards: credit::service::cards(conn, &cards).await?,
        store_credit,
        id: Some(id),
        token,
        lines: store::lines(conn, id).await?,
        codes: store::codes(conn, id).await?,
    })
}

/// A price in another currency than the shop's is left over from another time: not for sale.
pub(super) fn is_for_sale(app: &App, line: &LineRow) -> bool {
    line.for_sale && line.currency == app.currency()
}

/// The asker, as far as limits of promotions go.
pub(super) fn customer(ctx: &Ctx) -> Customer {
    Customer {
        user_id: ctx.user_id(),
        email: ctx.user().map(|user| user.email.clone()),
    }
}

/// A cart with what the shop offers to it at a moment.
pub(super) async fn assemble(
    conn: &mut Conn,
    app: &App,
    at: Timestamp,
    found: Found,
    terms: &Terms<'_>,
) -> Result<Cart> {
    let offers = promotions_of(conn, app, at, &found, terms.customer).await?;
    let home;
    let taxed_at = if terms.method.is_some_and(ShippingMethod::is_pickup) {
        // What is picked up changes hands where the shop is.
        home = app.config.home();
        &home
    } else {
        terms.destination
    };
    let rates = taxes::service::rates(conn, app, taxed_at).await?;
    price(app, at, found, (offers, rates), terms.method)
}

/// What the shop offers to a cart; nothing to an empty one.
pub(super) async fn promotions_of(
    conn: &mut Conn,
    app: &App,
    at: Timestamp,
    found: &Found,
    customer: &Customer,
) -> Result<Offers> {
    if found.lines.is_empty() {
        return Ok(Offers::default());
    }
    let (currency, codes) = (app.currency(), &found.codes);
    promotions::service::offers(conn, currency, codes, customer, at).await
}

pub(super) fn price(
    app: &App,
    at: Timestamp,
    found: Found,
    (offers, rates): (Offers, Rates),
    method: Option<&ShippingMethod>,
) -> Result<Cart> {
    let mut notices = Vec::new();
    let mut items = Vec::with_capacity(found.lines.len());
    for line in found.lines {
        let seen = line.seen_price_minor;
        let item = item(app, line)?;
        notices.extend(notice(&item, seen));
        items.push(item);
    }
    let mut input = price_input(app, at, &items, &rates, method);
    input.promotions = offers.promotions;
    let mut quote = pricing::quote(&input).map_err(too_much)?;
    quote.refused.extend(offers.refused);
    Ok(Cart {
        id: found.id,
        token: found.token,
        items,
        codes: found.codes,
        gift_cards: found.gift_cards,
        store_credit: found.store_credit,
        quote,
        notices,
    })
}

fn item(app: &App, line: LineRow) -> Result<CartItem> {
    let for_sale = is_for_sale(app, &line);
    let variant_name = variant_name(&line);
    let unit_price = Money::new(line.price_minor, line.currency);
    Ok(CartItem {
        id: line.id,
        variant_id: line.variant_id,
        product_id: line.product_id,
        slug: line.slug,
        sku: line.sku,
        name: line.name,
        variant_name,
        image_key: line.image_key,
        quantity: line.quantity,
        unit_price,
        subtotal: unit_price.times(line.quantity).map_err(too_much)?,
        available: line.available.max(0),
        backorder: line.backorder,
        for_sale,
        digital: line.digital,
        tax_class: line.tax_class,
        category_id: line.category_id,
        weight_grams: line.weight_grams,
    })
}

/// The chosen options in words; nothing where the column cannot be read.
fn variant_name(line: &LineRow) -> String {
    let options: Vec<String> = serde_json::from_str(&line.options).unwrap_or_default();
    options.join(", ")
}

/// The one thing to tell about a line: what stands most in the way of buying it. `seen`: the
/// price when the line was last changed, in minor units.
fn notice(item: &CartItem, seen: i64) -> Option<CartNotice> {
    let name = item.label();
    if !item.for_sale {
        Some(CartNotice::NotForSale { name })
    } else if !item.is_buyable() {
        Some(CartNotice::NotEnough {
            name,
            wanted: item.quantity,
            available: item.available,
        })
    } else if item.unit_price.minor() != seen {
        Some(CartNotice::PriceChanged {
            name,
            before: Money::new(seen, item.unit_price.currency()),
            now: item.unit_price,
        })
    } else {
        None
    }
}

/// What the kernel gets: the lines that are for sale, each with the tax of its class.
fn price_input(
    app: &App,
    at: Timestamp,
    items: &[CartItem],
    rates: &Rates,
    method: Option<&ShippingMethod>,
) -> PriceInput {
    let lines = items.iter().filter(|item| item.for_sale);
    let lines = lines.map(|item| PriceLine {
        variant_id: item.variant_id,
        product_id: item.product_id,
        category_id: item.category_id,
        label: item.label(),
        quantity: item.quantity,
        unit_price: item.unit_price,
        tax: rates.of(&item.tax_class),
        ships: !item.digital,
        weight_grams: item.weight_grams,
    });
    PriceInput {
        currency: app.currency(),
        prices_include_tax: app.config.prices_include_tax,
        at,
        lines: lines.collect(),
        promotions: Vec::new(),
        shipping: method.map(|method| ShippingPrice {
            label: method.name.clone(),
            rate: method.rate(),
            free_over: method.free_over,
            tax: rates.of_shipping(),
        }),
    }
}

pub(super) fn too_much(error: MoneyError) -> Error {
    match error {
        MoneyError::Overflow => {
            let detail = "This comes to more than the shop can charge at once.";
            Error::conflict("amount_too_large", detail)
        }
        other => Error::Internal(other.into()),
    }
}
