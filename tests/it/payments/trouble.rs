//! Money that comes at the wrong time, twice, or for nothing: it goes back, and staff see it.

use serde_json::json;
use zoco::error::Error;
use zoco::orders::{OrderStatus, PaymentStatus, service as orders};
use zoco::payments::service::{self as payments, inbox};
use zoco::payments::{
    Behaviour, Call, Headers, PaymentState, TEST_SIGNATURE, Unmatched, signature,
};

use super::{
    books_are_right, count, decide, entries, gateway, gateway_by_hand, online, only, paid,
    reserved, seen, told,
};
use crate::checkout::{guest_order, on_hand};
use crate::races::at_once;
use crate::support::{TestApp, both};

/// The key of the test gateway's events.
async fn key(app: &TestApp) -> String {
    let mut conn = app.db.conn().await.unwrap();
    let key = zoco::db::settings::get(&mut conn, "test_gateway_key").await;
    key.unwrap().unwrap()
}

async fn send(app: &TestApp, body: &str, signature: &str) -> u16 {
    let path = "/payments/webhooks/test";
    let api = app.api().with(TEST_SIGNATURE, signature);
    let reply = api
        .request(
            axum::http::Method::POST,
            path,
            "application/json",
            body.as_bytes().to_vec(),
        )
        .await;
    reply.status.as_u16()
}

