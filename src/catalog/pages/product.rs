//! A product's page.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::choice::{self, Choice};
use super::seo::structured::{self, Opinion};
use super::{urls, way_to};
use crate::app::App;
use crate::catalog::service::{self, categories, list_products};
use crate::catalog::{
    Category, Image, Product, ProductCard, ProductFilter, ProductKey, ProductStatus, Variant,
    plain_text, render_markdown,
};
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::{self, service::WaitInput};
use crate::reviews::pages::Section;
use crate::shipping::{self, ShippingMethod};
use crate::types::{Money, PageRequest, Timestamp};
use crate::web::form::Form;
use crate::web::html::{moved, page_with};
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, page, redirect};

const RELATED: u32 = 5;
/// Search engines and link previews show no more of a description.
const TEASER: usize = 160;

#[derive(Template)]
#[template(path = "catalog/product.html")]
struct ProductPage {
    shell: Shell,
    now: Timestamp,
    crumbs: Vec<Link>,
    teaser: String,
    /// For search engines: the product, and the way to it.
    structured: [String; 2],
    description: String,
    pictures: Vec<Image>,
    variant: Option<Variant>,
    choices: Vec<Choice>,
    most: i64,
    wait: Wait,
    shipping: Vec<ShippingMethod>,
    reviews: Section,
    related: Vec<ProductCard>,
    product: Product,
}

/// The form of who wants a letter when it can be bought again.
#[derive(Clone, Debug, Default)]
struct Wait {
    email: String,
    errors: FieldErrors,
}

impl ProductPage {
    fn is_draft(&self) -> bool {
        self.product.status != ProductStatus::Active
    }

    fn title(&self) -> String {
        let product = &self.product;
        match (&product.seo.title, &product.maker) {
            (title, _) if !title.is_empty() => title.clone(),
            (_, maker) if maker.is_empty() => product.name.clone(),
            (_, maker) => format!("{} by {maker}", product.name),
        }
    }

    /// The price that the chosen variant had before, where that was more.
    fn before(&self) -> Option<Money> {
        let variant = self.variant.as_ref()?;
        variant
            .compare_at
            .filter(|before| before.minor() > variant.price.minor())
    }
}

/// GET /products/{slug}
pub async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(slug): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let key = ProductKey::parse(&slug);
    let product = match service::product(&app, &viewer.ctx, &key).await {
        Err(Error::NotFound) => {
            let now_at = service::redirect_of(&app, &slug).await?;
            let now_at = now_at.ok_or(Error::NotFound)?;
            return moved(&format!("{}/{now_at}", urls::PRODUCTS));
        }
        found => found?,
    };
    if product.slug.as_str() != slug {
        return moved(&urls::product(&product.slug));
    }
    page(&product_page(&app, viewer, product, &pairs).await?)
}

/// What is posted to get a letter when it can be bought again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WaitForm {
    variant_id: String,
    email: String,
}

