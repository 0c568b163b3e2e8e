//! Returns: what was delivered comes back, never more than that, and each step is told.

use serde_json::json;
use zoco::cart::service as carts;
use zoco::checkout::service::{PlaceOrder, place_order};
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::service::{self, NewReturn, NewReturnLine, Receipt, ReturnAnswer, ReturnRefund};
use zoco::orders::{Order, OrderStatus, PaymentStatus, ReturnState};
use zoco::types::MoneyInput;

use crate::cart::some;
use crate::checkout::{guest_order, on_hand, order_of, wish};
use crate::credit::{balanced, card, credit, left};
use crate::orders::drive;
use crate::payments::{books_are_right, count};
use crate::races::at_once;
use crate::support::{TestApp, both};

fn back(order: &Order, quantity: i64) -> NewReturn {
    NewReturn {
        lines: Some(vec![NewReturnLine {
            line_id: order.lines[0].id.0,
            quantity,
            reason: "damaged".to_owned(),
        }]),
        note: None,
    }
}

fn answer(to: &str, message: &str) -> ReturnAnswer {
    ReturnAnswer {
        to: to.to_owned(),
        message: message.to_owned(),
    }
}

fn code(error: &Error) -> &str {
    match error {
        Error::Conflict { code, .. } => code,
        other => panic!("not a conflict: {other}"),
    }
}

fn code_of(result: zoco::error::Result<Order>) -> String {
    code(&result.unwrap_err()).to_owned()
}

/// The same asker, now.
fn later(app: &TestApp, ctx: &Ctx) -> Ctx {
    Ctx {
        now: app.clock.now(),
        ..ctx.clone()
    }
}

