//! Promotions from form to order: what they take off, who may use them how often, and that no
//! limit is passed however many come at once.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use zoco::ctx::Ctx;
use zoco::orders::service as order_service;
use zoco::promotions::service::{self, NewCodes, PromotionInput};
use zoco::promotions::{Promotion, PromotionFilter, PromotionState};
use zoco::types::{MoneyInput, PageRequest};

use crate::cart::guest_with;
use crate::checkout::{body, orders};
use crate::support::{Api, TestApp, both};

/// Ten percent off for a code.
fn ten_percent(code: &str) -> PromotionInput {
    PromotionInput {
        name: "Ten off".to_owned(),
        trigger: Some("code".to_owned()),
        code: Some(code.to_owned()),
        kind: "percentage".to_owned(),
        percent: Some("10".to_owned()),
        ..PromotionInput::default()
    }
}

async fn made(app: &TestApp, input: PromotionInput) -> Promotion {
    service::create(app, &app.system(), input).await.unwrap()
}

fn with_cart(app: &TestApp, ctx: &Ctx) -> Api {
    app.api()
        .with("cart-token", ctx.cart_token.as_deref().unwrap())
}

/// A guest with a cart of one mug and a code.
async fn guest_with_code(app: &TestApp, product: &zoco::catalog::Product, code: &str) -> Api {
    let api = with_cart(app, &guest_with(app, product, 1).await);
    api.post("/api/cart/coupon", json!({ "code": code }))
        .await
        .expect(200);
    api
}

async fn state(app: &TestApp, promotion: &Promotion) -> (i64, PromotionState) {
    let found = service::promotion(app, &app.system(), promotion.id)
        .await
        .unwrap();
    (found.uses, found.state(app.clock.now()))
}

async fn balanced(app: &TestApp) {
    let mut conn = app.db.conn().await.unwrap();
    assert_eq!(service::imbalances(&mut conn).await.unwrap(), []);
}

/// The fields that a problem names, in the order of their names.
fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

fn reason(quote: &Value) -> &str {
    quote["refused_codes"][0]["reason"].as_str().unwrap()
}

