//! Stock for staff: what is where, places, and for each variant its history, changes with a
//! reason, and transfers.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{
    Location, MovementEntry, MovementFilter, Reason, StockFilter, StockRow, StockShow,
};
use super::service::{self, AdjustInput, LocationInput, RulesInput, TransferInput, TransferLine};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Page, PageRequest, TextEnum, VariantId};
use crate::web::form::{Form, number};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

/// Lines on a page of a list.
const SHOWN: u32 = 50;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let variant = format!("{}/variants/{{id}}", urls::ADMIN_STOCK);
    Router::new()
        .route(urls::ADMIN_STOCK, get(list))
        .route(urls::ADMIN_LOCATIONS, get(places).post(make_place))
        .route(
            &format!("{}/{{code}}", urls::ADMIN_LOCATIONS),
            get(place).post(change_place),
        )
        .route(&variant, get(history))
        .route(&format!("{variant}/adjust"), post(adjust))
        .route(&format!("{variant}/rules"), post(set_rules))
        .route(&format!("{variant}/transfer"), post(transfer))
}

/// What the list is narrowed by, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    show: String,
    search: String,
    page: String,
}

#[derive(Template)]
#[template(path = "inventory/admin_stock.html")]
struct StockPage {
    shell: Shell,
    narrowed: Narrowed,
    /// The lists that there are, the one that is shown marked.
    shows: Vec<Link>,
    locations: Vec<Location>,
    rows: Page<StockRow>,
    pager: Pager,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let show = StockShow::from_word(&narrowed.show).unwrap_or_default();
    let filter = StockFilter {
        show,
        search: narrowed.search.clone(),
    };
    let request = PageRequest::typed(&narrowed.page, SHOWN);
    let rows = service::stock_list(&app, &viewer.ctx, &filter, request).await?;
    let shows = StockShow::ALL.iter().map(|one| Link {
        label: words(*one).to_owned(),
        href: urls::admin_stock_show(one.as_str()),
        current: *one == show,
    });
    page(&StockPage {
        shell: viewer.shell,
        shows: shows.collect(),
        locations: service::locations(&app, &viewer.ctx).await?,
        pager: Pager::new(&rows, &uri),
        rows,
        narrowed,
    })
}

fn words(show: StockShow) -> &'static str {
    match show {
        StockShow::All => "All",
        StockShow::Low => "Low",
        StockShow::Out => "Sold out",
        StockShow::Owed => "Owed",
        StockShow::Reserved => "Reserved",
        StockShow::Waiting => "Waited for",
    }
}

/// A place, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlaceForm {
    code: String,
    name: String,
    address: String,
    position: String,
    active: String,
}

impl PlaceForm {
    fn of(location: &Location) -> Self {
        Self {
            code: location.code.clone(),
            name: location.name.clone(),
            address: location.address.clone(),
            position: location.position.to_string(),
            active: if location.active { "on" } else { "" }.to_owned(),
        }
    }

    /// What is typed.
    fn input(&self) -> LocationInput {
        LocationInput {
            code: Some(self.code.clone()),
            name: Some(self.name.clone()),
            address: Some(self.address.clone()),
            position: number(&self.position),
            active: None,
        }
    }
}

#[derive(Template)]
#[template(path = "inventory/admin_locations.html")]
struct PlacesPage {
    shell: Shell,
    locations: Vec<Location>,
    form: PlaceForm,
    errors: FieldErrors,
}

async fn places(State(app): State<App>, viewer: Viewer) -> Answer {
    let (form, errors) = (PlaceForm::default(), FieldErrors::default());
    draw_places(&app, viewer, form, errors).await
}

async fn draw_places(app: &App, viewer: Viewer, form: PlaceForm, errors: FieldErrors) -> Answer {
    let status = status_of(&errors);
    let template = PlacesPage {
        locations: service::locations(app, &viewer.ctx).await?,
        shell: viewer.shell,
        form,
        errors,
    };
    page_with(status, &template)
}

