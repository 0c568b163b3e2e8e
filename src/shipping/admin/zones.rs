//! Zones for staff.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{STALE, done};
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::shipping::model::{ShippingMethod, ShippingZone};
use crate::shipping::service::{self, ZoneInput};
use crate::shipping::urls;
use crate::types::ShippingZoneId;
use crate::web::form::{Form, number, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, redirect};

pub(super) fn routes() -> Router<App> {
    let zone = format!("{}/{{id}}", urls::ADMIN_ZONES);
    Router::new()
        .route(urls::ADMIN_ZONES, get(list).post(create))
        .route(&zone, get(edit).post(save))
        .route(&format!("{zone}/delete"), post(delete))
}

/// A zone, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ZoneForm {
    version: String,
    name: String,
    countries: String,
    postal_codes: String,
    position: String,
}

impl ZoneForm {
    fn of(zone: &ShippingZone) -> Self {
        Self {
            version: zone.version.to_string(),
            name: zone.name.clone(),
            countries: zone.countries.join(", "),
            postal_codes: zone.patterns(),
            position: zone.position.to_string(),
        }
    }

    fn input(&self) -> ZoneInput {
        let list = |typed: &str| {
            let parts = typed.split([',', '\n']).map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        ZoneInput {
            name: Some(self.name.clone()),
            countries: Some(list(&self.countries)),
            postal_codes: Some(list(&self.postal_codes)),
            position: number(&self.position),
        }
    }
}

#[derive(Template)]
#[template(path = "shipping/admin_zones.html")]
struct ZonesPage {
    shell: Shell,
    zones: Vec<(ShippingZone, Vec<ShippingMethod>)>,
    form: ZoneForm,
    errors: FieldErrors,
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    let form = ZoneForm::default();
    draw_all(&app, viewer, StatusCode::OK, form, FieldErrors::default()).await
}

async fn draw_all(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    form: ZoneForm,
    errors: FieldErrors,
) -> Answer {
    let zones = service::zones(app, &viewer.ctx).await?;
    let template = ZonesPage {
        shell: viewer.shell,
        zones,
        form,
        errors,
    };
    page_with(status, &template)
}

async fn create(State(app): State<App>, viewer: Viewer, Form(form): Form<ZoneForm>) -> Answer {
    match service::create_zone(&app, &viewer.ctx, form.input()).await {
        Ok(zone) => {
            let words = format!("{} was made. Say how you ship there.", zone.name);
            done(&viewer, words, &urls::admin_method_new(zone.id)).await
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw_all(&app, viewer, status, form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "shipping/admin_zone.html")]
struct ZonePage {
    shell: Shell,
    zone: ShippingZone,
    form: ZoneForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    let (zone, _) = service::zone(&app, &viewer.ctx, ShippingZoneId(id)).await?;
    let template = ZonePage {
        shell: viewer.shell,
        form: ZoneForm::of(&zone),
        zone,
        errors: FieldErrors::default(),
        conflict: false,
    };
    page_with(StatusCode::OK, &template)
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(mut form): Form<ZoneForm>,
) -> Answer {
    let (id, seen) = (ShippingZoneId(id), version(&form.version));
    let saved = service::update_zone(&app, &viewer.ctx, id, seen, form.input()).await;
    let (status, errors) = match saved {
        Ok(_) => return done(&viewer, "The zone was saved.", urls::ADMIN_ZONES).await,
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let (zone, _) = service::zone(&app, &viewer.ctx, id).await?;
    let conflict = status == StatusCode::CONFLICT;
    if conflict {
        // What was typed is kept; saving it again is a decision.
        form.version = zone.version.to_string();
    }
    let template = ZonePage {
        shell: viewer.shell,
        zone,
        form,
        errors,
        conflict,
    };
    page_with(status, &template)
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(form): Form<ZoneForm>,
) -> Answer {
    let seen = version(&form.version);
    match service::delete_zone(&app, &viewer.ctx, ShippingZoneId(id), seen).await {
        Ok(()) => done(&viewer, "The zone was deleted.", urls::ADMIN_ZONES).await,
        Err(Error::Stale) => {
            viewer.flash(Flash::warning(STALE)).await?;
            redirect(urls::ADMIN_ZONES)
        }
        Err(error) => Err(error.into()),
    }
}
