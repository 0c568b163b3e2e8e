//! Promotions for staff: the list, the form, the codes and the uses of each.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{
    Benefit, Code, Kind, Promotion, PromotionFilter, PromotionState, Redemption, Scope, Target,
    Trigger,
};
use super::service::{self, NewCodes, PromotionInput};
use super::urls;
use crate::app::App;
use crate::catalog;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{MoneyInput, Page, PageRequest, PromotionId, TextEnum, Timestamp};
use crate::web::form::{Form, choices, filled, number, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let one = format!("{}/{{id}}", urls::ADMIN_PROMOTIONS);
    Router::new()
        .route(urls::ADMIN_PROMOTIONS, get(list))
        .route(urls::ADMIN_PROMOTION_NEW, get(new).post(create))
        .route(&one, get(edit).post(save))
        .route(&format!("{one}/delete"), post(delete))
        .route(&format!("{one}/codes"), get(codes).post(add_codes))
        .route(&format!("{one}/codes/delete"), post(remove_code))
        .route(&format!("{one}/codes.csv"), get(codes_csv))
}

/// What the list is narrowed by. A word that no state has counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    state: String,
    page: String,
}

/// The page of a list; what is no number is the first one.
fn asked(page: &str) -> PageRequest {
    PageRequest::typed(page, PageRequest::DEFAULT_PER_PAGE)
}

#[derive(Template)]
#[template(path = "promotions/admin_promotions.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    states: Vec<(String, String)>,
    now: Timestamp,
    promotions: Page<Promotion>,
    pager: Pager,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let filter = PromotionFilter {
        search: narrowed.search.clone(),
        state: PromotionState::from_word(&narrowed.state),
    };
    let found = service::list(&app, &viewer.ctx, &filter, asked(&narrowed.page)).await?;
    page(&ListPage {
        shell: viewer.shell,
        narrowed,
        states: choices::<PromotionState>(Some("Any state")),
        now: viewer.ctx.now,
        pager: Pager::new(&found, &uri),
        promotions: found,
    })
}

/// A promotion, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PromotionForm {
    version: String,
    name: String,
    trigger: String,
    code: String,
    kind: String,
    percent: String,
    amount: String,
    buy: String,
    get: String,
    target: String,
    product_ids: String,
    category_ids: Vec<String>,
    minimum: String,
    first_order: String,
    starts_at: String,
    ends_at: String,
    exclusive: String,
    max_uses: String,
    max_uses_per_customer: String,
    position: String,
    active: String,
}

/// A box as a form has it.
fn ticked(ticked: bool) -> String {
    if ticked {
        "on".to_owned()
    } else {
        String::new()
    }
}

impl PromotionForm {
    fn fresh() -> Self {
        Self {
            kind: Kind::Percentage.as_str().to_owned(),
            target: Scope::Order.as_str().to_owned(),
            trigger: Trigger::Code.as_str().to_owned(),
            position: "0".to_owned(),
            active: ticked(true),
            ..Self::default()
        }
    }

    fn of(promotion: &Promotion) -> Self {
        let percent = |rate: u32| {
            crate::types::percent(rate)
                .trim_end_matches(" %")
                .to_owned()
        };
        let mut form = Self {
            version: promotion.version.to_string(),
            name: promotion.name.clone(),
            trigger: promotion.trigger.as_str().to_owned(),
            kind: Kind::of(&promotion.benefit).as_str().to_owned(),
            target: Scope::of(&promotion.target).as_str().to_owned(),
            minimum: promotion
                .minimum
                .map(|minimum| minimum.amount())
                .unwrap_or_default(),
            first_order: ticked(promotion.first_order),
            starts_at: promotion
                .starts_at
                .map(Timestamp::field)
                .unwrap_or_default(),
            ends_at: promotion.ends_at.map(Timestamp::field).unwrap_or_default(),
            exclusive: ticked(promotion.exclusive),
            max_uses: promotion
                .max_uses
                .map(|most| most.to_string())
                .unwrap_or_default(),
            max_uses_per_customer: promotion
                .max_uses_per_customer
                .map(|most| most.to_string())
                .unwrap_or_default(),
            position: promotion.position.to_string(),
            active: ticked(promotion.active),
            ..Self::default()
        };
        match promotion.benefit {
            Benefit::Percentage(rate) => {
                form.percent = percent(rate);
            }
            Benefit::Amount(amount) => {
                form.amount = amount.amount();
            }
            Benefit::FreeShipping => {}
            Benefit::BuyXGetY {
                buy,
                get,
                percent: rate,
            } => {
                form.buy = buy.to_string();
                form.get = get.to_string();
                form.percent = percent(rate);
            }
        }
        match &promotion.target {
            Target::Order => {}
            Target::Products(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                form.product_ids = ids.join(", ");
            }
            Target::Categories(ids) => {
                form.category_ids = ids.iter().map(ToString::to_string).collect();
            }
        }
        form
    }

