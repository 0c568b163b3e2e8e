//! Orders that staff make for a customer: at the price that was shown, once, and the customer's.

use serde_json::{Value, json};
use zoco::catalog::Product;
use zoco::checkout::service::{self, MakeOrder, PaymentInput};
use zoco::ctx::{Ctx, Permission};
use zoco::db::Query;
use zoco::db::query::{Sql, fetch_all};
use zoco::error::Error;
use zoco::inventory::service::{RulesInput, set_rules};
use zoco::orders::{Order, OrderStatus, PaymentStatus, service as orders};
use zoco::payments::Behaviour;
use zoco::promotions::service::PromotionInput;
use zoco::types::{MoneyInput, Timestamp};

use crate::cart::{reprice, restock, variant};
use crate::checkout::{address, on_hand, orders as count_orders};
use crate::credit::{card, credit};
use crate::payments::{count, decide, gateway, reserved, seen};
use crate::races::at_once;
use crate::support::{Browser, Reply, TestApp, both};

const PAGE: &str = "/admin/orders/new";
const ADA: &str = "ada@example.com";

/// What is typed about the customer.
const FIELDS: [(&str, &str); 6] = [
    ("email", ADA),
    ("shipping_address.name", "Ada Lovelace"),
    ("shipping_address.line1", "Calle Mayor 1"),
    ("shipping_address.postal_code", "28013"),
    ("shipping_address.city", "Madrid"),
    ("shipping_address.country", "ES"),
];

/// Somebody who takes calls.
async fn seller(app: &TestApp) -> Ctx {
    let ctx = app.staff("sal@example.com", &[Permission::Orders]).await;
    app.run_jobs().await;
    ctx
}

/// Their browser, on the page.
async fn on_page(app: &TestApp) -> (Browser, Reply) {
    let mut browser = app.browser();
    browser.sign_in("sal@example.com").await;
    let page = browser.get(PAGE).await.expect(200);
    (browser, page)
}

