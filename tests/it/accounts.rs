//! Accounts: registering, signing in and out, tokens, profiles, through both faces.

use axum::http::StatusCode;
use serde_json::{Value, json};
use zoco::accounts::Tokens;
use zoco::accounts::service::{self, Register, SignIn, UpdateProfile};
use zoco::app::Rng;
use zoco::config::{Config, Switch};
use zoco::ctx::{Actor, Ctx, Role};
use zoco::db::Query;
use zoco::error::Error;

use crate::support::clients::PASSWORD;
use crate::support::{Api, Reply, TestApp, both};

/// What `auth/login` answers.
async fn login(app: &TestApp, email: &str, password: &str) -> Reply {
    let body = json!({"email": email, "password": password});
    app.api().post("/api/auth/login", body).await
}

async fn refresh(api: &Api, token: &str) -> Reply {
    let body = json!({"refresh_token": token});
    api.post("/api/auth/refresh", body).await
}

fn text(reply: &Reply, field: &str) -> String {
    reply.json()[field].as_str().unwrap_or_default().to_owned()
}

fn bearer(app: &TestApp, token: &str) -> Api {
    app.api().with("authorization", &format!("Bearer {token}"))
}

/// The codes of a problem's fields: `email: taken`.
fn codes(reply: &Reply) -> Vec<String> {
    let problem = reply.json();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let one = |error: &Value| {
        format!(
            "{}: {}",
            error["field"].as_str().unwrap(),
            error["code"].as_str().unwrap()
        )
    };
    errors.iter().map(one).collect()
}

/// What the audit log says was done.
async fn audited(app: &TestApp) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let rows = Query::new("select action, subject from audit_log order by id");
    let rows: Vec<(String, String)> = rows.fetch_all(&mut conn).await.unwrap();
    rows.into_iter()
        .map(|(action, subject)| format!("{action} {subject}"))
        .collect()
}

fn from_address(ctx: &Ctx, address: &str) -> Ctx {
    Ctx {
        address: Some(address.parse().unwrap()),
        ..ctx.clone()
    }
}

fn credentials(email: &str, password: &str) -> SignIn {
    SignIn {
        email: email.to_owned(),
        password: password.to_owned(),
        code: None,
    }
}

