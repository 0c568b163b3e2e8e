//! Money that goes back by line, shipping or amount: never more than came, each piece its share.

use serde_json::json;
use zoco::ctx::Permission;
use zoco::error::Error;
use zoco::orders::service::{self as orders, RefundInput, RefundLineInput};
use zoco::orders::{Order, OrderStatus, PaymentStatus, RefundState};
use zoco::payments::Behaviour;
use zoco::types::MoneyInput;

use super::{books_are_right, count, decide, entries, gateway, only, order_by, paid, seen, told};
use crate::checkout::{guest_order, on_hand};
use crate::races::at_once;
use crate::support::{TestApp, both};

fn amount(text: &str) -> RefundInput {
    RefundInput {
        amount: Some(MoneyInput::new(text)),
        ..RefundInput::default()
    }
}

fn line(order: &Order, quantity: i64, restock: bool) -> RefundInput {
    RefundInput {
        lines: vec![RefundLineInput {
            line_id: order.lines[0].id.0,
            quantity,
            restock,
        }],
        ..RefundInput::default()
    }
}

fn code(result: Result<Order, Error>) -> &'static str {
    match result {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn field(result: Result<Order, Error>) -> String {
    match result {
        Err(Error::Invalid(errors)) => errors.iter().next().unwrap().0.to_owned(),
        other => panic!("{other:?}"),
    }
}

both! {
    async fn two_refunds_of_sixty_on_a_hundred_are_one(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "100.00", 50).await;
        for round in 1..=3 {
            let order = paid(&app, &mug, 1).await;
            assert_eq!(order.total.amount(), "100.00");
            let works = vec![(app.clone(), order.number.clone()); 2];
            let results = at_once(works, |(app, number)| async move {
                orders::refund(&app, &app.system(), &number, amount("60.00")).await
            })
            .await;
            let done = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(done, 1);
            let refused = results.into_iter().find(Result::is_err).unwrap();
            assert_eq!(code(refused), "refund_too_large");
            app.run_jobs().await;
            let order = seen(&app, &order).await;
            assert_eq!(only(&order).refunded.amount(), "60.00");
            assert_eq!(order.payment_status, PaymentStatus::PartiallyRefunded);
            assert_eq!(told(&app, "order.refunded").await, round);
            let rest = orders::refund(&app, &app.system(), &order.number, amount("40.00")).await;
            assert_eq!(rest.unwrap().payment_status, PaymentStatus::Refunded);
            let more = orders::refund(&app, &app.system(), &order.number, amount("0.01")).await;
            assert_eq!(code(more), "refund_too_large");
            app.run_jobs().await;
            let sent = "select cast(sum(amount_minor) as bigint) from test_gateway_calls where kind = 'refund'";
            assert_eq!(count(&app, sent).await, 10_000 * round);
            let mut tx = app.db.begin().await.unwrap();
            let sql = zoco::db::query::Sql::same("delete from outbox where topic = 'order.refunded'");
            zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
            let again = "insert into outbox (topic, payload, created_at, dispatched_at) values ('order.refunded', '{}', 0, 0)";
            for _ in 0..round {
                zoco::db::query::execute(&mut tx, zoco::db::query::Sql::same(again), Vec::new()).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        books_are_right(&app).await;
    }

    async fn each_piece_goes_back_by_its_share_and_all_by_the_total(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "3.33", 9).await;
        let order = paid(&app, &mug, 3).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let one = orders::refund(&app, &staff, &order.number, line(&order, 1, true)).await.unwrap();
        assert_eq!(only(&one).refunded.amount(), "3.33");
        assert_eq!(on_hand(&app, &mug).await, 7, "one is back on the shelf");
        let two = RefundInput { shipping: true, reason: "It was late".to_owned(), ..line(&order, 2, false) };
        assert_eq!(field(orders::refund(&app, &staff, &order.number, line(&order, 3, true)).await), "lines.0.quantity");
        let all = orders::refund(&app, &staff, &order.number, two).await.unwrap();
        assert_eq!((only(&all).refunded, all.payment_status), (order.total, PaymentStatus::Refunded));
        assert_eq!(on_hand(&app, &mug).await, 7);
        app.run_jobs().await;
        let books = orders::books(&app, &staff, &order.number).await.unwrap();
        assert!(books.refundable.amount.is_zero() && books.refundable.shipping.is_zero());
        assert_eq!(books.refundable.lines, [(order.lines[0].id, 0)]);
        assert_eq!(books.refunds.len(), 2);
        assert!(books.refunds.iter().all(|one| one.state == RefundState::Succeeded));
        assert_eq!(books.refunds[1].reason, "It was late");
        assert_eq!(entries(&seen(&app, &order).await, "payment_refunded"), 2);
        // Cancelled, the two that are still out come back, and no third.
        orders::cancel(&app, &staff, &order.number).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 9);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn what_came_by_hand_goes_back_by_hand(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (_, order) = guest_order(&app, &mug, 1).await;
        let system = app.system();
        let before = orders::refund(&app, &system, &order.number, amount("1.00")).await;
        assert_eq!(code(before), "refund_too_large");
        orders::record_payment(&app, &system, &order.number).await.unwrap();
        let part = orders::refund(&app, &system, &order.number, amount("1.00")).await.unwrap();
        assert_eq!((only(&part).refunded.amount(), part.payment_status), ("1.00".to_owned(), PaymentStatus::PartiallyRefunded));
        for (wrong, at) in [
            (RefundInput::default(), "amount"),
            (amount("-1"), "amount"),
            (amount("x"), "amount"),
            (RefundInput { reason: "x".repeat(501), ..amount("1.00") }, "reason"),
            (line(&order, 0, false), "lines.0.quantity"),
            (RefundInput { lines: vec![RefundLineInput { line_id: 4711, quantity: 1, restock: false }], ..RefundInput::default() }, "lines.0.line_id"),
            (RefundInput { lines: [line(&order, 1, false).lines, line(&order, 1, false).lines].concat(), ..RefundInput::default() }, "lines.1.quantity"),
        ] {
            assert_eq!(field(orders::refund(&app, &system, &order.number, wrong).await), at);
        }
        let old = RefundInput { expected_refunded: Some(MoneyInput::new("0.00")), ..amount("1.00") };
        assert_eq!(code(orders::refund(&app, &system, &order.number, old).await), "changed_meanwhile");
        let line = RefundInput { expected_refunded: Some(MoneyInput::new("1.00")), ..line(&order, 1, false) };
        let more = orders::refund(&app, &system, &order.number, line).await.unwrap();
        assert_eq!(only(&more).refunded.amount(), "25.00");
        let cancelled = orders::cancel(&app, &system, &order.number).await.unwrap();
        assert_eq!((cancelled.status, cancelled.payment_status), (OrderStatus::Cancelled, PaymentStatus::Refunded));
        assert_eq!(only(&cancelled).refunded, order.total);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn page_and_api_refund_alike(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        app.admin().await;
        let (by_page, by_api) = (paid(&app, &mug, 2).await, paid(&app, &mug, 2).await);
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let shown = browser.get(&format!("/admin/orders/{}", by_page.number)).await.expect(200);
        let href = format!("/admin/orders/{}/refund", by_page.number);
        assert!(shown.attributes("#money + a", "href").contains(&href), "{}", shown.body);
        let form = browser.get(&href).await.expect(200);
        let name = format!("quantity.{}", by_page.lines[0].id);
        let wrong = browser.submit(&form, "#refund", &[(name.as_str(), "three"), ("reason", "Broken")]).await.expect(422);
        assert!(wrong.has("Write 1 to 2 pieces of Everyday mug."), "{}", wrong.body);
        assert_eq!(wrong.text("#f-reason"), "Broken");
        let nothing = browser.submit(&form, "#refund", &[]).await.expect(422);
        assert!(nothing.has("Choose what goes back"));
        let fields = [(name.as_str(), "1"), ("shipping", "on"), ("amount", "0.50"), ("reason", "Broken")];
        let done = browser.submit(&form, "#refund", &fields).await.expect(200);
        assert!(done.has("was refunded"), "{}", done.body);
        assert!(done.has("29.40"));
        // The same form once more: what it was about has changed.
        let twice = browser.submit(&form, "#refund", &fields).await.expect(409);
        assert!(twice.has("Something went back meanwhile."));

        let api = app.api().signed_in("admin@example.com").await;
        let path = format!("/api/admin/orders/{}/refunds", by_api.number);
        let body = json!({
            "lines": [{"line_id": by_api.lines[0].id, "quantity": 1, "restock": true}],
            "shipping": true, "amount": "0.50", "reason": "Broken",
        });
        let key = api.with("idempotency-key", "one");
        let reply = key.post(&path, body.clone()).await.expect(201);
        assert_eq!(reply.header("location"), path);
        assert_eq!(key.post(&path, body).await.expect(201).body, reply.body, "once for a key");
        let listed = api.get(&path).await.expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(listed["items"][0]["amount"]["amount"], "29.40");
        assert_eq!(listed["refundable"]["amount"]["amount"], "23.50");
        assert_eq!(listed["refundable"]["lines"][0]["quantity"], 1);
        let much = api.post(&path, json!({"amount": "23.51"})).await.expect(409).json();
        assert_eq!((&much["code"], &much["data"]["refundable"]), (&json!("refund_too_large"), &json!("23.50")));
        let typo = api.post(&path, json!({"amuont": "1.00"})).await;
        typo.expect(422);
        app.run_jobs().await;
        let (page, api) = (seen(&app, &by_page).await, seen(&app, &by_api).await);
        assert_eq!(only(&page).refunded, only(&api).refunded);
        assert_eq!(page.payment_status, api.payment_status);
        assert_eq!(on_hand(&app, &mug).await, 9 - 4 + 2);
        let noted = "select count(*) from audit_log where action = 'order.refunded'";
        assert_eq!(count(&app, noted).await, 2);
        books_are_right(&app).await;
    }

    async fn what_somebody_sends_back_at_the_gateway_is_seen(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let order = paid(&app, &mug, 1).await;
        let mut tx = app.db.begin().await.unwrap();
        let sql = zoco::db::query::Sql::same("update test_gateway_payments set refunded_minor = 1000");
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..2 {
            orders::sync(&app, order.payments[0].id).await.unwrap();
        }
        let order = seen(&app, &order).await;
        assert_eq!((only(&order).refunded.amount(), order.payment_status), ("10.00".to_owned(), PaymentStatus::PartiallyRefunded));
        let books = orders::books(&app, &app.system(), &order.number).await.unwrap();
        assert_eq!((books.refunds.len(), books.refunds[0].amount.amount()), (1, "10.00".to_owned()));
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn money_comes_from_as_many_payments_as_it_came_by(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (_, order) = order_by(&app, &mug, 1, "bank_transfer").await;
        app.run_jobs().await;
        // As if a part had been paid by transfer and the rest online.
        let mut tx = app.db.begin().await.unwrap();
        let sql = zoco::db::query::Sql::same("update payments set amount_minor = 1000");
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        let rest = zoco::types::Money::new(1890, app.currency());
        let system = app.system();
        zoco::payments::service::begin(&mut tx, &app, &system, order.id, "test", rest, &order.number).await.unwrap();
        tx.commit().await.unwrap();
        app.run_jobs().await;
        let order = seen(&app, &order).await;
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Unpaid, "a part is missing");
        let order = orders::record_payment(&app, &system, &order.number).await.unwrap();
        assert_eq!(order.payment_status, PaymentStatus::Paid);
        let order = orders::refund(&app, &system, &order.number, amount("15.00")).await.unwrap();
        let refunded: Vec<String> = order.payments.iter().map(|one| one.refunded.amount()).collect();
        assert_eq!(refunded, ["10.00", "5.00"]);
        app.run_jobs().await;
        books_are_right(&app).await;
    }
}
