//! API: one's own data, and the end of an account.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::MyData;
use super::service;
use crate::accounts::api::{PersonalTokenJson, SignInJson, UserJson};
use crate::accounts::service::CloseAccount;
use crate::addresses::api::SavedAddressJson;
use crate::app::App;
use crate::cart::api::CartJson;
use crate::credit::api::MyCreditJson;
use crate::ctx::Ctx;
use crate::orders::api::OrderJson;
use crate::reviews::api::ReviewJson;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export))
        .routes(routes!(close))
}

/// All that the shop knows of somebody with an account.
#[derive(Serialize, ToSchema)]
pub struct MyDataJson {
    /// When this was made. RFC 3339.
    made_at: String,
    /// The account.
    account: UserJson,
    /// Where they are signed in.
    sign_ins: Vec<SignInJson>,
    /// The tokens of their scripts; what they carry, nobody knows.
    tokens: Vec<PersonalTokenJson>,
    /// The address book.
    addresses: Vec<SavedAddressJson>,
    /// All orders, the oldest first.
    orders: Vec<OrderJson>,
    /// All reviews.
    reviews: Vec<ReviewJson>,
    /// What a letter was asked for about, when it can be bought again.
    waits: Vec<WaitJson>,
    /// The cart.
    cart: CartJson,
    /// The store credit, with its whole ledger.
    store_credit: MyCreditJson,
}

/// A variant of which a letter was asked for, when it can be bought again.
#[derive(Serialize, ToSchema)]
pub struct WaitJson {
    /// Which variant.
    variant_id: i64,
    /// Where the letter goes.
    email: String,
    /// When it was asked for. RFC 3339.
    since: String,
}

impl MyDataJson {
    /// The data as its owner gets it.
    pub fn new(ctx: &Ctx, data: MyData) -> Self {
        let orders = data.orders.iter();
        let waits = data.waits.iter().map(|wait| WaitJson {
            variant_id: wait.variant_id.0,
            email: wait.email.to_string(),
            since: wait.since.rfc3339(),
        });
        let reviews = data.reviews.into_iter();
        Self {
            made_at: ctx.now.rfc3339(),
            account: UserJson::from(&data.user),
            sign_ins: data.sign_ins.into_iter().map(SignInJson::from).collect(),
            tokens: data
                .tokens
                .into_iter()
                .map(PersonalTokenJson::from)
                .collect(),
            addresses: data.addresses.iter().map(SavedAddressJson::from).collect(),
            orders: orders.map(|order| OrderJson::new(ctx, order)).collect(),
            reviews: reviews
                .map(|found| ReviewJson::new(ctx, found.review))
                .collect(),
            waits: waits.collect(),
            cart: CartJson::from(&data.cart),
            store_credit: MyCreditJson::from(data.credit),
        }
    }
}

/// All that the shop knows of oneself
#[utoipa::path(get, path = "/auth/me/export", tag = "auth",
    responses((status = 200, body = MyDataJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn export(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Response, Failure> {
    let data = service::my_data(&app, &ctx).await?;
    let mut response = Json(MyDataJson::new(&ctx, data)).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// Delete one's own account
///
/// Addresses, reviews, carts and sign-ins go with it. Orders stay in the books without the person.
#[utoipa::path(delete, path = "/auth/me", tag = "auth", request_body = CloseAccount,
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "`open_orders`: something has still to be delivered, `data.orders` names it; `credit_left`: store credit would be lost (`data.balance`), `forfeit_credit` agrees to it; `works_here`: staff must be made customers first"),
        (status = 422, body = Problem, description = "`wrong_password` at `password`"),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn close(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<CloseAccount>,
) -> Result<StatusCode, Failure> {
    service::close_account(&app, &ctx, input).await?;
    Ok(StatusCode::NO_CONTENT)
}
