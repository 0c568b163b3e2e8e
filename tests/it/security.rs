//! What protects the shop: headers, cookies, cross-site requests, throttles, limits.

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::get;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::json;
use url::Url;
use zoco::web::html::local_path;
use zoco::web::layers;

use crate::api::problem;
use crate::support::clients::{Api, PASSWORD, encode, multipart};
use crate::support::{Reply, TestApp, both, plain};

const FORM: &str = "application/x-www-form-urlencoded";

/// Headers that a cross-site request carries, in browsers of every age.
const CROSS_SITE: &[(&str, &str)] = &[
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", "nonsense"),
    ("origin", "https://evil.example"),
    ("origin", "http://127.0.0.1:8001"),
    ("origin", "null"),
];

/// Headers of the shop's own pages, and of programs.
const OWN: &[(&str, &str)] = &[
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-site", "none"),
    ("origin", "http://127.0.0.1:8000"),
    ("accept", "*/*"),
];

async fn post_form(client: &Api, path: &str, body: &str) -> Reply {
    client
        .request(Method::POST, path, FORM, body.as_bytes().to_vec())
        .await
}

both! {
    async fn other_sites_change_nothing(app: TestApp) {
        let cup = app.product("Cup", "9.99", 50).await;
        let variant = cup.variants[0].id;
        app.customer("ann@example.com").await;
        let ann = app.api().signed_in("ann@example.com").await;
        let item = json!({"product_id": cup.id.0});
        for (name, value) in CROSS_SITE {
            let client = app.api().with(name, value);
            let reply = post_form(&client, "/cart/items", &format!("variant_id={variant}")).await;
            assert_eq!(reply.status, 403, "{name}: {value}");
            assert!(reply.header("content-type").starts_with("text/html"), "a page for a browser");
            assert_eq!(reply.header("set-cookie"), "", "{name}: {value}");
            for path in ["/api/cart/items", "/api/v1/cart/items", "/api/nothing"] {
                let reply = ann.with(name, value).post(path, item.clone()).await;
                problem(&reply, 403, "forbidden");
            }
            let path = format!("/api/cart/items/{variant}");
            problem(&ann.with(name, value).delete(&path).await, 403, "forbidden");
            // Links from elsewhere lead here.
            client.get("/cart").await.expect(200);
        }
        let cart = ann.get("/api/cart").await.expect(200);
        assert_eq!(cart.json()["items"], json!([]));
        for (count, (name, value)) in OWN.iter().enumerate() {
            let client = app.api().with(name, value);
            let reply = post_form(&client, "/cart/items", &format!("variant_id={variant}")).await;
            assert_eq!(reply.status, 303, "{name}: {value}: {}", reply.body);
            let cart = ann.with(name, value).post("/api/cart/items", item.clone()).await.expect(200);
            assert_eq!(cart.json()["items"][0]["quantity"], count + 1);
        }
    }

    async fn every_answer_carries_the_headers(app: TestApp) {
        app.product("Cup", "9.99", 50).await;
        let api = app.api();
        for (path, status) in [
            ("/", 200),
            ("/nothing", 404),
            ("/sign-in", 200),
            ("/account", 303),
            ("/products/cup", 200),
            ("/api/products", 200),
            ("/api/nothing", 404),
            ("/api/orders", 401),
            ("/api/openapi.json", 200),
            ("/api/docs/index.html", 200),
            ("/static/css/zoco.css", 200),
            ("/static/nothing.css", 404),
            ("/media/nothing.webp", 404),
            ("/health/live", 200),
            ("/health/ready", 200),
            ("/metrics", 200),
        ] {
            let reply = api.get(path).await.expect(status);
            let policy = reply.header("content-security-policy");
            for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "object-src 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(reply.header("referrer-policy"), "strict-origin-when-cross-origin", "{path}");
            assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(reply.header("x-request-id").len(), 16, "{path}");
            assert_eq!(reply.header("strict-transport-security"), "", "{path} on plain HTTP");
            assert_eq!(reply.header("server"), "", "{path}");
            let kept = reply.header("cache-control");
            let expected = if path == "/static/css/zoco.css" {
                "public, max-age=31536000, immutable"
            } else {
                "private, no-cache"
            };
            assert_eq!(kept, expected, "{path}");
            if status == 404 {
                let body = reply.body.to_lowercase();
                assert!(!body.contains("panic") && !body.is_empty(), "{path}: {body}");
            }
        }
        let secure = app.with_settings(|config| config.base_url = "https://shop.example".to_owned()).await;
        for path in ["/", "/api/products", "/static/css/zoco.css", "/nothing"] {
            let reply = secure.api().get(path).await;
            assert_eq!(reply.header("strict-transport-security"), "max-age=31536000", "{path}");
        }
    }

    async fn pictures_are_kept_for_ever_and_nothing_else_of_the_folder_is_served(app: TestApp) {
        app.storage.put("ab/picture.webp", b"RIFF").await.unwrap();
        let reply = app.api().get("/media/ab/picture.webp").await.expect(200);
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(reply.header("content-type"), "image/webp");
        std::fs::write(app.config.data_dir.join("secret"), "secret").unwrap();
        for path in ["/media/../secret", "/media/%2e%2e/secret", "/media/ab/..%2f..%2fsecret", "/media//etc/passwd", "/media/ab", "/static/../Cargo.toml", "/static/%2e%2e/Cargo.toml"] {
            let reply = app.api().get(path).await;
            assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
            assert!(!reply.has("secret\n") && !reply.has("[package]"), "{path}");
        }
        for key in ["../secret", "/etc/passwd", "a//b", ".hidden", "a/../b", ""] {
            assert!(app.storage.put(key, b"x").await.is_err(), "{key}");
        }
    }

    async fn cookies_come_late_and_are_locked_up(app: TestApp) {
        app.customer("ann@example.com").await;
        app.product("Cup", "9.99", 50).await;
        let api = app.api().with("sec-fetch-site", "same-origin");
        for path in ["/", "/products", "/products/cup", "/cart", "/sign-in", "/account", "/nothing", "/checkout"] {
            let reply = api.get(path).await;
            assert_eq!(reply.header("set-cookie"), "", "a mere visit to {path}");
        }
        let credentials = format!("email=ann%40example.com&password={}", PASSWORD.replace(' ', "+"));
        let reply = post_form(&api, "/sign-in", &credentials).await.expect(303);
        let cookie = reply.header("set-cookie");
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
        let secure = app.with_settings(|config| config.base_url = "https://shop.example".to_owned()).await;
        let api = secure.api().with("sec-fetch-site", "same-origin");
        let cookie = post_form(&api, "/sign-in", &credentials).await.expect(303).header("set-cookie");
        assert!(cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    }

    async fn a_planted_session_is_worth_nothing(app: TestApp) {
        app.customer("ann@example.com").await;
        let mut browser = app.browser();
        browser.cookies.insert("zoco_session".to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
        browser.sign_in("ann@example.com").await;
        let given = browser.cookies["zoco_session"].clone();
        assert_ne!(given, "AAAAAAAAAAAAAAAAAAAAAA");
        let mut thief = app.browser();
        thief.cookies.insert("zoco_session".to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
        assert!(!thief.get("/account").await.has("ann@example.com"));
        // Signing out ends the session on the server, not only in the browser.
        let mut copy = app.browser();
        copy.cookies.clone_from(&browser.cookies);
        assert!(copy.get("/account").await.has("ann@example.com"));
        browser.post("/sign-out", &[]).await.expect(200);
        assert!(!copy.get("/account").await.has("ann@example.com"));
        copy.cookies.insert("zoco_session".to_owned(), "not base64 \u{1}".replace('\u{1}', "!"));
        copy.get("/").await.expect(200);
    }

    async fn cookies_open_pages_only_and_tokens_the_api_only(app: TestApp) {
        app.customer("ann@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ann@example.com").await;
        let cookie = format!("zoco_session={}", browser.cookies["zoco_session"]);
        let reply = app.api().with("cookie", &cookie).get("/api/auth/me").await;
        problem(&reply, 401, "unauthenticated");
        let token = app.api().signed_in("ann@example.com").await;
        token.get("/api/auth/me").await.expect(200);
        assert_eq!(token.get("/account").await.status, 303);
    }

    async fn bodies_are_bounded(app: TestApp) {
        let large = "x".repeat(layers::MAX_BODY);
        let api = app.api().with("sec-fetch-site", "same-origin");
        let reply = post_form(&api, "/sign-in", &format!("email={large}")).await.expect(413);
        assert!(reply.header("content-type").starts_with("text/html"));
        for client in [api.clone(), api.with("idempotency-key", "large")] {
            let reply = client.post("/api/auth/register", json!({"email": large.as_str()})).await;
            problem(&reply, 413, "too_large");
        }
        let upload = "x".repeat(layers::MAX_UPLOAD + 2 * 1024 * 1024);
        let reply = api.with("idempotency-key", "upload").post("/api/cart/items", json!({"x": upload})).await;
        problem(&reply, 413, "too_large");
    }

    async fn no_way_leads_out_of_the_shop(app: TestApp) {
        app.customer("ann@example.com").await;
        let api = app.api().with("sec-fetch-site", "same-origin");
        let credentials = format!("email=ann%40example.com&password={}", PASSWORD.replace(' ', "+"));
        let long = format!("//evil.example/{}", "a".repeat(10_000));
        for next in [
            "//evil.example",
            "///evil.example",
            "https://evil.example/",
            "http:evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\r\nset-cookie: evil=b",
            "javascript:alert(1)",
            "evil.example",
            "//user:password@evil.example",
            "https:evil.example",
            "/\t/evil.example",
            "\u{2044}\u{2044}evil.example",
            "\u{ff0f}\u{ff0f}evil.example",
            &long,
        ] {
            let next = encode(next);
            let page = api.get(&format!("/sign-in?next={next}")).await.expect(200);
            assert!(!page.attributes("a", "href").iter().any(|href| href.contains("evil.example") && !href.starts_with('/')), "{next}");
            let body = format!("{credentials}&next={next}");
            let reply = post_form(&api, "/sign-in", &body).await.expect(303);
            let location = reply.header("location");
            assert!(location.starts_with('/') && !location.starts_with("//") && !location.contains("evil"), "{next} led to {location}");
        }
        for path in ["//evil.example/", "//evil.example/%2e%2e", "/%5Cevil.example/", "/.//evil.example"] {
            let reply = api.get(path).await;
            let location = reply.header("location");
            assert!(!location.contains("evil"), "{path} led to {location}");
        }
    }

    async fn the_host_header_is_not_believed(app: TestApp) {
        app.product("Cup", "9.99", 50).await;
        for (name, value) in [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")] {
            let client = app.api().with(name, value);
            for path in ["/", "/products/cup", "/account", "/api/products", "/api/openapi.json", "/nothing"] {
                let reply = client.get(path).await;
                assert!(!reply.has("evil.example"), "{path} repeats {name}");
                assert!(!reply.header("location").contains("evil.example"), "{path} repeats {name}");
            }
            let order = json!({"variant_id": 1, "quantity": 1});
            let cart = client.post("/api/cart/items", order).await.expect(200);
            let guest = client.with("cart-token", cart.json()["token"].as_str().unwrap());
            let order = json!({"shipping_address": "1 Main St", "email": "ann@example.com"});
            let placed = guest.post("/api/orders", order).await.expect(201);
            assert!(!placed.has("evil.example") && !placed.header("location").contains("evil"), "{}", placed.body);
        }
        app.run_jobs().await;
        let letters = app.letters();
        assert_eq!(letters.len(), 3);
        for letter in letters {
            let letter = format!("{letter:?}");
            assert!(letter.contains(&app.config.base_url) && !letter.contains("evil.example"), "{letter}");
        }
    }

    async fn a_host_that_is_not_clear_is_refused(app: TestApp) {
        let api = app.api();
        for host in ["", "evil example", "me@127.0.0.1", "http://127.0.0.1", "a/b"] {
            problem(&api.with("host", host).get("/api/products").await, 400, "bad_host");
            let page = api.with("host", host).get("/").await.expect(400);
            assert!(page.header("content-type").starts_with("text/html"), "{host}");
        }
        let two = api.with("host", "127.0.0.1:8000").with("host", "evil.example");
        problem(&two.get("/api/products").await, 400, "bad_host");
    }

    async fn forms_work_behind_a_proxy_that_asks_for_another_host(app: TestApp) {
        app.product("Cup", "9.99", 50).await;
        let app = app.with_settings(|config| config.base_url = "https://shop.example".to_owned()).await;
        let behind = app.api().with("host", "10.0.0.7:8000");
        for (origin, status) in [
            ("https://shop.example", 303),
            ("http://10.0.0.7:8000", 303),
            ("http://shop.example", 403),
            ("https://shop.example.evil.example", 403),
            ("https://shop.example:8443", 403),
        ] {
            let client = behind.with("origin", origin);
            let reply = post_form(&client, "/cart/items", "variant_id=1").await;
            assert_eq!(reply.status, status, "{origin}");
        }
    }

    async fn packed_bodies_are_not_unpacked(app: TestApp) {
        let api = app.api().with("sec-fetch-site", "same-origin");
        for encoding in ["gzip", "br", "deflate", "identity, gzip", "x"] {
            let client = api.with("content-encoding", encoding);
            problem(&client.post("/api/auth/login", json!({})).await, 415, "unsupported_media_type");
            post_form(&client, "/sign-in", "email=a").await.expect(415);
        }
        let client = api.with("content-encoding", "identity");
        client.post("/api/auth/login", json!({})).await.expect(422);
    }

    async fn forms_with_files_are_bounded(app: TestApp) {
        app.product("Cup", "9.99", 50).await;
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let places = ["/api/products/1/images", "/api/admin/imports"];
        let pages = ["/admin/products/1/images", "/admin/imports"];
        let image = ("image", "a.png", &b"no picture"[..]);
        let name = "x".repeat(5000);
        let alt = "x".repeat(65 * 1024);
        let many: Vec<(&str, &str)> = vec![("alt", "x"); 64];
        let broken = ("multipart/form-data; boundary=b".to_owned(), b"--b\r\nnonsense".to_vec());
        let bare = ("multipart/form-data".to_owned(), Vec::new());
        let strange = ("multipart/form-data; boundary=b".to_owned(), b"--b\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\n\xff\r\n--b--\r\n".to_vec());
        let tries = [
            ("many parts", multipart(&many, image), [400, 422], [400, 422]),
            ("a long name", multipart(&[(&name, "x")], image), [400, 400], [400, 400]),
            ("a long text", multipart(&[("alt", &alt)], image), [413, 422], [422, 422]),
            ("what is no form", broken, [400, 400], [400, 400]),
            ("no boundary", bare, [415, 415], [400, 400]),
            ("no UTF-8", strange, [400, 422], [400, 422]),
        ];
        for (what, (kind, body), of_api, of_pages) in tries {
            for (path, status) in places.iter().zip(of_api) {
                let reply = api.request(Method::POST, path, &kind, body.clone()).await;
                assert_eq!(reply.status, status, "{what} at {path}: {}", reply.body);
                assert_eq!(reply.header("content-type"), "application/problem+json");
            }
            for (path, status) in pages.iter().zip(of_pages) {
                let reply = browser.request(Method::POST, path, &kind, body.clone()).await;
                assert_eq!(reply.status, status, "{what} at {path}");
                assert!(reply.header("content-type").starts_with("text/html"), "{what} at {path}");
            }
        }
    }

    async fn figures_are_for_this_machine_or_the_token(app: TestApp) {
        let client = |app: &TestApp, peer| app.api().at(peer);
        let (here, far) = ([127, 0, 0, 1], [192, 0, 2, 1]);
        let figures = client(&app, here).get("/metrics").await.expect(200);
        assert!(figures.has("zoco_jobs_waiting"), "{}", figures.body);
        problem(&client(&app, far).get("/metrics").await, 404, "not_found");
        for (host, status) in [("localhost:8000", 200), ("[::1]:8000", 200), ("evil.example", 404), ("127.0.0.1.evil.example", 404)] {
            client(&app, here).with("host", host).get("/metrics").await.expect(status);
        }
        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
            let passed_on = client(&app, here).with(name, "127.0.0.1");
            problem(&passed_on.get("/metrics").await, 404, "not_found");
        }
        let bearer = |app: &TestApp, token: &str| {
            client(app, far).with("authorization", &format!("Bearer {token}"))
        };
        problem(&bearer(&app, "").get("/metrics").await, 404, "not_found");
        let with_token = app.with_settings(|config| config.metrics_token = Some(SecretString::from("figures"))).await;
        bearer(&with_token, "figures").get("/metrics").await.expect(200);
        for wrong in ["", "figure", "figuresx", "Figures"] {
            problem(&bearer(&with_token, wrong).get("/metrics").await, 404, "not_found");
        }
    }

    async fn senders_cannot_choose_their_address(app: TestApp) {
        let cup = app.product("Cup", "9.99", 50).await;
        let body = json!({"product_id": cup.id.0});
        // A guest's key belongs to the address, so a replay tells which address was seen.
        let replayed = async |app: &TestApp, key: &str, one: &str, two: &str| {
            let api = app.api().with("idempotency-key", key);
            api.with("x-forwarded-for", one).post("/api/cart/items", body.clone()).await.expect(200);
            let reply = api.with("x-forwarded-for", two).post("/api/cart/items", body.clone()).await;
            reply.expect(200).header("idempotent-replayed") == "true"
        };
        assert!(replayed(&app, "direct", "192.0.2.1", "192.0.2.2").await);
        let behind = app.with_settings(|config| config.trusted_proxies = 1).await;
        assert!(!replayed(&behind, "proxy", "192.0.2.1", "192.0.2.2").await);
        assert!(replayed(&behind, "spoof", "203.0.113.1, 192.0.2.1", "203.0.113.2, 192.0.2.1").await);
        let behind = app.with_settings(|config| config.trusted_proxies = 2).await;
        assert!(replayed(&behind, "two", "198.51.100.7, 192.0.2.1", "198.51.100.7, 192.0.2.2").await);
        assert!(replayed(&behind, "short", "192.0.2.1", "192.0.2.2").await);
    }

    async fn a_panic_costs_one_answer(app: TestApp) {
        async fn fall() -> &'static str {
            panic!("the secret of the handler")
        }
        let faulty = Router::new().route("/api/fall", get(fall)).route("/fall", get(fall));
        let drawn = layers::guard(faulty.clone()).layer(from_fn(layers::draw_problems));
        for (router, content_type) in [(drawn, "application/problem+json"), (faulty, "text/plain; charset=utf-8")] {
            let router = layers::around(router, &app).with_state((*app).clone());
            let api = Api::over(router);
            let reply = api.get("/api/fall").await.expect(500);
            assert_eq!(reply.header("content-type"), content_type);
            assert!(reply.has(&reply.header("x-request-id")), "{}", reply.body);
            assert!(!reply.has("secret"), "{}", reply.body);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

    fn no_path_leads_elsewhere(text in hostile_path()) {
        stays_here(&text);
    }
}

/// Pieces that make an address of another site in one way or another.
fn hostile_path() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "/",
        "//",
        "\\",
        "/\\",
        ".",
        "..",
        "/.",
        "@",
        ":",
        "?",
        "#",
        "%2f",
        "%2F%2f",
        "%5c",
        "%09",
        "%0d%0a",
        "\t",
        "\n",
        "\r",
        "\0",
        " ",
        "\u{a0}",
        "\u{2044}",
        "\u{2215}",
        "\u{29f8}",
        "\u{ff0f}",
        "\u{ff3c}",
        "\u{202e}",
        "\u{feff}",
        "http:",
        "https://",
        "javascript:",
        "data:",
        "evil.example",
        "user:password",
        "[::1]",
        "a",
    ];
    let known = prop::sample::select(PIECES).prop_map(str::to_owned);
    let piece = prop_oneof![6 => known, 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Fails when a browser that is led on to a text would leave the shop.
fn stays_here(text: &str) {
    let Some(path) = local_path(text) else {
        return;
    };
    let here = Url::parse("https://shop.example/sign-in?next=x").unwrap();
    let there = here.join(path).unwrap();
    assert_eq!(there.origin(), here.origin(), "{text:?} leads to {there}");
    assert!(
        there.username().is_empty() && there.password().is_none(),
        "{text:?}"
    );
}

plain! {
    fn whatever_next_is_it_stays_in_the_shop() {
        no_path_leads_elsewhere();
        for path in ["/", "/cart?a=1#b", "/products/a%2Fb", "/%2f%2fevil.example", "/.//evil.example", "/a//b"] {
            assert_eq!(local_path(path), Some(path));
            stays_here(path);
        }
        let longest = format!("/{}", "a".repeat(1999));
        assert_eq!(local_path(&longest), Some(longest.as_str()));
        assert_eq!(local_path(&format!("{longest}a")), None);
    }
}
