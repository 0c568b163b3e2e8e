//! Filling a cart. Whose cart it is follows from the [`Ctx`]: the signed-in user's, or the one
//! that `ctx.cart_token` names. Each answer is checked against today's prices and stock.
//!
//! A token that names somebody's account's cart, or one that is active no more, names nothing:
//! its bearer gets an empty cart, and a new token with the first thing put into it.

use serde::{Deserialize, Serialize};

use super::model::{Cart, CartItem, CartNotice, CartState, Offer};
use super::store::{self, CartRow, CartStatus, LineRow, OfferRow};
use crate::app::App;
use crate::credit::{self, CreditAccount};
use crate::ctx::{Ctx, Permission, Rule};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::pricing::{self, PriceInput, PriceLine, Quote, Refusal, ShippingPrice};
use crate::promotions::{self, Customer, Offers};
use crate::shipping::{self, ShippingMethod};
use crate::taxes::{self, Rates};
use crate::types::country::is_country;
use crate::types::{
    CartId, CartItemId, CreditAccountId, Destination, Email, Money, MoneyError, ProductId, Slug,
    Timestamp, UserId, VariantId,
};

/// What to put into the cart: a variant, or a product that has only one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddItem {
    /// Which variant.
    #[schema(value_type = Option<i64>)]
    pub variant_id: Option<VariantId>,
    /// Or which product.
    #[schema(value_type = Option<i64>)]
    pub product_id: Option<ProductId>,
    /// How many; left out: 1.
    pub quantity: Option<i64>,
}

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

/// The most codes in a cart.
const MAX_CODES: usize = 5;
/// The most gift cards in a cart.
const MAX_CARDS: usize = 10;
/// The most different articles in a cart.
pub const MAX_LINES: usize = 200;

/// The asker's cart; an empty one where there is none yet.
pub async fn current(app: &App, ctx: &Ctx) -> Result<Cart> {
    let mut conn = app.db.conn().await?;
    match find(&mut conn, ctx).await? {
        Some(row) => load(&mut conn, app, ctx, &row).await,
        None => empty(app, ctx),
    }
}

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
    let found = found(&mut conn, app, ctx, row.id, row.token).await?;
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
fn known(app: &App, destination: Destination) -> Result<Destination> {
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

/// Pieces in the asker's cart, for the header. A guest without a token costs no query.
pub async fn count(app: &App, ctx: &Ctx) -> Result<i64> {
    if let Some(user) = ctx.user_id() {
        Ok(store::count_of_user(&mut app.db.conn().await?, user).await?)
    } else if let Some(token) = &ctx.cart_token {
        Ok(store::count_of_guest(&mut app.db.conn().await?, token).await?)
    } else {
        Ok(0)
    }
}

/// Puts something into the cart; makes the cart when needed (its token is in the answer).
/// Errors: `Invalid` at `quantity`, `variant_id` or `product_id`; conflicts `out_of_stock` with
/// `{"available": n}`, and `cart_full`.
pub async fn add_item(app: &App, ctx: &Ctx, input: AddItem) -> Result<Cart> {
    let quantity = input.quantity.unwrap_or(1);
    check_quantity(app, quantity)?;
    let token = app.rng.token();
    let mut tx = app.db.begin().await?;
    let variant = resolve(&mut tx, app, &input).await?;
    let offer = store::offer(&mut tx, variant, app.currency()).await?;
    let offer = offer.ok_or_else(|| {
        let message = "This is not for sale.";
        Error::invalid(field_of(&input), "not_for_sale", message)
    })?;
    let row = open(&mut tx, ctx, &token).await?;
    let wanted = store::add(
        &mut tx,
        row.id,
        variant,
        quantity,
        offer.price_minor,
        ctx.now,
    )
    .await?;
    check_quantity(app, wanted)?;
    check_stock(&offer, wanted, wanted - quantity)?;
    let cart = load(&mut tx, app, ctx, &row).await?;
    if cart.items.len() > MAX_LINES {
        let detail = format!("A cart holds {MAX_LINES} different articles at most.");
        return Err(Error::conflict("cart_full", detail));
    }
    tx.commit().await?;
    Ok(cart)
}

/// The product that is meant, for the way back to its page when nothing could be added.
pub async fn product_of(app: &App, input: &AddItem) -> Result<Option<Slug>> {
    let mut conn = app.db.conn().await?;
    Ok(store::slug_of(&mut conn, input.variant_id, input.product_id).await?)
}

/// Changes how many of a line; 0 removes it.
pub async fn set_quantity(app: &App, ctx: &Ctx, item: CartItemId, quantity: i64) -> Result<Cart> {
    if quantity == 0 {
        return remove_item(app, ctx, item).await;
    }
    check_quantity(app, quantity)?;
    let (mut tx, row) = begin_change(app, ctx).await?;
    let lines = store::lines(&mut tx, row.id).await?;
    let line = lines.iter().find(|line| line.id == item);
    let line = line.ok_or(Error::NotFound)?;
    let offer = OfferRow {
        variant_id: line.variant_id,
        name: line.name.clone(),
        price_minor: line.price_minor,
        available: if is_for_sale(app, line) {
            line.available
        } else {
            0
        },
        backorder: line.backorder && is_for_sale(app, line),
    };
    // To lower a line is always fine, even where it still asks for too many.
    if quantity > line.quantity {
        check_stock(&offer, quantity, 0)?;
    }
    store::set_quantity(&mut tx, row.id, item, quantity, offer.price_minor).await?;
    finish_change(app, ctx, tx, &row).await
}

/// Removes a line.
pub async fn remove_item(app: &App, ctx: &Ctx, item: CartItemId) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    if !store::remove(&mut tx, row.id, item).await? {
        return Err(Error::NotFound);
    }
    finish_change(app, ctx, tx, &row).await
}

