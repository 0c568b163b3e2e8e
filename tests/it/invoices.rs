//! Invoices and credit notes: issued once, numbered without gaps, the same for ever, and seen by
//! those who may see the order. Packing slips.

use serde_json::json;
use zoco::config::InvoiceAt;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::paper::{Credit, CreditLine};
use zoco::orders::service::{self, NewParcel};
use zoco::orders::{InvoiceKind, Order, OrderStatus};
use zoco::types::Money;

use crate::cart::reprice;
use crate::checkout::{guest_order, order_of};
use crate::orders::drive;
use crate::races::at_once;
use crate::support::{TestApp, both};

/// What is wrong with the books, apart from credit notes for which nothing went back: here they
/// are issued by themselves.
async fn wrong(app: &TestApp) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let found = service::imbalances(&mut conn, app.clock.now()).await;
    let mut found = found.unwrap();
    found.retain(|words| !words.starts_with("credit note CN-"));
    found
}

async fn books_are_in_order(app: &TestApp) {
    assert_eq!(wrong(app).await, [""; 0]);
}

async fn credit(
    app: &TestApp,
    ctx: &Ctx,
    number: &str,
    reference: &str,
    credit: &Credit,
) -> Option<String> {
    let order = service::order(app, ctx, number).await.unwrap();
    let mut tx = app.db.begin().await.unwrap();
    let note = service::issue_credit_note(&mut tx, app, ctx, &order, reference, credit)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    note.map(|note| note.number)
}

fn money_back(order: &Order, minor: i64) -> Credit {
    let money = |minor| Money::new(minor, order.total.currency());
    Credit {
        total: money(minor),
        lines: Vec::new(),
        shipping: money(0),
        reason: "Arrived late".to_owned(),
    }
}