both! {
    async fn an_order_that_nobody_pays_is_given_up(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 2).await;
        app.run_jobs().await;
        for _ in 0..59 {
            app.clock.advance_seconds(60);
            orders::reconcile(&app).await.unwrap();
        }
        assert_eq!(reserved(&app, &mug).await, 2, "held while it can be paid");
        assert_eq!(seen(&app, &order).await.status, OrderStatus::Pending);
        app.clock.advance_seconds(60);
        orders::reconcile(&app).await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert_eq!(only(&order).state, PaymentState::Voided);
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (5, 0));
        assert_eq!(told(&app, "order.cancelled").await, 1);
        let late = orders::pay(&app, &ctx, &order.number, None).await;
        assert!(matches!(late, Err(Error::Conflict { code: "not_payable", .. })));
        // At the gateway it is called off as well.
        let reference = only(&order).gateway_reference.clone().unwrap();
        let late = payments::test_gateway::decide(&app, &reference, Behaviour::Approve).await;
        assert!(matches!(late, Err(Error::Conflict { code: "payment_over", .. })));
        books_are_right(&app).await;
    }

    async fn money_for_a_cancelled_order_goes_back(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 1).await;
        orders::cancel(&app, &ctx, &order.number).await.unwrap();
        assert_eq!(reserved(&app, &mug).await, 0);
        // The gateway has not been told yet.
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        let payment = only(&order);
        assert_eq!(payment.unmatched, Some(Unmatched::OrderCancelled));
        assert_eq!((payment.state, payment.refunded), (PaymentState::Captured, order.total));
        assert_eq!((order.status, order.payment_status), (OrderStatus::Cancelled, PaymentStatus::Unpaid));
        assert_eq!(entries(&order, "payment_unmatched"), 1);
        assert_eq!(told(&app, "order.refunded").await, 1);
        let strays = payments::strays(&app, &app.system()).await.unwrap();
        assert!(strays.payments.is_empty() && strays.refused.is_empty());
        assert_eq!(strays.returned.len(), 1);
        assert_eq!(on_hand(&app, &mug).await, 5);
        books_are_right(&app).await;
    }

    async fn money_that_is_only_promised_to_a_cancelled_order_is_given_free(app: TestApp) {
        let app = gateway_by_hand(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 1).await;
        orders::cancel(&app, &ctx, &order.number).await.unwrap();
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(only(&order).state, PaymentState::Voided);
        books_are_right(&app).await;
    }

    async fn money_for_goods_that_are_gone_goes_back(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let (_, order) = online(&app, &mug, 1).await;
        app.run_jobs().await;
        app.clock.advance_seconds(16 * 60);
        // What was held is free again, and somebody else has it.
        zoco::inventory::service::sweep(&app).await.unwrap();
        guest_order(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        let payment = only(&order);
        assert_eq!(payment.unmatched, Some(Unmatched::CannotFill));
        assert_eq!(payment.refunded, order.total);
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert_eq!(on_hand(&app, &mug).await, 0);
        books_are_right(&app).await;
    }

    async fn money_that_comes_late_takes_the_goods_anew(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 2).await;
        let (_, order) = online(&app, &mug, 1).await;
        app.clock.advance_seconds(16 * 60);
        zoco::inventory::service::sweep(&app).await.unwrap();
        assert_eq!(reserved(&app, &mug).await, 0);
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Paid);
        assert_eq!(on_hand(&app, &mug).await, 1);
        books_are_right(&app).await;
    }

    async fn an_order_is_paid_once(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 1).await;
        // Another way to pay, while the page of the first is still open: its payment is called
        // off, and comes all the same, because the gateway has not been told yet.
        let both = orders::pay(&app, &ctx, &order.number, Some("bank_transfer")).await.unwrap();
        assert_eq!(both.payments.len(), 2);
        decide(&app, &order, Behaviour::Approve).await;
        orders::record_payment(&app, &app.system(), &order.number).await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(order.payments[0].unmatched, Some(Unmatched::PaidTwice));
        assert_eq!(order.payments[0].refunded, order.total);
        assert_eq!(order.payments[1].captured, order.total);
        assert!(order.payments[1].refunded.is_zero());
        books_are_right(&app).await;
    }

    async fn the_first_way_to_pay_is_taken_after_all(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 1).await;
        orders::pay(&app, &ctx, &order.number, Some("cash_on_delivery")).await.unwrap();
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        // The money is here, so nobody asks for it once more.
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(orders::how_to_pay(&app, &order), None);
        let states: Vec<_> = order.payments.iter().map(|one| (one.state, one.unmatched)).collect();
        assert_eq!(states, [(PaymentState::Captured, None), (PaymentState::Voided, None)]);
        let again = orders::record_payment(&app, &app.system(), &order.number).await;
        assert!(matches!(again, Err(Error::Conflict { code: "not_pending", .. })));
        assert_eq!((on_hand(&app, &mug).await, reserved(&app, &mug).await), (4, 0));
        books_are_right(&app).await;
    }

    async fn money_that_is_taken_while_the_order_is_cancelled_goes_back(app: TestApp) {
        let app = gateway_by_hand(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (ctx, order) = online(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Authorized);
        // The gateway has taken it, and nobody has told the shop yet.
        let payment = only(&order);
        let call = Call { key: "by-hand", amount: payment.amount, since: app.clock.now() };
        let test = app.payments.gateway("test").unwrap();
        test.capture(&app, payment, call).await.unwrap();
        orders::cancel(&app, &ctx, &order.number).await.unwrap();
        app.run_jobs().await;
        orders::sync(&app, payment.id).await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        let payment = only(&order);
        assert_eq!((order.status, order.payment_status), (OrderStatus::Cancelled, PaymentStatus::Refunded));
        assert_eq!((payment.captured, payment.refunded), (order.total, order.total));
        assert_eq!(on_hand(&app, &mug).await, 5);
        books_are_right(&app).await;
    }

    async fn cancel_against_payment_leaves_one_truth(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let mut sold = 0;
        for _ in 0..6 {
            let (ctx, order) = online(&app, &mug, 1).await;
            let works: Vec<_> = (0..4).map(|work| (app.clone(), ctx.clone(), order.clone(), work)).collect();
            at_once(works, |(app, ctx, order, work)| async move {
                match work {
                    0 => {
                        let cancelled = orders::cancel(&app, &ctx, &order.number).await;
                        assert!(matches!(cancelled, Ok(_) | Err(Error::Conflict { .. })));
                    }
                    1 => {
                        let reference = order.payments[0].gateway_reference.clone().unwrap();
                        let paid = payments::test_gateway::decide(&app, &reference, Behaviour::Approve).await;
                        assert!(matches!(paid, Ok(_) | Err(Error::Conflict { .. })));
                    }
                    _ => {
                        let back = orders::returned(&app, &ctx, &order.number).await;
                        back.unwrap();
                    }
                }
            })
            .await;
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            let payment = only(&order);
            if order.status == OrderStatus::Cancelled {
                assert!(payment.kept().is_zero(), "{payment:?}");
                assert_ne!(payment.state, PaymentState::Authorized);
            } else {
                assert_eq!(order.payment_status, PaymentStatus::Paid);
                sold += 1;
            }
            assert_eq!(on_hand(&app, &mug).await, 50 - sold);
            assert_eq!(reserved(&app, &mug).await, 0);
        }
        books_are_right(&app).await;
    }

    async fn a_paid_order_that_is_cancelled_is_refunded_whole(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let order = paid(&app, &mug, 2).await;
        let works = vec![app.clone(); 6];
        at_once(works, |app| {
            let number = order.number.clone();
            async move {
                let cancelled = orders::cancel(&app, &app.system(), &number).await;
                assert!(matches!(cancelled, Ok(_) | Err(Error::Conflict { .. })));
            }
        })
        .await;
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!((order.status, order.payment_status), (OrderStatus::Cancelled, PaymentStatus::Refunded));
        assert_eq!(only(&order).refunded, order.total);
        assert_eq!(on_hand(&app, &mug).await, 5);
        assert_eq!(told(&app, "order.refunded").await, 1);
        let refunds = orders::books(&app, &app.system(), &order.number).await.unwrap().refunds;
        assert_eq!((refunds.len(), refunds[0].lines[0].quantity), (1, 2));
        books_are_right(&app).await;
    }

    async fn only_signed_events_come_in_and_each_once(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (_, order) = online(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let key = key(&app).await;
        let body = json!({"id": "evt_x", "kind": "payment.refunded", "payment": "test_none", "order": "NONE"}).to_string();
        let now = app.clock.now();
        let right = signature::header(&key, now, &body);
        assert_eq!(send(&app, &body, "").await, 400);
        assert_eq!(send(&app, &body, &signature::header("other", now, &body)).await, 400);
        assert_eq!(send(&app, &body, &signature::header(&key, now.plus_seconds(-301), &body)).await, 400);
        assert_eq!(send(&app, "{}", &signature::header(&key, now, "{}")).await, 400);
        assert_eq!(count(&app, "select count(*) from payment_events").await, 1);
        for _ in 0..3 {
            assert_eq!(send(&app, &body, &right).await, 200);
        }
        // The API has the same door; without a gateway there is none.
        let api = app.api().with(TEST_SIGNATURE, &right);
        let sent = api.post("/api/webhooks/test", serde_json::from_str(&body).unwrap()).await;
        sent.expect(200);
        for path in ["/api/webhooks/cash_on_delivery", "/api/webhooks/none", "/payments/webhooks/stripe"] {
            app.api().post(path, json!({})).await.expect(404);
        }
        assert_eq!(count(&app, "select count(*) from payment_events").await, 2);
        app.run_jobs().await;
        let staff = app.admin().await;
        let strays = payments::strays(&app, &staff).await.unwrap();
        assert_eq!(strays.events[0].reference, "test_none", "nobody knows this payment");
        inbox::dismiss(&app, &staff, strays.events[0].id).await.unwrap();
        let again = inbox::dismiss(&app, &staff, strays.events[0].id).await;
        assert!(matches!(again, Err(Error::NotFound)));
        assert!(payments::strays(&app, &staff).await.unwrap().events.is_empty());
        let headers = Headers::new();
        let refused = inbox::receive(&app, &app.system(), "test", &headers, &body).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }

    async fn an_event_that_is_faster_than_the_answer_waits(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let (_, order) = online(&app, &mug, 1).await;
        app.run_jobs().await;
        // As if the program had stopped before it wrote the gateway's answer down.
        let mut tx = app.db.begin().await.unwrap();
        for sql in [
            "update payments set gateway_reference = null, pay_url = '', next_check_at = null",
            "update payment_operations set state = 'requested'",
        ] {
            let sql = zoco::db::query::Sql::same(sql);
            zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        }
        tx.commit().await.unwrap();
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Unpaid);
        app.clock.advance_seconds(16 * 60);
        orders::reconcile(&app).await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        assert_eq!(count(&app, "select count(*) from test_gateway_payments").await, 1, "the same key");
        books_are_right(&app).await;
    }
}
