//! The catalog: writing and reading products and categories, through services and API.

use serde_json::json;
use zoco::catalog::service::{self, ProductInput};
use zoco::catalog::{Product, ProductKey, ProductStatus};
use zoco::db::count_statements;
use zoco::error::{Error, FieldErrors};
use zoco::types::ProductId;

use crate::support::{TestApp, both};

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
}
