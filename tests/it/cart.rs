//! The cart: filling it by page and API, what it tells of changes, merging at sign-in, whose it is.

use serde_json::{Value, json};
use zoco::cart::service::{self, AddItem};
use zoco::cart::{Cart, CartNotice};
use zoco::catalog::service::{OptionInput, OptionValueInput, ProductInput, VariantInput};
use zoco::catalog::{Product, ProductKey};
use zoco::ctx::Ctx;
use zoco::error::Error;
use zoco::types::{CartItemId, MoneyInput, VariantId};

use crate::support::{Api, Browser, TestApp, both};

/// Changes a product as staff would.
pub async fn change(app: &TestApp, product: &Product, input: ProductInput) {
    let key = ProductKey::Id(product.id);
    zoco::catalog::service::update_product(app, &app.system(), &key, None, input)
        .await
        .unwrap();
}

/// Gives a simple product another price.
pub async fn reprice(app: &TestApp, product: &Product, price: &str) {
    let input = ProductInput {
        price: Some(MoneyInput::new(price)),
        ..ProductInput::default()
    };
    change(app, product, input).await;
}

/// Gives a simple product another stock.
pub async fn restock(app: &TestApp, product: &Product, stock: i64) {
    let input = ProductInput {
        stock: Some(stock),
        ..ProductInput::default()
    };
    change(app, product, input).await;
}

/// A mug in two colours: three in oat for 24.00, nine in sage for 26.00.
pub async fn mug_in_two_colours(app: &TestApp) -> Product {
    let value = |value: &str| OptionValueInput {
        value: value.to_owned(),
        swatch: None,
        was: None,
    };
    let variant = |colour: &str, price: &str, stock| VariantInput {
        options: vec![colour.to_owned()],
        price: Some(MoneyInput::new(price)),
        stock: Some(stock),
        ..VariantInput::default()
    };
    let input = ProductInput {
        name: Some("Everyday mug".to_owned()),
        options: Some(vec![OptionInput {
            name: "Colour".to_owned(),
            values: vec![value("Oat"), value("Sage")],
        }]),
        variants: Some(vec![
            variant("Oat", "24.00", 3),
            variant("Sage", "26.00", 9),
        ]),
        ..ProductInput::default()
    };
    zoco::catalog::service::create_product(app, &app.system(), input)
        .await
        .unwrap()
}

/// The only variant of a simple product.
pub fn variant(product: &Product) -> VariantId {
    product.variants[0].id
}

/// What to add, by variant.
pub fn some(product: &Product, quantity: i64) -> AddItem {
    AddItem {
        variant_id: Some(variant(product)),
        quantity: Some(quantity),
        ..AddItem::default()
    }
}

/// A guest with a cart of their own that holds so many of a product.
pub async fn guest_with(app: &TestApp, product: &Product, quantity: i64) -> Ctx {
    let cart = service::add_item(app, &app.guest(), some(product, quantity))
        .await
        .unwrap();
    holder(app, &cart)
}

/// A guest who has this cart's token.
fn holder(app: &TestApp, cart: &Cart) -> Ctx {
    Ctx {
        cart_token: Some(cart.token.clone()),
        ..app.guest()
    }
}

/// What is the same in two carts that went the same way.
fn essence(cart: &Cart) -> Vec<(VariantId, i64, String)> {
    let items = cart.items.iter();
    items
        .map(|item| (item.variant_id, item.quantity, item.subtotal.to_string()))
        .collect()
}

/// A browser and an API client, each with the account of the same name.
async fn both_faces(app: &TestApp) -> ((Ctx, Browser), (Ctx, Api)) {
    let by_page = app.customer("page@example.com").await;
    let mut browser = app.browser();
    browser.sign_in("page@example.com").await;
    let by_api = app.customer("api@example.com").await;
    let api = app.api().signed_in("api@example.com").await;
    ((by_page, browser), (by_api, api))
}