both! {
    async fn an_order_is_invoiced_when_it_is_paid_and_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let order = order_of(&app, &ada, &mug, 2).await;
        app.run_jobs().await;
        assert!(service::invoices(&app, &ada, &order.number).await.unwrap().is_empty());
        service::record_payment(&app, &app.system(), &order.number).await.unwrap();
        app.run_jobs().await;
        drive(&app, &order.number, OrderStatus::Shipped).await;
        app.run_jobs().await;
        let issued = service::invoices(&app, &ada, &order.number).await.unwrap();
        assert_eq!(issued.len(), 1);
        assert_eq!((issued[0].number.as_str(), issued[0].total), ("2026-000001", order.total));
        let again = service::issue_invoice(&app, &app.system(), &order.number).await.unwrap();
        assert_eq!(again, issued[0]);

        // It stays as it was, whatever becomes of the goods.
        let before = service::printed(&app, &ada, &order.number, "2026-000001").await.unwrap();
        reprice(&app, &mug, "99.00").await;
        let renamed = app.with_settings(|config| config.seller_name = "Another Ltd".to_owned()).await;
        assert_eq!(service::printed(&renamed, &ada, &order.number, "2026-000001").await.unwrap(), before);
        assert_eq!(before.total, order.total.minor());
        assert_eq!(before.sums.last().unwrap(), &("Total".to_owned(), before.total));
        let taxed: i64 = before.taxes.iter().map(|tax| tax.net + tax.tax).sum();
        assert_eq!(taxed, before.total, "{:?}", before.taxes);
        assert!(before.buyer.iter().any(|line| line == "Ada Lovelace"), "{:?}", before.buyer);
        books_are_in_order(&app).await;
    }

    async fn cash_is_invoiced_with_the_first_parcel_and_some_shops_never_do(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 2).await;
        drive(&app, &order.number, OrderStatus::Shipped).await;
        app.run_jobs().await;
        assert_eq!(service::invoices(&app, &guest, &order.number).await.unwrap().len(), 1);

        let never = app.with_settings(|config| config.invoice_at = InvoiceAt::Never).await;
        let sent = app.with_settings(|config| config.invoice_at = InvoiceAt::Sent).await;
        for (shop, paid, shipped) in [(never, 0, 0), (sent, 0, 1)] {
            let (guest, order) = guest_order(&app, &mug, 1).await;
            service::record_payment(&shop, &shop.system(), &order.number).await.unwrap();
            shop.run_jobs().await;
            assert_eq!(service::invoices(&shop, &guest, &order.number).await.unwrap().len(), paid);
            drive(&shop, &order.number, OrderStatus::Shipped).await;
            shop.run_jobs().await;
            assert_eq!(service::invoices(&shop, &guest, &order.number).await.unwrap().len(), shipped);
        }
        // Nothing is asked for what was called off.
        let (_, order) = guest_order(&app, &mug, 1).await;
        drive(&app, &order.number, OrderStatus::Cancelled).await;
        let refused = service::issue_invoice(&app, &app.system(), &order.number).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "order_cancelled", .. }), "{refused}");
        app.run_jobs().await;
        books_are_in_order(&app).await;
    }

    async fn twenty_at_once_leave_no_gap(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let mut works = Vec::new();
        for _ in 0..10 {
            let (_, order) = guest_order(&app, &mug, 1).await;
            // Each is asked for twice, and half of what asks is refused in the middle.
            works.push((app.clone(), order.number.clone(), true));
            works.push((app.clone(), order.number.clone(), true));
            works.push((app.clone(), order.number, false));
        }
        let results = at_once(works, |(app, number, kept)| async move {
            let system = app.system();
            if kept {
                return service::issue_invoice(&app, &system, &number).await.map(|one| one.number);
            }
            // A transaction that takes a number and comes to nothing.
            let mut tx = app.db.begin().await?;
            let position = zoco::orders::store::next_position(&mut tx, "2026").await?;
            drop(tx);
            Ok(position.to_string())
        })
        .await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let mut numbers: Vec<String> = results.into_iter().flatten().filter(|number| number.contains('-')).collect();
        numbers.sort();
        numbers.dedup();
        let wanted: Vec<String> = (1..=10).map(|number| format!("2026-{number:06}")).collect();
        assert_eq!(numbers, wanted);
        books_are_in_order(&app).await;
        app.run_jobs().await;
    }

    async fn what_goes_back_is_noted_once_with_its_taxes(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 3).await;
        let system = app.system();
        // A line's pieces, shipping and a free amount.
        let money = |minor| Money::new(minor, app.currency());
        let first = Credit {
            total: money(2400 + 490 + 110),
            lines: vec![CreditLine { line: order.lines[0].id, quantity: 1, amount: money(2400) }],
            shipping: money(490),
            reason: String::new(),
        };
        let number = credit(&app, &system, &order.number, "refund 1", &first).await.unwrap();
        assert_eq!(number, "CN-2026-000001");
        assert_eq!(credit(&app, &system, &order.number, "refund 1", &first).await.unwrap(), number);
        let note = service::printed(&app, &guest, &order.number, &number).await.unwrap();
        assert_eq!((note.total, note.credits.as_str()), (3000, "2026-000001"), "the invoice comes first");
        assert_eq!(note.sums, [("Shipping".to_owned(), 490), ("Amount".to_owned(), 110), ("Total".to_owned(), 3000)]);
        assert_eq!(note.lines[0].amount, 2400);
        assert_eq!(note.taxes.iter().map(|tax| tax.net + tax.tax).sum::<i64>(), 3000, "{:?}", note.taxes);
        let other = credit(&app, &system, &order.number, "refund 2", &money_back(&order, 500)).await.unwrap();
        assert_eq!(other, "CN-2026-000002");
        let issued = service::invoices(&app, &guest, &order.number).await.unwrap();
        assert_eq!(issued.iter().map(|one| one.kind).collect::<Vec<_>>(), [InvoiceKind::Invoice, InvoiceKind::CreditNote, InvoiceKind::CreditNote]);
        books_are_in_order(&app).await;
        // More than was invoiced cannot have gone back.
        credit(&app, &system, &order.number, "refund 3", &money_back(&order, 9_000)).await.unwrap();
        assert_eq!(wrong(&app).await, [format!("credit notes give back more than {} cost", order.number)]);
        app.run_jobs().await;
    }

    async fn invoices_are_seen_by_those_who_see_the_order(app: TestApp) {
        let mug = app.product("Everyday mug & saucer", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 2).await;
        app.admin().await;
        let mut admin = app.browser();
        admin.sign_in("admin@example.com").await;
        let page = admin.get(&format!("/admin/orders/{}", order.number)).await.expect(200);
        let page = admin.submit(&page, "#issue", &[]).await.expect(200);
        assert!(page.has("The invoice is 2026-000001."), "{}", page.body);
        let path = format!("/orders/{}/invoices/2026-000001", order.number);
        let staff = admin.get(&path).await.expect(200);

        let mut browser = app.browser();
        browser.get(&path).await.expect(404);
        browser.get(&format!("{path}.pdf")).await.expect(404);
        let token = guest.order_token.clone().unwrap();
        let own = browser.get(&format!("/orders/{}?token={token}", order.number)).await.expect(200);
        assert!(own.attributes("aside a", "href").contains(&path), "{}", own.body);
        let page = browser.get(&path).await.expect(200);
        assert_eq!(page.body, staff.body);
        assert_eq!(page.text("h1"), "Invoice 2026-000001");
        assert_eq!(page.text(".sums .total dd"), "52.90 €");
        assert!(page.has("Everyday mug &#38; saucer") && page.has("Why this price?"));
        let pdf = browser.get(&format!("{path}.pdf")).await.expect(200);
        assert_eq!(pdf.header("content-type"), "application/pdf");
        assert!(pdf.body.starts_with("%PDF-"));
        browser.get(&format!("/orders/{}/invoices/2026-000002", order.number)).await.expect(404);

        let api = app.api().with("order-token", &token);
        let base = format!("/api/orders/{}/invoices", order.number);
        let list = api.get(&base).await.expect(200).json();
        assert_eq!(list["items"][0]["number"], "2026-000001");
        let shown = api.get(&format!("{base}/2026-000001")).await.expect(200).json();
        assert_eq!(shown["total"], list["items"][0]["total"]);
        assert_eq!(shown["lines"][0]["label"], "Everyday mug & saucer");
        let steps = shown["trace"].as_array().unwrap();
        assert_eq!(steps.last().unwrap(), &json!({"text": "Total", "amount": shown["total"]}));
        assert_eq!(api.get(&format!("{base}/2026-000001/pdf")).await.expect(200).header("content-type"), "application/pdf");
        let invoice = format!("/api/orders/{}/invoice", order.number);
        assert_eq!(api.get(&invoice).await.expect(200).json(), shown);
        app.api().get(&invoice).await.expect(404);
        app.api().get(&base).await.expect(404);
        let clerk = app.api().signed_in("admin@example.com").await;
        let again = clerk.post(&format!("/api/admin/orders/{}/invoices", order.number), json!({})).await.expect(200).json();
        assert_eq!(again["number"], "2026-000001");
        app.run_jobs().await;
    }

    async fn a_slip_shows_what_is_in_the_parcel_and_no_price(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (_, order) = guest_order(&app, &mug, 2).await;
        drive(&app, &order.number, OrderStatus::Processing).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        service::fulfil(&app, &staff, &order.number, NewParcel::default()).await.unwrap();
        let mut browser = app.browser();
        browser.sign_in("orders@example.com").await;
        let path = format!("/admin/orders/{}/parcels/1/slip", order.number);
        let page = browser.get(&path).await.expect(200);
        assert_eq!(page.texts("tbody td"), ["Everyday mug", order.lines[0].sku.as_str(), "2"]);
        assert!(page.has("Ada Lovelace") && !page.has("24.00"), "{}", page.body);
        assert!(browser.get(&format!("{path}.pdf")).await.expect(200).body.starts_with("%PDF-"));
        browser.get(&format!("/admin/orders/{}/parcels/2/slip", order.number)).await.expect(404);
        let api = app.api().signed_in("orders@example.com").await;
        let slip = format!("/api/admin/orders/{}/fulfilments/1/slip", order.number);
        assert!(api.get(&slip).await.expect(200).body.starts_with("%PDF-"));
        let missing = format!("/api/admin/orders/{}/fulfilments/2/slip", order.number);
        api.get(&missing).await.expect(404);
        app.run_jobs().await;
    }
}
