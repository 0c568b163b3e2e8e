//! Address books, through both faces, and what the checkout makes of them.

use serde_json::{Value, json};
use zoco::addresses::service::{self, AddressChange, MAX_ADDRESSES};
use zoco::error::Error;

use crate::support::{TestApp, both};

const FIELDS: &[(&str, &str)] = &[
    ("address.name", "Ada Lovelace"),
    ("address.line1", " 1 Main St "),
    ("address.city", "Lugo"),
    ("address.postal_code", "27001"),
    ("address.country", "es"),
];

fn body(line1: &str) -> Value {
    json!({"name": "Ada", "line1": line1, "city": "Lugo", "postal_code": "27001", "country": "ES"})
}

fn change(line1: &str) -> AddressChange {
    serde_json::from_value(body(line1)).unwrap()
}

both! {
    async fn a_book_is_kept_on_both_faces(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get("/account/addresses").await.expect(200);
        assert!(page.has("None yet."));
        let form = browser.get("/account/addresses/new").await.expect(200);
        assert_eq!(form.attributes("[name='address.name']", "value"), ["ada"]);
        let wrong = [("address.line1", "1 Main St"), ("address.country", "XX")];
        let again = browser.submit(&form, "#address", &wrong).await.expect(422);
        assert_eq!(again.text("[id='e-address.city']"), "Write the city.");
        assert_eq!(again.attributes("[name='address.line1']", "value"), ["1 Main St"]);
        let page = browser.submit(&form, "#address", FIELDS).await.expect(200);
        assert_eq!(page.path, "/account/addresses");
        // The first one is for everything.
        assert_eq!(page.texts(".chip"), ["For deliveries", "For bills"]);

        let client = app.api().signed_in("ada@example.com").await;
        let reply = client.post("/api/addresses", body("2 Main St")).await.expect(201);
        let path = reply.header("location");
        assert_eq!(reply.json()["default_shipping"], false);
        let book = client.get("/api/addresses").await.expect(200).json();
        assert_eq!(book["items"][0]["line1"], "1 Main St");
        assert_eq!(book["items"][0]["country"], "ES");
        assert_eq!(book["items"][1], client.get(&path).await.expect(200).json());
        let changed = client.patch(&path, json!({"city": "Vigo", "default_shipping": true})).await.expect(200).json();
        assert_eq!((changed["city"].as_str(), changed["line1"].as_str()), (Some("Vigo"), Some("2 Main St")));
        let problem = client.patch(&path, json!({"city": " "})).await.expect(422).json();
        assert_eq!(problem["errors"][0]["field"], "city");
        let book = service::list(&app, &ada).await.unwrap();
        assert_eq!(book.iter().map(|saved| saved.default_shipping).collect::<Vec<_>>(), [false, true]);
        assert_eq!(book.iter().map(|saved| saved.default_billing).collect::<Vec<_>>(), [true, false]);

        // What is not ticked is no default any more.
        let form = browser.get(&zoco::addresses::urls::address(book[1].id)).await.expect(200);
        assert_eq!(form.attributes("[name='address.city']", "value"), ["Vigo"]);
        browser.submit(&form, "#address", &[("address.city", "Ourense"), ("default_shipping", "")]).await.expect(200);
        let saved = service::address(&app, &ada, book[1].id).await.unwrap();
        assert_eq!((saved.address.city.as_str(), saved.default_shipping), ("Ourense", false));
        client.delete(&path).await.expect(204);
        client.delete(&path).await.expect(404);
        browser.post(&zoco::addresses::urls::delete(book[0].id), &[]).await.expect(200);
        assert_eq!(service::list(&app, &ada).await.unwrap(), []);
    }

    async fn a_book_is_its_owners_only(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;
        let id = service::add(&app, &ada, change("1 Main St")).await.unwrap().id;
        assert!(matches!(service::address(&app, &eve, id).await, Err(Error::NotFound)));
        assert!(matches!(service::change(&app, &eve, id, change("2")).await, Err(Error::NotFound)));
        assert!(matches!(service::remove(&app, &eve, id).await, Err(Error::NotFound)));
        assert!(matches!(service::address(&app, &app.guest(), id).await, Err(Error::Unauthenticated)));
        assert_eq!(service::list(&app, &eve).await.unwrap(), []);
        assert_eq!(service::list(&app, &ada).await.unwrap().len(), 1);
    }

    async fn a_book_holds_fifty(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        for n in 0..MAX_ADDRESSES {
            service::add(&app, &ada, change(&format!("{n} Main St"))).await.unwrap();
        }
        let full = service::add(&app, &ada, change("51 Main St")).await;
        assert!(matches!(full, Err(Error::Conflict { code: "too_many", .. })));
    }

    async fn two_defaults_set_at_once_are_one(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(service::add(&app, &ada, change(&format!("{n} Main St"))).await.unwrap().id);
        }
        let tries = ids.into_iter().map(|id| {
            let (app, ada) = (app.clone(), ada.clone());
            async move {
                let input = AddressChange { default_shipping: Some(true), ..AddressChange::default() };
                service::change(&app, &ada, id, input).await.unwrap();
            }
        });
        futures_util::future::join_all(tries).await;
        let book = service::list(&app, &ada).await.unwrap();
        assert_eq!(book.iter().filter(|saved| saved.default_shipping).count(), 1);
    }

    async fn the_checkout_offers_the_book_and_fills_it(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let variant = mug.variants[0].id.to_string();
        browser.post("/cart/items", &[("variant_id", &variant)]).await.expect(200);
        let form = browser.get("/checkout").await.expect(200);
        let typed = [
            ("shipping_address.name", "Ada Lovelace"),
            ("shipping_address.line1", "1 Main St"),
            ("shipping_address.city", "Lugo"),
            ("shipping_address.postal_code", "27001"),
            ("shipping_address.country", "ES"),
            ("save_address", "on"),
        ];
        browser.submit(&form, "#checkout", &typed).await.expect(200);
        let book = service::list(&app, &ada).await.unwrap();
        assert_eq!((book.len(), book[0].address.line1.as_str()), (1, "1 Main St"));
        let second = service::add(&app, &ada, change("2 Main St")).await.unwrap();

        // The default is filled in, another one by its link; what is in the book is not kept twice.
        browser.post("/cart/items", &[("variant_id", &variant)]).await.expect(200);
        let form = browser.get("/checkout").await.expect(200);
        let line1 = "[name='shipping_address.line1']";
        assert_eq!(form.attributes(line1, "value"), ["1 Main St"]);
        assert_eq!(form.attributes("[name='billing_address.line1']", "value"), [""]);
        assert_eq!(form.texts("nav[aria-label='Your addresses'] a"), ["Ada Lovelace, 1 Main St", "Ada, 2 Main St"]);
        let form = browser.get(&format!("/checkout?address={}", second.id)).await.expect(200);
        assert_eq!(form.attributes(line1, "value"), ["2 Main St"]);
        // The bill goes to its default, which is another address now.
        assert_eq!(form.attributes("[name='billing_address.line1']", "value"), ["1 Main St"]);
        browser.submit(&form, "#checkout", &[("save_address", "on")]).await.expect(200);
        assert_eq!(service::list(&app, &ada).await.unwrap().len(), 2);
        app.run_jobs().await;
    }
}