async fn same_effect(app: &TestApp, left: &Ctx, right: &Ctx) -> Cart {
    let left = service::current(app, left).await.unwrap();
    let right = service::current(app, right).await.unwrap();
    assert_eq!(essence(&left), essence(&right));
    assert_eq!(left.quote.total, right.quote.total);
    left
}

fn conflict(error: Error) -> (&'static str, String, Value) {
    match error {
        Error::Conflict { code, detail, data } => (code, detail, data),
        other => panic!("not a conflict: {other}"),
    }
}

both! {
    async fn page_and_api_fill_and_change_a_cart_alike(app: TestApp) {
        let mug = mug_in_two_colours(&app).await;
        let vase = app.product("Bottle vase", "58.00", 10).await;
        let (oat, sage) = (mug.variants[0].id, mug.variants[1].id);
        let ((page_ctx, mut browser), (api_ctx, api)) = both_faces(&app).await;

        for (field, id, quantity) in [
            ("variant_id", oat.0, "2"),
            ("product_id", vase.id.0, ""),
            ("variant_id", sage.0, "1"),
            ("variant_id", oat.0, "1"),
        ] {
            let id_text = id.to_string();
            let fields = [(field, id_text.as_str()), ("quantity", quantity)];
            browser.post("/cart/items", &fields).await.expect(200);
            let mut body = json!({ field: id });
            if !quantity.is_empty() {
                body["quantity"] = json!(quantity.parse::<i64>().unwrap());
            }
            api.post("/api/cart/items", body).await.expect(200);
        }
        let cart = same_effect(&app, &page_ctx, &api_ctx).await;
        assert_eq!(cart.count(), 5);
        assert_eq!(cart.items.len(), 3, "one line a variant");
        assert_eq!(cart.quote.total.amount(), "156.00");

        // The header's number, the page's total and the API's are the same.
        assert_eq!(service::count(&app, &page_ctx).await.unwrap(), 5);
        let page = browser.get("/cart").await.expect(200);
        assert_eq!(page.text(".tools .count"), "5");
        assert_eq!(page.text("dd.total"), "156.00 €");
        let quote = api.get("/api/cart/quote").await.expect(200).json();
        assert_eq!(quote["total"]["amount"], "156.00");
        assert_eq!(quote["shipping"]["amount"], "0.00", "free from 60.00");

        let (_, right) = (
            page_ctx.clone(),
            service::current(&app, &api_ctx).await.unwrap(),
        );
        let page = browser
            .submit(&page, ".basket li:nth-child(1) form", &[("quantity", "1")])
            .await;
        page.expect(200);
        let path = format!("/api/cart/items/{}", right.items[0].id);
        let changed = api
            .patch(&path, json!({"quantity": 1}))
            .await
            .expect(200)
            .json();
        assert_eq!(changed["count"], 3);
        same_effect(&app, &page_ctx, &api_ctx).await;

        let page = browser.get("/cart").await;
        browser
            .submit(&page, ".basket li:nth-child(2) form", &[("remove", "1")])
            .await
            .expect(200);
        let path = format!("/api/cart/items/{}", right.items[1].id);
        api.delete(&path).await.expect(200);
        let cart = same_effect(&app, &page_ctx, &api_ctx).await;
        assert_eq!(
            essence(&cart),
            [
                (oat, 1, "24.00\u{a0}€".to_owned()),
                (sage, 1, "26.00\u{a0}€".to_owned())
            ]
        );

        // Nothing is as good as none.
        let page = browser.get("/cart").await;
        browser
            .submit(&page, ".basket li:nth-child(1) form", &[("quantity", "0")])
            .await
            .expect(200);
        let path = format!("/api/cart/items/{}", right.items[0].id);
        api.patch(&path, json!({"quantity": 0})).await.expect(200);
        same_effect(&app, &page_ctx, &api_ctx).await;

        let emptied = api.delete("/api/cart").await.expect(200).json();
        assert_eq!(emptied["items"], json!([]));
        let page = browser.get("/cart").await;
        let page = browser
            .submit(&page, ".basket li:nth-child(1) form", &[("remove", "1")])
            .await;
        assert!(page.has("Your cart is empty"));
        assert!(same_effect(&app, &page_ctx, &api_ctx).await.is_empty());
    }

    async fn a_guests_cart_begins_with_the_first_article(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let id = mug.id.to_string();
        let mut browser = app.browser();
        assert!(
            browser
                .get("/cart")
                .await
                .expect(200)
                .has("Your cart is empty")
        );
        assert!(browser.cookies.is_empty(), "looking makes no session");
        let page = browser
            .post("/cart/items", &[("product_id", &id)])
            .await
            .expect(200);
        assert_eq!(page.path, "/cart");
        assert_eq!(page.text(".flash"), "Everyday mug is in your cart.");
        assert_eq!(browser.cookies.len(), 1);

        let api = app.api();
        let nothing = api.get("/api/cart").await.expect(200);
        assert_eq!(nothing.json()["token"], Value::Null);
        assert_eq!(nothing.header("cart-token"), "");
        let added = api
            .post("/api/cart/items", json!({"product_id": mug.id}))
            .await
            .expect(200);
        let token = added.header("cart-token");
        assert_eq!(added.json()["token"], json!(token));
        assert_eq!(token.len(), 64);
        let again = api
            .with("cart-token", &token)
            .get("/api/cart")
            .await
            .expect(200)
            .json();
        assert_eq!(again["items"][0]["name"], "Everyday mug");
        assert_eq!(again["items"][0]["slug"], "everyday-mug");
        assert_eq!(again["items"][0]["image_url"], Value::Null);
        assert_eq!(
            again["quote"]["shipping"],
            Value::Null,
            "no method is chosen yet"
        );
        assert_eq!(again["notices"], json!([]));

        let cleared = api
            .with("cart-token", &token)
            .delete("/api/cart")
            .await
            .expect(200)
            .json();
        assert_eq!(cleared["count"], 0);
        let nobodys = api.delete("/api/cart").await.expect(200).json();
        assert_eq!(nobodys["token"], Value::Null, "clearing makes no cart");
    }

    async fn more_than_there_is_leads_back_to_the_product(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 3).await;
        let id = mug.id.to_string();
        let mut browser = app.browser();
        let reply = browser
            .post_only("/cart/items", &[("product_id", &id), ("quantity", "4")])
            .await;
        assert_eq!(reply.status.as_u16(), 303);
        assert_eq!(reply.header("location"), "/products/everyday-mug");
        let page = browser.get("/cart").await;
        assert_eq!(page.text(".flash.warning"), "Only 3 of Everyday mug left.");
        assert!(page.has("Your cart is empty"));

        browser
            .post("/cart/items", &[("product_id", &id), ("quantity", "2")])
            .await
            .expect(200);
        browser
            .post_only(
                "/cart/items",
                &[
                    ("variant_id", &variant(&mug).to_string()),
                    ("quantity", "2"),
                ],
            )
            .await;
        let page = browser.get("/cart").await;
        assert_eq!(
            page.text(".flash.warning"),
            "Only 3 of Everyday mug left, and 2 in your cart already."
        );
        let page = browser
            .submit(&page, ".basket form", &[("quantity", "4")])
            .await;
        assert_eq!(page.text(".flash.warning"), "Only 3 of Everyday mug left.");

        let api = app.api();
        let refused = api
            .post(
                "/api/cart/items",
                json!({"product_id": mug.id, "quantity": 4}),
            )
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "out_of_stock");
        assert_eq!(refused["data"]["available"], 3);
        restock(&app, &mug, 0).await;
        let refused = api
            .post("/api/cart/items", json!({"product_id": mug.id}))
            .await
            .expect(409)
            .json();
        assert_eq!(refused["detail"], "Everyday mug is sold out.");
        assert_eq!(refused["data"]["available"], 0);
    }

    async fn what_makes_no_sense_is_refused_at_its_field(app: TestApp) {
        let mug = mug_in_two_colours(&app).await;
        let vase = app.product("Bottle vase", "58.00", 500).await;
        let gone = app.product("Old plate", "9.00", 5).await;
        change(
            &app,
            &gone,
            ProductInput {
                status: Some("archived".to_owned()),
                ..ProductInput::default()
            },
        )
        .await;
        let api = app.api();
        let mut browser = app.browser();
        for (body, field) in [
            (json!({"product_id": vase.id, "quantity": 0}), "quantity"),
            (json!({"product_id": vase.id, "quantity": -1}), "quantity"),
            (json!({"product_id": vase.id, "quantity": 100}), "quantity"),
            (
                json!({"product_id": vase.id, "quantity": "two"}),
                "quantity",
            ),
            (
                json!({"product_id": vase.id, "quantity": i64::MAX}),
                "quantity",
            ),
            (json!({"product_id": mug.id}), "product_id"),
            (json!({"product_id": 4711}), "product_id"),
            (json!({"variant_id": 4711}), "variant_id"),
            (json!({"product_id": gone.id}), "product_id"),
            (json!({"variant_id": variant(&gone)}), "variant_id"),
            (
                json!({"product_id": vase.id, "variant_id": variant(&vase)}),
                "product_id",
            ),
            (json!({}), "variant_id"),
        ] {
            let refused = api
                .post("/api/cart/items", body.clone())
                .await
                .expect(422)
                .json();
            assert_eq!(refused["errors"][0]["field"], field, "{body}: {refused}");

            let text = |name: &str| match &body[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let (product, variant, quantity) =
                (text("product_id"), text("variant_id"), text("quantity"));
            let fields = [
                ("product_id", &*product),
                ("variant_id", &*variant),
                ("quantity", &*quantity),
            ];
            let reply = browser.post_only("/cart/items", &fields).await;
            assert_eq!(reply.status.as_u16(), 303, "{body}");
            let page = browser.get("/cart").await;
            assert!(!page.text(".flash.warning").is_empty(), "{body}");
            assert!(page.has("Your cart is empty"));
        }
        // Two times fifty is one too many as well, and changes nothing.
        let ctx = guest_with(&app, &vase, 50).await;
        let error = service::add_item(&app, &ctx, some(&vase, 50))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid(_)));
        assert_eq!(service::count(&app, &ctx).await.unwrap(), 50);
    }

    async fn a_line_that_is_gone_is_not_found(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let others = service::current(&app, &ctx).await.unwrap().items[0].id;
        let api = app.api();
        let mine = api
            .post("/api/cart/items", json!({"product_id": mug.id}))
            .await;
        let api = api.with("cart-token", &mine.header("cart-token"));
        for id in [others.to_string(), "4711".to_owned(), "x".to_owned()] {
            let path = format!("/api/cart/items/{id}");
            api.patch(&path, json!({"quantity": 3})).await.expect(404);
            api.patch(&path, json!({"quantity": 0})).await.expect(404);
            api.delete(&path).await.expect(404);
        }
        assert_eq!(
            service::count(&app, &ctx).await.unwrap(),
            1,
            "somebody else's line stays"
        );

        let mut browser = app.browser();
        browser
            .post("/cart/items", &[("product_id", &mug.id.to_string())])
            .await
            .expect(200);
        let page = browser
            .post(&format!("/cart/items/{others}"), &[("quantity", "2")])
            .await
            .expect(200);
        assert_eq!(
            page.text(".flash.warning"),
            "That article is no longer in your cart."
        );
        browser
            .post("/cart/items/x", &[("quantity", "2")])
            .await
            .expect(404);
        let page = browser.get("/cart").await;
        let page = browser
            .submit(&page, ".basket form", &[("quantity", "many")])
            .await
            .expect(200);
        assert_eq!(page.text(".flash.warning"), "Write a whole number.");
    }

    async fn each_view_tells_what_changed_since(app: TestApp) {
        // Stock that falls low is told to observers.
        app.leave_jobs();
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let vase = app.product("Bottle vase", "58.00", 9).await;
        let plate = app.product("Plate", "12.00", 9).await;
        let api = app.api();
        let first = api
            .post(
                "/api/cart/items",
                json!({"product_id": mug.id, "quantity": 2}),
            )
            .await;
        let api = api.with("cart-token", &first.header("cart-token"));
        let token = Some(first.header("cart-token"));
        let ctx = Ctx {
            cart_token: token,
            ..app.guest()
        };
        api.post(
            "/api/cart/items",
            json!({"product_id": vase.id, "quantity": 3}),
        )
        .await
        .expect(200);
        api.post("/api/cart/items", json!({"product_id": plate.id}))
            .await
            .expect(200);

        reprice(&app, &mug, "25.50").await;
        restock(&app, &vase, 1).await;
        change(
            &app,
            &plate,
            ProductInput {
                status: Some("archived".to_owned()),
                ..ProductInput::default()
            },
        )
        .await;
        let cart = api.get("/api/cart").await.expect(200).json();
        let codes: Vec<&str> = cart["notices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|notice| notice["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["price_changed", "not_enough", "not_for_sale"]);
        assert_eq!(
            cart["notices"][0]["message"],
            "The price of Everyday mug changed from 24.00\u{a0}€ to 25.50\u{a0}€."
        );
        assert_eq!(
            cart["notices"][1]["message"],
            "Only 1 of Bottle vase left; you chose 3."
        );
        assert_eq!(cart["items"][2]["for_sale"], false);
        assert_eq!(
            cart["quote"]["total"]["amount"], "225.00",
            "what is not for sale costs nothing"
        );
        assert_eq!(cart["quote"]["lines"].as_array().unwrap().len(), 2);
        assert!(!service::current(&app, &ctx).await.unwrap().is_buyable());

        // To lower is allowed even where it is not enough yet; to raise is not.
        let item = |index: usize| CartItemId(cart["items"][index]["id"].as_i64().unwrap());
        let lowered = service::set_quantity(&app, &ctx, item(1), 2).await.unwrap();
        assert_eq!(lowered.items[1].quantity, 2);
        let (code, ..) = conflict(
            service::set_quantity(&app, &ctx, item(1), 3)
                .await
                .unwrap_err(),
        );
        assert_eq!(code, "out_of_stock");
        let (_, detail, data) = conflict(
            service::set_quantity(&app, &ctx, item(2), 5)
                .await
                .unwrap_err(),
        );
        assert_eq!(
            (detail.as_str(), &data["available"]),
            ("Plate is sold out.", &json!(0))
        );

        // Who changes a line has seen its price.
        let cart = service::set_quantity(&app, &ctx, item(0), 1).await.unwrap();
        assert!(
            !cart
                .notices
                .iter()
                .any(|notice| matches!(notice, CartNotice::PriceChanged { .. }))
        );
        service::remove_item(&app, &ctx, item(2)).await.unwrap();
        let cart = service::set_quantity(&app, &ctx, item(1), 1).await.unwrap();
        assert!(cart.notices.is_empty());
        assert!(cart.is_buyable());

        restock(&app, &vase, 0).await;
        let cart = service::current(&app, &ctx).await.unwrap();
        assert_eq!(
            cart.notices[0].message(),
            "Bottle vase is sold out. Remove it to go on."
        );
    }

    async fn the_page_shows_what_stands_in_the_way(app: TestApp) {
        let mug = mug_in_two_colours(&app).await;
        let mut browser = app.browser();
        let oat = mug.variants[0].id.to_string();
        let page = browser
            .post("/cart/items", &[("variant_id", &oat), ("quantity", "2")])
            .await
            .expect(200);
        assert_eq!(page.text(".basket .low"), "Only 3 left");
        assert_eq!(page.attributes("aside a.btn", "href"), ["/checkout"]);
        assert_eq!(
            page.text("aside .muted"),
            "Buy for 12.00 € more and Standard delivery is free."
        );
        assert_eq!(
            page.texts(".why dt"),
            [
                "2 × Everyday mug, Oat at 24.00 €",
                "Subtotal",
                "Standard delivery",
                "Contains 21 % tax",
                "Total",
            ]
        );
        assert_eq!(
            page.texts(".why dd"),
            ["48.00 €", "48.00 €", "4.90 €", "9.18 €", "52.90 €"]
        );

        let mut tx = app.db.begin().await.unwrap();
        zoco::inventory::service::take(
            &mut tx,
            &app.system(),
            &[(mug.variants[0].id, 2)],
            "elsewhere",
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let page = browser.get("/cart").await.expect(200);
        assert_eq!(
            page.text(".alert li"),
            "Only 1 of Everyday mug, Oat left; you chose 2."
        );
        assert_eq!(page.text(".basket .err"), "Only 1 left");
        assert!(
            page.attributes("aside a.btn", "href").is_empty(),
            "no way to the checkout"
        );

        let mut tx = app.db.begin().await.unwrap();
        zoco::inventory::service::take(
            &mut tx,
            &app.system(),
            &[(mug.variants[0].id, 1)],
            "elsewhere",
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(browser.get("/cart").await.text(".basket .err"), "Sold out");
        change(
            &app,
            &mug,
            ProductInput {
                status: Some("draft".to_owned()),
                ..ProductInput::default()
            },
        )
        .await;
        let page = browser.get("/cart").await;
        assert_eq!(page.text(".basket .err"), "No longer for sale");
        assert_eq!(page.text("dd.total"), "0.00 €");
    }

    async fn a_quote_is_asked_for_a_method_and_a_country(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let api = app
            .api()
            .with("cart-token", ctx.cart_token.as_deref().unwrap());
        let quote = api
            .get("/api/cart/quote?shipping_method=standard&country=ES")
            .await
            .expect(200)
            .json();
        assert_eq!(quote["total"]["amount"], "28.90");
        assert_eq!(
            quote["trace"].as_array().unwrap().last().unwrap()["text"],
            "Total"
        );
        let refused = api
            .get("/api/cart/quote?country=XX")
            .await
            .expect(422)
            .json();
        assert_eq!(refused["errors"][0]["field"], "country");
        let refused = api
            .get("/api/cart/quote?shipping_method=owl")
            .await
            .expect(422)
            .json();
        assert_eq!(refused["errors"][0]["field"], "shipping_method");
        let nothing = app.api().get("/api/cart/quote").await.expect(200).json();
        assert_eq!(
            nothing["total"]["amount"], "0.00",
            "nothing ships for nothing"
        );
    }

    async fn at_sign_in_the_guests_cart_comes_along(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 3).await;
        let vase = app.product("Bottle vase", "58.00", 200).await;
        let plate = app.product("Plate", "12.00", 9).await;
        let ada = app.customer("ada@example.com").await;
        service::add_item(&app, &ada, some(&mug, 2)).await.unwrap();
        let guest = guest_with(&app, &mug, 2).await;
        let token = guest.cart_token.clone().unwrap();
        service::add_item(&app, &guest, some(&vase, 99))
            .await
            .unwrap();
        service::add_item(&app, &guest, some(&plate, 1))
            .await
            .unwrap();
        change(
            &app,
            &plate,
            ProductInput {
                status: Some("archived".to_owned()),
                ..ProductInput::default()
            },
        )
        .await;

        assert_eq!(
            service::merge_guest_cart(&app, &ada, &token).await.unwrap(),
            2
        );
        let cart = service::current(&app, &ada).await.unwrap();
        let quantities: Vec<(VariantId, i64)> = cart
            .items
            .iter()
            .map(|item| (item.variant_id, item.quantity))
            .collect();
        assert_eq!(
            quantities,
            [(variant(&mug), 3), (variant(&vase), 99)],
            "capped by stock; the archived one stays behind"
        );

        // The same token again brings nothing, and the guest's cart is no more.
        assert_eq!(
            service::merge_guest_cart(&app, &ada, &token).await.unwrap(),
            0
        );
        assert!(service::current(&app, &guest).await.unwrap().is_empty());
        let full = guest_with(&app, &vase, 5).await;
        let full = full.cart_token.unwrap();
        assert_eq!(
            service::merge_guest_cart(&app, &ada, &full).await.unwrap(),
            0,
            "99 is the most"
        );
        assert_eq!(
            service::merge_guest_cart(&app, &ada, "unknown")
                .await
                .unwrap(),
            0
        );
        let error = service::merge_guest_cart(&app, &app.guest(), &token)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unauthenticated));
        assert_eq!(
            CartNotice::Merged { lines: 1 }.message(),
            "One article came over from your cart before you signed in."
        );
        assert_eq!(
            CartNotice::Merged { lines: 2 }.message(),
            "2 articles came over from your cart before you signed in."
        );
    }

    async fn an_accounts_cart_opens_to_its_user_only(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let ada = app.customer("ada@example.com").await;
        let bob = app.customer("bob@example.com").await;
        let cart = service::add_item(&app, &ada, some(&mug, 2)).await.unwrap();
        let token = cart.token.as_str();

        // Neither a guest nor another user gets it by its token.
        let guest = app.api().with("cart-token", token);
        assert_eq!(guest.get("/api/cart").await.expect(200).json()["count"], 0);
        guest
            .delete(&format!("/api/cart/items/{}", cart.items[0].id))
            .await
            .expect(404);
        let made = guest
            .post("/api/cart/items", json!({"product_id": mug.id}))
            .await
            .expect(200);
        assert_ne!(made.header("cart-token"), token);
        assert_eq!(
            service::merge_guest_cart(&app, &bob, token).await.unwrap(),
            0
        );
        assert!(service::current(&app, &bob).await.unwrap().is_empty());
        let mut conn = app.db.conn().await.unwrap();
        for other in [&bob, &app.guest()] {
            let named = service::named(&mut conn, other, Some(token)).await.unwrap();
            assert_eq!(named, zoco::cart::CartState::None);
        }
        drop(conn);
        assert_eq!(service::current(&app, &ada).await.unwrap().count(), 2);
        // One cart on all devices.
        let api = app.api().signed_in("ada@example.com").await;
        let seen = api.get("/api/cart").await.expect(200);
        assert_eq!(seen.json()["token"], json!(token));
        assert_eq!(
            seen.header("cart-token"),
            "",
            "the account opens it, no header does"
        );
    }

    async fn what_nobody_can_pay_is_not_added(app: TestApp) {
        let palace = app.product("Palace", "9000000000000.00", 9).await;
        let ctx = guest_with(&app, &palace, 1).await;
        let (code, ..) = conflict(
            service::add_item(&app, &ctx, some(&palace, 1))
                .await
                .unwrap_err(),
        );
        assert_eq!(code, "amount_too_large");
        assert_eq!(service::count(&app, &ctx).await.unwrap(), 1);
    }

    async fn a_cart_holds_two_hundred_articles(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let last = app.product("One more", "1.00", 9).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let cart = service::current(&app, &ctx).await.unwrap().id.unwrap();
        for number in 1..service::MAX_LINES {
            let other = app.product(&format!("Thing {number}"), "1.00", 9).await;
            let mut tx = app.db.begin().await.unwrap();
            zoco::cart::store::add(&mut tx, cart, variant(&other), 1, 100, app.clock.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        let (code, ..) = conflict(
            service::add_item(&app, &ctx, some(&last, 1))
                .await
                .unwrap_err(),
        );
        assert_eq!(code, "cart_full");
        service::add_item(&app, &ctx, some(&mug, 1)).await.unwrap();
        let dora = app.customer("dora@example.com").await;
        service::add_item(&app, &dora, some(&last, 1))
            .await
            .unwrap();
        let came = service::merge_guest_cart(&app, &dora, ctx.cart_token.as_deref().unwrap())
            .await
            .unwrap();
        assert_eq!(came as usize, service::MAX_LINES - 1, "one place was taken");
    }
}
