//! The second factor: setting it up, signing in with it, recovery codes, and staff who need it.

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use zoco::accounts::service::{self, BothFactors, TurnOn};
use zoco::config::Switch;
use zoco::ctx::Permission;
use zoco::db::Query;
use zoco::error::Error;

use crate::api::problem;
use crate::support::clients::PASSWORD;
use crate::support::{Api, Browser, Reply, TestApp, both};

/// What an app shows for a secret, so many steps from now.
fn code(app: &TestApp, secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    let seconds = app.clock.now().unix_seconds() + 30 * steps;
    totp.generate(seconds as u64).to_string()
}

/// Turns it on for somebody; gives the secret and the recovery codes.
async fn turn_on(app: &TestApp, client: &Api) -> (String, Vec<String>) {
    let setup = client
        .post("/api/auth/two-factor/setup", json!({}))
        .await
        .expect(200);
    let secret = setup.json()["secret"].as_str().unwrap().to_owned();
    let body = json!({"secret": secret, "code": code(app, &secret, 0), "password": PASSWORD});
    let made = client.post("/api/auth/two-factor", body).await.expect(201);
    let made = made.json();
    let codes = made["recovery_codes"].as_array().unwrap().iter();
    let codes = codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    // The next sign-in is later: no code is good twice.
    app.clock.advance_seconds(60);
    (secret, codes)
}

async fn login(app: &TestApp, email: &str, code: &str) -> Reply {
    let body = json!({"email": email, "password": PASSWORD, "code": code});
    app.api().post("/api/auth/login", body).await
}

/// A browser whose password was right.
async fn half(app: &TestApp, email: &str) -> (Browser, Reply) {
    let mut browser = app.browser();
    let page = browser.sign_in(email).await;
    (browser, page)
}

fn is_signed_out(reply: &Reply) -> bool {
    reply.path.starts_with("/sign-in")
}

async fn audited(app: &TestApp) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let rows = Query::new("select action from audit_log order by id");
    let rows: Vec<(String,)> = rows.fetch_all(&mut conn).await.unwrap();
    rows.into_iter().map(|(action,)| action).collect()
}

