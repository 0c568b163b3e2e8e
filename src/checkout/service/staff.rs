//! Orders that staff make for a customer who phoned or wrote: of a cart that nobody filled, which
//! is kept in the transaction that makes the order of it, and not before.
//!
//! The order is the customer's, by their e-mail: it goes into the account whose address that is and
//! who has confirmed it, and is a guest's otherwise. An address that was only typed at
//! registration proves nothing, and an order tells where somebody lives.

use serde::{Deserialize, Serialize};

use super::super::model::{Placed, PricedOrder};
use super::place::{counted, finish, is_pickup, placed_before, start, way};
use super::show::{served, settlement};
use super::wish::{AddressInput, Owner, PaymentInput, PlaceOrder, Wish};
use crate::accounts;
use crate::app::App;
use crate::cart::service::{self as carts, SimulatedLine, Terms};
use crate::credit::{self, CreditAccount};
use crate::ctx::{Ctx, Permission};
use crate::db::Conn;
use crate::error::{Error, FieldErrors, Result};
use crate::promotions::Customer;
use crate::types::{Destination, Email, Locale, MoneyInput, TextEnum};

/// Who is to pay by the link in a letter has so long, in seconds: nobody opens it within minutes.
const TO_PAY_SECONDS: i64 = 24 * 3600;

/// An order for a customer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MakeOrder {
    /// Whose it becomes: of the account with this confirmed e-mail, or a guest's. Letters about
    /// it go there.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// What is ordered.
    pub lines: Vec<SimulatedLine>,
    /// Codes of promotions.
    pub codes: Vec<String>,
    /// Codes of gift cards that pay of it.
    pub gift_cards: Vec<String>,
    /// Whether the customer's store credit is to pay, after the gift cards.
    pub store_credit: bool,
    /// Where it goes; for a pickup, the name of who comes is enough.
    pub shipping_address: Option<AddressInput>,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<AddressInput>,
    /// Code of the method; left out: the first one.
    pub shipping_method: Option<String>,
    /// How the customer pays.
    pub payment: Option<PaymentInput>,
    /// The total that the customer was told; another one is the conflict `total_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_total: Option<MoneyInput>,
    /// What is expected to remain after gift cards and store credit; another sum is the conflict
    /// `remaining_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_remaining: Option<MoneyInput>,
    /// The language of the letters, `en` or `es`; left out: the account's, or English.
    pub locale: Option<String>,
    /// A note to the shop.
    pub note: Option<String>,
}

impl MakeOrder {
    fn given_email(&self) -> Option<&str> {
        Some(self.email.trim()).filter(|email| !email.is_empty())
    }

    fn place(&self) -> PlaceOrder {
        PlaceOrder {
            shipping_address: self.shipping_address.clone(),
            billing_address: self.billing_address.clone(),
            email: self.given_email().map(str::to_owned),
            shipping_method: self.shipping_method.clone(),
            payment: self.payment.clone(),
            expected_total: self.expected_total.clone(),
            store_credit: self.store_credit,
            expected_remaining: self.expected_remaining.clone(),
            note: self.note.clone(),
        }
    }
}

/// Staff: what such an order would cost now. Nothing is written; an address, where there is one
/// already, is needed for its country only. Errors: `Invalid` at `email`, `lines`, `lines.N.sku`,
/// `lines.N.quantity`, `codes`, `gift_cards`, `shipping_method`, `locale`; `TooMany`.
pub async fn price_order(app: &App, ctx: &Ctx, input: &MakeOrder) -> Result<PricedOrder> {
    ctx.require(Permission::Orders)?;
    let mut errors = FieldErrors::default();
    carts::check_size(&input.lines, &input.codes, &input.gift_cards, &mut errors);
    let cards = cards(app, ctx, input, &mut errors).await?;
    let email = input.given_email().and_then(|typed| {
        let read = Email::parse(typed).ok_or("Write an e-mail address like name@example.com.");
        errors.keep("email", "email", read)
    });
    let mut conn = app.db.conn().await?;
    let owner = owner(&mut conn, ctx, input, email.as_ref(), &mut errors).await?;
    let (lines, codes) = (&input.lines, &input.codes);
    let draft = carts::draft(&mut conn, app, lines, codes, &mut errors).await?;
    let destination = match &input.shipping_address {
        Some(AddressInput::Fields(fields)) => Destination {
            country: fields.country.trim().to_uppercase(),
            region: fields.region.clone(),
            postal_code: fields.postal_code.clone(),
        },
        Some(AddressInput::Text(_)) | None => app.config.home(),
    };
    let destination = served(app, destination);
    let method = match way(
        &mut conn,
        app,
        &destination,
        input.shipping_method.as_deref(),
    )
    .await
    {
        Ok(method) => method,
        Err(Error::Invalid(found)) => {
            errors.merge(found);
            None
        }
        Err(error) => return Err(error),
    };
    errors.into_result()?;
    let terms = Terms {
        customer: &Customer {
            user_id: owner.user_id,
            email,
        },
        destination: &destination,
        method: method.as_ref(),
    };
    let draft = draft.with_cards(cards);
    let cart = carts::price_draft(&mut conn, app, ctx.now, &draft, &terms).await?;
    Ok(PricedOrder {
        settlement: settlement(ctx, &cart, input.store_credit)?,
        cart,
        method,
        destination,
        account: owner.name,
    })
}

