//! Clients that drive the real router: a browser with cookies that reads forms, and an API
//! client.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_http::normalize_path::NormalizePathLayer;

use super::TestApp;

/// The password of every account that tests make.
pub const PASSWORD: &str = "correct horse battery";

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    /// The path that was asked, after redirects.
    pub path: String,
}

impl Reply {
    /// The body as JSON; null for none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header as text; empty without it.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// Whether the body contains a text.
    pub fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// The texts of all elements that a CSS selector finds, white space folded.
    pub fn texts(&self, css: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(css).unwrap();
        html.select(&selector).map(text_of).collect()
    }

    /// The text of the first element that a CSS selector finds.
    pub fn text(&self, css: &str) -> String {
        self.texts(css).into_iter().next().unwrap_or_default()
    }

    /// An attribute of all elements that a CSS selector finds.
    pub fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(css).unwrap();
        html.select(&selector)
            .filter_map(|element| element.attr(name))
            .map(str::to_owned)
            .collect()
    }

    /// Fails with the body when the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{} answered: {}",
            self.path,
            self.body
        );
        self
    }
}

fn text_of(element: ElementRef<'_>) -> String {
    element
        .text()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where clients ask from, unless they say otherwise.
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

async fn send(router: &Router, request: Request<Body>, peer: [u8; 4]) -> Reply {
    let path = request.uri().to_string();
    let mut request = request;
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((peer, 40_000))));
    let service = NormalizePathLayer::trim_trailing_slash().layer(router.clone());
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body,
        path,
    }
}

/// A browser: keeps cookies, follows redirects, fills forms in by reading the HTML.
#[derive(Clone)]
pub struct Browser {
    /// The shop that it visits.
    pub router: Router,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// Headers of every request, such as what it is.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(app: &TestApp) -> Self {
        Self {
            router: zoco::routes::router((**app).clone()),
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// One request, redirects not followed.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, "127.0.0.1:8000");
        if method != Method::GET {
            request = request.header("sec-fetch-site", "same-origin");
        }
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let request = request.body(Body::from(body)).unwrap();
        let reply = send(&self.router, request, LOOPBACK).await;
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Goes on until the answer is no redirect.
    async fn follow(&mut self, mut reply: Reply) -> Reply {
        for _ in 0..5 {
            if !reply.status.is_redirection() {
                return reply;
            }
            let path = reply.header("location");
            reply = self.request(Method::GET, &path, "", Vec::new()).await;
        }
        panic!("too many redirects at {}", reply.path)
    }

    /// Opens a page and follows redirects.
    pub async fn get(&mut self, path: &str) -> Reply {
        let reply = self.request(Method::GET, path, "", Vec::new()).await;
        self.follow(reply).await
    }

    /// Posts fields to an address and follows redirects.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let reply = self.post_only(path, fields).await;
        self.follow(reply).await
    }

    /// Posts fields to an address; redirects are not followed.
    pub async fn post_only(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = encode_all(fields.iter().map(|&(name, value)| (name, value)));
        self.request(
            Method::POST,
            path,
            "application/x-www-form-urlencoded",
            body.into_bytes(),
        )
        .await
    }

    /// Submits the form of `page` that the CSS selector finds, with what its fields hold except
    /// for `changes`; a field that the form lacks fails the test unless its name ends in `!`.
    pub async fn submit(
        &mut self,
        page: &Reply,
        form_css: &str,
        changes: &[(&str, &str)],
    ) -> Reply {
        let form = read_form(page, form_css);
        let mut fields = form.fields;
        for &(name, value) in changes {
            let (name, forced) = name
                .strip_suffix('!')
                .map_or((name, false), |name| (name, true));
            assert!(
                forced || form.names.iter().any(|known| known == name),
                "{form_css} has no field {name}"
            );
            fields.retain(|(known, _)| known != name);
            fields.push((name.to_owned(), value.to_owned()));
        }
        let body = encode_all(
            fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let reply = if form.method == Method::POST {
            let kind = "application/x-www-form-urlencoded";
            self.request(Method::POST, &form.action, kind, body.into_bytes())
                .await
        } else {
            let path = form.action.split('?').next().unwrap_or_default();
            self.request(Method::GET, &format!("{path}?{body}"), "", Vec::new())
                .await
        };
        self.follow(reply).await
    }

    /// Posts fields and one file as multipart and follows redirects.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Reply {
        let (content_type, body) = multipart(fields, file);
        let reply = self.request(Method::POST, path, &content_type, body).await;
        self.follow(reply).await
    }

    /// Signs in through the form.
    pub async fn sign_in(&mut self, email: &str) -> Reply {
        self.post("/sign-in", &[("email", email), ("password", PASSWORD)])
            .await
            .expect(200)
    }
}

