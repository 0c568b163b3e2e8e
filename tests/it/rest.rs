//! Calling off what of an order is not sent: the pieces go back to the shelf once, their money where
//! it came from, and the order moves on when all the rest of it is sent.

use serde_json::json;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::service::{
    self, CancelPieces, NewParcel, ParcelLine, RefundInput, RefundLineInput,
};
use zoco::orders::{FulfilmentStatus, Order, OrderStatus, PaymentStatus};
use zoco::payments::Behaviour;
use zoco::types::MoneyInput;

use crate::checkout::{guest_order, on_hand, order_of};
use crate::orders::drive;
use crate::payments::{books_are_right, decide, gateway, gateway_by_hand, online, paid, seen};
use crate::races::at_once;
use crate::support::{TestApp, both};

fn some(order: &Order, quantity: i64) -> Vec<ParcelLine> {
    vec![ParcelLine {
        line_id: order.lines[0].id.0,
        quantity,
    }]
}

fn off(order: &Order, quantity: i64, refund: bool) -> CancelPieces {
    CancelPieces {
        lines: Some(some(order, quantity)),
        refund,
        ..CancelPieces::default()
    }
}

async fn send(app: &TestApp, ctx: &Ctx, order: &Order, quantity: i64) -> Order {
    let parcel = NewParcel {
        lines: Some(some(order, quantity)),
        ..NewParcel::default()
    };
    service::fulfil(app, ctx, &order.number, parcel)
        .await
        .unwrap()
}

fn code(result: zoco::error::Result<Order>) -> &'static str {
    match result {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("not a conflict: {other:?}"),
    }
}

