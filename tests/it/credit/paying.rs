//! Gift cards and store credit at the checkout: what they pay, what remains, and that each gets
//! back what it paid, once.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use zoco::cart::service as carts;
use zoco::catalog::Product;
use zoco::checkout::service::{PaymentInput, PlaceOrder, place_order};
use zoco::credit::service::{CardChange, change_card};
use zoco::ctx::Ctx;
use zoco::error::Error;
use zoco::orders::service::{self as orders, RefundInput, RefundLineInput};
use zoco::orders::{Order, OrderStatus, PaymentStatus, RefundState};
use zoco::payments::{Behaviour, PaymentState};
use zoco::types::MoneyInput;

use super::{balanced, card, credit, ledger, left};
use crate::cart::{guest_with, some};
use crate::checkout::{at_checkout, body, on_hand, orders as count_orders, wish, with};
use crate::payments::{books_are_right, decide, gateway, seen};
use crate::rest::gateway_has;
use crate::support::{Api, TestApp, both};

/// A guest's cart of one mug, 28.90 with shipping, to be paid with these cards.
async fn guest_paying(app: &TestApp, product: &Product, codes: &[&str]) -> Ctx {
    let guest = guest_with(app, product, 1).await;
    for code in codes {
        carts::add_gift_card(app, &guest, code).await.unwrap();
    }
    guest
}

fn client(app: &TestApp, ctx: &Ctx) -> Api {
    app.api()
        .with("cart-token", ctx.cart_token.as_deref().unwrap())
}

/// The order that somebody places, the rest paid in some way.
async fn placed(app: &TestApp, ctx: &Ctx, provider: &str, store_credit: bool) -> Order {
    let input = PlaceOrder {
        payment: Some(PaymentInput {
            provider: Some(provider.to_owned()),
            token: None,
        }),
        store_credit,
        ..wish()
    };
    let token = ctx.cart_token.as_deref();
    place_order(app, ctx, token, input).await.unwrap().order
}

/// Provider, state, amount and what went back of each payment.
fn payments(order: &Order) -> Vec<(&str, PaymentState, String, String)> {
    let payments = order.payments.iter();
    payments
        .map(|one| {
            let (amount, back) = (one.amount.amount(), one.refunded.amount());
            (one.provider.as_str(), one.state, amount, back)
        })
        .collect()
}

async fn refund(app: &TestApp, order: &Order, amount: &str) -> Order {
    let input = RefundInput {
        amount: Some(MoneyInput::new(amount)),
        ..RefundInput::default()
    };
    let refunded = orders::refund(app, &app.system(), &order.number, input).await;
    refunded.unwrap()
}

fn amounts(settled: &Value) -> Vec<&str> {
    let cards = settled["gift_cards"].as_array().unwrap().iter();
    cards
        .map(|card| card["amount"]["amount"].as_str().unwrap())
        .collect()
}

