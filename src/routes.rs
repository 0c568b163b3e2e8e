//! Where features are plugged in: pages at `/`, the API at `/api`, observers of events, and the
//! layers that find out who asks.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::services::ServeDir;
use tower_sessions::Session;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::Scope;
use crate::app::App;
use crate::cart::CartNotice;
use crate::ctx::{Actor, Ctx, Proof};
use crate::error::{Error, Result};
use crate::jobs::{self, Chore, Observer};
use crate::types::Locale;
use crate::web::layers::{self, Facts};
use crate::web::limits::{Asker, Budget, Standing};
use crate::web::{
    ApiCtx, Failure, Flash, Link, Shell, SignedIn, Template, Viewer, Visit, assets, docs, health,
    html, idempotency, intake, session,
};
use crate::{
    accounts, addresses, admin, audit, cart, catalog, checkout, credit, imports, inventory, orders,
    payments, privacy, promotions, reviews, search, shipping, taxes,
};

/// What happens after an event.
pub static OBSERVERS: &[Observer] = {
    let [
        welcome,
        verification,
        reset,
        password,
        email_change,
        email_changed,
        farewell,
    ] = accounts::jobs::LETTERS;
    let [
        placed,
        link,
        sent,
        delivered,
        cancelled,
        pieces_cancelled,
        paid,
        payment_failed,
        refunded,
        returned,
    ] = orders::jobs::LETTERS;
    let [invoice_when_paid, invoice_when_sent, credit_note] = orders::jobs::BOOKS;
    let [call_waiters, back_in_stock, low_stock] = catalog::jobs::LETTERS;
    let [gift_card, store_credit] = credit::jobs::LETTERS;
    &[
        welcome,
        verification,
        reset,
        password,
        email_change,
        email_changed,
        farewell,
        placed,
        link,
        sent,
        delivered,
        cancelled,
        orders::jobs::ASK_GATEWAY,
        orders::jobs::PAYMENT_EVENT,
        payments::service::test_gateway::SEND,
        pieces_cancelled,
        paid,
        payment_failed,
        refunded,
        returned,
        invoice_when_paid,
        invoice_when_sent,
        credit_note,
        call_waiters,
        back_in_stock,
        low_stock,
        gift_card,
        store_credit,
    ]
};

/// What is done again and again beside the jobs.
pub static CHORES: &[Chore] = &[
    session::SWEEP,
    accounts::service::SWEEP,
    inventory::service::SWEEP,
    credit::service::EXPIRE,
    catalog::service::PUBLISH,
    imports::service::WORK,
    imports::service::FETCH,
    imports::service::PRUNE,
    search::service::COUNT_MISSES,
    search::service::PRUNE_MISSES,
    jobs::PRUNE,
    audit::service::CHAIN,
    audit::service::VERIFY,
    admin::service::WATCH,
    orders::service::RECONCILE,
];

/// The whole shop.
pub fn router(app: App) -> Router {
    let api = api(&app);
    let media = Router::new()
        .fallback_service(
            ServeDir::new(app.storage.folder()).append_index_html_on_directories(false),
        )
        .layer(from_fn(layers::keep_for_ever));
    let service = docs::routes(&DOCUMENT)
        .route("/robots.txt", get(robots))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(from_fn(layers::draw_problems));
    let gateways = layers::guard(payments::api::front_door())
        .layer(from_fn_with_state(app.clone(), intake::layer))
        .layer(from_fn(layers::draw_problems));
    let router = pages(&app)
        .merge(service)
        .merge(gateways)
        .nest("/api/v1", api.clone())
        .nest("/api", api)
        .nest("/media", media)
        .route("/static/{*name}", get(assets::serve));
    layers::around(router, &app).with_state(app)
}

