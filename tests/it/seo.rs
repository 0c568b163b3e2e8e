//! What search engines and price comparisons read: each file and each piece of structured data
//! is checked against its schema, over the whole demo catalog and with hostile words.

use std::collections::HashSet;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};
use zoco::catalog::service::{self, CategoryInput, ProductInput};
use zoco::catalog::{Product, ProductFilter, ProductKey};
use zoco::db::count_statements;
use zoco::types::{PageRequest, Timestamp};

use crate::support::{Reply, TestApp, both, plain};

const BASE: &str = "http://127.0.0.1:8000";

fn schema(text: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

fn product_schema() -> Validator {
    schema(include_str!("schemas/product.json"))
}

fn breadcrumb_schema() -> Validator {
    schema(include_str!("schemas/breadcrumbs.json"))
}

#[track_caller]
fn valid(schema: &Validator, data: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(data)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{data:#}");
}

/// The structured data of a page.
fn structured(page: &Reply) -> Vec<Value> {
    page.texts("script[type='application/ld+json']")
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

async fn create(app: &TestApp, body: Value) -> Product {
    let input: ProductInput = serde_json::from_value(body).unwrap();
    service::create_product(app, &app.system(), input)
        .await
        .unwrap()
}

/// Gives a product a picture.
async fn picture(app: &TestApp, product: &Product, alt: &str) {
    let key = ProductKey::Id(product.id);
    service::add_image(app, &app.system(), &key, crate::admin::png(900, 600), alt)
        .await
        .unwrap();
}

/// A sitemap's index. An element or attribute that sitemaps.org does not know is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SitemapIndex {
    #[serde(rename = "@xmlns")]
    xmlns: String,
    sitemap: Vec<Sitemap>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sitemap {
    loc: String,
    lastmod: Option<String>,
}

/// A part of a sitemap.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlSet {
    #[serde(rename = "@xmlns")]
    xmlns: String,
    #[serde(rename = "@xmlns:image")]
    xmlns_image: Option<String>,
    url: Vec<Url>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Url {
    loc: String,
    lastmod: Option<String>,
    #[serde(rename = "image:image", alias = "image", default)]
    image: Vec<SitemapImage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SitemapImage {
    #[serde(rename = "image:loc", alias = "loc")]
    loc: String,
}

#[track_caller]
fn read_xml<'x, T: Deserialize<'x>>(text: &'x str) -> T {
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        "{text}"
    );
    quick_xml::de::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Addresses are whole, of this shop, and at most 2048 signs long; times are W3C's.
#[track_caller]
fn valid_entry(loc: &str, lastmod: Option<&str>) {
    assert!(
        loc.starts_with(&format!("{BASE}/")) && loc.len() < 2048,
        "{loc}"
    );
    assert!(
        !loc.contains(|sign: char| sign.is_whitespace() || sign == '<'),
        "{loc}"
    );
    if let Some(lastmod) = lastmod {
        assert!(Timestamp::parse(lastmod).is_some(), "{lastmod}");
    }
}

fn valid_set(set: &UrlSet) -> Vec<&str> {
    assert_eq!(set.xmlns, "http://www.sitemaps.org/schemas/sitemap/0.9");
    assert!(set.url.len() <= 50_000);
    for url in &set.url {
        valid_entry(&url.loc, url.lastmod.as_deref());
        assert!(url.image.len() <= 1000);
        for image in &url.image {
            assert_eq!(
                set.xmlns_image.as_deref(),
                Some("http://www.google.com/schemas/sitemap-image/1.1")
            );
            valid_entry(&image.loc, None);
        }
    }
    let locs: Vec<&str> = set.url.iter().map(|url| url.loc.as_str()).collect();
    assert_eq!(
        locs.iter().collect::<HashSet<_>>().len(),
        locs.len(),
        "each address once"
    );
    locs
}

/// All addresses that the sitemap leads to.
async fn mapped(app: &TestApp) -> Vec<String> {
    let text = app.api().get("/sitemap.xml").await.expect(200).body;
    let index: SitemapIndex = read_xml(&text);
    assert_eq!(index.xmlns, "http://www.sitemaps.org/schemas/sitemap/0.9");
    let mut all = Vec::new();
    for part in &index.sitemap {
        valid_entry(&part.loc, part.lastmod.as_deref());
        let text = app
            .api()
            .get(part.loc.strip_prefix(BASE).unwrap())
            .await
            .expect(200)
            .body;
        assert!(text.len() < 50 * 1024 * 1024);
        all.extend(valid_set(&read_xml(&text)).into_iter().map(str::to_owned));
    }
    all
}

/// The feed: RSS 2.0, with the elements of the product data specification that the shop uses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rss {
    #[serde(rename = "@version")]
    version: String,
    #[serde(rename = "@xmlns:g")]
    xmlns: String,
    channel: Channel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    title: String,
    link: String,
    description: String,
    #[serde(default)]
    item: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(alias = "g:id")]
    id: String,
    #[serde(alias = "g:title")]
    title: String,
    #[serde(alias = "g:description")]
    description: String,
    #[serde(alias = "g:link")]
    link: String,
    #[serde(alias = "g:image_link")]
    image_link: String,
    #[serde(alias = "g:additional_image_link", default)]
    additional_image_link: Vec<String>,
    #[serde(alias = "g:availability")]
    availability: String,
    #[serde(alias = "g:price")]
    price: String,
    #[serde(alias = "g:sale_price")]
    sale_price: Option<String>,
    #[serde(alias = "g:condition")]
    condition: String,
    #[serde(alias = "g:brand")]
    brand: Option<String>,
    #[serde(alias = "g:gtin")]
    gtin: Option<String>,
    #[serde(alias = "g:identifier_exists")]
    identifier_exists: Option<String>,
    #[serde(alias = "g:product_type")]
    product_type: Option<String>,
    #[serde(alias = "g:item_group_id")]
    item_group_id: Option<String>,
    #[serde(alias = "g:color")]
    color: Option<String>,
    #[serde(alias = "g:size")]
    size: Option<String>,
    #[serde(alias = "g:material")]
    material: Option<String>,
    #[serde(alias = "g:pattern")]
    pattern: Option<String>,
    #[serde(alias = "g:shipping_weight")]
    shipping_weight: Option<String>,
}

/// `24.00 EUR`, in minor units.
#[track_caller]
fn minor(price: &str) -> i64 {
    let (amount, currency) = price.split_once(' ').unwrap();
    assert_eq!(currency, "EUR");
    let (whole, cents) = amount.split_once('.').unwrap();
    assert_eq!(cents.len(), 2);
    whole.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()
}

#[track_caller]
fn valid_item(item: &Item) {
    let length = |text: &str| text.chars().count();
    assert!((1..=50).contains(&length(&item.id)));
    assert!((1..=150).contains(&length(&item.title)), "{item:?}");
    assert!((1..=5000).contains(&length(&item.description)), "{item:?}");
    for address in [&item.link, &item.image_link]
        .into_iter()
        .chain(&item.additional_image_link)
    {
        valid_entry(address, None);
    }
    assert!(item.additional_image_link.len() <= 10);
    assert!(
        ["in_stock", "out_of_stock", "preorder", "backorder"].contains(&item.availability.as_str())
    );
    let price = minor(&item.price);
    assert!(price > 0);
    assert!(
        item.sale_price
            .as_deref()
            .is_none_or(|sale| minor(sale) < price)
    );
    assert_eq!(item.condition, "new");
    assert!(
        item.brand
            .as_deref()
            .is_none_or(|brand| (1..=70).contains(&length(brand)))
    );
    match &item.gtin {
        Some(gtin) => {
            assert!(matches!(gtin.len(), 8 | 12..=14) && item.identifier_exists.is_none())
        }
        None => assert_eq!(item.identifier_exists.as_deref(), Some("no")),
    }
    assert!(
        item.product_type
            .as_deref()
            .is_none_or(|way| length(way) <= 750)
    );
    for text in [&item.color, &item.size, &item.material, &item.pattern]
        .into_iter()
        .flatten()
    {
        assert!((1..=100).contains(&length(text)));
    }
    if let Some(weight) = &item.shipping_weight {
        assert!(weight.strip_suffix(" g").unwrap().parse::<u64>().unwrap() > 0);
    }
}

async fn feed(app: &TestApp) -> Vec<Item> {
    let text = app.api().get("/feeds/products.xml").await.expect(200).body;
    let packed = app
        .api()
        .with("accept-encoding", "gzip")
        .get("/feeds/products.xml")
        .await
        .expect(200);
    assert_eq!(
        packed.header("content-encoding"),
        "gzip",
        "it comes to its end"
    );
    let rss: Rss = read_xml(&text);
    assert_eq!(
        (rss.version.as_str(), rss.xmlns.as_str()),
        ("2.0", "http://base.google.com/ns/1.0")
    );
    let channel = rss.channel;
    assert!(!channel.title.is_empty() && !channel.description.is_empty());
    assert_eq!(channel.link, format!("{BASE}/"));
    for item in &channel.item {
        valid_item(item);
    }
    let ids: HashSet<&String> = channel.item.iter().map(|item| &item.id).collect();
    assert_eq!(ids.len(), channel.item.len(), "each id once");
    channel.item
}

/// A product whose every word tries to break out.
async fn hostile(app: &TestApp) -> Product {
    let bad = "</script><b>&amp;\"'` \u{1f600}";
    let category = CategoryInput {
        name: Some(format!("Cups {bad}")),
        slug: Some("cups".to_owned()),
        ..CategoryInput::default()
    };
    let category = service::create_category(app, &app.system(), category)
        .await
        .unwrap();
    let product = create(app, json!({
        "name": format!("Mug {bad}"), "slug": "mug", "maker": bad, "category_id": category.id,
        "description": format!("# {bad}\n\n<script>alert(1)</script> \u{1}{bad}\n\nNot ]]> --> here"),
        "options": [{"name": "Colour", "values": [{"value": bad}, {"value": "Ink"}]}],
        "attributes": [{"name": "Material", "value": bad}],
        "variants": [
            {"options": [bad], "price": "24", "compare_at_price": "30", "stock": 2, "sku": "A&<", "barcode": "4006381333931", "weight_grams": 350},
            {"options": ["Ink"], "price": "20", "stock": 0, "sku": "B", "barcode": "4006381333932"},
        ],
    })).await;
    picture(app, &product, bad).await;
    let key = ProductKey::Id(product.id);
    // The same picture twice, and another one.
    picture(app, &product, "").await;
    service::add_image(app, &app.system(), &key, crate::admin::png(9, 9), "")
        .await
        .unwrap();
    product
}

both! {
    async fn structured_data_fits_its_schema_whatever_the_words(app: TestApp) {
        let product = hostile(&app).await;
        let ada = app.customer("ada@example.com").await;
        let review = zoco::reviews::service::ReviewInput { rating: 4, title: String::new(), body: "</script> good".to_owned() };
        zoco::reviews::service::create(&app, &ada, &ProductKey::Id(product.id), review).await.unwrap();
        let page = app.api().get("/products/mug").await.expect(200);
        let data = structured(&page);
        assert_eq!(data.len(), 2);
        valid(&product_schema(), &data[0]);
        valid(&breadcrumb_schema(), &data[1]);
        let offers = &data[0]["offers"];
        assert_eq!((&offers["lowPrice"], &offers["highPrice"], &offers["offerCount"]), (&json!("20.00"), &json!("24.00"), &json!(2)));
        assert_eq!(offers["offers"][0]["gtin"], "4006381333931");
        assert_eq!(offers["offers"][1]["gtin"], Value::Null, "its check digit is wrong");
        assert_eq!(offers["offers"][1]["availability"], "https://schema.org/OutOfStock");
        assert_eq!((&data[0]["aggregateRating"]["ratingValue"], &data[0]["review"][0]["reviewBody"]), (&json!("4.0"), &json!("</script> good")));
        assert_eq!(data[0]["name"], product.name);
        let names: Vec<&Value> = data[1]["itemListElement"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names[0], "Home");
        assert_eq!(names[2], &json!(product.name));
        for (path, count) in [("/categories/cups", 1), ("/products", 1)] {
            let data = structured(&app.api().get(path).await.expect(200));
            assert_eq!(data.len(), count);
            valid(&breadcrumb_schema(), &data[0]);
        }
        let home = structured(&app.api().get("/").await.expect(200));
        valid(&schema(include_str!("schemas/shop.json")), &home[0]);
        // A simple product has one offer.
        app.product("Tray", "9.50", 1).await;
        let data = structured(&app.api().get("/products/tray").await.expect(200));
        valid(&product_schema(), &data[0]);
        assert_eq!((&data[0]["offers"]["price"], &data[0]["sku"]), (&json!("9.50"), &json!("TRAY")));
    }

    async fn the_feed_holds_every_variant_that_is_for_sale(app: TestApp) {
        let product = hostile(&app).await;
        let tray = app.product("Tray", "9.50", 1).await;
        assert_eq!(feed(&app).await.len(), 2, "without a picture it cannot be listed");
        picture(&app, &tray, "A tray").await;
        let items = feed(&app).await;
        assert_eq!(items.len(), 3);
        let (mug, ink, tray_item) = (&items[0], &items[1], &items[2]);
        assert_eq!(mug.title, format!("{}, {}", product.name, product.variants[0].name()));
        assert!(mug.description.contains("Not ]]> --> here"), "{}", mug.description);
        assert_eq!((mug.price.as_str(), mug.sale_price.as_deref()), ("30.00 EUR", Some("24.00 EUR")));
        assert_eq!((mug.availability.as_str(), ink.availability.as_str()), ("in_stock", "out_of_stock"));
        assert_eq!(mug.link, format!("{BASE}/products/mug?variant={}", product.variants[0].id));
        assert_eq!((mug.item_group_id.as_deref(), &ink.item_group_id), (Some(product.id.to_string().as_str()), &mug.item_group_id));
        assert_eq!((ink.color.as_deref(), ink.material.is_some(), mug.additional_image_link.len()), (Some("Ink"), true, 1));
        assert_eq!((mug.gtin.as_deref(), mug.shipping_weight.as_deref()), (Some("4006381333931"), Some("350 g")));
        assert_eq!((tray_item.title.as_str(), tray_item.link.as_str()), ("Tray", format!("{BASE}/products/tray").as_str()));
        assert_eq!((&tray_item.item_group_id, &tray_item.brand, &tray_item.product_type), (&None, &None, &None));
    }

    async fn only_what_shoppers_see_is_told(app: TestApp) {
        let hidden = |name: &str, more: Value| {
            let mut body = json!({"name": name, "price": "5", "stock": 1});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (name, more) in [("Draft", json!({"status": "draft"})), ("Old", json!({"status": "archived"})),
            ("Later", json!({"status": "draft", "publish_at": "2026-12-24T09:00:00Z"}))] {
            let product = create(&app, hidden(name, more)).await;
            picture(&app, &product, "").await;
        }
        let cup = create(&app, hidden("Cup", json!({}))).await;
        picture(&app, &cup, "").await;
        // Staff get the same files as everybody.
        app.admin().await;
        let mut staff = app.browser();
        staff.sign_in("admin@example.com").await;
        for path in ["/feeds/products.xml", "/sitemaps/products-1.xml"] {
            let body = staff.get(path).await.expect(200).body;
            assert!(body.contains("/products/cup"), "{body}");
            for slug in ["draft", "old", "later"] {
                assert!(!body.contains(&format!("/products/{slug}")), "{slug}: {body}");
            }
        }
        let found = mapped(&app).await;
        assert_eq!(found, ["/", "/products", "/products/cup"].map(|path| format!("{BASE}{path}")));
        for path in ["/sitemaps/products-2.xml", "/sitemaps/products-0.xml", "/sitemaps/products--1.xml", "/sitemaps/products-99999999999999999999.xml",
            "/sitemaps/products-9223372036854775807.xml", "/sitemaps/products-x.xml", "/sitemaps/other.xml", "/sitemaps/pages"] {
            app.api().get(path).await.expect(404);
        }
    }

    async fn a_client_that_has_the_sitemap_gets_no_more_of_it(app: TestApp) {
        let cup = app.product("Cup", "5", 1).await;
        for path in ["/sitemap.xml", "/sitemaps/pages.xml", "/sitemaps/products-1.xml"] {
            let first = app.api().get(path).await.expect(200);
            let etag = first.header("etag");
            let again = app.api().with("if-none-match", &etag).get(path).await.expect(304);
            assert_eq!(again.body, "");
            app.api().with("if-none-match", "\"other\"").get(path).await.expect(200);
        }
        // A change of the product shows as a later time.
        let text = app.api().get("/sitemaps/products-1.xml").await.expect(200).body;
        let before: UrlSet = read_xml(&text);
        app.clock.advance_seconds(60);
        let input: ProductInput = serde_json::from_value(json!({"summary": "New"})).unwrap();
        service::update_product(&app, &app.system(), &ProductKey::Id(cup.id), None, input).await.unwrap();
        let text = app.api().get("/sitemaps/products-1.xml").await.expect(200).body;
        let after: UrlSet = read_xml(&text);
        let time = |set: &UrlSet| Timestamp::parse(set.url[0].lastmod.as_deref().unwrap()).unwrap();
        assert_eq!(time(&after), time(&before).plus_seconds(60));
    }

    async fn each_page_says_its_own_address_and_words(app: TestApp) {
        let product = hostile(&app).await;
        let canonical = |page: &Reply| page.attributes("link[rel=canonical]", "href");
        let page = app.api().get("/products/mug?variant=1").await.expect(200);
        assert_eq!(canonical(&page), [format!("{BASE}/products/mug")]);
        assert_eq!(page.attributes("meta[property='product:availability']", "content"), ["in stock"]);
        assert!(page.attributes("meta[property='og:image']", "content")[0].starts_with(&format!("{BASE}/media/")));
        let seo = json!({"seo_title": "The mug", "seo_description": "Buy it."});
        let input: ProductInput = serde_json::from_value(seo).unwrap();
        service::update_product(&app, &app.system(), &ProductKey::Id(product.id), None, input).await.unwrap();
        let page = app.api().get("/products/mug").await.expect(200);
        assert!(page.text("title").starts_with("The mug |"));
        for name in ["meta[name=description]", "meta[property='og:description']"] {
            assert_eq!(page.attributes(name, "content"), ["Buy it."]);
        }
        let words = CategoryInput { seo_title: Some("All cups".to_owned()), seo_description: Some("Cups!".to_owned()), ..CategoryInput::default() };
        let id = product.category_id.unwrap();
        service::update_category(&app, &app.system(), id, None, words).await.unwrap();
        let page = app.api().get("/categories/cups").await.expect(200);
        assert!(page.text("title").starts_with("All cups |"));
        assert_eq!(page.attributes("meta[name=description]", "content"), ["Cups!"]);
        assert_eq!(canonical(&page), [format!("{BASE}/categories/cups")]);
        // What is narrowed is not for search engines; another order is the same page.
        let page = app.api().get("/categories/cups?in_stock=true").await.expect(200);
        assert_eq!(page.attributes("meta[name=robots]", "content"), ["noindex, follow"]);
        assert!(canonical(&page).is_empty());
        let page = app.api().get("/categories/cups?sort=name").await.expect(200);
        assert_eq!(canonical(&page), [format!("{BASE}/categories/cups")]);
        let robots = app.api().get("/robots.txt").await.expect(200);
        assert!(robots.body.starts_with("User-agent: *\nDisallow: /api/\n"));
        for line in ["Disallow: /cart", "Disallow: /admin", "Disallow: /checkout"] {
            assert!(robots.body.lines().any(|one| one == line), "{line}");
        }
        assert!(robots.body.ends_with(&format!("\nSitemap: {BASE}/sitemap.xml\n")));
    }

    async fn files_take_as_many_statements_for_many_products(app: TestApp) {
        let mut counts = Vec::new();
        for count in [1, 30] {
            for number in 0..count {
                let product = app.product(&format!("Cup {count} {number}"), "5", 1).await;
                if number == 0 {
                    picture(&app, &product, "").await;
                }
            }
            let mut seen = Vec::new();
            for path in ["/sitemap.xml", "/sitemaps/pages.xml", "/sitemaps/products-1.xml", "/feeds/products.xml"] {
                let (reply, statements) = count_statements(app.api().get(path)).await;
                reply.expect(200);
                seen.push(statements);
            }
            counts.push(seen);
        }
        assert_eq!(counts[0], counts[1]);
    }

    async fn the_whole_demo_shop_fits_the_schemas(app: TestApp) {
        zoco::demo::fill(&app).await.unwrap();
        app.run_jobs().await;
        let items = feed(&app).await;
        assert!(items.len() > 100, "{}", items.len());
        let found = mapped(&app).await;
        let all = service::list_products(&app, &app.guest(), &ProductFilter::default(), PageRequest::new(1, 1)).await.unwrap();
        let products: Vec<&String> = found.iter().filter(|address| address.contains("/products/")).collect();
        assert_eq!(i64::try_from(products.len()).unwrap(), all.total);
        let (product, crumbs) = (product_schema(), breadcrumb_schema());
        for address in found.iter().filter(|address| address.contains("/products/") || address.contains("/categories/")) {
            let page = app.api().get(address.strip_prefix(BASE).unwrap()).await.expect(200);
            assert_eq!(page.attributes("link[rel=canonical]", "href"), [address.as_str()]);
            let data = structured(&page);
            if address.contains("/products/") {
                valid(&product, &data[0]);
            }
            valid(&crumbs, data.last().unwrap());
        }
    }
}

plain! {
    fn the_schemas_refuse_what_is_wrong() {
        let good = json!({
            "@context": "https://schema.org", "@type": "Product", "@id": "http://a.example/products/a#product",
            "url": "http://a.example/products/a", "name": "A", "description": "A.",
            "offers": {"@type": "Offer", "url": "http://a.example/products/a", "price": "1.00", "priceCurrency": "EUR",
                "availability": "https://schema.org/InStock", "itemCondition": "https://schema.org/NewCondition"},
        });
        let schema = product_schema();
        assert!(schema.is_valid(&good));
        for (pointer, wrong) in [("/name", json!("")), ("/offers/price", json!(1.0)), ("/offers/price", json!("1,00")),
            ("/offers/priceCurrency", json!("€")), ("/offers/availability", json!("InStock")), ("/url", json!("/products/a")),
            ("/@type", json!("Thing"))] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = wrong;
            assert!(!schema.is_valid(&bad), "{pointer}");
        }
        let unknown = "<urlset xmlns=\"x\"><url><loc>a</loc><priority>1</priority></url></urlset>";
        assert!(quick_xml::de::from_str::<UrlSet>(unknown).is_err());
        let untitled = "<rss version=\"2.0\" xmlns:g=\"x\"><channel><title>a</title><link>b</link><description>c</description><item><g:id>1</g:id></item></channel></rss>";
        assert!(quick_xml::de::from_str::<Rss>(untitled).is_err());
    }
}