/// What the test gateway knows becomes something else.
pub async fn gateway_has(app: &TestApp, sql: &'static str) {
    let mut tx = app.db.begin().await.unwrap();
    let sql = zoco::db::query::Sql::same(sql);
    zoco::db::query::execute(&mut tx, sql, Vec::new())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The books are right, and the doctor finds nothing.
async fn all_is_well(app: &TestApp) {
    books_are_right(app).await;
    let found = zoco::admin::service::examine(app).await.unwrap();
    assert_eq!(found, []);
}

both! {
    async fn the_rest_of_a_part_sent_order_is_called_off_by_page_and_api(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let ada = app.customer("ada@example.com").await;
        let staff = app.system();
        app.admin().await;
        let by_page = order_of(&app, &ada, &mug, 3).await;
        let by_api = order_of(&app, &ada, &mug, 3).await;
        for order in [&by_page, &by_api] {
            service::record_payment(&app, &staff, &order.number).await.unwrap();
            drive(&app, &order.number, OrderStatus::Confirmed).await;
            send(&app, &staff, order, 1).await;
        }
        let shelf = on_hand(&app, &mug).await;
        let mut admin = app.browser();
        admin.sign_in("admin@example.com").await;
        let page = admin.get(&format!("/admin/orders/{}", by_page.number)).await.expect(200);
        let path = format!("/admin/orders/{}/rest", by_page.number);
        assert!(page.attributes("a.btn", "href").contains(&path), "{}", page.body);
        let form = admin.get(&path).await.expect(200);
        let quantity = format!("quantity.{}", by_page.lines[0].id);
        assert_eq!(form.attributes(&format!("input[name='{quantity}']"), "value"), ["2"]);
        let wrong = admin.submit(&form, "#rest", &[(&quantity, "3"), ("reason", "Broken")]).await.expect(422);
        assert!(wrong.has("0 to 2: more is not left to be sent.") && wrong.has("Broken"), "{}", wrong.body);
        let done = admin.submit(&form, "#rest", &[("reason", "Broken in the store")]).await.expect(200);
        assert!(done.has("2 called off"), "{}", done.body);
        let clerk = app.api().signed_in("admin@example.com").await;
        let path = format!("/api/admin/orders/{}/cancellations", by_api.number);
        clerk.post(&path, json!({ "lines": [{ "line_id": 4711, "quantity": 1 }] })).await.expect(422);
        clerk.post(&path, json!({ "reason": "x".repeat(501) })).await.expect(422);
        let old = json!({ "refund": true, "expected_refunded": "1.00" });
        assert_eq!(clerk.post(&path, old).await.expect(409).json()["code"], "changed_meanwhile");
        let input = json!({ "refund": true, "reason": "Broken in the store" });
        let reply = clerk.post(&path, input).await.expect(200).json();
        assert_eq!((&reply["status"], &reply["lines"][0]["cancelled"]), (&json!("shipped"), &json!(2)));
        app.api().post(&path, json!({})).await.expect(401);
        assert_eq!(on_hand(&app, &mug).await, shelf + 4);
        app.run_jobs().await;
        let letters = app.letters();
        for order in [&by_page, &by_api] {
            let now = service::order(&app, &staff, &order.number).await.unwrap();
            assert_eq!((now.status, now.fulfilment_status), (OrderStatus::Shipped, FulfilmentStatus::Fulfilled));
            assert_eq!(now.payment_status, PaymentStatus::PartiallyRefunded);
            assert_eq!(now.payments[0].refunded.amount(), "48.00");
            let told: Vec<_> = now.events.iter().map(|event| event.detail.as_str()).collect();
            assert!(told.contains(&"Called off: 2 × Everyday mug"), "{told:?}");
            let subject = format!("A part of your order {} will not be sent", order.number);
            let letter = letters.iter().find(|one| one.subject == subject).unwrap();
            for words in ["- 2 × Everyday mug", "Broken in the store", "48.00\u{a0}€, goes back to you"] {
                assert!(letter.text.contains(words), "{words}: {}", letter.text);
            }
            assert_eq!(code(service::cancel_pieces(&app, &staff, &order.number, CancelPieces::default()).await), "nothing_open");
            // It is delivered with the parcel that was sent.
            let done = service::delivered(&app, &staff, &order.number, 1).await.unwrap();
            assert_eq!((done.status, done.returnable(&done.lines[0])), (OrderStatus::Delivered, 1));
        }
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn what_was_delivered_already_ends_the_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let (guest, order) = guest_order(&app, &mug, 3).await;
        let number = &order.number;
        assert!(matches!(service::cancel_pieces(&app, &guest, number, off(&order, 1, false)).await, Err(Error::Unauthenticated)));
        drive(&app, number, OrderStatus::Confirmed).await;
        service::record_payment(&app, &staff, number).await.unwrap();
        // All of an order is cancelled as an order.
        assert_eq!(code(service::cancel_pieces(&app, &staff, number, CancelPieces::default()).await), "cancel_order");
        let first = service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await.unwrap();
        assert_eq!((first.status, first.unsent(&first.lines[0])), (OrderStatus::Confirmed, 2));
        assert_eq!(on_hand(&app, &mug).await, 18);
        send(&app, &staff, &order, 1).await;
        service::delivered(&app, &staff, number, 1).await.unwrap();
        let done = service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await.unwrap();
        assert_eq!((done.status, done.fulfilment_status), (OrderStatus::Delivered, FulfilmentStatus::Fulfilled));
        assert_eq!(on_hand(&app, &mug).await, 19);
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn what_a_refund_put_back_is_not_put_back_again(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let (_, order) = guest_order(&app, &mug, 4).await;
        let number = &order.number;
        service::record_payment(&app, &staff, number).await.unwrap();
        drive(&app, number, OrderStatus::Confirmed).await;
        let refund = RefundInput {
            lines: vec![RefundLineInput { line_id: order.lines[0].id.0, quantity: 1, restock: true }],
            ..RefundInput::default()
        };
        service::refund(&app, &staff, number, refund).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 17);
        let sent = send(&app, &staff, &order, 1).await;
        // The first one is on the shelf and its money is gone; only the other ones move.
        assert_eq!((sent.lines[0].cancelled, sent.unsent(&sent.lines[0])), (1, 2));
        let one = service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await.unwrap();
        assert_eq!((on_hand(&app, &mug).await, one.payments[0].refunded.amount()), (18, "24.00".to_owned()));
        let all = service::cancel_pieces(&app, &staff, number, off(&order, 1, true)).await.unwrap();
        assert_eq!((on_hand(&app, &mug).await, all.payments[0].refunded.amount()), (19, "48.00".to_owned()));
        assert_eq!(all.status, OrderStatus::Shipped);
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn what_was_refunded_before_it_was_sent_is_not_sent(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let paid = async || {
            let (_, order) = guest_order(&app, &mug, 3).await;
            service::record_payment(&app, &staff, &order.number).await.unwrap();
            drive(&app, &order.number, OrderStatus::Confirmed).await;
            order
        };
        let refund = async |order: &Order, quantity, restock| {
            let input = RefundInput {
                lines: vec![RefundLineInput { line_id: order.lines[0].id.0, quantity, restock }],
                ..RefundInput::default()
            };
            service::refund(&app, &staff, &order.number, input).await.unwrap()
        };
        // One goes back to the shelf, and the rest is sent.
        let order = paid().await;
        let back = refund(&order, 1, true).await;
        assert_eq!((back.status, back.unsent(&back.lines[0]), on_hand(&app, &mug).await), (OrderStatus::Confirmed, 2, 18));
        let sent = service::fulfil(&app, &staff, &order.number, NewParcel::default()).await.unwrap();
        assert_eq!((sent.fulfilments[0].count(), sent.status), (2, OrderStatus::Shipped));
        assert_eq!(sent.fulfilment_status, FulfilmentStatus::Fulfilled);
        // One is sent, and the rest goes back: that was all of it.
        let order = paid().await;
        send(&app, &staff, &order, 1).await;
        let back = refund(&order, 2, true).await;
        assert_eq!((back.status, back.fulfilment_status), (OrderStatus::Shipped, FulfilmentStatus::Fulfilled));
        assert_eq!(on_hand(&app, &mug).await, 17);
        // All of it, one broken in the store: nothing is left to be sent.
        let order = paid().await;
        refund(&order, 1, false).await;
        let back = refund(&order, 2, true).await;
        assert_eq!((back.status, back.fulfilment_status), (OrderStatus::Confirmed, FulfilmentStatus::Unfulfilled));
        assert_eq!(on_hand(&app, &mug).await, 16);
        assert_eq!(code(service::fulfil(&app, &staff, &order.number, NewParcel::default()).await), "nothing_left");
        service::cancel(&app, &staff, &order.number).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 17, "each piece once");
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn a_refund_that_is_tried_again_puts_nothing_back_again(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let order = paid(&app, &mug, 1).await;
        let refund = async || {
            let input = RefundInput {
                lines: vec![RefundLineInput { line_id: order.lines[0].id.0, quantity: 1, restock: true }],
                ..RefundInput::default()
            };
            service::refund(&app, &staff, &order.number, input).await.unwrap();
            app.run_jobs().await;
            seen(&app, &order).await
        };
        gateway_has(&app, "update test_gateway_payments set captured_minor = 0").await;
        assert_eq!((refund().await.payment_status, on_hand(&app, &mug).await), (PaymentStatus::Paid, 20));
        gateway_has(&app, "update test_gateway_payments set captured_minor = 2890").await;
        assert_eq!((refund().await.payment_status, on_hand(&app, &mug).await), (PaymentStatus::PartiallyRefunded, 20));
        service::cancel(&app, &staff, &order.number).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 20);
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn nothing_is_called_off_of_what_is_still_to_be_paid(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.admin().await;
        let (_, order) = guest_order(&app, &mug, 2).await;
        let number = &order.number;
        assert_eq!(code(service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await), "payment_open");
        assert_eq!((seen(&app, &order).await.lines[0].cancelled, on_hand(&app, &mug).await), (0, 18));
        let mut admin = app.browser();
        admin.sign_in("admin@example.com").await;
        let told = admin.get(&format!("/admin/orders/{number}/rest")).await.expect(200);
        assert!(told.has("The payment of this order is open"), "{}", told.body);
        service::record_payment(&app, &staff, number).await.unwrap();
        let after = service::cancel_pieces(&app, &staff, number, off(&order, 1, true)).await.unwrap();
        assert_eq!((after.lines[0].cancelled, after.payments[0].refunded.amount()), (1, "24.00".to_owned()));
        // What is only promised would be taken whole.
        let app = gateway_by_hand(&app).await;
        let (_, order) = online(&app, &mug, 2).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(code(service::cancel_pieces(&app, &staff, &order.number, off(&order, 1, false)).await), "payment_open");
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn an_order_of_which_pieces_were_called_off_is_cancelled_whole(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let (_, order) = guest_order(&app, &mug, 3).await;
        service::record_payment(&app, &staff, &order.number).await.unwrap();
        service::cancel_pieces(&app, &staff, &order.number, off(&order, 2, true)).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 19);
        let gone = service::cancel(&app, &staff, &order.number).await.unwrap();
        assert_eq!((gone.status, gone.payment_status), (OrderStatus::Cancelled, PaymentStatus::Refunded));
        assert_eq!(on_hand(&app, &mug).await, 20, "each piece once");
        app.run_jobs().await;
        all_is_well(&app).await;
    }

    async fn gateways_send_the_money_and_unpaid_orders_wait(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let order = paid(&app, &mug, 3).await;
        let after = service::cancel_pieces(&app, &staff, &order.number, off(&order, 2, true)).await.unwrap();
        assert_eq!(after.payments[0].refunded.amount(), "48.00");
        // Goods that are held only are nobody's to call off.
        let (_, open) = online(&app, &mug, 2).await;
        assert_eq!(code(service::cancel_pieces(&app, &staff, &open.number, off(&open, 1, false)).await), "nothing_open");
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::PartiallyRefunded);
        all_is_well(&app).await;
    }

    async fn the_last_piece_is_called_off_or_sent_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        let (_, order) = guest_order(&app, &mug, 2).await;
        service::record_payment(&app, &staff, &order.number).await.unwrap();
        drive(&app, &order.number, OrderStatus::Confirmed).await;
        send(&app, &staff, &order, 1).await;
        let works: Vec<_> = (0..6).map(|work| (work, app.clone(), staff.clone(), order.clone())).collect();
        let results = at_once(works, |(work, app, ctx, order)| async move {
            if work % 2 == 0 {
                let input = CancelPieces { expected_refunded: Some(MoneyInput::new("0.00")), ..off(&order, 1, true) };
                service::cancel_pieces(&app, &ctx, &order.number, input).await
            } else {
                let parcel = NewParcel { lines: Some(some(&order, 1)), ..NewParcel::default() };
                service::fulfil(&app, &ctx, &order.number, parcel).await
            }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        let now = seen(&app, &order).await;
        assert_eq!((now.status, now.unsent(&now.lines[0])), (OrderStatus::Shipped, 0));
        let called_off = now.lines[0].cancelled;
        assert_eq!(on_hand(&app, &mug).await, 18 + called_off);
        assert_eq!(now.payments[0].refunded.minor(), 2400 * called_off);
        app.run_jobs().await;
        all_is_well(&app).await;
    }
}
