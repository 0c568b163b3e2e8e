//! What protects the shop: headers, cookies, cross-site requests, throttles, limits.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{Method, header};
use axum::middleware::from_fn;
use axum::routing::get;
use secrecy::SecretString;
use serde_json::{Value, json};
use zoco::config::Switch;
use zoco::web::layers;

use crate::access::{self, Line};
use crate::api::{document, problem, routes};
use crate::support::clients::{Api, PASSWORD};
use crate::support::{Reply, TestApp, both};

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
        for next in [
            "//evil.example",
            "///evil.example",
            "https://evil.example/",
            "http:evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%09/evil.example",
            "/%0d%0aset-cookie:+a=b",
            "javascript:alert(1)",
            "evil.example",
        ] {
            let next = next.replace('/', "%2F").replace(':', "%3A").replace('\\', "%5C");
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
        }
    }

    async fn figures_are_for_this_machine_or_the_token(app: TestApp) {
        let client = |app: &TestApp, peer| app.api().at(peer);
        let (here, far) = ([127, 0, 0, 1], [192, 0, 2, 1]);
        let figures = client(&app, here).get("/metrics").await.expect(200);
        assert!(figures.has("zoco_jobs_waiting"), "{}", figures.body);
        problem(&client(&app, far).get("/metrics").await, 404, "not_found");
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

    async fn hostile_requests_never_find_a_fault(app: TestApp) {
        let app = app.with_settings(|config| config.rate_limits = Switch::Off).await;
        app.leave_jobs();
        app.product("Cup", "9.99", 50).await;
        app.customer("ann@example.com").await;
        app.admin().await;
        let clients = [
            app.api(),
            app.api().signed_in("ann@example.com").await,
            app.api().signed_in("admin@example.com").await,
        ];
        for route in routes() {
            for client in &clients {
                for value in HOSTILE_PARTS {
                    let path = route.path_with(value);
                    if path == route.path && *value != HOSTILE_PARTS[0] {
                        continue;
                    }
                    check(client, &route.method, &path, route.content_type(), b"{}").await;
                }
                let path = route.path_with("1");
                for query in HOSTILE_QUERIES {
                    check(client, &route.method, &format!("{path}?{query}"), route.content_type(), b"{}").await;
                }
                for body in hostile_bodies() {
                    check(client, &route.method, &path, Some("application/json"), &body).await;
                }
            }
        }
    }

    async fn hostile_fields_never_find_a_fault(app: TestApp) {
        let app = app.with_settings(|config| config.rate_limits = Switch::Off).await;
        app.leave_jobs();
        app.product("Cup", "9.99", 50).await;
        app.admin().await;
        let admin = app.api().signed_in("admin@example.com").await;
        let document = document();
        for route in routes() {
            let content = &route.operation["requestBody"]["content"];
            let mut schema = &content["application/json"]["schema"];
            if let Some(target) = schema["$ref"].as_str() {
                schema = document.pointer(&target[1..]).unwrap();
            }
            for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                for value in hostile_values() {
                    let body = format!("{{{}: {value}}}", Value::from(name.as_str()));
                    check(&admin, &route.method, &route.path_with("1"), Some("application/json"), body.as_bytes()).await;
                }
            }
        }
    }

    async fn hostile_visits_never_find_a_fault(app: TestApp) {
        let app = app.with_settings(|config| config.rate_limits = Switch::Off).await;
        app.leave_jobs();
        app.product("Cup", "9.99", 50).await;
        app.admin().await;
        let guest = app.api().with("sec-fetch-site", "same-origin");
        let mut browser = app.browser();
        let credentials = [("email", "admin@example.com"), ("password", PASSWORD)];
        browser.post_only("/sign-in", &credentials).await.expect(303);
        let cookie = format!("zoco_session={}", browser.cookies["zoco_session"]);
        let admin = guest.with("cookie", &cookie);
        for (client, works_here) in [(guest, false), (admin, true)] {
            for path in pages() {
                if path.starts_with("/admin/") && !works_here {
                    continue;
                }
                for value in HOSTILE_PARTS.iter().filter(|_| path.contains('{')) {
                    check_page(&client, Method::GET, &filled(&path, value), "").await;
                }
                let path = filled(&path, "1");
                for query in HOSTILE_QUERIES {
                    check_page(&client, Method::GET, &format!("{path}?{query}"), "").await;
                }
                for body in HOSTILE_QUERIES.iter().chain(HOSTILE_FORMS) {
                    check_page(&client, Method::POST, &path, body).await;
                }
            }
        }
    }
}

const HOSTILE_PARTS: &[&str] = &[
    "1",
    "0",
    "-1",
    "9223372036854775808",
    "99999999999999999999999999",
    "1.5",
    "%00",
    "cup%00",
    "%FF%FE",
    "%2e%2e%2f%2e%2e",
    "'%22%3B--%20",
    "%F0%9F%98%80",
    "%25%5F",
    "%20",
];

const HOSTILE_QUERIES: &[&str] = &[
    "",
    "=",
    "&&&",
    "nonsense=1",
    "page=9223372036854775808",
    "page=4294967295&per_page=100",
    "page=-1",
    "page=%00",
    "page=1&page=2",
    "per_page=0",
    "search=%00",
    "search=%FF",
    "search=%25_%5C'%22",
    "q=%00&search=a&sort=%FF",
    "min_price=1e999&max_price=-5",
    "min_price=99999999999999999999999999",
    "min_price=0.0000000000001",
    "min_rating=99999999999",
    "in_stock=perhaps",
    "category=%00",
    "status=%00",
    "attr.=1",
    "attr.%00=%FF",
    "a[]=1&a[b]=2",
    "%FF=%FF",
    "limit=99999999999999999999",
    "stars=99999999999999999999&sort=%00&reviews=0&variant=%00",
];

