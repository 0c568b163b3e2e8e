//! From the cart to the order: by page and API with the same effect, exactly once, never at
//! another price than the shopper confirmed.

use axum::http::Method;
use serde_json::{Value, json};
use zoco::addresses::service::AddressFields;
use zoco::cart::service as carts;
use zoco::catalog::Product;
use zoco::catalog::service::ProductInput;
use zoco::checkout::service::{self, AddressInput, PlaceOrder};
use zoco::checkout::{Given, Placed, Requirement, requirements};
use zoco::ctx::Ctx;
use zoco::db::query::{Sql, fetch_one};
use zoco::inventory::service::{imbalances, levels};
use zoco::orders::{Address, Order};
use zoco::types::{Money, MoneyInput};

use crate::cart::{guest_with, reprice, restock, some, variant};
use crate::support::{Browser, Reply, TestApp, both};

/// An address that is complete.
pub fn address() -> AddressInput {
    AddressInput::Fields(AddressFields {
        name: "Ada Lovelace".to_owned(),
        line1: "Calle Mayor 1".to_owned(),
        city: "Madrid".to_owned(),
        postal_code: "28013".to_owned(),
        country: "ES".to_owned(),
        ..AddressFields::default()
    })
}

/// The same for a form.
const FIELDS: [(&str, &str); 6] = [
    ("email", "ada@example.com"),
    ("shipping_address.name", "Ada Lovelace"),
    ("shipping_address.line1", "Calle Mayor 1"),
    ("shipping_address.postal_code", "28013"),
    ("shipping_address.city", "Madrid"),
    ("shipping_address.country", "ES"),
];

/// The same for the API.
pub fn body() -> Value {
    json!({
        "email": "ada@example.com",
        "shipping_address": {
            "name": "Ada Lovelace",
            "line1": "Calle Mayor 1",
            "postal_code": "28013",
            "city": "Madrid",
            "country": "ES",
        },
    })
}

/// What a guest gives.
pub fn wish() -> PlaceOrder {
    PlaceOrder {
        shipping_address: Some(address()),
        email: Some("ada@example.com".to_owned()),
        ..PlaceOrder::default()
    }
}

/// A guest's order of so many of a product; the guest holds what opens it.
pub async fn guest_order(app: &TestApp, product: &Product, quantity: i64) -> (Ctx, Order) {
    let ctx = guest_with(app, product, quantity).await;
    let token = ctx.cart_token.clone();
    let placed = service::place_order(app, &ctx, token.as_deref(), wish())
        .await
        .unwrap();
    let ctx = Ctx {
        order_token: placed.guest_token.clone(),
        ..ctx
    };
    (ctx, placed.order)
}

/// An order of so many of a product by somebody with an account.
pub async fn order_of(app: &TestApp, ctx: &Ctx, product: &Product, quantity: i64) -> Order {
    carts::add_item(app, ctx, some(product, quantity))
        .await
        .unwrap();
    let placed = service::place_order(app, ctx, None, wish()).await.unwrap();
    placed.order
}

/// How many orders there are.
pub async fn orders(app: &TestApp) -> i64 {
    let mut conn = app.db.conn().await.unwrap();
    let sql = Sql::same("select count(*) from orders");
    let (count,): (i64,) = fetch_one(&mut conn, sql, Vec::new()).await.unwrap();
    count
}

/// What is on the shelf of a simple product; fails when the books are wrong.
pub async fn on_hand(app: &TestApp, product: &Product) -> i64 {
    let mut conn = app.db.conn().await.unwrap();
    assert_eq!(imbalances(&mut conn).await.unwrap(), []);
    let id = variant(product);
    levels(&mut conn, &[id]).await.unwrap()[&id].on_hand
}