    fn input(&self) -> PromotionInput {
        let money = |typed: &str| filled(typed).map(MoneyInput::new);
        // What is no number names nothing, and is refused as such.
        let ids = |typed: &mut dyn Iterator<Item = &str>| {
            let typed = typed.map(str::trim).filter(|typed| !typed.is_empty());
            typed.map(|typed| typed.parse().unwrap_or(0)).collect()
        };
        PromotionInput {
            name: self.name.clone(),
            trigger: Some(self.trigger.clone()),
            code: filled(&self.code),
            kind: self.kind.clone(),
            percent: filled(&self.percent),
            amount: money(&self.amount),
            buy: number(&self.buy),
            get: number(&self.get),
            target: Some(self.target.clone()),
            product_ids: ids(&mut self.product_ids.split([',', ' '])),
            category_ids: ids(&mut self.category_ids.iter().map(String::as_str)),
            minimum: money(&self.minimum),
            first_order: !self.first_order.is_empty(),
            starts_at: filled(&self.starts_at),
            ends_at: filled(&self.ends_at),
            exclusive: !self.exclusive.is_empty(),
            max_uses: number(&self.max_uses),
            max_uses_per_customer: number(&self.max_uses_per_customer),
            position: number(&self.position).unwrap_or(0),
            active: Some(!self.active.is_empty()),
        }
    }
}

#[derive(Template)]
#[template(path = "promotions/admin_promotion.html")]
struct PromotionPage {
    shell: Shell,
    crumbs: Vec<Link>,
    /// None for a new one.
    promotion: Option<Promotion>,
    now: Timestamp,
    form: PromotionForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
    triggers: Vec<(String, String)>,
    kinds: Vec<(String, String)>,
    targets: Vec<(String, String)>,
    categories: Vec<(String, String)>,
    /// The newest uses.
    uses: Option<Page<Redemption>>,
    codes: Option<Page<Code>>,
}

impl PromotionPage {
    fn action(&self) -> String {
        match &self.promotion {
            Some(promotion) => urls::admin_promotion(promotion.id),
            None => urls::ADMIN_PROMOTION_NEW.to_owned(),
        }
    }
}

fn crumbs() -> Vec<Link> {
    vec![Link {
        label: "Promotions".to_owned(),
        href: urls::ADMIN_PROMOTIONS.to_owned(),
        current: false,
    }]
}

/// Categories as the form offers them, by their place in the tree.
async fn category_choices(app: &App) -> Result<Vec<(String, String)>> {
    let tree = catalog::service::categories(app).await?;
    let choices = tree.flattened().into_iter().map(|(depth, category)| {
        let name = format!("{}{}", "– ".repeat(depth), category.name);
        (category.id.to_string(), name)
    });
    Ok(choices.collect())
}

async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    promotion: Option<Promotion>,
    form: PromotionForm,
    errors: FieldErrors,
) -> Answer {
    let (mut uses, mut codes) = (None, None);
    if let Some(promotion) = &promotion {
        let newest = PageRequest::new(1, 10);
        uses = Some(service::redemptions(app, &viewer.ctx, promotion.id, newest).await?);
        codes = Some(service::codes(app, &viewer.ctx, promotion.id, newest).await?);
    }
    let template = PromotionPage {
        crumbs: crumbs(),
        now: viewer.ctx.now,
        promotion,
        form,
        conflict: status == StatusCode::CONFLICT && errors.is_empty(),
        errors,
        triggers: choices::<Trigger>(None),
        kinds: choices::<Kind>(None),
        targets: choices::<Scope>(None),
        categories: category_choices(app).await?,
        uses,
        codes,
        shell: viewer.shell,
    };
    page_with(status, &template)
}

async fn new(State(app): State<App>, viewer: Viewer) -> Answer {
    may_edit(&viewer.ctx)?;
    let form = PromotionForm::fresh();
    draw(
        &app,
        viewer,
        StatusCode::OK,
        None,
        form,
        FieldErrors::default(),
    )
    .await
}

fn may_edit(ctx: &Ctx) -> Result<()> {
    ctx.require(crate::ctx::Permission::Promotions)
}

