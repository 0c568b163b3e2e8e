//! Methods for staff: a form with the steps of a price as rows.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::{STALE, done};
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::shipping::model::{MethodKind, ShippingMethod, ShippingZone};
use crate::shipping::service::{self, MethodInput, StepInput};
use crate::shipping::urls;
use crate::types::{Money, MoneyInput, ShippingZoneId, TextEnum};
use crate::web::form::{Form, number, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, redirect};

/// Empty rows for more steps.
const SPARE: usize = 3;

pub(super) fn routes() -> Router<App> {
    let new = format!("{}/{{id}}/methods/new", urls::ADMIN_ZONES);
    let method = format!("{}/methods/{{code}}", urls::ADMIN_ZONES);
    Router::new()
        .route(&new, get(begin).post(create))
        .route(&method, get(edit).post(save))
        .route(&format!("{method}/delete"), post(delete))
}

/// What a kind means.
fn explained(kind: MethodKind) -> String {
    let words = match kind {
        MethodKind::Flat => "Flat: always the same",
        MethodKind::ByWeight => "By weight of the goods",
        MethodKind::ByTotal => "By price of the goods",
        MethodKind::Pickup => "Pickup: shoppers come for it",
    };
    words.to_owned()
}

/// A method, as typed, by field.
#[derive(Clone, Debug, Default)]
struct MethodForm {
    typed: BTreeMap<String, String>,
    /// From and price of each step.
    steps: Vec<(String, String)>,
}

impl MethodForm {
    /// The form of a new method.
    fn blank() -> Self {
        let mut form = Self::default();
        form.set("kind", MethodKind::Flat.as_str());
        form.set("active", "on");
        form
    }

    fn of(method: &ShippingMethod) -> Self {
        let mut form = Self::default();
        form.set("version", &method.version.to_string());
        form.set("name", &method.name);
        form.set("description", &method.description);
        form.set("kind", method.kind.as_str());
        if !method.kind.has_steps() {
            form.set("price", &method.price.amount());
        }
        if let Some(free_over) = method.free_over {
            form.set("free_over", &free_over.amount());
        }
        form.set("pickup_location", &method.pickup_location);
        form.set("active", if method.active { "on" } else { "" });
        form.set("position", &method.position.to_string());
        let steps = method.steps.iter().map(|step| {
            let from = if method.kind == MethodKind::ByTotal {
                Money::new(step.from, step.price.currency()).amount()
            } else {
                step.from.to_string()
            };
            (from, step.price.amount())
        });
        form.steps = steps.collect();
        form
    }

    /// What was posted. Rows of steps without anything in them are left out.
    fn read(typed: BTreeMap<String, String>) -> Self {
        let mut steps: BTreeMap<u16, (String, String)> = BTreeMap::new();
        for (name, value) in &typed {
            let place = name
                .strip_prefix("steps.")
                .and_then(|rest| rest.split_once('.'));
            let Some((row, field)) = place else { continue };
            let Ok(row) = row.parse() else { continue };
            let step = steps.entry(row).or_default();
            match field {
                "from" => step.0.clone_from(value),
                "price" => step.1.clone_from(value),
                _ => {}
            }
        }
        steps.retain(|_, (from, price)| !from.trim().is_empty() || !price.trim().is_empty());
        Self {
            typed,
            steps: steps.into_values().collect(),
        }
    }

    fn set(&mut self, field: &str, value: &str) {
        self.typed.insert(field.to_owned(), value.to_owned());
    }

    /// What was typed into a field.
    fn of_field(&self, field: &str) -> &str {
        self.typed.get(field).map_or("", String::as_str)
    }

    fn input(&self) -> MethodInput {
        let text = |field: &str| Some(self.of_field(field).to_owned());
        let money = |text: &str| Some(MoneyInput::new(text.trim()));
        let given = |field: &str| Some(self.of_field(field).trim()).filter(|text| !text.is_empty());
        let kind = MethodKind::from_word(self.of_field("kind"));
        let by_total = kind == Some(MethodKind::ByTotal);
        // An emptied price is none of a pickup, and a mistake of a flat rate.
        let price = match kind {
            Some(MethodKind::Flat) => Some(self.of_field("price")),
            Some(MethodKind::Pickup) => Some(given("price").unwrap_or("0")),
            _ => None,
        };
        let step = |(from, price): &(String, String)| StepInput {
            from_grams: number(from).filter(|_| !by_total),
            from_total: money(from).filter(|_| by_total && !from.trim().is_empty()),
            price: money(price).filter(|_| !price.trim().is_empty()),
        };
        MethodInput {
            code: given("code").map(str::to_owned),
            name: text("name"),
            description: text("description"),
            kind: text("kind"),
            price: price.and_then(money),
            steps: Some(self.steps.iter().map(step).collect()),
            free_over: money(given("free_over").unwrap_or("0")),
            pickup_location: text("pickup_location"),
            active: Some(!self.of_field("active").is_empty()),
            position: number(self.of_field("position")),
        }
    }