/// Removes all lines.
pub async fn clear(app: &App, ctx: &Ctx) -> Result<Cart> {
    let (mut tx, row) = match begin_change(app, ctx).await {
        Err(Error::NotFound) => return empty(app, ctx),
        begun => begun?,
    };
    store::clear(&mut tx, row.id).await?;
    finish_change(app, ctx, tx, &row).await
}

/// At sign-in: the guest's cart that `guest_token` names goes into the cart of the user in
/// `ctx`; quantities add up, capped by stock. Gives how many lines came over. A cart that
/// belongs to somebody is never taken.
pub async fn merge_guest_cart(app: &App, ctx: &Ctx, guest_token: &str) -> Result<i64> {
    ctx.check(Rule::SignedIn)?;
    // Asked before a write transaction is begun: most sign-ins bring no cart.
    let is_guests = |row: &CartRow| row.user_id.is_none() && row.status == CartStatus::Active;
    let guest = store::by_token(&mut app.db.conn().await?, guest_token).await?;
    let Some(guest) = guest.filter(is_guests) else {
        return Ok(0);
    };
    let token = app.rng.token();
    let mut tx = app.db.begin().await?;
    if !store::end(&mut tx, guest.id, CartStatus::Merged, ctx.now).await? {
        return Ok(0);
    }
    let mine = open(&mut tx, ctx, &token).await?;
    let mut incoming = store::lines(&mut tx, guest.id).await?;
    incoming.sort_by_key(|line| line.variant_id);
    let existing = store::lines(&mut tx, mine.id).await?;
    let mut came_over = 0;
    let mut new_lines = 0;
    for line in incoming.iter().filter(|line| is_for_sale(app, line)) {
        let before = existing
            .iter()
            .find(|old| old.variant_id == line.variant_id);
        let had = before.map_or(0, |old| old.quantity);
        let room = if line.backorder {
            app.config.max_quantity - had
        } else {
            line.available.min(app.config.max_quantity) - had
        };
        let more = line.quantity.min(room);
        let full = before.is_none() && existing.len() + new_lines >= MAX_LINES;
        if more <= 0 || full {
            continue;
        }
        // The price that was seen first stays, so that a change since then is still told.
        let seen = before.map_or(line.seen_price_minor, |old| old.seen_price_minor);
        store::add(&mut tx, mine.id, line.variant_id, more, seen, ctx.now).await?;
        came_over += 1;
        new_lines += usize::from(before.is_none());
    }
    for code in store::codes(&mut tx, guest.id).await? {
        store::add_code(&mut tx, mine.id, &code, ctx.now).await?;
    }
    for card in store::gift_cards(&mut tx, guest.id).await? {
        store::add_gift_card(&mut tx, mine.id, card, ctx.now).await?;
    }
    tx.commit().await?;
    Ok(came_over)
}

