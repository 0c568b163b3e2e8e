//! Variants: some of them at a time, by form, by API, however many there are.

use serde_json::{Value, json};
use zoco::catalog::service::{self, ProductInput, VariantsInput};
use zoco::catalog::{self, Product, ProductKey, Variant};
use zoco::ctx::Permission;
use zoco::db::count_statements;
use zoco::error::Error;
use zoco::types::ProductId;

use crate::support::clients::Browser;
use crate::support::{TestApp, both};

fn input(body: Value) -> ProductInput {
    serde_json::from_value(body).unwrap()
}

fn some(body: Value) -> VariantsInput {
    serde_json::from_value(body).unwrap()
}

fn values(letter: &str, count: usize) -> Vec<Value> {
    let value = |n| json!({"value": format!("{letter}{n}")});
    (0..count).map(value).collect()
}

/// A product with `count` times 20 variants, for 5.00 each.
async fn many(app: &TestApp, count: usize) -> Product {
    let body = json!({
        "name": format!("Many {count}"), "combine": true,
        "options": [{"name": "A", "values": values("a", count)}, {"name": "B", "values": values("b", 20)}],
        "variants": [{"options": ["a0", "b0"], "price": "5.00", "weight_grams": 9, "stock": 4, "barcode": "4006381333931"}],
    });
    service::create_product(app, &app.system(), input(body))
        .await
        .unwrap()
}

/// A mug in oat and ink.
async fn mug(app: &TestApp) -> Product {
    let body = json!({
        "name": "Mug",
        "options": [{"name": "Colour", "values": [{"value": "Oat"}, {"value": "Ink"}, {"value": "Sage"}]}],
        "variants": [
            {"options": ["Oat"], "price": "24.00", "stock": 5, "sku": "OAT"},
            {"options": ["Ink"], "price": "28.00", "stock": 7, "sku": "INK"},
        ],
    });
    service::create_product(app, &app.system(), input(body))
        .await
        .unwrap()
}

async fn read(app: &TestApp, id: ProductId) -> Product {
    service::product(app, &app.system(), &ProductKey::Id(id))
        .await
        .unwrap()
}

async fn change(app: &TestApp, product: &Product, body: Value) -> Result<Product, Error> {
    let key = ProductKey::Id(product.id);
    service::update_variants(app, &app.system(), &key, Some(product.version), some(body)).await
}

fn skus(product: &Product) -> Vec<&str> {
    product
        .variants
        .iter()
        .map(|variant| variant.sku.as_str())
        .collect()
}

async fn admin(app: &TestApp) -> Browser {
    app.admin().await;
    let mut browser = app.browser();
    browser.sign_in("admin@example.com").await;
    browser
}

