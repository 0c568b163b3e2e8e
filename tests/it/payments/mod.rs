//! Money through gateways: begun with the order, told by events that come twice, late and in any
//! order, taken, sent back, and never for nothing.

mod refunds;
mod staff;
mod stripe;
mod trouble;

use serde_json::json;
use zoco::catalog::Product;
use zoco::checkout::service::{self as checkout, PaymentInput, PlaceOrder};
use zoco::config::{Capture, Switch};
use zoco::ctx::Ctx;
use zoco::db::query::{Sql, fetch_one};
use zoco::error::Error;
use zoco::orders::{Order, OrderStatus, PaymentStatus, service as orders};
use zoco::payments::service::test_gateway;
use zoco::payments::{Behaviour, Payment, PaymentState};
use zoco::types::TextEnum;

use crate::cart::{guest_with, variant};
use crate::checkout::{at_checkout, on_hand, wish, with};
use crate::races::at_once;
use crate::support::{Reply, TestApp, both};

/// The shop with the test gateway switched on.
pub async fn gateway(app: &TestApp) -> TestApp {
    app.with_settings(|config| config.payment_test = Some(Switch::On))
        .await
}

/// The same, where staff take the money.
pub async fn gateway_by_hand(app: &TestApp) -> TestApp {
    app.with_settings(|config| {
        config.payment_test = Some(Switch::On);
        config.payment_capture = Capture::Manual;
    })
    .await
}

/// What a guest gives who pays in some way.
pub fn wish_by(provider: &str) -> PlaceOrder {
    PlaceOrder {
        payment: Some(PaymentInput {
            provider: Some(provider.to_owned()),
            token: None,
        }),
        ..wish()
    }
}

/// A guest's order of so many of a product, paid in some way.
pub async fn order_by(
    app: &TestApp,
    product: &Product,
    count: i64,
    provider: &str,
) -> (Ctx, Order) {
    let ctx = guest_with(app, product, count).await;
    let token = ctx.cart_token.clone();
    let placed = checkout::place_order(app, &ctx, token.as_deref(), wish_by(provider))
        .await
        .unwrap();
    let ctx = Ctx {
        order_token: placed.guest_token.clone(),
        ..ctx
    };
    (ctx, placed.order)
}

/// The same, by the test gateway.
pub async fn online(app: &TestApp, product: &Product, count: i64) -> (Ctx, Order) {
    order_by(app, product, count, "test").await
}

/// The shopper decides on the page of the test gateway.
pub async fn decide(app: &TestApp, order: &Order, behaviour: Behaviour) {
    let reference = order.payments.last().unwrap().gateway_reference.clone();
    test_gateway::decide(app, &reference.unwrap(), behaviour)
        .await
        .unwrap();
}

/// An order that was paid by the test gateway, and everybody knows it.
pub async fn paid(app: &TestApp, product: &Product, count: i64) -> Order {
    let (_, order) = online(app, product, count).await;
    decide(app, &order, Behaviour::Approve).await;
    app.run_jobs().await;
    let order = seen(app, &order).await;
    assert_ne!(order.payment_status, PaymentStatus::Unpaid);
    order
}

/// An order as it is now.
pub async fn seen(app: &TestApp, order: &Order) -> Order {
    orders::order(app, &app.system(), &order.number)
        .await
        .unwrap()
}

/// How many entries of a kind the timeline has.
pub fn entries(order: &Order, kind: &str) -> usize {
    let entries = order.events.iter();
    entries.filter(|event| event.kind == kind).count()
}

/// How many rows some SQL counts.
pub async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let mut conn = app.db.conn().await.unwrap();
    let (count,): (i64,) = fetch_one(&mut conn, Sql::same(sql), Vec::new())
        .await
        .unwrap();
    count
}

/// How many events of the outbox have a topic.
pub async fn told(app: &TestApp, topic: &str) -> i64 {
    let mut conn = app.db.conn().await.unwrap();
    let sql = Sql::same("select count(*) from outbox where topic = $1");
    let (count,): (i64,) = fetch_one(&mut conn, sql, vec![topic.into()]).await.unwrap();
    count
}

/// What is held of a simple product for orders that are being paid.
pub async fn reserved(app: &TestApp, product: &Product) -> i64 {
    let id = variant(product);
    let mut conn = app.db.conn().await.unwrap();
    let levels = zoco::inventory::service::levels(&mut conn, &[id])
        .await
        .unwrap();
    levels[&id].reserved
}

