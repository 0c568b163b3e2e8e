//! A product for staff: the form, and the question before deleting.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::form::{Action, ProductForm};
use super::{Difference, category_choices, link};
use crate::app::App;
use crate::catalog::model::{Image, Product, ProductStatus};
use crate::catalog::{ProductKey, service, urls};
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::StockLevel;
use crate::taxes;
use crate::types::{ImageId, ProductId};
use crate::web::form::{Form, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, page, redirect};

pub(super) fn routes() -> Router<App> {
    let product = format!("{}/{{id}}", urls::ADMIN_PRODUCTS);
    Router::new()
        .route(urls::ADMIN_PRODUCT_NEW, get(new).post(create))
        .route(&product, get(edit).post(save))
        .route(&format!("{product}/delete"), get(ask_delete).post(delete))
}

/// The form of a product.
#[derive(Template)]
#[template(path = "catalog/admin_product.html")]
struct ProductPage {
    shell: Shell,
    crumbs: Vec<Link>,
    categories: Vec<(String, String)>,
    /// Code and name.
    tax_classes: Vec<(String, String)>,
    currency: String,
    form: ProductForm,
    /// One price and one stock, no table of variants.
    simple: bool,
    errors: FieldErrors,
    /// What somebody else changed while the form was open; none when nobody did.
    conflict: Option<Vec<Difference>>,
    /// None for a new one.
    product: Option<Product>,
    pictures: Vec<PictureRow>,
    /// What is wrong with an upload.
    upload_error: String,
}

/// A picture with its form.
struct PictureRow {
    image: Image,
    /// As typed.
    alt: String,
    error: String,
}

/// What went wrong with a picture's form, to be told beside it.
pub(super) enum PictureTrouble {
    /// An upload was refused.
    Upload(FieldErrors),
    /// The alt text of this picture was refused.
    Alt(ImageId, String, FieldErrors),
}

impl ProductPage {
    fn action(&self) -> String {
        match &self.product {
            Some(product) => urls::admin_product(product.id),
            None => urls::ADMIN_PRODUCT_NEW.to_owned(),
        }
    }

    /// The words of a status radio.
    fn statuses(&self) -> Vec<(String, String)> {
        [
            (ProductStatus::Active, "Active, for sale"),
            (ProductStatus::Draft, "Draft, only staff see it"),
            (ProductStatus::Archived, "Archived, no longer for sale"),
        ]
        .map(|(status, words)| (status.to_string(), words.to_owned()))
        .into()
    }

    /// The message at a field of a row.
    fn error(&self, list: &str, row: &usize, field: &str) -> &str {
        self.errors.of(&format!("{list}.{row}.{field}"))
    }

    /// What a picture may show: the values of the saved options.
    fn option_values(&self) -> Vec<&str> {
        let options = self.product.iter().flat_map(|product| &product.options);
        let values = options.flat_map(|option| &option.values);
        values.map(|value| value.value.as_str()).collect()
    }

    fn option_name(&self, column: &usize) -> &str {
        let option = self.form.options.get(*column);
        option.map_or("", |option| &option.name)
    }

    fn is_low(stock: &str) -> bool {
        stock
            .parse::<i64>()
            .is_ok_and(|stock| stock <= StockLevel::LOW)
    }
}

/// What is drawn beside the fields.
#[derive(Default)]
struct Drawn {
    errors: FieldErrors,
    conflict: Option<Vec<Difference>>,
    trouble: Option<PictureTrouble>,
}

/// Draws the form; only for those who may change products.
async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    product: Option<Product>,
    form: ProductForm,
    drawn: Drawn,
) -> Answer {
    let tree = service::categories_for_staff(app, &viewer.ctx).await?;
    let tax_classes = taxes::service::classes(app, &viewer.ctx).await?;
    let tax_classes = tax_classes
        .into_iter()
        .map(|class| (class.code, class.name));
    let mut crumbs = vec![link("Products", urls::ADMIN_PRODUCTS)];
    let category = product.as_ref().and_then(|product| product.category_id);
    for category in category.iter().flat_map(|&id| tree.path(id)) {
        let href = format!("{}?category={}", urls::ADMIN_PRODUCTS, category.id);
        crumbs.push(link(&category.name, href));
    }
    let images = product.as_ref().map_or(&[][..], |product| &product.images);
    let mut pictures: Vec<PictureRow> = images.iter().map(PictureRow::from).collect();
    let mut upload_error = String::new();
    match drawn.trouble {
        Some(PictureTrouble::Upload(errors)) => upload_error = first(&errors),
        Some(PictureTrouble::Alt(id, alt, errors)) => {
            if let Some(row) = pictures.iter_mut().find(|row| row.image.id == id) {
                row.alt = alt;
                row.error = first(&errors);
            }
        }
        None => {}
    }
    let template = ProductPage {
        shell: viewer.shell,
        crumbs,
        categories: category_choices(&tree, "No category"),
        tax_classes: tax_classes.collect(),
        currency: app.currency().symbol(),
        simple: form.is_simple(),
        form: form.with_spare_rows(),
        errors: drawn.errors,
        conflict: drawn.conflict,
        product,
        pictures,
        upload_error,
    };
    page_with(status, &template)
}

impl From<&Image> for PictureRow {
    fn from(image: &Image) -> Self {
        Self {
            image: image.clone(),
            alt: image.alt.clone(),
            error: String::new(),
        }
    }
}

fn first(errors: &FieldErrors) -> String {
    let first = errors.iter().next();
    first.map_or(String::new(), |(_, error)| error.message.clone())
}

