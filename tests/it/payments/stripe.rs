//! Stripe, against a stand-in that answers as Stripe's documentation says: whatever fails on the way,
//! one charge and one refund.

use serde_json::json;
use zoco::catalog::Product;
use zoco::config::Capture;
use zoco::error::Error;
use zoco::orders::service::{self as orders, RefundInput};
use zoco::orders::{Order, OrderStatus, PaymentStatus};
use zoco::payments::{PaymentState, Unmatched, service as payments, signature};
use zoco::types::MoneyInput;

use super::{books_are_right, count, entries, only, order_by, reserved, seen, told};
use crate::checkout::{at_checkout, on_hand, with};
use crate::races::at_once;
use crate::support::stripe::{Card, Fault, KEY, Stripe, WEBHOOK};
use crate::support::{TestApp, both};

/// The shop with a stand-in for Stripe.
async fn shop(app: &TestApp, capture: Capture) -> (TestApp, Stripe) {
    let stripe = Stripe::start().await;
    let url = stripe.url.clone();
    let app = app
        .with_settings(|config| {
            config.stripe_secret_key = Some(KEY.into());
            config.stripe_webhook_secret = Some(WEBHOOK.into());
            config.stripe_api_url = url;
            config.stripe_timeout = 1;
            config.payment_capture = capture;
        })
        .await;
    (app, stripe)
}

async fn order(app: &TestApp, product: &Product) -> Order {
    order_by(app, product, 1, "stripe").await.1
}

fn session(order: &Order) -> String {
    only(order).gateway_reference.clone().unwrap()
}

/// An order that was paid, and everybody knows it.
async fn paid(app: &TestApp, stripe: &Stripe, product: &Product) -> Order {
    let order = order(app, product).await;
    let session = session(&order);
    stripe.pay(&session, Card::Works);
    let event = format!("evt_{session}");
    let now = app.clock.now();
    let told = stripe
        .tell(app, "checkout.session.completed", &session, &event, now)
        .await;
    told.expect(200);
    app.run_jobs().await;
    seen(app, &order).await
}

fn amount(text: &str) -> RefundInput {
    RefundInput {
        amount: Some(MoneyInput::new(text)),
        ..RefundInput::default()
    }
}

/// Lets jobs that failed come due, again and again.
async fn hours_pass(app: &TestApp) {
    for _ in 0..12 {
        app.clock.advance_seconds(10 * 60);
        orders::reconcile(app).await.unwrap();
        app.run_jobs().await;
    }
}