fn status_of(errors: &FieldErrors) -> StatusCode {
    if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

async fn make_place(State(app): State<App>, viewer: Viewer, Form(form): Form<PlaceForm>) -> Answer {
    match service::create_location(&app, &viewer.ctx, form.input()).await {
        Ok(made) => {
            let words = format!("{} holds stock from now on.", made.name);
            viewer.flash(Flash::good(words)).await?;
            redirect(urls::ADMIN_LOCATIONS)
        }
        Err(Error::Invalid(errors)) => draw_places(&app, viewer, form, errors).await,
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "inventory/admin_location.html")]
struct PlacePage {
    shell: Shell,
    crumbs: Vec<Link>,
    location: Location,
    form: PlaceForm,
    errors: FieldErrors,
}

async fn place(State(app): State<App>, viewer: Viewer, Path(code): Path<String>) -> Answer {
    let location = service::location(&app, &viewer.ctx, &code).await?;
    let form = PlaceForm::of(&location);
    draw_place(viewer, location, form, FieldErrors::default())
}

fn draw_place(viewer: Viewer, location: Location, form: PlaceForm, errors: FieldErrors) -> Answer {
    let status = status_of(&errors);
    let crumbs = vec![
        link("Stock", urls::ADMIN_STOCK),
        link("Places", urls::ADMIN_LOCATIONS),
    ];
    let template = PlacePage {
        shell: viewer.shell,
        crumbs,
        location,
        form,
        errors,
    };
    page_with(status, &template)
}

async fn change_place(
    State(app): State<App>,
    viewer: Viewer,
    Path(code): Path<String>,
    Form(form): Form<PlaceForm>,
) -> Answer {
    let location = service::location(&app, &viewer.ctx, &code).await?;
    let input = LocationInput {
        code: None,
        active: Some(location.is_main() || !form.active.is_empty()),
        ..form.input()
    };
    match service::change_location(&app, &viewer.ctx, &code, input).await {
        Ok(changed) => {
            viewer
                .flash(Flash::good(format!("{} was saved.", changed.name)))
                .await?;
            redirect(urls::ADMIN_LOCATIONS)
        }
        Err(Error::Invalid(errors)) => draw_place(viewer, location, form, errors),
        Err(error) => Err(error.into()),
    }
}

/// The forms beside the history of a variant, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MoveForm {
    location: String,
    change: String,
    reason: String,
    note: String,
    from: String,
    to: String,
    quantity: String,
}

/// What holds for a variant's stock, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RulesForm {
    backorder: String,
    low_stock: String,
}

#[derive(Template)]
#[template(path = "inventory/admin_variant.html")]
struct VariantPage {
    shell: Shell,
    crumbs: Vec<Link>,
    row: StockRow,
    locations: Vec<Location>,
    /// Codes and names of the places, for a select.
    choices: Vec<(String, String)>,
    reasons: Vec<(String, String)>,
    entries: Page<MovementEntry>,
    pager: Pager,
    form: MoveForm,
    rules: RulesForm,
    rules_errors: FieldErrors,
    adjust_errors: FieldErrors,
    transfer_errors: FieldErrors,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    page: String,
}

async fn history(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Path(id): Path<VariantId>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let request = PageRequest::typed(&query.page, SHOWN);
    let page = variant_page(&app, viewer, &uri, id, request).await?;
    page_with(StatusCode::OK, &page)
}

async fn variant_page(
    app: &App,
    viewer: Viewer,
    uri: &Uri,
    id: VariantId,
    request: PageRequest,
) -> Result<VariantPage> {
    let row = service::stock_row(app, &viewer.ctx, id).await?;
    let filter = MovementFilter {
        variant_id: Some(id),
        ..MovementFilter::default()
    };
    let entries = service::movements(app, &viewer.ctx, &filter, request).await?;
    let locations = service::locations(app, &viewer.ctx).await?;
    let choices = locations
        .iter()
        .map(|one| (one.code.clone(), one.name.clone()));
    let reasons = Reason::BY_HAND.iter();
    let reasons = reasons.map(|one| (one.as_str().to_owned(), one.label()));
    let rules = RulesForm {
        backorder: if row.backorder { "on" } else { "" }.to_owned(),
        low_stock: row.low_stock.map(|low| low.to_string()).unwrap_or_default(),
    };
    Ok(VariantPage {
        rules,
        rules_errors: FieldErrors::default(),
        shell: viewer.shell,
        crumbs: vec![link("Stock", urls::ADMIN_STOCK)],
        row,
        choices: choices.collect(),
        locations,
        reasons: reasons.collect(),
        pager: Pager::new(&entries, uri),
        entries,
        form: MoveForm::default(),
        adjust_errors: FieldErrors::default(),
        transfer_errors: FieldErrors::default(),
    })
}