    /// Its steps and empty rows for more.
    fn rows(&self) -> Vec<(String, String)> {
        let spare = std::iter::repeat_n((String::new(), String::new()), SPARE);
        self.steps.iter().cloned().chain(spare).collect()
    }
}

#[derive(Template)]
#[template(path = "shipping/admin_method.html")]
struct MethodPage {
    shell: Shell,
    /// The zone that it is for.
    zone: ShippingZone,
    /// None for a new one.
    method: Option<ShippingMethod>,
    kinds: Vec<(String, String)>,
    currency: String,
    form: MethodForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
}

impl MethodPage {
    fn action(&self) -> String {
        match &self.method {
            Some(method) => urls::admin_method(&method.code),
            None => urls::admin_method_new(self.zone.id),
        }
    }

    fn title(&self) -> String {
        match &self.method {
            Some(method) => method.name.clone(),
            None => "New way to ship".to_owned(),
        }
    }

    /// The words of a field that takes money.
    fn in_currency(&self, words: &str) -> String {
        format!("{words}, {}", self.currency)
    }

    /// The message at a field of a step.
    fn step_error(&self, row: &usize, field: &str) -> &str {
        self.errors.of(&format!("steps.{row}.{field}"))
    }
}

async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    zone: ShippingZoneId,
    method: Option<ShippingMethod>,
    form: MethodForm,
    errors: FieldErrors,
) -> Answer {
    let (zone, _) = service::zone(app, &viewer.ctx, zone).await?;
    let kinds = MethodKind::ALL.iter();
    let template = MethodPage {
        shell: viewer.shell,
        zone,
        method,
        kinds: kinds
            .map(|&kind| (kind.to_string(), explained(kind)))
            .collect(),
        currency: app.currency().symbol(),
        form,
        errors,
        conflict: status == StatusCode::CONFLICT,
    };
    page_with(status, &template)
}

async fn begin(State(app): State<App>, viewer: Viewer, Path(zone): Path<i64>) -> Answer {
    let (zone, form) = (ShippingZoneId(zone), MethodForm::blank());
    let errors = FieldErrors::default();
    draw(&app, viewer, StatusCode::OK, zone, None, form, errors).await
}

async fn create(
    State(app): State<App>,
    viewer: Viewer,
    Path(zone): Path<i64>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Answer {
    let (zone, form) = (ShippingZoneId(zone), MethodForm::read(typed));
    match service::create_method(&app, &viewer.ctx, zone, form.input()).await {
        Ok(method) => {
            let words = format!("{} was made.", method.name);
            done(&viewer, words, urls::ADMIN_ZONES).await
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&app, viewer, status, zone, None, form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(code): Path<String>) -> Answer {
    let method = service::method(&app, &viewer.ctx, &code).await?;
    let (zone, form) = (method.zone_id, MethodForm::of(&method));
    let errors = FieldErrors::default();
    draw(
        &app,
        viewer,
        StatusCode::OK,
        zone,
        Some(method),
        form,
        errors,
    )
    .await
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(code): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Answer {
    let mut form = MethodForm::read(typed);
    let seen = version(form.of_field("version"));
    let saved = service::update_method(&app, &viewer.ctx, &code, seen, form.input()).await;
    let (status, errors) = match saved {
        Ok(method) => {
            let words = format!("{} was saved.", method.name);
            return done(&viewer, words, urls::ADMIN_ZONES).await;
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let method = service::method(&app, &viewer.ctx, &code).await?;
    if status == StatusCode::CONFLICT {
        // What was typed is kept; saving it again is a decision.
        form.set("version", &method.version.to_string());
    }
    let zone = method.zone_id;
    draw(&app, viewer, status, zone, Some(method), form, errors).await
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(code): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Answer {
    let seen = version(typed.get("version").map_or("", String::as_str));
    match service::delete_method(&app, &viewer.ctx, &code, seen).await {
        Ok(()) => done(&viewer, "The way to ship was deleted.", urls::ADMIN_ZONES).await,
        Err(Error::Stale) => {
            viewer.flash(Flash::warning(STALE)).await?;
            redirect(urls::ADMIN_ZONES)
        }
        Err(error) => Err(error.into()),
    }
}
