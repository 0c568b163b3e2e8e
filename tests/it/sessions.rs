//! Where somebody is signed in, and how it ends; access tokens and their keys; personal tokens.

use axum::http::{Method, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use zoco::accounts::service::{self, NewToken};
use zoco::accounts::{Bearer, Scope, TokenKeys, Tokens};
use zoco::app::Rng;
use zoco::config::Config;
use zoco::ctx::{Permission, Proof, Role};
use zoco::db::Query;
use zoco::error::Error;
use zoco::types::UserId;
use zoco::web::session;

use crate::api::{problem, routes};
use crate::support::clients::PASSWORD;
use crate::support::{Api, Browser, Reply, TestApp, both, plain};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A browser that says what it is, signed in.
async fn firefox(app: &TestApp, email: &str) -> Browser {
    let mut browser = app.browser();
    browser
        .headers
        .push(("user-agent".to_owned(), FIREFOX.to_owned()));
    browser.sign_in(email).await;
    browser
}

/// The access and refresh token of a new sign-in through the API, and a client with the first.
async fn sign_in(app: &TestApp, email: &str) -> (Api, String) {
    let body = json!({"email": email, "password": PASSWORD});
    let client = app.api().with("user-agent", "till/2.1");
    let reply = client.post("/api/auth/login", body).await.expect(200);
    let text = |field: &str| reply.json()[field].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {}", text("access_token"));
    (client.with("authorization", &bearer), text("refresh_token"))
}

async fn refresh(app: &TestApp, token: &str) -> Reply {
    let body = json!({"refresh_token": token});
    app.api().post("/api/auth/refresh", body).await
}

async fn audited(app: &TestApp) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let rows = Query::new("select action from audit_log order by id");
    let rows: Vec<(String,)> = rows.fetch_all(&mut conn).await.unwrap();
    rows.into_iter().map(|(action,)| action).collect()
}

async fn text_of(app: &TestApp, query: &'static str) -> Vec<String> {
    let mut conn = app.db.conn().await.unwrap();
    let rows: Vec<(String,)> = Query::new(query).fetch_all(&mut conn).await.unwrap();
    rows.into_iter().map(|(text,)| text).collect()
}

fn is_signed_out(reply: &Reply) -> bool {
    reply.path.starts_with("/sign-in")
}

async fn make_token(client: &Api, scopes: &[&str]) -> Reply {
    let body =
        json!({"name": "Till", "scopes": scopes, "expires_in_days": 30, "password": PASSWORD});
    client.post("/api/auth/tokens", body).await
}

/// A client with a new personal token.
async fn personal(app: &TestApp, email: &str, scopes: &[&str]) -> Api {
    let (client, _) = sign_in(app, email).await;
    let made = make_token(&client, scopes).await.expect(201);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    app.api().with("authorization", &format!("Bearer {token}"))
}

