//! API: the cart. A guest's cart is named by the header `Cart-Token`, which the first answer
//! gives; a signed-in user's follows from the bearer token.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Cart, CartItem, CartNotice, Offer};
use super::service::{self, AddItem, Simulation};
use crate::app::App;
use crate::catalog::image_url;
use crate::credit::api::CardCode;
use crate::credit::{CreditAccount, CreditKind, Settlement};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::pricing::api::QuoteJson;
use crate::types::{CartItemId, Destination};
use crate::web::json::{Json, List, MoneyJson, Problem, Query};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, clear))
        .routes(routes!(add))
        .routes(routes!(change, remove))
        .routes(routes!(quote))
        .routes(routes!(add_code, remove_code))
        .routes(routes!(add_gift_card))
        .routes(routes!(remove_gift_card))
        .routes(routes!(simulate))
        .routes(routes!(methods))
        .routes(routes!(add_alias))
}

/// A cart, checked against today's prices and stock.
#[derive(Serialize, ToSchema)]
pub struct CartJson {
    /// Names the cart when it is placed; a guest also opens it with this, as `Cart-Token`. Null
    /// while there is no cart.
    pub token: Option<String>,
    /// Pieces in all.
    pub count: i64,
    /// The lines, in the order they were added.
    pub items: Vec<CartItemJson>,
    /// The codes that were given, in capitals; the quote says which of them count.
    pub codes: Vec<String>,
    /// The gift cards that it is to be paid with.
    pub gift_cards: Vec<CartGiftCardJson>,
    /// What it costs.
    pub quote: QuoteJson,
    /// What changed since each line was last changed.
    pub notices: Vec<CartNoticeJson>,
}

/// A gift card that a cart is to be paid with.
#[derive(Serialize, ToSchema)]
pub struct CartGiftCardJson {
    /// Names it in `cart/gift-cards/{card}`, as its last four do.
    pub id: i64,
    /// The end of its code.
    #[schema(example = "2550")]
    pub last_four: String,
    /// What is left on it.
    pub balance: MoneyJson,
    /// Until when it pays; null for ever.
    pub expires_at: Option<String>,
}

impl From<&CreditAccount> for CartGiftCardJson {
    fn from(card: &CreditAccount) -> Self {
        Self {
            id: card.id.0,
            last_four: card.last_four.clone(),
            balance: card.balance.into(),
            expires_at: card.expires_at.map(|at| at.rfc3339()),
        }
    }
}

/// What a gift card pays.
#[derive(Serialize, ToSchema)]
pub struct CardPartJson {
    /// The card.
    pub id: i64,
    /// The end of its code.
    pub last_four: String,
    /// How much; 0 for one that is empty, over or switched off.
    pub amount: MoneyJson,
}

/// What store credit pays.
#[derive(Serialize, ToSchema)]
pub struct CreditShareJson {
    /// What there is.
    pub available: MoneyJson,
    /// How much of it is used.
    pub amount: MoneyJson,
}

/// What a cart costs, and how it is paid.
#[derive(Serialize, ToSchema)]
struct CartQuoteJson {
    /// What it costs.
    #[serde(flatten)]
    quote: QuoteJson,
    /// What its gift cards pay.
    gift_cards: Vec<CardPartJson>,
    /// What the asker's store credit pays; null where there is none.
    store_credit: Option<CreditShareJson>,
    /// What remains for another way to pay.
    remaining: MoneyJson,
}

impl CartQuoteJson {
    fn new(cart: &Cart, settlement: &Settlement) -> Self {
        let cards = cart.gift_cards.iter().map(|card| CardPartJson {
            id: card.id.0,
            last_four: card.last_four.clone(),
            amount: settlement.of(card.id).into(),
        });
        Self {
            quote: QuoteJson::from(&cart.quote),
            gift_cards: cards.collect(),
            store_credit: cart.store_credit.as_ref().map(|credit| CreditShareJson {
                available: credit.balance.into(),
                amount: settlement.by(CreditKind::StoreCredit).into(),
            }),
            remaining: settlement.remaining.into(),
        }
    }
}

