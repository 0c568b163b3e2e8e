//! Turning a cart into an order, exactly once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::address;
use super::model::{Checkout, Given, PaymentChoice, Placed, Requirement, requirements};
use crate::addresses::service::{self as addresses, AddressFields};
use crate::addresses::{PostalAddress, SavedAddress};
use crate::app::App;
use crate::cart::{self, Cart, CartState};
use crate::credit::{self, CreditKind, CreditState, Settlement};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::faults;
use crate::inventory::{self, Shortfall};
use crate::orders::{self, Address, NewOrder, NewOrderLine};
use crate::payments::Providers;
use crate::pricing::api::QuoteJson;
use crate::pricing::{Applied, Refusal, Refused};
use crate::promotions::{self, Customer};
use crate::shipping::{self, ShippingMethod, country_name};
use crate::types::country::is_country;
use crate::types::{AddressId, CartId, Destination, Email, Money, MoneyInput, VariantId};

/// The longest note, in characters.
const MAX_NOTE: usize = 1_000;

/// An address as a form or an API client gives it. An API client may give one free text
/// instead, which is kept as it is.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AddressInput {
    /// Field by field.
    Fields(AddressFields),
    /// One free text.
    Text(String),
}

/// How to pay.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentInput {
    /// The provider's name; left out: `cash_on_delivery`.
    pub provider: Option<String>,
    /// What some gateways need.
    pub token: Option<String>,
}

/// What is needed to place the cart.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceOrder {
    /// Where it goes.
    pub shipping_address: Option<AddressInput>,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<AddressInput>,
    /// Guests: where letters about it go.
    pub email: Option<String>,
    /// Code of the method; left out: the first one.
    pub shipping_method: Option<String>,
    /// How to pay.
    pub payment: Option<PaymentInput>,
    /// The total that the shopper confirmed; another one is the conflict `total_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_total: Option<MoneyInput>,
    /// Whether the asker's store credit is to pay, after the cart's gift cards.
    pub store_credit: bool,
    /// What the shopper expects to remain after gift cards and store credit; another sum is the
    /// conflict `remaining_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_remaining: Option<MoneyInput>,
    /// A note to the shop.
    pub note: Option<String>,
}

/// What is chosen on the checkout page so far.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Where it goes, as it is typed; none: to the address that the form begins with.
    pub destination: Option<Destination>,
    /// The address in the asker's book that the form begins with; none, or an unknown one: the
    /// default.
    pub address: Option<AddressId>,
    /// What a guest has typed so far, which limits of promotions look at.
    pub email: Option<String>,
    /// The code of the way to ship; none, or one that does not serve the destination: the first.
    pub shipping_method: Option<String>,
    /// Whether the asker's store credit is to pay.
    pub store_credit: bool,
}

/// What the checkout page shows.
pub async fn checkout(app: &App, ctx: &Ctx, choice: Choice) -> Result<Checkout> {
    let saved_addresses = match ctx.user() {
        Some(_) => addresses::list(app, ctx).await?,
        None => Vec::new(),
    };
    let chosen = saved_addresses
        .iter()
        .find(|saved| Some(saved.id) == choice.address);
    let address = match chosen {
        Some(saved) => saved.address.clone(),
        None => first_address(app, ctx, &saved_addresses).await?,
    };
    let destination = choice.destination.unwrap_or_else(|| address.destination());
    let destination = served(app, destination);
    let shipping_method = choice.shipping_method.as_deref();
    let email = choice.email.as_deref().and_then(Email::parse);
    let with = |method| cart::service::with_shipping(app, ctx, &destination, method, email.clone());
    let (cart, offers) = match with(shipping_method).await {
        Err(Error::Invalid(_)) => with(None).await?,
        shown => shown?,
    };
    let methods: Vec<ShippingMethod> = offers.iter().map(|offer| offer.method.clone()).collect();
    let (chosen, dropped) = match cart::service::choose_method(&methods, shipping_method) {
        Ok(chosen) => (chosen, false),
        Err(_) => (cart::service::choose_method(&methods, None)?, true),
    };
    let email = ctx.user().map(|user| user.email.to_string());
    let settlement = settlement(ctx, &cart, choice.store_credit)?;
    let pickup = chosen.is_some_and(ShippingMethod::is_pickup);
    let given = Given {
        email: email.is_some(),
        shipping_address: addresses::is_complete(&address) || (pickup && !address.name.is_empty()),
        pickup,
        shipping_method: chosen.is_some() || !cart.ships(),
        payment: app.payments.iter().next().is_some() || settlement.remaining.is_zero(),
    };
    let choices = app.payments.iter().map(|provider| PaymentChoice {
        name: provider.name(),
        label: provider.label(),
        description: provider.description(),
    });
    Ok(Checkout {
        requirements: requirements(&cart, given),
        settlement,
        cart,
        shipping_method: chosen.map(|method| method.code.clone()).unwrap_or_default(),
        dropped,
        offers,
        payment_choices: choices.collect(),
        email: email.unwrap_or_default(),
        destination,
        address,
        saved_addresses,
    })
}

