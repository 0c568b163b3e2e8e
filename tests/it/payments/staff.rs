//! The pages and the API of staff about money.

use axum::http::Method;
use serde_json::json;
use zoco::ctx::Permission;
use zoco::error::Error;
use zoco::orders::{PaymentStatus, service as orders};
use zoco::payments::{Behaviour, PaymentState, service as payments};

use super::{books_are_right, decide, gateway, gateway_by_hand, online, paid, seen};
use crate::checkout::guest_order;
use crate::support::{TestApp, both};

both! {
    async fn staff_take_and_free_money_by_page_and_api(app: TestApp) {
        let app = gateway_by_hand(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        let order = paid(&app, &mug, 1).await;
        let path = format!("/admin/orders/{}", order.number);
        let page = browser.get(&path).await.expect(200);
        assert_eq!(page.attributes("#f-amount", "value"), ["28.90"]);
        let much = browser.submit(&page, "#capture", &[("amount", "99")]).await.expect(200);
        assert!(much.has("Write an amount up to 28.90."), "{}", much.body);
        let taken = browser.submit(&page, "#capture", &[("amount", "10.00")]).await.expect(200);
        assert!(taken.has("was charged"), "{}", taken.body);
        assert_eq!(seen(&app, &order).await.payments[0].captured.amount(), "10.00");
        let order = paid(&app, &mug, 1).await;
        let path = format!("/api/admin/orders/{}", order.number);
        let taken = api.post(&format!("{path}/capture"), json!({"amount": "28.90"})).await.expect(200).json();
        assert_eq!(taken["payment_status"], "paid");
        let late = api.post(&format!("{path}/void"), json!({})).await;
        let late = if late.status == 415 { api.request(Method::POST, &format!("{path}/void"), "", Vec::new()).await } else { late };
        assert_eq!(late.expect(409).json()["code"], "nothing_promised");
        let order = paid(&app, &mug, 1).await;
        let path = format!("/admin/orders/{}", order.number);
        let page = browser.get(&path).await.expect(200);
        let freed = browser.submit(&page, "#void", &[]).await.expect(200);
        assert!(freed.has("freed of its payment"), "{}", freed.body);
        assert_eq!(seen(&app, &order).await.payment_status, PaymentStatus::Unpaid);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn payments_are_listed_and_narrowed(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        app.admin().await;
        let order = paid(&app, &mug, 1).await;
        let (_, cash) = guest_order(&app, &mug, 1).await;
        app.run_jobs().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        let small = cash.number.to_lowercase();
        for (query, numbers) in [
            (String::new(), vec![&cash.number, &order.number]),
            ("?state=captured".to_owned(), vec![&order.number]),
            ("?provider=cash_on_delivery".to_owned(), vec![&cash.number]),
            (format!("?order={small}"), vec![&cash.number]),
            ("?state=failed".to_owned(), vec![]),
        ] {
            let page = browser.get(&format!("/admin/payments{query}")).await.expect(200);
            let names = page.texts("td a.name");
            assert_eq!(names.iter().collect::<Vec<_>>(), numbers, "{query}");
        }
        let listed = api.get("/api/admin/payments?status=captured&provider=test").await.expect(200).json();
        assert_eq!((&listed["total"], &listed["items"][0]["reference"]), (&json!(1), &json!(order.number)));
        api.get("/api/admin/payments?status=gone").await.expect(400);
        api.get("/api/admin/payments?state=captured").await.expect(400);
        let page = browser.get("/admin/payments/unmatched").await.expect(200);
        assert!(page.has("All money is where it belongs."));
    }

    async fn what_a_gateway_refused_waits_for_staff(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let staff = app.admin().await;
        let (ctx, order) = online(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::AmountDiffers).await;
        // The gateway gave the money to somebody else already.
        let spoil = async |sql| {
            let mut tx = app.db.begin().await.unwrap();
            zoco::db::query::execute(&mut tx, zoco::db::query::Sql::same(sql), Vec::new()).await.unwrap();
            tx.commit().await.unwrap();
        };
        orders::returned(&app, &ctx, &order.number).await.unwrap();
        spoil("update test_gateway_payments set captured_minor = 0").await;
        app.run_jobs().await;
        let strays = payments::strays(&app, &staff).await.unwrap();
        assert_eq!((strays.payments.len(), strays.refused.len(), strays.returned.len()), (1, 1, 0));
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/payments/unmatched").await.expect(200);
        assert!(page.has("No more can go back than came.") && page.has(&order.number));
        assert_eq!(page.texts("nav a[href='/admin/payments'] small"), ["1"], "the menu tells");
        let form = format!("#return-{}", strays.payments[0].id);
        let again = browser.submit(&page, &form, &[("by", "gateway")]).await.expect(200);
        assert!(again.has("The gateway is asked to send it back."));
        assert_eq!(payments::strays(&app, &staff).await.unwrap().payments.len(), 1, "it refused again");
        let api = app.api().signed_in("admin@example.com").await;
        let path = format!("/api/admin/payments/{}/return", strays.payments[0].id);
        let shown = api.get("/api/admin/payments/unmatched").await.expect(200).json();
        assert_eq!(shown["payments"][0]["unmatched"], "amount_differs");
        assert_eq!(shown["refused"][0]["error"], "No more can go back than came.");
        api.post(&path, json!({"by_hand": true})).await.expect(204);
        let nothing = api.post(&path, json!({"by_hand": true})).await.expect(409).json();
        assert_eq!(nothing["code"], "nothing_stray");
        let shown = api.get("/api/admin/payments/unmatched").await.expect(200).json();
        assert_eq!(shown["payments"], json!([]));
        assert_eq!(shown["returned"][0]["refunded"]["amount"], "26.01");
        let payment = &seen(&app, &order).await.payments[0];
        assert_eq!((payment.state, payment.kept().minor()), (PaymentState::Captured, 0));
        spoil("update test_gateway_payments set captured_minor = refunded_minor").await;
        app.run_jobs().await;
    }

    async fn money_is_the_matter_of_those_who_work_on_orders(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let order = paid(&app, &mug, 1).await;
        let others = app.staff("catalog@example.com", &[Permission::Catalog]).await;
        let number = &order.number;
        let page = zoco::types::PageRequest::default();
        for asker in [&others, &app.guest()] {
            let refused = [
                orders::capture(&app, asker, number, None).await.map(drop),
                orders::void(&app, asker, number).await.map(drop),
                orders::refund(&app, asker, number, Default::default()).await.map(drop),
                orders::books(&app, asker, number).await.map(drop),
                orders::without_money(&app, asker).await.map(drop),
                orders::send_back(&app, asker, order.payments[0].id, true).await,
                payments::list(&app, asker, &Default::default(), page).await.map(drop),
                payments::strays(&app, asker).await.map(drop),
            ];
            for result in refused {
                assert!(matches!(result, Err(Error::Forbidden | Error::Unauthenticated)));
            }
        }
    }
}