fn encode_all<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    fields
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A text as forms send it.
pub fn encode(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                escaped.push(byte as char)
            }
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// A multipart body of fields and one file (field, file name, contents).
pub fn multipart(fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> (String, Vec<u8>) {
    let boundary = "zoco-test-boundary";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let (field, name, contents) = file;
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(contents);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A form as a page shows it.
#[derive(Clone, Debug)]
pub struct FormRead {
    /// Where it is sent.
    pub action: String,
    /// How.
    pub method: Method,
    /// What a browser sends when nothing is typed.
    pub fields: Vec<(String, String)>,
    /// The names of all fields and buttons.
    pub names: Vec<String>,
}

/// All forms of a page.
pub fn forms(page: &Reply) -> Vec<FormRead> {
    let html = Html::parse_document(&page.body);
    let selector = Selector::parse("form").unwrap();
    let found = html.select(&selector);
    found.map(|form| read(page, &html, form)).collect()
}

fn read_form(page: &Reply, css: &str) -> FormRead {
    let html = Html::parse_document(&page.body);
    let selector = Selector::parse(css).unwrap();
    let form = html
        .select(&selector)
        .next()
        .unwrap_or_else(|| panic!("{} has no form {css}: {}", page.path, page.body));
    read(page, &html, form)
}

fn read(page: &Reply, html: &Html, form: ElementRef<'_>) -> FormRead {
    let mut fields = Vec::new();
    let mut names = Vec::new();
    let inputs =
        Selector::parse("input[name], select[name], textarea[name], button[name]").unwrap();
    // A field may stand outside of its form and name it.
    let id = form.attr("id").unwrap_or("\u{0}");
    let outside = html
        .select(&inputs)
        .filter(|element| element.attr("form") == Some(id));
    let inside = form
        .select(&inputs)
        .filter(|element| element.attr("form").is_none_or(|other| other == id));
    for element in inside.chain(outside) {
        let name = element.attr("name").unwrap().to_owned();
        names.push(name.clone());
        if element.attr("disabled").is_some() {
            continue;
        }
        let value = match element.value().name() {
            "textarea" => Some(element.text().collect::<String>()),
            "button" => None,
            "select" => {
                let options = Selector::parse("option").unwrap();
                let chosen = element
                    .select(&options)
                    .find(|option| option.attr("selected").is_some());
                let option = chosen.or_else(|| element.select(&options).next());
                option.map(|option| {
                    option
                        .attr("value")
                        .map_or_else(|| text_of(option), str::to_owned)
                })
            }
            _ => match element.attr("type").unwrap_or("text") {
                "checkbox" | "radio" => element
                    .attr("checked")
                    .map(|_| element.attr("value").unwrap_or("on").to_owned()),
                "submit" | "image" | "file" => None,
                _ => Some(element.attr("value").unwrap_or_default().to_owned()),
            },
        };
        fields.extend(value.map(|value| (name, value)));
    }
    FormRead {
        action: form
            .attr("action")
            .map_or_else(|| page.path.clone(), str::to_owned),
        method: match form.attr("method").unwrap_or("get") {
            "post" => Method::POST,
            _ => Method::GET,
        },
        fields,
        names,
    }
}

/// An API client.
#[derive(Clone)]
pub struct Api {
    /// The shop that it asks.
    pub router: Router,
    /// Headers of every request, such as the bearer token.
    pub headers: Vec<(String, String)>,
    /// Where it asks from.
    peer: [u8; 4],
}

impl Api {
    /// A client without a token.
    pub fn new(app: &TestApp) -> Self {
        Self::over(zoco::routes::router((**app).clone()))
    }

    /// A client of any router.
    pub fn over(router: Router) -> Self {
        Self {
            router,
            headers: Vec::new(),
            peer: LOOPBACK,
        }
    }

    /// The same client with one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client, asking from another address.
    pub fn at(&self, peer: [u8; 4]) -> Self {
        let mut client = self.clone();
        client.peer = peer;
        client
    }

    /// Signs in and gives a client with the access token.
    pub async fn signed_in(&self, email: &str) -> Self {
        let body = serde_json::json!({"email": email, "password": PASSWORD});
        let reply = self.post("/api/auth/login", body).await.expect(200);
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// One request with any body.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header(header::HOST, "127.0.0.1:8000");
        }
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        send(&self.router, request, self.peer).await
    }

    /// GET
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path, "", Vec::new()).await
    }

    /// POST with a JSON body
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.request(
            Method::POST,
            path,
            "application/json",
            body.to_string().into_bytes(),
        )
        .await
    }

    /// PUT with a JSON body
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.request(
            Method::PUT,
            path,
            "application/json",
            body.to_string().into_bytes(),
        )
        .await
    }

    /// PATCH with a JSON body
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.request(
            Method::PATCH,
            path,
            "application/json",
            body.to_string().into_bytes(),
        )
        .await
    }

    /// DELETE
    pub async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path, "", Vec::new()).await
    }
}