/// The page of a variant again, with what was typed and what is wrong with it.
async fn refuse(
    app: &App,
    viewer: Viewer,
    id: VariantId,
    fill: impl FnOnce(&mut VariantPage),
) -> Answer {
    let uri = Uri::try_from(urls::admin_variant(id)).map_err(|_| Error::NotFound)?;
    let mut page = variant_page(app, viewer, &uri, id, PageRequest::new(1, SHOWN)).await?;
    fill(&mut page);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn adjust(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VariantId>,
    Form(form): Form<MoveForm>,
) -> Answer {
    let input = AdjustInput {
        variant_id: Some(id),
        location: Some(form.location.clone()),
        on_hand: None,
        // What is no number changes nothing, which is refused.
        change: Some(form.change.trim().parse().unwrap_or(0)),
        reason: Some(form.reason.clone()),
        note: Some(form.note.clone()),
    };
    match service::adjust(&app, &viewer.ctx, input).await {
        Ok(row) => {
            let words = format!("{} can be sold now.", row.level().available());
            done(&viewer, id, words).await
        }
        Err(Error::Invalid(errors)) => {
            refuse(&app, viewer, id, |page| {
                page.form = form;
                page.adjust_errors = errors;
            })
            .await
        }
        Err(error) => Err(error.into()),
    }
}

async fn set_rules(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VariantId>,
    Form(form): Form<RulesForm>,
) -> Answer {
    let input = RulesInput {
        backorder: Some(!form.backorder.is_empty()),
        low_stock: Some(number(&form.low_stock)),
    };
    match service::set_rules(&app, &viewer.ctx, id, input).await {
        Ok(_) => done(&viewer, id, "Saved.".to_owned()).await,
        Err(Error::Invalid(errors)) => {
            refuse(&app, viewer, id, |page| {
                page.rules = form;
                page.rules_errors = errors;
            })
            .await
        }
        Err(error) => Err(error.into()),
    }
}

async fn transfer(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VariantId>,
    Form(form): Form<MoveForm>,
) -> Answer {
    // Who may not see it, and what is not there, is told so before the form is looked at.
    service::stock_row(&app, &viewer.ctx, id).await?;
    let input = TransferInput {
        from: Some(form.from.clone()),
        to: Some(form.to.clone()),
        lines: vec![TransferLine {
            variant_id: Some(id),
            quantity: form.quantity.trim().parse().ok(),
        }],
        note: Some(form.note.clone()),
    };
    match service::transfer(&app, &viewer.ctx, input).await {
        Ok(made) => done(&viewer, id, format!("Moved: {}.", made.reference)).await,
        Err(Error::Invalid(errors)) => {
            let errors = at_fields(&errors);
            refuse(&app, viewer, id, |page| {
                page.form = form;
                page.transfer_errors = errors;
            })
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// The messages about the one line, at the fields of the page.
fn at_fields(errors: &FieldErrors) -> FieldErrors {
    let mut named = FieldErrors::default();
    for (field, error) in errors.iter() {
        let field = if field.starts_with("lines") {
            "quantity"
        } else {
            field
        };
        named.add(field, error.code, error.message.clone());
    }
    named
}

async fn done(viewer: &Viewer, id: VariantId, words: String) -> Answer {
    viewer.flash(Flash::good(words)).await?;
    redirect(&urls::admin_variant(id))
}

fn link(label: &str, href: &str) -> Link {
    Link {
        label: label.to_owned(),
        href: href.to_owned(),
        current: false,
    }
}