/// A customer who has shown that the address is theirs.
async fn confirmed(app: &TestApp, email: &str) -> Ctx {
    let ctx = app.customer(email).await;
    let mut query = Query::new("update users set email_verified_at = ");
    query
        .bind(app.clock.now())
        .push(" where email = ")
        .bind(email);
    let mut tx = app.db.begin().await.unwrap();
    assert_eq!(query.execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    ctx
}

fn sku(product: &Product) -> &str {
    &product.variants[0].sku
}

/// An order of so many of a product for Ada.
fn for_ada(product: &Product, quantity: i64) -> MakeOrder {
    MakeOrder {
        email: ADA.to_owned(),
        lines: vec![zoco::cart::service::SimulatedLine {
            sku: sku(product).to_owned(),
            quantity,
        }],
        shipping_address: Some(address()),
        ..MakeOrder::default()
    }
}

fn by(provider: &str) -> Option<PaymentInput> {
    Some(PaymentInput {
        provider: Some(provider.to_owned()),
        token: None,
    })
}

async fn made(app: &TestApp, ctx: &Ctx, key: &str, input: &MakeOrder) -> Order {
    let made = service::make_order(app, ctx, Some(key), input).await;
    made.unwrap().order
}

/// The code of the conflict that refused it.
async fn refused(app: &TestApp, ctx: &Ctx, input: &MakeOrder) -> &'static str {
    match service::make_order(app, ctx, None, input).await {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

/// The form with one article and more, as it comes back with a price.
async fn priced(browser: &mut Browser, page: &Reply, sku: &str, more: &[(&str, &str)]) -> Reply {
    let mut typed = vec![("action!", "price"), ("lines.0.sku", sku)];
    let kept = FIELDS
        .iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    typed.extend(kept.copied());
    typed.extend(more.iter().copied());
    browser.submit(page, "#order", &typed).await
}

/// The number in the address of an order's page for staff.
fn number_in(page: &Reply) -> String {
    page.path.trim_start_matches("/admin/orders/").to_owned()
}

async fn read(app: &TestApp, number: &str) -> Order {
    orders::order(app, &app.system(), number).await.unwrap()
}

both! {
    async fn the_price_that_is_shown_is_the_price_that_is_placed(app: TestApp) {
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let jug = app.product("Tall jug", "40.00", 5).await;
        let ten = PromotionInput {
            name: "Ten off".to_owned(),
            trigger: Some("code".to_owned()),
            code: Some("TEN".to_owned()),
            kind: "percentage".to_owned(),
            percent: Some("10".to_owned()),
            ..PromotionInput::default()
        };
        zoco::promotions::service::create(&app, &app.system(), ten).await.unwrap();
        let mut browser = app.browser();
        browser.sign_in("sal@example.com").await;
        let list = browser.get("/admin/orders").await.expect(200);
        assert!(list.attributes("main a.btn", "href").contains(&PAGE.to_owned()));
        let page = browser.get(PAGE).await.expect(200);
        assert!(page.texts("#place").is_empty(), "there is no price to place");
        let more = [
            ("lines.0.quantity", "2"),
            ("lines.2.sku", sku(&jug)),
            ("codes", "ten, nope"),
            ("payment.provider", "bank_transfer"),
            ("note", "Called at nine"),
        ];
        let shown = priced(&mut browser, &page, sku(&mug), &more).await.expect(200);
        assert_eq!(count_orders(&app).await, 0, "nothing is kept");
        assert_eq!(count(&app, "select count(*) from carts").await, 0);
        // 2 × 24.00 + 40.00, 10 % off, and delivery is free.
        assert_eq!(shown.text("#place"), "Place the order for 79.20 €");
        assert_eq!(shown.texts("#priced .row > span:first-child"), ["2 × Everyday mug", "1 × Tall jug"]);
        assert!(shown.has("A guest's order") && shown.has("We do not know this code."));
        let done = browser.submit(&shown, "#order", &[("action!", "place")]).await.expect(200);
        assert!(done.has("ada@example.com gets the letter with it."), "{}", done.path);
        assert!(done.has("Order made for the customer"));

        let order = read(&app, &number_in(&done)).await;
        assert_eq!(order.total.amount(), "79.20");
        assert_eq!((order.user_id, order.note.as_str()), (None, "Called at nine"));
        let placed = order.events.first().unwrap();
        assert_eq!((placed.kind.as_str(), &placed.actor_name), ("placed", &sal.actor_name()));
        assert_eq!((on_hand(&app, &mug).await, on_hand(&app, &jug).await), (3, 4));
        let link = app.mailed_link(ADA).await;
        let own = app.browser().get(&link).await.expect(200);
        assert!(own.has("79.20") && own.has("Order placed") && !own.has("made for the customer"));
        let handed = done.attributes("#link", "href");
        assert!(handed[0].ends_with(&link), "{handed:?}");
        let sql = Sql::same("select action, actor_name, after from audit_log where subject = $1");
        let mut conn = app.db.conn().await.unwrap();
        let subject = format!("order {}", order.number);
        let rows: Vec<(String, String, String)> =
            fetch_all(&mut conn, sql, vec![subject.into()]).await.unwrap();
        assert_eq!((&rows[0].0, &rows[0].1), (&"order.placed".to_owned(), &sal.actor_name()));
        assert!(rows[0].2.contains("79.20") && !rows[0].2.contains(ADA), "{}", rows[0].2);
    }

    async fn the_same_form_twice_is_one_order(app: TestApp) {
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (mut browser, page) = on_page(&app).await;
        let shown = priced(&mut browser, &page, sku(&mug), &[]).await.expect(200);
        let first = browser.submit(&shown, "#order", &[("action!", "place")]).await.expect(200);
        let second = browser.submit(&shown, "#order", &[("action!", "place")]).await.expect(200);
        assert_eq!(first.path, second.path);
        assert!(second.has("has made order"));
        // What was typed since makes no difference: a form is one order.
        let other = [("action!", "place"), ("lines.0.quantity", "3")];
        let third = browser.submit(&shown, "#order", &other).await.expect(200);
        assert_eq!(first.path, third.path);
        assert_eq!((count_orders(&app).await, on_hand(&app, &mug).await), (1, 8));
        // Ten at once, and the key of somebody else is another one.
        let (input, boss) = (for_ada(&mug, 1), app.admin().await);
        let numbers = at_once(vec![(app.clone(), sal.clone(), input.clone()); 10], |(app, sal, input)| async move {
            made(&app, &sal, "one", &input).await.number
        })
        .await;
        assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
        assert_ne!(made(&app, &boss, "one", &input).await.number, numbers[0]);
        assert_eq!((count_orders(&app).await, on_hand(&app, &mug).await), (3, 6));
        app.run_jobs().await;
    }

    async fn it_is_the_customers_and_not_the_sellers(app: TestApp) {
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let ada = confirmed(&app, ADA).await;
        let bob = app.customer("bob@example.com").await;
        let mine = async |ctx: &Ctx| {
            let page = zoco::types::PageRequest::default();
            orders::list_own(&app, ctx, page).await.unwrap().total
        };
        let order = made(&app, &sal, "a", &for_ada(&mug, 1)).await;
        assert_eq!(order.user_id, ada.user_id());
        assert_eq!((mine(&ada).await, mine(&sal).await), (1, 0));
        assert_eq!(orders::guest_token(&app, &order), None);
        let (mut browser, page) = on_page(&app).await;
        let shown = priced(&mut browser, &page, sku(&mug), &[]).await.expect(200);
        assert!(shown.text("#owner").starts_with("Goes into the account of"));
        // Who only says that an address is theirs sees no order of it.
        let for_bob = MakeOrder { email: "bob@example.com".to_owned(), ..for_ada(&mug, 1) };
        let order = made(&app, &sal, "b", &for_bob).await;
        assert_eq!((order.user_id, mine(&bob).await), (None, 0));
        let link = app.mailed_link("bob@example.com").await;
        app.browser().get(&link).await.expect(200);
        // The seller's own cart is left alone, and another order is begun with what is known.
        assert_eq!(zoco::cart::service::count(&app, &sal).await.unwrap(), 0);
        let again = browser.get(&format!("{PAGE}?like={}", order.number)).await.expect(200);
        assert_eq!(again.attributes("#f-email", "value"), ["bob@example.com"]);
        assert_eq!(again.attributes("[name='shipping_address.city']", "value"), ["Madrid"]);
        browser.get(&format!("{PAGE}?like=NONE")).await.expect(404);
        let named = browser.get(&format!("{PAGE}?email=bob%40example.com")).await.expect(200);
        assert_eq!(named.attributes("#f-email", "value"), ["bob@example.com"]);
    }

    async fn limits_and_money_are_the_customers(app: TestApp) {
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        confirmed(&app, ADA).await;
        let once = PromotionInput {
            name: "Once".to_owned(),
            trigger: Some("code".to_owned()),
            code: Some("ONCE".to_owned()),
            kind: "percentage".to_owned(),
            percent: Some("50".to_owned()),
            max_uses_per_customer: Some(1),
            ..PromotionInput::default()
        };
        zoco::promotions::service::create(&app, &app.system(), once).await.unwrap();
        let with_code = MakeOrder { codes: vec!["once".to_owned()], ..for_ada(&mug, 1) };
        assert_eq!(made(&app, &sal, "a", &with_code).await.total.amount(), "16.90");
        assert_eq!(refused(&app, &sal, &with_code).await, "code_refused");
        let for_bob = MakeOrder { email: "bob@example.com".to_owned(), ..with_code };
        assert_eq!(made(&app, &sal, "b", &for_bob).await.total.amount(), "16.90");

        let (gift, code) = card(&app, "10.00").await;
        credit(&app, ADA, "5.00").await;
        let by_credit = MakeOrder {
            gift_cards: vec![code.clone()],
            store_credit: true,
            expected_remaining: Some(MoneyInput::new("13.90")),
            ..for_ada(&mug, 1)
        };
        let shown = service::price_order(&app, &sal, &by_credit).await.unwrap();
        assert_eq!(shown.settlement.remaining.amount(), "13.90");
        assert_eq!(shown.cart.gift_cards[0].id, gift.id);
        let order = made(&app, &sal, "c", &by_credit).await;
        assert_eq!((order.total.amount(), order.to_pay().amount()), ("28.90".to_owned(), "13.90".to_owned()));
        // Both are empty now. A repetition still finds its order; a new one is told.
        assert_eq!(made(&app, &sal, "c", &by_credit).await.number, order.number);
        let errors = match service::make_order(&app, &sal, None, &by_credit).await {
            Err(Error::Invalid(errors)) => errors,
            other => panic!("{other:?}"),
        };
        assert_eq!(errors.of("gift_cards"), "No gift card with this code has money on it.");
        let no_card = MakeOrder { gift_cards: Vec::new(), ..by_credit };
        assert_eq!(refused(&app, &sal, &no_card).await, "remaining_changed");
        app.run_jobs().await;
        crate::payments::books_are_right(&app).await;
    }

    async fn what_is_wrong_comes_back_at_its_field(app: TestApp) {
        seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (mut browser, page) = on_page(&app).await;
        let key = page.attributes("#order [name='key']", "value");
        let empty = browser.submit(&page, "#order", &[("action!", "price")]).await.expect(422);
        assert!(empty.has("Name 1 to 200 articles."));
        let wrong = [
            ("email", "no address"),
            ("lines.0.quantity", "many"),
            ("lines.1.sku", "NOPE <b>"),
            ("lines.2.quantity", "2"),
            ("shipping_method!", "rocket"),
            ("gift_cards", "AAAA-BBBB"),
            ("shipping_address.city", "Lugo & Co"),
        ];
        let back = priced(&mut browser, &page, sku(&mug), &wrong).await.expect(422);
        for (place, words) in [
            ("#e-email", "Write an e-mail address like name@example.com."),
            ("[id='e-lines.0']", "Choose 1 to 99 of one article."),
            ("[id='e-lines.1']", "Nothing for sale has this SKU."),
            ("[id='e-lines.2']", "Write the SKU."),
            ("#e-shipping_method", "There is no such way to ship there. Choose another one."),
            ("#e-gift_cards", "No gift card with this code has money on it."),
        ] {
            assert_eq!(back.text(place), words, "{place}");
        }
        assert_eq!(back.attributes("[id='f-lines.1.sku']", "value"), ["NOPE <b>"]);
        assert_eq!(back.attributes("[name='shipping_address.city']", "value"), ["Lugo & Co"]);
        assert_eq!(back.attributes("#order [name='key']", "value"), key, "the form is the same one");
        // More rows, with what was typed.
        let more = browser.submit(&back, "#order", &[("action!", "more")]).await.expect(200);
        assert_eq!(more.attributes("[id='f-lines.1.sku']", "value"), ["NOPE <b>"]);
        assert_eq!(more.texts(".sku-row").len(), 8);
        assert!(more.texts("#errors").is_empty());
        // The price needs no address; the order does.
        let nameless = [("shipping_address.name", ""), ("email", "")];
        let shown = priced(&mut browser, &page, sku(&mug), &nameless).await.expect(200);
        let place = [("action!", "place"), ("payment.provider!", "shells")];
        let back = browser.submit(&shown, "#order", &place).await.expect(422);
        for field in ["email", "shipping_address.name", "payment.provider"] {
            assert!(!back.text(&format!("[id='e-{field}']")).is_empty(), "{field}");
        }
        assert_eq!(back.texts("#place").len(), 1, "the price stays");
        // The same article in two rows is one line, and counts as one.
        let twice = [("lines.0.quantity", "98"), ("lines.1.sku", sku(&mug)), ("lines.1.quantity", "2")];
        let back = priced(&mut browser, &page, sku(&mug), &twice).await.expect(422);
        assert_eq!(back.text("[id='e-lines.1']"), "Choose 1 to 99 of one article.");
        // Without its price, or its key, nothing is placed.
        let bare = [("action!", "place"), ("lines.0.sku", sku(&mug))];
        browser.submit(&page, "#order", &bare).await.expect(200);
        browser.submit(&shown, "#order", &[("action!", "place"), ("key", "")]).await.expect(200);
        assert_eq!(count_orders(&app).await, 0);
    }

    async fn what_changed_meanwhile_places_nothing(app: TestApp) {
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 3).await;
        let (mut browser, page) = on_page(&app).await;
        let shown = priced(&mut browser, &page, sku(&mug), &[("lines.0.quantity", "2")]).await.expect(200);
        reprice(&app, &mug, "25.00").await;
        let back = browser.submit(&shown, "#order", &[("action!", "place")]).await.expect(409);
        assert!(back.text("#refusal").contains("The total is now 54.90"), "{}", back.text("#refusal"));
        assert_eq!(back.attributes("[id='f-lines.0.quantity']", "value"), ["2"]);
        assert_eq!(back.text("#place"), "Place the order for 54.90 €");
        restock(&app, &mug, 1).await;
        let back = browser.submit(&back, "#order", &[("action!", "place")]).await.expect(409);
        assert!(back.text("#refusal").contains("Only 1 of Everyday mug left; you chose 2."));
        assert!(back.has("Only 1 left"), "beside the article, too");
        assert_eq!(count(&app, "select count(*) from carts").await, 0, "nothing stays behind");
        let fewer = [("action!", "price"), ("lines.0.quantity", "1")];
        let shown = browser.submit(&back, "#order", &fewer).await.expect(200);
        let done = browser.submit(&shown, "#order", &[("action!", "place")]).await.expect(200);
        assert_eq!(read(&app, &number_in(&done)).await.total.amount(), "29.90");
        assert_eq!(on_hand(&app, &mug).await, 0);
        // What is sold beyond its stock is sold to callers, too.
        let rules = RulesInput { backorder: Some(true), ..RulesInput::default() };
        set_rules(&app, &app.system(), variant(&mug), rules).await.unwrap();
        let order = made(&app, &sal, "later", &for_ada(&mug, 2)).await;
        assert_eq!((order.count(), on_hand(&app, &mug).await), (2, -2));
        app.run_jobs().await;
    }

    async fn a_gateway_is_paid_by_the_link_in_the_letter(app: TestApp) {
        let app = gateway(&app).await;
        let sal = seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let order = made(&app, &sal, "a", &MakeOrder { payment: by("test"), ..for_ada(&mug, 2) }).await;
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (5, 2), "held, not taken");
        let mut conn = app.db.conn().await.unwrap();
        let sql = Sql::same("select expires_at from reservations");
        let until: Vec<(Timestamp,)> = fetch_all(&mut conn, sql, Vec::new()).await.unwrap();
        drop(conn);
        assert_eq!(until, [(app.clock.now().plus_seconds(24 * 3600),)], "a letter is read later");
        let link = app.mailed_link(ADA).await;
        // The shop's usual hour is over, and the next one too.
        for _ in 0..3 {
            app.clock.advance_seconds(3_600);
            orders::reconcile(&app).await.unwrap();
        }
        assert_eq!(reserved(&app, &mug).await, 2);
        let mut ada = app.browser();
        let page = ada.get(&link).await.expect(200);
        assert!(page.has("Pay 52.90"));
        let pay = page.attributes("main a.btn", "href");
        let pay = pay.iter().find(|href| href.ends_with("/payment")).unwrap();
        let at_gateway = ada.get(pay).await.expect(200);
        assert!(at_gateway.path.starts_with("/test-gateway/"), "{}", at_gateway.path);
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Paid);
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (3, 0));
        // After a day nobody waits any longer.
        let order = made(&app, &sal, "b", &MakeOrder { payment: by("test"), ..for_ada(&mug, 1) }).await;
        app.run_jobs().await;
        app.clock.advance_seconds(24 * 3_600);
        orders::reconcile(&app).await.unwrap();
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.status, OrderStatus::Cancelled);
        assert_eq!(reserved(&app, &mug).await, 0);
        crate::payments::books_are_right(&app).await;
    }

    async fn the_api_makes_the_same_order_once(app: TestApp) {
        seller(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let api = app.api().signed_in("sal@example.com").await;
        let path = "/api/admin/orders";
        let body = json!({
            "email": ADA,
            "lines": [{"sku": sku(&mug), "quantity": 2}],
            "payment": {"provider": "bank_transfer"},
            "expected_total": "52.90",
            "locale": "es",
            "shipping_address": {
                "name": "Ada Lovelace", "line1": "Calle Mayor 1", "postal_code": "28013",
                "city": "Madrid", "country": "ES",
            },
        });
        let keyed = api.with("idempotency-key", "call 7");
        let first = keyed.post(path, body.clone()).await.expect(201);
        let number = first.json()["number"].as_str().unwrap().to_owned();
        assert_eq!(first.header("location"), format!("/api/admin/orders/{number}"));
        let token = first.json()["order_token"].as_str().unwrap().to_owned();
        let guest = app.api().with("order-token", &token);
        guest.get(&format!("/api/orders/{number}")).await.expect(200);
        let order = read(&app, &number).await;
        assert_eq!(order.locale.as_str(), "es");
        // The kept answer, and after it is forgotten the order itself.
        let second = keyed.post(path, body.clone()).await.expect(201);
        assert_eq!(second.json()["number"], number.as_str());
        let mut tx = app.db.begin().await.unwrap();
        Query::new("delete from idempotency_keys").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let later = keyed.post(path, body.clone()).await.expect(200);
        assert_eq!(later.json()["number"], number.as_str());
        assert_eq!(count_orders(&app).await, 1);

        let conflict = |change: &dyn Fn(&mut Value)| {
            let mut body = body.clone();
            change(&mut body);
            let api = api.clone();
            async move { api.post(path, body).await }
        };
        let changed = conflict(&|body| body["expected_total"] = json!("50.00")).await.expect(409).json();
        assert_eq!((&changed["code"], &changed["data"]["quote"]["total"]["amount"]), (&json!("total_changed"), &json!("52.90")));
        let short = conflict(&|body| body["lines"][0]["quantity"] = json!(4)).await.expect(409).json();
        assert_eq!((&short["code"], &short["data"]["lines"][0]["available"]), (&json!("out_of_stock"), &json!(3)));
        let wrong = conflict(&|body| {
            body["lines"] = json!([{"sku": "NOPE", "quantity": 1}, {"sku": sku(&mug), "quantity": -1}]);
            body["locale"] = json!("xx");
            body["email"] = json!("");
        }).await.expect(422).json();
        let fields: Vec<&str> = wrong["errors"].as_array().unwrap().iter()
            .map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["email", "lines.0.sku", "lines.1.quantity", "locale"]);
        assert_eq!(on_hand(&app, &mug).await, 3);
        // Who may not is refused before anything is looked at.
        app.customer("eve@example.com").await;
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        for email in ["eve@example.com", "stock@example.com"] {
            let api = app.api().signed_in(email).await;
            api.post(path, body.clone()).await.expect(403);
            let mut browser = app.browser();
            browser.sign_in(email).await;
            browser.get(PAGE).await.expect(403);
            browser.post(PAGE, &[("action", "place")]).await.expect(403);
        }
        app.api().post(path, body.clone()).await.expect(401);
        app.run_jobs().await;
    }
}