both! {
    async fn a_shopper_pays_on_the_page_of_stripe(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (mut browser, page) = at_checkout(&app, &mug, 1).await;
        let fields = with(&[("payment.provider", "stripe")]);
        let page = browser.submit(&page, "#checkout", &fields).await.expect(200);
        assert_eq!(page.text("h1"), "On to the payment");
        let link = page.attributes(".panel a.btn", "href").remove(0);
        assert!(link.starts_with("https://checkout.stripe.com/c/pay/cs_test_"), "{link}");
        assert_eq!(page.attributes("meta[http-equiv=refresh]", "content"), [format!("0;url={link}")]);
        let id = link.rsplit('/').next().unwrap().to_owned();
        let session = stripe.session(&id);
        let number = session["client_reference_id"].as_str().unwrap().to_owned();
        assert_eq!(session["amount_total"], 2890);
        assert_eq!(session["currency"], "eur");
        let back = format!("/orders/{number}/payment/return");
        assert_eq!(session["success_url"], format!("http://127.0.0.1:8000{back}"));
        // Declined there, the shopper goes on there; here nothing has happened yet.
        stripe.pay(&id, Card::Declined);
        let waiting = browser.get(&back).await.expect(200);
        assert_eq!(waiting.text("h1"), "We are waiting for your payment");
        stripe.pay(&id, Card::Works);
        let thanks = browser.get(&back).await.expect(200);
        assert!(thanks.path.ends_with("/thanks"), "{}", thanks.path);
        let order = orders::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!((order.payment_status, only(&order).captured), (PaymentStatus::Paid, order.total));
        assert_eq!(on_hand(&app, &mug).await, 4);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn one_session_whatever_fails_while_it_is_opened(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        for fault in [Fault::Down, Fault::Busy, Fault::AtOnce, Fault::Lost, Fault::Hangs] {
            stripe.fail(&[fault]);
            let before = stripe.sessions().len();
            let ordered = order(&app, &mug).await;
            assert_eq!(only(&ordered).state, PaymentState::Pending, "{fault:?}");
            assert!(only(&ordered).pay_url.is_empty());
            app.clock.advance_seconds(20);
            app.run_jobs().await;
            let ordered = seen(&app, &ordered).await;
            assert!(!only(&ordered).pay_url.is_empty(), "{fault:?}: {ordered:?}");
            assert_eq!(stripe.sessions().len(), before + 1, "{fault:?}");
        }
        let writes = stripe.writes();
        let keys: std::collections::BTreeSet<_> = writes.iter().map(|(_, key)| key).collect();
        assert!(writes.len() > keys.len() && keys.len() == 5, "the same key again: {writes:?}");
    }

    async fn an_answer_that_never_comes_is_told_by_the_event(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        // It is opened, and the answer is lost each time it is asked for.
        stripe.fail(&[Fault::Lost; 30]);
        let order = order(&app, &mug).await;
        let id = stripe.sessions().remove(0);
        stripe.pay(&id, Card::Works);
        let now = app.clock.now();
        let reply = stripe.tell(&app, "checkout.session.completed", &id, "evt_1", now).await;
        reply.expect(200);
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(only(&order).gateway_reference.as_deref(), Some(id.as_str()));
        app.leave_jobs();
        books_are_right(&app).await;
    }

    async fn what_stripe_refuses_to_begin_fails(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mut tx = app.db.begin().await.unwrap();
        let sql = zoco::db::query::Sql::same("update shipping_methods set price_minor = 0");
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let pin = app.product("A pin", "0.49", 5).await;
        let order = order(&app, &pin).await;
        assert_eq!(only(&order).state, PaymentState::Failed);
        assert_eq!(only(&order).failure, "The payment could not be begun.");
        let seen = seen(&app, &order).await;
        assert_eq!(seen.events.last().unwrap().detail, "Amount must be no less than €0.50 eur");
        assert!(stripe.sessions().is_empty());
        app.run_jobs().await;
        assert_eq!(told(&app, "order.payment_failed").await, 1);
        books_are_right(&app).await;
    }

    async fn events_come_signed_late_twice_and_out_of_order(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let order = order(&app, &mug).await;
        let id = session(&order);
        let now = app.clock.now();
        stripe.pay(&id, Card::TakesDays);
        stripe.tell(&app, "checkout.session.completed", &id, "evt_2", now).await.expect(200);
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Unpaid);
        stripe.tamper(&id, |session| session["status"] = json!("open"));
        stripe.pay(&id, Card::Works);
        let old = now.plus_seconds(-301);
        let body = json!({"id": "evt_9", "type": "x", "data": {"object": {}}}).to_string();
        let wrong = stripe.post(&app, &body, &signature::header("whsec_other", now, &body)).await;
        assert_eq!(wrong.expect(400).json()["code"], "bad_signature");
        let late = stripe.tell(&app, "payment_intent.succeeded", &id, "evt_3", old).await;
        assert_eq!(late.expect(400).json()["detail"], "The signature is too old.");
        stripe.post(&app, &body, "").await.expect(400);
        for (kind, name) in [
            ("payment_intent.succeeded", "evt_4"),
            ("checkout.session.async_payment_succeeded", "evt_5"),
            ("payment_intent.created", "evt_1"),
            ("checkout.session.completed", "evt_2"),
            ("payment_intent.succeeded", "evt_4"),
        ] {
            stripe.tell(&app, kind, &id, name, now).await.expect(200);
            app.run_jobs().await;
        }
        stripe.post(&app, &body, &signature::header(WEBHOOK, now, &body)).await.expect(200);
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!((entries(&order, "payment_captured"), told(&app, "order.paid").await), (1, 1));
        assert_eq!(count(&app, "select count(*) from payment_events where state = 'done'").await, 4);
        assert_eq!(count(&app, "select count(*) from payment_events where state = 'ignored'").await, 1);
        books_are_right(&app).await;
    }

    async fn webhook_and_return_page_race(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        for round in 1..=3 {
            let (ctx, order) = order_by(&app, &mug, 1, "stripe").await;
            let id = session(&order);
            stripe.pay(&id, Card::Works);
            let works: Vec<_> = (0..8)
                .map(|work| (app.clone(), stripe.clone(), ctx.clone(), order.clone(), work))
                .collect();
            at_once(works, |(app, stripe, ctx, order, work)| async move {
                let id = session(&order);
                let now = app.clock.now();
                let name = format!("evt_{id}_{}", work / 4);
                match work % 2 {
                    0 => {
                        let kind = "checkout.session.completed";
                        stripe.tell(&app, kind, &id, &name, now).await.expect(200);
                        app.run_jobs().await;
                    }
                    _ => orders::returned(&app, &ctx, &order.number).await.map(drop).unwrap(),
                }
            })
            .await;
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(order.payment_status, PaymentStatus::Paid);
            assert_eq!(entries(&order, "payment_captured"), 1);
            assert_eq!(on_hand(&app, &mug).await, 50 - round);
        }
        books_are_right(&app).await;
    }

    async fn money_is_taken_later_and_in_part(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Manual).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let staff = app.admin().await;
        let order = paid(&app, &stripe, &mug).await;
        assert_eq!(order.payment_status, PaymentStatus::Authorized);
        stripe.fail(&[Fault::Lost]);
        let part = Some(MoneyInput::new("10.00"));
        let asked = orders::capture(&app, &staff, &order.number, part).await.unwrap();
        assert_eq!(asked.payment_status, PaymentStatus::Authorized, "nobody knows yet");
        let again = orders::capture(&app, &staff, &order.number, None).await;
        assert!(matches!(again, Err(Error::Conflict { code: "under_way", .. })));
        app.clock.advance_seconds(20);
        app.run_jobs().await;
        let taken = seen(&app, &order).await;
        assert_eq!((taken.payment_status, only(&taken).captured.amount()), (PaymentStatus::Paid, "10.00".to_owned()));
        assert_eq!(stripe.intent(&session(&order))["amount_received"], 1000);
        // Stripe counts what was not taken as refunded; of what was taken nothing went back.
        for part in ["10.00", "20.00"] {
            let order = if part == "10.00" { order.clone() } else { paid(&app, &stripe, &mug).await };
            if part != "10.00" {
                let part = Some(MoneyInput::new(part));
                orders::capture(&app, &staff, &order.number, part).await.unwrap();
            }
            orders::sync(&app, order.payments[0].id).await.unwrap();
            let taken = seen(&app, &order).await;
            let told = stripe.intent(&session(&order))["latest_charge"]["amount_refunded"].clone();
            assert_eq!(told, if part == "10.00" { 1890 } else { 890 });
            assert_eq!((only(&taken).captured.amount().as_str(), only(&taken).refunded.minor()), (part, 0));
            assert_eq!(taken.payment_status, PaymentStatus::Paid, "{part}");
            orders::refund(&app, &staff, &order.number, amount("4.00")).await.unwrap();
            orders::sync(&app, order.payments[0].id).await.unwrap();
            let back = seen(&app, &order).await;
            assert_eq!((only(&back).refunded.minor(), back.payment_status), (400, PaymentStatus::PartiallyRefunded));
        }
        // What is promised and not wanted is given free.
        let order = paid(&app, &stripe, &mug).await;
        let freed = orders::void(&app, &staff, &order.number).await.unwrap();
        assert_eq!((only(&freed).state, freed.payment_status), (PaymentState::Voided, PaymentStatus::Unpaid));
        assert_eq!(stripe.intent(&session(&order))["status"], "canceled");
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn one_refund_whatever_fails_on_the_way(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let staff = app.admin().await;
        for fault in [Fault::Down, Fault::Lost, Fault::Hangs] {
            let order = paid(&app, &stripe, &mug).await;
            let before = stripe.refunds().len();
            stripe.fail(&[fault]);
            let asked = orders::refund(&app, &staff, &order.number, amount("5.00")).await.unwrap();
            assert_eq!(asked.payment_status, PaymentStatus::Paid, "{fault:?}");
            let books = orders::books(&app, &staff, &order.number).await.unwrap();
            assert_eq!(books.refundable.amount.amount(), "23.90", "it is on its way");
            app.clock.advance_seconds(20);
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(order.payment_status, PaymentStatus::PartiallyRefunded, "{fault:?}");
            assert_eq!(stripe.refunds().len(), before + 1, "{fault:?}");
            assert_eq!(stripe.intent(&session(&order))["latest_charge"]["amount_refunded"], 500);
        }
        // Its servers fail half-way and repeat that for a day; the refund was made all the same.
        let order = paid(&app, &stripe, &mug).await;
        stripe.fail(&[Fault::Kept]);
        orders::refund(&app, &staff, &order.number, amount("5.00")).await.unwrap();
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Paid);
        hours_pass(&app).await;
        let order = seen(&app, &order).await;
        assert_eq!(only(&order).refunded.amount(), "5.00");
        assert_eq!(stripe.intent(&session(&order))["latest_charge"]["amount_refunded"], 500);
        books_are_right(&app).await;
    }

    async fn a_refund_that_nobody_answered_for_days_is_booked_where_it_was_made(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let staff = app.admin().await;
        let days_pass = || async {
            app.clock.advance_seconds(4 * 24 * 3600);
            for _ in 0..2 {
                orders::reconcile(&app).await.unwrap();
                app.run_jobs().await;
            }
        };
        // It was made, and the shop stood still before it could ask again.
        let order = paid(&app, &stripe, &mug).await;
        stripe.fail(&[Fault::Lost]);
        orders::refund(&app, &staff, &order.number, amount("5.00")).await.unwrap();
        days_pass().await;
        let made = seen(&app, &order).await;
        assert_eq!(only(&made).refunded.amount(), "5.00");
        assert_eq!(entries(&made, "refund_refused"), 1);
        books_are_right(&app).await;
        // What was never asked is asked, however late.
        let order = paid(&app, &stripe, &mug).await;
        stripe.fail(&[Fault::Down]);
        orders::refund(&app, &staff, &order.number, amount("5.00")).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        let sql = "update payment_operations set attempts = 0 where state = 'requested'";
        let sql = zoco::db::query::Sql::same(sql);
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let before = stripe.refunds().len();
        days_pass().await;
        assert_eq!(stripe.refunds().len(), before + 1);
        let made = seen(&app, &order).await;
        assert_eq!((only(&made).refunded.amount().as_str(), entries(&made, "refund_refused")), ("5.00", 0));
        books_are_right(&app).await;
    }

    async fn two_refunds_of_sixty_percent_are_one(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "100.00", 5).await;
        let order = paid(&app, &stripe, &mug).await;
        let works = vec![(app.clone(), order.number.clone()); 2];
        let results = at_once(works, |(app, number)| async move {
            orders::refund(&app, &app.system(), &number, amount("60.00")).await.is_ok()
        })
        .await;
        assert_eq!(results.iter().filter(|done| **done).count(), 1);
        app.run_jobs().await;
        assert_eq!(stripe.refunds().len(), 1);
        assert_eq!(only(&seen(&app, &order).await).refunded.amount(), "60.00");
        books_are_right(&app).await;
    }

    async fn a_refund_that_stripe_refuses_waits_for_staff(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let staff = app.admin().await;
        let order = paid(&app, &stripe, &mug).await;
        // Somebody sent it back at Stripe, and no event told of it.
        let id = session(&order);
        let intent = stripe.intent(&id)["id"].as_str().unwrap().to_owned();
        let by_hand = reqwest::Client::new()
            .post(format!("{}/v1/refunds", stripe.url))
            .bearer_auth(KEY)
            .header("stripe-version", "2026-05-27.dahlia")
            .header("idempotency-key", "by hand")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("payment_intent={intent}"));
        assert!(by_hand.send().await.unwrap().status().is_success());
        let asked = orders::refund(&app, &staff, &order.number, amount("28.90")).await.unwrap();
        assert_eq!(entries(&asked, "refund_refused"), 1);
        let strays = payments::strays(&app, &staff).await.unwrap();
        assert_eq!(strays.refused[0].1.error, "Charge has already been refunded.");
        // The gateway's books win as soon as they are looked at.
        orders::sync(&app, order.payments[0].id).await.unwrap();
        let order = seen(&app, &order).await;
        assert_eq!((only(&order).refunded, order.payment_status), (order.total, PaymentStatus::Refunded));
        assert!(payments::strays(&app, &staff).await.unwrap().refused.is_empty());
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn cancel_against_payment(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        // First one, then the other, in either order.
        let order_paid = paid(&app, &stripe, &mug).await;
        orders::cancel(&app, &app.system(), &order_paid.number).await.unwrap();
        app.run_jobs().await;
        let cancelled = seen(&app, &order_paid).await;
        assert_eq!((cancelled.payment_status, only(&cancelled).refunded), (PaymentStatus::Refunded, cancelled.total));
        let unpaid = order(&app, &mug).await;
        orders::cancel(&app, &app.system(), &unpaid.number).await.unwrap();
        stripe.pay(&session(&unpaid), Card::Works);
        app.run_jobs().await;
        let returned = seen(&app, &unpaid).await;
        assert_eq!(only(&returned).unmatched, Some(Unmatched::OrderCancelled));
        assert_eq!(only(&returned).refunded, returned.total);
        let closed = order(&app, &mug).await;
        orders::cancel(&app, &app.system(), &closed.number).await.unwrap();
        app.run_jobs().await;
        assert!(!stripe.try_pay(&session(&closed), Card::Works), "the page is closed");
        assert_eq!(only(&seen(&app, &closed).await).state, PaymentState::Voided);
        // And both at once.
        for _ in 0..4 {
            let order = order(&app, &mug).await;
            let works: Vec<_> = (0..3).map(|work| (app.clone(), stripe.clone(), order.clone(), work)).collect();
            at_once(works, |(app, stripe, order, work)| async move {
                match work {
                    0 => drop(stripe.try_pay(&session(&order), Card::Works)),
                    1 => drop(orders::cancel(&app, &app.system(), &order.number).await),
                    _ => orders::sync(&app, order.payments[0].id).await.unwrap(),
                }
            })
            .await;
            app.run_jobs().await;
            orders::sync(&app, order.payments[0].id).await.unwrap();
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(order.status, OrderStatus::Cancelled);
            let kept = stripe.intent(&session(&order));
            let back = kept["latest_charge"]["amount_refunded"].as_i64().unwrap_or(0);
            assert_eq!(kept["amount_received"].as_i64().unwrap(), back, "no money stays");
            assert!(only(&order).kept().is_zero());
        }
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (50, 0));
        books_are_right(&app).await;
    }

    async fn another_sum_or_currency_goes_back(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        for (field, value, reason) in [
            ("amount_total", json!(100), Unmatched::AmountDiffers),
            ("currency", json!("usd"), Unmatched::CurrencyDiffers),
        ] {
            let order = order(&app, &mug).await;
            let id = session(&order);
            stripe.pay(&id, Card::Works);
            stripe.tamper(&id, |session| session[field] = value);
            let now = app.clock.now();
            let name = format!("evt_{id}");
            stripe.tell(&app, "checkout.session.completed", &id, &name, now).await.expect(200);
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(only(&order).unmatched, Some(reason));
            assert!(only(&order).kept().is_zero());
            assert_eq!(order.payment_status, PaymentStatus::Unpaid);
            assert_eq!(stripe.intent(&id)["latest_charge"]["amount_refunded"], 2890);
        }
        assert_eq!(on_hand(&app, &mug).await, 5);
        books_are_right(&app).await;
    }

    async fn a_way_to_pay_that_takes_days_may_fail_in_the_end(app: TestApp) {
        let (app, stripe) = shop(&app, Capture::Automatic).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let order = order(&app, &mug).await;
        let id = session(&order);
        stripe.pay(&id, Card::FailsLater);
        let kind = "checkout.session.async_payment_failed";
        stripe.tell(&app, kind, &id, "evt_1", app.clock.now()).await.expect(200);
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!((only(&order).state, only(&order).failure.as_str()), (PaymentState::Failed, "Your card was declined."));
        books_are_right(&app).await;
    }

    async fn the_settings_never_show_the_keys(app: TestApp) {
        let (app, _) = shop(&app, Capture::Automatic).await;
        let shown = format!("{:?}", app.config);
        assert!(!shown.contains(KEY) && !shown.contains(WEBHOOK), "{shown}");
        let wrong = app.with_settings(|config| config.stripe_secret_key = Some("sk_wrong".into())).await;
        let mug = wrong.product("Everyday mug", "24.00", 5).await;
        let order = order(&wrong, &mug).await;
        assert_eq!(only(&order).state, PaymentState::Failed);
        wrong.run_jobs().await;
    }
}