/// How a cart is paid by its gift cards and, where that is wanted, by store credit.
fn settlement(ctx: &Ctx, cart: &Cart, store_credit: bool) -> Result<Settlement> {
    let settled = cart.settlement(ctx.now, store_credit);
    settled.map_err(|error| Error::Internal(error.into()))
}

/// The destination that prices are for: the shop's own country until another one is known.
fn served(app: &App, destination: Destination) -> Destination {
    if is_country(&destination.country) {
        destination
    } else {
        app.config.home()
    }
}

/// What the form begins with: the default of the asker's book, or where their newest order went.
async fn first_address(app: &App, ctx: &Ctx, book: &[SavedAddress]) -> Result<PostalAddress> {
    if let Some(saved) = book.iter().find(|saved| saved.default_shipping) {
        return Ok(saved.address.clone());
    }
    Ok(match orders::service::last_address(app, ctx).await? {
        Some(Address::Fields(address)) => address,
        // A free text does not fit into the fields of the form.
        Some(Address::Text(_)) | None => PostalAddress {
            name: ctx.user().map(|user| user.name.clone()).unwrap_or_default(),
            ..PostalAddress::default()
        },
    })
}

/// What is still needed before the cart can become an order with what was typed so far.
pub fn still_needed(app: &App, ctx: &Ctx, shown: &Checkout, typed: PlaceOrder) -> Vec<Requirement> {
    let pickup = shown.is_pickup();
    let errors = match Wish::read(app, ctx, typed, pickup) {
        Err(Error::Invalid(errors)) => errors,
        Ok(_) | Err(_) => FieldErrors::default(),
    };
    let is_fine = |field: &str| !errors.iter().any(|(name, _)| name.starts_with(field));
    let given = Given {
        email: is_fine("email"),
        shipping_address: is_fine("shipping_address"),
        pickup,
        shipping_method: !shown.shipping_method.is_empty() || !shown.cart.ships(),
        payment: is_fine("payment") || shown.settlement.remaining.is_zero(),
    };
    requirements(&shown.cart, given)
}

/// Turns the cart into an order. Safe to call twice: the second call returns the first order.
/// `cart_token` names the cart when it is no longer the asker's active one (a repeated form).
/// Errors: fields; conflicts `cart_empty`, `out_of_stock` with the lines that fell short,
/// `total_changed` with the new quote and what changed.
pub async fn place_order(
    app: &App,
    ctx: &Ctx,
    cart_token: Option<&str>,
    input: PlaceOrder,
) -> Result<Placed> {
    let placed = place(app, ctx, cart_token, input).await;
    match &placed {
        Ok(placed) if !placed.replayed => {
            metrics::counter!("zoco_orders_placed_total").increment(1);
        }
        Err(Error::Conflict { code, .. }) => {
            metrics::counter!("zoco_order_conflicts_total", "code" => *code).increment(1);
        }
        Ok(_) | Err(_) => {}
    }
    placed
}

