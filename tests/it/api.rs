//! What holds for the whole API: problems, limits, idempotency, lists, the document.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use crate::layers::root;
use crate::support::{Api, Reply, TestApp, both, plain};

/// A route of the OpenAPI document.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path with its placeholders: `/api/orders/{number}`.
    pub path: String,
    /// What the document says of it.
    pub operation: Value,
}

impl Route {
    /// The path with every placeholder replaced.
    pub fn path_with(&self, value: &str) -> String {
        let parts = self
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { value } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The content type that it takes; none without a body.
    pub fn content_type(&self) -> Option<&str> {
        let content = self.operation["requestBody"]["content"].as_object()?;
        content.keys().next().map(String::as_str)
    }
}

/// The document as JSON.
pub fn document() -> Value {
    serde_json::from_str(&zoco::routes::openapi().to_json().unwrap()).unwrap()
}

/// All routes of the document.
pub fn routes() -> Vec<Route> {
    let document = document();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            if let Ok(
                method
                @ (Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE),
            ) = Method::from_bytes(method.as_bytes())
            {
                routes.push(Route {
                    method,
                    path: path.clone(),
                    operation: operation.clone(),
                });
            }
        }
    }
    assert!(routes.len() > 20, "only {} routes", routes.len());
    routes
}

/// Fails unless the answer is a problem as RFC 9457 writes it; gives it.
#[track_caller]
pub fn problem(reply: &Reply, status: u16, code: &str) -> Value {
    assert_eq!(
        reply.status.as_u16(),
        status,
        "{}: {}",
        reply.path,
        reply.body
    );
    assert_eq!(
        reply.header("content-type"),
        "application/problem+json",
        "{}",
        reply.path
    );
    let problem = reply.json();
    assert_eq!(problem["code"], code, "{}: {problem}", reply.path);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    for name in ["title", "detail"] {
        assert!(!problem[name].as_str().unwrap().is_empty(), "{problem}");
    }
    assert_eq!(problem["request_id"], reply.header("x-request-id"));
    assert_eq!(
        problem["errors"].is_array(),
        status == 422 && problem.get("errors").is_some()
    );
    problem
}

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner.as_str() {
                    Some(target) if name == "$ref" => {
                        found.insert(target.to_owned());
                    }
                    _ => references(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

plain! {
    fn the_document_is_the_committed_one() {
        let path = root().join("tests/it/golden/openapi.json");
        let made = zoco::routes::openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("ZOCO_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = committed.lines().zip(made.lines()).position(|(old, new)| old != new);
        assert!(
            committed == made,
            "the OpenAPI document changed, first near line {}; clients rely on it. If that is meant: \
             ZOCO_BLESS=1 cargo test --test it -- the_document_is_the_committed_one",
            differs.map_or(0, |line| line + 1)
        );
    }

    fn the_document_is_sound() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
        let mut targets = BTreeSet::new();
        references(&document, &mut targets);
        assert!(targets.len() > 10, "{targets:?}");
        for target in targets {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
        let mut names = BTreeMap::new();
        for route in routes() {
            let Route { method, path, operation } = &route;
            let place = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no name"));
            if let Some(other) = names.insert(name.to_owned(), place.clone()) {
                panic!("{place} and {other} are both called {name}");
            }
            assert!(!operation["tags"][0].as_str().unwrap_or_default().is_empty(), "{place} has no tag");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{place} has no summary");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2') || status.starts_with('3')), "{place} never succeeds");
            let declared: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let used: BTreeSet<&str> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            assert_eq!(declared, used, "the placeholders of {place}");
        }
    }
}

/// What a response of the document says, wherever it is written down.
fn resolved<'a>(document: &'a Value, response: &'a Value) -> &'a Value {
    let target = response["$ref"].as_str();
    target.map_or(response, |target| document.pointer(&target[1..]).unwrap())
}

plain! {
    fn every_operation_tells_the_problems_of_the_layers() {
        let document = document();
        for Route { method, path, operation } in routes() {
            let place = format!("{method} {path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let has = |wanted: &str| parameters.iter().any(|parameter| parameter["in"] == wanted);
            let takes = |header: &str| parameters.iter().any(|parameter| parameter["name"] == header);
            let body = operation["requestBody"].is_object();
            let writes = method != Method::GET;
            let expected = [
                ("400", writes || has("path") || has("query")),
                ("401", true),
                ("403", true),
                ("404", has("path")),
                ("408", true),
                ("409", takes("Idempotency-Key")),
                ("412", takes("If-Match")),
                ("413", body),
                ("415", body),
                ("422", body || takes("Idempotency-Key")),
                ("429", true),
                ("503", true),
            ];
            let responses = operation["responses"].as_object().unwrap();
            for (status, _) in expected.iter().filter(|(_, expected)| *expected) {
                assert!(responses.contains_key(*status), "{place} does not tell of {status}");
            }
            assert!(!responses.contains_key("500") && !responses.contains_key("default"), "{place}");
            for (status, response) in responses {
                let response = resolved(&document, response);
                if status.starts_with(['4', '5']) {
                    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
                    assert_eq!(response["content"], problem, "{status} of {place}");
                    assert!(!response["description"].as_str().unwrap_or_default().is_empty(), "{status} of {place}");
                }
            }
            for parameter in &parameters {
                let schema = &parameter["schema"];
                assert!(schema["type"].is_string(), "{place}: {parameter} may be left out, but is no null");
                let paged = ["page", "per_page"].iter().any(|name| parameter["name"] == *name);
                assert_eq!(paged, paged && schema["pattern"].is_string(), "{place}: {parameter}");
            }
        }
    }
}

both! {
    async fn what_cannot_be_read_is_answered_as_documented(app: TestApp) {
        // All of it comes from one address, in no time.
        let app = app.with_settings(|config| config.rate_limits = zoco::config::Switch::Off).await;
        let document = document();
        let api = app.api();
        for route in routes() {
            let path = route.path_with("1");
            let content_type = route.content_type().unwrap_or_default();
            let stale = api.with("authorization", "Bearer nonsense");
            let elsewhere = api.with("sec-fetch-site", "cross-site");
            let mut replies = vec![
                stale.request(route.method.clone(), &path, content_type, Vec::new()).await,
                elsewhere.request(route.method.clone(), &path, content_type, Vec::new()).await,
            ];
            for (path, content_type, body) in [
                (path.clone(), "text/plain", "{}"),
                (path.clone(), content_type, "{"),
                (path.clone(), content_type, "{\"nonsense\": 1}"),
                (route.path_with("%FF"), content_type, "{}"),
                (route.path_with("99999999999999999999"), content_type, "{}"),
                (format!("{path}?page=nonsense&nonsense=1"), content_type, "{}"),
            ] {
                replies.push(api.request(route.method.clone(), &path, content_type, body.into()).await);
            }
            assert_eq!(replies[0].status, 401, "{} {path}", route.method);
            for reply in replies {
                let status = reply.status.as_u16().to_string();
                let place = format!("{} {}", route.method, reply.path);
                let told = &route.operation["responses"][&status];
                assert!(told.is_object(), "{place} does not tell of {status}: {}", reply.body);
                let content = resolved(&document, told)["content"].as_object();
                if let Some(content) = content.filter(|_| !reply.body.is_empty()) {
                    let sent = reply.header("content-type");
                    assert!(content.contains_key(&sent), "{place} answered {sent}");
                }
            }
        }
    }

    async fn every_route_of_the_document_is_there(app: TestApp) {
        let api = app.api();
        let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for route in routes() {
            let known = methods.entry(route.path_with("1")).or_default();
            known.insert(route.method.to_string());
        }
        for (path, methods) in methods {
            for prefix in ["/api", "/api/v1"] {
                let path = path.replacen("/api", prefix, 1);
                // A method that nobody knows: 404 where there is no route, 405 where there is one.
                let method = Method::from_bytes(b"FETCH").unwrap();
                let reply = api.request(method, &path, "", Vec::new()).await;
                problem(&reply, 405, "method_not_allowed");
                let allowed = reply.header("allow");
                let allowed: BTreeSet<&str> = allowed.split(',').map(str::trim).collect();
                for method in &methods {
                    assert!(allowed.contains(method.as_str()), "{path} allows {allowed:?}, not {method}");
                }
            }
        }
    }

    async fn failures_are_problems(app: TestApp) {
        let api = app.api();
        for path in ["/api", "/api/nothing", "/api/v1/nothing/here", "/api/products/no-such-thing", "/api/docs/nothing"] {
            problem(&api.get(path).await, 404, "not_found");
        }
        problem(&api.delete("/api/orders").await, 405, "method_not_allowed");
        problem(&api.get("/api/orders").await, 401, "unauthenticated");
        assert_eq!(api.get("/api/orders").await.header("www-authenticate"), "Bearer");
        problem(&api.with("authorization", "Bearer nonsense").get("/api/cart").await, 401, "unauthenticated");
        problem(&api.with("authorization", "Basic YTpi").get("/api/cart").await, 401, "unauthenticated");
        problem(&api.get("/api/products?colour=red").await, 400, "bad_query");
        problem(&api.get("/api/products?page=0").await, 400, "bad_query");
        problem(&api.get("/api/products?per_page=101").await, 400, "bad_query");
        problem(&api.get("/api/products?page=x").await, 400, "bad_query");

        let send = async |content_type: &str, body: &str| {
            let path = "/api/cart/items";
            api.request(Method::POST, path, content_type, body.as_bytes().to_vec()).await
        };
        problem(&send("text/plain", "{}").await, 415, "unsupported_media_type");
        problem(&send("", "{}").await, 415, "unsupported_media_type");
        problem(&send("application/json", "{\"product_id\":").await, 400, "bad_json");
        problem(&send("application/json", "{} {}").await, 400, "bad_json");
        problem(&send("application/json", "").await, 400, "bad_json");
        let reply = send("application/json; charset=utf-8", "{\"product_id\": 1, \"price\": 0}").await;
        let said = problem(&reply, 422, "invalid");
        assert_eq!(said["errors"][0]["field"], "price");
        assert_eq!(said["errors"][0]["code"], "unknown_field");
        let said = problem(&send("application/json", "{\"quantity\": \"two\"}").await, 422, "invalid");
        assert_eq!(said["errors"][0]["field"], "quantity");
        assert_eq!(said["errors"][0]["code"], "wrong_type");
        assert_eq!(said["errors"][0]["message"], "This has the wrong type; expected i64.");
        let large = format!("{{\"note\": \"{}\"}}", "x".repeat(1024 * 1024));
        problem(&send("application/json", &large).await, 413, "too_large");
    }

    async fn a_slash_at_the_end_and_the_version_make_no_difference(app: TestApp) {
        app.product("Cup", "9.99", 3).await;
        let api = app.api();
        let plain = api.get("/api/products").await.expect(200);
        for path in ["/api/products/", "/api/v1/products", "/api/v1/products/"] {
            assert_eq!(api.get(path).await.json(), plain.json(), "{path}");
        }
    }

    async fn the_links_of_a_list_lead_to_its_end(app: TestApp) {
        for number in 1..=7 {
            app.product(&format!("Cup {number}"), "9.99", 1).await;
        }
        let api = app.api();
        for (start, prefix) in [("/api/products?per_page=3&search=cup&sort=newest", "/api/"), ("/api/v1/products?per_page=3", "/api/v1/")] {
            let mut seen = Vec::new();
            let mut next = Some(start.to_owned());
            while let Some(path) = next {
                assert!(path.starts_with(prefix), "{path} leaves {prefix}");
                let list = api.get(&path).await.expect(200).json();
                assert_eq!(list["total"], 7);
                let items = list["items"].as_array().unwrap();
                assert!((1..=3).contains(&items.len()), "{list}");
                seen.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
                next = list["next"].as_str().map(str::to_owned);
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 7, "{start}");
        }
    }

    async fn a_change_of_an_old_copy_is_refused(app: TestApp) {
        app.product("Cup", "9.99", 3).await;
        app.admin().await;
        let admin = app.api().signed_in("admin@example.com").await;
        let first = admin.get("/api/products/cup").await.expect(200);
        let tag = first.header("etag");
        assert!(!tag.is_empty());
        let path = format!("/api/products/{}", first.json()["id"]);
        let change = json!({"summary": "For coffee."});
        let reply = admin.with("if-match", &tag).patch(&path, change.clone()).await.expect(200);
        assert_ne!(reply.header("etag"), tag);
        problem(&admin.with("if-match", &tag).patch(&path, change.clone()).await, 412, "stale");
        problem(&admin.with("if-match", "\"other\"").delete(&path).await, 412, "stale");
        admin.with("if-match", "*").patch(&path, change.clone()).await.expect(200);
        admin.patch(&path, change).await.expect(200);
    }

    async fn the_document_and_its_pages_come_out_of_the_binary(app: TestApp) {
        let api = app.api();
        let reply = api.get("/api/openapi.json").await.expect(200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.json(), document());
        let page = app.browser().get("/api/docs/").await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let files = [page.attributes("script[src]", "src"), page.attributes("link[href]", "href")].concat();
        assert!(files.len() >= 3, "{}", page.body);
        for file in files {
            assert!(!file.contains("//"), "{file} is elsewhere");
            let path = format!("/api/docs/{}", file.trim_start_matches("./"));
            api.get(&path).await.expect(200);
        }
        let start = api.get("/api/docs/swagger-initializer.js").await.expect(200);
        assert!(start.has("/api/openapi.json"), "{}", start.body);
        for script in page.texts("script") {
            assert_eq!(script, "", "the policy forbids a script in the page");
        }
    }

    async fn a_repeated_write_gets_the_first_answer(app: TestApp) {
        let cup = app.product("Cup", "9.99", 30).await;
        let api = app.api().with("idempotency-key", "key-1");
        let body = json!({"product_id": cup.id.0, "quantity": 2});
        let first = api.post("/api/cart/items", body.clone()).await.expect(200);
        assert_eq!(first.header("idempotent-replayed"), "");
        let again = api.post("/api/cart/items", body.clone()).await.expect(200);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.json(), first.json());
        assert_eq!(again.header("content-type"), first.header("content-type"));
        let token = first.header("cart-token");
        assert_eq!(again.header("cart-token"), token);
        let cart = app.api().with("cart-token", &token).get("/api/cart").await.expect(200);
        assert_eq!(cart.json()["items"][0]["quantity"], 2, "the second call did nothing");

        // The version in the path and the slash say nothing about what is asked.
        let again = api.post("/api/v1/cart/items/", body.clone()).await.expect(200);
        assert_eq!(again.header("idempotent-replayed"), "true");

        // The same key with another body, or at another address.
        let other = json!({"product_id": cup.id.0, "quantity": 3});
        problem(&api.post("/api/cart/items", other).await, 422, "idempotency_key_reused");
        problem(&api.delete("/api/cart").await, 422, "idempotency_key_reused");

        // A key of somebody else is another key.
        app.customer("ann@example.com").await;
        let ann = app.api().signed_in("ann@example.com").await.with("idempotency-key", "key-1");
        let reply = ann.post("/api/cart/items", body).await.expect(200);
        assert_eq!(reply.header("idempotent-replayed"), "");
    }

    async fn only_final_answers_are_kept(app: TestApp) {
        let cup = app.product("Cup", "9.99", 30).await;
        let api = app.api();
        let keyed = |key: &str| api.with("idempotency-key", key);

        // What is wrong with the request itself stays wrong.
        let wrong = json!({"product_id": cup.id.0, "quantity": 0});
        let first = keyed("wrong").post("/api/cart/items", wrong.clone()).await.expect(422);
        let again = keyed("wrong").post("/api/cart/items", wrong).await.expect(422);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.header("content-type"), "application/problem+json");
        assert_eq!(again.body, first.body, "the first answer, its request id included");

        // A conflict may pass: stock comes back.
        let empty = json!({"shipping_address": "1 Main St", "email": "ann@example.com"});
        let cart = api.post("/api/cart/items", json!({"product_id": cup.id.0})).await.expect(200);
        let guest = api.with("cart-token", &cart.header("cart-token"));
        guest.delete("/api/cart").await.expect(200);
        let place = guest.with("idempotency-key", "place");
        problem(&place.post("/api/orders", empty.clone()).await, 409, "cart_empty");
        guest.post("/api/cart/items", json!({"product_id": cup.id.0})).await.expect(200);
        let order = place.post("/api/orders", empty.clone()).await.expect(201);
        let again = place.post("/api/orders", empty).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.header("location"), order.header("location"));
        assert_eq!(again.header("order-token"), order.header("order-token"));
        app.run_jobs().await;

        // Tokens are not kept, so sign-in is not replayed.
        app.customer("ann@example.com").await;
        let login = json!({"email": "ann@example.com", "password": crate::support::clients::PASSWORD});
        let one = keyed("login").post("/api/auth/login", login.clone()).await.expect(200);
        let two = keyed("login").post("/api/auth/login", login).await.expect(200);
        assert_ne!(one.json()["refresh_token"], two.json()["refresh_token"]);

        for bad in ["", " ", &"k".repeat(256)] {
            let reply = keyed(bad).post("/api/cart/items", json!({"product_id": cup.id.0})).await;
            problem(&reply, 400, "bad_idempotency_key");
        }
        // Reading needs no key and keeps none.
        let read = keyed("read").get("/api/products").await.expect(200);
        assert_eq!(read.header("idempotent-replayed"), "");
        keyed("read").get("/api/cart").await.expect(200);
    }

    async fn parallel_writes_with_one_key_are_done_once(app: TestApp) {
        let cup = app.product("Cup", "9.99", 30).await;
        let cart = app.api().post("/api/cart/items", json!({"product_id": cup.id.0})).await.expect(200);
        let token = cart.header("cart-token");
        let api = app.api().with("cart-token", &token).with("idempotency-key", "parallel");
        let calls = (0..8).map(|_| {
            let api: Api = api.clone();
            let body = json!({"product_id": cup.id.0, "quantity": 1});
            tokio::spawn(async move { api.post("/api/cart/items", body).await })
        });
        let mut done = 0;
        for call in calls.collect::<Vec<_>>() {
            let reply = call.await.unwrap();
            match reply.status.as_u16() {
                200 => done += 1,
                409 => {
                    problem(&reply, 409, "request_in_progress");
                }
                _ => panic!("{}", reply.body),
            }
        }
        assert!(done >= 1);
        let cart = app.api().with("cart-token", &token).get("/api/cart").await.expect(200);
        assert_eq!(cart.json()["items"][0]["quantity"], 2, "one before, one of the eight");
    }
}