/// A browser with so many of a product in its cart, at the checkout.
pub async fn at_checkout(app: &TestApp, product: &Product, quantity: i64) -> (Browser, Reply) {
    let mut browser = app.browser();
    let (id, quantity) = (product.id.to_string(), quantity.to_string());
    browser
        .post(
            "/cart/items",
            &[("product_id", &id), ("quantity", &quantity)],
        )
        .await
        .expect(200);
    let page = browser.get("/checkout").await.expect(200);
    (browser, page)
}

pub fn with<'f>(more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let kept = FIELDS
        .into_iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().copied()).collect()
}

/// What is the same in two orders that went the same way.
fn essence(order: &Order) -> Value {
    let lines = order.lines.iter();
    let lines: Vec<Value> = lines
        .map(|line| {
            json!([
                line.sku,
                line.label(),
                line.quantity,
                line.tax.amount(),
                line.total.amount()
            ])
        })
        .collect();
    let totals = [order.subtotal, order.shipping, order.tax, order.total];
    let events = order.events.iter();
    let payments = order.payments.iter().map(|payment| {
        json!([
            payment.provider,
            payment.state.as_str(),
            payment.amount.amount()
        ])
    });
    json!({
        "email": order.email.as_str(),
        "lines": lines,
        "totals": totals.map(|sum| sum.amount()),
        "method": order.shipping_method_name,
        "address": order.shipping_address.lines(),
        "note": order.note,
        "statuses": format!("{:?}", order.statuses()),
        "events": events.map(|event| event.kind.clone()).collect::<Vec<_>>(),
        "payments": payments.collect::<Vec<_>>(),
        "trace": order.price_trace.iter().map(|step| step.text.clone()).collect::<Vec<_>>(),
    })
}

/// The order of a number, read by the shop itself.
async fn read(app: &TestApp, number: &str) -> Order {
    zoco::orders::service::order(app, &app.system(), number)
        .await
        .unwrap()
}

fn number_in(path: &str) -> String {
    path.split('/').nth(2).unwrap().to_owned()
}

/// A second way to ship, for 9.50.
async fn express(app: &TestApp) {
    let mut tx = app.db.begin().await.unwrap();
    let price = Money::new(950, app.currency());
    crate::shipping::flat(&mut tx, "express", "Express", "Tomorrow", price).await;
    tx.commit().await.unwrap();
}

