//! Accounts: registering, signing in and out, tokens, profiles, through both faces.

use serde_json::json;
use zoco::accounts::service::{self, Register, SignIn};

use crate::support::clients::PASSWORD;
use crate::support::{TestApp, both};

both! {
    async fn registering_signs_in(app: TestApp) {
        let mut browser = app.browser();
        let form = browser.get("/register").await.expect(200);
        let page = browser
            .submit(&form, "#register", &[("email", "Ada@Example.com"), ("name", "Ada Lovelace"), ("password", PASSWORD)])
            .await
            .expect(200);
        assert_eq!(page.path, "/account");
        assert!(page.has("Welcome, Ada Lovelace!"), "{}", page.body);

        let reply = app
            .api()
            .post("/api/auth/register/", json!({"email": "demo@example.com", "password": "demo123"}))
            .await
            .expect(201);
        assert_eq!(reply.json()["user"]["name"], "demo");
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let me = app.api().with("authorization", &format!("Bearer {token}")).get("/api/auth/me").await.expect(200);
        assert_eq!(me.json()["email"], "demo@example.com");
    }

    async fn signing_in_works_on_both_faces(app: TestApp) {
        app.customer("ada@example.com").await;
        app.admin().await;
        let mut browser = app.browser();
        let page = browser.sign_in("ada@example.com").await;
        assert_eq!(page.path, "/account");
        let client = app.api().signed_in("ADA@example.com").await;
        client.get("/api/auth/me").await.expect(200);
        let input = SignIn { email: "ada@example.com".to_owned(), password: PASSWORD.to_owned() };
        assert_eq!(service::sign_in(&app, &app.guest(), input).await.unwrap().name, "ada");
        let _ = Register::default();
    }
}