both! {
    async fn what_was_delivered_comes_back_by_page_and_api(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let ada = app.customer("ada@example.com").await;
        let by_page = order_of(&app, &ada, &mug, 3).await;
        let by_api = order_of(&app, &ada, &mug, 3).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let early = browser.get(&format!("/orders/{}/returns", by_page.number)).await.expect(200);
        assert!(early.text(".flash.warning").contains("can be sent back"), "{}", early.body);
        for order in [&by_page, &by_api] {
            drive(&app, &order.number, OrderStatus::Delivered).await;
        }
        let shelf = on_hand(&app, &mug).await;
        let own = app.api().signed_in("ada@example.com").await;
        let line = by_page.lines[0].id;
        let (quantity, reason) = (format!("quantity.{line}"), format!("reason.{line}"));
        let page = browser.get(&format!("/orders/{}", by_page.number)).await.expect(200);
        assert!(page.has("Send something back"), "{}", page.body);
        let form = browser.get(&format!("/orders/{}/returns", by_page.number)).await.expect(200);
        let wrong = browser.submit(&form, "#send-back", &[(&quantity, "4"), ("note", "It leaks")]).await.expect(422);
        assert!(wrong.has("0 to 3: more of it did not arrive") && wrong.has("It leaks"), "{}", wrong.body);
        let wrong = browser.submit(&form, "#send-back", &[(&quantity, "2")]).await.expect(422);
        assert!(wrong.has("Choose a reason."), "{}", wrong.body);
        browser.submit(&form, "#send-back", &[]).await.expect(422);
        let fields = [(quantity.as_str(), "2"), (reason.as_str(), "damaged"), ("note", "It leaks")];
        let page = browser.submit(&form, "#send-back", &fields).await.expect(200);
        assert_eq!(page.text(".back .badge"), "Asked for");
        let path = format!("/api/orders/{}/returns", by_api.number);
        let wanted = json!({"lines": [{"line_id": by_api.lines[0].id.0, "quantity": 2, "reason": "damaged"}], "note": "It leaks"});
        let asked = own.post(&path, wanted).await.expect(201).json();
        assert_eq!(asked["returns"][0]["status"], "requested");
        own.post(&path, json!({"lines": [{"line_id": by_api.lines[0].id.0, "quantity": 2, "reason": "late"}]})).await.expect(422);

        let mut admin = app.browser();
        admin.sign_in("admin@example.com").await;
        let clerk = app.api().signed_in("admin@example.com").await;
        let (at, api) = (format!("/admin/orders/{}/returns/1", by_page.number), format!("/api/admin/orders/{}/returns/1", by_api.number));
        let page = admin.get(&at).await.expect(200);
        assert!(page.has("It leaks") && page.has("Damaged"), "{}", page.body);
        let wrong = admin.submit(&page, "#answer-form", &[("to!", "rejected")]).await.expect(422);
        assert!(wrong.has("Say why not."), "{}", wrong.body);
        admin.submit(&page, "#answer-form", &[("to!", "approved"), ("message", "To Calle Mayor 1")]).await.expect(200);
        clerk.post(&format!("{api}/answer"), json!({"to": "approved", "message": "To Calle Mayor 1"})).await.expect(200);
        clerk.post(&format!("{api}/answer"), json!({"to": "maybe"})).await.expect(422);
        let page = admin.get(&at).await.expect(200);
        let wrong = admin.submit(&page, "#received", &[(&quantity, "3")]).await.expect(422);
        assert!(wrong.has("0 to 2: more was not announced."), "{}", wrong.body);
        admin.submit(&page, "#received", &[(&quantity, "1")]).await.expect(200);
        let came = json!({"lines": [{"line_id": by_api.lines[0].id.0, "quantity": 1, "restock": true}]});
        let came = clerk.post(&format!("{api}/received"), came).await.expect(200).json();
        assert_eq!((&came["returns"][0]["status"], &came["returns"][0]["lines"][0]["restocked"]), (&json!("received"), &json!(1)));
        assert_eq!(on_hand(&app, &mug).await, shelf + 2);
        let returned = "select count(*) from stock_movements where reason = 'returned'";
        assert_eq!(count(&app, returned).await, 2, "one each");

        let page = service::order(&app, &ada, &by_page.number).await.unwrap();
        let other = service::order(&app, &ada, &by_api.number).await.unwrap();
        let told = |order: &Order| order.events.iter().map(|event| (event.kind.clone(), event.detail.clone())).collect::<Vec<_>>();
        assert_eq!(told(&page), told(&other));
        // One of two came: the other one may still be sent back.
        assert_eq!(page.returnable(&page.lines[0]), 2);
        let listed = own.get(&path).await.expect(200).json();
        assert_eq!(listed["items"][0]["answer"], "To Calle Mayor 1");
        app.run_jobs().await;
        let letters = app.letters();
        let approved = letters.iter().find(|letter| letter.subject.starts_with("Please send it back")).unwrap();
        assert!(approved.text.contains("To Calle Mayor 1") && approved.text.contains("- 2 × Everyday mug"), "{}", approved.text);
    }

    async fn returns_move_through_their_table_only(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let (guest, order) = guest_order(&app, &mug, 2).await;
        let number = &order.number;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        drive(&app, number, OrderStatus::Shipped).await;
        let refused = service::request_return(&app, &guest, number, back(&order, 1)).await.unwrap_err();
        assert_eq!(code(&refused), "not_returnable", "nothing has arrived");
        drive_on(&app, number).await;
        let asked = service::request_return(&app, &guest, number, back(&order, 2)).await.unwrap();
        assert_eq!(asked.returns[0].state, ReturnState::Requested);
        let refused = service::receive_return(&app, &staff, number, 1, &Receipt::default()).await.unwrap_err();
        assert_eq!(code(&refused), "transition_not_allowed");
        let refused = service::answer_return(&app, &guest, number, 1, &answer("approved", "")).await.unwrap_err();
        assert!(matches!(refused, Error::Unauthenticated), "{refused}");
        assert!(matches!(service::cancel_return(&app, &guest, number, 2).await, Err(Error::NotFound)));
        let cancelled = service::cancel_return(&app, &guest, number, 1).await.unwrap();
        assert_eq!(cancelled.returns[0].state, ReturnState::Cancelled);
        assert_eq!(code(&service::cancel_return(&app, &guest, number, 1).await.unwrap_err()), "transition_not_allowed");

        // What was called off or refused can be asked for again.
        service::request_return(&app, &guest, number, back(&order, 2)).await.unwrap();
        let rejected = service::answer_return(&app, &staff, number, 2, &answer("rejected", "It was used")).await.unwrap();
        assert_eq!((rejected.returns[1].state, rejected.returns[1].answer.as_str()), (ReturnState::Rejected, "It was used"));
        service::request_return(&app, &guest, number, back(&order, 2)).await.unwrap();
        service::answer_return(&app, &staff, number, 3, &answer("approved", "")).await.unwrap();
        let came = service::receive_return(&app, &staff, number, 3, &Receipt::default()).await.unwrap();
        assert_eq!((came.returns[2].lines[0].received, came.returns[2].lines[0].restocked), (2, 2));
        assert_eq!(on_hand(&app, &mug).await, 20);
        let refused = service::request_return(&app, &guest, number, back(&order, 1)).await.unwrap_err();
        assert_eq!(code(&refused), "not_returnable");
        app.run_jobs().await;
    }

    async fn the_money_of_what_came_goes_back_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let (guest, order) = guest_order(&app, &mug, 3).await;
        let number = &order.number;
        service::record_payment(&app, &staff, number).await.unwrap();
        drive(&app, number, OrderStatus::Delivered).await;
        service::request_return(&app, &guest, number, back(&order, 2)).await.unwrap();
        service::answer_return(&app, &staff, number, 1, &answer("approved", "")).await.unwrap();
        service::receive_return(&app, &staff, number, 1, &Receipt::default()).await.unwrap();
        let works = vec![(app.clone(), staff.clone(), number.clone()); 4];
        let results = at_once(works, |(app, ctx, number)| async move {
            let once = ReturnRefund {
                shipping: false,
                expected_refunded: Some(MoneyInput::new("0.00")),
            };
            service::refund_return(&app, &ctx, &number, 1, once).await
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        let refunded = service::order(&app, &staff, number).await.unwrap();
        assert_eq!((refunded.returns[0].state, refunded.returns[0].refunded.amount().as_str()), (ReturnState::Refunded, "48.00"));
        let gone: i64 = refunded.payments.iter().map(|payment| payment.refunded.minor()).sum();
        assert_eq!(gone, 4800);
        app.run_jobs().await;
        // The credit note names the pieces.
        let issued = service::invoices(&app, &guest, number).await.unwrap();
        let note = service::printed(&app, &guest, number, &issued[1].number).await.unwrap();
        assert_eq!((note.lines[0].quantity, note.lines[0].amount, note.reason.as_str()), (2, 4800, "Return 1"));
        let letters = app.letters();
        assert!(letters.iter().any(|letter| letter.subject.contains("go back to you")), "{letters:?}");
    }

    async fn the_money_goes_back_to_where_it_came_from(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let ada = app.customer("ada@example.com").await;
        let (gift, code) = card(&app, "10.00").await;
        let own = credit(&app, "ada@example.com", "20.00").await;
        app.run_jobs().await;
        // 52.90 with shipping: 10.00 by the card, 20.00 by credit, 22.90 in cash.
        carts::add_item(&app, &ada, some(&mug, 2)).await.unwrap();
        carts::add_gift_card(&app, &ada, &code).await.unwrap();
        let input = PlaceOrder { store_credit: true, ..wish() };
        let order = place_order(&app, &ada, None, input).await.unwrap().order;
        let number = &order.number;
        service::record_payment(&app, &staff, number).await.unwrap();
        drive(&app, number, OrderStatus::Delivered).await;
        let gone = |order: &Order| -> Vec<(String, String)> {
            let payments = order.payments.iter();
            payments.map(|one| (one.provider.clone(), one.refunded.amount())).collect()
        };
        let are = |gift: &str, own: &str, cash: &str| {
            [("gift_card", gift), ("store_credit", own), ("cash_on_delivery", cash)]
                .map(|(name, amount)| (name.to_owned(), amount.to_owned()))
        };
        // Money first, then what is older of card and credit; shipping goes with the last piece.
        for (position, shipping, amount, expected) in [
            (1, false, "24.00", are("1.10", "0.00", "22.90")),
            (2, true, "28.90", are("10.00", "20.00", "22.90")),
        ] {
            service::request_return(&app, &ada, number, back(&order, 1)).await.unwrap();
            service::answer_return(&app, &staff, number, position, &answer("approved", "")).await.unwrap();
            service::receive_return(&app, &staff, number, position, &Receipt::default()).await.unwrap();
            let input = ReturnRefund { shipping, expected_refunded: None };
            let after = service::refund_return(&app, &staff, number, position, input).await.unwrap();
            let one = &after.returns[position as usize - 1];
            assert_eq!((one.state, one.refunded.amount().as_str()), (ReturnState::Refunded, amount));
            assert_eq!(gone(&after), expected, "return {position}");
            let again = service::refund_return(&app, &staff, number, position, ReturnRefund::default()).await;
            assert_eq!(code_of(again), "transition_not_allowed");
        }
        let after = service::order(&app, &staff, number).await.unwrap();
        assert_eq!(after.payment_status, PaymentStatus::Refunded);
        assert_eq!((left(&app, &gift).await.as_str(), left(&app, &own).await.as_str()), ("10.00", "20.00"));
        app.run_jobs().await;
        let issued = service::invoices(&app, &ada, number).await.unwrap();
        let totals: Vec<_> = issued.iter().map(|one| one.total.amount()).collect();
        assert_eq!(totals, ["52.90", "24.00", "28.90"], "an invoice and two notes");
        balanced(&app).await;
        books_are_right(&app).await;
        assert_eq!(zoco::admin::service::examine(&app).await.unwrap(), []);
    }

    async fn a_return_ends_with_its_money_or_stays(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let (guest, order) = guest_order(&app, &mug, 2).await;
        let number = &order.number;
        service::record_payment(&app, &staff, number).await.unwrap();
        drive(&app, number, OrderStatus::Delivered).await;
        service::request_return(&app, &guest, number, back(&order, 1)).await.unwrap();
        service::answer_return(&app, &staff, number, 1, &answer("approved", "")).await.unwrap();
        service::receive_return(&app, &staff, number, 1, &Receipt::default()).await.unwrap();
        // Something went back since the asker looked: neither the money nor the return moves.
        let late = ReturnRefund { shipping: false, expected_refunded: Some(MoneyInput::new("1.00")) };
        assert_eq!(code_of(service::refund_return(&app, &staff, number, 1, late).await), "changed_meanwhile");
        let guests = service::refund_return(&app, &guest, number, 1, ReturnRefund::default()).await;
        assert!(matches!(guests, Err(Error::Unauthenticated)));
        let same = service::order(&app, &staff, number).await.unwrap();
        assert_eq!((same.returns[0].state, same.payments[0].refunded.minor()), (ReturnState::Received, 0));
        let after = service::refund_return(&app, &staff, number, 1, ReturnRefund::default()).await.unwrap();
        assert_eq!((after.returns[0].state, after.payments[0].refunded.minor()), (ReturnState::Refunded, 2400));
        app.run_jobs().await;
    }

    async fn the_days_of_returns_end(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let (guest, order) = guest_order(&app, &mug, 2).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        drive(&app, &order.number, OrderStatus::Delivered).await;
        app.clock.advance_seconds(30 * 24 * 3600 - 1);
        let delivered = service::order(&app, &guest, &order.number).await.unwrap();
        assert!(service::may_return(&app, &later(&app, &guest), &delivered));
        app.clock.advance_seconds(1);
        assert!(!service::may_return(&app, &later(&app, &guest), &delivered));
        let refused = service::request_return(&app, &later(&app, &guest), &order.number, back(&order, 1)).await.unwrap_err();
        assert_eq!(code(&refused), "not_returnable");
        // Staff may be kinder.
        service::request_return(&app, &later(&app, &staff), &order.number, back(&order, 1)).await.unwrap();
        app.run_jobs().await;
    }

    async fn the_last_piece_is_sent_back_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        drive(&app, &order.number, OrderStatus::Delivered).await;
        let works = vec![(app.clone(), guest, order.clone()); 6];
        let results = at_once(works, |(app, ctx, order)| async move {
            service::request_return(&app, &ctx, &order.number, back(&order, 1)).await
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        app.run_jobs().await;
    }
}

/// From shipped to delivered.
async fn drive_on(app: &TestApp, number: &str) {
    let delivered = OrderStatus::Delivered;
    service::transition(app, &app.system(), number, delivered)
        .await
        .unwrap();
}