/// Where search engines find nothing: pages about one visitor, or for staff.
const PRIVATE: [&str; 8] = [
    "/api/",
    accounts::urls::ACCOUNT,
    accounts::urls::REGISTER,
    accounts::urls::SIGN_IN,
    admin::urls::HOME,
    cart::urls::CART,
    checkout::urls::CHECKOUT,
    orders::urls::ORDERS,
];

async fn robots(State(app): State<App>) -> Response {
    catalog::pages::robots(&app.config.base_url, &PRIVATE)
}

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| openapi().to_json().expect("a document is JSON"));

/// The OpenAPI document, made from the code; its paths begin with `/api`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api", api_routes().merge(imports::api::uploads()))
        .into_openapi();
    crate::web::openapi::complete(&mut document);
    name_scopes(&mut document);
    document
}

/// The scope that a personal token needs for an operation of the document; none for those that
/// are not for personal tokens.
fn needed(path: &str, method: &str, operation: &utoipa::openapi::path::Operation) -> Option<Scope> {
    let tag = operation.tags.as_ref()?.first()?;
    Scope::needed(tag, path.strip_prefix("/api")?, method)
}

/// Writes the scope that each operation needs beside its security.
fn name_scopes(document: &mut utoipa::openapi::OpenApi) {
    use utoipa::openapi::security::SecurityRequirement;
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in crate::web::openapi::operations(item) {
            let Some(scope) = needed(path, method, operation) else {
                continue;
            };
            for security in operation.security.iter_mut().flatten() {
                if *security != SecurityRequirement::default() {
                    *security = SecurityRequirement::new("bearer", [scope.as_str()]);
                }
            }
        }
    }
}

/// The scopes by method and path, without the prefix of the API: `GET /orders`.
static SCOPES: LazyLock<HashMap<String, Scope>> = LazyLock::new(|| {
    let mut scopes = HashMap::new();
    for (path, mut item) in openapi().paths.paths {
        for (method, operation) in crate::web::openapi::operations(&mut item) {
            if let Some(scope) = needed(&path, method, operation) {
                let path = path.strip_prefix("/api").unwrap_or(&path);
                scopes.insert(format!("{method} {path}"), scope);
            }
        }
    }
    scopes
});

/// The route that a request asks for, as [`SCOPES`] names it.
fn route_of(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("", MatchedPath::as_str);
    let own = path.strip_prefix("/api/v1").or(path.strip_prefix("/api"));
    let method = match request.method().as_str() {
        "HEAD" => "GET",
        method => method,
    };
    format!("{method} {}", own.unwrap_or(path))
}

/// Whether these scopes open a route. This is the one place that asks, for every route: one that
/// nobody gave a scope is closed to personal tokens.
fn check_scopes(given: &[Scope], route: &str) -> std::result::Result<(), Failure> {
    let detail = match SCOPES.get(route) {
        Some(scope) if given.contains(scope) => return Ok(()),
        Some(scope) => format!("This token lacks the scope {scope}."),
        None => "Personal tokens open nothing here.".to_owned(),
    };
    Err(Failure::new(StatusCode::FORBIDDEN, "scope", detail))
}