async fn new(State(app): State<App>, viewer: Viewer) -> Answer {
    let (form, drawn) = (ProductForm::blank(), Drawn::default());
    draw(&app, viewer, StatusCode::OK, None, form, drawn).await
}

async fn create(
    State(app): State<App>,
    viewer: Viewer,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Answer {
    let mut form = ProductForm::read(pairs);
    if let Some((status, errors)) = redrawn(&mut form) {
        let drawn = Drawn {
            errors,
            ..Drawn::default()
        };
        return draw(&app, viewer, status, None, form, drawn).await;
    }
    match service::create_product(&app, &viewer.ctx, form.input()).await {
        Ok(product) => saved(&viewer, &product, "was made. Now add pictures.").await,
        Err(Error::Invalid(errors)) => {
            let drawn = Drawn {
                errors,
                ..Drawn::default()
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&app, viewer, status, None, form, drawn).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What a button that only redraws the form does to it: status and messages of the page.
fn redrawn(form: &mut ProductForm) -> Option<(StatusCode, FieldErrors)> {
    match form.action {
        Action::Save => None,
        Action::More => Some((StatusCode::OK, FieldErrors::default())),
        Action::Variants => {
            let errors = form.make_variants();
            let status = if errors.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            Some((status, errors))
        }
    }
}

async fn saved(viewer: &Viewer, product: &Product, done: &str) -> Answer {
    let words = format!("\u{201c}{}\u{201d} {done}", product.name);
    viewer.flash(Flash::good(words)).await?;
    redirect(&urls::admin_product(product.id))
}

async fn current(app: &App, ctx: &Ctx, id: ProductId) -> Result<Product> {
    service::product_for_staff(app, ctx, &ProductKey::Id(id)).await
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<ProductId>) -> Answer {
    draw_current(&app, viewer, id, None).await
}

/// The form of a product as it is; with what went wrong with one of its pictures.
pub(super) async fn draw_current(
    app: &App,
    viewer: Viewer,
    id: ProductId,
    trouble: Option<PictureTrouble>,
) -> Answer {
    let product = current(app, &viewer.ctx, id).await?;
    let form = ProductForm::of(&product);
    let status = if trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let drawn = Drawn {
        trouble,
        ..Drawn::default()
    };
    draw(app, viewer, status, Some(product), form, drawn).await
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ProductId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Answer {
    let mut form = ProductForm::read(pairs);
    let (status, drawn) = if let Some((status, errors)) = redrawn(&mut form) {
        let drawn = Drawn {
            errors,
            ..Drawn::default()
        };
        (status, drawn)
    } else {
        let (key, version) = (ProductKey::Id(id), Some(form.version));
        match service::update_product(&app, &viewer.ctx, &key, version, form.input()).await {
            Ok(product) => return saved(&viewer, &product, "was saved.").await,
            Err(Error::Invalid(errors)) => {
                let drawn = Drawn {
                    errors,
                    ..Drawn::default()
                };
                (StatusCode::UNPROCESSABLE_ENTITY, drawn)
            }
            Err(Error::Stale) => return conflict(&app, viewer, id, form).await,
            Err(error) => return Err(error.into()),
        }
    };
    let product = current(&app, &viewer.ctx, id).await?;
    draw(&app, viewer, status, Some(product), form, drawn).await
}

/// Somebody else was faster: what was typed comes back beside what there is now.
async fn conflict(app: &App, viewer: Viewer, id: ProductId, mut form: ProductForm) -> Answer {
    let product = current(app, &viewer.ctx, id).await?;
    let tree = service::categories_for_staff(app, &viewer.ctx).await?;
    let drawn = Drawn {
        conflict: Some(form.catch_up(&product, &tree)),
        ..Drawn::default()
    };
    let status = StatusCode::CONFLICT;
    draw(app, viewer, status, Some(product), form, drawn).await
}

#[derive(Template)]
#[template(path = "catalog/admin_product_delete.html")]
struct DeletePage {
    shell: Shell,
    crumbs: Vec<Link>,
    product: Product,
}

async fn ask_delete(State(app): State<App>, viewer: Viewer, Path(id): Path<ProductId>) -> Answer {
    let product = current(&app, &viewer.ctx, id).await?;
    page(&DeletePage {
        shell: viewer.shell,
        crumbs: vec![
            link("Products", urls::ADMIN_PRODUCTS),
            link(&product.name, urls::admin_product(id)),
        ],
        product,
    })
}

/// The version that somebody looked at before they decided.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    version: String,
}

impl Decided {
    /// Never none: who decides must have seen something.
    pub fn version(&self) -> Option<i64> {
        version(&self.version)
    }
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ProductId>,
    Form(decided): Form<Decided>,
) -> Answer {
    let key = ProductKey::Id(id);
    match service::delete_product(&app, &viewer.ctx, &key, decided.version()).await {
        Ok(()) => {}
        Err(Error::Stale) => {
            let words = "Somebody changed this product meanwhile. Look again before you delete it.";
            viewer.flash(Flash::warning(words)).await?;
            return redirect(&urls::admin_product(id));
        }
        Err(error) => return Err(error.into()),
    }
    // What was ordered once is still there.
    let words = match current(&app, &viewer.ctx, id).await {
        Ok(_) => "The product was archived, because orders name it.",
        Err(Error::NotFound) => "The product was deleted.",
        Err(error) => return Err(error.into()),
    };
    viewer.flash(Flash::good(words)).await?;
    redirect(urls::ADMIN_PRODUCTS)
}