/// Adds a promotion's code to the asker's cart. It may wait there for what it still needs: the
/// quote tells. Errors: `Invalid` at `code` for one that nothing has, or too many; `NotFound`
/// without a cart.
pub async fn add_code(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let code = promotions::code_of(typed);
    if code.is_empty() {
        return Err(Error::invalid("code", "required", "Write the code."));
    }
    let (mut tx, row) = begin_change(app, ctx).await?;
    let mut codes = store::codes(&mut tx, row.id).await?;
    if !codes.contains(&code) {
        if codes.len() >= MAX_CODES {
            let message = format!("A cart takes {MAX_CODES} codes.");
            return Err(Error::invalid("code", "too_many", message));
        }
        store::add_code(&mut tx, row.id, &code, ctx.now).await?;
        codes.push(code.clone());
    }
    let cart = load(&mut tx, app, ctx, &row).await?;
    let mut refused = cart.quote.refused.iter();
    let unknown = refused
        .find(|one| one.reason == Refusal::Unknown && one.code.as_deref() == Some(code.as_str()));
    if let Some(unknown) = unknown {
        let message = unknown.reason.in_words();
        return Err(Error::invalid("code", "unknown", message));
    }
    tx.commit().await?;
    Ok(cart)
}

/// Takes a code out of the asker's cart. Errors: `NotFound`.
pub async fn remove_code(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    if !store::remove_code(&mut tx, row.id, &promotions::code_of(typed)).await? {
        return Err(Error::NotFound);
    }
    finish_change(app, ctx, tx, &row).await
}

/// Adds a gift card to what the asker's cart is to be paid with. Errors: `Invalid` at `code`, the
/// same for every code that pays nothing now; `TooMany`; `NotFound` without a cart.
pub async fn add_gift_card(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let card = credit::service::card_of_code(app, ctx, typed).await?;
    let (mut tx, row) = begin_change(app, ctx).await?;
    let there = store::gift_cards(&mut tx, row.id).await?;
    if !there.contains(&card.id) && there.len() >= MAX_CARDS {
        let message = format!("A cart takes {MAX_CARDS} gift cards.");
        return Err(Error::invalid("code", "too_many", message));
    }
    store::add_gift_card(&mut tx, row.id, card.id, ctx.now).await?;
    finish_change(app, ctx, tx, &row).await
}

/// Takes a gift card out of the asker's cart, by its last four or its id. Errors: `NotFound`.
pub async fn remove_gift_card(app: &App, ctx: &Ctx, which: &str) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    let ids = store::gift_cards(&mut tx, row.id).await?;
    let cards = credit::service::cards(&mut tx, &ids).await?;
    let last_four = credit::code_of(which);
    let by_code = cards.iter().find(|card| card.last_four == last_four);
    let by_id = || cards.iter().find(|card| card.id.to_string() == which);
    let card = by_code.or_else(by_id).ok_or(Error::NotFound)?;
    store::remove_gift_card(&mut tx, row.id, card.id).await?;
    finish_change(app, ctx, tx, &row).await
}

/// For checkout: nobody else spends from the gift cards of a cart, nor the asker's store credit,
/// until the transaction ends.
pub async fn lock_money(tx: &mut Tx, app: &App, ctx: &Ctx, cart: CartId) -> Result<()> {
    let mut ids: Vec<CreditAccountId> = store::gift_cards(tx, cart).await?;
    if let Some(user) = ctx.user_id() {
        let own = credit::service::of_user(tx, user, app.currency()).await?;
        ids.extend(own.map(|account| account.id));
    }
    credit::service::lock_cards(tx, &ids).await?;
    Ok(())
}

