//! No input finds a fault: NUL bytes, what is no UTF-8, numbers beyond measure, deep and huge
//! bodies, wrong types, keys twice, unknown fields. Every route of the OpenAPI document, every page
//! of the policy, and every form that the pages show.

use std::collections::BTreeSet;

use axum::http::{Method, header};
use serde_json::{Value, json};
use zoco::config::Switch;
use zoco::web::layers;

use crate::access::{self, Line};
use crate::api::{document, problem, routes};
use crate::support::clients::{Api, FormRead, PASSWORD, encode, forms};
use crate::support::{TestApp, both};

const FORM: &str = "application/x-www-form-urlencoded";

both! {
    async fn hostile_requests_never_find_a_fault(app: TestApp) {
        let (app, clients) = shop(&app).await;
        app.leave_jobs();
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
        let (app, clients) = shop(&app).await;
        app.leave_jobs();
        let document = document();
        for route in routes().iter().filter(|route| route.content_type() == Some("application/json")) {
            let schema = &route.operation["requestBody"]["content"]["application/json"]["schema"];
            let whole = example(&document, schema, 0);
            for pointer in places(&whole, String::new()) {
                for (number, value) in hostile_values().iter().enumerate() {
                    let body = with(&whole, &pointer, value);
                    for (turn, client) in clients.iter().enumerate() {
                        // The admin, who comes last, gets all; those who are mostly refused a part.
                        if turn + 1 < clients.len() && (number + turn + pointer.len()) % 5 != 0 {
                            continue;
                        }
                        check(client, &route.method, &route.path_with("1"), Some("application/json"), body.as_bytes()).await;
                    }
                }
            }
            // What nobody asked for, a key twice, and more than is taken.
            let text = whole.to_string();
            let open = text.trim_end_matches('}');
            let comma = if open == "{" { "" } else { "," };
            let large = "x".repeat(layers::MAX_BODY);
            for body in [
                format!("{open}{comma}\"nonsense\":1}}"),
                format!("{open}{comma}{}", &text[1..]),
                format!("{open}{comma}\"nonsense\":\"{large}\"}}"),
            ] {
                for client in &clients {
                    check(client, &route.method, &route.path_with("1"), Some("application/json"), body.as_bytes()).await;
                }
            }
        }
    }

    async fn hostile_parameters_never_find_a_fault(app: TestApp) {
        let (app, clients) = shop(&app).await;
        app.leave_jobs();
        for route in routes() {
            let path = route.path_with("1");
            for parameter in route.operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let written = encode(name);
                for client in &clients {
                    match parameter["in"].as_str().unwrap() {
                        "query" => {
                            let twice = format!("1&{written}=2");
                            for value in HOSTILE_PARTS.iter().chain([&twice.as_str(), &"1e400", &""]) {
                                let path = format!("{path}?{written}={value}");
                                check(client, &route.method, &path, route.content_type(), b"{}").await;
                            }
                            let path = format!("{path}?{written}={}", "x".repeat(20_000));
                            check(client, &route.method, &path, route.content_type(), b"{}").await;
                        }
                        "header" => {
                            let long = "x".repeat(5000);
                            for value in ["", "*", "\"", "\"v99999999999999999999\"", "W/\"v1\", \"v2\"", &long] {
                                let client = client.with(name, value);
                                check(&client, &route.method, &path, route.content_type(), b"{}").await;
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    async fn hostile_visits_never_find_a_fault(app: TestApp) {
        let (app, _) = shop(&app).await;
        app.leave_jobs();
        let [guest, admin] = visitors(&app).await;
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

    async fn hostile_forms_never_find_a_fault(app: TestApp) {
        let (app, _) = shop(&app).await;
        app.leave_jobs();
        let [guest, admin] = visitors(&app).await;
        for (client, at_least) in [(guest, 5), (admin, 25)] {
            let forms = forms_of_the_shop(&client).await;
            assert!(forms.len() >= at_least, "only {} forms: {forms:?}", forms.len());
            for form in forms {
                for (at, _) in form.fields.iter().enumerate() {
                    for value in HOSTILE_TYPED {
                        let pairs = form.fields.iter().enumerate().map(|(other, (name, typed))| {
                            let name = encode(name);
                            if other == at { format!("{name}={value}") } else { format!("{name}={}", encode(typed)) }
                        });
                        let pairs = pairs.collect::<Vec<_>>().join("&");
                        if form.method == Method::GET {
                            let path = form.action.split('?').next().unwrap_or_default();
                            check_page(&client, Method::GET, &format!("{path}?{pairs}"), "").await;
                        } else {
                            check_page(&client, Method::POST, &form.action, &pairs).await;
                        }
                    }
                }
            }
        }
    }

    async fn nul_characters_are_refused_everywhere(app: TestApp) {
        let (app, clients) = shop(&app).await;
        for path in ["/api/products/a%00b", "/api/products?search=a%00b", "/api/%00"] {
            problem(&clients[0].get(path).await, 400, "bad_request");
        }
        for body in [r#"{"email": "a\u0000@b.example", "password": "x"}"#, r#"{"\u0000": 1}"#] {
            let reply = clients[0].request(Method::POST, "/api/auth/login", "application/json", body.into()).await;
            problem(&reply, 422, "invalid");
        }
        let [guest, admin] = visitors(&app).await;
        for path in ["/products/a%00b", "/products?search=%00", "/%00"] {
            let reply = guest.get(path).await.expect(400);
            assert!(reply.header("content-type").starts_with("text/html"), "{path}");
        }
        for (client, path, body) in [(&guest, "/sign-in", "email=a%00b&password=x"), (&admin, "/admin/products/new", "name=\0")] {
            client.request(Method::POST, path, FORM, body.into()).await.expect(400);
        }
    }
}

/// A shop with one of most things, whose limits are off, and API clients: nobody, a customer, an
/// admin.
async fn shop(app: &TestApp) -> (TestApp, [Api; 3]) {
    let app = app
        .with_settings(|config| config.rate_limits = Switch::Off)
        .await;
    app.product("Cup", "9.99", 50).await;
    app.customer("ann@example.com").await;
    app.admin().await;
    let clients = [
        app.api(),
        app.api().signed_in("ann@example.com").await,
        app.api().signed_in("admin@example.com").await,
    ];
    let admin = &clients[2];
    let category = json!({"name": "Cups"});
    admin.post("/api/categories", category).await.expect(201);
    let review = json!({"rating": 5, "title": "Holds", "body": "It holds tea."});
    let reviewed = clients[1].post("/api/products/1/reviews", review).await;
    reviewed.expect(201);
    (app, clients)
}

/// Two visitors of pages: nobody, and an admin with something in their cart.
async fn visitors(app: &TestApp) -> [Api; 2] {
    let guest = app.api().with("sec-fetch-site", "same-origin");
    let mut browser = app.browser();
    let credentials = [("email", "admin@example.com"), ("password", PASSWORD)];
    let signed_in = browser.post_only("/sign-in", &credentials).await;
    signed_in.expect(303);
    let cookie = format!("zoco_session={}", browser.cookies["zoco_session"]);
    let admin = guest.with("cookie", &cookie);
    let item = admin.request(Method::POST, "/cart/items", FORM, b"variant_id=1".into());
    item.await.expect(303);
    [guest, admin]
}

/// Every form that the pages show to a visitor, once of each kind. Signing out is left out: it
/// would end the visit.
async fn forms_of_the_shop(client: &Api) -> Vec<FormRead> {
    let shape = |path: &str| -> String {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        path.replace(|character: char| character.is_ascii_digit(), "1")
    };
    let mut waiting: Vec<String> = pages().iter().map(|path| filled(path, "1")).collect();
    waiting.push("/products/cup".to_owned());
    let mut seen: BTreeSet<String> = waiting.iter().map(|path| shape(path)).collect();
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let page = client.get(&path).await;
        if !page.header("content-type").starts_with("text/html") {
            continue;
        }
        for href in page.attributes("a[href]", "href") {
            if href.starts_with('/') && !href.starts_with("/api") && seen.insert(shape(&href)) {
                waiting.push(href);
            }
        }
        for mut form in forms(&page) {
            if form.action.is_empty() {
                form.action.clone_from(&path);
            }
            let names: Vec<String> = form.names.iter().map(|name| shape(name)).collect();
            let kind = (form.method.to_string(), shape(&form.action), names);
            // Fields of one kind are treated alike: a few are enough.
            form.fields.truncate(MOST_FIELDS);
            if form.action != "/sign-out" && known.insert(kind) {
                found.push(form);
            }
        }
    }
    found
}

/// Fields of a form that are tried.
const MOST_FIELDS: usize = 12;

/// What is typed into a field, as a form sends it.
const HOSTILE_TYPED: &[&str] = &[
    "a%00b",
    "%FF%FE",
    "9223372036854775808",
    "-1",
    "%E2%80%AE%F0%9F%98%80%27%22%3C",
    "1e400",
];

/// A body that has every field of a schema, each with something that could stand there.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(target) = schema["$ref"].as_str() {
        return example(document, document.pointer(&target[1..]).unwrap(), depth);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let choices = schema[choice].as_array();
        let mut choices = choices.into_iter().flatten();
        if let Some(first) = choices.find(|one| one["type"] != "null") {
            return example(document, first, depth);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let kind = kinds
        .iter()
        .find_map(|kind| kind.as_str().filter(|kind| *kind != "null"));
    match kind {
        Some("object") if depth < 5 => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields =
                fields.map(|(name, inner)| (name.clone(), example(document, inner, depth + 1)));
            Value::Object(fields.collect())
        }
        Some("array") if depth < 5 => json!([example(document, &schema["items"], depth + 1)]),
        Some("object") => json!({}),
        Some("array") => json!([]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => json!("1"),
    }
}

/// Where something stands in a body, as JSON pointers.
fn places(value: &Value, at: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| places(inner, format!("{at}/{name}")))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, inner)| places(inner, format!("{at}/{index}")))
            .collect(),
        _ => Vec::new(),
    };
    let own = (!at.is_empty()).then_some(at);
    own.into_iter().chain(inner).collect()
}

/// The body with something else at a place, written as it is: it may be no number that fits.
fn with(body: &Value, pointer: &str, text: &str) -> String {
    const MARK: &str = "the place";
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = json!(MARK);
    body.to_string().replace(&format!("\"{MARK}\""), text)
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
    ("/admin/orders/export.csv", "text/csv; charset=utf-8"),
    ("/feeds/", "application/xml; charset=utf-8"),
    ("/sitemap", "application/xml; charset=utf-8"),
];

/// The path of every page, and one that is none.
fn pages() -> BTreeSet<String> {
    let lines = access::policy().into_iter().filter(Line::is_page);
    let paths = lines.map(|line| line.path);
    let files = [
        "/health/",
        "/metrics",
        "/static/",
        "/robots.txt",
        "/payments/webhooks/",
    ];
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