both! {
    async fn page_and_api_place_the_same_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 2).await;
        assert_eq!(
            page.texts("#needed li"),
            ["Your e-mail address", "The delivery address"]
        );
        let fields = with(&[
            ("note", " Ring twice. "),
            ("payment.provider", "bank_transfer"),
        ]);
        let thanks = browser
            .submit(&page, "#checkout", &fields)
            .await
            .expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        assert!(thanks.has("Thank you for your order"));
        assert!(thanks.has("28013 Madrid<br>Spain"));
        let by_page = read(&app, &number_in(&thanks.path)).await;
        assert!(
            thanks.has(&format!("Reference: {}", by_page.number)),
            "how to pay"
        );
        assert_eq!(
            browser.get("/cart").await.text(".tools .count"),
            "",
            "the cart is forgotten"
        );

        let api = app.api();
        let cart = api
            .post(
                "/api/cart/items",
                json!({"product_id": mug.id, "quantity": 2}),
            )
            .await;
        let api = api.with("cart-token", &cart.header("cart-token"));
        let mut wish = body();
        wish["note"] = json!("Ring twice.");
        wish["payment"] = json!({"provider": "bank_transfer"});
        wish["expected_total"] = json!("52.90");
        let placed = api.post("/api/orders", wish).await.expect(201);
        let number = placed.json()["number"].as_str().unwrap().to_owned();
        assert_eq!(placed.header("location"), format!("/api/orders/{number}"));
        assert_eq!(
            placed.json()["order_token"],
            json!(placed.header("order-token"))
        );
        let by_api = read(&app, &number).await;

        assert_eq!(essence(&by_page), essence(&by_api));
        assert_eq!(by_api.total.amount(), "52.90");
        assert_ne!(by_page.number, by_api.number);
        assert_eq!(on_hand(&app, &mug).await, 6);
        app.run_jobs().await;
        assert_eq!(app.letters().len(), 2);
    }

    async fn a_signed_in_shopper_finds_the_form_filled(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        browser
            .post("/cart/items", &[("product_id", &mug.id.to_string())])
            .await
            .expect(200);
        let page = browser.get("/checkout").await.expect(200);
        assert_eq!(page.attributes("#f-email", "value"), ["ada@example.com"]);
        assert_eq!(page.texts("#needed li"), ["The delivery address"]);
        let thanks = browser
            .submit(&page, "#checkout", &with(&[("save_address", "")]))
            .await
            .expect(200);
        let order = read(&app, &number_in(&thanks.path)).await;
        assert_eq!(order.user_id, ada.user_id());

        browser
            .post("/cart/items", &[("product_id", &mug.id.to_string())])
            .await
            .expect(200);
        let page = browser.get("/checkout").await.expect(200);
        assert_eq!(
            page.attributes("[name='shipping_address.line1']", "value"),
            ["Calle Mayor 1"]
        );
        assert_eq!(page.attributes("select option[selected]", "value"), ["ES"]);
        assert!(page.texts("#needed li").is_empty());
        browser.submit(&page, "#checkout", &[("save_address", "")]).await.expect(200);
        assert_eq!(orders(&app).await, 2);

        // A free text of the API does not fit into fields.
        carts::add_item(&app, &ada, some(&mug, 1)).await.unwrap();
        let api = app.api().signed_in("ada@example.com").await;
        let placed = api
            .post(
                "/api/orders/orders",
                json!({"shipping_address": "123 Main St"}),
            )
            .await
            .expect(201)
            .json();
        assert_eq!(placed["shipping_address"], "123 Main St");
        assert_eq!(placed["email"], "ada@example.com");
        assert_eq!(placed["payments"][0]["provider"], "cash_on_delivery");
        assert_eq!(placed.get("order_token"), None, "the account opens it");
        carts::add_item(&app, &ada, some(&mug, 1)).await.unwrap();
        let shown = service::checkout(&app, &ada, service::Choice::default()).await.unwrap();
        assert_eq!(shown.address.name, "ada");
        assert_eq!(shown.address.line1, "");
        app.run_jobs().await;
    }

    async fn mistakes_come_back_at_their_fields(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let long = "x".repeat(201);
        let fields = with(&[
            ("email", "nonsense"),
            ("shipping_address.line1", ""),
            ("shipping_address.line2", &long),
            ("shipping_address.country", "XX"),
            ("note", "Ring <twice>"),
        ]);
        let again = browser
            .submit(&page, "#checkout", &fields)
            .await
            .expect(422);
        assert_eq!(
            again.attributes("#errors a", "href"),
            [
                "#f-email",
                "#f-shipping_address.line1",
                "#f-shipping_address.line2",
                "#f-shipping_address.country",
            ]
        );
        for field in [
            "email",
            "shipping_address.line1",
            "shipping_address.line2",
            "shipping_address.country",
        ] {
            assert_eq!(
                again.attributes(&format!("[name='{field}']"), "aria-invalid"),
                ["true"],
                "{field}"
            );
            assert_eq!(
                again.attributes(&format!("[name='{field}']"), "aria-describedby"),
                [format!("e-{field}")]
            );
        }
        assert_eq!(again.attributes("#f-email", "value"), ["nonsense"]);
        assert_eq!(
            again.attributes("[name='shipping_address.city']", "value"),
            ["Madrid"]
        );
        assert_eq!(again.text("#f-note"), "Ring <twice>");
        assert_eq!(
            again.texts("#needed li"),
            ["Your e-mail address", "The delivery address"]
        );
        assert_eq!(orders(&app).await, 0);

        let api = app.api();
        let cart = api
            .post("/api/cart/items", json!({"product_id": mug.id}))
            .await;
        let api = api.with("cart-token", &cart.header("cart-token"));
        for (change, field, code) in [
            (json!({"email": null}), "email", "required"),
            (json!({"email": "nonsense"}), "email", "email"),
            (
                json!({"shipping_address": null}),
                "shipping_address",
                "required",
            ),
            (
                json!({"shipping_address": "  "}),
                "shipping_address",
                "required",
            ),
            (
                json!({"shipping_address": "x"}),
                "shipping_address",
                "length",
            ),
            (
                json!({"shipping_address": "x".repeat(1001)}),
                "shipping_address",
                "length",
            ),
            (
                json!({"shipping_address": {}}),
                "shipping_address.city",
                "required",
            ),
            (
                json!({"billing_address": {"name": "Bo"}}),
                "billing_address.city",
                "required",
            ),
            (
                json!({"payment": {"provider": "promise"}}),
                "payment.provider",
                "unknown",
            ),
            (
                json!({"shipping_method": "owl"}),
                "shipping_method",
                "unknown",
            ),
            (
                json!({"expected_total": "1.234"}),
                "expected_total",
                "money",
            ),
            (
                json!({"expected_total": {"amount": "1", "currency": "USD"}}),
                "expected_total",
                "money",
            ),
            (json!({"note": "x".repeat(1001)}), "note", "length"),
            (json!({"total": "0.01"}), "total", "unknown_field"),
        ] {
            let mut wish = body();
            for (name, value) in change.as_object().unwrap() {
                wish[name] = value.clone();
            }
            let refused = api.post("/api/orders", wish).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{change}: {refused}");
            assert_eq!(refused["errors"][0]["code"], code, "{change}: {refused}");
        }
        let mut wish = body();
        wish["shipping_address"]["line1"] = json!("a\nb");
        let refused = api.post("/api/orders", wish).await.expect(422).json();
        assert_eq!(refused["errors"][0]["code"], "invalid");
        assert_eq!(orders(&app).await, 0);
        assert_eq!(on_hand(&app, &mug).await, 10);
    }

    async fn another_total_than_confirmed_places_nothing(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 2).await;
        let api = app.api();
        let cart = api
            .post(
                "/api/cart/items",
                json!({"product_id": mug.id, "quantity": 2}),
            )
            .await;
        let api = api.with("cart-token", &cart.header("cart-token"));
        reprice(&app, &mug, "25.00").await;

        let again = browser
            .submit(&page, "#checkout", &with(&[("note", "Soon")]))
            .await
            .expect(409);
        let told = "The total is now 54.90 € instead of 52.90 €. \
            The price of Everyday mug changed from 24.00 € to 25.00 €.";
        assert!(
            again.text("#refusal").contains(told),
            "{}",
            again.text("#refusal")
        );
        assert_eq!(
            again.attributes("[name=expected_total]", "value"),
            ["54.90"]
        );
        assert_eq!(again.text("#f-note"), "Soon");
        let mut wish = body();
        wish["expected_total"] = json!({"amount": "52.90", "currency": "EUR"});
        let refused = api
            .post("/api/orders", wish.clone())
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "total_changed");
        assert_eq!(refused["data"]["quote"]["total"]["amount"], "54.90");
        assert_eq!(refused["data"]["expected_total"], "52.90");
        assert_eq!(refused["data"]["changes"].as_array().unwrap().len(), 1);
        assert_eq!(orders(&app).await, 0);
        assert_eq!(on_hand(&app, &mug).await, 10);

        // Whoever confirms the new total gets it; whoever confirms none, too.
        browser.submit(&again, "#checkout", &[]).await.expect(200);
        wish["expected_total"] = json!("54.90");
        api.post("/api/orders", wish).await.expect(201);
        assert_eq!(orders(&app).await, 2);
        app.run_jobs().await;
    }

    async fn what_ran_out_meanwhile_places_nothing(app: TestApp) {
        // Stock that falls low is told to observers.
        app.leave_jobs();
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let vase = app.product("Bottle vase", "58.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 3).await;
        let ctx = guest_with(&app, &mug, 3).await;
        carts::add_item(&app, &ctx, some(&vase, 1)).await.unwrap();
        restock(&app, &mug, 2).await;
        restock(&app, &vase, 0).await;

        let again = browser
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(409);
        assert!(
            again
                .text("#refusal")
                .contains("Only 2 of Everyday mug left; you chose 3.")
        );
        assert_eq!(again.text("aside .err"), "Only 2 left");
        assert_eq!(again.texts("#needed li"), ["Articles that are in stock"]);
        assert!(
            again.attributes("aside button.big", "type").is_empty(),
            "no way to order it"
        );
        let api = app
            .api()
            .with("cart-token", ctx.cart_token.as_deref().unwrap());
        let refused = api.post("/api/orders", body()).await.expect(409).json();
        assert_eq!(refused["code"], "out_of_stock");
        assert_eq!(
            refused["detail"],
            "Only 2 of Everyday mug left; you chose 3. Bottle vase is sold out."
        );
        assert_eq!(
            refused["data"]["lines"],
            json!([
                {"variant_id": variant(&mug), "name": "Everyday mug", "wanted": 3, "available": 2},
                {"variant_id": variant(&vase), "name": "Bottle vase", "wanted": 1, "available": 0},
            ])
        );
        assert_eq!(orders(&app).await, 0);
        assert_eq!(on_hand(&app, &mug).await, 2);
        let mut conn = app.db.conn().await.unwrap();
        let state = carts::named(&mut conn, &ctx, ctx.cart_token.as_deref())
            .await
            .unwrap();
        assert!(
            matches!(state, zoco::cart::CartState::Active(_)),
            "the cart is open as before"
        );
    }

    async fn the_same_form_twice_is_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let first = browser
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(200);
        // A double click, the back button, a reload.
        let second = browser
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(200);
        assert_eq!(first.path, second.path);
        // An old form does not take the new cart along.
        browser
            .post("/cart/items", &[("product_id", &mug.id.to_string())])
            .await
            .expect(200);
        let third = browser
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(200);
        assert_eq!(first.path, third.path);
        assert_eq!(browser.get("/cart").await.text(".tools .count"), "1");
        // Somebody who lost the session meanwhile has the form still.
        let mut other = app.browser();
        let fourth = other
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(200);
        assert_eq!(first.path, fourth.path);
        assert_eq!(orders(&app).await, 1);
        assert_eq!(on_hand(&app, &mug).await, 9);
        app.run_jobs().await;
        assert_eq!(app.letters().len(), 1);
    }

    async fn a_form_outlives_its_session(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (_, page) = at_checkout(&app, &mug, 1).await;
        let mut browser = app.browser();
        let again = browser
            .submit(&page, "#checkout", &with(&[("email", "")]))
            .await
            .expect(422);
        assert_eq!(
            again.texts(".basket strong"),
            ["Everyday mug"],
            "the page is about the form's cart"
        );
        browser
            .submit(&again, "#checkout", &with(&[]))
            .await
            .expect(200);
        assert_eq!(orders(&app).await, 1);
        app.run_jobs().await;
    }

    async fn the_same_call_twice_is_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let api = app
            .api()
            .with("cart-token", ctx.cart_token.as_deref().unwrap());
        let first = api.post("/api/orders", body()).await.expect(201);
        let second = api.post("/api/orders", body()).await.expect(200);
        assert_eq!(first.json()["number"], second.json()["number"]);
        assert_eq!(first.header("order-token"), second.header("order-token"));

        let ada = app.customer("ada@example.com").await;
        let cart = carts::add_item(&app, &ada, some(&mug, 1)).await.unwrap();
        let api = app.api().signed_in("ada@example.com").await;
        let named = api.with("cart-token", &cart.token);
        let first = named.post("/api/orders", body()).await.expect(201).json();
        let second = named.post("/api/orders", body()).await.expect(200).json();
        assert_eq!(first["number"], second["number"]);
        let refused = api.post("/api/orders", body()).await.expect(409).json();
        assert_eq!(
            refused["code"], "cart_empty",
            "without its token, the cart is an older one"
        );
        // Somebody else with that token learns nothing of it.
        let refused = app
            .api()
            .with("cart-token", &cart.token)
            .post("/api/orders", body())
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "cart_empty");
        assert_eq!(orders(&app).await, 2);
        app.run_jobs().await;
    }

    async fn an_idempotency_key_replays_the_first_answer(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let api = app
            .api()
            .with("cart-token", ctx.cart_token.as_deref().unwrap())
            .with("idempotency-key", "k1");
        let first = api.post("/api/orders", body()).await.expect(201);
        let second = api.post("/api/orders", body()).await.expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(first.header("location"), second.header("location"));
        assert_eq!(first.header("order-token"), second.header("order-token"));
        assert_eq!(
            (
                first.header("idempotent-replayed"),
                second.header("idempotent-replayed")
            ),
            (String::new(), "true".to_owned())
        );
        let mut other = body();
        other["note"] = json!("Ring twice.");
        let refused = api
            .post("/api/orders", other.clone())
            .await
            .expect(422)
            .json();
        assert_eq!(refused["code"], "idempotency_key_reused");
        // The key is its sender's own, and may be tried again after what may pass.
        let bob = guest_with(&app, &mug, 1).await;
        restock(&app, &mug, 0).await;
        let bob = app
            .api()
            .with("cart-token", bob.cart_token.as_deref().unwrap())
            .with("idempotency-key", "k1");
        bob.post("/api/orders", other.clone()).await.expect(409);
        restock(&app, &mug, 5).await;
        bob.post("/api/orders", other).await.expect(201);
        // A refusal at a field is the answer for good.
        let carol = guest_with(&app, &mug, 1).await;
        let carol = app
            .api()
            .with("cart-token", carol.cart_token.as_deref().unwrap())
            .with("idempotency-key", "k3");
        carol.post("/api/orders", json!({})).await.expect(422);
        let replayed = carol.post("/api/orders", json!({})).await.expect(422);
        assert_eq!(replayed.header("idempotent-replayed"), "true");
        app.api()
            .with("idempotency-key", " ")
            .post("/api/orders", body())
            .await
            .expect(400);
        app.api()
            .with("idempotency-key", &"k".repeat(256))
            .post("/api/orders", body())
            .await
            .expect(400);
        assert_eq!(orders(&app).await, 2);
        app.run_jobs().await;
    }

    async fn a_replay_opens_a_guests_order_to_its_holder_only(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let path = format!("/api/orders/{}/cancel", order.number);
        let api = app.api().with("idempotency-key", "k1");
        let holder = api.with("order-token", guest.order_token.as_deref().unwrap());
        holder.post(&path, json!({})).await.expect(200);
        holder.post(&path, json!({})).await.expect(200);
        let reply = api.post(&path, json!({})).await.expect(422);
        assert!(!reply.has("ada@example.com"));
        app.run_jobs().await;
    }

    async fn another_way_to_ship_is_priced_before_it_is_confirmed(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        assert_eq!(page.texts(".pick .price"), ["4.90 €"]);
        express(&app).await;
        let page = browser
            .get("/checkout?shipping_method=express")
            .await
            .expect(200);
        assert_eq!(page.text("dd.total"), "33.50 €");
        assert_eq!(
            page.attributes("[name=shipping_method][checked]", "value"),
            ["express"]
        );
        let page = browser
            .get("/checkout?shipping_method=owl")
            .await
            .expect(200);
        assert_eq!(page.text("dd.total"), "28.90 €");
        assert_eq!(page.texts(".pick .price"), ["4.90 €", "9.50 €"]);

        let update = with(&[
            ("shipping_method", "express"),
            ("action", "update"),
            ("email", "half@"),
        ]);
        let updated = browser
            .submit(&page, "#checkout", &update)
            .await
            .expect(200);
        assert_eq!(updated.text("dd.total"), "33.50 €");
        assert_eq!(
            updated.attributes("#f-email", "value"),
            ["half@"],
            "what was typed stays"
        );
        assert!(updated.texts("#errors").is_empty());
        assert_eq!(updated.texts("#needed li"), ["Your e-mail address"]);
        // To change the method and to order at once is to confirm another total.
        let refused = browser
            .submit(&page, "#checkout", &with(&[("shipping_method", "express")]))
            .await
            .expect(409);
        assert_eq!(
            refused.attributes("[name=expected_total]", "value"),
            ["33.50"]
        );
        let thanks = browser.submit(&refused, "#checkout", &[]).await.expect(200);
        let order = read(&app, &number_in(&thanks.path)).await;
        assert_eq!(
            (order.shipping_method.as_str(), order.total.amount()),
            ("express", "33.50".to_owned())
        );
        app.run_jobs().await;
    }

    async fn an_empty_cart_has_nothing_to_order(app: TestApp) {
        let mut browser = app.browser();
        let page = browser.get("/checkout").await.expect(200);
        assert_eq!(page.path, "/cart");
        assert!(browser.cookies.is_empty());
        let page = browser
            .post("/checkout", &[("email", "ada@example.com")])
            .await
            .expect(200);
        assert_eq!(
            page.text(".flash.warning"),
            "There is nothing in your cart to order."
        );
        let page = browser
            .post("/checkout", &with(&[("cart", "unknown")]))
            .await
            .expect(200);
        assert_eq!(page.path, "/cart");
        let refused = app
            .api()
            .post("/api/orders", body())
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "cart_empty");
        let malformed = app
            .api()
            .request(Method::POST, "/api/orders", "text/plain", Vec::new())
            .await;
        malformed.expect(415);
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ctx = guest_with(&app, &mug, 1).await;
        carts::clear(&app, &ctx).await.unwrap();
        let api = app
            .api()
            .with("cart-token", ctx.cart_token.as_deref().unwrap());
        assert_eq!(
            api.post("/api/orders", body()).await.expect(409).json()["code"],
            "cart_empty"
        );
    }

    async fn the_bill_may_go_elsewhere(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let half = with(&[("billing_address.name", "Babbage Ltd")]);
        let again = browser.submit(&page, "#checkout", &half).await.expect(422);
        assert_eq!(
            again.attributes("details.fold[open] [name='billing_address.name']", "value"),
            ["Babbage Ltd"]
        );
        let whole = [
            ("billing_address.line1", "1 Dorset Street"),
            ("billing_address.postal_code", "W1U 4EG"),
            ("billing_address.city", "London"),
            ("billing_address.country", "GB"),
        ];
        let thanks = browser
            .submit(&again, "#checkout", &whole)
            .await
            .expect(200);
        let order = read(&app, &number_in(&thanks.path)).await;
        let Some(Address::Fields(billing)) = order.billing_address else {
            panic!("no bill address")
        };
        assert_eq!(
            (billing.name.as_str(), billing.country.as_str()),
            ("Babbage Ltd", "GB")
        );
        let page = browser
            .get(&format!("/orders/{}", order.number))
            .await
            .expect(200);
        assert!(page.has("Babbage Ltd<br>1 Dorset Street<br>W1U 4EG London<br>United Kingdom"));
        let (_, plain) = guest_order(&app, &mug, 1).await;
        assert_eq!(plain.billing_address, None, "empty fields want none");
        app.run_jobs().await;
    }

    async fn a_digital_product_costs_no_shipping(app: TestApp) {
        let input = ProductInput {
            name: Some("Gift card".to_owned()),
            price: Some(MoneyInput::new("25.00")),
            stock: Some(9),
            digital: Some(true),
            ..ProductInput::default()
        };
        let card = zoco::catalog::service::create_product(&app, &app.system(), input)
            .await
            .unwrap();
        let (_, order) = guest_order(&app, &card, 1).await;
        assert_eq!((order.shipping.minor(), order.total.minor()), (0, 2500));
        let mug = app.product("Mug", "10.00", 9).await;
        let (_, order) = guest_order(&app, &mug, 1).await;
        assert_eq!(order.total.minor(), 1490);
        app.run_jobs().await;
    }

    async fn a_shop_without_shipping_sells_nothing_yet(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let mut tx = app.db.begin().await.unwrap();
        let sql = Sql::same("update shipping_methods set active = false");
        zoco::db::query::execute(&mut tx, sql, Vec::new())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        assert_eq!(page.texts("#needed li").last().unwrap(), "A way to deliver");
        let again = browser
            .submit(&page, "#checkout", &with(&[]))
            .await
            .expect(422);
        assert_eq!(again.text("#errors a"), "We do not deliver to 28013, Spain.");
        assert_eq!(
            browser.get("/cart").await.expect(200).text("dd.total"),
            "24.00 €"
        );
    }

    async fn placing_says_whether_it_was_placed_before(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let input = PlaceOrder {
            expected_total: Some(MoneyInput::new("28.90")),
            ..wish()
        };
        let place = || service::place_order(&app, &ctx, ctx.cart_token.as_deref(), input.clone());
        let first: Placed = place().await.unwrap();
        let second = place().await.unwrap();
        assert_eq!((first.replayed, second.replayed), (false, true));
        assert_eq!(first.order, second.order);
        assert_eq!(first.guest_token, second.guest_token);
        assert!(first.guest_token.is_some());
        // The table itself takes no second order of a cart.
        let mut tx = app.db.begin().await.unwrap();
        let cart = first.order.cart_id;
        let sql = Sql::same(
            "insert into orders (number, cart_id, email, customer, search_text, status,
                payment_status, fulfilment_status, currency, subtotal_minor, shipping_minor,
                tax_minor, total_minor, prices_include_tax, shipping_method,
                shipping_method_name, shipping_address, placed_at, updated_at)
            select 'OTHER', cart_id, email, customer, search_text, status, payment_status,
                fulfilment_status, currency, subtotal_minor, shipping_minor, tax_minor,
                total_minor, prices_include_tax, shipping_method, shipping_method_name,
                shipping_address, placed_at, updated_at
            from orders
            where cart_id = $1",
        );
        let twice = zoco::db::query::execute(&mut tx, sql, vec![cart.into()])
            .await
            .unwrap_err();
        assert!(twice.is_unique());
        drop(tx);
        app.run_jobs().await;
    }

    async fn what_is_needed_follows_from_what_is_there(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let all = Given {
            email: true,
            shipping_address: true,
            shipping_method: true,
            pickup: false,
            payment: true,
        };
        let empty = carts::current(&app, &app.guest()).await.unwrap();
        assert_eq!(requirements(&empty, all), [Requirement::Items]);
        let ctx = guest_with(&app, &mug, 1).await;
        let cart = carts::current(&app, &ctx).await.unwrap();
        assert_eq!(requirements(&cart, all), []);
        let nothing = requirements(&cart, Given::default());
        assert_eq!(
            nothing,
            [
                Requirement::Email,
                Requirement::ShippingAddress,
                Requirement::ShippingMethod,
                Requirement::Payment
            ]
        );
        restock(&app, &mug, 0).await;
        let cart = carts::current(&app, &ctx).await.unwrap();
        assert_eq!(requirements(&cart, all), [Requirement::Stock]);
        for requirement in nothing {
            assert!(!requirement.words().is_empty());
        }
    }
}
