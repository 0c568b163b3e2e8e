//! Stock in place: in the list for products with one variant, on a page of its own for others.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::draw;
use super::narrowed::Narrowed;
use crate::app::App;
use crate::catalog::admin::link;
use crate::catalog::model::{Product, Variant};
use crate::catalog::service::{self, ProductKey, StockEdit, StockInput};
use crate::catalog::urls;
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::Counted;
use crate::types::{Page, PageRequest, ProductId, VariantId};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, redirect};

/// Variants on a page.
const SHOWN: u32 = 100;

/// What was typed: empty when the page is drawn for the first time.
#[derive(Clone, Debug, Default)]
pub(super) struct StockForm {
    rows: BTreeMap<VariantId, Typed>,
    /// The one row to save; none for all that changed.
    only: Option<VariantId>,
    pub reason: String,
    pub note: String,
    pub errors: FieldErrors,
}

/// A field as typed, and what it said at first.
#[derive(Clone, Debug, Default)]
struct Typed {
    now: String,
    was: String,
}

impl StockForm {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.split_once('.') {
                Some((field, id)) => {
                    let Ok(id) = id.parse() else { continue };
                    let row = form.rows.entry(VariantId(id)).or_default();
                    match field {
                        "stock" => row.now = value,
                        "was" => row.was = value,
                        _ => {}
                    }
                }
                None => match name.as_str() {
                    "only" => form.only = value.parse().ok().map(VariantId),
                    "reason" => form.reason = value,
                    "note" => form.note = value,
                    _ => {}
                },
            }
        }
        form
    }

    /// The name of the field of a variant.
    pub fn field(variant: &VariantId) -> String {
        format!("stock.{variant}")
    }

    /// What the field of a variant says.
    pub fn value(&self, variant: &VariantId, on_hand: &i64) -> String {
        let typed = self.rows.get(variant);
        typed.map_or_else(|| on_hand.to_string(), |row| row.now.clone())
    }

    /// What it said at first.
    pub fn was(&self, variant: &VariantId, on_hand: &i64) -> String {
        let typed = self.rows.get(variant);
        typed.map_or_else(|| on_hand.to_string(), |row| row.was.clone())
    }

    /// What is wrong with it.
    pub fn error(&self, variant: &VariantId) -> &str {
        self.errors.of(&Self::field(variant))
    }

    /// The rows that are to be saved.
    fn changed(&self) -> Vec<(VariantId, &Typed)> {
        let wanted = |id: &VariantId, row: &Typed| match self.only {
            Some(only) => *id == only,
            None => row.now.trim() != row.was.trim(),
        };
        let rows = self.rows.iter().filter(|(id, row)| wanted(id, row));
        rows.map(|(id, row)| (*id, row)).collect()
    }

    /// Saves what changed; what is wrong stands at the fields afterwards.
    async fn save(&mut self, app: &App, viewer: &Viewer) -> Result<Vec<Counted>> {
        let changed = self.changed();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let mut errors = FieldErrors::default();
        let mut edits = Vec::with_capacity(changed.len());
        for (id, row) in &changed {
            let number = |text: &str| text.trim().parse::<i64>();
            let field = Self::field(id);
            let typed = number(&row.now).map_err(|_| "Write a whole number.");
            edits.push(StockEdit {
                variant_id: Some(*id),
                on_hand: errors.keep(&field, "invalid", typed),
                was: number(&row.was).ok(),
                change: None,
            });
        }
        errors.into_result()?;
        let places: Vec<VariantId> = changed.iter().map(|(id, _)| *id).collect();
        let input = StockInput {
            edits,
            reason: Some(self.reason.clone()),
            note: Some(self.note.clone()),
        };
        match service::edit_stock(app, &viewer.ctx, input).await {
            Err(Error::Invalid(errors)) => Err(Error::Invalid(at_fields(&errors, &places))),
            other => other,
        }
    }
}

/// The messages of the service, at the fields of the page.
fn at_fields(errors: &FieldErrors, places: &[VariantId]) -> FieldErrors {
    let mut named = FieldErrors::default();
    for (field, error) in errors.iter() {
        let index = field.split('.').nth(1).and_then(|index| index.parse().ok());
        let place = index.and_then(|index: usize| places.get(index));
        let field = place.map_or_else(|| field.to_owned(), StockForm::field);
        named.add(&field, error.code, error.message.clone());
    }
    named
}