/// Fields that the shop's forms have, with what no form sends.
const HOSTILE_FORMS: &[&str] = &[
    "email=%00&password=%00&name=%00&next=%00",
    "email=a%40b.example&password=%FF",
    "variant_id=99999999999999999999&quantity=1",
    "variant_id=1&quantity=-99999999999999999999",
    "variant_id=1&variant_id=2",
    "product_id=x&quantity=",
    "quantity=9223372036854775807",
    "name=Cup&price=1e400&stock=9223372036854775807",
    "variants.0.price=1&variants.999999999.price=2&variants.-1.price=3",
    "variants[0][price]=1",
    "name=%F0%9F%98%80&slug=%2F..%2F&status=nonsense&category_id=99999999999999999999",
    "parent_id=1&slug=%00&name=+",
    "status=nonsense&note=%00",
    "rating=999&title=%00&body=%FF",
    "hidden=perhaps&reply=%00&version=x&back=%2F%2Fevil.example",
    "country=XX&postal_code=%00&line1=%00&city=%FF&name=%00&email=%00&payment=nonsense&shipping_method=%00",
];

fn hostile_bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "null",
        "true",
        "[]",
        "[{}]",
        "{}",
        "\"x\"",
        "1e400",
        "NaN",
        "{\"a\":",
        "{} trailing",
        "{\"nonsense\": 1}",
        "{\"quantity\": 1, \"quantity\": 2}",
        "{\"\": \"\"}",
        "{\"\\u0000\": \"\\u0000\"}",
        "{\"name\": \"\\ud800\"}",
        "\u{feff}{}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(b"{\"name\": \"\xff\xfe\"}".to_vec());
    bodies.push("[".repeat(100_000).into_bytes());
    bodies.push("{\"name\":".repeat(20_000).into_bytes());
    bodies
}

fn hostile_values() -> Vec<String> {
    let long = format!("\"{}\"", "x".repeat(20_000));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    [
        "null",
        "true",
        "-1",
        "0",
        "1.5",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "-99999999999999999999999999",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"1e999\"",
        "\"-0.001\"",
        "\"99999999999999999999.99\"",
        "\"\u{202e}\u{1f600}\"",
        "[]",
        "[null]",
        "[[]]",
        "[\"\\u0000\"]",
        "[{}]",
        "{}",
        "{\"x\": 1}",
        "{\"amount\": \"1\", \"currency\": \"XXX\"}",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([long, deep])
    .collect()
}

/// Sends a request to the API; fails when it finds a fault of ours or an error that is no problem.
async fn check(client: &Api, method: &Method, path: &str, content_type: Option<&str>, body: &[u8]) {
    let content_type = content_type.unwrap_or_default();
    let body = if content_type.is_empty() {
        Vec::new()
    } else {
        body.to_vec()
    };
    let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    let reply = client
        .request(method.clone(), path, content_type, body)
        .await;
    let status = reply.status.as_u16();
    assert!(
        status < 500,
        "{method} {path} {shown} answered {status}: {}",
        reply.body
    );
    if status >= 400 {
        let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
        problem(&reply, status, &code);
    } else if path.contains("/exports/") || path.contains("/audit/export") {
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    } else if !reply.body.is_empty() {
        assert_eq!(
            reply.header("content-type"),
            "application/json",
            "{method} {path} {shown}"
        );
        assert!(
            !reply.json().is_null(),
            "{method} {path} {shown}: {}",
            reply.body
        );
    }
}

/// What is no page but a file for programs, and of which type.
const FILES: &[(&str, &str)] = &[
    ("/account/privacy/my-data.json", "application/json"),
    ("/admin/exports/", "text/csv; charset=utf-8"),
    ("/admin/audit/export", "text/csv; charset=utf-8"),
    ("/feeds/", "application/xml; charset=utf-8"),
    ("/sitemap", "application/xml; charset=utf-8"),
];

/// The path of every page, and one that is none.
fn pages() -> BTreeSet<String> {
    let lines = access::policy().into_iter().filter(Line::is_page);
    let paths = lines.map(|line| line.path);
    let files = ["/health/", "/metrics", "/static/", "/robots.txt"];
    let mut pages: BTreeSet<String> = paths
        .filter(|path| !files.iter().any(|file| path.starts_with(file)))
        .collect();
    pages.insert("/{name}".to_owned());
    pages
}

/// A path with every placeholder replaced.
fn filled(path: &str, value: &str) -> String {
    let parts = path.split('/');
    let parts = parts.map(|part| if part.starts_with('{') { value } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Sends a visit; fails when it finds a fault of ours or an error that is no page.
async fn check_page(client: &Api, method: Method, path: &str, body: &str) {
    let content_type = if method == Method::GET { "" } else { FORM };
    let reply = client
        .request(method.clone(), path, content_type, body.as_bytes().to_vec())
        .await;
    let status = reply.status.as_u16();
    assert!(
        status < 500,
        "{method} {path} {body} answered {status}: {}",
        reply.body
    );
    if !(300..400).contains(&status) {
        let kind = reply
            .headers
            .get(header::CONTENT_TYPE)
            .map(|value| value.to_str().unwrap());
        let file = FILES
            .iter()
            .find(|(beginning, _)| path.starts_with(beginning));
        let file = file.filter(|_| status == 200);
        let wanted = Some(file.map_or("text/html; charset=utf-8", |(_, kind)| *kind));
        assert_eq!(kind, wanted, "{method} {path} {body} answered {status}");
    }
}