/// Removes the carts of a user whose account ends.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::erase(tx, user).await?)
}

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

/// For checkout: the cart that `cart_token` names, if the asker may know it, or their active one.
/// An account's cart is known to its user only, a guest's cart to whoever has its token. A cart
/// that was merged names its user's active cart.
pub async fn named(conn: &mut Conn, ctx: &Ctx, cart_token: Option<&str>) -> Result<CartState> {
    if let Some(token) = cart_token
        && let Some(row) = store::by_token(conn, token).await?
    {
        let may_know = (row.user_id).is_none_or(|owner| ctx.allows(Rule::IsOwner(owner)));
        match row.status {
            CartStatus::Ordered if may_know => return Ok(CartState::Ordered(row.id)),
            CartStatus::Active if row.user_id == ctx.user_id() => {
                return Ok(CartState::Active(row.id));
            }
            CartStatus::Ordered | CartStatus::Active | CartStatus::Merged => {}
        }
    }
    let active = find(conn, ctx).await?;
    Ok(active.map_or(CartState::None, |row| CartState::Active(row.id)))
}

/// For checkout: ends an active cart in the transaction that makes it an order, and locks it.
/// Gives false when somebody else was first.
pub async fn claim(tx: &mut Tx, ctx: &Ctx, cart: CartId) -> Result<bool> {
    Ok(store::end(tx, cart, CartStatus::Ordered, ctx.now).await?)
}

/// For checkout: a cart with today's prices, stock and promotions on these terms, read in the
/// caller's transaction.
pub async fn priced(
    conn: &mut Conn,
    app: &App,
    ctx: &Ctx,
    cart: CartId,
    terms: &Terms<'_>,
) -> Result<Cart> {
    let found = found(conn, app, ctx, cart, String::new()).await?;
    assemble(conn, app, ctx.now, found, terms).await
}

/// The asker's active cart.
async fn find(conn: &mut Conn, ctx: &Ctx) -> Result<Option<CartRow>> {
    if let Some(user) = ctx.user_id() {
        return Ok(store::active_of_user(conn, user).await?);
    }
    let Some(token) = &ctx.cart_token else {
        return Ok(None);
    };
    let row = store::by_token(conn, token).await?;
    Ok(row.filter(|row| row.user_id.is_none() && row.status == CartStatus::Active))
}

/// The asker's active cart, made when needed with `token`, and locked. Errors: `Unavailable` when
/// parallel requests of the same asker order each cart that we find.
async fn open(tx: &mut Tx, ctx: &Ctx, token: &str) -> Result<CartRow> {
    for _ in 0..3 {
        let row = match find(tx, ctx).await? {
            Some(row) => Some(row),
            None => make(tx, ctx, token).await?,
        };
        if let Some(row) = row
            && store::touch(tx, row.id, ctx.now).await?
        {
            return Ok(row);
        }
    }
    Err(Error::Unavailable)
}

/// A new cart of the asker's, or the one that a parallel request made; none when that one is an
/// order already.
async fn make(tx: &mut Tx, ctx: &Ctx, token: &str) -> Result<Option<CartRow>> {
    store::insert(tx, token, ctx.user_id(), ctx.now).await?;
    Ok(match ctx.user_id() {
        Some(user) => store::active_of_user(tx, user).await?,
        None => store::by_token(tx, token).await?,
    })
}

/// Begins to change the lines of the asker's cart. Errors: `NotFound` when there is none.
async fn begin_change(app: &App, ctx: &Ctx) -> Result<(Tx, CartRow)> {
    let mut tx = app.db.begin().await?;
    let row = find(&mut tx, ctx).await?.ok_or(Error::NotFound)?;
    if store::touch(&mut tx, row.id, ctx.now).await? {
        Ok((tx, row))
    } else {
        Err(Error::NotFound)
    }
}

async fn finish_change(app: &App, ctx: &Ctx, mut tx: Tx, row: &CartRow) -> Result<Cart> {
    let cart = load(&mut tx, app, ctx, row).await?;
    tx.commit().await?;
    Ok(cart)
}