both! {
    async fn it_is_turned_on_and_off_on_pages(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let form = browser.get("/account/two-factor").await.expect(200);
        assert_eq!(form.header("cache-control"), "no-store");
        assert_eq!(form.texts(".qr svg path").len(), 1);
        assert!(!form.has("style="), "the security policy allows no inline style");
        let secret = form.text("#f-secret");
        assert_eq!(secret.len(), 32);
        // What comes back wrong keeps the secret, which the app has by now.
        let right = code(&app, &secret, 0);
        for (code, password, field, message) in [
            ("000000", PASSWORD, "#e-code", "This code is wrong, too old or was used before."),
            ("", "", "#e-password", "Write your password."),
            (&right, "not my password", "#e-password", "This is not your password."),
        ] {
            let again = browser.submit(&form, "#set-up", &[("code", code), ("password", password)]).await.expect(422);
            assert_eq!(again.text(field), message);
            assert_eq!(again.text("#f-secret"), secret);
        }
        let again = browser.submit(&form, "#set-up", &[("secret", "none"), ("code", &right), ("password", PASSWORD)]).await.expect(422);
        assert_eq!(again.text("#e-secret"), "Begin again: this is no secret.");
        let before = browser.cookies["zoco_session"].clone();
        let on = browser.submit(&form, "#set-up", &[("code", &right), ("password", PASSWORD)]).await.expect(200);
        assert_eq!(on.header("cache-control"), "no-store");
        let codes = on.texts("#codes code");
        assert_eq!(codes.len(), 10);
        let file = on.attributes("a[download]", "href")[0].clone();
        assert_eq!(file, format!("data:text/plain;charset=utf-8,{}%0A", codes.join("%0A")));
        assert_ne!(browser.cookies["zoco_session"], before);
        // It is shown no more.
        let page = browser.get("/account/two-factor").await.expect(200);
        assert!(page.has("10 recovery codes are left.") && !page.has(&secret));
        assert_eq!(browser.post("/account/two-factor", &[("secret", &secret), ("code", &code(&app, &secret, 1)), ("password", PASSWORD)]).await.path, "/account/two-factor");

        // New codes, then off.
        let wrong = browser.submit(&page, "#two-factor", &[("code", &right), ("password", PASSWORD)]).await.expect(422);
        assert_eq!(wrong.text("#e-code"), "This code is wrong, too old or was used before.");
        let new = browser.submit(&page, "#two-factor", &[("code", &codes[0]), ("password", PASSWORD)]).await.expect(200);
        assert!(!new.texts("#codes code").contains(&codes[1]));
        app.clock.advance_seconds(60);
        let off = [("code", code(&app, &secret, 0)), ("password", PASSWORD.to_owned())];
        let off: Vec<(&str, &str)> = off.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post("/account/two-factor/off", &[]).await.status, 422);
        let page = browser.post("/account/two-factor/off", &off).await.expect(200);
        assert!(page.has("Two-step sign-in is off."));
        assert_eq!(half(&app, "ada@example.com").await.1.path, "/account");
        assert_eq!(audited(&app).await, ["two_factor.on", "two_factor.recovery_used", "two_factor.new_codes", "two_factor.off"]);
    }

    async fn it_is_turned_on_and_off_by_the_api(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        assert_eq!(client.get("/api/auth/two-factor").await.expect(200).json(), json!({"on": false, "recovery_codes_left": 0}));
        let setup = client.post("/api/auth/two-factor/setup", json!({})).await.expect(200);
        assert_eq!(setup.header("cache-control"), "no-store");
        let url = setup.json()["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("otpauth://totp/olmo:ada%40example.com?secret="), "{url}");
        // Nothing changed yet.
        login(&app, "ada@example.com", "").await.expect(200);
        let (secret, codes) = turn_on(&app, &client).await;
        let body = json!({"secret": secret, "code": code(&app, &secret, 0), "password": PASSWORD});
        problem(&client.post("/api/auth/two-factor", body).await, 409, "two_factor_on");
        assert_eq!(client.get("/api/auth/two-factor").await.json(), json!({"on": true, "recovery_codes_left": 10}));
        let with = |code: &str, password: &str| json!({"code": code, "password": password});
        for (code, password) in [("000000", PASSWORD), (&codes[0], "not my password"), ("", "")] {
            client.post("/api/auth/two-factor/off", with(code, password)).await.expect(422);
        }
        let new = client.post("/api/auth/two-factor/recovery-codes", with(&codes[0], PASSWORD)).await.expect(201).json();
        problem(&client.post("/api/auth/two-factor/off", with(&codes[1], PASSWORD)).await, 422, "invalid");
        let code = new["recovery_codes"][0].as_str().unwrap();
        client.post("/api/auth/two-factor/off", with(code, PASSWORD)).await.expect(204);
        assert_eq!(client.get("/api/auth/two-factor").await.json(), json!({"on": false, "recovery_codes_left": 0}));
        login(&app, "ada@example.com", "").await.expect(200);
        app.api().post("/api/auth/two-factor/setup", json!({})).await.expect(401);
    }

    async fn a_sign_in_takes_a_code_on_both_faces(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let (secret, codes) = turn_on(&app, &client).await;

        problem(&login(&app, "ada@example.com", "").await, 401, "two_factor_required");
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        problem(&app.api().post("/api/auth/login", body).await, 401, "two_factor_required");
        problem(&login(&app, "ada@example.com", "000000").await, 401, "wrong_code");
        // Nobody learns of it who does not know the password.
        let wrong = json!({"email": "ada@example.com", "password": "not my password"});
        problem(&app.api().post("/api/auth/login", wrong).await, 401, "invalid_credentials");
        let now = code(&app, &secret, 0);
        login(&app, "ada@example.com", &now).await.expect(200);
        // Nor is a code good twice, or one from before.
        problem(&login(&app, "ada@example.com", &now).await, 401, "wrong_code");
        problem(&login(&app, "ada@example.com", &code(&app, &secret, -1)).await, 401, "wrong_code");
        login(&app, "ada@example.com", &code(&app, &secret, 1)).await.expect(200);
        login(&app, "ada@example.com", &codes[3].to_lowercase().replace('-', " ")).await.expect(200);
        problem(&login(&app, "ada@example.com", &codes[3]).await, 401, "wrong_code");

        app.clock.advance_seconds(90);
        let (mut browser, page) = half(&app, "ada@example.com").await;
        assert_eq!(page.path, "/sign-in/code?next=");
        assert!(is_signed_out(&browser.get("/account").await));
        let before = browser.cookies["zoco_session"].clone();
        let again = browser.submit(&page, "#code", &[("code", "000000")]).await.expect(422);
        assert_eq!(again.text("#e-code"), "This code is wrong, too old or was used before.");
        let page = browser.submit(&page, "#code", &[("code", &code(&app, &secret, 0))]).await.expect(200);
        assert_eq!(page.path, "/account");
        assert_ne!(browser.cookies["zoco_session"], before);
        // It leads on to where somebody wanted to go, and with a recovery code.
        let mut browser = app.browser();
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "/orders?page=2")];
        let page = browser.post("/sign-in", &fields).await.expect(200);
        assert_eq!(page.path, "/sign-in/code?next=%2Forders%3Fpage%3D2");
        let page = browser.submit(&page, "#code", &[("code", &codes[4])]).await.expect(200);
        assert_eq!(page.path, "/orders?page=2");
        assert!(browser.get("/account/two-factor").await.has("8 recovery codes are left."));
    }

    async fn a_first_step_does_not_last(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let (secret, _) = turn_on(&app, &client).await;
        // Without the first step there is no second.
        let mut stranger = app.browser();
        assert!(stranger.get("/sign-in/code").await.path.starts_with("/sign-in?"));
        assert!(stranger.post("/sign-in/code", &[("code", &code(&app, &secret, 0))]).await.path.starts_with("/sign-in?"));

        let (mut browser, page) = half(&app, "ada@example.com").await;
        app.clock.advance_seconds(299);
        browser.get("/sign-in/code").await.expect(200);
        app.clock.advance_seconds(1);
        let late = browser.submit(&page, "#code", &[("code", &code(&app, &secret, 0))]).await;
        assert!(late.path.starts_with("/sign-in?"), "{}", late.path);
        assert!(is_signed_out(&browser.get("/account").await));

        // One that somebody planted is not theirs after the password.
        let mut attacker = app.browser();
        attacker.sign_in("ada@example.com").await;
        let planted = attacker.cookies["zoco_session"].clone();
        let mut victim = app.browser();
        victim.cookies.insert("zoco_session".to_owned(), planted.clone());
        let page = victim.sign_in("ada@example.com").await;
        assert_ne!(victim.cookies["zoco_session"], planted);
        victim.submit(&page, "#code", &[("code", &code(&app, &secret, 0))]).await.expect(200);
        assert!(is_signed_out(&attacker.get("/account").await));
        // Somebody who is gone does not come in.
        let (mut browser, page) = half(&app, "ada@example.com").await;
        let mut tx = app.db.begin().await.unwrap();
        Query::new("delete from users").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let gone = browser.submit(&page, "#code", &[("code", "000000")]).await;
        assert!(is_signed_out(&gone), "{} {}", gone.status, gone.path);
    }

    async fn codes_cannot_be_guessed(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let (secret, codes) = turn_on(&app, &client).await;
        for _ in 0..10 {
            problem(&login(&app, "ada@example.com", "000000").await, 401, "wrong_code");
        }
        // Neither here nor elsewhere, with any code, until a while later.
        problem(&login(&app, "ada@example.com", &code(&app, &secret, 0)).await, 429, "too_many_requests");
        problem(&login(&app, "ada@example.com", &codes[0]).await, 429, "too_many_requests");
        let (mut browser, page) = half(&app, "ada@example.com").await;
        assert_eq!(browser.submit(&page, "#code", &[("code", &codes[0])]).await.status, 429);
        app.clock.advance_seconds(900);
        for _ in 0..9 {
            login(&app, "ada@example.com", "000000").await.expect(401);
        }
        // A success takes the failures back.
        login(&app, "ada@example.com", &code(&app, &secret, 0)).await.expect(200);
        login(&app, "ada@example.com", "000000").await.expect(401);
    }

    async fn one_code_used_twice_at_once_signs_in_once(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let (secret, codes) = turn_on(&app, &client).await;
        for code in [code(&app, &secret, 0), codes[0].clone()] {
            let logins = (0..4).map(|_| {
                let (app, code) = (app.clone(), code.clone());
                tokio::spawn(async move { login(&app, "ada@example.com", &code).await.status.as_u16() })
            });
            let logins: Vec<_> = logins.collect();
            let mut in_count = 0;
            for login in logins {
                let status = login.await.unwrap();
                assert!([200, 401].contains(&status), "{status}");
                in_count += usize::from(status == 200);
            }
            assert_eq!(in_count, 1);
        }
    }

    async fn staff_need_it_where_the_shop_says_so(app: TestApp) {
        app.staff("stella@example.com", &[Permission::Orders]).await;
        app.admin().await;
        let app = app.with_settings(|settings| settings.staff_two_factor = Switch::On).await;
        for email in ["stella@example.com", "admin@example.com"] {
            let (mut browser, page) = half(&app, email).await;
            assert_eq!(page.path, "/account/two-factor", "the back office leads there");
            assert!(page.has("You work here: turn it on to open the back office."));
            assert_eq!(browser.get("/admin/orders").await.path, "/account/two-factor");
            // As a shopper they are like anybody.
            browser.get("/account").await.expect(200);
            browser.get("/orders").await.expect(200);
            let client = app.api().signed_in(email).await;
            problem(&client.get("/api/admin/orders").await, 403, "two_factor_required");
            client.get("/api/orders").await.expect(200);
            let (_, codes) = turn_on(&app, &client).await;
            client.get("/api/admin/orders").await.expect(200);
            assert_eq!(browser.get("/admin/orders").await.path, "/admin/orders");
            // What they may not do for another reason is still said so.
            if email.starts_with("stella") {
                problem(&client.post("/api/categories", json!({"name": "Mugs"})).await, 403, "forbidden");
            }
            let (mut other, page) = half(&app, email).await;
            let page = other.submit(&page, "#code", &[("code", &codes[0])]).await;
            assert_eq!(page.path, "/admin");
        }
        // A token is no way around it.
        app.staff("sam@example.com", &[Permission::Orders]).await;
        let client = app.api().signed_in("sam@example.com").await;
        let body = json!({"name": "Till", "scopes": ["orders:read"], "expires_in_days": 1, "password": PASSWORD});
        let token = client.post("/api/auth/tokens", body).await.expect(201).json()["token"].as_str().unwrap().to_owned();
        let script = app.api().with("authorization", &format!("Bearer {token}"));
        problem(&script.get("/api/admin/orders").await, 403, "two_factor_required");
        // Customers do not need it.
        app.customer("ada@example.com").await;
        assert_eq!(half(&app, "ada@example.com").await.1.path, "/account");
        let ada = app.api().signed_in("ada@example.com").await;
        problem(&ada.get("/api/admin/orders").await, 403, "forbidden");
    }

    async fn who_lost_it_is_helped(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        assert!(!service::reset_two_factor(&app, "ada@example.com").await.unwrap());
        turn_on(&app, &client).await;
        assert!(service::reset_two_factor(&app, "Ada@example.com").await.unwrap());
        login(&app, "ada@example.com", "").await.expect(200);
        assert_eq!(audited(&app).await, ["two_factor.on", "two_factor.reset"]);
        for email in ["eve@example.com", "nobody"] {
            let missing = service::reset_two_factor(&app, email).await;
            assert!(matches!(missing, Err(Error::NotFound)));
        }
    }

    async fn no_secret_leaves_the_shop(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let (secret, codes) = turn_on(&app, &client).await;
        let mut conn = app.db.conn().await.unwrap();
        let rows: Vec<(String, String)> = Query::new("select before, after from audit_log").fetch_all(&mut conn).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!format!("{rows:?}").contains(&secret));
        let kept: Vec<(String,)> = Query::new("select code_hash from recovery_codes").fetch_all(&mut conn).await.unwrap();
        assert_eq!(kept.len(), 10);
        assert!(kept.iter().all(|(hash,)| hash.len() == 64));
        drop(conn);
        for path in ["/api/auth/me", "/api/auth/two-factor", "/api/auth/sessions"] {
            let reply = client.get(path).await.expect(200);
            assert!(!reply.has(&secret) && !reply.has(&codes[0]));
            assert_ne!(reply.json(), Value::Null);
        }
    }

    async fn services_of_the_second_factor_refuse_guests(app: TestApp) {
        let guest = app.guest();
        assert!(matches!(service::two_factor(&app, &guest).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::new_two_factor(&app, &guest), Err(Error::Unauthenticated)));
        assert!(matches!(service::turn_on_two_factor(&app, &guest, TurnOn::default()).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::turn_off_two_factor(&app, &guest, BothFactors::default()).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::new_recovery_codes(&app, &guest, BothFactors::default()).await, Err(Error::Unauthenticated)));
    }
}
