//! Orders: who sees them, how they move on, what cancelling gives back.

use serde_json::{Value, json};
use zoco::catalog::service::ProductInput;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::{
    FulfilmentStatus, Order, OrderFilter, OrderStatus, PaymentStatus, Statuses, service,
};
use zoco::payments::PaymentState;
use zoco::types::{MoneyInput, PageRequest, TextEnum};

use crate::cart::change;
use crate::checkout::{guest_order, on_hand, order_of};
use crate::support::{TestApp, both, plain};

const PAST: [OrderStatus; 5] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Processing,
    OrderStatus::Shipped,
    OrderStatus::Delivered,
];

/// Moves a new order to a status, step by step.
pub async fn drive(app: &TestApp, number: &str, to: OrderStatus) {
    let steps = match PAST.iter().position(|status| *status == to) {
        Some(index) => &PAST[1..=index],
        None => &[OrderStatus::Cancelled],
    };
    for step in steps {
        service::transition(app, &app.system(), number, *step)
            .await
            .unwrap();
    }
}

fn code(error: Error) -> &'static str {
    match error {
        Error::Conflict { code, .. } => code,
        other => panic!("not a conflict: {other}"),
    }
}

fn kinds(order: &Order) -> Vec<&str> {
    order
        .events
        .iter()
        .map(|event| event.kind.as_str())
        .collect()
}

/// What the test itself says of the table.
fn allowed(from: OrderStatus, to: OrderStatus) -> bool {
    use OrderStatus::*;
    matches!(
        (from, to),
        (Pending, Confirmed)
            | (Confirmed, Processing)
            | (Processing, Shipped)
            | (Shipped, Delivered)
            | (Pending | Confirmed | Processing, Cancelled)
    )
}

