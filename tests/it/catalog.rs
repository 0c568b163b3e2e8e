//! The catalog: writing and reading products and categories, through services and API.

use std::io::Cursor;

use serde_json::json;
use zoco::catalog::service::{self, ProductInput, images};
use zoco::catalog::{Image, Product, ProductKey, ProductStatus};
use zoco::db::count_statements;
use zoco::error::{Error, FieldErrors};
use zoco::types::ProductId;

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

    fn what_is_no_picture_is_refused() {
        for (bytes, code) in [
            (bomb(), "too_many_pixels"),
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

    async fn what_is_missing_is_said_at_its_field(app: TestApp) {
        let errors = refused(&app, json!({})).await;
        assert!(!errors.of("name").is_empty() && !errors.of("price").is_empty(), "{errors:?}");
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
        let moved = service::update_image(&app, &ctx, &key, ids[2], None, Some(0)).await.unwrap();
        assert_eq!((moved.position, moved.alt.as_str()), (0, "403 wide"));
        service::update_image(&app, &ctx, &key, ids[0], Some("A mug".to_owned()), Some(99)).await.unwrap();
        let after = read(&app, product.id).await;
        let order: Vec<_> = after.images.iter().map(|one| (one.id, one.position)).collect();
        assert_eq!(order, [(ids[2], 0), (ids[1], 1), (ids[0], 2)]);
        assert_eq!(after.images[2].alt, "A mug");
        assert_eq!(after.version, 6);
        service::delete_image(&app, &ctx, &key, ids[2]).await.unwrap();
        let after = read(&app, product.id).await;
        let order: Vec<_> = after.images.iter().map(|one| (one.id, one.position)).collect();
        assert_eq!(order, [(ids[1], 0), (ids[0], 1)]);
        let gone = service::delete_image(&app, &ctx, &key, ids[2]).await;
        assert!(matches!(gone, Err(Error::NotFound)));
        let long = service::add_image(&app, &ctx, &key, png(9, 9), &"x".repeat(301)).await;
        assert!(!fields(long).of("alt").is_empty());
        let negative = service::update_image(&app, &ctx, &key, ids[0], None, Some(-1)).await;
        assert!(!fields(negative).of("position").is_empty());
        for _ in 2..30 {
            service::add_image(&app, &ctx, &key, png(9, 9), "").await.unwrap();
        }
        let many = service::add_image(&app, &ctx, &key, png(9, 9), "").await;
        assert!(!fields(many).of("image").is_empty());
    }
}
