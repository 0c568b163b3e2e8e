//! Calling off what of an order is not sent: the pieces go back to the shelf once, their money where
//! it came from, and the order moves on when all the rest of it is sent.

use serde_json::json;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::service::{
    self, CancelPieces, NewParcel, ParcelLine, RefundInput, RefundLineInput,
};
use zoco::orders::{FulfilmentStatus, Order, OrderStatus, PaymentStatus};
use zoco::types::MoneyInput;

use crate::checkout::{guest_order, on_hand, order_of};
use crate::orders::drive;
use crate::payments::{books_are_right, gateway, online, paid, seen};
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
        // All of an order is cancelled as an order.
        assert_eq!(code(service::cancel_pieces(&app, &staff, number, CancelPieces::default()).await), "cancel_order");
        let first = service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await.unwrap();
        assert_eq!((first.status, first.unsent(&first.lines[0])), (OrderStatus::Confirmed, 2));
        assert_eq!(on_hand(&app, &mug).await, 18);
        // No money came that could go back.
        assert_eq!(code(service::cancel_pieces(&app, &staff, number, off(&order, 1, true)).await), "refund_too_large");
        assert_eq!(on_hand(&app, &mug).await, 18, "nothing was done");
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
        send(&app, &staff, &order, 1).await;
        // The first one is on the shelf and its money is gone; only the other ones move.
        let one = service::cancel_pieces(&app, &staff, number, off(&order, 1, false)).await.unwrap();
        assert_eq!((on_hand(&app, &mug).await, one.payments[0].refunded.amount()), (17, "24.00".to_owned()));
        let all = service::cancel_pieces(&app, &staff, number, off(&order, 2, true)).await.unwrap();
        assert_eq!((on_hand(&app, &mug).await, all.payments[0].refunded.amount()), (19, "72.00".to_owned()));
        assert_eq!(all.status, OrderStatus::Shipped);
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
