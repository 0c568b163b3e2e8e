//! Parcels: what is sent is never more than what was ordered, the order moves on with it, and
//! the shopper follows it. Notes of staff, and finding an order again.

use serde_json::json;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::service::{self, FindOrder, NewNote, NewParcel, ParcelLine, TrackingInput};
use zoco::orders::{FulfilmentState, FulfilmentStatus, Order, OrderStatus};
use zoco::payments::Behaviour;
use zoco::types::Locale;

use crate::checkout::{guest_order, on_hand, order_of};
use crate::orders::drive;
use crate::payments::{books_are_right, decide, gateway, online};
use crate::races::at_once;
use crate::support::{TestApp, both};

fn some(order: &Order, quantity: i64) -> NewParcel {
    NewParcel {
        lines: Some(vec![ParcelLine {
            line_id: order.lines[0].id.0,
            quantity,
        }]),
        ..NewParcel::default()
    }
}

fn kinds(order: &Order) -> Vec<&str> {
    let events = order.events.iter();
    events.map(|event| event.kind.as_str()).collect()
}

fn field(error: &Error) -> String {
    match error {
        Error::Invalid(errors) => errors
            .iter()
            .map(|(field, _)| field)
            .collect::<Vec<_>>()
            .join(" "),
        other => panic!("not invalid: {other}"),
    }
}

async fn admin(app: &TestApp) -> Ctx {
    app.staff("orders@example.com", &[Permission::Orders]).await
}