both! {
    async fn registering_signs_in_on_both_faces(app: TestApp) {
        let mut browser = app.browser();
        let form = browser.get("/register?next=/cart").await.expect(200);
        let fields = [("email", "Ada@Example.com "), ("name", " Ada Lovelace"), ("password", PASSWORD)];
        let page = browser.submit(&form, "#register", &fields).await;
        assert_eq!(page.path, "/cart");
        let account = browser.get("/account").await.expect(200);
        assert_eq!(account.text("h1"), "Hello, Ada Lovelace");
        assert!(account.has("ada@example.com"));

        // As the documentation of the original demo writes it, in a shop with demo goods: there,
        // and for this address only, any password will do.
        let plain = app.clone();
        let app = app.with_settings(|config| config.demo = true).await;
        let body = json!({"email": "demo@example.com", "password": "demo123"});
        let reply = app.api().post("/api/auth/register/", body.clone()).await.expect(201);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.json()["user"]["name"], "demo");
        assert_eq!(reply.json()["user"]["role"], "customer");
        assert_eq!(reply.json()["token_type"], "Bearer");
        assert_eq!(reply.json()["expires_in"], 900);
        let client = bearer(&app, &text(&reply, "access_token"));
        let me = client.get("/api/auth/me").await.expect(200);
        assert_eq!(me.json()["email"], "demo@example.com");
        app.api().post("/api/auth/login/", body.clone()).await.expect(200);
        let real = json!({"email": "demo2@example.com", "password": "demo123"});
        for (app, body) in [(&app, real), (&plain, body)] {
            let refused = app.api().post("/api/auth/register/", body).await.expect(422);
            assert_eq!(codes(&refused), ["password: length"]);
        }

        // Both made the same kind of account.
        for (email, password) in [("ada@example.com", PASSWORD), ("demo@example.com", "demo123")] {
            let user = service::sign_in(&app, &app.guest(), credentials(email, password)).await.unwrap();
            assert_eq!(user.role, Role::Customer);
        }
        app.run_jobs().await;
        let subjects: Vec<String> = app.letters().iter().map(|letter| letter.subject.clone()).collect();
        assert_eq!(subjects, ["Welcome to olmo", "Welcome to olmo"]);
    }

    async fn a_wrong_registration_comes_back_with_its_values(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        let form = browser.get("/register").await.expect(200);
        let fields = [("email", "nobody"), ("name", "Ada \"A\""), ("password", "short")];
        let again = browser.submit(&form, "#register", &fields).await.expect(422);
        assert_eq!(again.attributes("#f-email", "value"), ["nobody"]);
        assert_eq!(again.attributes("#f-name", "value"), ["Ada \"A\""]);
        assert_eq!(again.attributes("#f-password", "value"), [""]);
        assert_eq!(again.attributes("#f-email", "aria-invalid"), ["true"]);
        assert_eq!(again.text("#e-password"), "Use at least 8 characters.");

        let long = "x".repeat(257);
        let cases = [
            (json!({}), vec!["email: required", "password: required"]),
            (json!({"email": "b@example.com", "password": "vN4!q-x"}), vec!["password: length"]),
            (json!({"email": "b@example.com", "password": long}), vec!["password: length"]),
            (json!({"email": "b@example.com", "password": "password"}), vec!["password: weak"]),
            (json!({"email": "b@", "password": PASSWORD, "name": "a\nb"}), vec!["email: email", "name: invalid"]),
            (json!({"email": "b@example.com", "password": PASSWORD, "name": "n".repeat(101)}), vec!["name: length"]),
            (json!({"email": "ADA@example.com", "password": PASSWORD}), vec!["email: taken"]),
            (json!({"email": "b@example.com", "password": PASSWORD, "role": "admin"}), vec!["role: unknown_field"]),
        ];
        for (body, expected) in cases {
            let reply = app.api().post("/api/auth/register", body).await.expect(422);
            assert_eq!(codes(&reply), expected);
        }
        let taken = browser
            .submit(&form, "#register", &[("email", "Ada@Example.com"), ("password", PASSWORD)])
            .await
            .expect(422);
        assert_eq!(taken.text("#e-email"), "There is an account with this e-mail already.");
    }

    async fn any_character_may_stand_in_a_password(app: TestApp) {
        // All but NUL, which no database holds in a text.
        let password = " ¡contraseña \u{1f512}\t\u{7} ";
        let input = Register { email: "ada@example.com".to_owned(), password: password.to_owned(), name: None };
        service::register(&app, &app.guest(), input).await.unwrap();
        app.run_jobs().await;
        login(&app, "ada@example.com", password).await.expect(200);
        login(&app, "ada@example.com", password.trim()).await.expect(401);
    }

    async fn a_session_gets_a_new_id_at_sign_in_and_sign_out(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        let product = app.product("Everyday mug", "24.00", 5).await;
        let variant = product.variants[0].id.to_string();
        // Something to remember makes the session of a guest.
        browser.post_only("/cart/items", &[("variant_id", &variant)]).await;
        let before = browser.cookies["zoco_session"].clone();
        browser.sign_in("ada@example.com").await;
        let during = browser.cookies["zoco_session"].clone();
        assert_ne!(before, during);

        // The one from before is worth nothing.
        let mut planted = app.browser();
        planted.cookies.insert("zoco_session".to_owned(), before);
        assert_eq!(planted.get("/account").await.path, "/sign-in?next=%2Faccount");

        let account = browser.get("/account").await.expect(200);
        let home = browser.submit(&account, "form[action='/sign-out']", &[]).await;
        assert_eq!(home.path, "/");
        let after = browser.cookies.get("zoco_session").cloned();
        assert_ne!(after.as_ref(), Some(&during));
        let mut stolen = app.browser();
        stolen.cookies.insert("zoco_session".to_owned(), during);
        assert_eq!(stolen.get("/account").await.path, "/sign-in?next=%2Faccount");
        assert_eq!(browser.get("/account").await.path, "/sign-in?next=%2Faccount");
    }

    async fn signing_in_leads_back_but_never_elsewhere(app: TestApp) {
        app.customer("ada@example.com").await;
        app.admin().await;
        let signs_in = async |email: &str, next: &str| {
            let mut browser = app.browser();
            let fields = [("email", email), ("password", PASSWORD), ("next", next)];
            browser.post_only("/sign-in", &fields).await.expect(303).header("location")
        };
        assert_eq!(signs_in("ada@example.com", "/orders?page=2").await, "/orders?page=2");
        assert_eq!(signs_in("ada@example.com", "").await, "/account");
        assert_eq!(signs_in("admin@example.com", "").await, "/admin");
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example"] {
            assert_eq!(signs_in("ada@example.com", elsewhere).await, "/account");
        }

        // A page that needs an account asks first, and the form remembers the way back.
        let mut browser = app.browser();
        let form = browser.get("/account").await.expect(200);
        assert_eq!(form.path, "/sign-in?next=%2Faccount");
        let fields = [("email", "ADA@example.com"), ("password", PASSWORD)];
        let page = browser.submit(&form, "#sign-in", &fields).await.expect(200);
        assert_eq!(page.path, "/account");
        // Who is signed in needs no form.
        assert_eq!(browser.get("/sign-in?next=/account").await.path, "/account");
        assert_eq!(browser.get("/register").await.path, "/account");
    }

    async fn nobody_learns_who_has_an_account(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut answers = Vec::new();
        for email in ["ada@example.com", "nobody@example.com", "no address"] {
            let reply = login(&app, email, "wrong password").await.expect(401);
            let mut problem = reply.json();
            problem["request_id"] = Value::Null;
            answers.push(problem);
        }
        assert_eq!(answers[0]["code"], "invalid_credentials");
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        login(&app, "", "").await.expect(422);

        let mut browser = app.browser();
        let form = browser.get("/sign-in").await;
        let mut pages = Vec::new();
        for email in ["ada@example.com", "nobody@example.com"] {
            let page = browser.submit(&form, "#sign-in", &[("email", email), ("password", "wrong password")]).await.expect(422);
            assert_eq!(page.attributes("#f-email", "value"), [email]);
            pages.push(page.texts(".err"));
        }
        assert_eq!(pages[0], ["E-mail or password is wrong."]);
        assert_eq!(pages[0], pages[1]);
    }

    async fn ten_failures_close_an_account_for_a_while(app: TestApp) {
        app.customer("ada@example.com").await;
        app.customer("eve@example.com").await;
        for _ in 0..9 {
            login(&app, "ada@example.com", "wrong password").await.expect(401);
        }
        // A success takes the failures back.
        login(&app, "ada@example.com", PASSWORD).await.expect(200);
        for _ in 0..10 {
            login(&app, "Ada@example.com", "wrong password").await.expect(401);
        }
        let refused = login(&app, "ada@example.com", PASSWORD).await.expect(429);
        assert_eq!(refused.header("retry-after"), "900");
        login(&app, "eve@example.com", PASSWORD).await.expect(200);
        let fields = [("email", "ada@example.com"), ("password", PASSWORD)];
        app.browser().post("/sign-in", &fields).await.expect(429);

        app.clock.advance_seconds(600);
        let refused = login(&app, "ada@example.com", PASSWORD).await.expect(429);
        assert_eq!(refused.header("retry-after"), "300");
        app.clock.advance_seconds(300);
        login(&app, "ada@example.com", PASSWORD).await.expect(200);
    }

    async fn fifty_failures_close_an_address_for_a_while(app: TestApp) {
        app.customer("ada@example.com").await;
        let here = from_address(&app.guest(), "192.0.2.1");
        // What is refused costs no hash, so the counters are filled directly.
        let mut tx = app.db.begin().await.unwrap();
        let ends = here.now.plus_seconds(60);
        for _ in 0..49 {
            zoco::accounts::store::count_attempt(&mut tx, "sign_in address 192.0.2.1", here.now, ends).await.unwrap();
        }
        tx.commit().await.unwrap();
        // A success leaves the address where it was.
        service::sign_in(&app, &here, credentials("ada@example.com", PASSWORD)).await.unwrap();
        let wrong = service::sign_in(&app, &here, credentials("a@example.com", "wrong password")).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))));
        for _ in 0..20 {
            let refused = service::sign_in(&app, &here, credentials("ada@example.com", PASSWORD)).await;
            assert!(matches!(refused, Err(Error::TooMany { retry_after: 60, .. })), "{refused:?}");
        }
        // Nor did that use up the attempts of the account.
        let elsewhere = from_address(&app.guest(), "192.0.2.2");
        service::sign_in(&app, &elsewhere, credentials("ada@example.com", PASSWORD)).await.unwrap();
    }

    async fn registrations_are_counted_by_address(app: TestApp) {
        let here = from_address(&app.guest(), "2001:db8:1:2::7");
        let mut tx = app.db.begin().await.unwrap();
        let ends = here.now.plus_seconds(900);
        for _ in 0..50 {
            zoco::accounts::store::count_attempt(&mut tx, "register address 2001:db8:1:2::", here.now, ends).await.unwrap();
        }
        tx.commit().await.unwrap();
        let input = Register { email: "ada@example.com".to_owned(), password: PASSWORD.to_owned(), name: None };
        let refused = service::register(&app, &here, input.clone()).await;
        assert!(matches!(refused, Err(Error::TooMany { retry_after: 900, .. })), "{refused:?}");
        // What is not even valid is not counted, and says what is wrong.
        let invalid = service::register(&app, &here, Register::default()).await;
        assert!(matches!(invalid, Err(Error::Invalid(_))));
        service::register(&app, &from_address(&app.guest(), "2001:db8:1:3::7"), input).await.unwrap();
        app.run_jobs().await;
    }

    async fn parallel_guesses_are_all_counted(app: TestApp) {
        app.customer("ada@example.com").await;
        let guesses = (0..20).map(|_| {
            let app = app.clone();
            tokio::spawn(async move { login(&app, "ada@example.com", "wrong password").await.status })
        });
        let guesses: Vec<_> = guesses.collect();
        let mut looked_at = 0;
        for guess in guesses {
            let status = guess.await.unwrap();
            assert!([StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&status), "{status}");
            looked_at += usize::from(status == StatusCode::UNAUTHORIZED);
        }
        assert_eq!(looked_at, 10);
    }

    async fn limits_can_be_switched_off(app: TestApp) {
        app.customer("ada@example.com").await;
        let config = Config { rate_limits: Switch::Off, ..app.config.clone() };
        let open = zoco::app::App::assemble(config, app.db.clone(), app.clock.clone(), Rng::seeded(2), zoco::mail::Mailer::Memory(Default::default()))
            .await
            .unwrap();
        let here = from_address(&app.guest(), "192.0.2.1");
        for _ in 0..11 {
            let wrong = service::sign_in(&open, &here, credentials("ada@example.com", "wrong password")).await;
            assert!(matches!(wrong, Err(Error::Invalid(_))));
        }
        service::sign_in(&open, &here, credentials("ada@example.com", PASSWORD)).await.unwrap();
    }

    async fn refresh_tokens_are_good_for_one_use(app: TestApp) {
        app.customer("ada@example.com").await;
        let first = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        let other = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        let second = refresh(&app.api(), &text(&first, "refresh_token")).await.expect(200);
        assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
        assert_eq!(second.json()["user"]["email"], "ada@example.com");
        bearer(&app, &text(&second, "access_token")).get("/api/auth/me").await.expect(200);
        let third = refresh(&app.api(), &text(&second, "refresh_token")).await.expect(200);
        assert_eq!(audited(&app).await, Vec::<String>::new());

        // Somebody uses an old one: the whole sign-in ends, and staff can see it.
        refresh(&app.api(), &text(&first, "refresh_token")).await.expect(401);
        refresh(&app.api(), &text(&third, "refresh_token")).await.expect(401);
        refresh(&app.api(), &text(&first, "refresh_token")).await.expect(401);
        assert_eq!(audited(&app).await, ["token.reused user 1"]);
        // Another sign-in of the same user goes on.
        refresh(&app.api(), &text(&other, "refresh_token")).await.expect(200);
    }

    async fn signing_out_ends_the_family(app: TestApp) {
        let ctx = app.customer("ada@example.com").await;
        let first = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        let body = json!({"refresh_token": text(&first, "refresh_token")});
        app.api().post("/api/auth/logout", body.clone()).await.expect(204);
        app.api().post("/api/auth/logout", body).await.expect(204);
        app.api().post("/api/auth/logout", json!({"refresh_token": "unknown"})).await.expect(204);
        refresh(&app.api(), &text(&first, "refresh_token")).await.expect(401);
        assert_eq!(audited(&app).await, Vec::<String>::new());
        app.api().post("/api/auth/refresh", json!({})).await.expect(422);
        refresh(&app.api(), "unknown").await.expect(401);

        // The services behind it.
        let user = ctx.user_id().unwrap();
        let tokens = service::issue_tokens(&app, &ctx, user).await.unwrap();
        service::revoke(&app, &ctx, &tokens.refresh_token).await.unwrap();
        let refused = service::refresh(&app, &ctx, &tokens.refresh_token).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)));
        let nobody = service::issue_tokens(&app, &ctx, zoco::types::UserId(999)).await;
        assert!(matches!(nobody, Err(Error::Unauthenticated)));
    }

    async fn a_refresh_token_lasts_thirty_days(app: TestApp) {
        app.customer("ada@example.com").await;
        let first = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        let thirty_days = app.config.sign_ins_of(Role::Customer).idle;
        app.clock.advance_seconds(thirty_days - 1);
        let second = refresh(&app.api(), &text(&first, "refresh_token")).await.expect(200);
        app.clock.advance_seconds(thirty_days);
        refresh(&app.api(), &text(&second, "refresh_token")).await.expect(401);
        assert_eq!(audited(&app).await, Vec::<String>::new());
    }

    async fn one_token_traded_twice_at_once_gives_one_success(app: TestApp) {
        app.customer("ada@example.com").await;
        for _ in 0..5 {
            let first = login(&app, "ada@example.com", PASSWORD).await.expect(200);
            let token = text(&first, "refresh_token");
            let both = (0..4).map(|_| {
                let (api, token) = (app.api(), token.clone());
                tokio::spawn(async move { refresh(&api, &token).await })
            });
            let both: Vec<_> = both.collect();
            let mut winners = Vec::new();
            for reply in both {
                let reply = reply.await.unwrap();
                match reply.status.as_u16() {
                    200 => winners.push(text(&reply, "refresh_token")),
                    status => assert_eq!(status, 401),
                }
            }
            assert_eq!(winners.len(), 1);
            // The losers ended the family, the winner's new token with it.
            refresh(&app.api(), &winners[0]).await.expect(401);
        }
        assert_eq!(audited(&app).await.len(), 5);
    }

    async fn an_access_token_lasts_fifteen_minutes(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        app.clock.advance_seconds(Tokens::ACCESS_SECONDS - 1);
        client.get("/api/auth/me").await.expect(200);
        app.clock.advance_seconds(1);
        let refused = client.get("/api/auth/me").await.expect(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }

    async fn rights_are_read_from_the_user_not_from_the_token(app: TestApp) {
        let ctx = app.admin().await;
        let client = app.api().signed_in("admin@example.com").await;
        assert_eq!(client.get("/api/auth/me").await.json()["role"], "admin");
        let mut tx = app.db.begin().await.unwrap();
        Query::new("update users set role = 'staff', permissions = 'orders,catalog'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let me = client.get("/api/auth/me").await.json();
        assert_eq!(me["permissions"], json!(["orders", "catalog"]));
        let user = service::current_user(&app, ctx.user_id().unwrap()).await.unwrap().unwrap();
        assert_eq!(user.role, Role::Staff);

        let mut tx = app.db.begin().await.unwrap();
        Query::new("delete from users").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        client.get("/api/auth/me").await.expect(401);
        assert_eq!(service::current_user(&app, user.id).await.unwrap(), None);
        assert!(matches!(service::me(&app, &ctx).await, Err(Error::Unauthenticated)));
    }

    async fn the_api_knows_no_cookies_and_pages_no_tokens(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let cookie = format!("zoco_session={}", browser.cookies["zoco_session"]);
        app.api().with("cookie", &cookie).get("/api/auth/me").await.expect(401);
        let client = app.api().signed_in("ada@example.com").await;
        let page = client.get("/account").await.expect(303);
        assert_eq!(page.header("location"), "/sign-in?next=%2Faccount");
        app.api().with("authorization", "Basic YTpi").get("/api/auth/me").await.expect(401);
        app.api().get("/api/auth/me").await.expect(401);
    }

    async fn a_profile_changes_on_both_faces(app: TestApp) {
        let ctx = app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let form = browser.get("/account").await.expect(200);
        assert!(!form.has("Back office"));
        let page = browser.submit(&form, "#profile", &[("name", " Ada Lovelace "), ("phone", "+34 600 000 000"), ("locale", "es"), ("marketing_consent", "on")]).await.expect(200);
        assert!(page.has("Saved."));
        assert_eq!(page.attributes("#f-phone", "value"), ["+34 600 000 000"]);
        let client = app.api().signed_in("ada@example.com").await;
        let me = client.get("/api/auth/me").await.expect(200).json();
        assert_eq!((me["name"].as_str(), me["phone"].as_str()), (Some("Ada Lovelace"), Some("+34 600 000 000")));

        assert_eq!((me["locale"].as_str(), me["marketing_consent"].as_bool()), (Some("es"), Some(true)));
        // Consent keeps the moment at which it was given, until it is taken back.
        let given = service::me(&app, &ctx).await.unwrap().marketing_consent_at;
        assert_eq!(given, Some(app.clock.now()));
        app.clock.advance_seconds(60);
        let client = app.api().signed_in("ada@example.com").await;
        client.patch("/api/auth/me", json!({"marketing_consent": true})).await.expect(200);
        assert_eq!(service::me(&app, &ctx).await.unwrap().marketing_consent_at, given);
        let me = client.patch("/api/auth/me", json!({"marketing_consent": false, "locale": "en"})).await.expect(200).json();
        assert_eq!((me["locale"].as_str(), me["marketing_consent"].as_bool()), (Some("en"), Some(false)));
        let reply = client.patch("/api/auth/me", json!({"locale": "tlh"})).await.expect(422);
        assert_eq!(codes(&reply), ["locale: unknown"]);

        // What is left out stays.
        let me = client.patch("/api/auth/me", json!({"name": "Ada"})).await.expect(200).json();
        assert_eq!((me["name"].as_str(), me["phone"].as_str()), (Some("Ada"), Some("+34 600 000 000")));
        let again = browser.submit(&form, "#profile", &[("name", " "), ("phone", "call me")]).await.expect(422);
        assert_eq!(again.text("#e-name"), "Write your name.");
        assert_eq!(again.attributes("#f-phone", "value"), ["call me"]);
        let reply = client.patch("/api/auth/me", json!({"name": "", "phone": "x".repeat(41)})).await.expect(422);
        assert_eq!(codes(&reply), ["name: required", "phone: length"]);
        let reply = client.patch("/api/auth/me", json!({"email": "b@example.com"})).await.expect(422);
        assert_eq!(codes(&reply), ["email: unknown_field"]);
        assert_eq!(service::me(&app, &ctx).await.unwrap().name, "Ada");

        app.api().patch("/api/auth/me", json!({"name": "Eve"})).await.expect(401);
        let guest = service::update_profile(&app, &app.guest(), UpdateProfile::default()).await;
        assert!(matches!(guest, Err(Error::Unauthenticated)));
        let fields = [("name", "Eve")];
        assert_eq!(app.browser().post_only("/account", &fields).await.header("location"), "/sign-in?next=%2F");
    }

    async fn the_first_admin_makes_itself_once(app: TestApp) {
        let (email, password) = service::ensure_admin(&app).await.unwrap().unwrap();
        assert_eq!((email.as_str(), password.len()), ("admin@example.com", 16));
        let reply = login(&app, &email, &password).await.expect(200);
        assert_eq!(reply.json()["user"]["role"], "admin");
        assert_eq!(service::ensure_admin(&app).await.unwrap(), None);
        assert_eq!(audited(&app).await, ["user.made_admin user 1"]);
        let mut browser = app.browser();
        browser.post_only("/sign-in", &[("email", &email), ("password", &password)]).await.expect(303);
        assert!(browser.get("/account").await.has("You work here as admin"));
    }

    async fn the_first_admin_can_come_from_the_settings(app: TestApp) {
        let made = |email: &str| {
            let config = Config { admin_email: email.to_owned(), admin_password: Some(PASSWORD.into()), ..app.config.clone() };
            let mailer = zoco::mail::Mailer::Memory(Default::default());
            zoco::app::App::assemble(config, app.db.clone(), app.clock.clone(), Rng::seeded(5), mailer)
        };
        let wrong = service::ensure_admin(&made("nobody").await.unwrap()).await;
        assert!(matches!(wrong, Err(Error::Internal(_))));
        // No password is printed that the operator knows already.
        assert_eq!(service::ensure_admin(&made("Boss@example.com").await.unwrap()).await.unwrap(), None);
        login(&app, "boss@example.com", PASSWORD).await.expect(200);
    }

    async fn several_instances_make_one_first_admin(app: TestApp) {
        let starts = (0..4).map(|_| {
            let app = app.clone();
            tokio::spawn(async move { service::ensure_admin(&app).await.unwrap() })
        });
        let starts: Vec<_> = starts.collect();
        let mut made = 0;
        for start in starts {
            made += usize::from(start.await.unwrap().is_some());
        }
        assert_eq!(made, 1);
    }

    async fn who_is_made_an_admin_must_sign_in_again(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let before = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        let user = service::create_admin(&app, "Ada@Example.com", "another password").await.unwrap();
        assert_eq!(user.role, Role::Admin);
        assert_eq!(browser.get("/account").await.path, "/sign-in?next=%2Faccount");
        refresh(&app.api(), &text(&before, "refresh_token")).await.expect(401);
        login(&app, "ada@example.com", PASSWORD).await.expect(401);
        login(&app, "ada@example.com", "another password").await.expect(200);
        assert_eq!(audited(&app).await, ["user.made_admin user 1"]);
        let wrong = service::create_admin(&app, "nobody", "short").await;
        let Err(Error::Invalid(errors)) = wrong else { panic!("{wrong:?}") };
        assert_eq!(errors.iter().count(), 2);
    }

    async fn what_is_over_is_forgotten(app: TestApp) {
        app.customer("ada@example.com").await;
        let first = login(&app, "ada@example.com", PASSWORD).await.expect(200);
        login(&app, "ada@example.com", "wrong password").await.expect(401);
        let sweep = async || (service::SWEEP.run)((*app).clone()).await.unwrap();
        assert_eq!(sweep().await, 0);
        app.clock.advance_seconds(900);
        // The counters of the account and of the address.
        assert_eq!(sweep().await, 2);
        refresh(&app.api(), &text(&first, "refresh_token")).await.expect(200);
        app.clock.advance_seconds(app.config.sign_ins_of(Role::Customer).idle);
        // Two tokens, and the link in the letter of welcome.
        assert_eq!(sweep().await, 3);
    }

    async fn a_guests_cart_comes_along(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let add = json!({"product_id": mug.id, "quantity": 2});
        let count = async |ctx: &Ctx| zoco::cart::service::count(&app, ctx).await.unwrap();

        // Over the API, by its token.
        let guest = app.api().post("/api/cart/items", add.clone()).await.expect(200);
        let token = guest.header("cart-token");
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let client = app.api().with("cart-token", &token);
        client.post("/api/auth/login", json!({"email": "ada@example.com", "password": "wrong password"})).await.expect(401);
        assert_eq!(count(&ada).await, 0);
        client.post("/api/auth/login", body).await.expect(200);
        assert_eq!(count(&ada).await, 2);
        client.post("/api/auth/login", json!({"email": "ada@example.com", "password": PASSWORD})).await.expect(200);
        assert_eq!(count(&ada).await, 2);

        // On pages, by the session; capped by stock, and the page says so.
        let mut browser = app.browser();
        let variant = mug.variants[0].id.to_string();
        browser.post_only("/cart/items", &[("variant_id", &variant), ("quantity", "2")]).await.expect(303);
        let page = browser.sign_in("ada@example.com").await;
        assert!(page.has("One article came over from your cart before you signed in."), "{}", page.body);
        assert_eq!(count(&ada).await, 4);

        // Registering takes it along, too.
        let guest = app.api().post("/api/cart/items", json!({"product_id": mug.id})).await.expect(200);
        let client = app.api().with("cart-token", &guest.header("cart-token"));
        let reply = client.post("/api/auth/register", json!({"email": "eve@example.com", "password": PASSWORD})).await.expect(201);
        let eve = service::authenticate(&app, &text(&reply, "access_token")).await.unwrap();
        assert_eq!(count(&Ctx { actor: Actor::User(eve.user), ..app.guest() }).await, 1);
        app.run_jobs().await;
    }
}
