//! Shipping: which ways are offered where and for how much, and how staff keep them.

use serde_json::{Value, json};
use zoco::catalog::ProductKey;
use zoco::catalog::service::{ProductInput, VariantInput, update_product};
use zoco::checkout::service::{AddressInput, PlaceOrder, place_order};
use zoco::ctx::Permission;
use zoco::db::Tx;
use zoco::error::Error;
use zoco::orders::Address;
use zoco::shipping::service::{self, MethodInput, StepInput, ZoneInput};
use zoco::shipping::{MethodKind, ShippingMethod, store};
use zoco::types::{Money, MoneyInput, ShippingMethodId};

use crate::cart::{guest_with, variant};
use crate::checkout::{body, orders, wish};
use crate::support::{Api, Browser, TestApp, both};
use crate::taxes::{class, rate};

/// A flat rate in the zone that serves any country.
pub async fn flat(tx: &mut Tx, code: &str, name: &str, description: &str, price: Money) {
    let zones = store::zones(tx).await.unwrap();
    let everywhere = zones.iter().find(|zone| zone.countries.is_empty()).unwrap();
    let method = ShippingMethod {
        id: ShippingMethodId(0),
        zone_id: everywhere.id,
        code: code.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        kind: MethodKind::Flat,
        price,
        steps: Vec::new(),
        free_over: None,
        pickup_location: String::new(),
        active: true,
        position: 1,
        version: 1,
    };
    store::insert_method(tx, &method).await.unwrap();
}

/// A zone of one country, with a method in it; gives the method's code.
async fn zone(
    app: &TestApp,
    name: &str,
    country: &str,
    codes: &[&str],
    input: MethodInput,
) -> String {
    let zone = ZoneInput {
        name: Some(name.to_owned()),
        countries: Some(vec![country.to_owned()]),
        postal_codes: Some(codes.iter().map(|&code| code.to_owned()).collect()),
        position: None,
    };
    let zone = service::create_zone(app, &app.system(), zone)
        .await
        .unwrap();
    let method = service::create_method(app, &app.system(), zone.id, input).await;
    method.unwrap().code
}