async fn create(State(app): State<App>, viewer: Viewer, Form(form): Form<PromotionForm>) -> Answer {
    match service::create(&app, &viewer.ctx, form.input()).await {
        Ok(made) => {
            viewer
                .flash(Flash::good(format!("{} was made.", made.name)))
                .await?;
            redirect(&urls::admin_promotion(made.id))
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&app, viewer, status, None, form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// An id from the address; what is no number names nothing.
fn id_of(text: &str) -> Result<PromotionId> {
    text.parse().map_err(|_| Error::NotFound)
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    let promotion = service::promotion(&app, &viewer.ctx, id_of(&id)?).await?;
    let form = PromotionForm::of(&promotion);
    let errors = FieldErrors::default();
    draw(&app, viewer, StatusCode::OK, Some(promotion), form, errors).await
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(mut form): Form<PromotionForm>,
) -> Answer {
    let id = id_of(&id)?;
    let saved = service::update(&app, &viewer.ctx, id, version(&form.version), form.input()).await;
    let (status, errors) = match saved {
        Ok(saved) => {
            viewer
                .flash(Flash::good(format!("{} was saved.", saved.name)))
                .await?;
            return redirect(&urls::admin_promotion(id));
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let promotion = service::promotion(&app, &viewer.ctx, id).await?;
    if status == StatusCode::CONFLICT {
        // What was typed is kept; saving it again is a decision.
        form.version = promotion.version.to_string();
    }
    draw(&app, viewer, status, Some(promotion), form, errors).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Seen {
    version: String,
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(seen): Form<Seen>,
) -> Answer {
    let id = id_of(&id)?;
    let version = version(&seen.version);
    let (flash, to) = match service::delete(&app, &viewer.ctx, id, version).await {
        Ok(()) => (
            Flash::good("The promotion was deleted."),
            urls::ADMIN_PROMOTIONS.to_owned(),
        ),
        Err(Error::Conflict { detail, .. }) => (Flash::warning(detail), urls::admin_promotion(id)),
        Err(Error::Stale) => {
            let words =
                "Somebody changed this promotion meanwhile. Look again before you delete it.";
            (Flash::warning(words), urls::admin_promotion(id))
        }
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(&to)
}

/// Codes to add, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CodesForm {
    code: String,
    count: String,
    prefix: String,
    max_uses: String,
}

#[derive(Template)]
#[template(path = "promotions/admin_codes.html")]
struct CodesPage {
    shell: Shell,
    crumbs: Vec<Link>,
    promotion: Promotion,
    codes: Page<Code>,
    pager: Pager,
    form: CodesForm,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    page: String,
}

async fn codes(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let (id, request) = (id_of(&id)?, asked(&which.page));
    let (form, errors) = (CodesForm::default(), FieldErrors::default());
    draw_codes(
        &app,
        viewer,
        StatusCode::OK,
        id,
        &uri,
        request,
        form,
        errors,
    )
    .await
}

#[expect(clippy::too_many_arguments, reason = "what a page shows, once")]
async fn draw_codes(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    id: PromotionId,
    uri: &Uri,
    request: PageRequest,
    form: CodesForm,
    errors: FieldErrors,
) -> Answer {
    let promotion = service::promotion(app, &viewer.ctx, id).await?;
    let codes = service::codes(app, &viewer.ctx, id, request).await?;
    let mut crumbs = crumbs();
    crumbs.push(Link {
        label: promotion.name.clone(),
        href: urls::admin_promotion(id),
        current: false,
    });
    let template = CodesPage {
        shell: viewer.shell,
        crumbs,
        promotion,
        pager: Pager::new(&codes, uri),
        codes,
        form,
        errors,
    };
    page_with(status, &template)
}

async fn add_codes(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<CodesForm>,
) -> Answer {
    let id = id_of(&id)?;
    let input = NewCodes {
        code: filled(&form.code),
        count: number(&form.count),
        prefix: form.prefix.clone(),
        max_uses: number(&form.max_uses),
    };
    match service::add_codes(&app, &viewer.ctx, id, input).await {
        Ok(1) => viewer.flash(Flash::good("The code was added.")).await?,
        Ok(added) => {
            viewer
                .flash(Flash::good(format!("{added} codes were added.")))
                .await?
        }
        Err(Error::Conflict { detail, .. }) => viewer.flash(Flash::warning(detail)).await?,
        Err(Error::Invalid(errors)) => {
            let (status, request) = (StatusCode::UNPROCESSABLE_ENTITY, asked(""));
            return draw_codes(&app, viewer, status, id, &uri, request, form, errors).await;
        }
        Err(error) => return Err(error.into()),
    }
    redirect(&urls::admin_promotion_codes(id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WhichCode {
    code: String,
}

async fn remove_code(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(which): Form<WhichCode>,
) -> Answer {
    let id = id_of(&id)?;
    match service::remove_code(&app, &viewer.ctx, id, &which.code).await {
        Ok(()) => viewer.flash(Flash::good("The code was removed.")).await?,
        Err(Error::Conflict { detail, .. }) => viewer.flash(Flash::warning(detail)).await?,
        Err(error) => return Err(error.into()),
    }
    redirect(&urls::admin_promotion_codes(id))
}

async fn codes_csv(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    let id = id_of(&id)?;
    let csv = service::codes_csv(&app, &viewer.ctx, id).await?;
    let name = format!("attachment; filename=\"codes-{id}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, csv).into_response())
}