both! {
    async fn an_order_is_seen_by_its_owner_its_holder_and_staff(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let bob = app.customer("bob@example.com").await;
        let owned = order_of(&app, &ada, &mug, 1).await;
        let (guest, held) = guest_order(&app, &mug, 1).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let others = app
            .staff("catalog@example.com", &[Permission::Catalog])
            .await;
        let forged = Ctx {
            order_token: Some(app.guest_tokens.token(&owned.number)),
            ..app.guest()
        };
        let wrong = Ctx {
            order_token: Some("0".repeat(64)),
            ..app.guest()
        };

        for (asker, sees_owned, sees_held) in [
            (&ada, true, false),
            (&bob, false, false),
            (&guest, false, true),
            (&app.guest(), false, false),
            (&forged, false, false),
            (&wrong, false, false),
            (&staff, true, true),
            (&others, false, false),
            (&app.system(), true, true),
        ] {
            for (order, sees) in [(&owned, sees_owned), (&held, sees_held)] {
                let seen = service::order(&app, asker, &order.number).await;
                match seen {
                    Ok(seen) => assert!(sees && seen == *order),
                    Err(error) => assert!(!sees && matches!(error, Error::NotFound)),
                }
                assert_eq!(
                    service::payments(&app, asker, &order.number).await.is_ok(),
                    sees
                );
                if !sees {
                    let error = service::cancel(&app, asker, &order.number)
                        .await
                        .unwrap_err();
                    assert!(matches!(error, Error::NotFound));
                }
            }
        }
        // The number is read as people type it.
        let typed = format!(" {} ", owned.number.to_lowercase());
        assert_eq!(service::order(&app, &ada, &typed).await.unwrap(), owned);
        let error = service::order(&app, &staff, "no such number")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotFound));
        app.run_jobs().await;
    }

    async fn pages_and_api_show_the_same_to_the_same(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        app.customer("bob@example.com").await;
        let owned = order_of(&app, &ada, &mug, 2).await;
        let (guest, held) = guest_order(&app, &mug, 1).await;
        let token = guest.order_token.unwrap();
        let (owned_path, held_path) = (
            format!("/orders/{}", owned.number),
            format!("/orders/{}", held.number),
        );

        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get(&owned_path).await.expect(200);
        assert_eq!(page.text("h1"), format!("Order {}", owned.number));
        assert_eq!(page.texts(".states .badge"), ["Received", "Not paid yet"]);
        assert_eq!(page.text("dd.total"), "52.90 €");
        assert_eq!(page.texts(".why dt")[0], "2 × Everyday mug at 24.00 €");
        assert_eq!(
            page.text(".log li"),
            "Order placed24 November 2026, 12:00 UTC"
        );
        assert!(page.has("Cash on delivery"));
        browser.get(&held_path).await.expect(404);
        browser
            .get(&format!("{held_path}/thanks"))
            .await
            .expect(404);
        browser
            .post(&format!("{held_path}/cancel"), &[])
            .await
            .expect(404);
        let api = app.api().signed_in("ada@example.com").await;
        let seen = api
            .get(&format!("/api{owned_path}"))
            .await
            .expect(200)
            .json();
        assert_eq!(seen["total"]["amount"], "52.90");
        assert_eq!(seen["can_cancel"], true);
        assert_eq!(seen["events"][0]["kind"], "placed");
        assert_eq!(seen["lines"][0]["image_url"], Value::Null);
        let payments = api
            .get(&format!("/api{owned_path}/payments"))
            .await
            .expect(200)
            .json();
        assert_eq!(payments["items"], seen["payments"]);
        api.get(&format!("/api{held_path}")).await.expect(404);

        for email in ["bob@example.com", ""] {
            let mut browser = app.browser();
            let mut api = app.api();
            if !email.is_empty() {
                browser.sign_in(email).await;
                api = api.signed_in(email).await;
            }
            browser.get(&owned_path).await.expect(404);
            api.get(&format!("/api{owned_path}")).await.expect(404);
            api.get(&format!("/api{owned_path}/payments"))
                .await
                .expect(404);
            api.post(&format!("/api{owned_path}/cancel"), json!({}))
                .await
                .expect(404);
        }

        // The link of the mail: the token leaves the address bar and stays with the visit.
        let mut browser = app.browser();
        browser
            .get(&format!("{held_path}?token={}", "0".repeat(64)))
            .await
            .expect(404);
        let page = browser
            .get(&format!("{held_path}?token={token}"))
            .await
            .expect(200);
        assert_eq!(page.path, held_path);
        browser
            .get(&format!("/orders/{}", held.number.to_lowercase()))
            .await
            .expect(200);
        browser
            .get(&format!("{held_path}/thanks"))
            .await
            .expect(200);
        app.api()
            .with("order-token", &token)
            .get(&format!("/api{held_path}"))
            .await
            .expect(200);
        app.api()
            .with("order-token", "x")
            .get(&format!("/api{held_path}"))
            .await
            .expect(404);
        app.run_jobs().await;
    }

    async fn ones_own_orders_are_listed_newest_first(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let ada = app.customer("ada@example.com").await;
        let bob = app.customer("bob@example.com").await;
        order_of(&app, &bob, &mug, 1).await;
        let mut browser = app.browser();
        let page = browser.get("/orders").await;
        assert!(page.path.starts_with("/sign-in"), "{}", page.path);
        app.api().get("/api/orders").await.expect(401);
        let error = service::list_own(&app, &app.guest(), PageRequest::default())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unauthenticated));

        browser.sign_in("ada@example.com").await;
        let api = app.api().signed_in("ada@example.com").await;
        assert!(
            browser
                .get("/orders")
                .await
                .expect(200)
                .has("No orders yet")
        );
        let mut numbers = Vec::new();
        for _ in 0..25 {
            app.clock.advance_seconds(1);
            let ada = Ctx {
                now: app.clock.now(),
                ..ada.clone()
            };
            numbers.insert(0, order_of(&app, &ada, &mug, 1).await.number);
        }
        let page = browser.get("/orders").await.expect(200);
        assert_eq!(page.texts("tbody a"), numbers[..24]);
        assert_eq!(
            page.attributes(".pager a[rel=next]", "href"),
            ["/orders?page=2"]
        );
        assert_eq!(
            browser
                .get("/orders?page=2")
                .await
                .expect(200)
                .texts("tbody a"),
            numbers[24..]
        );
        browser.get("/orders?page=x").await.expect(400);
        let list = api
            .get("/api/orders?per_page=10&page=3")
            .await
            .expect(200)
            .json();
        let listed: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["number"].as_str().unwrap())
            .collect();
        assert_eq!(listed, numbers[20..]);
        assert_eq!((&list["total"], &list["next"]), (&json!(25), &Value::Null));
        assert_eq!(list["items"][0]["count"], 1);
        let alias = api
            .get("/api/orders/orders/?per_page=1")
            .await
            .expect(200)
            .json();
        assert_eq!(alias["items"][0]["number"], json!(numbers[0]));
        assert_eq!(alias["next"], "/api/orders/orders?per_page=1&page=2");
        api.get("/api/orders?status=pending").await.expect(400);
        app.run_jobs().await;
    }

    async fn page_and_api_cancel_alike(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let by_page = order_of(&app, &ada, &mug, 2).await;
        let by_api = order_of(&app, &ada, &mug, 2).await;
        assert_eq!(on_hand(&app, &mug).await, 6);
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get(&format!("/orders/{}", by_page.number)).await;
        let page = browser
            .submit(&page, "details.cancel form", &[])
            .await
            .expect(200);
        assert_eq!(page.text(".flash"), "Your order is cancelled.");
        assert_eq!(page.text(".states .badge"), "Cancelled");
        assert!(page.texts("details.cancel").is_empty());
        let api = app.api().signed_in("ada@example.com").await;
        let path = format!("/api/orders/{}/cancel", by_api.number);
        let cancelled = api.post(&path, json!({})).await.expect(200).json();
        assert_eq!(
            (&cancelled["status"], &cancelled["can_cancel"]),
            (&json!("cancelled"), &json!(false))
        );

        for order in [&by_page, &by_api] {
            let order = service::order(&app, &ada, &order.number).await.unwrap();
            assert_eq!(order.status, OrderStatus::Cancelled);
            assert_eq!(order.payment_status, PaymentStatus::Unpaid);
            assert_eq!(order.payments[0].state, PaymentState::Voided);
            assert_eq!(kinds(&order), ["placed", "cancelled"]);
            assert_eq!(order.events[1].actor_name, "ada");
        }
        assert_eq!(on_hand(&app, &mug).await, 10);
        // Once is enough.
        let page = browser
            .post(&format!("/orders/{}/cancel", by_page.number), &[])
            .await
            .expect(200);
        assert_eq!(
            page.text(".flash.warning"),
            "An order that is cancelled cannot become cancelled."
        );
        let refused = api.post(&path, json!({})).await.expect(409).json();
        assert_eq!(refused["code"], "transition_not_allowed");
        assert_eq!(on_hand(&app, &mug).await, 10);

        // A guest cancels with the visit that placed it.
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let mut browser = app.browser();
        let link = format!(
            "/orders/{}?token={}",
            order.number,
            guest.order_token.unwrap()
        );
        let page = browser.get(&link).await.expect(200);
        browser
            .submit(&page, "details.cancel form", &[])
            .await
            .expect(200);
        assert_eq!(on_hand(&app, &mug).await, 10);
        app.run_jobs().await;
    }

    async fn shoppers_cancel_early_staff_until_it_is_shipped(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        for (status, by_owner, by_staff) in [
            (OrderStatus::Pending, true, true),
            (OrderStatus::Confirmed, true, true),
            (OrderStatus::Processing, false, true),
            (OrderStatus::Shipped, false, false),
            (OrderStatus::Delivered, false, false),
            (OrderStatus::Cancelled, false, false),
        ] {
            let order = order_of(&app, &ada, &mug, 1).await;
            drive(&app, &order.number, status).await;
            let order = service::order(&app, &ada, &order.number).await.unwrap();
            assert_eq!(service::may_cancel(&ada, &order), by_owner, "{status}");
            assert_eq!(service::may_cancel(&staff, &order), by_staff, "{status}");
            let cancelled = service::cancel(&app, &ada, &order.number).await;
            assert_eq!(cancelled.is_ok(), by_owner, "{status}");
            if !by_owner {
                assert_eq!(code(cancelled.unwrap_err()), "transition_not_allowed");
                let cancelled =
                    service::transition(&app, &staff, &order.number, OrderStatus::Cancelled).await;
                assert_eq!(cancelled.is_ok(), by_staff, "{status}");
            }
        }
        assert_eq!(on_hand(&app, &mug).await, 8, "what was shipped is gone");
        app.run_jobs().await;
    }

    async fn orders_move_through_the_table_only(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        for &from in OrderStatus::ALL {
            for &to in OrderStatus::ALL {
                let (_, order) = guest_order(&app, &mug, 1).await;
                drive(&app, &order.number, from).await;
                let before = service::order(&app, &staff, &order.number).await.unwrap();
                let moved = service::transition(&app, &staff, &order.number, to).await;
                let after = service::order(&app, &staff, &order.number).await.unwrap();
                if allowed(from, to) {
                    assert_eq!(moved.unwrap(), after);
                    assert_eq!(after.status, to);
                    // What is shipped is a parcel, and an entry of its own.
                    let entries = if to == OrderStatus::Shipped { 2 } else { 1 };
                    assert_eq!(after.events.len(), before.events.len() + entries);
                    let sent = matches!(to, OrderStatus::Shipped | OrderStatus::Delivered);
                    let fulfilment = if sent {
                        FulfilmentStatus::Fulfilled
                    } else {
                        FulfilmentStatus::Unfulfilled
                    };
                    assert_eq!(after.fulfilment_status, fulfilment);
                } else {
                    assert_eq!(
                        code(moved.unwrap_err()),
                        "transition_not_allowed",
                        "{from} → {to}"
                    );
                    assert_eq!(after, before);
                }
            }
        }
        on_hand(&app, &mug).await;
        app.run_jobs().await;
    }

    async fn money_that_came_goes_back_on_cancel(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let paid = service::record_payment(&app, &staff, &order.number)
            .await
            .unwrap();
        assert_eq!(paid.payment_status, PaymentStatus::Paid);
        assert_eq!(
            (paid.payments[0].state, paid.payments[0].captured),
            (PaymentState::Captured, order.total)
        );
        assert_eq!(
            code(
                service::record_payment(&app, &staff, &order.number)
                    .await
                    .unwrap_err()
            ),
            "not_pending"
        );

        let cancelled = service::cancel(&app, &guest, &order.number).await.unwrap();
        assert_eq!(cancelled.payment_status, PaymentStatus::Refunded);
        assert_eq!(cancelled.payments[0].refunded, order.total);
        assert_eq!(
            kinds(&cancelled),
            [
                "placed",
                "payment_captured",
                "cancelled",
                "payment_refunded"
            ]
        );
        assert_eq!(cancelled.events[3].detail, "28.90\u{a0}€ refunded");
        assert_eq!(
            code(
                service::record_payment(&app, &staff, &order.number)
                    .await
                    .unwrap_err()
            ),
            "order_cancelled"
        );
        let mut browser = app.browser();
        let page = browser
            .get(&format!(
                "/orders/{}?token={}",
                order.number,
                guest.order_token.unwrap()
            ))
            .await
            .expect(200);
        assert_eq!(page.texts(".states .badge"), ["Cancelled", "Refunded"]);
        assert!(page.has("28.90\u{a0}€ went back"));
        assert!(page.has("Payment received: 28.90\u{a0}€ by Cash on delivery"));

        // Money may come before anybody looked at the order, and after it was delivered.
        let (_, order) = guest_order(&app, &mug, 1).await;
        drive(&app, &order.number, OrderStatus::Delivered).await;
        let paid = service::record_payment(&app, &staff, &order.number)
            .await
            .unwrap();
        assert_eq!(
            (paid.status, paid.payment_status),
            (OrderStatus::Delivered, PaymentStatus::Paid)
        );
        app.run_jobs().await;
    }

    async fn the_services_of_staff_are_closed_to_others(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let order = order_of(&app, &ada, &mug, 1).await;
        let catalog = app
            .staff("catalog@example.com", &[Permission::Catalog])
            .await;
        let filter = OrderFilter::default();
        for (asker, guest) in [(&ada, false), (&catalog, false), (&app.guest(), true)] {
            let refused = [
                service::list(&app, asker, &filter, PageRequest::default())
                    .await
                    .map(drop),
                service::order_for_staff(&app, asker, &order.number)
                    .await
                    .map(drop),
                service::transition(&app, asker, &order.number, OrderStatus::Confirmed)
                    .await
                    .map(drop),
                service::transition(&app, asker, &order.number, OrderStatus::Cancelled)
                    .await
                    .map(drop),
                service::record_payment(&app, asker, &order.number)
                    .await
                    .map(drop),
                service::waiting(&app, asker).await.map(drop),
            ];
            for answer in refused {
                match answer.unwrap_err() {
                    Error::Unauthenticated => assert!(guest),
                    Error::Forbidden => assert!(!guest),
                    other => panic!("{other}"),
                }
            }
        }
        let api = app.api().signed_in("ada@example.com").await;
        let path = format!("/api/admin/orders/{}", order.number);
        for (client, status) in [(api, 403), (app.api(), 401)] {
            client.get("/api/admin/orders").await.expect(status);
            client.get(&path).await.expect(status);
            client
                .post(&format!("{path}/transitions"), json!({"to": "confirmed"}))
                .await
                .expect(status);
            client
                .post(&format!("{path}/payments"), json!({}))
                .await
                .expect(status);
        }
        app.run_jobs().await;
    }

    async fn staff_find_and_move_orders_over_the_api(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let ada = app.customer("ada@example.com").await;
        let first = order_of(&app, &ada, &mug, 2).await;
        let (_, second) = guest_order(&app, &mug, 1).await;
        let numbers = async |query: &str| -> Vec<String> {
            let list = api
                .get(&format!("/api/admin/orders?{query}"))
                .await
                .expect(200)
                .json();
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|order| order["number"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(
            numbers("").await,
            [second.number.clone(), first.number.clone()]
        );
        let path = format!("/api/admin/orders/{}", first.number);
        let moved = api
            .post(&format!("{path}/transitions"), json!({"to": "confirmed"}))
            .await
            .expect(200)
            .json();
        assert_eq!(moved["status"], "confirmed");
        let paid = api
            .post(&format!("{path}/payments"), json!({}))
            .await
            .expect(200)
            .json();
        assert_eq!(paid["payment_status"], "paid");
        assert_eq!(api.get(&path).await.expect(200).json(), paid);

        for (query, found) in [
            (
                format!("search={}", first.number.replace('-', "").to_lowercase()),
                &[&first][..],
            ),
            (format!("search={}", &second.number[..6]), &[&second]),
            ("search=ada%40example".to_owned(), &[&second, &first]),
            ("search=LOVELACE".to_owned(), &[&second, &first]),
            ("search=%25".to_owned(), &[]),
            ("search=nobody".to_owned(), &[]),
            ("status=confirmed".to_owned(), &[&first]),
            ("payment_status=unpaid".to_owned(), &[&second]),
            (
                "fulfilment_status=unfulfilled&per_page=1".to_owned(),
                &[&second],
            ),
            ("fulfilment_status=fulfilled".to_owned(), &[]),
        ] {
            let found: Vec<&str> = found.iter().map(|order| order.number.as_str()).collect();
            assert_eq!(numbers(&query).await, found, "{query}");
        }
        for query in [
            "status=lost",
            "payment_status=x",
            "fulfilment_status=x",
            "page=0",
            "per_page=101",
            "colour=red",
        ] {
            api.get(&format!("/api/admin/orders?{query}"))
                .await
                .expect(400);
        }
        let waiting = service::waiting(&app, &app.system()).await.unwrap();
        assert_eq!((waiting.pending, waiting.unpaid), (1, 1));

        let refused = api
            .post(&format!("{path}/transitions"), json!({"to": "lost"}))
            .await
            .expect(422)
            .json();
        assert_eq!(refused["errors"][0]["field"], "to");
        let refused = api
            .post(&format!("{path}/transitions"), json!({"to": "delivered"}))
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "transition_not_allowed");
        let refused = api
            .post(&format!("{path}/payments"), json!({}))
            .await
            .expect(409)
            .json();
        assert_eq!(refused["code"], "not_pending");
        let missing = "/api/admin/orders/NONE";
        api.get(missing).await.expect(404);
        api.post(
            &format!("{missing}/transitions"),
            json!({"to": "confirmed"}),
        )
        .await
        .expect(404);
        api.post(&format!("{missing}/payments"), json!({}))
            .await
            .expect(404);
        app.run_jobs().await;
    }

    async fn an_order_keeps_what_it_was(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let renamed = ProductInput {
            name: Some("Sunday mug".to_owned()),
            price: Some(MoneyInput::new("99.00")),
            ..ProductInput::default()
        };
        change(&app, &mug, renamed).await;
        assert_eq!(
            service::order(&app, &guest, &order.number).await.unwrap(),
            order
        );
        let key = zoco::catalog::ProductKey::Id(mug.id);
        zoco::catalog::service::delete_product(&app, &app.system(), &key, None)
            .await
            .unwrap();
        let kept = service::order(&app, &guest, &order.number).await.unwrap();
        assert_eq!(kept.lines[0].label(), "Everyday mug");
        assert_eq!(kept.lines[0].unit_price.amount(), "24.00");
        app.run_jobs().await;
    }

    async fn a_guests_token_is_the_same_each_time_and_no_number(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let (other, _) = guest_order(&app, &mug, 1).await;
        assert_eq!(service::guest_token(&app, &order), guest.order_token);
        assert_ne!(guest.order_token, other.order_token);
        assert_eq!(order.number.len(), 14);
        assert_eq!(
            service::tidy_number(&format!(" {} ", order.number.to_lowercase())),
            order.number
        );
        // Another instance of the shop makes the same.
        let again = zoco::orders::GuestTokens::load(&app.db, &app.rng)
            .await
            .unwrap();
        assert_eq!(Some(again.token(&order.number)), guest.order_token);
        assert_eq!(service::last_address(&app, &guest).await.unwrap(), None);
        app.run_jobs().await;
    }
}