fn field_of(input: &AddItem) -> &'static str {
    if input.variant_id.is_some() {
        "variant_id"
    } else {
        "product_id"
    }
}

/// The variant that is meant.
async fn resolve(conn: &mut Conn, app: &App, input: &AddItem) -> Result<VariantId> {
    match (input.variant_id, input.product_id) {
        (Some(_), Some(_)) => {
            let message = "Give a variant or a product, not both.";
            Err(Error::invalid("product_id", "one_of", message))
        }
        (Some(variant), None) => Ok(variant),
        (None, Some(product)) => {
            let variants = store::variants_of(conn, product, app.currency()).await?;
            match variants.as_slice() {
                [] => {
                    let message = "There is no such product for sale.";
                    Err(Error::invalid("product_id", "not_for_sale", message))
                }
                [variant] => Ok(*variant),
                _ => {
                    let message = "This comes in several variants: choose one.";
                    Err(Error::invalid("product_id", "choose_variant", message))
                }
            }
        }
        (None, None) => {
            let message = "Say which variant or product.";
            Err(Error::invalid("variant_id", "required", message))
        }
    }
}

fn check_quantity(app: &App, quantity: i64) -> Result<()> {
    let max = app.config.max_quantity;
    if (1..=max).contains(&quantity) {
        Ok(())
    } else {
        let message = format!("Choose 1 to {max} of one article.");
        Err(Error::invalid("quantity", "range", message))
    }
}

fn check_stock(offer: &OfferRow, wanted: i64, in_cart: i64) -> Result<()> {
    let available = offer.available.max(0);
    if offer.backorder || wanted <= available {
        return Ok(());
    }
    let name = &offer.name;
    let detail = match (available, in_cart) {
        (0, _) => format!("{name} is sold out."),
        (_, 0) => format!("Only {available} of {name} left."),
        _ => format!("Only {available} of {name} left, and {in_cart} in your cart already."),
    };
    Err(Error::Conflict {
        code: "out_of_stock",
        detail,
        data: serde_json::json!({ "available": available }),
    })
}

/// A cart that nobody put anything into yet.
fn empty(app: &App, ctx: &Ctx) -> Result<Cart> {
    let none = (Offers::default(), Rates::default());
    price(app, ctx.now, Found::default(), none, None)
}

/// The asker's cart while nothing is chosen: taxed at home, without shipping.
async fn load(conn: &mut Conn, app: &App, ctx: &Ctx, row: &CartRow) -> Result<Cart> {
    let found = found(conn, app, ctx, row.id, row.token.clone()).await?;
    let terms = Terms {
        customer: &customer(ctx),
        destination: &app.config.home(),
        method: None,
    };
    assemble(conn, app, ctx.now, found, &terms).await
}

async fn found(conn: &mut Conn, app: &App, ctx: &Ctx, id: CartId, token: String) -> Result<Found> {
    let cards = store::gift_cards(conn, id).await?;
    let store_credit = match ctx.user_id() {
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
fn is_for_sale(app: &App, line: &LineRow) -> bool {
    line.for_sale && line.currency == app.currency()
}

/// A cart as the database has it.
#[derive(Clone, Default)]
struct Found {
    id: Option<CartId>,
    token: String,
    lines: Vec<LineRow>,
    codes: Vec<String>,
    gift_cards: Vec<CreditAccount>,
    store_credit: Option<CreditAccount>,
}

/// The asker, as far as limits of promotions go.
fn customer(ctx: &Ctx) -> Customer {
    Customer {
        user_id: ctx.user_id(),
        email: ctx.user().map(|user| user.email.clone()),
    }
}

/// A cart with what the shop offers to it at a moment.
async fn assemble(
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
async fn promotions_of(
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

fn price(
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

fn too_much(error: MoneyError) -> Error {
    match error {
        MoneyError::Overflow => {
            let detail = "This comes to more than the shop can charge at once.";
            Error::conflict("amount_too_large", detail)
        }
        other => Error::Internal(other.into()),
    }
}