/// A line of a cart.
#[derive(Serialize, ToSchema)]
pub struct CartItemJson {
    /// Names the line in `cart/items/{id}`.
    pub id: i64,
    /// What.
    pub variant_id: i64,
    /// The product that it is a variant of.
    pub product_id: i64,
    /// The product's name in URLs.
    pub slug: String,
    /// The variant's SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// The chosen options, `Oat, 350 ml`; empty without options.
    pub variant_name: String,
    /// A picture, or null.
    pub image_url: Option<String>,
    /// How many.
    pub quantity: i64,
    /// Today's price of one.
    pub unit_price: MoneyJson,
    /// Quantity times price.
    pub subtotal: MoneyJson,
    /// How many can be bought now.
    pub available: i64,
    /// Whether more than that can be bought, and is sent when it comes in.
    pub backorder: bool,
    /// Whether it is for sale at all.
    pub for_sale: bool,
}

/// Something that changed.
#[derive(Serialize, ToSchema)]
pub struct CartNoticeJson {
    /// `price_changed`, `not_enough`, `not_for_sale` or `merged`.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

impl From<&CartItem> for CartItemJson {
    fn from(item: &CartItem) -> Self {
        let image = Some(&item.image_key).filter(|key| !key.is_empty());
        Self {
            id: item.id.0,
            variant_id: item.variant_id.0,
            product_id: item.product_id.0,
            slug: item.slug.to_string(),
            sku: item.sku.clone(),
            name: item.name.clone(),
            variant_name: item.variant_name.clone(),
            image_url: image.map(|key| image_url(key, 400)),
            quantity: item.quantity,
            unit_price: item.unit_price.into(),
            subtotal: item.subtotal.into(),
            available: item.available,
            backorder: item.backorder,
            for_sale: item.for_sale,
        }
    }
}

impl From<&CartNotice> for CartNoticeJson {
    fn from(notice: &CartNotice) -> Self {
        let code = match notice {
            CartNotice::PriceChanged { .. } => "price_changed",
            CartNotice::NotEnough { .. } => "not_enough",
            CartNotice::NotForSale { .. } => "not_for_sale",
            CartNotice::Merged { .. } => "merged",
        };
        Self {
            code,
            message: notice.message(),
        }
    }
}

impl From<&Cart> for CartJson {
    fn from(cart: &Cart) -> Self {
        Self {
            token: Some(cart.token.clone()).filter(|token| !token.is_empty()),
            count: cart.count(),
            items: cart.items.iter().map(CartItemJson::from).collect(),
            codes: cart.codes.clone(),
            gift_cards: cart.gift_cards.iter().map(CartGiftCardJson::from).collect(),
            quote: QuoteJson::from(&cart.quote),
            notices: cart.notices.iter().map(CartNoticeJson::from).collect(),
        }
    }
}

/// A cart, with its token in a header when it is a guest's.
fn present(ctx: &Ctx, cart: &Cart) -> Response {
    let mut response = Json(CartJson::from(cart)).into_response();
    if ctx.user().is_none()
        && !cart.token.is_empty()
        && let Ok(token) = HeaderValue::from_str(&cart.token)
    {
        let name = HeaderName::from_static("cart-token");
        response.headers_mut().insert(name, token);
    }
    response
}

/// How many of a line.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetQuantity {
    /// 0 removes the line.
    quantity: i64,
}

/// What to price the cart for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuoteQuery {
    /// Code of the shipping method; left out: the first one.
    shipping_method: Option<String>,
    /// Where it goes, ISO 3166-1 alpha-2; left out: the shop's own country.
    country: Option<String>,
    /// Region or state there.
    region: Option<String>,
    /// Postal code there.
    postal_code: Option<String>,
    /// Whether the asker's store credit is to pay: `true` or `false` (left out).
    store_credit: Option<bool>,
}