plain! {
    fn the_tables_allow_what_they_should_and_nothing_else() {
        for &from in OrderStatus::ALL {
            for &to in OrderStatus::ALL {
                assert_eq!(from.may_become(to), allowed(from, to), "{from} → {to}");
            }
        }
        use PaymentStatus::*;
        for &from in PaymentStatus::ALL {
            for &to in PaymentStatus::ALL {
                let allowed = matches!(
                    (from, to),
                    (Unpaid, Authorized | Paid)
                        | (Authorized, Unpaid | Paid)
                        | (Paid, PartiallyRefunded | Refunded)
                        | (PartiallyRefunded, Refunded)
                        | (Refunded, PartiallyRefunded)
                );
                assert_eq!(from.next().contains(&to), allowed, "{from} → {to}");
                assert!(!to.in_words().is_empty());
            }
        }
        for (from, to, allowed) in [
            (
                FulfilmentStatus::Unfulfilled,
                FulfilmentStatus::Fulfilled,
                true,
            ),
            (
                FulfilmentStatus::Unfulfilled,
                FulfilmentStatus::Partial,
                true,
            ),
            (FulfilmentStatus::Partial, FulfilmentStatus::Fulfilled, true),
            (
                FulfilmentStatus::Fulfilled,
                FulfilmentStatus::Partial,
                false,
            ),
            (
                FulfilmentStatus::Partial,
                FulfilmentStatus::Unfulfilled,
                false,
            ),
        ] {
            assert_eq!(from.next().contains(&to), allowed);
        }
        // The three change together, each by its own table or not at all.
        let paid = Statuses {
            payment: Paid,
            ..Statuses::NEW
        };
        let lost = Statuses {
            order: OrderStatus::Delivered,
            payment: Paid,
            ..Statuses::NEW
        };
        assert!(Statuses::NEW.may_become(paid));
        assert!(!paid.may_become(Statuses::NEW));
        assert!(!Statuses::NEW.may_become(lost));
    }
}
