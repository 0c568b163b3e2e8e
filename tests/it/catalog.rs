//! The catalog: writing and reading products and categories, through services and API.

use std::io::Cursor;

use axum::http::Method;
use image::{DynamicImage, ImageEncoder};
use serde_json::json;
use zoco::catalog::service::{self, CategoryInput, ImageInput, ProductInput, images};
use zoco::catalog::{Image, Product, ProductFilter, ProductKey, ProductStatus};
use zoco::ctx::Permission;
use zoco::db::count_statements;
use zoco::db::query::{self, Sql};
use zoco::error::{Error, FieldErrors};
use zoco::types::{CategoryId, ImageId, PageRequest, ProductId, VariantId};

use crate::support::clients::multipart;
use crate::support::{TestApp, both, plain};

/// An input as JSON writes it.
fn input(body: serde_json::Value) -> ProductInput {
    serde_json::from_value(body).unwrap()
}

async fn create(app: &TestApp, body: serde_json::Value) -> Product {
    service::create_product(app, &app.system(), input(body))
        .await
        .unwrap()
}

async fn update(app: &TestApp, id: ProductId, body: serde_json::Value) -> Product {
    service::update_product(app, &app.system(), &ProductKey::Id(id), None, input(body))
        .await
        .unwrap()
}

async fn read(app: &TestApp, id: ProductId) -> Product {
    service::product(app, &app.system(), &ProductKey::Id(id))
        .await
        .unwrap()
}

/// The messages of an answer that must be `Invalid`.
#[track_caller]
fn fields<T>(result: Result<T, Error>) -> FieldErrors {
    match result {
        Err(Error::Invalid(fields)) => fields,
        Err(other) => panic!("not a message at a field: {other}"),
        Ok(_) => panic!("this was taken"),
    }
}

async fn refused(app: &TestApp, body: serde_json::Value) -> FieldErrors {
    fields(service::create_product(app, &app.system(), input(body)).await)
}

/// Somebody buys one.
async fn sell(app: &TestApp, variant: VariantId) {
    let cart = app
        .api()
        .post(
            "/api/cart/items",
            json!({"variant_id": variant, "quantity": 1}),
        )
        .await
        .expect(200);
    let order = json!({
        "shipping_address": "123 Main St", "email": "guest@example.com",
        "payment": {"provider": "cash_on_delivery"},
    });
    app.api()
        .with("cart-token", &cart.header("cart-token"))
        .post("/api/orders", order)
        .await
        .expect(201);
    app.run_jobs().await;
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let mut conn = app.db.conn().await.unwrap();
    let rows: Vec<(i64,)> = query::fetch_all(&mut conn, Sql::same(sql), Vec::new())
        .await
        .unwrap();
    rows[0].0
}

/// What the audit log tells of products, oldest first.
async fn actions(app: &TestApp) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let sql = "select action from audit_log where subject like 'product %' order by id";
    let rows: Vec<(String,)> = query::fetch_all(&mut conn, Sql::same(sql), Vec::new())
        .await
        .unwrap();
    rows.into_iter().map(|(action,)| action).collect()
}

/// A picture of one colour.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([200, 180, 160]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// The head of a PNG that claims to be 60000 pixels wide and high, with the right checksum.
fn bomb() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8], data: &[u8]| {
        bytes.extend((data.len() as u32).to_be_bytes());
        let mut sum = u32::MAX;
        for &byte in name.iter().chain(data) {
            sum ^= u32::from(byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 {
                    (sum >> 1) ^ 0xedb8_8320
                } else {
                    sum >> 1
                };
            }
        }
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend((!sum).to_be_bytes());
    };
    let side = 60_000_u32.to_be_bytes();
    chunk(b"IHDR", &[&side[..], &side[..], &[8, 2, 0, 0, 0]].concat());
    chunk(b"IDAT", &[0x78, 0x9c, 0x01]);
    chunk(b"IEND", &[]);
    bytes
}

/// A small JPEG whose head claims 65535 pixels on each side.
fn jpeg_bomb() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
    image::RgbImage::new(16, 16)
        .write_with_encoder(encoder)
        .unwrap();
    let frame = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    bytes[frame + 5..frame + 9].fill(0xff);
    bytes
}

/// A small WebP whose head claims 16383 pixels on each side.
fn webp_bomb() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbaImage::new(16, 16)
        .write_to(&mut bytes, image::ImageFormat::WebP)
        .unwrap();
    let mut bytes = bytes.into_inner();
    let at = bytes.windows(4).position(|name| name == b"VP8L").unwrap() + 9;
    // Width and height less one, 14 bits each.
    bytes[at..at + 3].copy_from_slice(&[0xfe, 0xbf, 0xff]);
    bytes[at + 3] |= 0x0f;
    bytes
}

plain! {
    fn a_picture_is_kept_in_widths_that_fit() {
        let encoded = images::encode(&png(1000, 500)).unwrap();
        let sizes: Vec<(u32, u32, u32)> = encoded.files.iter().map(|(width, file)| {
            let read = image::load_from_memory_with_format(file, image::ImageFormat::WebP).unwrap();
            (*width, read.width(), read.height())
        }).collect();
        assert_eq!(sizes, [(400, 400, 200), (800, 800, 400)]);
        let small = images::encode(&png(40, 30)).unwrap();
        let read = image::load_from_memory(&small.files[0].1).unwrap();
        assert_eq!((small.files[0].0, read.width(), read.height()), (400, 40, 30));
    }

    fn a_photograph_is_turned_as_its_camera_says() {
        let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
        // Orientation, one short: turn by 90 degrees to the right. Then no further directory.
        exif.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0");
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        image::RgbImage::new(60, 20).write_with_encoder(encoder).unwrap();
        let encoded = images::encode(&bytes).unwrap();
        assert_eq!((encoded.width, encoded.height), (20, 60));
        let read = image::load_from_memory(&encoded.files[0].1).unwrap();
        assert_eq!((read.width(), read.height()), (20, 60));
    }

    fn a_picture_stays_transparent() {
        for picture in [
            DynamicImage::new_rgba8(500, 10),
            DynamicImage::new_rgba16(500, 10),
            DynamicImage::new_luma_a8(500, 10),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
            let encoded = images::encode(&bytes.into_inner()).unwrap();
            let read = image::load_from_memory(&encoded.files[0].1).unwrap();
            assert_eq!(read.to_rgba8().get_pixel(0, 0).0[3], 0);
        }
    }

    fn what_is_no_picture_is_refused() {
        for (bytes, code) in [
            (bomb(), "too_many_pixels"),
            (jpeg_bomb(), "too_many_pixels"),
            (webp_bomb(), "too_many_pixels"),
            (png(12_001, 1), "too_many_pixels"),
            (b"<svg onload=alert(1)>".to_vec(), "invalid"),
            (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "invalid"),
            (png(50, 50)[..60].to_vec(), "invalid"),
            (Vec::new(), "invalid"),
            (vec![0; 10 * 1024 * 1024 + 1], "too_large"),
        ] {
            let errors = fields(images::encode(&bytes));
            let found: Vec<_> = errors.iter().map(|(field, error)| (field, error.code)).collect();
            assert_eq!(found, [("image", code)]);
        }
    }
}

