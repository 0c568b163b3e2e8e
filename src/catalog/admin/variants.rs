//! The variants of a product for staff, a page at a time: however many there are, only those of
//! the page are posted.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::form::{Differences, INLINE_VARIANTS, ProductForm, VariantRow, number};
use super::{Difference, link};
use crate::app::App;
use crate::catalog::model::{Product, Variant};
use crate::catalog::service::{self, ProductInput, VariantInput, VariantsInput};
use crate::catalog::{ProductKey, urls};
use crate::error::{Error, FieldErrors, Result};
use crate::types::text::fold;
use crate::types::{MoneyInput, Page, PageRequest, ProductId, VariantId};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, redirect};

pub(super) fn routes() -> Router<App> {
    let variants = format!("{}/{{id}}/variants", urls::ADMIN_PRODUCTS);
    Router::new().route(&variants, get(show).post(save))
}

/// Which variants are shown. A word that means nothing counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    page: String,
}

impl Narrowed {
    /// The variants whose SKU, barcode and options have all words in them.
    fn matching<'p>(&self, product: &'p Product) -> Vec<&'p Variant> {
        let words = fold(&self.search);
        let fits = |variant: &&Variant| {
            let text = format!("{} {} {}", variant.name(), variant.sku, variant.barcode);
            let text = fold(&text);
            words.split_whitespace().all(|word| text.contains(word))
        };
        let sold = |variant: &&Variant| variant.options.len() == product.options.len();
        product.variants.iter().filter(sold).filter(fits).collect()
    }

    fn page<'p>(&self, product: &'p Product) -> Page<&'p Variant> {
        let request = PageRequest::typed(&self.page, INLINE_VARIANTS as u32);
        let found = self.matching(product);
        let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        Page {
            total: i64::try_from(found.len()).unwrap_or(i64::MAX),
            items: found
                .into_iter()
                .skip(before)
                .take(INLINE_VARIANTS)
                .collect(),
            request,
        }
    }

    /// The address of this page of the variants.
    fn address(&self, id: ProductId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("search", &self.search), ("page", &self.page)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        let path = urls::admin_variants(id);
        if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        }
    }
}

/// What was posted: the rows of the page, a new one, and what all that match are to get.
#[derive(Clone, Debug, Default)]
struct VariantsForm {
    action: String,
    version: i64,
    rows: Vec<VariantRow>,
    add: VariantRow,
    fill: VariantRow,
}

impl VariantsForm {
    fn of(product: &Product, shown: &[&Variant]) -> Self {
        Self {
            version: product.version,
            rows: shown.iter().map(|one| VariantRow::of(one)).collect(),
            add: VariantRow {
                options: vec![String::new(); product.options.len()],
                active: true,
                ..VariantRow::default()
            },
            ..Self::default()
        }
    }

    fn read(pairs: Vec<(String, String)>, product: &Product) -> Self {
        let mut form = Self {
            version: -1,
            ..Self::of(product, &[])
        };
        let mut rows = Vec::new();
        for (name, value) in pairs {
            if let Some(field) = name.strip_prefix("add.") {
                match field.strip_prefix("options.").map(str::parse::<usize>) {
                    Some(Ok(option)) => {
                        if let Some(chosen) = form.add.options.get_mut(option) {
                            *chosen = value;
                        }
                    }
                    Some(Err(_)) => {}
                    None => form.add.set(field, value),
                }
            } else if let Some(field) = name.strip_prefix("fill.") {
                form.fill.set(field, value);
            } else if name == "do" {
                form.action = value;
            } else {
                rows.push((name, value));
            }
        }
        let read = ProductForm::read(rows);
        form.version = read.version;
        form.rows = read.variants;
        form.rows.retain(|row| !row.id.is_empty());
        for row in &mut form.rows {
            let known = product
                .variants
                .iter()
                .find(|one| one.id.to_string() == row.id);
            row.options = known.map_or_else(Vec::new, |known| known.options.clone());
        }
        form
    }