fn pages(app: &App) -> Router<App> {
    let pages = Router::new()
        .merge(accounts::pages::routes())
        .merge(addresses::pages::routes())
        .merge(catalog::pages::routes())
        .merge(reviews::pages::routes())
        .merge(credit::pages::routes())
        .merge(cart::pages::routes())
        .merge(orders::pages::routes())
        .merge(payments::pages::routes())
        .merge(checkout::pages::routes())
        .merge(privacy::pages::routes())
        .merge(admin::pages::routes())
        .merge(accounts::admin::routes())
        .merge(catalog::admin::routes())
        .merge(reviews::admin::routes())
        .merge(promotions::admin::routes())
        .merge(checkout::admin::routes())
        .merge(credit::admin::routes())
        .merge(cart::admin::routes())
        .merge(search::admin::routes())
        .merge(inventory::admin::routes())
        .merge(orders::admin::routes())
        .merge(imports::admin::routes())
        .merge(audit::admin::routes())
        .merge(taxes::admin::routes())
        .merge(shipping::admin::routes())
        .fallback(|| async { Failure::of_status(StatusCode::NOT_FOUND) })
        .layer(from_fn_with_state(app.clone(), bring_cart_of_visit));
    let uploads = layers::guard_files(imports::admin::uploads());
    layers::same_site(layers::guard(pages).merge(uploads), &app.config.base_url)
        .layer(from_fn_with_state(app.clone(), intake::layer))
        .layer(from_fn(draw_pages))
        .layer(from_fn_with_state(app.clone(), identify_viewer))
        .layer(session::layer(app))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Zoco", description = "The JSON API of a Zoco shop.\n\nEach account, or address \
        without one, may send so many requests a minute, reading and writing apart. \
        `RateLimit-Limit` tells how many, `RateLimit-Remaining` how many are left, \
        `RateLimit-Reset` in how many seconds all are there again. One too many is answered 429 \
        with `Retry-After`."),
    modifiers(&Security),
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An access token of `auth/login`, or a personal token of `auth/tokens`. What stands \
                 beside it at an operation is the scope that a personal token needs; where nothing \
                 does, personal tokens open nothing. A scope gives no more than its owner has.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The routes of the API, without its prefix.
fn api_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(accounts::api::routes())
        .merge(addresses::api::routes())
        .merge(catalog::api::routes())
        .merge(search::api::routes())
        .merge(inventory::api::routes())
        .merge(reviews::api::routes())
        .merge(promotions::api::routes())
        .merge(credit::api::routes())
        .merge(cart::api::routes())
        .merge(orders::api::routes())
        .merge(payments::api::routes())
        .merge(checkout::api::routes())
        .merge(privacy::api::routes())
        .merge(imports::api::routes())
        .merge(audit::api::routes())
        .merge(taxes::api::routes())
        .merge(shipping::api::routes())
}

/// The API without its prefix. Failures are drawn inside of the idempotency layer, which keeps
/// them, and outside of everything else that can fail.
fn api(app: &App) -> Router<App> {
    let (router, _) = api_routes().split_for_parts();
    let router = router.fallback(|| async { Failure::of_status(StatusCode::NOT_FOUND) });
    let (uploads, _) = imports::api::uploads().split_for_parts();
    let router = layers::guard(router)
        .merge(layers::guard_files(uploads))
        .layer(from_fn(ask_for_two_factor))
        .layer(from_fn(layers::draw_problems))
        .layer(from_fn_with_state(app.clone(), idempotency::layer))
        .layer(from_fn_with_state(app.clone(), bring_cart_of_client))
        .layer(from_fn_with_state(app.clone(), identify_client));
    layers::same_site(router, &app.config.base_url)
        .layer(from_fn_with_state(app.clone(), intake::layer))
        .layer(from_fn(layers::draw_problems))
}

fn ctx_of(request: &Request, app: &App) -> Ctx {
    let languages = request.headers().get(header::ACCEPT_LANGUAGE);
    let languages = languages.and_then(|value| value.to_str().ok());
    let mut ctx = Ctx {
        actor: Actor::Guest,
        locale: Locale::preferred(languages.unwrap_or_default()),
        ..app.system()
    };
    if let Some(facts) = request.extensions().get::<Facts>() {
        ctx.now = facts.now;
        ctx.request_id.clone_from(&facts.request_id);
        ctx.address = facts.address;
    }
    ctx
}

/// Finds out who looks at a page: from the session cookie and nothing else.
async fn identify_viewer(
    State(app): State<App>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let request_id = layers::request_id(&request);
    let mut ctx = ctx_of(&request, &app);
    ctx.user_agent = layers::user_agent(request.headers());
    let year = ctx.now.to_utc().year();
    let reads = request.method() == Method::GET;
    let path = request.uri().path().to_owned();
    match viewer(&app, Visit(session), ctx, reads, path).await {
        Ok(viewer) => {
            request.extensions_mut().insert(viewer);
            next.run(request).await
        }
        Err(failure) => {
            layers::log(&failure, &request_id);
            let shell = Shell {
                shop_name: app.config.shop_name.clone(),
                prices_include_tax: app.config.prices_include_tax,
                year,
                request_id,
                ..Shell::default()
            };
            draw(failure, shell)
        }
    }
}

