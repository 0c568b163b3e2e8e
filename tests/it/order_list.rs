//! The list of orders for staff: narrowed by every state, kept as views, taken as a table.

use serde_json::json;
use zoco::orders::service::{self, NewReturn, NewReturnLine};
use zoco::orders::{OrderFilter, OrderStatus, ReturnState, Task};

use crate::checkout::{guest_order, order_of};
use crate::orders::drive;
use crate::support::{Reply, TestApp, both};

fn numbers(page: &Reply) -> Vec<String> {
    page.texts("td .name")
}

both! {
    async fn orders_are_narrowed_by_every_state(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let ada = app.customer("ada@example.com").await;
        let returned = order_of(&app, &ada, &mug, 1).await;
        drive(&app, &returned.number, OrderStatus::Delivered).await;
        let input = NewReturn {
            lines: Some(vec![NewReturnLine {
                line_id: returned.lines[0].id.0,
                quantity: 1,
                reason: "late".to_owned(),
            }]),
            note: None,
        };
        service::request_return(&app, &ada, &returned.number, input).await.unwrap();
        app.run_jobs().await;
        app.clock.advance_seconds(2 * 24 * 3600);
        let paid = order_of(&app, &zoco::ctx::Ctx { now: app.clock.now(), ..ada.clone() }, &mug, 3).await;
        service::record_payment(&app, &app.system(), &paid.number).await.unwrap();
        drive(&app, &paid.number, OrderStatus::Confirmed).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        for (page, query, found) in [
            ("task=send", "task=send", Some(&paid)),
            ("task=money", "task=money", Some(&returned)),
            ("task=return", "task=return", Some(&returned)),
            ("returns=requested", "return_status=requested", Some(&returned)),
            ("returns=received", "return_status=received", None),
            ("invoice=no", "invoiced=false", Some(&paid)),
            ("invoice=yes", "invoiced=true", Some(&returned)),
            ("country=ES&task=send", "country=ES&task=send", Some(&paid)),
            ("country=FR", "country=FR", None),
            ("provider=bank_transfer", "provider=bank_transfer", None),
            ("until=2026-11-24", "placed_until=2026-11-24", Some(&returned)),
            ("from=2026-11-25", "placed_from=2026-11-25", Some(&paid)),
            ("min=50", "min_total=50", Some(&paid)),
            ("max=50.00", "max_total=50.00", Some(&returned)),
        ] {
            let shown = numbers(&browser.get(&format!("/admin/orders?{page}")).await.expect(200));
            let wanted: Vec<String> = found.iter().map(|order| order.number.clone()).collect();
            assert_eq!(shown, wanted, "{page}");
            let listed = api.get(&format!("/api/admin/orders?{query}")).await.expect(200).json();
            let listed: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|one| one["number"].as_str().unwrap()).collect();
            assert_eq!(listed, wanted, "{query}");
        }
        for query in ["task=rest", "return_status=x", "placed_from=yesterday", "min_total=cheap"] {
            api.get(&format!("/api/admin/orders?{query}")).await.expect(400);
        }
        let filter = OrderFilter { return_state: Some(ReturnState::Requested), task: Some(Task::Return), ..OrderFilter::default() };
        let page = service::list(&app, &app.system(), &filter, Default::default()).await.unwrap();
        assert_eq!(page.total, 1);
        app.run_jobs().await;
    }

    async fn views_are_kept_by_each_for_themselves(app: TestApp) {
        app.admin().await;
        app.staff("orders@example.com", &[zoco::ctx::Permission::Orders]).await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/orders?status=pending&country=ES&page=1").await.expect(200);
        assert_eq!(page.texts(".views a"), ["To send", "Unpaid", "Returns to look at"]);
        let page = browser.submit(&page, "#save-view", &[("name", "Spain, new")]).await.expect(200);
        assert_eq!(page.path, "/admin/orders?status=pending&country=ES");
        assert_eq!(page.attributes(".views a", "href")[3], "/admin/orders?status=pending&country=ES");
        let page = browser.submit(&page, "#save-view", &[("name", " ")]).await.expect(200);
        assert!(page.has("Write a name of at most 60 characters."), "{}", page.body);
        let mut other = app.browser();
        other.sign_in("orders@example.com").await;
        assert_eq!(other.get("/admin/orders").await.expect(200).texts(".views a").len(), 3);
        let id = page.attributes("details [name=id]", "value").remove(0);
        other.post("/admin/orders/views/delete", &[("id", &id)]).await.expect(404);
        let page = browser.post("/admin/orders/views/delete", &[("id", &id)]).await.expect(200);
        assert_eq!(page.texts(".views a").len(), 3);
    }

    async fn the_list_is_taken_as_a_table_that_no_spreadsheet_runs(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let (_, order) = guest_order(&app, &mug, 2).await;
        let api = app.api();
        let mut cart = api.post("/api/cart/items", json!({"product_id": mug.id.0})).await.expect(200).json();
        let token = cart["token"].take().as_str().unwrap_or_default().to_owned();
        let body = json!({"email": "eve@example.com", "shipping_address": "=HYPERLINK(\"https://evil.example\")\nStreet 1"});
        let placed = api.with("cart-token", &token).post("/api/orders", body).await.expect(201).json();
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/orders").await.expect(200);
        let link = page.attributes("a[download]", "href").remove(0);
        let file = browser.get(&link).await.expect(200);
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        let rows: Vec<&str> = file.body.trim_end().split("\r\n").collect();
        assert!(rows[0].starts_with("number,placed_at,status"), "{}", rows[0]);
        assert!(rows[1].starts_with(placed["number"].as_str().unwrap()) && rows[1].contains("\"'=HYPERLINK"), "{}", rows[1]);
        assert!(rows[2].starts_with(&order.number) && rows[2].ends_with(",52.90,EUR"), "{}", rows[2]);
        let one = browser.get("/admin/orders/export.csv?country=ES").await.expect(200);
        assert_eq!(one.body.trim_end().split("\r\n").count(), 2);
        app.run_jobs().await;
    }
}
