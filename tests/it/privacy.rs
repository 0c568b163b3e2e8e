//! What the shop knows of a person: the file of it, and the end of an account.

use serde_json::{Value, json};
use zoco::accounts::service::CloseAccount;
use zoco::addresses::service::AddressChange;
use zoco::catalog::service as catalog;
use zoco::catalog::{Product, ProductKey};
use zoco::ctx::{Ctx, Permission};
use zoco::db::Query;
use zoco::error::Error;
use zoco::orders::{self, OrderStatus};
use zoco::privacy::service;
use zoco::reviews::service::ReviewInput;

use crate::admin::order;
use crate::support::clients::PASSWORD;
use crate::support::{TestApp, both};

fn password() -> CloseAccount {
    CloseAccount {
        password: PASSWORD.to_owned(),
        forfeit_credit: false,
    }
}

/// A customer with a bit of everything; gives the number of their order, which is delivered.
async fn regular(app: &TestApp, mug: &Product) -> (Ctx, String) {
    let ada = app.customer("ada@example.com").await;
    let address = AddressChange {
        name: Some("Ada Lovelace".to_owned()),
        line1: Some("1 Main St".to_owned()),
        city: Some("Lugo".to_owned()),
        postal_code: Some("27001".to_owned()),
        country: Some("ES".to_owned()),
        ..AddressChange::default()
    };
    zoco::addresses::service::add(app, &ada, address)
        .await
        .unwrap();
    let number = order(app, &ada, mug, 1, "bank_transfer").await;
    for to in [
        OrderStatus::Confirmed,
        OrderStatus::Processing,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
    ] {
        orders::service::transition(app, &app.system(), &number, to)
            .await
            .unwrap();
    }
    let input = ReviewInput {
        rating: 5,
        title: "Ada likes it".to_owned(),
        ..ReviewInput::default()
    };
    zoco::reviews::service::create(app, &ada, &ProductKey::Id(mug.id), input)
        .await
        .unwrap();
    let item = zoco::cart::service::AddItem {
        variant_id: Some(mug.variants[0].id),
        ..Default::default()
    };
    zoco::cart::service::add_item(app, &ada, item)
        .await
        .unwrap();
    app.run_jobs().await;
    (ada, number)
}

/// Every text of every table but those of the books of letters and jobs.
async fn texts(app: &TestApp) -> String {
    let mut conn = app.db.conn().await.unwrap();
    let mut all = String::new();
    for sql in [
        "select email || name || phone from users",
        "select name || line1 || city from addresses",
        "select email || customer || search_text || shipping_address || coalesce(billing_address, '') || note from orders",
        "select actor_name || detail from order_events",
        "select title || body || search_text from reviews",
        "select token from carts",
        "select data || user_agent || address from sessions",
        "select actor_name || address || before || after from audit_log",
    ] {
        let rows: Vec<(String,)> = Query::new(sql).fetch_all(&mut conn).await.unwrap();
        for (text,) in rows {
            all.push_str(&text);
            all.push('\n');
        }
    }
    all.to_lowercase()
}