/// A method in a zone of New Zealand; gives its code.
pub async fn method(app: &TestApp, name: &str, input: MethodInput) -> String {
    zone(app, name, "NZ", &[], input).await
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn costs(name: &str, price: &str) -> MethodInput {
    MethodInput {
        name: text(name),
        price: Some(MoneyInput::new(price)),
        ..MethodInput::default()
    }
}

fn pickup() -> MethodInput {
    MethodInput {
        kind: text("pickup"),
        pickup_location: text("Calle del Taller 4, Madrid, 10 to 18"),
        ..costs("Pickup", "0")
    }
}

fn by_weight(name: &str, steps: &[(i64, &str)]) -> MethodInput {
    let step = |&(grams, price): &(i64, &str)| StepInput {
        from_grams: Some(grams),
        from_total: None,
        price: Some(MoneyInput::new(price)),
    };
    MethodInput {
        name: text(name),
        kind: text("by_weight"),
        steps: Some(steps.iter().map(step).collect()),
        ..MethodInput::default()
    }
}

/// What one of a simple product weighs.
async fn weigh(app: &TestApp, product: &zoco::catalog::Product, grams: i64) {
    let input = ProductInput {
        variants: Some(vec![VariantInput {
            id: Some(variant(product)),
            weight_grams: Some(grams),
            ..VariantInput::default()
        }]),
        ..ProductInput::default()
    };
    let key = ProductKey::Id(product.id);
    update_product(app, &app.system(), &key, None, input)
        .await
        .unwrap();
}

/// A guest of the API with so many of a product in the cart.
async fn client(app: &TestApp, product: &zoco::catalog::Product, quantity: i64) -> Api {
    let body = json!({"product_id": product.id, "quantity": quantity});
    let cart = app.api().post("/api/cart/items", body).await.expect(200);
    app.api().with("cart-token", &cart.header("cart-token"))
}

/// Code and price of what is offered.
async fn offered(api: &Api, query: &str) -> Vec<(String, String)> {
    let path = format!("/api/shipping/methods{query}");
    let list = api.get(&path).await.expect(200).json();
    let items = list["items"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    items
        .map(|item| (word(&item["code"]), word(&item["price"]["amount"])))
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(code, price): &(&str, &str)| ((*code).to_owned(), (*price).to_owned());
    list.iter().map(owned).collect()
}

/// A browser with so many of a product in its cart.
async fn visitor(app: &TestApp, product: &zoco::catalog::Product, quantity: i64) -> Browser {
    let mut browser = app.browser();
    let fields = [
        ("product_id", product.id.to_string()),
        ("quantity", quantity.to_string()),
    ];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post("/cart/items", &fields).await.expect(200);
    browser
}

both! {
    async fn the_first_zone_that_serves_a_destination_counts(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        zone(&app, "Islands", "ES", &["07*", "35000-35999"], costs("Boat", "12.00")).await;
        zone(&app, "Home", "Spain", &[], costs("Van", "3.00")).await;
        zone(&app, "Portugal", "PT", &[], costs("Bus", "6.00")).await;
        let api = client(&app, &mug, 1).await;
        for (query, code, price) in [
            ("", "van", "3.00"),
            ("?country=ES", "van", "3.00"),
            ("?country=ES&postal_code=28013", "van", "3.00"),
            ("?country=ES&postal_code=07%20001", "boat", "12.00"),
            ("?country=ES&postal_code=35010", "boat", "12.00"),
            ("?country=PT&postal_code=35010", "bus", "6.00"),
            ("?country=JP", "standard", "4.90"),
        ] {
            assert_eq!(offered(&api, query).await, pairs(&[(code, price)]), "{query}");
        }
        // Nobody needs a cart to ask; a price needs one.
        assert_eq!(offered(&app.api(), "?country=PT").await, pairs(&[("bus", "-")]));
        app.api().get("/api/shipping/methods?country=XX").await.expect(422);
        app.api().get("/api/shipping/methods?land=ES").await.expect(400);
        // The same order costs what was said, and no method serves where it is not offered.
        let quote = api.get("/api/cart/quote?country=PT").await.expect(200).json();
        assert_eq!(quote["shipping"]["amount"], "6.00");
        let refused = api.get("/api/cart/quote?country=PT&shipping_method=van").await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "shipping_method");
        let mut order = body();
        order["shipping_method"] = json!("bus");
        let refused = api.post("/api/orders", order.clone()).await.expect(422).json();
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("shipping_method"), &json!("unknown")));
        order["shipping_address"]["country"] = json!("PT");
        let placed = api.post("/api/orders", order).await.expect(201).json();
        assert_eq!((&placed["shipping"]["amount"], &placed["total"]["amount"]), (&json!("6.00"), &json!("30.00")));
        app.run_jobs().await;
    }

    async fn prices_go_by_weight_by_total_and_are_free_over_some_sum(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        weigh(&app, &mug, 400).await;
        let heavy = MethodInput {
            free_over: Some(MoneyInput::new("200")),
            ..by_weight("Parcel", &[(1000, "7.00"), (0, "5.00"), (2000, "9.00")])
        };
        zone(&app, "Home", "ES", &[], heavy).await;
        let step = |total: &str, price: &str| StepInput {
            from_grams: None,
            from_total: Some(MoneyInput::new(total)),
            price: Some(MoneyInput::new(price)),
        };
        let by_total = MethodInput {
            name: text("Share"),
            kind: text("by_total"),
            steps: Some(vec![step("0", "8.00"), step("48.00", "4.00"), step("100", "0")]),
            ..MethodInput::default()
        };
        zone(&app, "France", "FR", &[], by_total).await;
        for (quantity, spain, france) in [(1, "5.00", "8.00"), (2, "5.00", "4.00"), (3, "7.00", "4.00"), (5, "9.00", "0.00"), (9, "0.00", "0.00")] {
            let api = client(&app, &mug, quantity).await;
            assert_eq!(offered(&api, "?country=ES").await, pairs(&[("parcel", spain)]), "{quantity}");
            assert_eq!(offered(&api, "?country=FR").await, pairs(&[("share", france)]), "{quantity}");
        }
        // The product's page tells the least, the checkout what it is.
        assert!(app.browser().get("/products/everyday-mug").await.expect(200).has("from 5.00"));
        let page = visitor(&app, &mug, 3).await.get("/checkout").await.expect(200);
        assert_eq!(page.texts("#delivery .pick .price"), ["7.00 €"]);
    }

    async fn a_pickup_needs_no_address_but_a_name(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        rate(&app, "standard", "PT", "", "6").await;
        let home = service::zones(&app, &app.system()).await.unwrap()[0].0.id;
        service::create_method(&app, &app.system(), home, pickup()).await.unwrap();
        // By the page: update, then the name alone.
        let mut browser = visitor(&app, &mug, 1).await;
        let page = browser.get("/checkout").await.expect(200);
        assert_eq!(page.texts("#needed li"), ["Your e-mail address", "The delivery address"]);
        let typed = [("email", "ada@example.com"), ("shipping_address.name", ""), ("shipping_method", "pickup"), ("action!", "update")];
        let page = browser.submit(&page, "#checkout", &typed).await.expect(200);
        assert_eq!(page.texts("#needed li"), ["The name of who comes for it"]);
        assert!(page.has("Calle del Taller 4") && page.has("your name is enough"));
        assert!(page.attributes("[name='shipping_address.line1']", "required").is_empty());
        let again = browser.submit(&page, "#checkout", &[]).await.expect(422);
        assert_eq!(again.attributes("#errors a", "href"), ["#f-shipping_address.name"]);
        let thanks = browser.submit(&again, "#checkout", &[("shipping_address.name", "Ada Lovelace")]).await.expect(200);
        assert!(thanks.has("Ada Lovelace<br>Pickup: Calle del Taller 4, Madrid, 10 to 18"));
        // By the API, with an address that is good for the bill, taxed where the shop is.
        let api = client(&app, &mug, 1).await;
        let mut order = body();
        order["shipping_method"] = json!("pickup");
        order["shipping_address"]["country"] = json!("PT");
        let placed = api.post("/api/orders", order).await.expect(201).json();
        assert_eq!(placed["total"]["amount"], "24.00");
        assert_eq!(placed["tax"]["amount"], "4.17", "21 %, not 6 %");
        assert_eq!(placed["shipping_address"], "Ada Lovelace\nPickup: Calle del Taller 4, Madrid, 10 to 18");
        assert_eq!(placed["billing_address"]["country"], "PT");
        // Without any name somebody must be asked; an account has one.
        let api = client(&app, &mug, 1).await;
        let order = json!({"email": "ada@example.com", "shipping_method": "pickup"});
        let refused = api.post("/api/orders", order).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "shipping_address");
        let ada = app.customer("ada@example.com").await;
        zoco::cart::service::add_item(&app, &ada, crate::cart::some(&mug, 1)).await.unwrap();
        let input = PlaceOrder { shipping_method: text("pickup"), ..PlaceOrder::default() };
        let placed = place_order(&app, &ada, None, input).await.unwrap().order;
        assert_eq!(placed.shipping_address.addressee(), "ada");
        app.run_jobs().await;
    }

    async fn where_nothing_is_offered_nothing_is_ordered(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let all = service::zones(&app, &app.system()).await.unwrap();
        service::delete_zone(&app, &app.system(), all[0].0.id, None).await.unwrap();
        let mut browser = visitor(&app, &mug, 1).await;
        let page = browser.get("/checkout").await.expect(200);
        assert!(page.text("#delivery").contains("We do not deliver to Spain."));
        let ctx = guest_with(&app, &mug, 1).await;
        let refused = place_order(&app, &ctx, ctx.cart_token.as_deref(), wish()).await;
        let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!(errors.of("shipping_method"), "We do not deliver to 28013, Spain.");
        assert_eq!(orders(&app).await, 0);
        // What is not sent is sold everywhere.
        let input = ProductInput {
            name: text("Pattern"),
            price: Some(MoneyInput::new("25.00")),
            stock: Some(9),
            digital: Some(true),
            ..ProductInput::default()
        };
        let pattern = zoco::catalog::service::create_product(&app, &app.system(), input).await.unwrap();
        let (_, order) = crate::checkout::guest_order(&app, &pattern, 1).await;
        assert_eq!((order.total.minor(), order.shipping_method_name.as_str()), (2500, "Nothing to send"));
        app.run_jobs().await;
    }

    async fn the_address_decides_on_ways_to_ship_and_on_tax(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        class(&app, "reduced").await;
        rate(&app, "standard", "FR", "", "20").await;
        rate(&app, "standard", "CA", "QC, Quebec", "15").await;
        rate(&app, "reduced", "", "", "5").await;
        zone(&app, "Home", "ES", &[], costs("Van", "3.00")).await;
        let mut browser = visitor(&app, &mug, 1).await;
        assert!(browser.get("/cart").await.expect(200).has("as for Spain"));
        let page = browser.get("/checkout").await.expect(200);
        assert!(page.text("#estimate").contains("as for Spain"));
        assert_eq!(page.attributes("select option[selected]", "value"), ["ES"]);
        assert_eq!(page.texts("#delivery .pick b"), ["Van"]);
        // The country changes; what was chosen is not offered there.
        let typed = [("shipping_address.country", "FR"), ("shipping_method", "van"), ("action!", "update")];
        let page = browser.submit(&page, "#checkout", &typed).await.expect(200);
        assert_eq!(page.texts("#delivery .pick b"), ["Standard delivery"]);
        assert!(page.text("#delivery").contains("What you chose is not offered there. Now it is Standard delivery."));
        assert!(page.text("#summary").contains("20 % VAT"));
        let filled = [
            ("email", "ada@example.com"),
            ("shipping_address.name", "Ada"),
            ("shipping_address.line1", "1 rue Mercière"),
            ("shipping_address.postal_code", "69002"),
            ("shipping_address.city", "Lyon"),
        ];
        // Somebody goes on with the old choice, as a tab that is behind would.
        let stale = [filled.as_slice(), &[("shipping_method", "van")]].concat();
        let refused = browser.submit(&page, "#checkout", &stale).await.expect(422);
        assert_eq!(refused.attributes("#errors a", "href"), ["#f-shipping_method"]);
        let thanks = browser.submit(&refused, "#checkout", &[]).await.expect(200);
        assert!(thanks.has("Thank you for your order"));
        // A region has a rate of its own, and shipping is taxed as its class says.
        let ctx = guest_with(&app, &mug, 1).await;
        let mut input = wish();
        if let Some(AddressInput::Fields(fields)) = &mut input.shipping_address {
            fields.country = "CA".to_owned();
            fields.region = "quebec".to_owned();
        }
        let order = place_order(&app, &ctx, ctx.cart_token.as_deref(), input).await.unwrap().order;
        assert_eq!(order.lines[0].tax.amount(), "3.13", "15 % within 24.00");
        assert_eq!(order.total.amount(), "28.90");
        let changed = zoco::taxes::service::TaxClassInput { for_shipping: Some(true), ..Default::default() };
        zoco::taxes::service::update_class(&app, &app.system(), "reduced", None, changed).await.unwrap();
        crate::taxes::tax_as(&app, &mug, "reduced").await;
        let ctx = guest_with(&app, &mug, 1).await;
        let input = PlaceOrder { shipping_address: Some(AddressInput::Text("Somewhere else".to_owned())), ..wish() };
        let order = place_order(&app, &ctx, ctx.cart_token.as_deref(), input).await.unwrap().order;
        assert!(matches!(order.shipping_address, Address::Text(_)));
        assert_eq!(order.shipping_method, "van", "a free text goes as if at home");
        assert_eq!(order.tax.amount(), "1.28", "5 % within 24.00 and 3.00: 1.14 and 0.14");
        app.run_jobs().await;
    }

    async fn a_page_that_is_behind_shows_what_changed(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let mut browser = visitor(&app, &mug, 2).await;
        let page = browser.get("/checkout").await.expect(200);
        crate::cart::reprice(&app, &mug, "25.00").await;
        let changed = MethodInput { price: Some(MoneyInput::new("5.90")), ..MethodInput::default() };
        service::update_method(&app, &app.system(), "standard", None, changed).await.unwrap();
        let filled = [
            ("email", "ada@example.com"),
            ("shipping_address.name", "Ada"),
            ("shipping_address.line1", "Calle Mayor 1"),
            ("shipping_address.postal_code", "28013"),
            ("shipping_address.city", "Madrid"),
        ];
        let refused = browser.submit(&page, "#checkout", &filled).await.expect(409);
        assert_eq!(refused.texts(".changes dt"), ["Everyday mug", "Delivery", "Tax", "Total"]);
        assert_eq!(refused.texts(".changes dd s")[3], "Was 52.90 €");
        assert_eq!(refused.texts(".changes dd strong")[3], "Now 55.90 €");
        assert_eq!(refused.texts("#summary .item.changed strong"), ["Everyday mug"]);
        assert_eq!(orders(&app).await, 0);
        // Asking again the same way is refused again; the new total is confirmed by the new page.
        browser.submit(&page, "#checkout", &filled).await.expect(409);
        let thanks = browser.submit(&refused, "#checkout", &[]).await.expect(200);
        assert!(thanks.has("55.90"));
        app.run_jobs().await;
    }

    async fn staff_keep_zones_and_methods_on_pages_and_over_the_api(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/shipping").await.expect(200);
        assert!(page.has("Everywhere") && page.has("The rest of the world") && page.has("Standard delivery"));
        // Each face makes a zone, and both see both.
        let form = browser.post("/admin/shipping", &[("name", "Home"), ("countries", "Spain, pt"), ("postal_codes", "28*\n1000-1999")]).await.expect(200);
        assert!(form.path.ends_with("/methods/new"), "{}", form.path);
        let made = api.post("/api/shipping/zones", json!({"name": "France", "countries": ["FR"]})).await.expect(201);
        let zones = api.get("/api/shipping/zones").await.expect(200).json();
        let names: Vec<&Value> = zones["items"].as_array().unwrap().iter().map(|zone| &zone["name"]).collect();
        assert_eq!(names, ["Home", "France", "Everywhere"]);
        assert_eq!(zones["items"][0]["countries"], json!(["ES", "PT"]));
        assert_eq!(zones["items"][0]["postal_codes"], json!(["28*", "1000-1999"]));
        let page = browser.get("/admin/shipping").await.expect(200);
        assert!(page.has("Spain, Portugal: 28*, 1000-1999") && page.has("No way to ship"));
        for (field, name, countries, codes, position) in [
            ("name", "", "ES", "", "1"),
            ("name", "france", "ES", "", "1"),
            ("countries", "X", "Atlantis", "", "1"),
            ("postal_codes", "X", "ES", "2000-1000", "1"),
            ("postal_codes", "X", "", "10*", "1"),
            ("position", "X", "ES", "", "-4"),
        ] {
            let typed = [("name", name), ("countries", countries), ("postal_codes", codes), ("position", position)];
            let refused = browser.post("/admin/shipping", &typed).await.expect(422);
            assert!(refused.has(&format!("href=\"#f-{field}\"")), "{field}");
            let list = |text: &str| if text.is_empty() { json!([]) } else { json!([text]) };
            let body = json!({"name": name, "countries": list(countries), "postal_codes": list(codes), "position": position.parse::<i64>().unwrap()});
            let refused = api.post("/api/shipping/zones", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field);
        }
        // Methods: steps are rows of the form.
        let blank = browser.get(&form.path).await.expect(200);
        let typed = [("name", "Parcel"), ("kind", "by_weight"), ("steps.0.from", "2000"), ("steps.0.price", "9"), ("steps.2.from", "0"), ("steps.2.price", "5,00")];
        let refused = browser.submit(&blank, "#method", &typed).await.expect(422);
        assert!(refused.has("steps.1.price"), "the comma");
        let typed = [("steps.1.price", "5.00"), ("free_over", "90")];
        let page = browser.submit(&refused, "#method", &typed).await.expect(200);
        assert!(page.has("from 5.00") && page.has("90.00"));
        let parcel = api.get("/api/shipping/methods/parcel").await.expect(200);
        assert_eq!(parcel.json()["steps"], json!([
            {"from_grams": 0, "from_total": null, "price": {"amount": "5.00", "currency": "EUR"}},
            {"from_grams": 2000, "from_total": null, "price": {"amount": "9.00", "currency": "EUR"}},
        ]));
        let methods = format!("/api/shipping/zones/{}/methods", made.json()["id"]);
        for (field, body) in [
            ("name", json!({"price": "1"})),
            ("price", json!({"name": "X"})),
            ("price", json!({"name": "X", "price": "-1"})),
            ("kind", json!({"name": "X", "kind": "owl"})),
            ("code", json!({"name": "X", "price": "1", "code": "standard"})),
            ("code", json!({"name": "X", "price": "1", "code": "No code"})),
            ("pickup_location", json!({"name": "X", "kind": "pickup"})),
            ("steps", json!({"name": "X", "kind": "by_total"})),
            ("steps.1.from", json!({"name": "X", "kind": "by_total", "steps": [{"price": "1"}, {"price": "2"}]})),
            ("steps.0.from", json!({"name": "X", "kind": "by_weight", "steps": [{"from_grams": -1, "price": "1"}]})),
            ("steps.0.price", json!({"name": "X", "kind": "by_weight", "steps": [{"from_grams": 1}]})),
            ("free_over", json!({"name": "X", "price": "1", "free_over": "x"})),
            ("position", json!({"name": "X", "price": "1", "position": -1})),
        ] {
            let refused = api.post(&methods, body.clone()).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        api.post("/api/shipping/zones/999/methods", json!({"name": "X", "price": "1"})).await.expect(404);
        let twin = api.post(&methods, json!({"name": "Parcel", "price": "1"})).await.expect(201);
        assert_eq!(twin.json()["code"], "parcel-2");
        // Changing: grams do not become totals by saying that they are.
        let path = "/api/shipping/methods/parcel";
        let refused = api.patch(path, json!({"kind": "by_total"})).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "steps");
        // An old version is refused with what was typed.
        let stale = api.with("if-match", "\"9\"");
        stale.patch(path, json!({"name": "Van"})).await.expect(412);
        stale.delete(path).await.expect(412);
        let fresh = api.with("if-match", &parcel.header("etag"));
        let changed = fresh.patch(path, json!({"active": false, "free_over": "0"})).await.expect(200).json();
        assert_eq!((&changed["active"], &changed["free_over"], &changed["version"]), (&json!(false), &Value::Null, &json!(2)));
        api.patch(path, json!({"code": "van"})).await.expect(422);
        let form = browser.get("/admin/shipping/methods/parcel").await.expect(200);
        assert_eq!(form.attributes("[name='steps.1.from']", "value"), ["2000"]);
        let conflict = browser.submit(&form, "#method", &[("version", "1"), ("name", "Van")]).await.expect(409);
        assert!(conflict.has("Somebody else changed this") && conflict.has("value=\"Van\""));
        assert!(browser.submit(&conflict, "#method", &[]).await.expect(200).has("Van was saved."));
        let opened = browser.get("/admin/shipping/methods/standard").await.expect(200);
        browser.submit(&opened, "#method", &[("price", "")]).await.expect(422);
        let zone = format!("/admin/shipping/{}", made.json()["id"]);
        let opened = browser.get(&zone).await.expect(200);
        assert!(opened.has("value=\"France\""));
        assert!(browser.submit(&opened, "main form", &[("name", "Francia")]).await.expect(200).has("Francia"));
        browser.submit(&opened, "main form", &[("name", "Other")]).await.expect(409);
        let again = browser.get(&zone).await.expect(200);
        browser.submit(&again, "main form", &[("name", "")]).await.expect(422);
        // Deleting.
        assert!(browser.post("/admin/shipping/methods/parcel/delete", &[("version", "1")]).await.expect(200).has("Look again"));
        browser.post("/admin/shipping/methods/parcel/delete", &[("version", "3")]).await.expect(200);
        api.get(path).await.expect(404);
        assert!(browser.post(&format!("{zone}/delete"), &[("version", "1")]).await.expect(200).has("Look again"));
        browser.post(&format!("{zone}/delete"), &[("version", "2")]).await.expect(200);
        browser.get(&zone).await.expect(404);
        api.get("/api/shipping/methods/parcel-2").await.expect(404);
        api.delete("/api/shipping/zones/1").await.expect(204);
    }

    async fn only_staff_of_the_settings_keep_shipping(app: TestApp) {
        app.staff("orders@example.com", &[Permission::Orders]).await;
        let mut browser = app.browser();
        browser.sign_in("orders@example.com").await;
        browser.get("/admin/shipping").await.expect(403);
        let api = app.api().signed_in("orders@example.com").await;
        api.get("/api/shipping/zones").await.expect(403);
        api.post("/api/shipping/zones", json!({"name": "X"})).await.expect(403);
    }
}