/// Staff: makes an order for a customer, by the same rules as at the checkout: stock is taken or
/// held, limits of promotions count for the customer, and they get the letters. Safe to call twice
/// with the same `key`, which is the asker's own: the second call gives the first order. Goods that
/// are paid online are held for a day. Errors: fields; conflicts as for
/// [`place_order`](super::place_order).
pub async fn make_order(
    app: &App,
    ctx: &Ctx,
    key: Option<&str>,
    input: &MakeOrder,
) -> Result<Placed> {
    let made = counted(make(app, ctx, key, input).await);
    if made.as_ref().is_ok_and(|made| !made.replayed) {
        metrics::counter!("zoco_orders_made_by_staff_total").increment(1);
    }
    made
}

async fn make(app: &App, ctx: &Ctx, key: Option<&str>, input: &MakeOrder) -> Result<Placed> {
    ctx.require(Permission::Orders)?;
    let maker = ctx.user_id().map_or(0, |user| user.0);
    let key = key.map_or_else(|| app.rng.token(), str::to_owned);
    let token = app.guest_tokens.of_cart(&format!("user {maker}"), &key);
    let mut conn = app.db.conn().await?;
    if let Some(cart) = carts::kept(&mut conn, &token).await? {
        let placed = placed_before(&mut conn, app, cart).await?;
        drop(conn);
        return start(app, placed).await;
    }
    drop(conn);
    let mut errors = FieldErrors::default();
    carts::check_size(&input.lines, &input.codes, &input.gift_cards, &mut errors);
    // Guesses are counted, which takes transactions of its own.
    let cards = cards(app, ctx, input, &mut errors).await?;

    let mut tx = app.db.begin().await?;
    let email = input.given_email().and_then(Email::parse);
    let owner = owner(&mut tx, ctx, input, email.as_ref(), &mut errors).await?;
    let pickup = is_pickup(&mut tx, app, input.shipping_method.as_deref()).await?;
    let wish = match Wish::read(app, &owner, input.place(), pickup) {
        Ok(wish) => Some(wish),
        Err(Error::Invalid(found)) => {
            errors.merge(found);
            None
        }
        Err(error) => return Err(error),
    };
    let (lines, codes) = (&input.lines, &input.codes);
    let draft = carts::draft(&mut tx, app, lines, codes, &mut errors).await?;
    let Some(wish) = wish.filter(|_| errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    let draft = draft.with_cards(cards);
    let kept = carts::keep_draft(&mut tx, ctx, &draft, &token, owner.user_id).await?;
    let Some(cart) = kept else {
        // The same form, a moment before.
        let there = carts::kept(&mut tx, &token).await?;
        let placed = placed_before(&mut tx, app, there.ok_or(Error::Unavailable)?).await?;
        drop(tx);
        return start(app, placed).await;
    };
    finish(tx, app, ctx, &owner, cart, wish).await
}

/// Whose it becomes. Adds what is wrong at `locale`.
async fn owner(
    conn: &mut Conn,
    ctx: &Ctx,
    input: &MakeOrder,
    email: Option<&Email>,
    errors: &mut FieldErrors,
) -> Result<Owner> {
    let user = match email {
        Some(email) => accounts::service::user_of_confirmed(conn, email).await?,
        None => None,
    };
    let locale = input.locale.as_deref().filter(|word| !word.is_empty());
    let locale = locale.and_then(|word| {
        let read = Locale::from_word(word).ok_or("The shop writes in en or es.");
        errors.keep("locale", "unknown", read)
    });
    let own = user.as_ref().map(|user| user.locale);
    Ok(Owner {
        user_id: user.as_ref().map(|user| user.id),
        email: user.as_ref().map(|user| user.email.clone()),
        locale: locale.or(own).unwrap_or_default(),
        name: user.map(|user| user.name),
        by_staff: true,
        pay_until: Some(ctx.now.plus_seconds(TO_PAY_SECONDS)),
    })
}

/// The gift cards that pay of it. Adds what is wrong with them at `gift_cards`; too many are not
/// looked at.
async fn cards(
    app: &App,
    ctx: &Ctx,
    input: &MakeOrder,
    errors: &mut FieldErrors,
) -> Result<Vec<CreditAccount>> {
    let mut found = Vec::new();
    let typed = input.gift_cards.iter().map(|typed| typed.trim());
    for typed in typed
        .filter(|typed| !typed.is_empty())
        .take(carts::MAX_CARDS)
    {
        match credit::service::card_of_code(app, ctx, typed).await {
            Ok(card) => found.push(card),
            Err(Error::Invalid(refused)) => {
                errors.add("gift_cards", "unknown", refused.of("code"));
                // One message is enough, and each look at a wrong code is counted.
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