both! {
    async fn combinations_without_a_variant_get_one(app: TestApp) {
        let product = many(&app, 3).await;
        assert_eq!(product.variants.len(), 60);
        let (first, last) = (&product.variants[0], &product.variants[59]);
        assert_eq!((first.stock.on_hand, first.barcode.as_str()), (4, "4006381333931"));
        assert_eq!(last.options, ["a2", "b19"]);
        assert_eq!((last.price.amount().as_str(), last.weight_grams), ("5.00", 9));
        assert_eq!((last.stock.on_hand, last.barcode.as_str(), last.sku.as_str()), (0, "", "MANY-3-A2-B19"));
        // Once more makes nothing; a new value makes its twenty.
        let key = ProductKey::Id(product.id);
        let again = json!({"combine": true});
        let same = service::update_product(&app, &app.system(), &key, None, input(again)).await.unwrap();
        assert_eq!(same.variants, product.variants);
        let wider = json!({"combine": true, "options": [
            {"name": "A", "values": values("a", 4)}, {"name": "B", "values": values("b", 20)}]});
        let wider = service::update_product(&app, &app.system(), &key, None, input(wider)).await.unwrap();
        assert_eq!(wider.variants.len(), 80);
        assert_eq!(wider.variants[..60], product.variants[..]);
        let too_many = json!({"combine": true, "options": [
            {"name": "A", "values": values("a", 50)}, {"name": "B", "values": values("b", 21)}]});
        let refused = service::update_product(&app, &app.system(), &key, None, input(too_many)).await;
        assert!(matches!(refused, Err(Error::Invalid(errors)) if errors.of("variants").contains("1000")));
    }

    async fn a_value_with_a_new_name_takes_variants_and_pictures_along(app: TestApp) {
        let product = many(&app, 3).await;
        let key = ProductKey::Id(product.id);
        let picture = service::add_image(&app, &app.system(), &key, crate::admin::png(9, 9), "").await.unwrap();
        let shows = service::ImageInput { option_value: Some("a1".to_owned()), ..Default::default() };
        service::update_image(&app, &app.system(), &key, picture.id, None, shows).await.unwrap();
        let renamed = json!({"options": [
            {"name": "A", "values": [{"value": "a0"}, {"value": "Ink", "was": "a1"}, {"value": "a2"}]},
            {"name": "B", "values": values("b", 20)}]});
        let after = service::update_product(&app, &app.system(), &key, None, input(renamed)).await.unwrap();
        assert_eq!(after.variants[20].options, ["Ink", "b0"]);
        assert_eq!(after.variants[20].id, product.variants[20].id);
        assert_eq!(after.images[0].option_value, "Ink");
        // A value that variants still have cannot go.
        let without = json!({"options": [
            {"name": "A", "values": [{"value": "a0"}, {"value": "a2"}]}, {"name": "B", "values": values("b", 20)}]});
        let refused = service::update_product(&app, &app.system(), &key, None, input(without)).await;
        assert!(matches!(refused, Err(Error::Invalid(errors)) if !errors.of("variants").is_empty()));
        let unknown = service::ImageInput { option_value: Some("a1".to_owned()), ..Default::default() };
        let refused = service::update_image(&app, &app.system(), &key, picture.id, None, unknown).await;
        assert!(matches!(refused, Err(Error::Invalid(errors)) if errors.of("option_value").contains("a1")));
    }

    async fn some_variants_change_and_the_others_stay(app: TestApp) {
        let product = mug(&app).await;
        let (oat, ink) = (product.variants[0].id, product.variants[1].id);
        let after = change(&app, &product, json!({"variants": [
            {"options": ["Sage"], "price": "30", "stock": 2}, {"id": ink, "price": "29", "sku": "INK-2"},
        ]})).await.unwrap();
        assert_eq!(skus(&after), ["OAT", "INK-2", "MUG-SAGE"], "the order stays");
        assert_eq!(after.variants[0], product.variants[0]);
        assert_eq!((after.version, after.variants[2].stock.on_hand), (product.version + 1, 2));
        let card = app.api().get("/api/products").await.expect(200).json();
        assert_eq!(card["items"][0]["price"]["amount"], "24.00");
        let after = change(&app, &after, json!({"remove": [oat]})).await.unwrap();
        assert_eq!(skus(&after), ["INK-2", "MUG-SAGE"]);
        let card = app.api().get("/api/products").await.expect(200).json();
        assert_eq!(card["items"][0]["price"]["amount"], "29.00", "the list follows");
        // Each rule speaks at its field, and nothing is written.
        for (body, field) in [
            (json!({"variants": [{"id": ink, "price": "-1"}]}), "variants.0.price"),
            (json!({"variants": [{"id": ink, "stock": -1}]}), "variants.0.stock"),
            (json!({"variants": [{"id": oat}]}), "variants.0.id"),
            (json!({"variants": [{"id": ink}, {"id": ink}]}), "variants.1.id"),
            (json!({"variants": [{"options": ["Ink"], "price": "1"}]}), "variants.0.options"),
            (json!({"variants": [{"options": ["Red"], "price": "1"}]}), "variants.0.options"),
            (json!({"variants": [{"options": ["Oat"]}]}), "variants.0.price"),
            (json!({"variants": [{"id": ink, "sku": "MUG-SAGE"}]}), "variants.0.sku"),
            (json!({"remove": [ink, after.variants[1].id]}), "variants"),
        ] {
            match change(&app, &after, body.clone()).await {
                Err(Error::Invalid(errors)) => assert!(!errors.of(field).is_empty(), "{body}: {errors:?}"),
                other => panic!("{body}: {other:?}"),
            }
        }
        assert_eq!(read(&app, product.id).await, after);
        assert!(matches!(change(&app, &product, json!({})).await, Err(Error::Stale)));
        let guest = service::update_variants(&app, &app.guest(), &ProductKey::Id(product.id), None, some(json!({}))).await;
        assert!(matches!(guest, Err(Error::Unauthenticated)));
        // A simple product's one variant changes so, too.
        let plain = app.product("Plain", "5", 3).await;
        let after = change(&app, &plain, json!({"variants": [{"id": plain.variants[0].id, "price": "6"}]})).await.unwrap();
        assert_eq!((after.variants[0].price.amount().as_str(), after.variants[0].stock.on_hand), ("6.00", 3));
    }

    async fn the_api_keeps_variants(app: TestApp) {
        app.staff("staff@example.com", &[Permission::Catalog]).await;
        let product = mug(&app).await;
        let api = app.api().signed_in("staff@example.com").await;
        let path = format!("/api/products/{}/variants", product.id);
        let list = app.api().get(&path).await.expect(200);
        assert_eq!((list.header("etag"), &list.json()["total"]), ("\"v1\"".to_owned(), &json!(2)));
        let made = api.with("if-match", "\"v1\"").post(&path, json!({"options": ["Sage"], "price": "30"})).await.expect(201);
        let (id, sage) = (made.json()["id"].clone(), made.header("location"));
        assert_eq!((made.header("etag").as_str(), sage.clone()), ("\"v2\"", format!("{path}/{id}")));
        api.with("if-match", "\"v1\"").post(&path, json!({})).await.expect(412);
        let wrong = api.post(&path, json!({"options": ["Red"], "price": "x"})).await.expect(422).json();
        let fields: Vec<&Value> = wrong["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, ["options", "price"]);
        api.post(&path, json!({"id": id, "options": ["Sage"], "price": "30"})).await.expect(422);
        let changed = api.patch(&sage, json!({"price": "31", "stock": 4})).await.expect(200).json();
        assert_eq!((&changed["price"]["amount"], &changed["on_hand"]), (&json!("31.00"), &json!(4)));
        api.with("if-match", "\"v1\"").patch(&sage, json!({"price": "1"})).await.expect(412);
        api.patch(&sage, json!({"id": product.variants[0].id})).await.expect(422);
        api.patch(&sage, json!({"price": "-1"})).await.expect(422);
        let several = json!({"variants": [{"id": product.variants[0].id, "price": "25"}], "remove": [id]});
        let list = api.with("if-match", "\"v3\"").patch(&path, several).await.expect(200);
        assert_eq!((list.header("etag").as_str(), &list.json()["items"][0]["price"]["amount"]), ("\"v4\"", &json!("25.00")));
        api.with("if-match", "\"v3\"").patch(&path, json!({})).await.expect(412);
        api.patch(&path, json!({"variant": []})).await.expect(422);
        api.delete(&sage).await.expect(404);
        api.delete(&format!("{path}/x")).await.expect(404);
        let ink = format!("{path}/{}", product.variants[1].id);
        api.with("if-match", "\"v1\"").delete(&ink).await.expect(412);
        api.delete(&ink).await.expect(204);
        assert_eq!(skus(&read(&app, product.id).await), ["OAT"]);
        api.delete(&format!("{path}/{}", product.variants[0].id)).await.expect(422);
        app.customer("ada@example.com").await;
        let other = app.api().signed_in("ada@example.com").await;
        for (client, status) in [(app.api(), 401), (other, 403)] {
            client.post(&path, json!({})).await.expect(status);
            client.patch(&path, json!({})).await.expect(status);
            client.patch(&ink, json!({})).await.expect(status);
            client.delete(&ink).await.expect(status);
        }
        // What was never there is not there for anybody.
        api.patch("/api/products/none/variants", json!({})).await.expect(404);
    }

    async fn a_form_with_many_variants_posts_a_page_of_them(app: TestApp) {
        let product = many(&app, 50).await;
        assert_eq!(product.variants.len(), 1000);
        let mut browser = admin(&app).await;
        let form = browser.get(&catalog::urls::admin_product(product.id)).await.expect(200);
        assert!(form.attributes("[name^='variants.']", "name").is_empty());
        assert!(form.has("1000 variants have a page of their own"));
        let saved = browser.submit(&form, "#product", &[("summary", "New words")]).await.expect(200);
        assert!(saved.has("was saved"), "{}", saved.body);
        let after = read(&app, product.id).await;
        assert_eq!((after.summary.as_str(), &after.variants), ("New words", &product.variants));

        let path = catalog::urls::admin_variants(product.id);
        let first = browser.get(&path).await.expect(200);
        assert_eq!(first.attributes("[name$='.price'][name^='variants.']", "name").len(), 50);
        let last = browser.get(&format!("{path}?page=20")).await.expect(200);
        assert_eq!(last.texts("tbody th").last().unwrap(), "a49, b19");
        let page = browser.submit(&last, "#variants", &[("variants.49.price", "7.50"), ("variants.48.stock", "3")]).await.expect(200);
        assert!(page.has("The variants of this page were saved."), "{}", page.body);
        let after = read(&app, product.id).await;
        assert_eq!(after.variants[999].price.amount(), "7.50");
        assert_eq!(after.variants[998].stock.on_hand, 3);
        assert_eq!(after.variants[..998], product.variants[..998]);
        // All that match a search get the same.
        let found = browser.get(&format!("{path}?search=A7")).await.expect(200);
        assert!(found.has("20 variants"));
        let fill = [("do", "fill"), ("fill.price", "6"), ("fill.stock", "11"), ("fill.weight_grams", "70"), ("fill.compare_at_price", "8")];
        browser.submit(&found, "#variants", &fill).await.expect(200);
        let after = read(&app, product.id).await;
        let filled = |one: &Variant| one.price.amount() == "6.00" && one.stock.on_hand == 11 && one.weight_grams == 70
            && one.compare_at.is_some_and(|before| before.amount() == "8.00");
        let names: Vec<&str> = after.variants.iter().filter(|one| filled(one)).map(|one| one.options[0].as_str()).collect();
        assert_eq!(names, ["a7"; 20]);
        let wrong = browser.submit(&found, "#variants", &[("do", "fill"), ("version", &after.version.to_string()), ("fill.price", "x")]).await.expect(422);
        assert!(!wrong.text("[id='e-fill.price']").is_empty());
        assert_eq!(wrong.attributes("[name='fill.price']", "value"), ["x"]);
        // Those on other pages, too.
        let all = browser.get(&path).await.expect(200);
        browser.submit(&all, "#variants", &[("do", "fill"), ("fill.price", "9")]).await.expect(200);
        assert!(read(&app, product.id).await.variants.iter().all(|one| one.price.amount() == "9.00"));
    }

    async fn a_new_product_with_many_combinations_is_made_by_saving(app: TestApp) {
        let mut browser = admin(&app).await;
        let mut typed = vec![("do".to_owned(), "variants".to_owned()), ("name".to_owned(), "Shirt".to_owned()),
            ("variants.0.price".to_owned(), "5.00".to_owned()), ("variants.0.stock".to_owned(), "2".to_owned()),
            ("variants.0.active".to_owned(), "on".to_owned()), ("status".to_owned(), "active".to_owned())];
        for (option, name, count) in [(0, "A", 6), (1, "B", 10)] {
            typed.push((format!("options.{option}.name"), name.to_owned()));
            for n in 0..count {
                typed.push((format!("options.{option}.values.{n}.value"), format!("{name}{n}")));
            }
        }
        let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = browser.post_only("/admin/products/new", &typed).await.expect(200);
        assert!(page.has("Saving also makes a variant of each combination"));
        let rows = page.attributes("[name^='variants.'][name$='.options.0']", "value");
        assert_eq!(rows, ["A0", ""], "sixty rows would be too many");
        let page = browser.submit(&page, "#product", &[]).await.expect(200);
        assert!(page.has("60 variants have a page of their own"), "{}", page.body);
        let product = service::product(&app, &app.system(), &ProductKey::Slug("shirt".to_owned())).await.unwrap();
        assert_eq!((product.variants.len(), product.variants[0].stock.on_hand), (60, 2));
        // With so many already, the form makes what is missing by a tick.
        let typed = [("options.0.values.6.value", "A6"), ("combine", "on")];
        browser.submit(&page, "#product", &typed).await.expect(200);
        assert_eq!(read(&app, product.id).await.variants.len(), 70);
        // Somebody else's change is told without the variants.
        let page = browser.submit(&page, "#product", &[("name", "Blouse")]).await.expect(409);
        assert!(crate::admin::compared(&page).contains(&"Name | Shirt | Blouse".to_owned()));
    }

    async fn a_page_of_variants_adds_removes_and_tells_mistakes(app: TestApp) {
        let product = mug(&app).await;
        let mut browser = admin(&app).await;
        let path = catalog::urls::admin_variants(product.id);
        let form = browser.get(&path).await.expect(200);
        assert!(form.has("1 combination of the options without one"));
        let wrong = browser.submit(&form, "#variants", &[("variants.0.price", "x"), ("add.options.0", "Ink"), ("add.stock", "2")]).await.expect(422);
        assert!(!wrong.text("[id='e-variants.0.price']").is_empty());
        assert!(!wrong.text("[id='e-add.price']").is_empty());
        assert!(wrong.text("[id='e-add.options']").contains("same options"));
        assert_eq!(wrong.attributes("[name='variants.0.price']", "value"), ["x"]);
        assert_eq!(wrong.attributes("[name='add.stock']", "value"), ["2"]);
        let page = browser.submit(&wrong, "#variants", &[("variants.0.price", "20"), ("add.options.0", "Sage"), ("add.price", "30"), ("variants.1.remove", "on")]).await.expect(200);
        assert!(page.has("were saved"), "{}", page.body);
        let after = read(&app, product.id).await;
        assert_eq!(skus(&after), ["OAT", "MUG-SAGE"]);
        assert_eq!((after.variants[0].price.amount().as_str(), after.variants[1].stock.on_hand), ("20.00", 2));
        let page = browser.submit(&page, "#variants", &[("do", "combine")]).await.expect(200);
        assert!(page.has("1 variant was made."), "{}", page.body);
        assert_eq!(skus(&read(&app, product.id).await), ["OAT", "MUG-SAGE", "MUG-INK"]);
        let nothing = browser.get(&format!("{path}?search=zzz&page=x")).await.expect(200);
        assert!(nothing.has("No variant is like that."));
        // The one variant of a product without options can be changed here, too.
        let plain = app.product("Plain", "5", 3).await;
        let form = browser.get(&catalog::urls::admin_variants(plain.id)).await.expect(200);
        assert_eq!(form.texts("tbody th"), ["Plain"]);
        browser.submit(&form, "#variants", &[("variants.0.stock", "8")]).await.expect(200);
        assert_eq!(read(&app, plain.id).await.variants[0].stock.on_hand, 8);
        let odd = [("version", "x"), ("add.options.9", "1"), ("add.options.x", "1"), ("fill.nothing", "1"), ("do", "odd")];
        browser.post_only(&path, &odd).await.expect(409);
    }

    async fn somebody_elses_change_of_variants_is_shown(app: TestApp) {
        let product = mug(&app).await;
        let mut browser = admin(&app).await;
        let form = browser.get(&catalog::urls::admin_variants(product.id)).await.expect(200);
        let theirs = json!({"variants": [{"id": product.variants[0].id, "price": "26"}], "remove": [product.variants[1].id]});
        let theirs = change(&app, &product, theirs).await.unwrap();
        let page = browser.submit(&form, "#variants", &[("variants.0.price", "27.00"), ("variants.1.price", "1")]).await.expect(409);
        let rows = crate::admin::compared(&page);
        assert!(rows.contains(&"Price, Oat | 26.00 | 27.00".to_owned()), "{rows:?}");
        assert!(rows.contains(&"INK | removed | INK".to_owned()), "{rows:?}");
        assert_eq!(page.attributes("[name='variants.0.price']", "value"), ["27.00"]);
        assert_eq!(read(&app, product.id).await, theirs);
        browser.submit(&page, "#variants", &[]).await.expect(200);
        assert_eq!(read(&app, product.id).await.variants[0].price.amount(), "27.00");
    }

    async fn a_thousand_variants_take_as_many_statements_as_twenty(app: TestApp) {
        let mut counts = Vec::new();
        for count in [1, 50] {
            let product = many(&app, count).await;
            assert_eq!(product.variants.len(), 20 * count);
            let key = ProductKey::Id(product.id);
            let ctx = app.system();
            let all: Vec<Value> = product.variants.iter().map(|one| json!({"id": one.id, "price": "2", "stock": 3})).collect();
            let all = some(json!({"variants": all}));
            let (_, saved) = count_statements(service::update_variants(&app, &ctx, &key, None, all)).await;
            let words = input(json!({"summary": "New"}));
            let (_, form) = count_statements(service::update_product(&app, &ctx, &key, None, words)).await;
            let (page, shown) = count_statements(app.api().get(&format!("/products/{}", product.slug))).await;
            page.expect(200);
            let (list, listed) = count_statements(app.api().get("/products")).await;
            list.expect(200);
            counts.push((saved, form, shown, listed));
        }
        assert_eq!(counts[0], counts[1]);
    }
}