/// The viewer of a page. Errors: 429 when they looked at too many; what else can go wrong.
async fn viewer(
    app: &App,
    visit: Visit,
    mut ctx: Ctx,
    reads: bool,
    path: String,
) -> std::result::Result<Viewer, Failure> {
    let id = visit.user_id().await?;
    // Before all that costs more than to look a session up.
    let asker = Asker::new(id, ctx.address);
    if let Some(standing) = app.limits.count(Budget::Pages, asker, ctx.now) {
        standing.admit()?;
    }
    if let Some(id) = id
        && let Some(user) = accounts::service::current_user(app, id).await?
    {
        ctx.locale = user.locale;
        ctx.actor = Actor::User(user);
        ctx.proof = Proof::Session(visit.kept_id());
    }
    ctx.cart_token = visit.cart_token().await?;
    let tree = catalog::service::categories(app).await?;
    let nav = tree.children(None).into_iter().map(|category| {
        let href = catalog::urls::category(&category.slug);
        Link {
            label: category.name.clone(),
            current: path == href,
            href,
        }
    });
    let shell = Shell {
        shop_name: app.config.shop_name.clone(),
        base_url: app.config.base_url.clone(),
        request_id: ctx.request_id.clone(),
        user_name: ctx.user().map(|user| user.name.clone()),
        is_staff: ctx.is_staff(),
        badge: cart::service::count(app, &ctx).await?,
        nav: nav.collect(),
        menu: admin::pages::menu(app, &ctx, &path).await?,
        flashes: if reads {
            visit.take_flashes().await?
        } else {
            Vec::new()
        },
        notice: notice(app).await?,
        prices_include_tax: app.config.prices_include_tax,
        year: ctx.now.to_utc().year(),
        path,
    };
    Ok(Viewer { ctx, shell, visit })
}

/// What the line above the header says: from which sum on delivery is free, if ever.
async fn notice(app: &App) -> Result<String> {
    let methods = shipping::service::methods(app).await?;
    let delivered = methods.into_iter().filter(|method| !method.is_pickup());
    let lowest = delivered.filter_map(|method| method.free_over);
    let lowest = lowest.min_by_key(|free_over| free_over.minor());
    Ok(lowest.map_or_else(String::new, |free_over| {
        format!("Free delivery over {free_over}")
    }))
}

/// Draws failures of pages as an error page; who must sign in is sent there.
async fn draw_pages(
    Extension(viewer): Extension<Viewer>,
    request: Request,
    next: Next,
) -> Response {
    let reads = request.method() == Method::GET;
    let here = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let mut response = next.run(request).await;
    let Some(failure) = layers::take_failure(&mut response, "html") else {
        return response;
    };
    layers::log(&failure, &viewer.ctx.request_id);
    if failure.status == StatusCode::UNAUTHORIZED {
        let back = if reads { here } else { "/".to_owned() };
        return accounts::pages::to_sign_in(&back);
    }
    if failure.status == StatusCode::FORBIDDEN && lacks_two_factor(&viewer.ctx) {
        return accounts::pages::to_two_factor();
    }
    draw(failure, viewer.shell)
}

/// Whether somebody may not work here before they have a second factor.
fn lacks_two_factor(ctx: &Ctx) -> bool {
    ctx.user().is_some_and(|user| user.lacks_two_factor)
}