both! {
    async fn a_simple_product_is_made_with_its_one_variant(app: TestApp) {
        let product = create(&app, json!({
            "name": "  Everyday Mug ", "price": "24.00", "stock": 7, "maker": "Alfar",
            "summary": "Holds coffee.", "description": "  # Care\n", "tags": ["new", " New", "cup"],
            "attributes": [{"name": "Material", "value": "Stoneware"}],
        })).await;
        assert_eq!(product.name, "Everyday Mug");
        assert_eq!(product.slug.as_str(), "everyday-mug");
        assert_eq!(product.status, ProductStatus::Active);
        assert_eq!(product.description, "  # Care\n");
        assert_eq!(product.tags, ["new", "cup"]);
        assert_eq!(product.version, 1);
        let [variant] = &product.variants[..] else { panic!("{product:?}") };
        assert_eq!(variant.sku, "EVERYDAY-MUG");
        assert_eq!(variant.price.amount(), "24.00");
        assert_eq!(variant.stock.on_hand, 7);
        assert_eq!(read(&app, product.id).await, product);
    }

    async fn a_product_is_made_with_options(app: TestApp) {
        let product = create(&app, json!({
            "name": "Mug",
            "options": [{"name": "Colour", "values": [{"value": "Oat", "swatch": "#E4DAC8"}, {"value": "Ink"}]}],
            "variants": [
                {"options": ["Oat"], "price": "24", "stock": 1},
                {"options": ["Ink"], "price": "20", "sku": "INK-1", "compare_at_price": "30"},
            ],
        })).await;
        let skus: Vec<&str> = product.variants.iter().map(|one| one.sku.as_str()).collect();
        assert_eq!(skus, ["MUG-OAT", "INK-1"]);
        assert_eq!(product.options[0].values[0].swatch.as_deref(), Some("#e4dac8"));
        let swapped = update(&app, product.id, json!({"variants": [
            {"id": product.variants[1].id, "sku": "MUG-OAT"},
            {"id": product.variants[0].id, "sku": "INK-1", "price": "25"},
        ]})).await;
        assert_eq!(swapped.variants[0].id, product.variants[1].id);
        assert_eq!(swapped.variants[0].sku, "MUG-OAT");
        assert_eq!(swapped.variants[1].price.amount(), "25.00");
        service::delete_product(&app, &app.system(), &ProductKey::Id(product.id), None).await.unwrap();
    }

    async fn the_statements_do_not_grow_with_the_variants(app: TestApp) {
        let mut counts = Vec::new();
        for count in [1, 200] {
            let variants: Vec<_> = (0..count)
                .map(|n| json!({
                    "options": [format!("a{}", n / 20), format!("b{}", n % 20)],
                    "price": "1", "stock": 2,
                }))
                .collect();
            let values = |letter: &str| (0..20).map(|n| json!({"value": format!("{letter}{n}")})).collect::<Vec<_>>();
            let body = json!({
                "name": format!("Many {count}"),
                "options": [{"name": "A", "values": values("a")}, {"name": "B", "values": values("b")}],
                "variants": variants,
            });
            let (product, made) = count_statements(create(&app, body)).await;
            let changed: Vec<_> = product.variants.iter()
                .map(|one| json!({"id": one.id, "price": "2", "stock": 3, "sku": format!("{}-X", one.sku)}))
                .collect();
            let (_, changed) = count_statements(update(&app, product.id, json!({"variants": changed}))).await;
            counts.push((made, changed));
        }
        assert_eq!(counts[0], counts[1]);
    }

    async fn each_rule_speaks_at_its_field(app: TestApp) {
        app.product("Other", "1", 1).await;
        let many = |count: usize, text: &str| (0..count).map(|n| format!("{text}{n}")).collect::<Vec<_>>();
        let option = |name: &str, values: &[&str]| json!({"name": name, "values": values.iter().map(|value| json!({"value": value})).collect::<Vec<_>>()});
        let with = |body: serde_json::Value| {
            let mut whole = json!({"name": "Mug", "price": "1"});
            whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            whole
        };
        let variants = |options: serde_json::Value, variants: serde_json::Value| {
            json!({"name": "Mug", "options": options, "variants": variants})
        };
        let colour = || json!([option("Colour", &["Oat", "Ink"])]);
        let attributes = many(31, "a").into_iter().map(|name| json!({"name": name, "value": "x"})).collect::<Vec<_>>();
        let thousand = (0..1001).map(|_| json!({"options": ["Oat"], "price": "1"})).collect::<Vec<_>>();
        let cases = [
            (json!({"price": "1"}), "name", "required"),
            (json!({"name": "  ", "price": "1"}), "name", "required"),
            (with(json!({"name": "x".repeat(201)})), "name", "length"),
            (with(json!({"name": "two\nlines"})), "name", "invalid"),
            (with(json!({"slug": "Not A Slug"})), "slug", "invalid"),
            (with(json!({"slug": "12"})), "slug", "invalid"),
            (with(json!({"slug": "featured"})), "slug", "reserved"),
            (with(json!({"slug": "other"})), "slug", "taken"),
            (with(json!({"maker": "x".repeat(101)})), "maker", "length"),
            (with(json!({"summary": "x".repeat(301)})), "summary", "length"),
            (with(json!({"description": "x".repeat(20_001)})), "description", "length"),
            (with(json!({"category_id": 99})), "category_id", "unknown"),
            (with(json!({"status": "sold"})), "status", "unknown"),
            (with(json!({"tags": many(21, "t")})), "tags", "length"),
            (with(json!({"tags": ["x".repeat(41)]})), "tags", "length"),
            (with(json!({"tags": ["a,b"]})), "tags", "invalid"),
            (with(json!({"attributes": attributes})), "attributes", "length"),
            (with(json!({"attributes": [{"name": "A", "value": "x"}, {"name": "a", "value": "y"}]})), "attributes.1.name", "repeated"),
            (with(json!({"attributes": [{"name": "A", "value": ""}]})), "attributes.0.value", "required"),
            (json!({"name": "Mug"}), "price", "required"),
            (with(json!({"price": "-1"})), "price", "money"),
            (with(json!({"price": "1.234"})), "price", "money"),
            (with(json!({"price": 1.5})), "price", "money"),
            (with(json!({"price": {"amount": "1", "currency": "USD"}})), "price", "money"),
            (with(json!({"stock": -1})), "stock", "range"),
            (with(json!({"stock": 1_000_000_001})), "stock", "range"),
            (with(json!({"sku": "OTHER"})), "sku", "taken"),
            (with(json!({"sku": "x".repeat(101)})), "sku", "length"),
            (variants(json!(many(4, "o").iter().map(|name| option(name, &["x"])).collect::<Vec<_>>()), json!([])), "options", "length"),
            (variants(json!([option("A", &["x"]), option("a", &["x"])]), json!([])), "options.1.name", "repeated"),
            (variants(json!([option("A", &[])]), json!([])), "options.0.values", "required"),
            (variants(json!([option("A", &["x", "X"])]), json!([])), "options.0.values.1.value", "repeated"),
            (variants(json!([{"name": "A", "values": [{"value": "x", "swatch": "red"}]}]), json!([])), "options.0.values.0.swatch", "invalid"),
            (variants(json!([{"name": "A", "values": many(51, "v").iter().map(|value| json!({"value": value})).collect::<Vec<_>>()}]), json!([])), "options.0.values", "length"),
            (variants(colour(), json!([])), "variants", "required"),
            (json!({"name": "Mug", "options": colour()}), "variants", "required"),
            (variants(colour(), json!(thousand)), "variants", "length"),
            (variants(colour(), json!([{"price": "1"}])), "variants.0.options", "options"),
            (variants(colour(), json!([{"price": "1", "options": ["Red"]}])), "variants.0.options", "options"),
            (variants(json!([]), json!([{"price": "1", "options": ["Red"]}])), "variants.0.options", "options"),
            (variants(json!([option("A", &["x"]), option("B", &["y"])]), json!([{"price": "1", "options": ["x"]}])), "variants.0.options", "options"),
            (variants(colour(), json!([{"price": "1", "options": ["Oat"]}, {"price": "1", "options": ["Oat"]}])), "variants.1.options", "repeated"),
            (variants(colour(), json!([{"options": ["Oat"]}])), "variants.0.price", "required"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "x"}])), "variants.0.price", "money"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "compare_at_price": "-2"}])), "variants.0.compare_at_price", "money"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "weight_grams": -1}])), "variants.0.weight_grams", "range"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "barcode": "1".repeat(51)}])), "variants.0.barcode", "length"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "stock": -1}])), "variants.0.stock", "range"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "sku": "OTHER"}])), "variants.0.sku", "taken"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "sku": "A"}, {"options": ["Ink"], "price": "1", "sku": "A"}])), "variants.1.sku", "taken"),
            (variants(colour(), json!([{"options": ["Oat"], "price": "1", "id": 1}])), "variants.0.id", "unknown"),
            (json!({"name": "Mug", "price": "1", "options": colour(), "variants": [{"options": ["Oat"], "price": "1"}]}), "price", "not_simple"),
        ];
        for (body, field, code) in cases {
            let errors = refused(&app, body).await;
            let found: Vec<_> = errors.iter().map(|(field, error)| (field, error.code)).collect();
            assert!(found.contains(&(field, code)), "{field} {code}: {found:?}");
        }
        let page = service::list_products(&app, &app.guest(), &ProductFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(page.total, 1);
    }

    async fn what_is_not_given_is_made(app: TestApp) {
        let slugs = ["mug", "mug-2", "mug-3"];
        for slug in slugs {
            let product = app.product("Mug", "1", 0).await;
            assert_eq!(product.slug.as_str(), slug);
            assert_eq!(product.variants[0].sku, slug.to_uppercase());
        }
        let featured = app.product("Featured", "1", 0).await;
        assert_eq!(featured.slug.as_str(), "featured-2");
        let long = "x".repeat(200);
        let first = app.product(&long, "1", 0).await;
        let second = app.product(&long, "1", 0).await;
        assert!(second.slug.as_str().ends_with("x-2") && first.slug != second.slug);
        assert_ne!(first.variants[0].sku, second.variants[0].sku);
        let signs = app.product("???", "1", 0).await;
        assert_eq!(signs.slug.as_str(), "product");
        // Another product took the SKU that would be made.
        create(&app, json!({"name": "Bowl", "sku": "CUP", "price": "1"})).await;
        assert_eq!(app.product("Cup", "1", 0).await.variants[0].sku, "CUP-2");
    }

    async fn a_change_touches_only_what_is_given(app: TestApp) {
        // Stock that falls low is told to observers.
        app.leave_jobs();
        let category = service::create_category(&app, &app.system(), CategoryInput {
            name: Some("Cups".to_owned()),
            ..CategoryInput::default()
        }).await.unwrap();
        let product = create(&app, json!({
            "name": "Mug", "price": "24", "stock": 7, "tags": ["a"], "category_id": category.id,
            "attributes": [{"name": "Material", "value": "Clay"}], "description": "x",
        })).await;
        let changed = update(&app, product.id, json!({"summary": "Blue"})).await;
        assert_eq!(changed, Product { summary: "Blue".to_owned(), version: 2, ..product.clone() });
        let changed = update(&app, product.id, json!({
            "price": "20", "stock": 3, "sku": "M", "status": "draft", "category_id": 0,
            "attributes": [], "tags": [],
        })).await;
        let variant = &changed.variants[0];
        assert_eq!((variant.id, variant.sku.as_str()), (product.variants[0].id, "M"));
        assert_eq!((variant.price.amount().as_str(), variant.stock.on_hand), ("20.00", 3));
        assert_eq!((changed.status, changed.category_id), (ProductStatus::Draft, None));
        assert!(changed.attributes.is_empty() && changed.tags.is_empty());
        // The clock of the test stands still, so only the version tells the change.
        assert_eq!(changed.version, 3);
        // A slug or SKU left empty in a form changes nothing.
        let same = update(&app, product.id, json!({"slug": "", "sku": " "})).await;
        assert_eq!((same.slug, same.variants[0].sku.as_str()), (changed.slug, "M"));
        let missing = service::update_product(&app, &app.system(), &ProductKey::Id(ProductId(99)), None, ProductInput::default()).await;
        assert!(matches!(missing, Err(Error::NotFound)));
    }

    async fn a_stale_version_changes_nothing(app: TestApp) {
        let product = app.product("Mug", "1", 1).await;
        update(&app, product.id, json!({"name": "Cup"})).await;
        let key = ProductKey::Id(product.id);
        let stale = service::update_product(&app, &app.system(), &key, Some(1), input(json!({"name": "Jug"}))).await;
        assert!(matches!(stale, Err(Error::Stale)));
        let stale = service::delete_product(&app, &app.system(), &key, Some(1)).await;
        assert!(matches!(stale, Err(Error::Stale)));
        let product = read(&app, product.id).await;
        assert_eq!((product.name.as_str(), product.version), ("Cup", 2));
        service::delete_product(&app, &app.system(), &key, Some(2)).await.unwrap();
    }

    async fn stock_has_a_ledger(app: TestApp) {
        let product = app.product("Mug", "1", 5).await;
        update(&app, product.id, json!({"stock": 2})).await;
        let mut conn = app.db.conn().await.unwrap();
        let rows: Vec<(String, i64)> = query::fetch_all(
            &mut conn,
            Sql::same("select reason, quantity from stock_movements order by id"),
            Vec::new(),
        ).await.unwrap();
        assert_eq!(rows, [("received".to_owned(), 5), ("adjusted".to_owned(), -3)]);
        assert!(zoco::inventory::service::imbalances(&mut conn).await.unwrap().is_empty());
    }

    async fn stock_never_falls_below_what_is_reserved(app: TestApp) {
        let product = app.product("Mug", "1", 5).await;
        let mut tx = app.db.begin().await.unwrap();
        query::execute(&mut tx, Sql::same("update stock_levels set reserved = 3"), Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let key = ProductKey::Id(product.id);
        let refused = service::update_product(&app, &app.system(), &key, None, input(json!({"stock": 2}))).await;
        assert!(!fields(refused).of("stock").is_empty());
        let list = json!({"variants": [{"id": product.variants[0].id, "stock": 2}]});
        let refused = service::update_product(&app, &app.system(), &key, None, input(list)).await;
        assert!(!fields(refused).of("variants.0.stock").is_empty());
        assert_eq!(read(&app, product.id).await.version, 1);
    }

    async fn a_simple_product_gets_options(app: TestApp) {
        let product = app.product("Mug", "1", 5).await;
        let key = ProductKey::Id(product.id);
        let options = json!([{"name": "Colour", "values": [{"value": "Oat"}, {"value": "Ink"}]}]);
        let alone = service::update_product(&app, &app.system(), &key, None, input(json!({"options": options}))).await;
        assert!(!fields(alone).of("variants").is_empty());
        let old = product.variants[0].id;
        let changed = update(&app, product.id, json!({"options": options, "variants": [
            {"id": old, "options": ["Ink"]},
            {"options": ["Oat"], "price": "3"},
        ]})).await;
        assert_eq!(changed.variants[0].id, old);
        assert_eq!(changed.variants[0].stock.on_hand, 5);
        assert_eq!(changed.variants[0].name(), "Ink");
        assert_eq!(changed.variants[1].sku, "MUG-OAT");
        assert_eq!(changed.price_range().unwrap().1.amount(), "3.00");
        let top = service::update_product(&app, &app.system(), &key, None, input(json!({"price": "9"}))).await;
        assert!(!fields(top).of("price").is_empty());
        // Never ordered, so it goes for good; and the product is simple again.
        let simple = update(&app, product.id, json!({"options": [], "variants": [{"price": "4"}]})).await;
        assert_eq!(simple.variants.len(), 1);
        assert_ne!(simple.variants[0].id, old);
        assert_eq!(update(&app, product.id, json!({"price": "5"})).await.variants[0].price.amount(), "5.00");
    }

    async fn what_was_ordered_once_stays(app: TestApp) {
        let product = create(&app, json!({
            "name": "Mug", "options": [{"name": "Colour", "values": [{"value": "Oat"}, {"value": "Ink"}]}],
            "variants": [{"options": ["Oat"], "price": "1", "stock": 2}, {"options": ["Ink"], "price": "2", "stock": 2}],
        })).await;
        let (oat, ink) = (product.variants[0].id, product.variants[1].id);
        sell(&app, oat).await;
        let changed = update(&app, product.id, json!({"variants": [{"id": ink}]})).await;
        let states: Vec<_> = changed.variants.iter().map(|one| (one.id, one.active)).collect();
        assert_eq!(states, [(ink, true), (oat, false)]);
        let seen = service::product(&app, &app.guest(), &ProductKey::Id(product.id)).await.unwrap();
        assert_eq!(seen.variants.len(), 1);
        assert_eq!(seen.price_range().unwrap().0.amount(), "2.00");
        // Its SKU is still its own.
        let taken = service::update_product(&app, &app.system(), &ProductKey::Id(product.id), None, input(json!({"variants": [
            {"id": ink, "sku": "MUG-OAT"},
        ]}))).await;
        assert!(!fields(taken).of("variants.0.sku").is_empty());
        service::delete_product(&app, &app.system(), &ProductKey::Id(product.id), None).await.unwrap();
        assert_eq!(read(&app, product.id).await.status, ProductStatus::Archived);
        let gone = service::product(&app, &app.guest(), &ProductKey::Id(product.id)).await;
        assert!(matches!(gone, Err(Error::NotFound)));
        assert_eq!(actions(&app).await, ["product.created", "product.updated", "product.archived"]);
    }

    async fn what_was_never_ordered_goes_with_everything(app: TestApp) {
        let product = create(&app, json!({"name": "Mug", "price": "1", "stock": 2, "attributes": [{"name": "A", "value": "b"}]})).await;
        let key = ProductKey::Id(product.id);
        service::add_image(&app, &app.system(), &key, png(9, 9), "").await.unwrap();
        update(&app, product.id, json!({"slug": "cup"})).await;
        service::delete_product(&app, &app.system(), &key, None).await.unwrap();
        for table in [
            "select count(*) from products", "select count(*) from variants",
            "select count(*) from product_images", "select count(*) from product_redirects",
            "select count(*) from product_attributes", "select count(*) from stock_levels",
        ] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
        assert_eq!(actions(&app).await, ["product.created", "product.image_added", "product.updated", "product.deleted"]);
    }

    async fn the_audit_log_tells_what_changed(app: TestApp) {
        let admin = app.admin().await;
        let product = app.product("Mug", "1", 1).await;
        let key = ProductKey::Id(product.id);
        service::update_product(&app, &admin, &key, None, input(json!({"name": "Cup"}))).await.unwrap();
        let mut conn = app.db.conn().await.unwrap();
        let rows: Vec<(String, String, String, String)> = query::fetch_all(
            &mut conn,
            Sql::same("select subject, before, after, actor_name from audit_log where action = 'product.updated'"),
            Vec::new(),
        ).await.unwrap();
        let name = admin.actor_name();
        assert_eq!(rows, [(format!("product {}", product.id), r#"{"name":"Mug"}"#.to_owned(), r#"{"name":"Cup"}"#.to_owned(), name)]);
    }

    async fn a_changed_slug_leads_on(app: TestApp) {
        let product = app.product("Mug", "1", 1).await;
        update(&app, product.id, json!({"slug": "cup"})).await;
        update(&app, product.id, json!({"slug": "jug"})).await;
        for old in ["mug", "cup"] {
            assert_eq!(service::redirect_of(&app, old).await.unwrap().as_deref(), Some("jug"));
            let found = service::find_product(&app, &app.guest(), &ProductKey::parse(old)).await.unwrap();
            assert_eq!(found.id, product.id);
            app.api().get(&format!("/api/products/{old}")).await.expect(200);
        }
        // It takes an old one back, so that leads nowhere else.
        update(&app, product.id, json!({"slug": "mug"})).await;
        assert_eq!(service::redirect_of(&app, "mug").await.unwrap(), None);
        assert_eq!(service::redirect_of(&app, "jug").await.unwrap().as_deref(), Some("mug"));
        // A new product may have what another gave up.
        let other = app.product("Jug", "1", 1).await;
        assert_eq!(other.slug.as_str(), "jug");
        assert_eq!(service::redirect_of(&app, "jug").await.unwrap(), None);
        let taken = service::update_product(&app, &app.system(), &ProductKey::Id(other.id), None, input(json!({"slug": "mug"}))).await;
        assert!(!fields(taken).of("slug").is_empty());
    }

    async fn a_draft_goes_on_sale_when_its_time_has_come(app: TestApp) {
        let at = "2026-11-24T13:00:00Z";
        let draft = create(&app, json!({
            "name": "Mug", "price": "24", "status": "draft", "publish_at": at,
        })).await;
        assert_eq!(draft.publish_at.unwrap().rfc3339(), at);
        // A time that a browser's field gives is in UTC.
        let draft = update(&app, draft.id, json!({"publish_at": "2026-11-24T13:00"})).await;
        assert_eq!(draft.publish_at.unwrap().rfc3339(), at);
        let address = "/products/mug";
        for (seconds, published, status) in [(3599, 0, 404), (1, 1, 200), (0, 0, 200)] {
            app.clock.advance_seconds(seconds);
            assert_eq!(service::publish_due(&app).await.unwrap(), published);
            app.browser().get(address).await.expect(status);
        }
        let active = read(&app, draft.id).await;
        assert_eq!((active.status, active.publish_at), (ProductStatus::Active, None));
        assert_eq!(actions(&app).await.last().unwrap(), "product.published");

        let errors = refused(&app, json!({"name": "X", "price": "1", "publish_at": at})).await;
        assert!(errors.of("publish_at").contains("Only a draft"));
        let errors = refused(&app, json!({
            "name": "X", "price": "1", "status": "draft", "publish_at": "tomorrow",
        })).await;
        assert!(errors.of("publish_at").contains("2026-12-24T09:00"));
        // Staff were faster than the clock: there is nothing to wait for any more.
        let other = create(&app, json!({
            "name": "Bowl", "price": "1", "status": "draft", "publish_at": at,
        })).await;
        assert_eq!(update(&app, other.id, json!({"status": "active"})).await.publish_at, None);
        let put_off = json!({"status": "draft", "publish_at": at});
        assert!(update(&app, other.id, put_off).await.publish_at.is_some());
        let empty = update(&app, other.id, json!({"publish_at": ""})).await;
        assert_eq!((empty.status, empty.publish_at), (ProductStatus::Draft, None));
    }

    async fn what_goes_well_with_a_product_is_shown_on_it(app: TestApp) {
        let cup = app.product("Cup", "5", 5).await;
        let tray = app.product("Tray", "9", 5).await;
        create(&app, json!({"name": "Secret", "price": "1", "status": "draft"})).await;
        let mug = create(&app, json!({
            "name": "Mug", "price": "24", "digital": true, "tags": ["Gift & more", "new"],
            "related": ["tray", cup.id.to_string(), "tray", "secret"],
            "seo_title": "The mug", "seo_description": "Buy it.",
        })).await;
        let names: Vec<&str> = mug.related.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Tray", "Cup", "Secret"]);
        let page = app.browser().get("/products/mug").await.expect(200);
        let cards: Vec<String> = page.attributes("section[aria-labelledby=related] h3 a", "href");
        assert_eq!(cards, ["/products/tray", "/products/cup"]);
        assert!(page.has("Nothing is sent by post"));
        let tags = page.attributes(".tags a", "href");
        assert_eq!(tags, ["/products?tag=Gift+%26+more", "/products?tag=new"]);
        let list = app.browser().get(&tags[0]).await.expect(200);
        assert_eq!(list.text("h1"), "Gift & more");
        assert_eq!(list.attributes(".grid h3 a", "href"), ["/products/mug"]);
        let json = app.api().get("/api/products?tag=new").await.expect(200).json();
        assert_eq!((&json["total"], &json["items"][0]["digital"]), (&json!(1), &json!(true)));
        let json = app.api().get("/api/products/mug").await.expect(200).json();
        assert_eq!(json["related"][0], json!({"id": tray.id, "slug": "tray", "name": "Tray"}));
        assert_eq!((&json["seo_title"], &json["seo_description"]), (&json!("The mug"), &json!("Buy it.")));
        // What was not given stays; a new order is an order.
        let same = update(&app, mug.id, json!({"name": "Big mug"})).await;
        assert_eq!(same.related, mug.related);
        let turned = update(&app, mug.id, json!({"related": ["cup", "tray"]})).await;
        assert_eq!(turned.related[0].id, cup.id);
        let result = service::update_product(&app, &app.system(), &ProductKey::Id(mug.id), None,
            input(json!({"related": ["nothing", "mug"]}))).await;
        assert!(fields(result).of("related").contains("nothing"));
        let result = service::update_product(&app, &app.system(), &ProductKey::Id(mug.id), None,
            input(json!({"related": [mug.id.to_string()]}))).await;
        assert_eq!(fields(result).of("related"), "A product does not go with itself.");
        assert!(update(&app, mug.id, json!({"related": []})).await.related.is_empty());
    }

    async fn a_changed_slug_of_a_category_leads_on(app: TestApp) {
        let ctx = app.system();
        let named = |name: &str| CategoryInput {
            name: Some(name.to_owned()),
            slug: Some(name.to_lowercase()),
            ..CategoryInput::default()
        };
        let cups = service::create_category(&app, &ctx, named("Cups")).await.unwrap();
        service::update_category(&app, &ctx, cups.id, None, named("Mugs")).await.unwrap();
        let moved = app.api().get("/categories/cups").await.expect(301);
        assert_eq!(moved.header("location"), "/categories/mugs");
        let json = app.api().get("/api/categories/cups").await.expect(200).json();
        assert_eq!(json["slug"], "mugs");
        // Whoever takes the slug gets what is asked for by it.
        service::create_category(&app, &ctx, named("Cups")).await.unwrap();
        app.browser().get("/categories/cups").await.expect(200);
        app.browser().get("/categories/none").await.expect(404);
        app.api().get("/api/categories/none").await.expect(404);
    }

    async fn every_change_is_announced(app: TestApp) {
        let mug = app.product("Mug", "24", 5).await;
        update(&app, mug.id, json!({"name": "Jug"})).await;
        service::delete_product(&app, &app.system(), &ProductKey::Id(mug.id), None).await.unwrap();
        let named = CategoryInput { name: Some("Cups".to_owned()), ..CategoryInput::default() };
        let cups = service::create_category(&app, &app.system(), named).await.unwrap();
        service::delete_category(&app, &app.system(), cups.id, None).await.unwrap();
        let mut conn = app.db.conn().await.unwrap();
        let sql = Sql::same("select topic, payload from outbox order by id");
        let told: Vec<(String, String)> = query::fetch_all(&mut conn, sql, Vec::new()).await.unwrap();
        let product = ("product.changed".to_owned(), format!(r#"{{"id":{}}}"#, mug.id));
        let category = |id: &str| ("category.changed".to_owned(), format!(r#"{{"id":{id}}}"#));
        assert_eq!(told, [product.clone(), product.clone(), product,
            category(&cups.id.to_string()), category("null")]);
    }

    async fn search_finds_every_word_of_a_product(app: TestApp) {
        create(&app, json!({
            "name": "Camión", "price": "1", "maker": "Ñandú", "summary": "Rolls", "tags": ["toy"],
            "sku": "TR-77", "attributes": [{"name": "Material", "value": "Beech"}],
        })).await;
        for word in ["camion", "nandu", "rolls", "TOY", "material", "beech", "tr-77"] {
            let filter = ProductFilter { search: word.to_owned(), ..ProductFilter::default() };
            let page = service::list_products(&app, &app.guest(), &filter, PageRequest::default()).await.unwrap();
            assert_eq!(page.total, 1, "{word}");
        }
    }

    async fn a_list_takes_as_many_statements_for_one_as_for_many(app: TestApp) {
        let list = async || {
            let filter = ProductFilter::default();
            let page = PageRequest::new(1, 100);
            let (ctx, key) = (app.guest(), ProductKey::Slug("thing".to_owned()));
            count_statements(async {
                let found = service::list_products(&app, &ctx, &filter, page).await.unwrap();
                service::facets(&app, &ctx, &filter).await.unwrap();
                service::product(&app, &ctx, &key).await.unwrap();
                found.items.len()
            }).await
        };
        app.product("Thing", "1", 1).await;
        let one = list().await;
        for _ in 0..99 {
            app.product("Thing", "1", 1).await;
        }
        let many = list().await;
        assert_eq!((one.0, many.0), (1, 100));
        assert_eq!(one.1, many.1);
    }

    async fn only_staff_of_the_catalog_write(app: TestApp) {
        let product = app.product("Mug", "1", 1).await;
        let key = ProductKey::Id(product.id);
        let other = app.staff("other@example.com", &[Permission::Orders]).await;
        let customer = app.customer("customer@example.com").await;
        for (ctx, guest) in [(app.guest(), true), (customer, false), (other, false)] {
            let refusals = [
                service::create_product(&app, &ctx, input(json!({"name": "x", "price": "1"}))).await.err(),
                service::update_product(&app, &ctx, &key, None, input(json!({"name": "x"}))).await.err(),
                service::delete_product(&app, &ctx, &key, None).await.err(),
                service::add_image(&app, &ctx, &key, png(9, 9), "").await.err(),
                service::update_image(&app, &ctx, &key, ImageId(1), None, ImageInput::default()).await.err(),
                service::delete_image(&app, &ctx, &key, ImageId(1), None).await.err(),
                service::create_category(&app, &ctx, CategoryInput::default()).await.err(),
                service::update_category(&app, &ctx, CategoryId(1), None, CategoryInput::default()).await.err(),
                service::delete_category(&app, &ctx, CategoryId(1), None).await.err(),
                service::list_products(&app, &ctx, &ProductFilter { for_staff: true, ..ProductFilter::default() }, PageRequest::default()).await.err(),
            ];
            for refusal in refusals {
                match refusal {
                    Some(Error::Unauthenticated) if guest => {}
                    Some(Error::Forbidden) if !guest => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        let staff = app.staff("staff@example.com", &[Permission::Catalog]).await;
        let made = service::create_product(&app, &staff, input(json!({"name": "x", "price": "1", "stock": 1}))).await.unwrap();
        assert_eq!(made.created_by, staff.user_id());
        assert_eq!(read(&app, product.id).await, product);
    }

    async fn drafts_are_for_staff(app: TestApp) {
        let draft = create(&app, json!({"name": "Draft", "price": "1", "stock": 1, "status": "draft"})).await;
        update(&app, draft.id, json!({"slug": "secret"})).await;
        app.admin().await;
        let (guest, staff) = (app.api(), app.api().signed_in("admin@example.com").await);
        for key in ["draft", "secret", &draft.id.to_string()] {
            for path in ["", "/variants", "/images"] {
                guest.get(&format!("/api/products/{key}{path}")).await.expect(404);
            }
        }
        assert_eq!(guest.get("/api/products").await.json()["total"], 0);
        assert_eq!(guest.get("/api/products/featured").await.json()["total"], 0);
        assert_eq!(staff.get("/api/products/secret").await.expect(200).json()["status"], "draft");
        assert_eq!(staff.get("/api/products").await.json()["total"], 0);
        let list = staff.get("/api/admin/products?status=draft").await.expect(200).json();
        assert_eq!(list["items"][0]["on_hand"], 1);
        assert_eq!(list["items"][0]["reserved"], 0);
        assert_eq!(staff.get("/api/admin/products?status=active").await.json()["total"], 0);
        staff.get("/api/admin/products?status=sold").await.expect(400);
        staff.get("/api/admin/products?stauts=draft").await.expect(400);
    }

    async fn the_api_makes_changes_and_deletes_a_product(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let body = json!({"name": "iPhone 15", "price": "999.99", "stock": 10});
        // The request of the original demo, with its slash.
        let made = api.post("/api/products/products/", body).await.expect(201);
        let product = made.json();
        assert_eq!(made.header("etag"), "\"v1\"");
        assert_eq!(made.header("location"), format!("/api/products/{}", product["id"]));
        assert_eq!(product["slug"], "iphone-15");
        assert_eq!(product["price"], json!({"amount": "999.99", "currency": "EUR"}));
        assert_eq!((&product["stock"], &product["in_stock"]), (&json!(10), &json!(true)));
        assert_eq!(product["variants"][0]["sku"], "IPHONE-15");
        let read = app.api().get("/api/products/iphone-15").await.expect(200);
        assert_eq!(read.header("etag"), "\"v1\"");
        assert!(read.json()["variants"][0].get("on_hand").is_none());
        assert_eq!(app.api().get(&made.header("location")).await.body, read.body);

        let fresh = api.with("if-match", "\"v1\"");
        let changed = fresh.patch("/api/products/iphone-15", json!({"description": "# Hi\n<script>x</script>"})).await.expect(200);
        assert_eq!(changed.header("etag"), "\"v2\"");
        assert_eq!(changed.json()["description"], "# Hi\n<script>x</script>");
        assert!(changed.json()["description_html"].as_str().unwrap().contains("<h3>Hi</h3>"));
        assert!(!changed.json()["description_html"].as_str().unwrap().contains("script"));
        fresh.patch("/api/products/iphone-15", json!({"name": "x"})).await.expect(412);
        fresh.delete("/api/products/iphone-15").await.expect(412);
        api.with("if-match", "\"v2\"").delete("/api/products/iphone-15").await.expect(204);
        api.get("/api/products/iphone-15").await.expect(404);
        api.delete("/api/products/iphone-15").await.expect(404);
    }

    async fn the_api_says_what_is_wrong(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let cases = [
            (json!({"name": "x", "price": 9.5}), "price"),
            (json!({"name": "x", "price": "1", "colour": "red"}), "colour"),
            (json!({"name": "x", "price": "1", "stock": "ten"}), "stock"),
            (json!({"name": "x", "variants": [{"price": true}]}), "variants.0.price"),
            (json!({"name": "x", "variants": [{"prize": "1"}]}), "variants.0.prize"),
            (json!({"name": "x", "variants": [{"stock": 1.5}]}), "variants.0.stock"),
        ];
        for (body, field) in cases {
            let reply = api.post("/api/products", body).await.expect(422);
            assert_eq!(reply.json()["errors"][0]["field"], field, "{}", reply.body);
        }
        let empty = api.post("/api/products", json!({})).await.expect(422).json();
        let named: Vec<_> = empty["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
        assert_eq!(named, ["name", "price"]);
    }

    async fn both_faces_of_a_list_agree(app: TestApp) {
        let cups = service::create_category(&app, &app.system(), CategoryInput { name: Some("Cups".to_owned()), ..CategoryInput::default() }).await.unwrap();
        let tall = service::create_category(&app, &app.system(), CategoryInput { name: Some("Tall".to_owned()), parent_id: Some(cups.id), ..CategoryInput::default() }).await.unwrap();
        create(&app, json!({"name": "iPhone 15", "price": "999.99", "stock": 10, "attributes": [{"name": "Colour", "value": "Ink"}]})).await;
        create(&app, json!({"name": "Mug", "price": "20", "stock": 0, "category_id": cups.id, "attributes": [{"name": "Colour", "value": "Oat"}]})).await;
        create(&app, json!({"name": "Glass", "price": "5", "stock": 1, "category_id": tall.id})).await;
        let names = async |query: &str| {
            let reply = app.api().get(&format!("/api/products{query}")).await.expect(200);
            let items = reply.json()["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(",")
        };
        assert_eq!(names("?sort=name").await, "Glass,iPhone 15,Mug");
        assert_eq!(names("?sort=price").await, "Glass,Mug,iPhone 15");
        assert_eq!(names("?sort=-price").await, "iPhone 15,Mug,Glass");
        assert_eq!(names("?min_price=500&max_price=1500&search=iPhone").await, "iPhone 15");
        assert_eq!(names("?sort=name&category=cups").await, "Glass,Mug");
        assert_eq!(names(&format!("?category={}", tall.id)).await, "Glass");
        assert_eq!(names("?sort=name&in_stock=true").await, "Glass,iPhone 15");
        assert_eq!(names("?attr.Colour=Oat").await, "Mug");
        assert_eq!(names("?sort=name&attr.Colour=Oat&attr.Colour=Ink").await, "iPhone 15,Mug");
        assert_eq!(names("?min_rating=1").await, "");
        assert_eq!(names("?search=%3F%3F").await, "");
        assert_eq!(names("?sort=name&page=2&per_page=2").await, "Mug");
        // A field of a form that was left empty filters nothing.
        assert_eq!(names("?sort=name&search=&category=&min_price=&in_stock=&page=").await, "Glass,iPhone 15,Mug");
    }

    async fn a_query_that_cannot_be_read_is_refused(app: TestApp) {
        for (query, named) in [
            ("prize=1", "prize"), ("category=nothing", "category"), ("min_price=x", "min_price"),
            ("max_price=-1", "max_price"), ("in_stock=maybe", "in_stock"), ("min_rating=6", "min_rating"),
            ("min_rating=x", "min_rating"), ("sort=best", "sort"), ("page=0", "page"), ("per_page=101", "per_page"),
            ("facets=all", "facets"), ("attr.=x", "attr."), ("search=a&search=b", "search"), ("status=draft", "status"),
        ] {
            for path in ["/api/products", "/api/products/products"] {
                let reply = app.api().get(&format!("{path}?{query}")).await.expect(400);
                assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{query}: {}", reply.body);
            }
        }
        app.api().get("/api/products/featured?limit=x").await.expect(400);
        app.api().get("/api/categories?x=1").await.expect(400);
    }

    async fn a_list_leads_to_its_next_page_and_counts_facets(app: TestApp) {
        for number in 0..3 {
            create(&app, json!({"name": format!("Mug {number}"), "price": "1", "stock": number, "attributes": [{"name": "Colour", "value": "Oat"}]})).await;
        }
        let page = app.api().get("/api/v1/products?per_page=2&facets=true").await.expect(200).json();
        assert_eq!(page["total"], 3);
        assert_eq!(page["next"], "/api/v1/products?per_page=2&facets=true&page=2");
        assert_eq!(page["facets"]["in_stock"], 2);
        assert_eq!(page["facets"]["attributes"], json!([{"name": "Colour", "values": [{"value": "Oat", "count": 3}]}]));
        let last = app.api().get(page["next"].as_str().unwrap()).await.expect(200).json();
        assert_eq!(last["items"].as_array().unwrap().len(), 1);
        assert_eq!(last["next"], json!(null));
        let plain = app.api().get("/api/products").await.expect(200).json();
        assert!(plain.get("facets").is_none());
        let featured = app.api().get("/api/products/featured?limit=1").await.expect(200).json();
        assert_eq!(featured["items"].as_array().unwrap().len(), 1);
    }

    async fn the_api_takes_pictures(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let product = app.product("Mug", "1", 1).await;
        let upload = async |fields: &[(&str, &str)], file: (&str, &str, &[u8])| {
            let (kind, body) = multipart(fields, file);
            api.request(Method::POST, "/api/products/mug/images", &kind, body).await
        };
        let made = upload(&[("alt", "A mug")], ("image", "../../etc/passwd.svg", &png(900, 30))).await.expect(201);
        let image = made.json();
        assert_eq!((&image["alt"], &image["width"]), (&json!("A mug"), &json!(900)));
        let url = image["urls"]["800"].as_str().unwrap();
        let file = app.api().get(url).await.expect(200);
        assert_eq!(file.header("content-type"), "image/webp");
        upload(&[], ("image", "b.png", &png(9, 9))).await.expect(201);
        let path = made.header("location");
        let moved = api.patch(&path, json!({"position": 1, "alt": "Last"})).await.expect(200).json();
        assert_eq!(moved["alt"], "Last");
        let list = app.api().get("/api/products/mug/images").await.expect(200).json();
        assert_eq!(list["items"][1]["id"], image["id"]);
        assert_eq!(read(&app, product.id).await.images.len(), 2);

        for (reply, field) in [
            (upload(&[], ("image", "a.png", b"no picture")).await, "image"),
            (upload(&[], ("image", "a.png", &bomb())).await, "image"),
            (upload(&[], ("file", "a.png", &png(9, 9))).await, "file"),
            (upload(&[], ("alt", "", b"x")).await, "image"),
            (api.patch(&path, json!({"place": 1})).await, "place"),
        ] {
            assert_eq!(reply.expect(422).json()["errors"][0]["field"], field);
        }
        api.post("/api/products/mug/images", json!({})).await.expect(415);
        upload(&[], ("image", "a.png", &vec![0; 10 * 1024 * 1024 + 1])).await.expect(413);
        api.patch("/api/products/mug/images/x", json!({})).await.expect(404);
        api.delete(&path).await.expect(204);
        api.delete(&path).await.expect(404);
    }

    async fn the_api_keeps_the_tree(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let made = api.post("/api/categories", json!({"name": "Cups"})).await.expect(201);
        assert_eq!(made.header("etag"), "\"v1\"");
        let path = made.header("location");
        let child = api.post("/api/products/categories/", json!({"name": "Tall", "parent_id": made.json()["id"]})).await.expect(201);
        assert_eq!(child.json()["parent_id"], made.json()["id"]);
        for list in ["/api/categories", "/api/products/categories/"] {
            let list = app.api().get(list).await.expect(200).json();
            assert_eq!(list["items"][1]["slug"], "tall");
        }
        let fresh = api.with("if-match", "\"v1\"");
        let changed = fresh.patch("/api/categories/cups", json!({"name": "Mugs"})).await.expect(200);
        assert_eq!(changed.header("etag"), "\"v2\"");
        fresh.patch(&path, json!({"name": "x"})).await.expect(412);
        fresh.delete(&path).await.expect(412);
        assert_eq!(app.api().get(&path).await.expect(200).json()["name"], "Mugs");
        let circle = api.patch(&path, json!({"parent_id": child.json()["id"]})).await.expect(422);
        assert_eq!(circle.json()["errors"][0]["field"], "parent_id");
        api.post("/api/categories", json!({"name": "x", "colour": 1})).await.expect(422);
        api.delete(&path).await.expect(204);
        assert_eq!(app.api().get("/api/categories/tall").await.json()["parent_id"], json!(null));
        app.api().get(&path).await.expect(404);
    }

    async fn a_race_for_an_sku_has_one_winner(app: TestApp) {
        let maker = |name: &'static str| {
            let app = app.clone();
            async move {
                let body = json!({"name": name, "price": "1", "sku": "SAME", "slug": "same"});
                service::create_product(&app, &app.system(), input(body)).await
            }
        };
        let results = tokio::join!(maker("A"), maker("B"), maker("C"), maker("D"));
        let (mut won, mut lost) = (0, 0);
        for result in [results.0, results.1, results.2, results.3] {
            match result {
                Ok(_) => won += 1,
                Err(error) => {
                    let errors = fields::<()>(Err(error));
                    assert!(!errors.of("sku").is_empty() || !errors.of("slug").is_empty(), "{errors:?}");
                    lost += 1;
                }
            }
        }
        assert_eq!((won, lost), (1, 3));
    }

    async fn a_product_that_is_being_bought_is_not_deleted(app: TestApp) {
        for round in 0..5 {
            let product = app.product(&format!("Mug {round}"), "1", 1).await;
            let cart = app.api().post("/api/cart/items", json!({"product_id": product.id})).await.expect(200);
            let buyer = app.api().with("cart-token", &cart.header("cart-token"));
            let order = json!({"shipping_address": "123 Main St", "email": "guest@example.com"});
            let key = ProductKey::Id(product.id);
            let system = app.system();
            let (bought, deleted) = tokio::join!(
                buyer.post("/api/orders", order),
                service::delete_product(&app, &system, &key, None),
            );
            deleted.unwrap();
            assert!(matches!(bought.status.as_u16(), 201 | 409), "{}", bought.body);
        }
        app.run_jobs().await;
        let lost = "select count(*) from order_lines where product_id not in (select id from products)";
        assert_eq!(count(&app, lost).await, 0);
    }

    async fn staff_routes_refuse_all_others(app: TestApp) {
        app.product("Mug", "1", 1).await;
        service::create_category(&app, &app.system(), CategoryInput { name: Some("Cups".to_owned()), ..CategoryInput::default() }).await.unwrap();
        app.customer("customer@example.com").await;
        let customer = app.api().signed_in("customer@example.com").await;
        for (client, status) in [(app.api(), 401), (customer, 403)] {
            let body = json!({"name": "x", "price": "1"});
            for path in ["/api/products", "/api/products/products"] {
                client.post(path, body.clone()).await.expect(status);
            }
            for path in ["/api/categories", "/api/products/categories"] {
                client.post(path, json!({"name": "x"})).await.expect(status);
            }
            for path in ["/api/products/mug", "/api/categories/cups", "/api/products/mug/images/1"] {
                client.patch(path, json!({})).await.expect(status);
                client.delete(path).await.expect(status);
            }
            let (kind, body) = multipart(&[], ("image", "a.png", &png(9, 9)));
            client.request(Method::POST, "/api/products/mug/images", &kind, body).await.expect(status);
            client.get("/api/admin/products").await.expect(status);
        }
    }

    async fn pictures_are_added_moved_and_removed(app: TestApp) {
        let product = app.product("Mug", "1", 1).await;
        let (key, ctx) = (ProductKey::Id(product.id), app.system());
        let mut ids = Vec::new();
        for width in [401, 402, 403] {
            let alt = format!(" {width} wide ");
            let image = service::add_image(&app, &ctx, &key, png(width, 10), &alt).await.unwrap();
            assert_eq!(image.alt, alt.trim());
            assert!(app.storage.has(&Image::file(&image.storage_key, 400)).await);
            ids.push(image.id);
        }
        let at = |place| ImageInput { position: Some(place), ..ImageInput::default() };
        let moved = service::update_image(&app, &ctx, &key, ids[2], None, at(0)).await.unwrap();
        assert_eq!((moved.position, moved.alt.as_str()), (0, "403 wide"));
        service::update_image(&app, &ctx, &key, ids[0], None, ImageInput { alt: Some("A mug".to_owned()), ..at(99) }).await.unwrap();
        let after = read(&app, product.id).await;
        let order: Vec<_> = after.images.iter().map(|one| (one.id, one.position)).collect();
        assert_eq!(order, [(ids[2], 0), (ids[1], 1), (ids[0], 2)]);
        assert_eq!(after.images[2].alt, "A mug");
        assert_eq!(after.version, 6);
        service::delete_image(&app, &ctx, &key, ids[2], None).await.unwrap();
        let after = read(&app, product.id).await;
        let order: Vec<_> = after.images.iter().map(|one| (one.id, one.position)).collect();
        assert_eq!(order, [(ids[1], 0), (ids[0], 1)]);
        let gone = service::delete_image(&app, &ctx, &key, ids[2], None).await;
        assert!(matches!(gone, Err(Error::NotFound)));
        let long = service::add_image(&app, &ctx, &key, png(9, 9), &"x".repeat(301)).await;
        assert!(!fields(long).of("alt").is_empty());
        let negative = service::update_image(&app, &ctx, &key, ids[0], None, at(-1)).await;
        assert!(!fields(negative).of("position").is_empty());
        for _ in 2..30 {
            service::add_image(&app, &ctx, &key, png(9, 9), "").await.unwrap();
        }
        let many = service::add_image(&app, &ctx, &key, png(9, 9), "").await;
        assert!(!fields(many).of("image").is_empty());
    }
}
