//! Structured data of pages, as JSON-LD with the words of schema.org.

use serde_json::{Value, json};

use crate::catalog::{Product, Variant, urls};
use crate::types::Timestamp;
use crate::web::{Link, Shell};

/// Offers that are listed one by one; of more variants only the range of prices is told.
const LISTED_OFFERS: usize = 50;

/// A review, as far as search engines are told.
pub struct Opinion<'p> {
    /// Whoever wrote it.
    pub author: &'p str,
    /// Stars, 1 to 5.
    pub rating: i64,
    /// The text.
    pub body: &'p str,
    /// When it was written.
    pub written_at: Timestamp,
}

/// JSON for a `script` element: nothing in it can end the element.
fn text(value: &Value) -> String {
    let escaped = |sign: char| format!("\\u{:04x}", u32::from(sign));
    let mut text = value.to_string();
    for sign in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        text = text.replace(sign, &escaped(sign));
    }
    text
}

/// The way to a page: `crumbs`, then the page itself.
pub fn breadcrumbs(shell: &Shell, crumbs: &[Link], here: &str) -> String {
    let last = (here.to_owned(), shell.canonical());
    let way = crumbs.iter().map(|link| {
        let address = format!("{}{}", shell.base_url, link.href);
        (link.label.clone(), address)
    });
    let items: Vec<Value> = way
        .chain([last])
        .enumerate()
        .map(|(index, (name, address))| {
            json!({ "@type": "ListItem", "position": index + 1, "name": name, "item": address })
        })
        .collect();
    text(&json!({
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": items,
    }))
}

/// The shop itself, and how to search it.
pub fn shop(shell: &Shell) -> String {
    let base = &shell.base_url;
    text(&json!({
        "@context": "https://schema.org",
        "@graph": [
            { "@type": "Organization", "@id": format!("{base}/#shop"), "name": shell.shop_name, "url": format!("{base}/") },
            {
                "@type": "WebSite",
                "@id": format!("{base}/#site"),
                "name": shell.shop_name,
                "url": format!("{base}/"),
                "publisher": { "@id": format!("{base}/#shop") },
                "potentialAction": {
                    "@type": "SearchAction",
                    "target": {
                        "@type": "EntryPoint",
                        "urlTemplate": format!("{base}{}?search={{search_term_string}}", urls::PRODUCTS),
                    },
                    "query-input": "required name=search_term_string",
                },
            },
        ],
    }))
}

/// A product with its offers, its rating and some of its reviews.
pub fn product(
    shell: &Shell,
    product: &Product,
    description: &str,
    category: &str,
    opinions: &[Opinion<'_>],
) -> String {
    let address = format!("{}{}", shell.base_url, urls::product(&product.slug));
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": format!("{address}#product"),
        "url": address,
        "name": product.name,
        "description": description,
    });
    let mut pictures: Vec<String> = Vec::new();
    for image in &product.images {
        let address = format!("{}{}", shell.base_url, image.url(1600));
        if !pictures.contains(&address) {
            pictures.push(address);
        }
    }
    if !pictures.is_empty() {
        data["image"] = json!(pictures);
    }
    if !product.maker.is_empty() {
        data["brand"] = json!({ "@type": "Brand", "name": product.maker });
    }
    if !category.is_empty() {
        data["category"] = json!(category);
    }
    let variants: Vec<&Variant> = product.for_sale().collect();
    match variants.as_slice() {
        [] => {}
        [variant] => {
            data["sku"] = json!(variant.sku);
            if let Some(gtin) = variant.gtin() {
                data["gtin"] = json!(gtin);
            }
            data["offers"] = offer(variant, &address);
        }
        several => data["offers"] = offers(product, several, &address),
    }
    if product.rating.count > 0 {
        data["aggregateRating"] = json!({
            "@type": "AggregateRating",
            "ratingValue": product.rating.average(),
            "reviewCount": product.rating.count,
            "bestRating": 5,
            "worstRating": 1,
        });
        data["review"] = opinions.iter().map(review).collect();
    }
    text(&data)
}

fn availability(in_stock: bool) -> &'static str {
    if in_stock {
        "https://schema.org/InStock"
    } else {
        "https://schema.org/OutOfStock"
    }
}

fn offer(variant: &Variant, address: &str) -> Value {
    json!({
        "@type": "Offer",
        "url": address,
        "price": variant.price.amount(),
        "priceCurrency": variant.price.currency().code(),
        "availability": availability(variant.in_stock()),
        "itemCondition": "https://schema.org/NewCondition",
    })
}

/// The offers of several variants together.
fn offers(product: &Product, variants: &[&Variant], address: &str) -> Value {
    let range = product.price_range();
    let mut all = json!({
        "@type": "AggregateOffer",
        "lowPrice": range.map(|(lowest, _)| lowest.amount()),
        "highPrice": range.map(|(_, highest)| highest.amount()),
        "priceCurrency": range.map(|(lowest, _)| lowest.currency().code()),
        "offerCount": variants.len(),
        "availability": availability(variants.iter().any(|variant| variant.in_stock())),
    });
    if variants.len() <= LISTED_OFFERS {
        let one = |variant: &&Variant| {
            let mut one = offer(variant, &format!("{address}?variant={}", variant.id));
            one["name"] = json!(format!("{}, {}", product.name, variant.name()));
            one["sku"] = json!(variant.sku);
            if let Some(gtin) = variant.gtin() {
                one["gtin"] = json!(gtin);
            }
            one
        };
        all["offers"] = variants.iter().map(one).collect();
    }
    all
}

fn review(opinion: &Opinion<'_>) -> Value {
    json!({
        "@type": "Review",
        "author": { "@type": "Person", "name": opinion.author },
        "datePublished": opinion.written_at.rfc3339(),
        "reviewRating": {
            "@type": "Rating", "ratingValue": opinion.rating, "bestRating": 5, "worstRating": 1,
        },
        "reviewBody": opinion.body,
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_ends_the_element() {
        let written = text(&serde_json::json!({ "a": "</script><!-- & \u{2028}" }));
        assert_eq!(
            written,
            r#"{"a":"\u003c/script\u003e\u003c!-- \u0026 \u2028"}"#
        );
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["a"], "</script><!-- & \u{2028}");
    }
}