/// POST /products/{slug}/back-in-stock
pub async fn wait(
    State(app): State<App>,
    viewer: Viewer,
    Path(slug): Path<String>,
    Form(form): Form<WaitForm>,
) -> Answer {
    let product = service::product(&app, &viewer.ctx, &ProductKey::parse(&slug)).await?;
    let variant = product
        .for_sale()
        .find(|variant| variant.id.to_string() == form.variant_id);
    let variant_id = variant.map(|variant| variant.id);
    let page = urls::product(&product.slug);
    let there = match variant_id {
        Some(id) => format!("{page}?variant={id}#buy"),
        None => page,
    };
    let input = WaitInput {
        variant_id,
        email: Some(form.email.clone()),
    };
    match inventory::service::wait_for(&app, &viewer.ctx, input).await {
        Ok(()) => {
            let words = "We write to you once when it can be bought again.";
            viewer.flash(Flash::good(words)).await?;
            redirect(&there)
        }
        Err(Error::Conflict {
            code: "in_stock",
            detail,
            ..
        }) => {
            viewer.flash(Flash::good(detail)).await?;
            redirect(&there)
        }
        Err(Error::Invalid(errors)) => {
            let pairs = [("variant".to_owned(), form.variant_id)];
            let mut again = product_page(&app, viewer, product, &pairs).await?;
            again.wait = Wait {
                email: form.email,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn product_page(
    app: &App,
    viewer: Viewer,
    product: Product,
    pairs: &[(String, String)],
) -> Result<ProductPage> {
    let ctx = &viewer.ctx;
    let tree = categories(app).await?;
    let place = product.category_id.and_then(|id| tree.get(id));
    let asked = |name: &str| {
        let pair = pairs.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    };
    let path = urls::product(&product.slug);
    let variant = choice::chosen(&product, asked("variant")).cloned();
    let available = variant
        .as_ref()
        .map_or(0, |variant| variant.stock.available());
    let (teaser, crumbs) = (teaser(&product), way_to(&tree, place, true));
    let way: Vec<&str> = crumbs
        .iter()
        .skip(1)
        .map(|link| link.label.as_str())
        .collect();
    let reviews = Section::on_product(app, ctx, &product, pairs).await?;
    let shown = reviews.page.items.iter();
    let opinions = shown.map(|review| Opinion {
        author: &review.author,
        rating: review.rating,
        body: &review.body,
        written_at: review.created_at,
    });
    let opinions: Vec<Opinion<'_>> = opinions.collect();
    let structured = [
        structured::product(
            &viewer.shell,
            &product,
            &teaser,
            &way.join(" > "),
            &opinions,
        ),
        structured::breadcrumbs(&viewer.shell, &crumbs, &product.name),
    ];
    Ok(ProductPage {
        now: ctx.now,
        structured,
        crumbs,
        teaser,
        description: render_markdown(&product.description),
        pictures: pictures(&product, variant.as_ref()),
        choices: variant.as_ref().map_or_else(Vec::new, |variant| {
            choice::choices(&product, variant, &path)
        }),
        most: match &variant {
            Some(variant) if variant.backorder => app.config.max_quantity,
            _ => available.min(app.config.max_quantity),
        },
        wait: Wait {
            email: ctx
                .user()
                .map(|user| user.email.to_string())
                .unwrap_or_default(),
            errors: FieldErrors::default(),
        },
        shipping: shipping::service::methods(app).await?,
        reviews,
        related: related(app, &viewer, &product, place).await?,
        shell: viewer.shell,
        variant,
        product,
    })
}

/// One sentence about it for search engines and link previews.
fn teaser(product: &Product) -> String {
    for text in [&product.seo.description, &product.summary] {
        if !text.is_empty() {
            return text.clone();
        }
    }
    let text = plain_text(&product.description);
    if text.is_empty() {
        return match product.price_range() {
            Some((lowest, _)) => format!("{} for {lowest}.", product.name),
            None => format!("{}.", product.name),
        };
    }
    text.chars().take(TEASER).collect()
}

/// The pictures of what is chosen first, then those of anything, then those of another choice.
fn pictures(product: &Product, variant: Option<&Variant>) -> Vec<Image> {
    let chosen = variant.map_or(&[][..], |variant| &variant.options);
    let rank = |image: &Image| match &image.option_value {
        value if chosen.contains(value) => 0,
        value if value.is_empty() => 1,
        _ => 2,
    };
    let mut pictures = product.images.clone();
    if pictures.iter().any(|image| rank(image) == 0) {
        pictures.sort_by_key(rank);
    }
    pictures
}

/// What the merchant says goes well with it, then others of its category, the most loved first.
async fn related(
    app: &App,
    viewer: &Viewer,
    product: &Product,
    place: Option<&Category>,
) -> Result<Vec<ProductCard>> {
    let mut found = service::related_products(app, &viewer.ctx, product).await?;
    if let Some(place) = place.filter(|_| found.len() < RELATED as usize) {
        for card in of_category(app, viewer, place).await? {
            if card.id != product.id && found.iter().all(|other| other.id != card.id) {
                found.push(card);
            }
        }
    }
    found.truncate(RELATED as usize);
    Ok(found)
}

async fn of_category(app: &App, viewer: &Viewer, place: &Category) -> Result<Vec<ProductCard>> {
    let filter = ProductFilter {
        category: Some(place.id),
        in_stock: true,
        ..ProductFilter::default()
    };
    // The product itself and what is shown already may be among them.
    let request = PageRequest::new(1, 2 * RELATED);
    let found = list_products(app, &viewer.ctx, &filter, request).await?;
    Ok(found.items)
}

#[cfg(test)]
mod tests {
    use super::super::choice::tests::mug;
    use super::*;
    use crate::types::ImageId;

    fn order_of(product: &Product, variant: usize) -> Vec<String> {
        pictures(product, product.variants.get(variant))
            .into_iter()
            .map(|image| image.alt)
            .collect()
    }

    #[test]
    fn pictures_of_the_chosen_value_come_first_and_of_others_last() {
        let mut product = mug(&[
            (1, "Oat", "S", 1, 1),
            (2, "Ink", "S", 1, 1),
            (3, "Sage", "S", 1, 1),
        ]);
        let picture = |(position, alt, option_value): (i64, &str, &str)| Image {
            id: ImageId(position),
            storage_key: String::new(),
            alt: alt.to_owned(),
            width: 800,
            height: 1000,
            option_value: option_value.to_owned(),
            position,
        };
        product.images = [
            (0, "oat", "Oat"),
            (1, "any", ""),
            (2, "ink", "Ink"),
            (3, "ink again", "Ink"),
        ]
        .map(picture)
        .to_vec();
        assert_eq!(order_of(&product, 0), ["oat", "any", "ink", "ink again"]);
        assert_eq!(order_of(&product, 1), ["ink", "ink again", "any", "oat"]);
        // Nothing shows sage: the merchant's own order is as good as any.
        assert_eq!(order_of(&product, 2), ["oat", "any", "ink", "ink again"]);
        assert_eq!(order_of(&product, 9), ["oat", "any", "ink", "ink again"]);
    }

    #[test]
    fn a_teaser_is_the_summary_or_the_beginning_of_the_description() {
        let mut product = mug(&[(1, "Oat", "S", 2400, 1)]);
        assert_eq!(teaser(&product), "Mug for 24.00\u{a0}€.");
        product.description = format!("A\n\nlong  {}", "story ".repeat(60));
        assert!(teaser(&product).starts_with("A long story"));
        assert_eq!(teaser(&product).chars().count(), TEASER);
        product.summary = "Short.".to_owned();
        assert_eq!(teaser(&product), "Short.");
    }
}
