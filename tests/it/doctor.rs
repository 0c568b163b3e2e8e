//! The doctor: what is broken on purpose is told in a sentence, and what can be counted anew is.

use zoco::admin::service::{examine, repair, watch};
use zoco::ctx::Permission;
use zoco::db::Value;
use zoco::db::query::{Sql, execute};
use zoco::orders::service::{self as orders, NewParcel, ParcelLine, RefundInput, RefundLineInput};
use zoco::orders::{Order, OrderStatus};

use crate::checkout::{guest_order, on_hand};
use crate::inventory::level;
use crate::support::{TestApp, both};

/// Writes past the program into the database.
async fn write(app: &TestApp, sql: &'static str, values: Vec<Value>) {
    let mut tx = app.db.begin().await.unwrap();
    let changed = execute(&mut tx, Sql::same(sql), values).await.unwrap();
    assert_ne!(changed, 0, "{sql}");
    tx.commit().await.unwrap();
}

/// What the doctor finds, in its words.
async fn told(app: &TestApp) -> Vec<String> {
    let found = examine(app).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

/// An order of three mugs that is paid and invoiced, with one of them sent and the money of another
/// one sent back.
async fn lived(app: &TestApp) -> Order {
    let mug = app.product("Everyday mug", "24.00", 20).await;
    let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
    let (_, order) = guest_order(app, &mug, 3).await;
    let number = &order.number;
    orders::record_payment(app, &staff, number).await.unwrap();
    app.run_jobs().await;
    let line_id = order.lines[0].id.0;
    let confirmed = OrderStatus::Confirmed;
    orders::transition(app, &staff, number, confirmed)
        .await
        .unwrap();
    let parcel = NewParcel {
        lines: Some(vec![ParcelLine {
            line_id,
            quantity: 1,
        }]),
        ..NewParcel::default()
    };
    orders::fulfil(app, &staff, number, parcel).await.unwrap();
    let refund = RefundInput {
        lines: vec![RefundLineInput {
            line_id,
            quantity: 1,
            restock: false,
        }],
        ..RefundInput::default()
    };
    orders::refund(app, &staff, number, refund).await.unwrap();
    app.run_jobs().await;
    assert_eq!(told(app).await, [""; 0], "it is well");
    order
}

both! {
    async fn tells_what_parcels_refunds_and_papers_do_not_say(app: TestApp) {
        let order = lived(&app).await;
        let number = &order.number;
        let sku = &order.lines[0].sku;
        for (sql, expected, undo) in [
            (
                "update fulfilment_lines set quantity = 9",
                vec![
                    format!("orders: {number} sent 9 of {sku}, and 2 were to be sent"),
                    format!("orders: {number} is partial, its parcels hold 9 of 2 pieces"),
                ],
                "update fulfilment_lines set quantity = 1",
            ),
            (
                "update orders set fulfilment_status = 'unfulfilled'",
                vec![format!("orders: {number} is unfulfilled, its parcels hold 1 of 2 pieces")],
                "update orders set fulfilment_status = 'partial'",
            ),
            (
                "update refunds set amount_minor = amount_minor - 1",
                vec![format!("orders: refund 1 of {number} is 23.99\u{a0}€, its payments say 24.00\u{a0}€")],
                "update refunds set amount_minor = amount_minor + 1",
            ),
            (
                "update refunds set amount_minor = 7201",
                vec![
                    format!("orders: refund 1 of {number} is 72.01\u{a0}€, its payments say 24.00\u{a0}€"),
                    format!("orders: of {number} goes 72.01\u{a0}€ back, and 72.00\u{a0}€ came"),
                ],
                "update refunds set amount_minor = 2400",
            ),
            (
                "update invoices set total_minor = total_minor + 1 where kind = 'invoice'",
                vec![format!("orders: invoice 2026-000001 has another total than its order {number}")],
                "update invoices set total_minor = total_minor - 1 where kind = 'invoice'",
            ),
            (
                "update invoices set total_minor = total_minor + 1 where kind = 'credit_note'",
                vec![format!("orders: credit note CN-2026-000001 says something else than what went back of {number}")],
                "update invoices set total_minor = total_minor - 1 where kind = 'credit_note'",
            ),
            (
                "update counters set value = value + 1 where name = 'CN-2026'",
                vec!["orders: the series CN-2026 has 1 numbers up to 1, its counter says 2".to_owned()],
                "update counters set value = value - 1 where name = 'CN-2026'",
            ),
            (
                "update invoices set position = 3 where kind = 'invoice'",
                vec!["orders: the series 2026 has 1 numbers up to 3, its counter says 1".to_owned()],
                "update invoices set position = 1 where kind = 'invoice'",
            ),
        ] {
            write(&app, sql, Vec::new()).await;
            assert_eq!(told(&app).await, expected, "after {sql}");
            // What says something about the past or about money is not for a program to mend.
            assert_eq!(repair(&app).await.unwrap(), [""; 0], "after {sql}");
            write(&app, undo, Vec::new()).await;
            assert_eq!(told(&app).await, [""; 0], "after {undo}");
        }
        // The job that writes credit notes has an hour.
        write(&app, "delete from invoices where kind = 'credit_note'", Vec::new()).await;
        let series = "orders: the series CN-2026 has 0 numbers up to 0, its counter says 1".to_owned();
        assert_eq!(told(&app).await, std::slice::from_ref(&series));
        app.clock.advance_seconds(3601);
        let missing = format!("orders: 24.00\u{a0}€ of {number} went back by refund 1, which has no credit note");
        assert_eq!(told(&app).await, [series.clone(), missing]);
        // What went back before the order was invoiced needs none.
        write(&app, "update invoices set issued_at = $1", vec![app.clock.now().into()]).await;
        assert_eq!(told(&app).await, [series]);
    }

    async fn frees_what_is_held_for_nothing(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let (guest, cancelled) = guest_order(&app, &mug, 1).await;
        orders::cancel(&app, &guest, &cancelled.number).await.unwrap();
        // Who pays at the door has their goods taken at once.
        let (_, taken) = guest_order(&app, &mug, 1).await;
        app.run_jobs().await;
        assert_eq!(told(&app).await, [""; 0]);
        let shelf = on_hand(&app, &mug).await;
        for (reference, pieces) in [(cancelled.number.as_str(), 1_i64), (taken.number.as_str(), 2), ("zzz", 3)] {
            let sql = "insert into reservations
                    (reference, variant_id, location_id, quantity, expires_at, created_at)
                select $1, variant_id, location_id, $2, $3, $3
                from stock_levels";
            let later = app.clock.now().plus_seconds(900);
            write(&app, sql, vec![reference.into(), pieces.into(), later.into()]).await;
        }
        write(&app, "update stock_levels set reserved = 6", Vec::new()).await;
        let mut expected = [
            format!("stock: 1 pieces are held for {}, which is cancelled", cancelled.number),
            format!("stock: 2 pieces are held for {}, whose goods were taken", taken.number),
            "stock: 3 pieces are held for zzz, which is no order".to_owned(),
        ];
        let mut found = told(&app).await;
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(level(&app, &mug).await.reserved, 6);
        let mut done = repair(&app).await.unwrap();
        done.sort();
        assert_eq!(done, expected.map(|words| format!("{words}: they are free again")));
        assert_eq!((level(&app, &mug).await.reserved, on_hand(&app, &mug).await), (0, shelf));
        assert_eq!(told(&app).await, [""; 0]);
        assert_eq!(repair(&app).await.unwrap(), [""; 0], "once");
        app.run_jobs().await;
    }

    async fn looks_at_the_audit_log_only_when_asked(app: TestApp) {
        app.admin().await;
        lived(&app).await;
        write(&app, "update audit_log set actor_name = 'Nobody' where position = 1", Vec::new()).await;
        assert_eq!(watch(&app).await.unwrap(), 0, "which has a chore of its own");
        let found = told(&app).await;
        assert!(found.len() == 1 && found[0].starts_with("audit log: The entry 1 "), "{found:?}");
    }
}