/// The cart
#[utoipa::path(get, path = "/cart", tag = "cart",
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses((status = 200, body = CartJson)), security((), ("bearer" = [])))]
async fn show(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Response, Failure> {
    let cart = service::current(&app, &ctx).await?;
    Ok(present(&ctx, &cart))
}

/// Empty the cart
#[utoipa::path(delete, path = "/cart", tag = "cart",
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses((status = 200, body = CartJson)), security((), ("bearer" = [])))]
async fn clear(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Response, Failure> {
    let cart = service::clear(&app, &ctx).await?;
    Ok(present(&ctx, &cart))
}

/// Put something into the cart
///
/// A guest's first call makes the cart; its token is in the header `Cart-Token` and the body.
#[utoipa::path(post, path = "/cart/items", tag = "cart", request_body = AddItem,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = CartJson),
        (status = 409, body = Problem, description = "`out_of_stock`, with `data.available`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn add(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<AddItem>,
) -> Result<Response, Failure> {
    let cart = service::add_item(&app, &ctx, input).await?;
    Ok(present(&ctx, &cart))
}

/// Put something into the cart (alias)
///
/// The address of an earlier version; the same as `POST /cart/items`.
#[utoipa::path(post, path = "/orders/cart/add_item", tag = "cart", request_body = AddItem,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = CartJson),
        (status = 409, body = Problem, description = "`out_of_stock`, with `data.available`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn add_alias(
    app: State<App>,
    ctx: ApiCtx,
    input: Json<AddItem>,
) -> Result<Response, Failure> {
    add(app, ctx, input).await
}

/// Change how many of a line
#[utoipa::path(patch, path = "/cart/items/{id}", tag = "cart", request_body = SetQuantity,
    params(
        ("id" = i64, Path, description = "The line"),
        ("Cart-Token" = Option<String>, Header, description = "A guest's cart"),
    ),
    responses(
        (status = 200, body = CartJson),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`out_of_stock`, with `data.available`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<String>,
    Json(input): Json<SetQuantity>,
) -> Result<Response, Failure> {
    let cart = service::set_quantity(&app, &ctx, item_id(&id)?, input.quantity).await?;
    Ok(present(&ctx, &cart))
}

/// Remove a line
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "cart",
    params(
        ("id" = i64, Path, description = "The line"),
        ("Cart-Token" = Option<String>, Header, description = "A guest's cart"),
    ),
    responses((status = 200, body = CartJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let cart = service::remove_item(&app, &ctx, item_id(&id)?).await?;
    Ok(present(&ctx, &cart))
}

/// A promotion's code.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Coupon {
    /// Small and capital letters are the same.
    #[schema(example = "SPRING10")]
    code: String,
}

/// Give a promotion's code
///
/// It stays with the cart, and may wait there for what it still needs: `quote.promotions` has it
/// where it counts, `quote.refused_codes` where it does not, with the reason.
#[utoipa::path(post, path = "/cart/coupon", tag = "cart", request_body = Coupon,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = CartJson),
        (status = 404, body = Problem, description = "There is no cart"),
        (status = 422, body = Problem, description = "Nothing has this code, or there are too many"),
    ), security((), ("bearer" = [])))]
async fn add_code(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<Coupon>,
) -> Result<Response, Failure> {
    let cart = service::add_code(&app, &ctx, &input.code).await?;
    Ok(present(&ctx, &cart))
}

/// Take a promotion's code back
#[utoipa::path(delete, path = "/cart/coupon", tag = "cart", request_body = Coupon,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = CartJson),
        (status = 404, body = Problem, description = "The cart has no such code"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn remove_code(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<Coupon>,
) -> Result<Response, Failure> {
    let cart = service::remove_code(&app, &ctx, &input.code).await?;
    Ok(present(&ctx, &cart))
}

/// Pay with a gift card
///
/// It stays with the cart, and its money is taken when the cart is placed; `cart/quote` tells what
/// remains to pay. A code that is unknown, empty, over or switched off gets the same answer, and
/// guesses are slowed down.
#[utoipa::path(post, path = "/cart/gift-cards", tag = "cart", request_body = CardCode,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = CartJson),
        (status = 404, body = Problem, description = "There is no cart"),
        (status = 422, body = Problem, description = "The code pays nothing, or there are too many"),
        (status = 429, body = Problem),
    ), security((), ("bearer" = [])))]
async fn add_gift_card(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<CardCode>,
) -> Result<Response, Failure> {
    let cart = service::add_gift_card(&app, &ctx, &input.code).await?;
    Ok(present(&ctx, &cart))
}