both! {
    async fn a_code_from_the_form_to_the_order_and_back(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        app.staff("sales@example.com", &[zoco::ctx::Permission::Promotions]).await;
        let mut staff = app.browser();
        staff.sign_in("sales@example.com").await;
        let page = staff.get("/admin/promotions/new").await.expect(200);
        let typed = [
            ("name", "Spring"),
            ("trigger", "code"),
            ("code", "spring 10"),
            ("kind", "percentage"),
            ("percent", "101"),
        ];
        let again = staff.submit(&page, "#promotion", &typed).await.expect(422);
        assert!(again.has("Write a percentage above 0, at most 100"));
        assert_eq!(again.attributes("#f-code", "value"), ["spring 10"], "what was typed is kept");
        let page = staff.submit(&again, "#promotion", &[("percent", "10")]).await.expect(200);
        assert!(page.has("Spring was made.") && page.has("SPRING10"));

        let mut shopper = app.browser();
        let variant = mug.variants[0].id.to_string();
        shopper.post("/cart/items", &[("variant_id", &variant)]).await.expect(200);
        let cart = shopper.get("/cart").await;
        let form = "form[action='/cart/codes']";
        let wrong = shopper.submit(&cart, form, &[("code", "SPRING1O")]).await.expect(422);
        assert!(wrong.has("We do not know this code."));
        assert_eq!(wrong.attributes("#f-code", "value"), ["SPRING1O"]);
        let cart = shopper.submit(&wrong, form, &[("code", "spring10")]).await.expect(200);
        assert!(cart.has("Spring (SPRING10): 10 % off") && cart.has("-2.40\u{a0}€"));
        let gone = shopper.submit(&cart, form, &[("remove_code!", "SPRING10")]).await.expect(200);
        assert!(!gone.has("SPRING10"));
        // The same at the checkout.
        let checkout = shopper.get("/checkout").await;
        let applied = [("action!", "update"), ("code", "SPRING10")];
        let checkout = shopper.submit(&checkout, "#checkout", &applied).await.expect(200);
        assert_eq!(checkout.text("#pay-total"), "26.50 €", "24.00 − 2.40 + 4.90");
        let typed = [
            ("email", "ada@example.com"),
            ("shipping_address.name", "Ada Lovelace"),
            ("shipping_address.line1", "Calle Mayor 1"),
            ("shipping_address.postal_code", "28013"),
            ("shipping_address.city", "Madrid"),
            ("shipping_address.country", "ES"),
        ];
        let thanks = shopper.submit(&checkout, "#checkout", &typed).await.expect(200);
        assert!(thanks.has("26.50"));

        let (system, first) = (app.system(), PageRequest::default());
        let all = service::list(&app, &system, &PromotionFilter::default(), first).await;
        let spring = all.unwrap().items.remove(0);
        assert_eq!(spring.uses, 1);
        let uses = service::redemptions(&app, &system, spring.id, first).await.unwrap();
        assert_eq!(uses.items[0].amount.amount(), "2.40");
        let page = staff.get(&format!("/admin/promotions/{}", spring.id)).await.expect(200);
        assert!(page.has(&uses.items[0].reference));
        balanced(&app).await;
        order_service::cancel(&app, &app.system(), &uses.items[0].reference).await.unwrap();
        assert_eq!(state(&app, &spring).await.0, 0, "the use is given back");
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn staff_keep_promotions_by_the_api(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let wrong = json!({"name": " ", "kind": "gift", "max_uses": 0, "position": -1,
            "starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"});
        let refused = api.post("/api/admin/promotions", wrong).await.expect(422).json();
        assert_eq!(fields(&refused), ["ends_at", "kind", "max_uses", "name", "position"]);
        let nothing = json!({"name": "Mugs", "kind": "amount", "target": "products", "product_ids": [77]});
        let refused = api.post("/api/admin/promotions", nothing).await.expect(422).json();
        assert_eq!(fields(&refused), ["amount"]);
        let unknown = json!({"name": "Mugs", "kind": "free_shipping", "target": "products", "product_ids": [77]});
        let refused = api.post("/api/admin/promotions", unknown).await.expect(422).json();
        assert_eq!(fields(&refused), ["product_ids"]);
        let input = json!({"name": "Three for two", "kind": "buy_x_get_y", "buy": 2, "get": 1});
        let made = api.post("/api/admin/promotions", input.clone()).await.expect(201);
        let path = made.header("location");
        assert_eq!(made.json()["state"], "live");
        assert_eq!(made.json()["percent"], "100");
        let mut changed = input.clone();
        changed["active"] = json!(false);
        let body = serde_json::to_vec(&changed).unwrap();
        let put = |api: Api, tag: &str| {
            let (api, path, body) = (api.with("if-match", tag), path.clone(), body.clone());
            async move { api.request(axum::http::Method::PUT, &path, "application/json", body).await }
        };
        put(api.clone(), "\"9\"").await.expect(412);
        let changed = put(api.clone(), &made.header("etag")).await.expect(200).json();
        assert_eq!((&changed["state"], &changed["version"]), (&json!("off"), &json!(2)));
        let listed = api.get("/api/admin/promotions?state=off").await.expect(200).json();
        assert_eq!(listed["total"], 1);
        let conflict = api.post(&format!("{path}/codes"), json!({"code": "EXTRA"})).await.expect(409);
        assert_eq!(conflict.json()["code"], "not_by_code");
        api.delete(&path).await.expect(204);
        api.get(&path).await.expect(404);
    }

    async fn a_hundred_uses_of_a_code_that_is_good_once_make_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 200).await;
        let once = made(&app, PromotionInput { max_uses: Some(1), ..ten_percent("ONCE") }).await;
        let mut tasks = JoinSet::new();
        for _ in 0..100 {
            let buyer = guest_with_code(&app, &mug, "ONCE").await;
            tasks.spawn(async move { buyer.post("/api/orders", body()).await });
        }
        let replies = tasks.join_all().await;
        let placed = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!((placed, orders(&app).await), (1, 1));
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(reply.status, 409, "{}", reply.body);
            let problem = reply.json();
            assert_eq!((&problem["code"], &problem["data"]["reason"]), (&json!("code_refused"), &json!("used_up")));
        }
        assert_eq!(state(&app, &once).await, (1, PromotionState::UsedUp));
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn who_confirms_the_price_without_the_code_gets_the_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let once = made(&app, PromotionInput { max_uses: Some(1), ..ten_percent("ONCE") }).await;
        let (first, second) = (
            guest_with_code(&app, &mug, "ONCE").await,
            guest_with_code(&app, &mug, "ONCE").await,
        );
        first.post("/api/orders", body()).await.expect(201);
        let mut late = body();
        late["expected_total"] = json!("26.50");
        let changed = second.post("/api/orders", late.clone()).await.expect(409).json();
        assert_eq!(changed["code"], "total_changed");
        assert!(changed["detail"].as_str().unwrap().contains("ONCE: This was used as often as it may be."));
        assert_eq!(reason(&changed["data"]["quote"]), "used_up");
        late["expected_total"] = json!("28.90");
        let placed = second.post("/api/orders", late).await.expect(201).json();
        assert_eq!((&placed["total"]["amount"], &placed["promotions"]), (&json!("28.90"), &json!([])));
        assert_eq!(state(&app, &once).await.0, 1);
        app.run_jobs().await;
    }

    async fn one_customer_is_known_by_account_and_by_e_mail(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        made(&app, PromotionInput { max_uses_per_customer: Some(1), ..ten_percent("MINE") }).await;
        made(&app, PromotionInput { first_order: true, ..ten_percent("FIRST") }).await;
        let guest = guest_with_code(&app, &mug, "MINE").await;
        guest.post("/api/orders", body()).await.expect(201);
        for (code, expected) in [("MINE", "used_by_you"), ("FIRST", "not_first_order")] {
            let again = guest_with_code(&app, &mug, code).await;
            let refused = again.post("/api/orders", body()).await.expect(409).json();
            assert_eq!(refused["data"]["reason"], expected);
        }
        let mut other = body();
        other["email"] = json!("bob@example.com");
        let bob = guest_with_code(&app, &mug, "FIRST").await;
        bob.post("/api/orders", other).await.expect(201);
        // Ada's account has her address: her cart tells it before the checkout does.
        app.customer("ada@example.com").await;
        let ada = app.api().signed_in("ada@example.com").await;
        let id = mug.variants[0].id;
        ada.post("/api/cart/items", json!({ "variant_id": id })).await.expect(200);
        let cart = ada.post("/api/cart/coupon", json!({"code": "mine"})).await.expect(200).json();
        assert_eq!(reason(&cart["quote"]), "used_by_you");
        for status in [200, 404] {
            let mine = json!({"code": "Mine"}).to_string().into_bytes();
            ada.request(axum::http::Method::DELETE, "/api/cart/coupon", "application/json", mine).await.expect(status);
        }
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn what_comes_by_itself_needs_no_code_and_follows_the_clock(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let start = app.clock.now().plus_seconds(60);
        made(&app, PromotionInput {
            name: "Sale".to_owned(),
            kind: "amount".to_owned(),
            amount: Some(MoneyInput::new("4.00")),
            target: Some("products".to_owned()),
            product_ids: vec![mug.id.0],
            minimum: Some(MoneyInput::new("48.00")),
            starts_at: Some(start.rfc3339()),
            ..PromotionInput::default()
        }).await;
        let two = with_cart(&app, &guest_with(&app, &mug, 2).await);
        let one = with_cart(&app, &guest_with(&app, &mug, 1).await);
        let discount = |cart: Value| cart["quote"]["discount"]["amount"].as_str().unwrap().to_owned();
        assert_eq!(discount(two.get("/api/cart").await.json()), "0.00", "not yet");
        app.clock.advance_seconds(60);
        assert_eq!(discount(two.get("/api/cart").await.json()), "4.00");
        assert_eq!(discount(one.get("/api/cart").await.json()), "0.00", "below the minimum");
        let placed = two.post("/api/orders", body()).await.expect(201).json();
        assert_eq!(placed["lines"][0]["line_discount"]["amount"], "4.00");
        assert_eq!(placed["total"]["amount"], "48.90", "48.00 − 4.00 + 4.90");
        app.run_jobs().await;
    }

    async fn a_cart_that_nobody_has_is_priced(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let sku = mug.variants[0].sku.clone();
        let later = app.clock.now().plus_seconds(3_600).rfc3339();
        let promotion = PromotionInput { starts_at: Some(later.clone()), ..ten_percent("LATER") };
        let later_one = made(&app, promotion).await;
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let path = "/api/admin/promotions/simulate";
        let mut cart = json!({"lines": [{"sku": sku, "quantity": 2}], "codes": ["later", "nope"]});
        let quote = api.post(path, cart.clone()).await.expect(200).json();
        let reasons: Vec<&str> = quote["refused_codes"].as_array().unwrap().iter()
            .map(|one| one["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["not_yet", "unknown"]);
        cart["at"] = json!(later);
        let quote = api.post(path, cart).await.expect(200).json();
        assert_eq!((&quote["discount"]["amount"], &quote["total"]["amount"]), (&json!("4.80"), &json!("48.10")));
        let wrong = json!({"lines": [{"sku": "NOPE", "quantity": 0}], "email": "no", "at": "soon"});
        let refused = api.post(path, wrong).await.expect(422).json();
        assert_eq!(fields(&refused), ["at", "email"]);
        let mut staff = app.browser();
        staff.sign_in("admin@example.com").await;
        let page = staff.get("/admin/promotions/simulator").await.expect(200);
        assert!(page.has("Name articles by SKU"));
        let priced = format!("/admin/promotions/simulator?sku={sku}&quantity=2&codes=later");
        let page = staff.get(&priced).await.expect(200);
        assert!(page.has("What does not") && page.has("This is good from"));
        let abroad = staff.get(&format!("{priced}&country=XX")).await.expect(422);
        assert!(abroad.has("Write the two letters of a country, such as DE."));
        let page = staff.get("/admin/promotions/simulator?sku=NOPE&quantity=x").await.expect(422);
        assert!(page.has("Nothing for sale has this SKU."));
        assert_eq!(state(&app, &later_one).await.0, 0, "nothing was counted");
        assert_eq!(orders(&app).await, 0);
    }

    async fn many_codes_are_made_listed_and_removed(app: TestApp) {
        let promotion = made(&app, ten_percent("WELCOME")).await;
        let (id, system) = (promotion.id, app.system());
        let many = NewCodes { count: Some(120), prefix: "card-".to_owned(), ..NewCodes::default() };
        assert_eq!(service::add_codes(&app, &system, id, many).await.unwrap(), 120);
        let page = service::codes(&app, &system, id, PageRequest::new(2, 100)).await.unwrap();
        assert_eq!((page.total, page.items.len()), (121, 21));
        assert!(page.items[0].code.starts_with("CARD-") && page.items[0].max_uses == Some(1));
        app.admin().await;
        let mut staff = app.browser();
        staff.sign_in("admin@example.com").await;
        let csv = staff.get(&format!("/admin/promotions/{id}/codes.csv")).await.expect(200);
        assert_eq!(csv.body.lines().count(), 122);
        assert!(csv.has("WELCOME,,0"));
        let codes = staff.get(&format!("/admin/promotions/{id}/codes")).await.expect(200);
        let form = format!("form[action='/admin/promotions/{id}/codes']");
        let taken = staff.submit(&codes, &form, &[("code", "welcome")]).await.expect(422);
        assert!(taken.has("There is this code already."));
        let both = [("code", "MORE"), ("count", "3")];
        staff.submit(&codes, &form, &both).await.expect(422);
        let added = staff.submit(&codes, &form, &[("code", "MORE")]).await.expect(200);
        assert!(added.has("The code was added."));
        let gone = [("code", "MORE")];
        let gone = staff.post(&format!("/admin/promotions/{id}/codes/delete"), &gone).await.expect(200);
        assert!(gone.has("The code was removed."));
    }

    async fn a_guests_codes_come_along_at_sign_in(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        made(&app, ten_percent("HELLO")).await;
        let guest = guest_with(&app, &mug, 1).await;
        zoco::cart::service::add_code(&app, &guest, "hello").await.unwrap();
        let ada = app.customer("ada@example.com").await;
        let token = guest.cart_token.as_deref().unwrap();
        zoco::cart::service::merge_guest_cart(&app, &ada, token).await.unwrap();
        let cart = zoco::cart::service::current(&app, &ada).await.unwrap();
        assert_eq!(cart.codes, ["HELLO"]);
        assert_eq!(cart.quote.discount.amount(), "2.40");
    }
}
