//! The feed for merchants' centres and price comparisons: RSS 2.0 with the attributes of Google's
//! product data specification, an item for each variant that is for sale.
//!
//! A product without a picture is left out, because the specification requires one.

use std::collections::HashSet;
use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};

use super::{as_shopper, xml};
use crate::app::App;
use crate::catalog::service::{categories, products_after};
use crate::catalog::{CategoryTree, Image, Product, Variant, plain_text, urls};
use crate::error::Result;
use crate::types::text::fold;
use crate::types::{Money, ProductId};
use crate::web::Answer;

/// Products that are held in memory at once.
const AT_ONCE: i64 = 100;
const MAX_TITLE: usize = 150;
const MAX_DESCRIPTION: usize = 5_000;
const MAX_MORE_PICTURES: usize = 10;
/// Names of options and attributes, folded, that the specification has elements of its own for.
const KNOWN: [(&str, &str); 8] = [
    ("color", "g:color"),
    ("colour", "g:color"),
    ("size", "g:size"),
    ("talla", "g:size"),
    ("tamano", "g:size"),
    ("material", "g:material"),
    ("pattern", "g:pattern"),
    ("estampado", "g:pattern"),
];

/// Where the feed is: the next product, or its end.
enum Next {
    Begin,
    After(ProductId),
    End,
}

/// GET /feeds/products.xml
pub async fn products(State(app): State<App>) -> Answer {
    let tree = categories(&app).await?;
    let parts = stream::unfold(Next::Begin, move |next| {
        let (app, tree) = (app.clone(), tree.clone());
        async move { part(&app, &tree, next).await }
    });
    let fields = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    // Who compresses asks once more after the end.
    Ok((fields, Body::from_stream(parts.fuse())).into_response())
}

/// The next bit of the feed, and where it goes on. A failure ends the answer in the middle, so
/// that nobody takes half of it for the whole.
async fn part(app: &App, tree: &CategoryTree, next: Next) -> Option<(Result<String>, Next)> {
    let after = match next {
        Next::Begin => return Some((Ok(beginning(app)), Next::After(ProductId(0)))),
        Next::After(id) => id,
        Next::End => return None,
    };
    match products_after(app, &as_shopper(app), after, AT_ONCE).await {
        Ok(products) => {
            let Some(last) = products.last() else {
                return Some((Ok("</channel>\n</rss>\n".to_owned()), Next::End));
            };
            let next = Next::After(last.id);
            let mut text = String::new();
            for product in &products {
                add(app, tree, product, &mut text);
            }
            Some((Ok(text), next))
        }
        Err(error) => {
            tracing::error!(%error, "the feed of products broke off");
            Some((Err(error), Next::End))
        }
    }
}

fn beginning(app: &App) -> String {
    let (name, base) = (xml(&app.config.shop_name), xml(&app.config.base_url));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n\
        <title>{name}</title>\n<link>{base}/</link>\n\
        <description>All products of {name}</description>\n"
    )
}

fn add(app: &App, tree: &CategoryTree, product: &Product, text: &mut String) {
    if product.images.is_empty() {
        return;
    }
    let several = product.for_sale().count() > 1;
    for variant in product.for_sale() {
        let _ = text.write_str("<item>\n");
        for (name, value) in item(&app.config.base_url, tree, product, variant, several) {
            let _ = writeln!(text, "<{name}>{}</{name}>", xml(&value));
        }
        let _ = text.write_str("</item>\n");
    }
}

/// The elements of an item, in order.
fn item(
    base: &str,
    tree: &CategoryTree,
    product: &Product,
    variant: &Variant,
    several: bool,
) -> Vec<(&'static str, String)> {
    let mut item = Vec::new();
    let mut add = |name: &'static str, value: String| {
        if !value.is_empty() {
            item.push((name, value));
        }
    };
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let title = if several {
        format!("{}, {}", product.name, variant.name())
    } else {
        product.name.clone()
    };
    let description = [
        plain_text(&product.description),
        product.summary.clone(),
        title.clone(),
    ];
    let description = description.into_iter().find(|text| !text.is_empty());
    let page = format!("{base}{}", urls::product(&product.slug));
    add("g:id", variant.id.to_string());
    add("g:title", cut(&title, MAX_TITLE));
    add(
        "g:description",
        cut(&description.unwrap_or_default(), MAX_DESCRIPTION),
    );
    add(
        "g:link",
        if several {
            format!("{page}?variant={}", variant.id)
        } else {
            page
        },
    );
    let mut pictures: Vec<&Image> = product.images.iter().collect();
    // What is chosen first.
    pictures.sort_by_key(|image| !variant.options.contains(&image.option_value));
    let mut seen = HashSet::new();
    pictures.retain(|image| seen.insert(&image.storage_key));
    for (index, image) in pictures.iter().take(1 + MAX_MORE_PICTURES).enumerate() {
        let name = if index == 0 {
            "g:image_link"
        } else {
            "g:additional_image_link"
        };
        add(name, format!("{base}{}", image.url(1600)));
    }
    let in_stock = if variant.in_stock() {
        "in_stock"
    } else {
        "out_of_stock"
    };
    add("g:availability", in_stock.to_owned());
    let money = |money: Money| format!("{} {}", money.amount(), money.currency().code());
    match variant
        .compare_at
        .filter(|before| before.minor() > variant.price.minor())
    {
        Some(before) => {
            add("g:price", money(before));
            add("g:sale_price", money(variant.price));
        }
        None => add("g:price", money(variant.price)),
    }
    add("g:condition", "new".to_owned());
    add("g:brand", cut(&product.maker, 70));
    match variant.gtin() {
        Some(gtin) => add("g:gtin", gtin.to_owned()),
        None => add("g:identifier_exists", "no".to_owned()),
    }
    let way = product
        .category_id
        .map(|id| tree.path(id))
        .unwrap_or_default();
    let way: Vec<&str> = way
        .into_iter()
        .map(|category| category.name.as_str())
        .collect();
    add("g:product_type", cut(&way.join(" > "), 750));
    if several {
        add("g:item_group_id", product.id.to_string());
    }
    for (name, value) in known(product, variant) {
        add(name, cut(value, 100));
    }
    if variant.weight_grams > 0 {
        add("g:shipping_weight", format!("{} g", variant.weight_grams));
    }
    item
}

/// The options and attributes that the specification has elements of their own for; an option
/// before an attribute of the same name.
fn known<'p>(product: &'p Product, variant: &'p Variant) -> Vec<(&'static str, &'p str)> {
    let names = product.options.iter().map(|option| &option.name);
    let options = names.zip(&variant.options);
    let attributes = product.attributes.iter().map(|(name, value)| (name, value));
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (name, value) in options.chain(attributes) {
        let name = fold(name);
        let element = KNOWN.iter().find(|(known, _)| *known == name);
        if let Some((_, element)) = element
            && found.iter().all(|(other, _)| other != element)
        {
            found.push((element, value));
        }
    }
    found
}