/// Tells clients of the API what somebody is refused for who lacks a second factor.
async fn ask_for_two_factor(
    Extension(ApiCtx(ctx)): Extension<ApiCtx>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::FORBIDDEN
        && lacks_two_factor(&ctx)
        && let Some(failure) = response.extensions_mut().get_mut::<Failure>()
    {
        failure.code = accounts::service::TWO_FACTOR_REQUIRED;
        "You work here: turn your second factor on first.".clone_into(&mut failure.detail);
    }
    response
}

#[derive(Template)]
#[template(path = "errors/error.html")]
struct ErrorPage {
    shell: Shell,
    failure: Failure,
}

fn draw(failure: Failure, shell: Shell) -> Response {
    let status = failure.status;
    let page = ErrorPage { shell, failure };
    let mut response = html::page_with(status, &page)
        .unwrap_or_else(|_| (status, "Something went wrong.").into_response());
    page.failure.tell(response.headers_mut());
    response
}

/// Finds out who uses the API, from the bearer token and nothing else, and counts how often. A
/// token that is none counts for its address.
async fn identify_client(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let route = route_of(&request);
    let ctx = ctx_of(&request, &app);
    let (address, now) = (ctx.address, ctx.now);
    let found = client(&app, ctx, request.headers(), &route).await;
    let user = found.as_ref().ok().and_then(Ctx::user_id);
    let budget = Budget::of_api(request.method());
    let standing = app.limits.count(budget, Asker::new(user, address), now);
    let admitted = standing.map_or(Ok(()), Standing::admit);
    let mut response = match admitted.and(found) {
        Ok(ctx) => {
            request.extensions_mut().insert(ApiCtx(ctx));
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    };
    if let Some(standing) = standing {
        standing.tell(response.headers_mut());
    }
    response
}

async fn client(
    app: &App,
    mut ctx: Ctx,
    headers: &HeaderMap,
    route: &str,
) -> std::result::Result<Ctx, Failure> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    if headers.contains_key(header::AUTHORIZATION) {
        let given = text("authorization").unwrap_or_default();
        let (scheme, token) = given.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Unauthenticated.into());
        }
        let client = accounts::service::authenticate(app, token.trim()).await?;
        if let Some(scopes) = &client.scopes {
            check_scopes(scopes, route)?;
        }
        ctx.locale = client.user.locale;
        ctx.actor = Actor::User(client.user);
        ctx.proof = client.proof;
    }
    ctx.user_agent = layers::user_agent(headers);
    ctx.cart_token = text("cart-token");
    ctx.order_token = text("order-token");
    Ok(ctx)
}

/// When somebody signs in, what they put into a cart as a guest comes along. It happens here,
/// because accounts come before the cart and may not know it. Gives how many lines came over; a
/// failure is logged, and takes nothing from the sign-in, which has happened.
async fn bring_cart(app: &App, mut ctx: Ctx, who: Option<SignedIn>) -> Option<i64> {
    ctx.actor = Actor::User(who?.0);
    let token = ctx.cart_token.as_deref()?;
    match cart::service::merge_guest_cart(app, &ctx, token).await {
        Ok(lines) => Some(lines),
        Err(error) => {
            layers::log(&Failure::from(error), &ctx.request_id);
            None
        }
    }
}

async fn bring_cart_of_visit(
    State(app): State<App>,
    Extension(viewer): Extension<Viewer>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let who = response.extensions().get().cloned();
    let Some(lines) = bring_cart(&app, viewer.ctx, who).await else {
        return response;
    };
    match tell_of_cart(&viewer.visit, lines).await {
        Ok(()) => response,
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn tell_of_cart(visit: &Visit, lines: i64) -> Result<()> {
    visit.set_cart_token(None).await?;
    if lines > 0 {
        let news = CartNotice::Merged { lines };
        visit.flash(Flash::good(news.message())).await?;
    }
    Ok(())
}

async fn bring_cart_of_client(
    State(app): State<App>,
    Extension(ApiCtx(ctx)): Extension<ApiCtx>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let who = response.extensions().get().cloned();
    bring_cart(&app, ctx, who).await;
    response
}