/// Take a gift card back
#[utoipa::path(delete, path = "/cart/gift-cards/{card}", tag = "cart",
    params(
        ("card" = String, Path, description = "The last four of its code, or its id"),
        ("Cart-Token" = Option<String>, Header, description = "A guest's cart"),
    ),
    responses((status = 200, body = CartJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn remove_gift_card(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(card): Path<String>,
) -> Result<Response, Failure> {
    let cart = service::remove_gift_card(&app, &ctx, &card).await?;
    Ok(present(&ctx, &cart))
}

/// What would this cart cost? (staff)
///
/// Prices a cart that nobody has, at any moment, with the promotions that come by themselves and
/// those of the codes. Nothing is written, no use is counted.
#[utoipa::path(post, path = "/admin/promotions/simulate", tag = "promotions",
    request_body = Simulation,
    responses(
        (status = 200, body = QuoteJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn simulate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<Simulation>,
) -> Result<Json<QuoteJson>, Failure> {
    let cart = service::simulate(&app, &ctx, input).await?;
    Ok(Json(QuoteJson::from(&cart.quote)))
}

/// What the cart costs with shipping, and why
#[utoipa::path(get, path = "/cart/quote", tag = "cart",
    params(
        QuoteQuery,
        ("Cart-Token" = Option<String>, Header, description = "A guest's cart"),
    ),
    responses((status = 200, body = CartQuoteJson), (status = 422, body = Problem)),
    security((), ("bearer" = [])))]
async fn quote(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<QuoteQuery>,
) -> Result<Json<CartQuoteJson>, Failure> {
    let method = query.shipping_method.as_deref();
    let destination = destination(query.country, query.region, query.postal_code);
    let cart = service::quote(&app, &ctx, destination, method).await?;
    let store_credit = query.store_credit.unwrap_or(false);
    let settlement = cart
        .settlement(ctx.now, store_credit)
        .map_err(anyhow::Error::from);
    let settlement = settlement.map_err(Error::from)?;
    Ok(Json(CartQuoteJson::new(&cart, &settlement)))
}

/// A way to ship to a destination.
#[derive(Serialize, ToSchema)]
struct OfferJson {
    /// Names it when the cart is placed.
    code: String,
    /// Its name.
    name: String,
    /// How long it takes.
    description: String,
    /// `flat`, `by_weight`, `by_total` or `pickup`.
    kind: &'static str,
    /// What it costs for the cart, as prices are written (with or without tax); null while there
    /// is nothing in it.
    price: Option<MoneyJson>,
    /// The least that it costs for any cart that it is not free for.
    from_price: MoneyJson,
    /// Goods of this price make it free; null for never.
    free_over: Option<MoneyJson>,
    /// Where a pickup is, or null.
    pickup_location: Option<String>,
}

impl OfferJson {
    fn new(offer: Offer, priced: bool) -> Self {
        let method = offer.method;
        let location = Some(method.pickup_location.clone());
        Self {
            from_price: method.lowest_price().into(),
            code: method.code,
            name: method.name,
            description: method.description,
            kind: method.kind.as_str(),
            price: priced.then(|| offer.price.into()),
            free_over: method.free_over.map(MoneyJson::from),
            pickup_location: location.filter(|location| !location.is_empty()),
        }
    }
}

/// Where something goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DestinationQuery {
    /// ISO 3166-1 alpha-2; left out: the shop's own country.
    country: Option<String>,
    /// Region or state there.
    region: Option<String>,
    /// Postal code there.
    postal_code: Option<String>,
}

/// The ways to ship to a destination, with their prices for the cart
///
/// In the order of the checkout; nobody has to sign in. An empty list: the shop does not deliver
/// there.
#[utoipa::path(get, path = "/shipping/methods", tag = "cart",
    params(
        DestinationQuery,
        ("Cart-Token" = Option<String>, Header, description = "A guest's cart"),
    ),
    responses((status = 200, body = List<OfferJson>), (status = 422, body = Problem)),
    security((), ("bearer" = [])))]
async fn methods(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<DestinationQuery>,
) -> Result<Json<List<OfferJson>>, Failure> {
    let destination = destination(query.country, query.region, query.postal_code);
    let (priced, offers) = service::offers(&app, &ctx, destination).await?;
    let items = offers
        .into_iter()
        .map(|offer| OfferJson::new(offer, priced));
    let items: Vec<OfferJson> = items.collect();
    Ok(Json(List {
        total: i64::try_from(items.len()).unwrap_or(i64::MAX),
        items,
        next: None,
    }))
}

fn destination(
    country: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
) -> Destination {
    Destination {
        country: country.unwrap_or_default(),
        region: region.unwrap_or_default(),
        postal_code: postal_code.unwrap_or_default(),
    }
}

/// A line's id from the address; what is no number names no line.
fn item_id(text: &str) -> Result<CartItemId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}