both! {
    async fn sign_ins_are_listed_on_both_faces(app: TestApp) {
        app.customer("ada@example.com").await;
        app.customer("eve@example.com").await;
        firefox(&app, "eve@example.com").await;
        app.clock.advance_seconds(60);
        let mut browser = firefox(&app, "ada@example.com").await;
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let page = browser.get("/account/sign-ins").await.expect(200);
        let rows = page.texts("tbody tr");
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[0].starts_with("Firefox on Linux (this one)127.0.0.124 November 2026"), "{rows:?}");
        assert!(rows[1].starts_with("till127.0.0.1"), "{rows:?}");
        // The one that asks is left by signing out.
        assert_eq!(page.attributes("input[name='id']", "value").len(), 1);

        let listed = client.get("/api/auth/sessions").await.expect(200).json();
        let items = listed["items"].as_array().unwrap();
        let short: Vec<Value> = items.iter().map(|item| json!([item["kind"], item["device"], item["current"], item["created_at"]])).collect();
        assert_eq!(json!(short), json!([
            ["browser", "Firefox on Linux", false, "2026-11-24T12:01:00Z"],
            ["api", "till", true, "2026-11-24T12:01:00Z"],
        ]));
        // What is shown opens nothing.
        let mut stranger = app.browser();
        stranger.cookies.insert("zoco_session".to_owned(), items[0]["id"].as_str().unwrap().to_owned());
        assert!(is_signed_out(&stranger.get("/account").await));
        app.api().get("/api/auth/sessions").await.expect(401);
        assert!(is_signed_out(&app.browser().get("/account/sign-ins").await));
    }

    async fn a_sign_in_ends_where_it_is_told_to(app: TestApp) {
        app.customer("ada@example.com").await;
        app.customer("eve@example.com").await;
        let mut lost = firefox(&app, "ada@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        let (client, token) = sign_in(&app, "ada@example.com").await;
        let (eve, _) = sign_in(&app, "eve@example.com").await;
        let listed = client.get("/api/auth/sessions").await.json();
        let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        for id in &ids {
            problem(&eve.delete(&format!("/api/auth/sessions/{id}")).await, 404, "not_found");
        }
        // The page, for the app.
        let page = browser.get("/account/sign-ins").await.expect(200);
        assert_eq!(page.texts("tbody tr").len(), 3);
        browser.post("/account/sign-ins/end", &[("id", ids[2])]).await.expect(200);
        client.get("/api/auth/me").await.expect(401);
        refresh(&app, &token).await.expect(401);
        assert_eq!(browser.post("/account/sign-ins/end", &[("id", ids[2])]).await.status, 404);
        // The API, for the browser.
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let own = browser.get("/account/sign-ins").await;
        let id = own.attributes("form[action='/account/sign-ins/end'] input", "value")[0].clone();
        client.delete(&format!("/api/auth/sessions/{id}")).await.expect(204);
        assert!(is_signed_out(&lost.get("/account").await));
        assert_eq!(browser.get("/account").await.path, "/account");
        eve.get("/api/auth/me").await.expect(200);
        assert_eq!(audited(&app).await, ["sign_in.ended", "sign_in.ended"]);
    }

    async fn all_other_sign_ins_end_at_once(app: TestApp) {
        app.customer("ada@example.com").await;
        app.customer("eve@example.com").await;
        let mut eve = firefox(&app, "eve@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        let mut lost = firefox(&app, "ada@example.com").await;
        let (other, token) = sign_in(&app, "ada@example.com").await;
        let page = browser.get("/account/sign-ins").await;
        let page = browser.submit(&page, "#end-others", &[]).await.expect(200);
        assert!(page.has("You are signed out everywhere but here."));
        assert_eq!(page.texts("tbody tr").len(), 1);
        assert!(is_signed_out(&lost.get("/account").await));
        other.get("/api/auth/me").await.expect(401);
        refresh(&app, &token).await.expect(401);

        let (client, token) = sign_in(&app, "ada@example.com").await;
        let (other, _) = sign_in(&app, "ada@example.com").await;
        assert_eq!(client.delete("/api/auth/sessions").await.expect(200).json(), json!({"ended": 2}));
        assert!(is_signed_out(&browser.get("/account").await));
        other.get("/api/auth/me").await.expect(401);
        client.get("/api/auth/me").await.expect(200);
        refresh(&app, &token).await.expect(200);
        assert_eq!(eve.get("/account").await.path, "/account");
        assert_eq!(client.delete("/api/auth/sessions").await.expect(200).json(), json!({"ended": 0}));
        assert_eq!(audited(&app).await.len(), 2);
    }

    async fn a_planted_session_is_never_taken_over(app: TestApp) {
        app.customer("ada@example.com").await;
        let planted = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
        let mut victim = app.browser();
        victim.cookies.insert("zoco_session".to_owned(), planted.clone());
        victim.sign_in("ada@example.com").await;
        assert_ne!(victim.cookies["zoco_session"], planted);
        // Nor one that the shop made for somebody who then planted it.
        let product = app.product("Everyday mug", "24.00", 5).await;
        let variant = product.variants[0].id.to_string();
        let mut attacker = app.browser();
        attacker.post_only("/cart/items", &[("variant_id", &variant)]).await.expect(303);
        let planted = attacker.cookies["zoco_session"].clone();
        let mut victim = app.browser();
        victim.cookies.insert("zoco_session".to_owned(), planted.clone());
        victim.sign_in("ada@example.com").await;
        assert_ne!(victim.cookies["zoco_session"], planted);
        assert!(is_signed_out(&attacker.get("/account").await));
        assert_eq!(victim.get("/account").await.path, "/account");
    }

    async fn the_cookie_is_kept_as_a_hash(app: TestApp) {
        app.customer("ada@example.com").await;
        let browser = firefox(&app, "ada@example.com").await;
        let cookie = &browser.cookies["zoco_session"];
        let kept = text_of(&app, "select id || ' ' || data from sessions").await;
        assert_eq!(kept.len(), 1);
        assert!(!kept[0].contains(cookie.as_str()), "{kept:?}");
        assert_eq!(kept[0].split(' ').next().unwrap().len(), 64);
    }

    async fn a_session_that_was_ended_stays_so(app: TestApp) {
        app.customer("ada@example.com").await;
        let browser = firefox(&app, "ada@example.com").await;
        let store = session::Sessions::new(&app);
        let id: tower_sessions::session::Id = browser.cookies["zoco_session"].parse().unwrap();
        use tower_sessions::SessionStore;
        // A request that began before the session was ended, and saves after it.
        let record = store.load(&id).await.unwrap().unwrap();
        let (client, _) = sign_in(&app, "ada@example.com").await;
        client.delete("/api/auth/sessions").await.expect(200);
        store.save(&record).await.unwrap();
        assert!(store.load(&id).await.unwrap().is_none());
        assert_eq!(text_of(&app, "select id from sessions").await, [""; 0]);
    }

    async fn browsers_are_signed_out_after_a_while(app: TestApp) {
        app.customer("ada@example.com").await;
        app.staff("stella@example.com", &[Permission::Orders]).await;
        for (email, role) in [("ada@example.com", Role::Customer), ("stella@example.com", Role::Staff)] {
            let limits = app.config.sign_ins_of(role);
            // Used in time, it lasts, although nothing is written in between.
            let mut browser = firefox(&app, email).await;
            for _ in 0..2 {
                app.clock.advance_seconds(limits.idle - 1);
                assert_eq!(browser.get("/account").await.path, "/account");
            }
            app.clock.advance_seconds(limits.idle);
            assert!(is_signed_out(&browser.get("/account").await), "{email}");
            // Not used in time, it ends; and in any case one day.
            let mut browser = firefox(&app, email).await;
            let mut age = 0;
            while age + limits.idle / 2 < limits.lifetime {
                age += limits.idle / 2;
                app.clock.advance_seconds(limits.idle / 2);
                assert_eq!(browser.get("/account").await.path, "/account", "{email} after {age} s");
            }
            app.clock.advance_seconds(limits.lifetime - age);
            assert!(is_signed_out(&browser.get("/account").await), "{email}");
        }
        // All of it is forgotten.
        app.clock.advance_seconds(app.config.sign_ins_of(Role::Customer).lifetime);
        (session::SWEEP.run)((*app).clone()).await.unwrap();
        assert_eq!(text_of(&app, "select id from sessions").await, [""; 0]);
    }

    async fn who_comes_to_work_here_has_the_limits_of_staff(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        let (client, token) = sign_in(&app, "ada@example.com").await;
        app.clock.advance_seconds(9 * 3600);
        let mut tx = app.db.begin().await.unwrap();
        Query::new("update users set role = 'staff'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_signed_out(&browser.get("/account").await));
        refresh(&app, &token).await.expect(401);
        client.get("/api/auth/me").await.expect(401);
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let listed = client.get("/api/auth/sessions").await.json();
        assert_eq!(listed["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "browser").count(), 0);
    }

    async fn the_last_use_is_written_now_and_then(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        browser.get("/account").await;
        let last_used = async |browser: &mut Browser| browser.get("/account/sign-ins").await.attributes("td[data-l='Last used'] time", "datetime")[0].clone();
        assert_eq!(last_used(&mut browser).await, "2026-11-24T12:00:00Z");
        app.clock.advance_seconds(299);
        assert_eq!(last_used(&mut browser).await, "2026-11-24T12:00:00Z");
        app.clock.advance_seconds(1);
        assert_eq!(last_used(&mut browser).await, "2026-11-24T12:05:00Z");
    }

    async fn a_sign_in_through_the_api_ends_in_any_case(app: TestApp) {
        app.customer("ada@example.com").await;
        let limits = app.config.sign_ins_of(Role::Customer);
        let (_, mut token) = sign_in(&app, "ada@example.com").await;
        let mut age = 0;
        while age + limits.idle - 1 < limits.lifetime {
            age += limits.idle - 1;
            app.clock.advance_seconds(limits.idle - 1);
            let reply = refresh(&app, &token).await.expect(200);
            token = reply.json()["refresh_token"].as_str().unwrap().to_owned();
        }
        app.clock.advance_seconds(limits.lifetime - age);
        refresh(&app, &token).await.expect(401);
        assert_eq!(audited(&app).await, [""; 0]);
    }

    async fn an_access_token_ends_with_its_sign_in(app: TestApp) {
        app.customer("ada@example.com").await;
        let (client, token) = sign_in(&app, "ada@example.com").await;
        client.get("/api/auth/me").await.expect(200);
        app.api().post("/api/auth/logout", json!({"refresh_token": token})).await.expect(204);
        client.get("/api/auth/me").await.expect(401);
        // A reused token ends all that came of it.
        let (client, token) = sign_in(&app, "ada@example.com").await;
        let next = refresh(&app, &token).await.expect(200);
        client.get("/api/auth/me").await.expect(200);
        refresh(&app, &token).await.expect(401);
        let bearer = format!("Bearer {}", next.json()["access_token"].as_str().unwrap());
        app.api().with("authorization", &bearer).get("/api/auth/me").await.expect(401);
        client.get("/api/auth/me").await.expect(401);
        assert_eq!(audited(&app).await, ["token.reused"]);
    }

    async fn only_our_own_access_tokens_are_good(app: TestApp) {
        app.customer("ada@example.com").await;
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let ours = client.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(ours.trim_start_matches("Bearer ")).unwrap();
        let family = claims.claims["sid"].as_str().unwrap().to_owned();
        let now = app.clock.now().unix_seconds();
        let (key, before) = ("a key of at least thirty-two characters", "the key before, of thirty-two characters");
        let config = |secret: &str, before: &[&str]| Config {
            jwt_secret: Some(secret.into()),
            jwt_previous_secrets: before.iter().map(|&secret| secret.into()).collect(),
            ..app.config.clone()
        };
        let app = app.with_settings(|settings| *settings = config(key, &[before])).await;
        let load = async |secret: &str| TokenKeys::load(&config(secret, &[]), &app.db, &Rng::seeded(3)).await.unwrap();
        let bearer = Bearer { user: UserId(1), family: family.clone() };
        let mut conn = app.db.conn().await.unwrap();
        let from = async |conn: &mut zoco::db::Conn, secret: &str| load(secret).await.sign(conn, &bearer, app.clock.now()).await.unwrap();
        let good_token = from(&mut conn, key).await;
        let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let good_kid = kid(&good_token);
        let good = json!({"iss": "zoco", "aud": "zoco-api", "sub": "1", "sid": family, "iat": now, "nbf": now, "exp": now + 900});
        let sign = |algorithm, kid: Option<&str>, key: &str, claims: &Value| {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
            jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
        };
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            sign(Algorithm::HS256, Some(&good_kid), key, &claims)
        };
        let bearer_of = |token: &str| app.api().with("authorization", &format!("Bearer {token}"));
        let signed = sign(Algorithm::HS256, Some(&good_kid), key, &good);
        for token in [&signed, &good_token, &from(&mut conn, before).await] {
            bearer_of(token).get("/api/auth/me").await.expect(200);
        }
        let (_, rest) = signed.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        let head = |text: String| base64(text.as_bytes());
        let none = head(format!(r#"{{"alg":"none","typ":"JWT","kid":"{good_kid}"}}"#));
        // A key of ours taken for a public one.
        let rsa = head(format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{good_kid}"}}"#));
        let refused = [
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!("{rsa}.{payload}.{signature}"),
            sign(Algorithm::HS512, Some(&good_kid), key, &good),
            sign(Algorithm::HS384, Some(&good_kid), key, &good),
            sign(Algorithm::HS256, None, key, &good),
            sign(Algorithm::HS256, Some("0123456789abcdef"), key, &good),
            sign(Algorithm::HS256, Some(&good_kid), before, &good),
            from(&mut conn, "another key of thirty-two characters!").await,
            with("iss", json!("elsewhere")),
            with("aud", json!("elsewhere")),
            with("exp", json!(now)),
            with("nbf", json!(now + 31)),
            with("sub", json!("ada")),
            with("sub", json!("99")),
            with("sid", json!("another")),
            with("sid", Value::Null),
            with("exp", Value::Null),
            with("nbf", Value::Null),
            with("iss", Value::Null),
            with("aud", Value::Null),
            String::new(),
            "a.b.c".to_owned(),
        ];
        for token in refused {
            bearer_of(&token).get("/api/auth/me").await.expect(401);
        }
    }

    async fn a_new_key_leaves_the_tokens_that_are_out(app: TestApp) {
        app.customer("ada@example.com").await;
        let other = app.with_settings(|_| {}).await;
        let (old, token) = sign_in(&app, "ada@example.com").await;
        let kid = |client: &Api| {
            let (_, bearer) = client.headers.iter().find(|(name, _)| name == "authorization").unwrap();
            jsonwebtoken::decode_header(bearer.trim_start_matches("Bearer ")).unwrap().kid
        };
        let over = async |app: &TestApp, client: &Api| {
            let (name, bearer) = client.headers.iter().find(|(name, _)| name == "authorization").unwrap();
            app.api().with(name, bearer).get("/api/auth/me").await.status.as_u16()
        };
        assert_eq!(over(&other, &old).await, 200);
        app.clock.advance_seconds(2);
        service::rotate_keys(&app).await.unwrap();
        // The instance that made it signs with it within a minute, this one by another.
        app.clock.advance_seconds(60);
        let (new, _) = sign_in(&app, "ada@example.com").await;
        assert_ne!(kid(&new), kid(&old));
        // Another instance looks when it meets the new key, and takes the old one still.
        assert_eq!((over(&other, &new).await, over(&other, &old).await), (200, 200));
        let (there, _) = sign_in(&other, "ada@example.com").await;
        assert_eq!(kid(&there), kid(&new));
        app.clock.advance_seconds(Tokens::ACCESS_SECONDS - 61);
        let late = refresh(&app, &token).await.expect(200);
        assert!(!late.body.is_empty());
        // Even what the old key would sign now is refused, once its last token has run out.
        app.clock.advance_seconds(180);
        assert_eq!(over(&app, &old).await, 401);
        let kept = text_of(&app, "select value from settings where name = 'access_token_key'").await;
        let keys: Vec<Value> = serde_json::from_str(&kept[0]).unwrap();
        let secret = keys[1]["key"].as_str().unwrap().to_owned();
        let forged = app.with_settings(|settings| settings.jwt_secret = Some(secret.as_str().into())).await;
        let (client, _) = sign_in(&forged, "ada@example.com").await;
        assert_eq!(kid(&client), kid(&old));
        assert_eq!((over(&forged, &client).await, over(&app, &client).await), (200, 401));
        // The next new key forgets it.
        service::rotate_keys(&app).await.unwrap();
        let kept = text_of(&app, "select value from settings where name = 'access_token_key'").await;
        assert!(!kept[0].contains(&secret));
        assert_eq!(audited(&app).await, ["key.rotated", "key.rotated"]);
        // A key of the settings is changed there.
        let refused = service::rotate_keys(&forged).await.unwrap_err();
        assert!(refused.to_string().contains("jwt_secret"), "{refused}");
    }

    async fn the_key_from_before_keys_could_change_is_good(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut tx = app.db.begin().await.unwrap();
        let plain = "0".repeat(64);
        let mut query = Query::new("update settings set value = ");
        query.bind(plain.as_str()).push(" where name = 'access_token_key'");
        query.execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let app = app.with_settings(|_| {}).await;
        let (client, _) = sign_in(&app, "ada@example.com").await;
        service::rotate_keys(&app).await.unwrap();
        client.get("/api/auth/me").await.expect(200);
        app.clock.advance_seconds(60);
        client.get("/api/auth/me").await.expect(200);
    }

    async fn unknown_keys_are_looked_for_seldom(app: TestApp) {
        app.customer("ada@example.com").await;
        let now = app.clock.now();
        let mut conn = app.db.conn().await.unwrap();
        let header = Header { kid: Some("unknown".to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &json!({}), &EncodingKey::from_secret(b"a key")).unwrap();
        app.tokens.check(&mut conn, &token, now).await.unwrap();
        let (_, asked) = zoco::db::count_statements(async {
            for _ in 0..100 {
                assert_eq!(app.tokens.check(&mut conn, &token, now).await.unwrap(), None);
            }
        })
        .await;
        assert_eq!(asked, 0);
        let (_, asked) = zoco::db::count_statements(app.tokens.check(&mut conn, &token, now.plus_seconds(1))).await;
        assert_eq!(asked, 1);
    }

    async fn personal_tokens_are_made_on_both_faces(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        let form = browser.get("/account/tokens").await.expect(200);
        assert_eq!(form.texts("input[value='settings:write']").len(), 0);
        assert_eq!(form.attributes("input[name='scopes']", "value").len(), 10);
        let fields = [("name", "Till"), ("scopes", "orders:read"), ("days", "30"), ("password", PASSWORD)];
        let made = browser.submit(&form, "#new-token", &fields).await.expect(200);
        assert_eq!(made.header("cache-control"), "no-store");
        let token = made.text("#made code");
        assert!(token.starts_with("zoco_pat_"), "{token}");
        let script = app.api().with("authorization", &format!("Bearer {token}"));
        script.get("/api/orders").await.expect(200);
        // Shown once, and kept as a hash.
        let list = browser.get("/account/tokens").await;
        assert!(!list.has("zoco_pat_"));
        let row = list.text("tbody tr");
        assert_eq!(row, "Tillorders:read24 November 2026, 12:00 UTC24 December 2026Revoke");
        let kept = text_of(&app, "select token_hash from personal_tokens").await;
        assert!(!kept[0].contains(&token[9..20]));

        let (client, _) = sign_in(&app, "ada@example.com").await;
        let reply = make_token(&client, &["cart:read", "cart:write", "cart:read"]).await.expect(201);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.json()["scopes"], json!(["cart:read", "cart:write"]));
        assert_eq!(reply.json()["expires_at"], "2026-12-24T12:00:00Z");
        let listed = client.get("/api/auth/tokens").await.expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        assert_eq!(listed["items"][0]["last_used_at"], Value::Null);
        assert!(listed["items"][0].get("token").is_none());

        // Revoked here and there, at once; nobody else's.
        app.customer("eve@example.com").await;
        let (eve, _) = sign_in(&app, "eve@example.com").await;
        let id = reply.json()["id"].to_string();
        let path = format!("/api/auth/tokens/{id}");
        problem(&eve.delete(&path).await, 404, "not_found");
        client.delete(&path).await.expect(204);
        client.delete(&path).await.expect(404);
        let page = browser.submit(&list, "form[action='/account/tokens/revoke']", &[]).await.expect(200);
        assert!(page.has("You have none."));
        script.get("/api/orders").await.expect(401);
        assert_eq!(browser.post("/account/tokens/revoke", &[("id", "x")]).await.status, 404);
        assert_eq!(audited(&app).await, ["personal_token.made", "personal_token.made", "personal_token.revoked", "personal_token.revoked"]);
        let log = text_of(&app, "select after from audit_log").await.join(" ");
        assert!(!log.contains("zoco_pat"), "{log}");
    }

    async fn a_wrong_personal_token_comes_back(app: TestApp) {
        app.customer("ada@example.com").await;
        let mut browser = firefox(&app, "ada@example.com").await;
        let form = browser.get("/account/tokens").await;
        let fields = [("name", " "), ("scopes", "cart:write"), ("days", "400"), ("password", "")];
        let again = browser.submit(&form, "#new-token", &fields).await.expect(422);
        assert_eq!(again.attributes("input[name='scopes'][checked]", "value"), ["cart:write"]);
        assert_eq!(again.text("#e-days"), "1 to 366 days.");
        assert_eq!(again.text("#e-password"), "Write your password.");
        let fields = [("name", "Till"), ("scopes", "cart:write"), ("password", "not my password")];
        let again = browser.submit(&form, "#new-token", &fields).await.expect(422);
        assert_eq!(again.text("#e-password"), "This is not your password.");
        assert_eq!(again.attributes("#f-name", "value"), ["Till"]);
        let (client, _) = sign_in(&app, "ada@example.com").await;
        problem(&make_token(&client, &["everything"]).await, 422, "invalid");
        problem(&make_token(&client, &[]).await, 422, "invalid");

        // Guesses are counted as attempts to sign in.
        let body = json!({"name": "Till", "scopes": ["cart:read"], "expires_in_days": 1, "password": "a guess"});
        for _ in 0..10 {
            client.post("/api/auth/tokens", body.clone()).await;
        }
        problem(&make_token(&client, &["cart:read"]).await, 429, "too_many_requests");
        app.clock.advance_seconds(900);
        let (client, _) = sign_in(&app, "ada@example.com").await;
        make_token(&client, &["cart:read"]).await.expect(201);
    }

    async fn there_is_an_end_to_personal_tokens(app: TestApp) {
        app.customer("ada@example.com").await;
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let mut tx = app.db.begin().await.unwrap();
        for index in 0..49 {
            let new = zoco::accounts::store::NewPersonalToken {
                user: UserId(1), name: "Till", hash: &index.to_string(), scopes: "cart:read",
                expires_at: app.clock.now().plus_seconds(3600),
            };
            zoco::accounts::store::insert_personal_token(&mut tx, &new, app.clock.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        make_token(&client, &["cart:read"]).await.expect(201);
        problem(&make_token(&client, &["cart:read"]).await, 409, "too_many_tokens");
        let mut browser = firefox(&app, "ada@example.com").await;
        let form = browser.get("/account/tokens").await;
        let fields = [("name", "Till"), ("scopes", "cart:read"), ("password", PASSWORD)];
        let again = browser.submit(&form, "#new-token", &fields).await.expect(409);
        assert!(again.text("#errors").contains("There are 50 tokens already."));
    }

    async fn a_personal_token_opens_what_it_names_and_no_more(app: TestApp) {
        app.customer("ada@example.com").await;
        app.staff("stella@example.com", &[Permission::Orders]).await;
        let every: Vec<&str> = <Scope as zoco::types::TextEnum>::ALL.iter().map(|scope| scope.as_str()).collect();
        // A scope gives no more than its owner has.
        let customer = personal(&app, "ada@example.com", &every).await;
        problem(&customer.get("/api/admin/orders").await, 403, "forbidden");
        customer.get("/api/orders").await.expect(200);
        let staff = personal(&app, "stella@example.com", &every).await;
        staff.get("/api/admin/orders").await.expect(200);
        problem(&staff.post("/api/products", json!({"name": "Mug", "price": "1.00"})).await, 403, "forbidden");
        assert_eq!(staff.get("/api/auth/me").await.expect(200).json()["role"], "staff");

        let reader = personal(&app, "stella@example.com", &["orders:read"]).await;
        reader.get("/api/admin/orders").await.expect(200);
        reader.get("/api/v1/admin/orders").await.expect(200);
        for (client, scopes) in [(&reader, &["orders:read"][..]), (&staff, &every)] {
            for route in routes() {
                let path = route.path_with("1");
                let tag = route.operation["tags"][0].as_str().unwrap();
                let own = route.path.strip_prefix("/api").unwrap();
                let needed = Scope::needed(tag, own, route.method.as_str());
                let open = needed.is_some_and(|scope| scopes.contains(&scope.as_str()));
                if open && route.method != Method::GET {
                    continue;
                }
                for path in [path.clone(), path.replace("/api/", "/api/v1/")] {
                    let reply = client.request(route.method.clone(), &path, "application/json", b"{}".to_vec()).await;
                    assert_eq!(reply.json()["code"] == "scope", !open, "{} {path}: {}", route.method, reply.body);
                }
            }
        }
        // What is no token, or no good any more, opens nothing.
        let given = staff.headers.iter().find(|(name, _)| name == header::AUTHORIZATION.as_str()).unwrap().1.clone();
        for wrong in [given[..given.len() - 1].to_owned(), format!("{given}0"), given.replace("pat_", "pat_0")] {
            app.api().with("authorization", &wrong).get("/api/auth/me").await.expect(401);
        }
        app.clock.advance_seconds(30 * 24 * 3600);
        staff.get("/api/auth/me").await.expect(401);
        let swept = (service::SWEEP.run)((*app).clone()).await.unwrap();
        assert!(swept >= 3);
        assert_eq!(text_of(&app, "select name from personal_tokens").await, [""; 0]);
    }

    async fn the_use_of_a_personal_token_is_written_now_and_then(app: TestApp) {
        app.customer("ada@example.com").await;
        let script = personal(&app, "ada@example.com", &["account:read"]).await;
        let (client, _) = sign_in(&app, "ada@example.com").await;
        let used = async |client: &Api| client.get("/api/auth/tokens").await.json()["items"][0]["last_used_at"].clone();
        script.get("/api/auth/me").await.expect(200);
        app.clock.advance_seconds(299);
        script.get("/api/auth/me").await.expect(200);
        assert_eq!(used(&client).await, "2026-11-24T12:00:00Z");
        app.clock.advance_seconds(1);
        script.get("/api/auth/me").await.expect(200);
        assert_eq!(used(&client).await, "2026-11-24T12:05:00Z");
    }

    async fn services_refuse_guests(app: TestApp) {
        let guest = app.guest();
        assert_eq!(guest.proof, Proof::None);
        assert!(matches!(service::sign_ins(&app, &guest).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::end_sign_in(&app, &guest, "a").await, Err(Error::Unauthenticated)));
        assert!(matches!(service::end_other_sign_ins(&app, &guest).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::personal_tokens(&app, &guest).await, Err(Error::Unauthenticated)));
        assert!(matches!(service::revoke_personal_token(&app, &guest, 1).await, Err(Error::Unauthenticated)));
        let made = service::make_personal_token(&app, &guest, NewToken::default()).await;
        assert!(matches!(made, Err(Error::Unauthenticated)));
    }
}

/// Base 64 for URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0));
        }
        for at in 0..=chunk.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

plain! {
    fn every_route_has_a_scope_or_is_for_people_only() {
        let mut for_people = Vec::new();
        for route in routes() {
            let tag = route.operation["tags"][0].as_str().unwrap();
            let path = route.path.strip_prefix("/api").unwrap();
            let scope = Scope::needed(tag, path, route.method.as_str());
            let security = route.operation["security"].as_array().unwrap();
            let named: Vec<&str> = security.iter().filter_map(|one| one["bearer"].as_array()).flatten().filter_map(Value::as_str).collect();
            match scope {
                // The document names it, where a token is taken at all.
                Some(scope) if security.iter().any(|one| one.get("bearer").is_some()) => assert_eq!(named, [scope.as_str()], "{path}"),
                Some(_) => assert!(named.is_empty(), "{path}"),
                None => {
                    assert!(named.is_empty(), "{path}");
                    for_people.push(path.to_owned());
                }
            }
        }
        // A new part of the API is named in `Scope::needed`; what belongs to signing in stays here.
        for path in for_people {
            assert!(path.starts_with("/auth/"), "{path} has no scope");
        }
    }
}
