//! Passwords: which are good enough, changing one, and setting a new one by mail.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use serde_json::json;
use zoco::accounts::service::{self, ForgotPassword, ResetPassword};
use zoco::ctx::{Ctx, Permission};
use zoco::db::Query;
use zoco::error::{Error, Result};
use zoco::types::Locale;

use crate::support::clients::PASSWORD;
use crate::support::{TestApp, both};

const NEW: &str = "seven quiet lanterns";

/// The messages at a field.
fn messages(result: Result<impl Sized>, field: &str) -> Vec<(&'static str, String)> {
    match result {
        Err(Error::Invalid(errors)) => errors
            .iter()
            .filter(|(name, _)| *name == field)
            .map(|(_, error)| (error.code, error.message.clone()))
            .collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    }
}

fn reset(token: &str, password: &str) -> ResetPassword {
    ResetPassword {
        token: token.to_owned(),
        password: password.to_owned(),
    }
}

fn forgot(email: &str) -> ForgotPassword {
    ForgotPassword {
        email: email.to_owned(),
    }
}

/// Asks for a letter, and gives what its link carries.
async fn mailed_token(app: &TestApp, email: &str) -> String {
    service::forgot_password(app, &app.guest(), forgot(email))
        .await
        .unwrap();
    let link = app.mailed_link(email).await;
    link.strip_prefix("/reset-password?token=")
        .unwrap()
        .to_owned()
}