both! {
    async fn a_card_pays_a_part_and_the_courier_the_rest(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (made, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let api = client(&app, &guest);
        let quote = api.get("/api/cart/quote").await.expect(200).json();
        assert_eq!((amounts(&quote), &quote["remaining"]["amount"]), (vec!["10.00"], &json!("18.90")));
        assert_eq!(quote["total"]["amount"], "28.90", "the price is the same");
        let mut input = body();
        input["expected_total"] = json!("28.90");
        input["expected_remaining"] = json!("28.90");
        let refused = api.post("/api/orders", input.clone()).await.expect(409).json();
        assert_eq!((&refused["code"], &refused["data"]["remaining"]), (&json!("remaining_changed"), &json!("18.90")));
        assert_eq!(left(&app, &made).await, "10.00", "nothing was taken");
        input["expected_remaining"] = json!("18.90");
        let reply = api.post("/api/orders", input.clone()).await.expect(201).json();
        let number = reply["number"].as_str().unwrap().to_owned();
        assert_eq!((&reply["payment_status"], &reply["total"]["amount"]), (&json!("unpaid"), &json!("28.90")));
        api.post("/api/orders", input).await.expect(200);
        assert_eq!(left(&app, &made).await, "0.00", "once");
        let order = orders::record_payment(&app, &app.system(), &number).await.unwrap();
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(payments(&order), [
            ("gift_card", PaymentState::Captured, "10.00".to_owned(), "0.00".to_owned()),
            ("cash_on_delivery", PaymentState::Captured, "18.90".to_owned(), "0.00".to_owned()),
        ]);
        // Money goes back first, as far as money came; then the card gets back what it paid.
        let part = refund(&app, &order, "20.00").await;
        assert_eq!(part.payment_status, PaymentStatus::PartiallyRefunded);
        assert_eq!((part.payments[0].refunded.amount(), part.payments[1].refunded.amount()),
            ("1.10".to_owned(), "18.90".to_owned()));
        let all = refund(&app, &order, "8.90").await;
        assert_eq!(all.payment_status, PaymentStatus::Refunded);
        let more = RefundInput { amount: Some(MoneyInput::new("0.01")), ..RefundInput::default() };
        let more = orders::refund(&app, &app.system(), &number, more).await;
        assert!(matches!(more, Err(Error::Conflict { code: "refund_too_large", .. })));
        let told = [("issued", 1_000), ("spent", -1_000), ("refunded", 110), ("refunded", 890)];
        assert_eq!(ledger(&app, &made).await, told.map(|(reason, minor)| (reason.to_owned(), minor)));
        balanced(&app).await;
        books_are_right(&app).await;
        app.run_jobs().await;
    }

    async fn nothing_goes_back_before_the_rest_is_paid(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let staff = app.admin().await;
        let input = || RefundInput { amount: Some(MoneyInput::new("10.00")), ..RefundInput::default() };
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        for provider in ["cash_on_delivery", "test"] {
            let (made, code) = card(&app, "10.00").await;
            let guest = guest_paying(&app, &mug, &[&code]).await;
            let order = placed(&app, &guest, provider, false).await;
            let refused = orders::refund(&app, &staff, &order.number, input()).await;
            assert!(matches!(refused, Err(Error::Conflict { code: "not_paid", .. })), "{refused:?}");
            let page = browser.get(&format!("/admin/orders/{}/refund", order.number)).await.expect(200);
            assert!(page.text("#hindrance").contains("wait for its payment, or cancel the order"), "{}", page.body);
            assert!(page.attributes("#refund", "action").is_empty());
            assert_eq!(left(&app, &made).await, "0.00");
            // So the rest can still come, and then the card gets its money back.
            if provider == "test" {
                decide(&app, &order, Behaviour::Approve).await;
                app.run_jobs().await;
            } else {
                orders::record_payment(&app, &staff, &order.number).await.unwrap();
            }
            assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Paid);
            orders::refund(&app, &staff, &order.number, input()).await.unwrap();
            // One that waits can be cancelled whole.
            let (made, code) = card(&app, "10.00").await;
            let guest = guest_paying(&app, &mug, &[&code]).await;
            let order = placed(&app, &guest, provider, false).await;
            orders::cancel(&app, &staff, &order.number).await.unwrap();
            assert_eq!(left(&app, &made).await, "10.00");
        }
        app.run_jobs().await;
        balanced(&app).await;
        books_are_right(&app).await;
    }

    async fn what_went_back_in_part_is_not_sent_again(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let staff = app.system();
        let (made, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let order = placed(&app, &guest, "test", false).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        // 18.90 by the gateway, which refuses, and 5.10 by the card.
        gateway_has(&app, "update test_gateway_payments set captured_minor = 0").await;
        let line = RefundLineInput { line_id: order.lines[0].id.0, quantity: 1, restock: false };
        let input = RefundInput { lines: vec![line], ..RefundInput::default() };
        orders::refund(&app, &staff, &order.number, input).await.unwrap();
        app.run_jobs().await;
        assert_eq!(left(&app, &made).await, "5.10");
        let books = orders::books(&app, &staff, &order.number).await.unwrap();
        let one = &books.refunds[0];
        assert_eq!((one.state, one.amount.amount(), one.lines.len()), (RefundState::Succeeded, "5.10".to_owned(), 0));
        let can = &books.refundable;
        assert_eq!((can.refunded.amount(), can.amount.amount()), ("5.10".to_owned(), "23.80".to_owned()));
        // What is left of it goes the way that it is to go, and the card gets nothing twice.
        gateway_has(&app, "update test_gateway_payments set captured_minor = 1890").await;
        let after = refund(&app, &order, "18.90").await;
        assert_eq!(after.payment_status, PaymentStatus::PartiallyRefunded);
        app.run_jobs().await;
        assert_eq!(left(&app, &made).await, "5.10");
        let found = zoco::admin::service::examine(&app).await.unwrap();
        assert_eq!(found, []);
        balanced(&app).await;
        books_are_right(&app).await;
    }

    async fn cards_and_credit_pay_all_of_it_by_the_page(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (first, code) = card(&app, "5.00").await;
        let (second, other) = card(&app, "6.00").await;
        app.customer("ada@example.com").await;
        let own = credit(&app, "ada@example.com", "20.00").await;
        let mut ada = app.browser();
        ada.sign_in("ada@example.com").await;
        let variant = mug.variants[0].id.to_string();
        ada.post("/cart/items", &[("variant_id", &variant)]).await.expect(200);
        let page = ada.get("/checkout").await.expect(200);
        let wrong = [("action!", "update"), ("gift_card", "AAAA-BBBB-CCCC-DDDD")];
        let again = ada.submit(&page, "#checkout", &wrong).await.expect(422);
        assert!(again.has("No gift card with this code has money on it."));
        assert_eq!(again.attributes("#f-gift_card", "value"), ["AAAA-BBBB-CCCC-DDDD"]);
        let page = ada.submit(&again, "#checkout", &[("action!", "update"), ("gift_card", &code)]).await.expect(200);
        let page = ada.submit(&page, "#checkout", &[("action!", "update"), ("gift_card", &other)]).await.expect(200);
        assert_eq!(page.text("#pay-total"), "17.90 €");
        let gone = ada.submit(&page, "#checkout", &[("remove_gift_card!", &second.id.to_string())]).await.expect(200);
        assert_eq!(gone.text("#pay-total"), "23.90 €");
        let page = ada.submit(&gone, "#checkout", &[("action!", "update"), ("gift_card", &other)]).await.expect(200);
        // Whoever ticks it without looking is shown what remains first.
        let ticked = with(&[("store_credit", "on")]);
        let refused = ada.submit(&page, "#checkout", &ticked).await.expect(409);
        assert!(refused.has("There is now 0.00\u{a0}€ to pay instead of 17.90\u{a0}€."));
        assert!(refused.has("Nothing remains to pay"));
        let thanks = ada.submit(&refused, "#checkout", &ticked).await.expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        let number = thanks.path.split('/').nth(2).unwrap().to_owned();
        let order = orders::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!((order.payment_status, order.to_pay().amount()), (PaymentStatus::Paid, "0.00".to_owned()));
        let providers: Vec<_> = payments(&order).into_iter().map(|(name, _, amount, _)| (name, amount)).collect();
        assert_eq!(providers, [
            ("gift_card", "5.00".to_owned()),
            ("gift_card", "6.00".to_owned()),
            ("store_credit", "17.90".to_owned()),
        ]);
        assert_eq!((left(&app, &own).await.as_str(), on_hand(&app, &mug).await), ("2.10", 4));
        // Cancelled twice at once, each gets back what it paid, once.
        let mut tasks = JoinSet::new();
        for _ in 0..2 {
            let (app, number) = (app.clone(), number.clone());
            tasks.spawn(async move { orders::cancel(&app, &app.system(), &number).await.is_ok() });
        }
        let cancelled = tasks.join_all().await.into_iter().filter(|done| *done).count();
        assert_eq!(cancelled, 1);
        let order = orders::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!((order.status, order.payment_status), (OrderStatus::Cancelled, PaymentStatus::Refunded));
        for (account, amount) in [(&first, "5.00"), (&second, "6.00"), (&own, "20.00")] {
            assert_eq!(left(&app, account).await, amount);
        }
        assert_eq!(on_hand(&app, &mug).await, 5);
        balanced(&app).await;
        books_are_right(&app).await;
        app.run_jobs().await;
    }

    async fn the_gateway_takes_what_remains_and_no_more(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (made, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let order = placed(&app, &guest, "test", false).await;
        assert_eq!(order.to_pay().amount(), "18.90");
        crate::payments::decide(&app, &order, zoco::payments::Behaviour::Approve).await;
        app.run_jobs().await;
        let paid = crate::payments::seen(&app, &order).await;
        assert_eq!(paid.payment_status, PaymentStatus::Paid);
        assert_eq!(payments(&paid), [
            ("gift_card", PaymentState::Captured, "10.00".to_owned(), "0.00".to_owned()),
            ("test", PaymentState::Captured, "18.90".to_owned(), "0.00".to_owned()),
        ]);
        orders::cancel(&app, &app.system(), &order.number).await.unwrap();
        app.run_jobs().await;
        let back = crate::payments::seen(&app, &order).await;
        assert_eq!(back.payment_status, PaymentStatus::Refunded);
        assert_eq!(left(&app, &made).await, "10.00");
        // Declined, and paid anew: still no more than what remains.
        let (_, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let order = placed(&app, &guest, "test", false).await;
        crate::payments::decide(&app, &order, zoco::payments::Behaviour::Decline).await;
        app.run_jobs().await;
        let failed = crate::payments::seen(&app, &order).await;
        assert_eq!(failed.payment_status, PaymentStatus::Unpaid);
        let anew = orders::pay(&app, &app.system(), &order.number, Some("bank_transfer")).await.unwrap();
        assert_eq!(anew.payments.last().unwrap().amount.amount(), "18.90");
        balanced(&app).await;
        books_are_right(&app).await;
        app.run_jobs().await;
    }

    async fn a_card_gets_its_money_back_when_the_goods_are_gone(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let (made, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let order = placed(&app, &guest, "test", false).await;
        app.run_jobs().await;
        app.clock.advance_seconds(16 * 60);
        zoco::inventory::service::sweep(&app).await.unwrap();
        crate::checkout::guest_order(&app, &mug, 1).await;
        crate::payments::decide(&app, &order, zoco::payments::Behaviour::Approve).await;
        app.run_jobs().await;
        let order = crate::payments::seen(&app, &order).await;
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert_eq!(payments(&order), [
            ("gift_card", PaymentState::Captured, "10.00".to_owned(), "10.00".to_owned()),
            ("test", PaymentState::Captured, "18.90".to_owned(), "18.90".to_owned()),
        ]);
        assert_eq!(left(&app, &made).await, "10.00");
        balanced(&app).await;
        books_are_right(&app).await;
    }

    async fn fifty_carts_with_one_card_spend_it_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let (made, code) = card(&app, "28.90").await;
        let mut buyers = Vec::new();
        for _ in 0..50 {
            buyers.push(client(&app, &guest_paying(&app, &mug, &[&code]).await));
        }
        let mut tasks = JoinSet::new();
        for api in buyers {
            tasks.spawn(async move { api.post("/api/orders", body()).await });
        }
        let replies = tasks.join_all().await;
        let placed = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!((placed, count_orders(&app).await), (1, 1));
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(reply.status, 409, "{}", reply.body);
            let problem = reply.json();
            assert_eq!((&problem["code"], &problem["data"]["remaining"]), (&json!("remaining_changed"), &json!("28.90")));
            assert!(problem["detail"].as_str().unwrap().contains("is empty"));
        }
        assert_eq!((left(&app, &made).await.as_str(), on_hand(&app, &mug).await), ("0.00", 99));
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn what_pays_nothing_is_refused_alike_and_can_be_taken_away(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (off, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let api = client(&app, &guest);
        let switch = CardChange { active: Some(false), ..CardChange::default() };
        change_card(&app, &app.system(), off.id, None, switch).await.unwrap();
        let other = client(&app, &guest_with(&app, &mug, 1).await);
        let refused = other.post("/api/cart/gift-cards", json!({ "code": code })).await.expect(422).json();
        let unknown = other.post("/api/cart/gift-cards", json!({ "code": "AAAABBBBCCCCDDDD" })).await.expect(422).json();
        assert_eq!(refused["errors"], unknown["errors"], "nobody learns which codes there are");
        let quote = api.get("/api/cart/quote").await.expect(200).json();
        assert_eq!((amounts(&quote), &quote["remaining"]["amount"]), (vec!["0.00"], &json!("28.90")));
        let refused = api.post("/api/orders", body()).await.expect(409).json();
        assert!(refused["detail"].as_str().unwrap().contains("cannot be used"), "{refused}");
        let path = format!("/api/cart/gift-cards/{}", &code[15..]);
        let cart = api.delete(&path).await.expect(200).json();
        assert_eq!(cart["gift_cards"], json!([]));
        api.delete(&path).await.expect(404);
        api.post("/api/orders", body()).await.expect(201);
        app.run_jobs().await;
    }

    async fn a_guests_cards_come_along_at_sign_in_and_credit_is_ones_own(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (made, code) = card(&app, "10.00").await;
        let guest = guest_paying(&app, &mug, &[&code]).await;
        let ada = app.customer("ada@example.com").await;
        credit(&app, "ada@example.com", "3.00").await;
        carts::merge_guest_cart(&app, &ada, guest.cart_token.as_deref().unwrap()).await.unwrap();
        let api = app.api().signed_in("ada@example.com").await;
        let quote = api.get("/api/cart/quote?store_credit=true").await.expect(200).json();
        assert_eq!((amounts(&quote), &quote["remaining"]["amount"]), (vec!["10.00"], &json!("15.90")));
        assert_eq!(quote["store_credit"]["amount"]["amount"], "3.00");
        let quote = api.get("/api/cart/quote").await.expect(200).json();
        assert_eq!((&quote["store_credit"]["available"]["amount"], &quote["remaining"]["amount"]), (&json!("3.00"), &json!("18.90")));
        let stranger = client(&app, &guest_with(&app, &mug, 1).await);
        let quote = stranger.get("/api/cart/quote?store_credit=true").await.expect(200).json();
        assert_eq!((&quote["store_credit"], &quote["remaining"]["amount"]), (&Value::Null, &json!("28.90")));
        let bob = app.customer("bob@example.com").await;
        carts::add_item(&app, &bob, some(&mug, 1)).await.unwrap();
        let order = placed(&app, &bob, "bank_transfer", true).await;
        assert_eq!(order.payments.len(), 1, "bob has no credit");
        assert_eq!(left(&app, &made).await, "10.00");
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        assert!(!page.has("Use my store credit"));
        browser.get("/checkout").await.expect(200);
        app.run_jobs().await;
    }
}