    /// What the service is asked to write; `others` match and stand on other pages.
    fn input(&self, others: &[VariantId]) -> VariantsInput {
        let id = |row: &VariantRow| row.id.parse().ok().map(VariantId);
        let (go, stay): (Vec<&VariantRow>, Vec<&VariantRow>) =
            self.rows.iter().partition(|row| row.remove);
        let mut variants: Vec<VariantInput> = stay
            .into_iter()
            .map(|row| VariantInput {
                // What a row is cannot be changed here.
                options: Vec::new(),
                ..row.input()
            })
            .collect();
        if self.adds() {
            variants.push(VariantInput {
                id: None,
                ..self.add.input()
            });
        }
        if self.action == "fill" {
            let other = |&id: &VariantId| VariantInput {
                id: Some(id),
                ..VariantInput::default()
            };
            variants.extend(others.iter().map(other));
            for variant in &mut variants {
                self.fill(variant);
            }
        }
        VariantsInput {
            variants,
            remove: go.into_iter().filter_map(id).collect(),
        }
    }

    /// Gives a variant what all that match are to get; what was left empty stays.
    fn fill(&self, variant: &mut VariantInput) {
        let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        if let Some(price) = typed(&self.fill.price) {
            variant.price = Some(MoneyInput::new(price));
        }
        if let Some(before) = typed(&self.fill.compare_at_price) {
            variant.compare_at_price = Some(MoneyInput::new(before));
        }
        if let Some(stock) = typed(&self.fill.stock) {
            variant.stock = Some(number(&stock));
        }
        if let Some(weight) = typed(&self.fill.weight_grams) {
            variant.weight_grams = Some(number(&weight));
        }
    }

    /// Whether somebody began to write a new variant.
    fn adds(&self) -> bool {
        let add = &self.add;
        let texts = [&add.sku, &add.price, &add.stock, &add.barcode];
        add.options
            .iter()
            .chain(texts)
            .any(|text| !text.trim().is_empty())
    }

    /// Messages of the service, at the fields of this form.
    fn placed(&self, errors: &FieldErrors) -> FieldErrors {
        let staying = self.rows.iter().filter(|row| !row.remove).count();
        let filled = |field: &str| match field {
            "price" => !self.fill.price.trim().is_empty(),
            "compare_at_price" => !self.fill.compare_at_price.trim().is_empty(),
            "stock" => !self.fill.stock.trim().is_empty(),
            "weight_grams" => !self.fill.weight_grams.trim().is_empty(),
            _ => false,
        };
        let mut placed = FieldErrors::default();
        for (name, error) in errors.iter() {
            let row = name
                .strip_prefix("variants.")
                .and_then(|rest| rest.split_once('.'));
            let row = row.and_then(|(row, field)| Some((row.parse::<usize>().ok()?, field)));
            let name = match row {
                Some((_, field)) if self.action == "fill" && filled(field) => {
                    format!("fill.{field}")
                }
                Some((row, field)) if row == staying => format!("add.{field}"),
                _ => name.to_owned(),
            };
            if placed.of(&name).is_empty() {
                placed.add(&name, error.code, error.message.clone());
            }
        }
        placed
    }
}

#[derive(Template)]
#[template(path = "catalog/admin_variants.html")]
struct VariantsPage {
    shell: Shell,
    crumbs: Vec<Link>,
    currency: String,
    narrowed: Narrowed,
    total: i64,
    /// Combinations of the options that have no variant.
    missing: usize,
    form: VariantsForm,
    errors: FieldErrors,
    conflict: Option<Vec<Difference>>,
    pager: Pager,
    product: Product,
}

impl VariantsPage {
    /// Whether a new variant is to have this value of an option.
    fn chosen(&self, option: &usize, value: &str) -> bool {
        self.form
            .add
            .options
            .get(*option)
            .is_some_and(|chosen| chosen == value)
    }

    /// What a row is, in words; the one variant of a product without options is the product.
    fn label(&self, row: &VariantRow) -> String {
        if row.options.is_empty() {
            self.product.name.clone()
        } else {
            row.options.join(", ")
        }
    }

    /// The message at a field of a row.
    fn error(&self, row: &usize, field: &str) -> &str {
        self.errors.of(&format!("variants.{row}.{field}"))
    }
}

/// What is drawn beside the fields.
#[derive(Default)]
struct Drawn {
    errors: FieldErrors,
    conflict: Option<Vec<Difference>>,
}

fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    product: Product,
    narrowed: Narrowed,
    form: Option<VariantsForm>,
    drawn: Drawn,
) -> Answer {
    let shown = narrowed.page(&product);
    let uri: Uri = narrowed.address(product.id).parse().unwrap_or_default();
    let template = VariantsPage {
        shell: viewer.shell,
        crumbs: vec![
            link("Products", urls::ADMIN_PRODUCTS),
            link(&product.name, urls::admin_product(product.id)),
        ],
        currency: app.currency().symbol(),
        total: shown.total,
        missing: missing(&product),
        pager: Pager::new(&shown, &uri),
        form: form.unwrap_or_else(|| VariantsForm::of(&product, &shown.items)),
        errors: drawn.errors,
        conflict: drawn.conflict,
        narrowed,
        product,
    };
    page_with(status, &template)
}

fn missing(product: &Product) -> usize {
    let sizes = product.options.iter().map(|option| option.values.len());
    let all = sizes.fold(1_usize, usize::saturating_mul);
    let fits = |variant: &&Variant| variant.options.len() == product.options.len();
    all.saturating_sub(product.variants.iter().filter(fits).count())
}

async fn current(app: &App, viewer: &Viewer, id: ProductId) -> Result<Product> {
    service::product_for_staff(app, &viewer.ctx, &ProductKey::Id(id)).await
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ProductId>,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let product = current(&app, &viewer, id).await?;
    draw(
        &app,
        viewer,
        StatusCode::OK,
        product,
        narrowed,
        None,
        Drawn::default(),
    )
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ProductId>,
    Query(narrowed): Query<Narrowed>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Answer {
    let product = current(&app, &viewer, id).await?;
    let mut form = VariantsForm::read(pairs, &product);
    let (status, drawn) = match write(&app, &viewer, &product, &narrowed, &form).await {
        Ok(words) => {
            viewer.flash(Flash::good(words)).await?;
            return redirect(&narrowed.address(id));
        }
        Err(Error::Invalid(errors)) => {
            let errors = form.placed(&errors);
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                Drawn {
                    errors,
                    conflict: None,
                },
            )
        }
        Err(Error::Stale) => {
            let conflict = Some(catch_up(&mut form, &product));
            (
                StatusCode::CONFLICT,
                Drawn {
                    conflict,
                    ..Drawn::default()
                },
            )
        }
        Err(error) => return Err(error.into()),
    };
    draw(&app, viewer, status, product, narrowed, Some(form), drawn)
}

/// Does what the button says; gives what to tell about it.
async fn write(
    app: &App,
    viewer: &Viewer,
    product: &Product,
    narrowed: &Narrowed,
    form: &VariantsForm,
) -> Result<String> {
    let (key, version) = (ProductKey::Id(product.id), Some(form.version));
    if form.action == "combine" {
        let input = ProductInput {
            combine: Some(true),
            ..ProductInput::default()
        };
        let after = service::update_product(app, &viewer.ctx, &key, version, input).await?;
        let made = after.variants.len().saturating_sub(product.variants.len());
        return Ok(match made {
            1 => "1 variant was made.".to_owned(),
            made => format!("{made} variants were made."),
        });
    }
    let matching = narrowed.matching(product);
    let here = |variant: &Variant| form.rows.iter().any(|row| row.id == variant.id.to_string());
    let others: Vec<VariantId> = matching
        .iter()
        .filter(|variant| !here(variant))
        .map(|variant| variant.id)
        .collect();
    let input = form.input(&others);
    service::update_variants(app, &viewer.ctx, &key, version, input).await?;
    Ok(match form.action.as_str() {
        "fill" => format!("{} variants were saved.", matching.len()),
        _ => "The variants of this page were saved.".to_owned(),
    })
}

/// Takes up what somebody else wrote meanwhile, without losing a word that was typed here. Gives
/// what now differs.
fn catch_up(form: &mut VariantsForm, product: &Product) -> Vec<Difference> {
    let mut differences = Differences::default();
    form.rows.retain_mut(|row| {
        let current = product
            .variants
            .iter()
            .find(|one| one.id.to_string() == row.id);
        match current {
            Some(current) => row.catch_up(&VariantRow::of(current), &mut differences),
            None => differences.compare(&row.sku, "removed", &row.sku),
        }
        current.is_some()
    });
    form.version = product.version;
    differences.0
}