both! {
    async fn weak_passwords_are_refused_with_advice_in_the_readers_language(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        for (password, advice) in [
            ("password", "Many people use this password."),
            ("p@ssword2", "a password that many people use."),
            ("aaaaaaaaaaaa", "The same character again and again is easy to guess."),
            ("ada@example.com", "This is your name or e-mail."),
        ] {
            let body = json!({"current_password": PASSWORD, "new_password": password});
            let problem = client.post("/api/auth/password", body).await.expect(422).json();
            assert_eq!(problem["errors"][0]["code"], "weak", "{password}");
            let message = problem["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(advice), "{password}: {message}");
        }
        let spanish = Ctx { locale: Locale::Spanish, ..ada };
        let input = service::ChangePassword { current_password: PASSWORD.to_owned(), new_password: "password".to_owned() };
        let found = messages(service::change_password(&app, &spanish, input).await, "new_password");
        assert_eq!(found, [("weak", "Mucha gente usa esta contraseña. Añade una o dos palabras, mejor poco comunes.".to_owned())]);

        // A visitor without an account is answered in the language of their browser.
        let guest = app.api().with("accept-language", "es-ES,en;q=0.5");
        let body = json!({"email": "eve@example.com", "password": "corta"});
        let problem = guest.post("/api/auth/register", body).await.expect(422).json();
        assert_eq!(problem["errors"][0]["message"], "Usa al menos 8 caracteres.");
    }

    async fn who_works_here_needs_a_better_one(app: TestApp) {
        // Two of zxcvbn's four points.
        let middling = "kettle4821";
        app.customer("ada@example.com").await;
        app.staff("sam@example.com", &[Permission::Orders]).await;
        let body = json!({"current_password": PASSWORD, "new_password": middling});
        let ada = app.api().signed_in("ada@example.com").await;
        ada.post("/api/auth/password", body.clone()).await.expect(200);
        let sam = app.api().signed_in("sam@example.com").await;
        let problem = sam.post("/api/auth/password", body).await.expect(422).json();
        assert_eq!(problem["errors"][0]["code"], "weak");
        let admin = service::create_admin(&app, "boss@example.com", middling).await;
        assert_eq!(messages(admin, "password")[0].0, "weak");
        app.run_jobs().await;
    }

    async fn a_changed_password_ends_the_other_sign_ins(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut here = app.browser();
        here.sign_in("ada@example.com").await;
        let mut elsewhere = app.browser();
        elsewhere.sign_in("ada@example.com").await;
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let tokens = app.api().post("/api/auth/login", body).await.expect(200).json();

        let form = here.get("/account/password").await.expect(200);
        let wrong = [("current_password", "not this one"), ("new_password", NEW)];
        let again = here.submit(&form, "#password", &wrong).await.expect(422);
        assert_eq!(again.text("#e-current_password"), "This is not your password.");
        let same = [("current_password", PASSWORD), ("new_password", PASSWORD)];
        let again = here.submit(&form, "#password", &same).await.expect(422);
        assert_eq!(again.text("#e-new_password"), "This is the password that you have.");
        here.get("/account").await.expect(200);

        let right = [("current_password", PASSWORD), ("new_password", NEW)];
        let page = here.submit(&form, "#password", &right).await.expect(200);
        assert_eq!(page.path, "/account");
        assert!(page.has("Your password is changed."));
        assert_eq!(elsewhere.get("/account").await.path, "/sign-in?next=%2Faccount");
        let body = json!({"refresh_token": tokens["refresh_token"]});
        app.api().post("/api/auth/refresh", body).await.expect(401);
        let old = json!({"email": "ada@example.com", "password": PASSWORD});
        app.api().post("/api/auth/login", old).await.expect(401);
        app.run_jobs().await;
        let letter = app.letters().pop().unwrap();
        assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("ada@example.com", "Your password was changed"));

        // Through the API, which gives new tokens.
        let body = json!({"email": "ada@example.com", "password": NEW});
        let first = app.api().post("/api/auth/login", body).await.expect(200).json();
        let client = app.api().with("authorization", &format!("Bearer {}", first["access_token"].as_str().unwrap()));
        let body = json!({"current_password": NEW, "new_password": PASSWORD});
        let reply = client.post("/api/auth/password", body).await.expect(200);
        assert_eq!(reply.header("cache-control"), "no-store");
        let refresh = json!({"refresh_token": reply.json()["refresh_token"]});
        app.api().post("/api/auth/refresh", refresh).await.expect(200);
        let refresh = json!({"refresh_token": first["refresh_token"]});
        app.api().post("/api/auth/refresh", refresh).await.expect(401);
        assert_eq!(here.get("/account").await.path, "/sign-in?next=%2Faccount");
        app.run_jobs().await;
        let mut conn = app.db.conn().await.unwrap();
        let rows = Query::new("select action from audit_log order by id");
        let rows: Vec<(String,)> = rows.fetch_all(&mut conn).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|(action,)| action == "user.password_changed"));
    }

    async fn guessing_the_password_so_far_is_counted(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let input = service::ChangePassword { current_password: "a guess".to_owned(), new_password: NEW.to_owned() };
        for _ in 0..10 {
            let found = messages(service::change_password(&app, &ada, input.clone()).await, "current_password");
            assert_eq!(found[0].0, "wrong_password");
        }
        let refused = service::change_password(&app, &ada, input).await;
        assert!(matches!(refused, Err(Error::TooMany { retry_after: 900, .. })));
    }

    async fn a_forgotten_password_is_set_by_mail(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut elsewhere = app.browser();
        elsewhere.sign_in("ada@example.com").await;
        let mut browser = app.browser();
        let form = browser.get("/forgot-password").await.expect(200);
        let again = browser.submit(&form, "#forgot", &[("email", "ada at home")]).await.expect(422);
        assert_eq!(again.attributes("#f-email", "value"), ["ada at home"]);
        let page = browser.submit(&form, "#forgot", &[("email", "Ada@example.com")]).await.expect(200);
        assert_eq!(page.path, "/sign-in");
        let told = page.text(".flash");

        let link = app.mailed_link("ada@example.com").await;
        let form = browser.get(&link).await.expect(200);
        assert_eq!(form.header("referrer-policy"), "no-referrer");
        let again = browser.submit(&form, "#reset", &[("password", "short")]).await.expect(422);
        assert_eq!(again.text("#e-password"), "Use at least 8 characters.");
        let page = browser.submit(&again, "#reset", &[("password", NEW)]).await.expect(200);
        assert_eq!(page.path, "/sign-in");
        assert!(page.has("Your new password is set."));
        assert_eq!(elsewhere.get("/account").await.path, "/sign-in?next=%2Faccount");
        let fields = [("email", "ada@example.com"), ("password", NEW)];
        browser.submit(&page, "#sign-in", &fields).await.expect(200);
        // The letter reached them, so the address is theirs.
        assert!(browser.get("/account").await.has("Confirmed"));

        // Good for one use.
        let spent = app.browser().get(&link).await.expect(422);
        assert!(spent.has("This link was used before or is too old."));
        let problem = app.api().post("/api/auth/password/reset", json!({"token": link.split_once('=').unwrap().1, "password": NEW})).await.expect(422).json();
        assert_eq!((problem["errors"][0]["field"].as_str(), problem["errors"][0]["code"].as_str()), (Some("token"), Some("bad_link")));
        app.run_jobs().await;

        // Nobody learns who has an account.
        let sent = app.letters().len();
        let form = app.browser().get("/forgot-password").await;
        let page = browser.submit(&form, "#forgot", &[("email", "nobody@example.com")]).await;
        assert_eq!(page.text(".flash"), told);
        let body = json!({"email": "nobody@example.com"});
        assert_eq!(app.api().post("/api/auth/password/forgot", body).await.expect(202).body, "");
        app.run_jobs().await;
        assert_eq!(app.letters().len(), sent);
    }

    async fn a_link_lasts_thirty_minutes_and_what_it_carries_is_kept_nowhere(app: TestApp) {
        app.customer("ada@example.com").await;
        let token = mailed_token(&app, "ada@example.com").await;
        let mut conn = app.db.conn().await.unwrap();
        for sql in ["select token_hash from email_links", "select payload from outbox", "select after from audit_log"] {
            let rows: Vec<(String,)> = Query::new(sql).fetch_all(&mut conn).await.unwrap();
            assert!(rows.iter().all(|(text,)| !text.contains(&token)), "{sql}");
        }
        drop(conn);
        app.clock.advance_seconds(30 * 60 - 1);
        service::check_reset(&app, &app.guest(), &token).await.unwrap();
        app.clock.advance_seconds(1);
        assert_eq!(messages(service::check_reset(&app, &app.guest(), &token).await, "token")[0].0, "bad_link");
        assert_eq!(messages(service::reset_password(&app, &app.guest(), reset(&token, NEW)).await, "token")[0].0, "bad_link");
        for nonsense in ["", "x", &"0".repeat(64)] {
            assert_eq!(messages(service::check_reset(&app, &app.guest(), nonsense).await, "token")[0].0, "bad_link");
        }
    }

    async fn one_link_used_twice_at_once_sets_one_password(app: TestApp) {
        app.customer("ada@example.com").await;
        let token = mailed_token(&app, "ada@example.com").await;
        let guest = app.guest();
        let tries = (0..4).map(|n| {
            let (app, guest, token) = (app.clone(), guest.clone(), token.clone());
            async move { service::reset_password(&app, &guest, reset(&token, &format!("{NEW} {n}"))).await }
        });
        let results = futures_util::future::join_all(tries).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        app.run_jobs().await;
    }

    async fn a_new_password_voids_the_other_links(app: TestApp) {
        app.customer("ada@example.com").await;
        let first = mailed_token(&app, "ada@example.com").await;
        app.clock.advance_seconds(5);
        let second = mailed_token(&app, "ada@example.com").await;
        service::reset_password(&app, &app.guest(), reset(&second, NEW)).await.unwrap();
        assert_eq!(messages(service::check_reset(&app, &app.guest(), &first).await, "token")[0].0, "bad_link");
        app.run_jobs().await;
    }

    async fn letters_are_counted_by_account_and_by_sender(app: TestApp) {
        app.customer("ada@example.com").await;
        let guest = app.guest();
        for _ in 0..5 {
            service::forgot_password(&app, &guest, forgot("ada@example.com")).await.unwrap();
        }
        let sixth = service::forgot_password(&app, &guest, forgot("ADA@example.com")).await;
        assert!(matches!(sixth, Err(Error::TooMany { retry_after: 900, .. })));
        let here = Ctx { address: Some("192.0.2.1".parse().unwrap()), ..guest };
        for n in 0..30 {
            service::forgot_password(&app, &here, forgot(&format!("n{n}@example.com"))).await.unwrap();
        }
        let next = service::forgot_password(&app, &here, forgot("n30@example.com")).await;
        assert!(matches!(next, Err(Error::TooMany { .. })));
        app.run_jobs().await;
        assert_eq!(app.letters().len(), 5);
    }

    async fn a_reset_opens_an_account_that_guesses_closed(app: TestApp) {
        app.customer("ada@example.com").await;
        let body = |password: &str| json!({"email": "ada@example.com", "password": password});
        for _ in 0..10 {
            app.api().post("/api/auth/login", body("a guess")).await.expect(401);
        }
        app.api().post("/api/auth/login", body(PASSWORD)).await.expect(429);
        let token = mailed_token(&app, "ada@example.com").await;
        service::reset_password(&app, &app.guest(), reset(&token, NEW)).await.unwrap();
        app.api().post("/api/auth/login", body(NEW)).await.expect(200);
        app.run_jobs().await;
    }

    async fn a_hash_of_weaker_parameters_is_made_anew_at_sign_in(app: TestApp) {
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).unwrap());
        let weak = weak.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string();
        let mut tx = app.db.begin().await.unwrap();
        let mut query = Query::new("update users set password_hash = ");
        query.bind(&weak).push(" where id = ").bind(ada).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let kept = async || {
            let mut conn = app.db.conn().await.unwrap();
            let (hash,): (String,) = Query::new("select password_hash from users").fetch_one(&mut conn).await.unwrap();
            hash
        };
        let body = |password: &str| json!({"email": "ada@example.com", "password": password});
        app.api().post("/api/auth/login", body("a guess")).await.expect(401);
        assert_eq!(kept().await, weak);
        app.api().post("/api/auth/login", body(PASSWORD)).await.expect(200);
        let strong = kept().await;
        assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
        app.api().post("/api/auth/login", body(PASSWORD)).await.expect(200);
        assert_eq!(kept().await, strong);
    }
}