both! {
    async fn one_file_holds_all_that_the_shop_knows(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (ada, number) = regular(&app, &mug).await;
        let client = app.api().signed_in("ada@example.com").await;
        let reply = client.get("/api/auth/me/export").await.expect(200);
        assert_eq!(reply.header("cache-control"), "no-store");
        let data = reply.json();
        assert_eq!(data["account"]["email"], "ada@example.com");
        assert_eq!(data["addresses"][0]["line1"], "1 Main St");
        assert_eq!(data["orders"][0]["number"], Value::from(number));
        assert_eq!(data["orders"][0]["lines"][0]["name"], "Everyday mug");
        assert_eq!(data["reviews"][0]["title"], "Ada likes it");
        assert_eq!(data["cart"]["count"], 1);
        assert_eq!(data["sign_ins"][0]["kind"], "api");
        assert_eq!(data["tokens"], json!([]));

        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        browser.get("/account/privacy").await.expect(200);
        let file = browser.get("/account/privacy/my-data.json").await.expect(200);
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"my-data.json\"");
        let mut file = file.json();
        assert_eq!(file["sign_ins"].as_array().unwrap().len(), 2);
        file["sign_ins"] = data["sign_ins"].clone();
        assert_eq!(file, data);
        // Nobody else's.
        let eve = app.customer("eve@example.com").await;
        let hers = service::my_data(&app, &eve).await.unwrap();
        assert!(hers.orders.is_empty() && hers.reviews.is_empty() && hers.addresses.is_empty());
        assert!(matches!(service::my_data(&app, &app.guest()).await, Err(Error::Unauthenticated)));
        assert_eq!(service::my_data(&app, &ada).await.unwrap().orders.len(), 1);
    }

    async fn a_closed_account_leaves_the_books_and_nothing_of_the_person(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (_, number) = regular(&app, &mug).await;
        let before = orders::service::order(&app, &app.system(), &number).await.unwrap();
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let form = browser.get("/account/privacy").await.expect(200);
        let again = browser.submit(&form, "#close", &[("password", "a guess")]).await.expect(422);
        assert_eq!(again.text("#e-password"), "This is not your password.");
        assert!(texts(&app).await.contains("lovelace"));
        let home = browser.submit(&form, "#close", &[("password", PASSWORD)]).await.expect(200);
        assert_eq!(home.path, "/");
        assert!(home.has("Your account is deleted."));

        assert_eq!(browser.get("/account").await.path, "/sign-in?next=%2Faccount");
        client.get("/api/auth/me").await.expect(401);
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        app.api().post("/api/auth/login", body).await.expect(401);
        let left = texts(&app).await;
        for trace in ["ada", "lovelace", "main st", "lugo"] {
            assert!(!left.contains(trace), "{trace}: {left}");
        }
        let after = orders::service::order(&app, &app.system(), &number).await.unwrap();
        assert_eq!((after.user_id, after.total, after.lines), (None, before.total, before.lines));
        assert_eq!(after.payments, before.payments);
        let product = catalog::product(&app, &app.system(), &ProductKey::Id(mug.id)).await.unwrap();
        assert_eq!(product.rating.count, 0);
        assert_eq!(zoco::admin::service::examine(&app).await.unwrap(), []);
        // The log has forgotten the person, and its chain still holds.
        zoco::audit::command::verify(&app, None).await.unwrap();

        app.run_jobs().await;
        let farewell = app.letters().pop().unwrap();
        assert_eq!((farewell.to.as_str(), farewell.subject.as_str()), ("ada@example.com", "Your account is deleted"));
        // The address is free for a new account, which finds nothing of the old one.
        let anew = app.customer("ada@example.com").await;
        assert!(service::my_data(&app, &anew).await.unwrap().orders.is_empty());
    }

    async fn the_api_closes_an_account_too(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let close = async |body: Value| {
            let body = body.to_string().into_bytes();
            client.request(axum::http::Method::DELETE, "/api/auth/me", "application/json", body).await
        };
        let problem = close(json!({"password": "a guess"})).await.expect(422).json();
        assert_eq!(problem["errors"][0]["code"], "wrong_password");
        close(json!({"password": PASSWORD})).await.expect(204);
        client.get("/api/auth/me").await.expect(401);
        app.run_jobs().await;
    }

    async fn what_is_on_its_way_keeps_an_account_open(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let ada = app.customer("ada@example.com").await;
        let number = order(&app, &ada, &mug, 1, "bank_transfer").await;
        app.run_jobs().await;
        let refused = service::close_account(&app, &ada, password()).await;
        let Err(Error::Conflict { code: "open_orders", data, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(data, json!({"orders": [number]}));
        // All or nothing: the cart went first, and is there again.
        assert!(texts(&app).await.contains("ada@example.com"));
        orders::service::cancel(&app, &ada, &number).await.unwrap();
        service::close_account(&app, &ada, password()).await.unwrap();
        app.run_jobs().await;
    }

    async fn who_works_here_is_made_a_customer_first(app: TestApp) {
        let sam = app.staff("sam@example.com", &[Permission::Orders]).await;
        let refused = service::close_account(&app, &sam, password()).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "works_here", .. })));
        let guest = service::close_account(&app, &app.guest(), password()).await;
        assert!(matches!(guest, Err(Error::Unauthenticated)));
    }
}