/// Fails when anything that is counted differs from what it is counted from.
pub async fn books_are_right(app: &TestApp) {
    let mut conn = app.db.conn().await.unwrap();
    let payments = zoco::payments::service::imbalances(&mut conn)
        .await
        .unwrap();
    assert_eq!(payments, []);
    let wrong = orders::money_imbalances(&mut conn).await.unwrap();
    assert_eq!(wrong, []);
    let stock = zoco::inventory::service::imbalances(&mut conn)
        .await
        .unwrap();
    assert!(stock.is_empty(), "{stock:?}");
    let overdrawn = count(
        app,
        "select count(*)
        from test_gateway_payments
        where refunded_minor > captured_minor",
    );
    assert_eq!(overdrawn.await, 0);
}

/// What the page about a payment says.
fn says(page: &Reply, words: &str) {
    assert!(page.has(words), "{}: {}", page.path, page.body);
}

both! {
    async fn a_shopper_pays_on_the_way_from_checkout(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (mut browser, page) = at_checkout(&app, &mug, 2).await;
        assert_eq!(
            page.attributes("input[name='payment.provider']", "value"),
            ["cash_on_delivery", "bank_transfer", "test"]
        );
        let page = browser
            .submit(&page, "#checkout", &with(&[("payment.provider", "test")]))
            .await
            .expect(200);
        assert!(page.path.starts_with("/test-gateway/"), "{}", page.path);
        says(&page, "52.90");
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (5, 2), "held, not taken");
        let thanks = browser
            .submit(&page, "#decide", &[("behaviour", "approve")])
            .await
            .expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (3, 0));
        let number = thanks.path.split('/').nth(2).unwrap().to_owned();
        let order = orders::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(order.payments[0].captured, order.total);
        // The event comes after the shopper was back, and changes nothing.
        app.run_jobs().await;
        let later = seen(&app, &order).await;
        assert_eq!(later.payments, order.payments);
        assert_eq!(later.statuses(), order.statuses());
        assert_eq!(entries(&later, "payment_captured"), 1);
        assert_eq!(told(&app, "order.paid").await, 1);
        assert_eq!(count(&app, "select count(*) from payment_events where state = 'done'").await, 1);
        // The page of the gateway says that it is over.
        let page = browser.get(&page.path).await.expect(200);
        says(&page, "This payment worked.");
        let again = browser.post(&page.path, &[("behaviour", "decline")]).await;
        assert_eq!(again.status.as_u16(), 409);
        browser.post("/test-gateway/none", &[]).await.expect(404);
        books_are_right(&app).await;
    }

    async fn the_api_says_where_to_pay(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let api = app.api().with("cart-token", ctx.cart_token.as_deref().unwrap());
        let mut body = crate::checkout::body();
        body["payment"] = json!({"provider": "test"});
        let reply = api.post("/api/orders", body.clone()).await.expect(201);
        let placed = reply.json();
        let url = placed["payment"]["redirect_url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:8000/test-gateway/test_"), "{url}");
        assert_eq!(placed["payment"]["status"], "pending");
        assert_eq!(placed["payments"][0]["provider"], "test");
        let again = api.post("/api/orders", body).await.expect(200).json();
        assert_eq!(again["payment"], placed["payment"], "one payment, however often it is asked");
        let number = placed["number"].as_str().unwrap();
        let holder = app.api().with("order-token", placed["order_token"].as_str().unwrap());
        let path = format!("/api/orders/{number}/pay");
        let same = holder.post(&path, json!({})).await.expect(200).json();
        assert_eq!(same, placed["payment"], "the payment that waits");
        assert_eq!(count(&app, "select count(*) from payments").await, 1);
        app.api().post(&path, json!({})).await.expect(404);
        let order = orders::order(&app, &app.system(), number).await.unwrap();
        decide(&app, &order, Behaviour::Decline).await;
        app.run_jobs().await;
        let failed = holder.get(&format!("/api/orders/{number}/payments")).await.expect(200).json();
        assert_eq!(failed["items"][0]["status"], "failed");
        assert_eq!(failed["items"][0]["failure"], "The bank declined the payment.");
        let unknown = holder.post(&path, json!({"provider": "gold"})).await.expect(422).json();
        assert_eq!(unknown["errors"][0]["field"], "provider");
        let anew = holder.post(&path, json!({})).await.expect(200).json();
        assert_ne!(anew["redirect_url"], placed["payment"]["redirect_url"]);
        let order = seen(&app, &order).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        let over = holder.post(&path, json!({})).await.expect(409).json();
        assert_eq!(over["code"], "not_payable");
        // Whoever transfers the money instead takes the goods at once.
        let (ctx, order) = online(&app, &mug, 1).await;
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (4, 1));
        let order = orders::pay(&app, &ctx, &order.number, Some("bank_transfer")).await.unwrap();
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (3, 0));
        assert_eq!(order.payments[0].state, PaymentState::Voided);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn each_behaviour_ends_where_it_should(app: TestApp) {
        let app = gateway(&app).await;
        for &behaviour in Behaviour::ALL {
            assert!(!behaviour.in_words().is_empty());
            let mug = app.product(&format!("Mug {behaviour}"), "24.00", 5).await;
            let (ctx, order) = online(&app, &mug, 1).await;
            decide(&app, &order, behaviour).await;
            let back = orders::returned(&app, &ctx, &order.number).await.unwrap();
            let expected = match behaviour {
                Behaviour::Decline => PaymentState::Failed,
                Behaviour::Challenge | Behaviour::Late => PaymentState::Pending,
                _ => PaymentState::Captured,
            };
            assert_eq!(back.payments[0].state, expected, "{behaviour}");
            app.run_jobs().await;
            app.clock.advance_seconds(120);
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            let (state, status) = match behaviour {
                Behaviour::Decline => (PaymentState::Failed, PaymentStatus::Unpaid),
                Behaviour::Challenge => (PaymentState::Pending, PaymentStatus::Unpaid),
                Behaviour::AmountDiffers | Behaviour::CurrencyDiffers => {
                    let payment = &order.payments[0];
                    assert_eq!(payment.unmatched.unwrap().as_str(), behaviour.as_str());
                    assert!(payment.kept().is_zero(), "it went back by itself");
                    assert!(!payment.refunded.is_zero());
                    (PaymentState::Captured, PaymentStatus::Unpaid)
                }
                _ => (PaymentState::Captured, PaymentStatus::Paid),
            };
            assert_eq!((order.payments[0].state, order.payment_status), (state, status), "{behaviour}");
            let times = usize::from(status == PaymentStatus::Paid);
            assert_eq!(entries(&order, "payment_captured"), times, "{behaviour}");
            assert_eq!(on_hand(&app, &mug).await, 5 - times as i64, "{behaviour}");
        }
        books_are_right(&app).await;
    }

    async fn what_nobody_tells_is_asked(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (_, order) = online(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::Never).await;
        app.run_jobs().await;
        orders::reconcile(&app).await.unwrap();
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Unpaid, "not yet");
        app.clock.advance_seconds(61);
        assert!(orders::reconcile(&app).await.unwrap() > 0);
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Paid);
        assert_eq!(orders::reconcile(&app).await.unwrap(), 0, "nothing is left to look at");
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn a_payment_that_failed_is_tried_again_by_page(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let fields = with(&[("payment.provider", "test")]);
        let page = browser.submit(&page, "#checkout", &fields).await.expect(200);
        let failed = browser.submit(&page, "#decide", &[("behaviour", "decline")]).await.expect(200);
        assert_eq!(failed.text("h1"), "The payment did not work");
        says(&failed, "The bank declined the payment.");
        assert_eq!(
            failed.attributes("#pay input", "value"),
            ["cash_on_delivery", "bank_transfer", "test"]
        );
        let number = failed.path.split('/').nth(2).unwrap().to_owned();
        let shown = browser.get(&format!("/orders/{number}")).await.expect(200);
        assert_eq!(shown.attributes("a.btn", "href"), [format!("/orders/{number}/payment")]);
        let wrong = browser.submit(&failed, "#pay", &[("provider", "gold")]).await;
        says(&wrong.expect(422), "There is no such way to pay.");
        let bank = browser.submit(&failed, "#pay", &[]).await.expect(200);
        let bank = browser.submit(&bank, "#decide", &[("behaviour", "challenge")]).await.expect(200);
        assert_eq!(bank.text("h1"), "Your bank asks");
        let wrong = browser.submit(&bank, "#challenge", &[("code", "0")]).await.expect(422);
        assert_eq!(wrong.attributes("#f-code", "value"), ["0"]);
        let thanks = browser.submit(&wrong, "#challenge", &[("code", "123456")]).await.expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        app.run_jobs().await;
        let order = orders::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(on_hand(&app, &mug).await, 4, "taken once");
        assert_eq!(told(&app, "order.payment_failed").await, 1);
        // Somebody else knows nothing of it.
        let mut stranger = app.browser();
        for path in ["payment", "payment/return"] {
            stranger.get(&format!("/orders/{number}/{path}")).await.expect(404);
        }
        stranger.post(&format!("/orders/{number}/payment"), &[("provider", "test")]).await.expect(404);
        books_are_right(&app).await;
    }

    async fn the_page_waits_with_the_shopper(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let fields = with(&[("payment.provider", "test")]);
        let page = browser.submit(&page, "#checkout", &fields).await.expect(200);
        let waiting = browser.submit(&page, "#decide", &[("behaviour", "late")]).await.expect(200);
        assert_eq!(waiting.text("h1"), "We are waiting for your payment");
        let refresh = waiting.attributes("meta[http-equiv=refresh]", "content");
        assert_eq!(refresh, [format!("5;url={}", waiting.path)]);
        app.clock.advance_seconds(120);
        let thanks = browser.get(&waiting.path).await.expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn staff_take_a_part_of_what_is_promised(app: TestApp) {
        let app = gateway_by_hand(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let staff = app.admin().await;
        let order = paid(&app, &mug, 1).await;
        assert_eq!(order.payment_status, PaymentStatus::Authorized);
        assert_eq!(order.payments[0].state, PaymentState::Authorized);
        assert_eq!(on_hand(&app, &mug).await, 8, "the goods are the order's");
        let amount = |text: &str| Some(zoco::types::MoneyInput::new(text));
        for wrong in ["0", "29.00", "x"] {
            let refused = orders::capture(&app, &staff, &order.number, amount(wrong)).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{wrong}");
        }
        let taken = orders::capture(&app, &staff, &order.number, amount("20.00")).await.unwrap();
        assert_eq!(taken.payment_status, PaymentStatus::Paid);
        assert_eq!(taken.payments[0].captured.amount(), "20.00");
        let twice = orders::capture(&app, &staff, &order.number, None).await;
        assert!(matches!(twice, Err(Error::Conflict { code: "nothing_promised", .. })));
        app.run_jobs().await;
        assert_eq!(entries(&seen(&app, &order).await, "payment_captured"), 1);
        // Or give it free: the order stays, and can be paid anew without taking goods twice.
        let order = paid(&app, &mug, 1).await;
        let freed = orders::void(&app, &staff, &order.number).await.unwrap();
        assert_eq!((freed.payment_status, freed.status), (PaymentStatus::Unpaid, OrderStatus::Pending));
        assert_eq!(freed.payments[0].state, PaymentState::Voided);
        let without = orders::without_money(&app, &staff).await.unwrap();
        assert_eq!(without[0].number, order.number);
        app.run_jobs().await;
        let order = orders::pay(&app, &staff, &order.number, None).await.unwrap();
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Authorized);
        assert_eq!(on_hand(&app, &mug).await, 7);
        // A cancelled order gives it free.
        orders::cancel(&app, &staff, &order.number).await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Unpaid);
        assert!(order.payments.iter().all(|one| one.state == PaymentState::Voided));
        assert_eq!(on_hand(&app, &mug).await, 8);
        books_are_right(&app).await;
    }

    async fn nobody_records_by_hand_what_a_gateway_takes(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (_, order) = online(&app, &mug, 1).await;
        let refused = orders::record_payment(&app, &app.system(), &order.number).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "paid_online", .. })));
        app.run_jobs().await;
    }

    async fn an_order_of_nothing_needs_no_gateway(app: TestApp) {
        let app = gateway(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let sql = Sql::same("update shipping_methods set price_minor = 0");
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let gift = app.product("A smile", "0.00", 5).await;
        let (_, order) = online(&app, &gift, 1).await;
        assert!(order.total.is_zero());
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(on_hand(&app, &gift).await, 4);
        let (_, sent) = online(&app, &gift, 1).await;
        crate::orders::drive(&app, &sent.number, zoco::orders::OrderStatus::Shipped).await;
        assert_eq!(on_hand(&app, &gift).await, 3);
        orders::cancel(&app, &app.system(), &order.number).await.unwrap();
        assert_eq!(on_hand(&app, &gift).await, 4);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn event_and_return_race_and_the_money_counts_once(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        for round in 1..=4 {
            let (ctx, order) = online(&app, &mug, 1).await;
            decide(&app, &order, Behaviour::Twice).await;
            let works: Vec<_> = (0..8).map(|work| (app.clone(), ctx.clone(), order.clone(), work)).collect();
            at_once(works, |(app, ctx, order, work)| async move {
                match work % 3 {
                    0 => orders::returned(&app, &ctx, &order.number).await.map(drop).unwrap(),
                    1 => app.run_jobs().await,
                    _ => orders::sync(&app, order.payments[0].id).await.unwrap(),
                }
            })
            .await;
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(order.payment_status, PaymentStatus::Paid);
            assert_eq!(entries(&order, "payment_captured"), 1);
            assert_eq!(told(&app, "order.paid").await, round);
            assert_eq!(on_hand(&app, &mug).await, 50 - round);
        }
        books_are_right(&app).await;
    }
}

/// The one payment of an order.
pub fn only(order: &Order) -> &Payment {
    assert_eq!(order.payments.len(), 1);
    &order.payments[0]
}
