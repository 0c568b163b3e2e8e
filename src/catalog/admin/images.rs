//! A product's pictures for staff: upload, alt text, order, removal.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;

use super::products::{PictureTrouble, draw_current};
use crate::app::App;
use crate::catalog::service::ImageInput;
use crate::catalog::{ProductKey, service, urls};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{ImageId, ProductId};
use crate::web::files::{self, Parts};
use crate::web::form::Form;
use crate::web::{Answer, Failure, Flash, Viewer, layers, redirect};

pub(super) fn routes() -> Router<App> {
    let images = format!("{}/{{id}}/images", urls::ADMIN_PRODUCTS);
    let upload = post(upload).layer(DefaultBodyLimit::max(layers::MAX_UPLOAD));
    Router::new()
        .route(&images, upload)
        .route(&format!("{images}/{{image}}"), post(change))
}

/// Back to the pictures, not to the top of the page.
fn to_pictures(id: ProductId) -> Answer {
    redirect(&format!("{}#pictures", urls::admin_product(id)))
}

/// One picture after the other: a bad one does not undo those before it.
async fn upload(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ProductId>,
    request: Request,
) -> Answer {
    let key = ProductKey::Id(id);
    // Before a byte of the files is read: who may not add pictures sends none.
    service::product_for_staff(&app, &viewer.ctx, &key).await?;
    let multipart = Multipart::from_request(request, &app).await;
    let multipart = multipart.map_err(|rejection| Failure::of_status(rejection.status()))?;
    let (files, alt) = match read(multipart).await {
        Ok(parts) => parts,
        Err(failure) if failure.status == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = "This is too large: at most 10 MiB at once.";
            return refused(&app, viewer, id, "too_large", message).await;
        }
        Err(failure) => return Err(failure),
    };
    if files.is_empty() {
        return refused(&app, viewer, id, "required", "Choose a picture first.").await;
    }
    let count = files.len();
    for (number, bytes) in (1..).zip(files) {
        match service::add_image(&app, &viewer.ctx, &key, bytes, &alt).await {
            Ok(_) => {}
            Err(Error::Invalid(errors)) => {
                let trouble = PictureTrouble::Upload(numbered(&errors, number, count));
                return draw_current(&app, viewer, id, Some(trouble)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let words = match count {
        1 => "The picture was added.".to_owned(),
        count => format!("{count} pictures were added."),
    };
    viewer.flash(Flash::good(words)).await?;
    to_pictures(id)
}

/// The files and the alt text of an upload. A browser sends an empty file where none was chosen.
async fn read(multipart: Multipart) -> std::result::Result<(Vec<Vec<u8>>, String), Failure> {
    let (mut images, mut alt) = (Vec::new(), String::new());
    let mut parts = Parts::new(multipart);
    while let Some(part) = parts.next().await? {
        match part.name() {
            Some("image") => {
                let bytes = files::bytes(part, layers::MAX_UPLOAD).await?;
                if !bytes.is_empty() {
                    images.push(bytes);
                }
            }
            Some("alt") => alt = files::text(part).await?,
            _ => {}
        }
    }
    Ok((images, alt))
}

async fn refused(
    app: &App,
    viewer: Viewer,
    id: ProductId,
    code: &'static str,
    message: &str,
) -> Answer {
    let mut errors = FieldErrors::default();
    errors.add("image", code, message);
    let trouble = PictureTrouble::Upload(errors);
    draw_current(app, viewer, id, Some(trouble)).await
}

/// Of several files, the message says which one it means.
fn numbered(errors: &FieldErrors, number: usize, count: usize) -> FieldErrors {
    let mut numbered = FieldErrors::default();
    for (field, error) in errors.iter() {
        let message = if count > 1 {
            format!("File {number} of {count}: {}", error.message)
        } else {
            error.message.clone()
        };
        numbered.add(field, error.code, message);
    }
    numbered
}

/// A picture's form; its buttons are named `do`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PictureForm {
    #[serde(rename = "do")]
    action: String,
    alt: String,
    /// Left out where the product has no options.
    option_value: Option<String>,
    /// Where it stood when the form was drawn, from 0.
    position: String,
}

impl PictureForm {
    /// Where it is to stand; none when it stays.
    fn target(&self) -> Option<i64> {
        let now: i64 = self.position.parse().unwrap_or(0);
        match self.action.as_str() {
            "earlier" => Some((now - 1).max(0)),
            "later" => Some(now.saturating_add(1)),
            "cover" => Some(0),
            _ => None,
        }
    }
}

async fn change(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, image)): Path<(ProductId, ImageId)>,
    Form(form): Form<PictureForm>,
) -> Answer {
    let (key, ctx) = (ProductKey::Id(id), &viewer.ctx);
    let done: Result<()> = if form.action == "remove" {
        service::delete_image(&app, ctx, &key, image, None).await
    } else {
        let input = ImageInput {
            alt: Some(form.alt.clone()),
            position: form.target(),
            option_value: form.option_value.clone(),
        };
        let changed = service::update_image(&app, ctx, &key, image, None, input).await;
        changed.map(drop)
    };
    match done {
        Ok(()) => to_pictures(id),
        Err(Error::Invalid(errors)) => {
            let trouble = PictureTrouble::Alt(image, form.alt, errors);
            draw_current(&app, viewer, id, Some(trouble)).await
        }
        Err(error) => Err(error.into()),
    }
}