async fn place(
    app: &App,
    ctx: &Ctx,
    cart_token: Option<&str>,
    input: PlaceOrder,
) -> Result<Placed> {
    let mut conn = app.db.conn().await?;
    let cart = match cart::service::named(&mut conn, ctx, cart_token).await? {
        CartState::Active(cart) => cart,
        CartState::Ordered(cart) => {
            let placed = placed_before(&mut conn, app, cart).await?;
            drop(conn);
            return start(app, placed).await;
        }
        CartState::None => return Err(refusal(Requirement::Items)),
    };
    let pickup = match input.shipping_method.as_deref() {
        Some(code) => shipping::service::pickup(&mut conn, app, code).await?,
        None => None,
    };
    drop(conn);
    let pickup = pickup.is_some();
    let wish = Wish::read(app, ctx, input, pickup)?;

    let mut tx = app.db.begin().await?;
    // The cart's row is locked from here on, then what it is paid with, then its goods: whoever
    // cancels an order comes in the same order. Whatever fails below rolls this back as well, and
    // the cart is active again.
    if !cart::service::claim(&mut tx, ctx, cart).await? {
        let placed = placed_before(&mut tx, app, cart).await?;
        drop(tx);
        return start(app, placed).await;
    }
    faults::reach("place.claimed");
    let order = price(&mut tx, app, ctx, cart, wish).await?;
    if !credit::service::spend(&mut tx, ctx, &order.credits, &order.number).await? {
        let words = "what a cart is paid with is locked, and yet somebody spent it";
        return Err(Error::Internal(anyhow::anyhow!(words)));
    }
    let lines: Vec<(VariantId, i64)> = order
        .lines
        .iter()
        .map(|line| (line.priced.variant_id, line.priced.quantity))
        .collect();
    let number = &order.number;
    let online = app.payments.gateway(&order.provider).is_some();
    // Goods that are paid online are held until the money comes.
    let short = if online && !order.remaining.is_zero() {
        let until = inventory::service::deadline(app, ctx);
        inventory::service::reserve(&mut tx, ctx, &lines, number, until).await?
    } else {
        inventory::service::take(&mut tx, ctx, &lines, number).await?
    };
    if !short.is_empty() {
        return Err(out_of_stock(&short, &order.lines));
    }
    faults::reach("place.stock_held");
    redeem(&mut tx, ctx, &order).await?;
    faults::reach("place.promotions_counted");
    orders::service::place(&mut tx, app, ctx, &order).await?;
    faults::reach("place.order_written");
    let placed = written(&mut tx, app, cart).await?;
    tx.commit().await?;
    faults::reach("place.committed");
    let placed = placed.ok_or_else(|| anyhow::anyhow!("a placed order is missing"))?;
    start(app, placed).await
}

/// The order of a cart that somebody placed before.
async fn placed_before(conn: &mut Conn, app: &App, cart: CartId) -> Result<Placed> {
    let placed = written(conn, app, cart).await?;
    let placed = placed.ok_or_else(|| refusal(Requirement::Items))?;
    Ok(Placed {
        replayed: true,
        ..placed
    })
}

async fn written(conn: &mut Conn, app: &App, cart: CartId) -> Result<Option<Placed>> {
    let order = orders::service::of_cart(conn, cart).await?;
    Ok(order.map(|order| Placed {
        guest_token: orders::service::guest_token(app, &order),
        payment: orders::service::next_step(app, &order),
        order,
        replayed: false,
    }))
}

/// Tells the gateway of the payment, where there is one, so that the shopper can go on to it at
/// once.
async fn start(app: &App, placed: Placed) -> Result<Placed> {
    let order = orders::service::start(app, placed.order).await?;
    Ok(Placed {
        payment: orders::service::next_step(app, &order),
        order,
        ..placed
    })
}

