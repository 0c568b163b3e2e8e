//! Placing the order: everything in one transaction, which a repetition finds done.

use super::super::model::{Given, Placed, Requirement, requirements};
use super::refusals::{
    cart_out_of_stock, no_delivery, out_of_stock, promotion_refused, refusal, remaining_changed,
    total_changed,
};
use super::show::settlement;
use super::wish::{Owner, PlaceOrder, Wish};
use crate::app::App;
use crate::cart::{self, Cart, CartState};
use crate::credit::{self, Settlement};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::faults;
use crate::inventory;
use crate::orders::{self, Address, NewOrder, NewOrderLine};
use crate::pricing::{Applied, Refused};
use crate::promotions::{self, Customer};
use crate::shipping::{self, ShippingMethod};
use crate::types::{CartId, Destination, VariantId};

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
    counted(place(app, ctx, cart_token, input).await)
}

/// Counts what came of placing an order.
pub(super) fn counted(placed: Result<Placed>) -> Result<Placed> {
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
    let pickup = is_pickup(&mut conn, app, input.shipping_method.as_deref()).await?;
    drop(conn);
    let owner = Owner::asker(ctx);
    let wish = Wish::read(app, &owner, input, pickup)?;

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
    finish(tx, app, ctx, &owner, cart, wish).await
}

/// Whether the goods are come for, by the code of the way to ship.
pub(super) async fn is_pickup(conn: &mut Conn, app: &App, code: Option<&str>) -> Result<bool> {
    Ok(match code {
        Some(code) => shipping::service::pickup(conn, app, code).await?.is_some(),
        None => false,
    })
}

/// Makes the order of a cart whose row the transaction holds, and commits. `owner`: whose the
/// order becomes; the asker only makes it.
pub(super) async fn finish(
    mut tx: Tx,
    app: &App,
    ctx: &Ctx,
    owner: &Owner,
    cart: CartId,
    wish: Wish,
) -> Result<Placed> {
    let order = price(&mut tx, app, ctx, owner, cart, wish).await?;
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
        let soon = inventory::service::deadline(app, ctx);
        let until = order.pay_until.map_or(soon, |until| until.max(soon));
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
pub(super) async fn placed_before(conn: &mut Conn, app: &App, cart: CartId) -> Result<Placed> {
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
pub(super) async fn start(app: &App, placed: Placed) -> Result<Placed> {
    let order = orders::service::start(app, placed.order).await?;
    Ok(Placed {
        payment: orders::service::next_step(app, &order),
        order,
        ..placed
    })
}

/// The way to ship to a destination, or to come for it, by its code; without one, the first.
/// Errors: `Invalid` at `shipping_method`.
pub(super) async fn way(
    conn: &mut Conn,
    app: &App,
    destination: &Destination,
    code: Option<&str>,
) -> Result<Option<ShippingMethod>> {
    let mut methods = shipping::service::methods_to(conn, app, destination).await?;
    if let Some(code) = code {
        let pickup = shipping::service::pickup(conn, app, code).await?;
        methods.extend(pickup.filter(|_| methods.iter().all(|method| method.code != *code)));
    }
    Ok(cart::service::choose_method(&methods, code)?.cloned())
}

/// The order as it will be, at today's prices. Errors: what still is needed; `total_changed`.
async fn price(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    owner: &Owner,
    cart: CartId,
    wish: Wish,
) -> Result<NewOrder> {
    let destination = match &wish.shipping_address {
        Address::Fields(address) => address.destination(),
        // Nobody reads a country out of a free text.
        Address::Text(_) => app.config.home(),
    };
    let method = way(tx, app, &destination, wish.shipping_method.as_deref()).await?;
    let method = method.as_ref();
    let terms = cart::service::Terms {
        customer: &Customer {
            user_id: owner.user_id,
            email: Some(wish.email.clone()),
        },
        destination: &destination,
        method,
    };
    cart::service::lock_money(tx, app, owner.user_id, cart).await?;
    let cart = cart::service::priced(tx, app, ctx.now, cart, &terms).await?;
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
    new_order(app, owner, cart, method, wish, settled)
}

/// Counts the promotions that the order was priced with. Errors: conflict `code_refused` where
/// somebody else was faster.
async fn redeem(tx: &mut Tx, ctx: &Ctx, order: &NewOrder) -> Result<()> {
    let customer = Customer {
        user_id: order.user_id,
        email: Some(order.email.clone()),
    };
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

fn new_order(
    app: &App,
    owner: &Owner,
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
        user_id: owner.user_id,
        by_staff: owner.by_staff,
        pay_until: owner.pay_until,
        locale: owner.locale,
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