/// Tells what came of it: also where the shelf was no longer what the page showed.
async fn tell(viewer: &Viewer, form: &StockForm, counted: &[Counted]) -> Result<()> {
    let words = match counted.len() {
        0 => return viewer.flash(Flash::warning("No stock was changed.")).await,
        1 => "The stock was saved.".to_owned(),
        count => format!("The stock of {count} variants was saved."),
    };
    viewer.flash(Flash::good(words)).await?;
    for one in counted {
        let typed = form.rows.get(&one.variant_id).map(|row| row.now.trim());
        let Some(now) = one.after.map(|after| after.on_hand) else {
            continue;
        };
        if typed.is_some_and(|typed| typed.parse() != Ok(now)) {
            let words = format!(
                "Stock moved while you counted: of variant {} there are {now} now, your difference included.",
                one.variant_id
            );
            viewer.flash(Flash::warning(words)).await?;
        }
    }
    Ok(())
}

/// Saves stock that was typed in the list.
pub(super) async fn save_in_list(
    State(app): State<App>,
    viewer: Viewer,
    Query(narrowed): Query<Narrowed>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Answer {
    let mut form = StockForm::read(pairs);
    // Whoever may not see the list is told so, whatever was sent.
    viewer.ctx.require_any(&super::MAY_COUNT)?;
    match form.save(&app, &viewer).await {
        Ok(counted) => {
            tell(&viewer, &form, &counted).await?;
            redirect(&narrowed.address(urls::ADMIN_PRODUCTS))
        }
        Err(Error::Invalid(errors)) => {
            form.errors = errors;
            draw(&app, viewer, narrowed, form).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    page: String,
}

/// The stock of all variants of a product.
#[derive(Template)]
#[template(path = "catalog/admin_stock.html")]
struct StockPage {
    shell: Shell,
    crumbs: Vec<Link>,
    id: ProductId,
    name: String,
    action: String,
    variants: Page<Variant>,
    pager: Pager,
    form: StockForm,
}

pub(super) async fn show(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Path(id): Path<ProductId>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let product = service::stock_of(&app, &viewer.ctx, &ProductKey::Id(id)).await?;
    draw_page(viewer, &uri, product, &query, StockForm::default())
}

pub(super) async fn save(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Path(id): Path<ProductId>,
    Query(query): Query<PageQuery>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Answer {
    let product = service::stock_of(&app, &viewer.ctx, &ProductKey::Id(id)).await?;
    let mut form = StockForm::read(pairs);
    // Only of this product, whatever was sent.
    let own = |id: &VariantId| product.variants.iter().any(|variant| variant.id == *id);
    form.rows.retain(|id, _| own(id));
    match form.save(&app, &viewer).await {
        Ok(counted) => {
            tell(&viewer, &form, &counted).await?;
            redirect(&address(&uri))
        }
        Err(Error::Invalid(errors)) => {
            form.errors = errors;
            draw_page(viewer, &uri, product, &query, form)
        }
        Err(error) => Err(error.into()),
    }
}

fn address(uri: &Uri) -> String {
    let here = uri.path_and_query();
    here.map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

fn draw_page(
    viewer: Viewer,
    uri: &Uri,
    product: Product,
    query: &PageQuery,
    form: StockForm,
) -> Answer {
    let request = PageRequest::typed(&query.page, SHOWN);
    let first = usize::try_from(request.offset()).unwrap_or(usize::MAX);
    let total = i64::try_from(product.variants.len()).unwrap_or(i64::MAX);
    let shown = product.variants.into_iter().skip(first);
    let variants = Page {
        items: shown.take(SHOWN as usize).collect(),
        total,
        request,
    };
    let status = if form.errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let template = StockPage {
        shell: viewer.shell,
        crumbs: vec![link("Products", urls::ADMIN_PRODUCTS)],
        id: product.id,
        name: product.name,
        action: address(uri),
        pager: Pager::new(&variants, uri),
        variants,
        form,
    };
    page_with(status, &template)
}