/// The order as it will be, at today's prices. Errors: what still is needed; `total_changed`.
async fn price(tx: &mut Tx, app: &App, ctx: &Ctx, cart: CartId, wish: Wish) -> Result<NewOrder> {
    let destination = match &wish.shipping_address {
        Address::Fields(address) => address.destination(),
        // Nobody reads a country out of a free text.
        Address::Text(_) => app.config.home(),
    };
    let mut methods = shipping::service::methods_to(tx, app, &destination).await?;
    if let Some(code) = &wish.shipping_method {
        let pickup = shipping::service::pickup(tx, app, code).await?;
        methods.extend(pickup.filter(|_| methods.iter().all(|method| method.code != *code)));
    }
    let method = cart::service::choose_method(&methods, wish.shipping_method.as_deref())?;
    let terms = cart::service::Terms {
        customer: &customer(ctx, &wish.email),
        destination: &destination,
        method,
    };
    cart::service::lock_money(tx, app, ctx, cart).await?;
    let cart = cart::service::priced(tx, app, ctx, cart, &terms).await?;
    let given = Given {
        email: true,
        shipping_address: true,
        pickup: method.is_some_and(ShippingMethod::is_pickup),
        shipping_method: method.is_some() || !cart.ships(),
        payment: true,
    };
    if let Some(&missing) = requirements(&cart, given).first() {
        return Err(match missing {
            Requirement::Stock => cart_out_of_stock(&cart),
            Requirement::ShippingMethod => no_delivery(&destination),
            missing => refusal(missing),
        });
    }
    match wish.expected_total {
        Some(expected) if expected != cart.quote.total => {
            return Err(total_changed(&cart, expected));
        }
        Some(_) => {}
        // Whoever confirmed no total must not pay more than their codes promised.
        None => cart.quote.refused.iter().try_for_each(refused_code)?,
    }
    let settled = settlement(ctx, &cart, wish.store_credit)?;
    let unusable = cart
        .gift_cards
        .iter()
        .any(|card| card.spendable(ctx.now).is_zero());
    let as_confirmed = match wish.expected_remaining {
        Some(expected) => expected == settled.remaining,
        // Whoever confirmed nothing must not pay more than their cards promised.
        None => !unusable,
    };
    if !as_confirmed {
        return Err(remaining_changed(
            ctx,
            &cart,
            &settled,
            wish.expected_remaining,
        ));
    }
    new_order(app, ctx, cart, method, wish, settled)
}

/// Who buys, as far as limits of promotions go.
fn customer(ctx: &Ctx, email: &Email) -> Customer {
    Customer {
        user_id: ctx.user_id(),
        email: Some(email.clone()),
    }
}

/// Counts the promotions that the order was priced with. Errors: conflict `code_refused` where
/// somebody else was faster.
async fn redeem(tx: &mut Tx, ctx: &Ctx, order: &NewOrder) -> Result<()> {
    let customer = customer(ctx, &order.email);
    let applied = &order.quote.applied;
    let refused = promotions::service::redeem(tx, ctx, &customer, &order.number, applied).await?;
    refused.map_or(Ok(()), |refused| {
        let Applied { name, code, .. } = refused.applied;
        Err(promotion_refused(&name, code.as_deref(), &refused.reason))
    })
}

/// Errors: conflict `code_refused` for a promotion that came by a code.
fn refused_code(refused: &Refused) -> Result<()> {
    match &refused.code {
        None => Ok(()),
        Some(code) => Err(promotion_refused(
            &refused.name,
            Some(code),
            &refused.reason,
        )),
    }
}

fn promotion_refused(name: &str, code: Option<&str>, reason: &Refusal) -> Error {
    Error::Conflict {
        code: "code_refused",
        detail: format!("{}: {}", code.unwrap_or(name), reason.in_words()),
        data: json!({ "name": name, "code": code, "reason": reason.code() }),
    }
}

fn new_order(
    app: &App,
    ctx: &Ctx,
    cart: Cart,
    method: Option<&ShippingMethod>,
    mut wish: Wish,
    settlement: Settlement,
) -> Result<NewOrder> {
    if let Some(pickup) = method.filter(|method| method.is_pickup()) {
        let name = wish.shipping_address.addressee().to_owned();
        let place = format!("{name}\n{}: {}", pickup.name, pickup.pickup_location);
        let given = std::mem::replace(&mut wish.shipping_address, Address::Text(place));
        // A whole address that nothing is sent to is good for the bill.
        let whole = Some(given).filter(|given| matches!(given, Address::Fields(_)));
        wish.billing_address = wish.billing_address.or(whole);
    }
    let cart_id = cart.id.ok_or_else(|| refusal(Requirement::Items))?;
    // Every line is for sale, so that the quote has one for each, in the same order.
    let lines = cart.items.into_iter().zip(cart.quote.lines.iter().cloned());
    let lines = lines.map(|(item, priced)| NewOrderLine {
        product_id: item.product_id,
        sku: item.sku,
        name: item.name,
        variant_name: item.variant_name,
        image_key: item.image_key,
        priced,
    });
    Ok(NewOrder {
        number: orders::service::new_number(&app.rng),
        cart_id,
        user_id: ctx.user_id(),
        email: wish.email,
        lines: lines.collect(),
        quote: cart.quote,
        // Digital goods need none.
        shipping_method: method.map_or(String::new(), |method| method.code.clone()),
        shipping_method_name: method.map_or_else(
            || "Nothing to send".to_owned(),
            |method| method.name.clone(),
        ),
        shipping_address: wish.shipping_address,
        billing_address: wish.billing_address,
        note: wish.note,
        provider: wish.provider,
        credits: settlement.parts,
        remaining: settlement.remaining,
    })
}

