//! The e-mail address of an account: verifying it, and moving to another one.

use serde_json::json;
use zoco::accounts::service::{self, ChangeEmail, LinkToken};
use zoco::db::Query;
use zoco::error::Error;

use crate::support::clients::PASSWORD;
use crate::support::{TestApp, both};

fn change(email: &str) -> ChangeEmail {
    ChangeEmail {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

fn token_of(link: &str) -> LinkToken {
    LinkToken {
        token: link.split_once("?token=").unwrap().1.to_owned(),
    }
}

/// The subjects of the letters so far, with their readers.
fn sent(app: &TestApp) -> Vec<(String, String)> {
    app.letters()
        .iter()
        .map(|letter| (letter.to.to_string(), letter.subject.clone()))
        .collect()
}

both! {
    async fn an_address_is_verified_by_the_letter_of_welcome(app: TestApp) {
        let mut browser = app.browser();
        let form = browser.get("/register").await.expect(200);
        let fields = [("email", "ada@example.com"), ("password", PASSWORD)];
        browser.submit(&form, "#register", &fields).await.expect(200);
        assert!(browser.get("/account").await.has("Not confirmed yet."));
        let link = app.mailed_link("ada@example.com").await;
        assert!(link.starts_with("/verify-email?token="));

        // Following the link changes nothing: programs that look through mail do it, too.
        let page = app.browser().get(&link).await.expect(200);
        assert!(browser.get("/account").await.has("Not confirmed yet."));
        // Somebody who is not signed in may press the button.
        let done = app.browser().submit(&page, "#confirm", &[]).await.expect(200);
        assert_eq!(done.path, "/sign-in");
        assert!(done.has("Your e-mail is confirmed."));
        let account = browser.get("/account").await;
        assert!(account.has("Confirmed") && !account.has("Not confirmed yet."));
        let spent = browser.submit(&page, "#confirm", &[]).await.expect(422);
        assert!(spent.has("This link was used before or is too old."));
        let client = app.api().signed_in("ada@example.com").await;
        assert_eq!(client.get("/api/auth/me").await.json()["email_verified"], true);
        client.post("/api/auth/email/verification", json!({})).await.expect(409);
    }

    async fn the_letter_comes_again_on_demand(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.post("/account/email/verification", &[]).await.expect(200);
        assert!(page.has("A letter with a link is on its way."));
        let link = app.mailed_link("ada@example.com").await;
        let reply = app.api().post("/api/auth/email/verify", json!({"token": token_of(&link).token})).await.expect(204);
        assert_eq!(reply.body, "");
        assert!(service::me(&app, &ada).await.unwrap().email_verified_at.is_some());
        app.api().post("/api/auth/email/verify", json!({"token": token_of(&link).token})).await.expect(422);
        app.api().post("/api/auth/email/verification", json!({})).await.expect(401);
    }

    async fn letters_come_in_the_readers_language(app: TestApp) {
        let spanish = app.api().with("accept-language", "es");
        let body = json!({"email": "ana@example.com", "password": PASSWORD, "name": "Ana"});
        spanish.post("/api/auth/register", body).await.expect(201);
        app.run_jobs().await;
        let client = app.api().signed_in("ana@example.com").await;
        let body = json!({"email": "anita@example.com", "password": PASSWORD});
        client.post("/api/auth/email", body).await.expect(202);
        client.post("/api/auth/password/forgot", json!({"email": "ana@example.com"})).await.expect(202);
        app.run_jobs().await;
        let subjects: Vec<String> = sent(&app).into_iter().map(|(_, subject)| subject).collect();
        assert_eq!(subjects, ["Te damos la bienvenida a olmo", "¿Quieres cambiar tu correo?", "Confirma tu correo nuevo", "Elige una contraseña nueva"]);
        let letter = &app.letters()[3];
        assert!(letter.html.contains("<html lang=\"es\">"), "{}", letter.html);
        assert!(letter.text.contains("durante 30 minutos"), "{}", letter.text);
    }

    async fn a_letter_lasts_three_days(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        service::send_verification(&app, &ada).await.unwrap();
        let link = app.mailed_link("ada@example.com").await;
        app.clock.advance_seconds(3 * 24 * 3600);
        let late = service::verify_email(&app, &app.guest(), token_of(&link)).await;
        assert!(matches!(late, Err(Error::Invalid(_))));
        let swept = (service::SWEEP.run)((*app).clone()).await.unwrap();
        // Two links, one of them in the letter of welcome, and the counter of letters.
        assert_eq!(swept, 3);
    }

    async fn an_address_changes_when_both_have_agreed(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let form = browser.get("/account/email").await.expect(200);
        let wrong = [("email", "lovelace@example.com"), ("password", "a guess")];
        let again = browser.submit(&form, "#email", &wrong).await.expect(422);
        assert_eq!(again.text("#e-password"), "This is not your password.");
        assert_eq!(again.attributes("#f-email", "value"), ["lovelace@example.com"]);
        let same = [("email", "ADA@example.com"), ("password", PASSWORD)];
        browser.submit(&form, "#email", &same).await.expect(422);
        let right = [("email", "lovelace@example.com"), ("password", PASSWORD)];
        let page = browser.submit(&form, "#email", &right).await.expect(200);
        assert!(page.has("Two letters are on their way"));
        let old = app.mailed_link("ada@example.com").await;
        let new = app.mailed_link("lovelace@example.com").await;

        let page = browser.get(&new).await.expect(200);
        let page = browser.submit(&page, "#confirm", &[]).await.expect(200);
        assert!(page.has("Now follow the link in the letter to your old address."));
        assert_eq!(service::me(&app, &ada).await.unwrap().email.as_str(), "ada@example.com");
        let page = browser.get(&old).await.expect(200);
        let page = browser.submit(&page, "#confirm", &[]).await.expect(200);
        assert!(page.has("Your account now uses lovelace@example.com."));
        let user = service::me(&app, &ada).await.unwrap();
        assert_eq!(user.email.as_str(), "lovelace@example.com");
        assert!(user.email_verified_at.is_some());
        app.run_jobs().await;
        assert_eq!(sent(&app).last().unwrap(), &("ada@example.com".to_owned(), "Your e-mail was changed".to_owned()));
        let body = json!({"email": "lovelace@example.com", "password": PASSWORD});
        app.api().post("/api/auth/login", body).await.expect(200);
        let mut conn = app.db.conn().await.unwrap();
        let rows: Vec<(String, String, String)> = Query::new("select action, before, after from audit_log").fetch_all(&mut conn).await.unwrap();
        let entry = ("user.email_changed".to_owned(), r#"{"email":"ada@example.com"}"#.to_owned(), r#"{"email":"lovelace@example.com"}"#.to_owned());
        assert_eq!(rows, [entry]);
    }

    async fn the_api_changes_an_address_the_same_way(app: TestApp) {
        app.customer("ada@example.com").await;
        let client = app.api().signed_in("ada@example.com").await;
        let body = json!({"email": "lovelace@example.com", "password": PASSWORD});
        client.post("/api/auth/email", body.clone()).await.expect(202);
        app.api().post("/api/auth/email", body).await.expect(401);
        let old = token_of(&app.mailed_link("ada@example.com").await).token;
        let new = token_of(&app.mailed_link("lovelace@example.com").await).token;
        let first = app.api().post("/api/auth/email/confirm", json!({"token": old})).await.expect(200);
        assert_eq!(first.json(), json!({"email": "lovelace@example.com", "done": false}));
        app.api().post("/api/auth/email/confirm", json!({"token": old})).await.expect(422);
        let second = app.api().post("/api/auth/email/confirm", json!({"token": new})).await.expect(200);
        assert_eq!(second.json()["done"], true);
        assert_eq!(client.get("/api/auth/me").await.json()["email"], "lovelace@example.com");
        app.run_jobs().await;
    }

    async fn nobody_takes_or_learns_of_another_ones_address(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        app.customer("eve@example.com").await;
        service::request_email_change(&app, &ada, change("eve@example.com")).await.unwrap();
        app.run_jobs().await;
        let letters = sent(&app);
        assert_eq!(letters[0], ("ada@example.com".to_owned(), "Do you want to change your e-mail?".to_owned()));
        assert_eq!(letters[1], ("eve@example.com".to_owned(), "You have an account already".to_owned()));
        let old = app.mailed_link("ada@example.com").await;
        let half = service::confirm_email_change(&app, &app.guest(), token_of(&old)).await.unwrap();
        assert!(!half.done && half.waits_for_new);

        // Taken between the letter and the second link.
        service::request_email_change(&app, &ada, change("new@example.com")).await.unwrap();
        let old = app.mailed_link("ada@example.com").await;
        let new = app.mailed_link("new@example.com").await;
        service::confirm_email_change(&app, &app.guest(), token_of(&old)).await.unwrap();
        app.customer("new@example.com").await;
        let taken = service::confirm_email_change(&app, &app.guest(), token_of(&new)).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "email_taken", .. })));
        assert_eq!(service::me(&app, &ada).await.unwrap().email.as_str(), "ada@example.com");
    }

    async fn a_later_change_voids_an_earlier_one(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        service::request_email_change(&app, &ada, change("first@example.com")).await.unwrap();
        let old = app.mailed_link("ada@example.com").await;
        let first = app.mailed_link("first@example.com").await;
        app.clock.advance_seconds(5);
        service::request_email_change(&app, &ada, change("second@example.com")).await.unwrap();
        app.run_jobs().await;
        for link in [old, first] {
            let void = service::confirm_email_change(&app, &app.guest(), token_of(&link)).await;
            assert!(matches!(void, Err(Error::Invalid(_))));
        }
        let newer = app.mailed_link("second@example.com").await;
        app.clock.advance_seconds(24 * 3600);
        let late = service::confirm_email_change(&app, &app.guest(), token_of(&newer)).await;
        assert!(matches!(late, Err(Error::Invalid(_))));
    }
}