both! {
    async fn an_order_is_sent_in_parts(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let staff = admin(&app).await;
        let (guest, order) = guest_order(&app, &mug, 3).await;
        let number = &order.number;
        let refused = service::fulfil(&app, &staff, number, some(&order, 1)).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "transition_not_allowed", .. }), "{refused}");
        drive(&app, number, OrderStatus::Confirmed).await;
        let input = NewParcel {
            carrier: Some("dhl".to_owned()),
            tracking_number: Some(" 0034 0434 ".to_owned()),
            ..some(&order, 1)
        };
        let sent = service::fulfil(&app, &staff, number, input).await.unwrap();
        assert_eq!((sent.status, sent.fulfilment_status), (OrderStatus::Processing, FulfilmentStatus::Partial));
        assert_eq!(sent.unsent(&sent.lines[0]), 2);
        let parcel = &sent.fulfilments[0];
        assert_eq!(parcel.tracking.url, "https://www.dhl.com/global-en/home/tracking.html?tracking-id=0034%200434");
        assert_eq!(kinds(&sent), ["placed", "status_changed", "status_changed", "fulfilled"]);
        assert_eq!(sent.events[3].detail, "Parcel 1: 1 × Everyday mug, DHL 0034 0434");

        // A second part changes no status; what is sent cannot be called off.
        let sent = service::fulfil(&app, &staff, number, some(&order, 1)).await.unwrap();
        assert_eq!((sent.status, sent.fulfilments.len()), (OrderStatus::Processing, 2));
        assert!(!service::may_cancel(&staff, &sent));
        let refused = service::cancel(&app, &staff, number).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "partly_sent", .. }), "{refused}");
        let refused = service::fulfil(&app, &staff, number, some(&order, 2)).await.unwrap_err();
        assert_eq!(field(&refused), "lines.0.quantity");

        // The rest, by the button that there always was.
        let sent = service::transition(&app, &staff, number, OrderStatus::Shipped).await.unwrap();
        assert_eq!((sent.status, sent.fulfilment_status), (OrderStatus::Shipped, FulfilmentStatus::Fulfilled));
        assert_eq!(sent.fulfilments[2].count(), 1);
        let refused = service::fulfil(&app, &staff, number, NewParcel::default()).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "transition_not_allowed", .. }), "{refused}");

        // The order is delivered with its last parcel.
        for parcel in [2, 1] {
            let order = service::delivered(&app, &staff, number, parcel).await.unwrap();
            assert_eq!(order.status, OrderStatus::Shipped);
        }
        let refused = service::delivered(&app, &staff, number, 1).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "transition_not_allowed", .. }), "{refused}");
        assert!(matches!(service::delivered(&app, &staff, number, 9).await, Err(Error::NotFound)));
        let order = service::delivered(&app, &staff, number, 3).await.unwrap();
        assert_eq!(order.status, OrderStatus::Delivered);
        assert!(order.fulfilments.iter().all(|one| one.state == FulfilmentState::Delivered && one.delivered_at.is_some()));
        app.run_jobs().await;
        let subjects: Vec<String> = app.letters().iter().map(|letter| letter.subject.replace(number, "N")).collect();
        assert_eq!(subjects, [
            "Your order N at olmo",
            "A part of your order N is on its way",
            "A part of your order N is on its way",
            "Your order N is on its way",
            "Your order N was delivered",
        ]);
        let seen = service::order(&app, &guest, number).await.unwrap();
        assert_eq!(seen.fulfilments, order.fulfilments);
    }

    async fn goods_that_were_not_taken_are_not_sent(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let staff = app.admin().await;
        let (_, order) = online(&app, &mug, 2).await;
        let number = &order.number;
        drive(&app, number, OrderStatus::Processing).await;
        let parcel = service::fulfil(&app, &staff, number, some(&order, 1)).await;
        let shipped = service::transition(&app, &staff, number, OrderStatus::Shipped).await;
        for refused in [parcel, shipped] {
            assert!(matches!(refused, Err(Error::Conflict { code: "not_paid", .. })), "{refused:?}");
        }
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let told = browser.get(&format!("/admin/orders/{number}/send")).await.expect(200);
        assert!(told.has("its goods are not taken from stock"), "{}", told.body);
        let clerk = app.api().signed_in("admin@example.com").await;
        let path = format!("/api/admin/orders/{number}/fulfilments");
        assert_eq!(clerk.post(&path, json!({})).await.expect(409).json()["code"], "not_paid");
        assert_eq!(on_hand(&app, &mug).await, 10);
        // Its money comes, and its goods leave.
        decide(&app, &order, Behaviour::Approve).await;
        app.run_jobs().await;
        let sent = service::fulfil(&app, &staff, number, NewParcel::default()).await.unwrap();
        assert_eq!((sent.status, on_hand(&app, &mug).await), (OrderStatus::Shipped, 8));
        // What is paid at the door left the shelf when it was ordered.
        let (_, order) = guest_order(&app, &mug, 1).await;
        drive(&app, &order.number, OrderStatus::Shipped).await;
        assert_eq!(on_hand(&app, &mug).await, 7);
        app.run_jobs().await;
        books_are_right(&app).await;
    }

    async fn what_is_no_parcel_is_told_at_its_field(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let staff = admin(&app).await;
        let (_, order) = guest_order(&app, &mug, 3).await;
        drive(&app, &order.number, OrderStatus::Confirmed).await;
        let twice = ParcelLine { line_id: order.lines[0].id.0, quantity: 2 };
        let text = |text: &str| Some(text.to_owned());
        for (input, wrong) in [
            (some(&order, 0), "lines"),
            (some(&order, -1), "lines.0.quantity"),
            (some(&order, 4), "lines.0.quantity"),
            (NewParcel { lines: Some(vec![twice.clone(), twice]), ..NewParcel::default() }, "lines.1.quantity"),
            (NewParcel { lines: Some(vec![ParcelLine { line_id: 4711, quantity: 1 }]), ..NewParcel::default() }, "lines.0.line_id"),
            (NewParcel { lines: Some(Vec::new()), ..NewParcel::default() }, "lines"),
            (NewParcel { carrier: text("pigeon"), ..NewParcel::default() }, "carrier"),
            (NewParcel { tracking_number: text(&"9".repeat(101)), ..NewParcel::default() }, "tracking_number"),
            (NewParcel { tracking_url: text("http://dhl.example/1"), ..NewParcel::default() }, "tracking_url"),
            (NewParcel { tracking_url: text("javascript:alert(1)"), ..NewParcel::default() }, "tracking_url"),
            (NewParcel { tracking_url: text("https://user:secret@dhl.example/1"), ..NewParcel::default() }, "tracking_url"),
            (NewParcel { tracking_url: text("https://"), ..NewParcel::default() }, "tracking_url"),
        ] {
            let refused = service::fulfil(&app, &staff, &order.number, input.clone()).await.unwrap_err();
            assert_eq!(field(&refused), wrong, "{input:?}");
        }
        assert!(service::order(&app, &staff, &order.number).await.unwrap().fulfilments.is_empty());
        app.run_jobs().await;
    }

    async fn form_and_api_send_alike(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let ada = app.customer("ada@example.com").await;
        let by_form = order_of(&app, &ada, &mug, 3).await;
        let by_api = order_of(&app, &ada, &mug, 3).await;
        for order in [&by_form, &by_api] {
            drive(&app, &order.number, OrderStatus::Processing).await;
        }
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        let (form, path) = (format!("/admin/orders/{}", by_form.number), format!("/api/admin/orders/{}", by_api.number));

        let page = browser.get(&format!("{form}/send")).await.expect(200);
        let quantity = format!("quantity.{}", by_form.lines[0].id);
        assert_eq!(page.attributes(&format!("[name='{quantity}']"), "value"), ["3"], "all that is left");
        let wrong = browser.submit(&page, "#send", &[(&quantity, "x"), ("tracking_number", "12")]).await.expect(422);
        assert!(wrong.has("0 to 3: more is not left to be sent."), "{}", wrong.body);
        assert_eq!(wrong.attributes("[name=tracking_number]", "value"), ["12"]);
        assert_eq!(wrong.attributes(&format!("[name='{quantity}']"), "value"), ["x"]);
        let page = browser.submit(&wrong, "#send", &[(&quantity, "2"), ("carrier", "correos")]).await.expect(200);
        assert_eq!(page.path, form);
        assert!(page.has("Correos 12"), "{}", page.body);
        let body = json!({"lines": [{"line_id": by_api.lines[0].id.0, "quantity": 2}], "carrier": "correos", "tracking_number": "12"});
        let sent = api.post(&format!("{path}/fulfilments"), body).await.expect(201).json();
        assert_eq!(sent["fulfilments"][0]["carrier_name"], "Correos");
        assert_eq!(sent["lines"][0]["sent"], 2);

        let tracking = browser.get(&format!("{form}/parcels/1")).await.expect(200);
        let wrong = browser.submit(&tracking, "#tracking", &[("tracking_url", "ftp://x.example")]).await.expect(422);
        assert!(wrong.has("beginning with https://"), "{}", wrong.body);
        let page = browser.submit(&tracking, "#tracking", &[("carrier", ""), ("tracking_url", "https://carrier.example/12")]).await.expect(200);
        let body = json!({"tracking_number": "12", "tracking_url": "https://carrier.example/12"});
        api.put(&format!("{path}/fulfilments/1/tracking"), body).await.expect(200);
        browser.submit(&page, "#parcel-1 form", &[]).await.expect(200);
        api.post(&format!("{path}/fulfilments/1/delivered"), json!({})).await.expect(200);
        let page = browser.get(&format!("{form}/send")).await.expect(200);
        browser.submit(&page, "#send", &[]).await.expect(200);
        api.post(&format!("{path}/fulfilments"), json!({})).await.expect(201);
        browser.post(&format!("{form}/parcels/2/delivered"), &[]).await.expect(200);
        api.post(&format!("{path}/fulfilments/2/delivered"), json!({})).await.expect(200);
        let page = browser.get(&format!("{form}/send")).await.expect(200);
        assert_eq!(page.path, form, "nothing is left to be sent");

        let form = service::order(&app, &app.system(), &by_form.number).await.unwrap();
        let other = service::order(&app, &app.system(), &by_api.number).await.unwrap();
        assert_eq!((form.status, form.statuses()), (OrderStatus::Delivered, other.statuses()));
        let story = |order: &Order| -> Vec<(String, String)> {
            order.events.iter().map(|event| (event.kind.clone(), event.detail.clone())).collect()
        };
        assert_eq!(story(&form), story(&other));

        // The shopper sees it, on the page and over the API.
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get(&format!("/orders/{}", by_form.number)).await.expect(200);
        assert_eq!(page.attributes(".parcels a", "href"), ["https://carrier.example/12"]);
        let own = app.api().signed_in("ada@example.com").await;
        let parcels = own.get(&format!("/api/orders/{}/fulfilments", by_api.number)).await.expect(200).json();
        assert_eq!(parcels["items"].as_array().unwrap().len(), 2);
        assert_eq!(parcels["items"][0]["tracking_url"], "https://carrier.example/12");
        assert_eq!(parcels["items"][1]["lines"][0]["quantity"], 1);
        own.post(&format!("{path}/fulfilments"), json!({})).await.expect(403);
        own.put(&format!("{path}/fulfilments/1/tracking"), json!({})).await.expect(403);
        app.run_jobs().await;
    }

    async fn the_last_piece_is_sent_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = admin(&app).await;
        for _ in 0..4 {
            let (_, order) = guest_order(&app, &mug, 2).await;
            drive(&app, &order.number, OrderStatus::Processing).await;
            service::fulfil(&app, &staff, &order.number, some(&order, 1)).await.unwrap();
            let works = vec![(app.clone(), staff.clone(), order.clone()); 6];
            let results = at_once(works, |(app, ctx, order)| async move {
                service::fulfil(&app, &ctx, &order.number, some(&order, 1)).await
            })
            .await;
            let sent = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(sent, 1, "{results:?}");
            let order = service::order(&app, &staff, &order.number).await.unwrap();
            assert_eq!((order.fulfilments.len(), order.sent(&order.lines[0])), (2, 2));
            assert_eq!(order.status, OrderStatus::Shipped);
        }
        app.run_jobs().await;
    }

    async fn sending_while_the_shopper_cancels_does_one_of_both(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = admin(&app).await;
        for _ in 0..4 {
            let (guest, order) = guest_order(&app, &mug, 2).await;
            drive(&app, &order.number, OrderStatus::Confirmed).await;
            let works = vec![(app.clone(), guest, order.clone(), true), (app.clone(), staff.clone(), order.clone(), false)];
            let results = at_once(works, |(app, ctx, order, cancels)| async move {
                if cancels {
                    service::cancel(&app, &ctx, &order.number).await
                } else {
                    service::fulfil(&app, &ctx, &order.number, some(&order, 1)).await
                }
            })
            .await;
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
            let order = service::order(&app, &staff, &order.number).await.unwrap();
            assert_eq!(order.status == OrderStatus::Cancelled, order.fulfilments.is_empty());
        }
        app.run_jobs().await;
    }

    async fn notes_are_for_staff_only_and_stay(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let ada = app.customer("ada@example.com").await;
        let order = order_of(&app, &ada, &mug, 1).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        let path = format!("/admin/orders/{}", order.number);
        let page = browser.get(&path).await.expect(200);
        let page = browser.submit(&page, "#add-note", &[("text", "Rang twice,\nis <b>angry</b>")]).await.expect(200);
        assert!(page.has("is &#60;b&#62;angry"), "{}", page.body);
        let noted = api.post(&format!("/api{path}/notes"), json!({"text": "Sent a card"})).await.expect(200).json();
        assert_eq!(noted["events"][2]["kind"], "note");
        let long = "x".repeat(2001);
        let wrong = browser.submit(&page, "#add-note", &[("text", &long)]).await.expect(422);
        assert!(wrong.has("At most 2000 characters.") && wrong.has(&long));
        let wrong = api.post(&format!("/api{path}/notes"), json!({"text": " "})).await.expect(422).json();
        assert_eq!(wrong["errors"][0]["field"], "text");

        let own = service::order(&app, &ada, &order.number).await.unwrap();
        assert_eq!(kinds(&own), ["placed"]);
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        assert!(!browser.get(&format!("/orders/{}", order.number)).await.expect(200).has("angry"));
        let own = app.api().signed_in("ada@example.com").await;
        assert!(!own.get(&format!("/api/orders/{}", order.number)).await.expect(200).has("angry"));
        let mine = own.get("/api/auth/me/export").await;
        assert!(!mine.has("angry"), "{}", mine.body);
        own.post(&format!("/api{path}/notes"), json!({"text": "me, too"})).await.expect(403);
        let refused = service::add_note(&app, &ada, &order.number, NewNote::default()).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        app.run_jobs().await;
    }

    async fn an_order_is_found_again_by_mail_only(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let (_, order) = guest_order(&app, &mug, 1).await;
        app.run_jobs().await;
        let before = app.letters().len();
        let mut browser = app.browser();
        let page = browser.get("/orders/find").await.expect(200);
        let wrong = browser.submit(&page, "#find", &[("number", ""), ("email", "ada")]).await.expect(422);
        assert_eq!(wrong.texts(".err").len(), 2, "{}", wrong.body);
        let typed = format!(" {} ", order.number.to_lowercase());
        let found = browser.submit(&page, "#find", &[("number", &typed), ("email", "ADA@example.com")]).await.expect(200);
        let other = browser.submit(&page, "#find", &[("number", &typed), ("email", "eve@example.com")]).await.expect(200);
        let none = browser.submit(&page, "#find", &[("number", "AAAA-BBBB-CCCC"), ("email", "ada@example.com")]).await.expect(200);
        assert_eq!(found.text(".flash"), other.text(".flash"));
        assert_eq!(found.text(".flash"), none.text(".flash"));
        app.api().post("/api/orders/find", json!({"number": order.number, "email": "eve@example.com"})).await.expect(202);
        app.api().post("/api/orders/find", json!({"number": "", "email": ""})).await.expect(422);
        browser.get(&format!("/orders/{}", order.number)).await.expect(404);
        app.run_jobs().await;
        assert_eq!(app.letters().len(), before + 1, "one letter, to whoever ordered");
        let link = app.mailed_link("ada@example.com").await;
        browser.get(&link).await.expect(200);

        // Nobody fills a mailbox through the shop.
        let again = FindOrder { number: order.number.clone(), email: "ada@example.com".to_owned() };
        let mut refused = 0;
        for _ in 0..6 {
            refused += usize::from(matches!(service::find_by_email(&app, &app.guest(), &again).await, Err(Error::TooMany { .. })));
        }
        assert!(refused > 0);
        app.run_jobs().await;
    }

    async fn letters_speak_the_language_of_the_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 10).await;
        let mut ada = app.customer("ada@example.com").await;
        ada.locale = Locale::Spanish;
        let order = order_of(&app, &ada, &mug, 2).await;
        drive(&app, &order.number, OrderStatus::Processing).await;
        let parcel = NewParcel { carrier: Some("seur".to_owned()), tracking_number: Some("77".to_owned()), ..some(&order, 1) };
        service::fulfil(&app, &app.system(), &order.number, parcel).await.unwrap();
        let none = TrackingInput::default();
        service::track(&app, &app.system(), &order.number, 1, &none).await.unwrap();
        app.run_jobs().await;
        let letter = app.letters().pop().unwrap();
        assert_eq!(letter.subject, format!("Una parte de tu pedido {} está en camino", order.number));
        assert!(letter.html.contains("<html lang=\"es\">") && letter.text.contains("- 1 × Everyday mug"), "{}", letter.text);
        // What was taken back meanwhile leads nowhere.
        assert!(!letter.text.contains("seur"), "{}", letter.text);
    }
}