/// What the shopper wants, read from the input.
struct Wish {
    email: Email,
    shipping_address: Address,
    billing_address: Option<Address>,
    shipping_method: Option<String>,
    provider: String,
    expected_total: Option<Money>,
    store_credit: bool,
    expected_remaining: Option<Money>,
    note: String,
}

impl Wish {
    /// `pickup`: whether the shopper comes for the goods, so that a name is address enough.
    fn read(app: &App, ctx: &Ctx, input: PlaceOrder, pickup: bool) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let email = read_email(ctx, input.email.as_deref(), &mut errors);
        let shipping = input.shipping_address;
        let field = "shipping_address";
        let shipping_address = if pickup {
            let own = ctx.user().map(|user| user.name.as_str());
            address::read_name(shipping, own, field, &mut errors)
        } else {
            address::read(shipping, field, &mut errors)
        };
        // A form whose fields of another bill address stay empty wants none.
        let billing = input
            .billing_address
            .filter(|input| !address::is_blank(input));
        let billing_address =
            billing.and_then(|input| address::read(Some(input), "billing_address", &mut errors));
        let provider = input.payment.unwrap_or_default().provider;
        let provider = provider.filter(|name| !name.is_empty());
        let provider = provider.unwrap_or_else(|| Providers::DEFAULT.to_owned());
        if app.payments.get(&provider).is_none() {
            let message = "There is no such way to pay.";
            errors.add("payment.provider", "unknown", message);
        }
        let expected_total = input
            .expected_total
            .and_then(|total| errors.keep("expected_total", "money", total.read(app.currency())));
        let expected_remaining = input.expected_remaining.and_then(|remaining| {
            errors.keep(
                "expected_remaining",
                "money",
                remaining.read(app.currency()),
            )
        });
        let note = input.note.unwrap_or_default().trim().to_owned();
        if note.chars().count() > MAX_NOTE {
            let message = format!("At most {MAX_NOTE} characters.");
            errors.add("note", "length", message);
        }
        errors.clone().into_result()?;
        match (email, shipping_address) {
            (Some(email), Some(shipping_address)) => Ok(Self {
                email,
                shipping_address,
                billing_address,
                shipping_method: input.shipping_method,
                provider,
                expected_total,
                store_credit: input.store_credit,
                expected_remaining,
                note,
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// The address for letters: the one given, or a signed-in user's own.
fn read_email(ctx: &Ctx, given: Option<&str>, errors: &mut FieldErrors) -> Option<Email> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            let email = Email::parse(text);
            if email.is_none() {
                let message = "Write an e-mail address like name@example.com.";
                errors.add("email", "email", message);
            }
            email
        }
        None => {
            let own = ctx.user().map(|user| user.email.clone());
            if own.is_none() {
                let message = "We need an e-mail address for the confirmation.";
                errors.add("email", "required", message);
            }
            own
        }
    }
}

/// What to answer when something is needed that no field of the input is to blame for.
fn refusal(missing: Requirement) -> Error {
    match missing {
        Requirement::Items => Error::conflict("cart_empty", "There is nothing in the cart."),
        Requirement::Stock => {
            let detail = "Some of it cannot be bought as it stands. Look at your cart.";
            Error::conflict("out_of_stock", detail)
        }
        Requirement::Email => Error::invalid("email", "required", "We need an e-mail address."),
        Requirement::ShippingAddress | Requirement::PickupName => {
            Error::invalid("shipping_address", "required", "We need an address.")
        }
        Requirement::ShippingMethod => Error::invalid(
            "shipping_method",
            "required",
            "There is no way to ship this yet.",
        ),
        Requirement::Payment => {
            Error::invalid("payment.provider", "required", "Choose how to pay.")
        }
    }
}

/// What to answer when no zone serves the destination.
fn no_delivery(destination: &Destination) -> Error {
    let country = country_name(&destination.country).unwrap_or(&destination.country);
    let place = match destination.postal_code.trim() {
        "" => country.to_owned(),
        code => format!("{code}, {country}"),
    };
    let message = format!("We do not deliver to {place}.");
    Error::invalid("shipping_method", "no_delivery", message)
}

/// A line that falls short: name, variant, wanted and available.
type Short = (String, VariantId, i64, i64);

fn cart_out_of_stock(cart: &Cart) -> Error {
    let short = cart.items.iter().filter(|item| !item.is_buyable());
    let short = short.map(|item| {
        let available = if item.for_sale { item.available } else { 0 };
        (item.label(), item.variant_id, item.quantity, available)
    });
    short_of(short.collect())
}

fn out_of_stock(short: &[Shortfall], lines: &[NewOrderLine]) -> Error {
    let name = |id: VariantId| {
        let line = lines.iter().find(|line| line.priced.variant_id == id);
        line.map(NewOrderLine::label).unwrap_or_default()
    };
    let short = short.iter().map(|line| {
        (
            name(line.variant_id),
            line.variant_id,
            line.wanted,
            line.available,
        )
    });
    short_of(short.collect())
}

fn short_of(short: Vec<Short>) -> Error {
    let sentences: Vec<String> = short
        .iter()
        .map(|(name, _, wanted, available)| match available {
            0 => format!("{name} is sold out."),
            _ => format!("Only {available} of {name} left; you chose {wanted}."),
        })
        .collect();
    let lines: Vec<serde_json::Value> = short
        .iter()
        .map(|(name, variant_id, wanted, available)| {
            json!({
                "variant_id": variant_id,
                "name": name,
                "wanted": wanted,
                "available": available,
            })
        })
        .collect();
    Error::Conflict {
        code: "out_of_stock",
        detail: sentences.join(" "),
        data: json!({ "lines": lines }),
    }
}

/// What to answer when cards or credit pay another sum than was confirmed, with the new figures.
fn remaining_changed(
    ctx: &Ctx,
    cart: &Cart,
    settlement: &Settlement,
    expected: Option<Money>,
) -> Error {
    let remaining = settlement.remaining;
    let mut detail = match expected {
        Some(expected) => format!("There is now {remaining} to pay instead of {expected}."),
        None => format!("There is now {remaining} to pay."),
    };
    for card in &cart.gift_cards {
        let words = match card.state(ctx.now) {
            CreditState::Usable => continue,
            CreditState::Empty => "is empty",
            CreditState::Expired => "is good no more",
            CreditState::Off => "cannot be used",
        };
        detail.push_str(&format!(" {} {words}.", card.label()));
    }
    let cards = cart.gift_cards.iter().map(|card| {
        json!({
            "id": card.id,
            "last_four": card.last_four,
            "amount": settlement.of(card.id).amount(),
        })
    });
    let cards: Vec<serde_json::Value> = cards.collect();
    Error::Conflict {
        code: "remaining_changed",
        detail,
        data: json!({
            "total": settlement.total.amount(),
            "gift_cards": cards,
            "store_credit": settlement.by(CreditKind::StoreCredit).amount(),
            "remaining": remaining.amount(),
        }),
    }
}

fn total_changed(cart: &Cart, expected: Money) -> Error {
    let total = cart.quote.total;
    let mut changes: Vec<String> = cart.notices.iter().map(|notice| notice.message()).collect();
    let refused = cart.quote.refused.iter();
    changes.extend(refused.filter_map(|one| {
        let code = one.code.as_ref()?;
        Some(format!("{code}: {}", one.reason.in_words()))
    }));
    let mut detail = format!("The total is now {total} instead of {expected}.");
    for change in &changes {
        detail.push(' ');
        detail.push_str(change);
    }
    Error::Conflict {
        code: "total_changed",
        detail,
        data: json!({
            "expected_total": expected.amount(),
            "changes": changes,
            "quote": QuoteJson::from(&cart.quote),
        }),
    }
}
