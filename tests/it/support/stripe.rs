//! A stand-in for Stripe's API on this machine, which answers as its documentation says: sessions,
//! intents, refunds, idempotency keys, failures. What a shopper does on its page, tests do by
//! calling [`Stripe::pay`]; its events are sent by [`Stripe::tell`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use zoco::payments::signature;
use zoco::types::Timestamp;

use super::{Reply, TestApp};

/// The secret key that it knows.
pub const KEY: &str = "sk_test_zoco";
/// What it signs its events with.
pub const WEBHOOK: &str = "whsec_zoco";
/// The version of the API that it speaks.
const VERSION: &str = "2026-05-27.dahlia";

/// What goes wrong with the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its servers fail before anything is done; nothing is kept under the key.
    Down,
    /// It is done, and the answer is lost on its way.
    Lost,
    /// It is done, and no answer ever comes.
    Hangs,
    /// Its servers fail half-way; the failure is kept under the key and comes again.
    Kept,
    /// Too many requests.
    Busy,
    /// Another request with the key is under way.
    AtOnce,
}

/// How a shopper pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// It works.
    Works,
    /// It is declined; the session stays open.
    Declined,
    /// It is a way to pay that takes days.
    TakesDays,
    /// That, and it said no in the end.
    FailsLater,
}

#[derive(Clone, Debug, Default)]
struct Books {
    sessions: BTreeMap<String, Value>,
    intents: BTreeMap<String, Value>,
    refunds: Vec<Value>,
    /// What was answered under a key: fingerprint, status, body.
    keys: BTreeMap<String, (String, u16, Value)>,
    faults: VecDeque<Fault>,
    /// Each request: method, path, key.
    requests: Vec<(String, String, String)>,
    next: u32,
}

/// The stand-in.
#[derive(Clone)]
pub struct Stripe {
    books: Arc<Mutex<Books>>,
    /// Where it listens.
    pub url: String,
}

type Answer = Result<Value, (StatusCode, Value)>;

fn failure(status: u16, kind: &str, code: &str, message: &str) -> (StatusCode, Value) {
    let body = json!({"error": {"type": kind, "code": code, "message": message}});
    (StatusCode::from_u16(status).unwrap(), body)
}

fn refuse<T>(code: &str, message: &str) -> Result<T, (StatusCode, Value)> {
    Err(failure(400, "invalid_request_error", code, message))
}

fn missing<T>(what: &str) -> Result<T, (StatusCode, Value)> {
    let message = format!("No such {what}");
    Err(failure(
        404,
        "invalid_request_error",
        "resource_missing",
        &message,
    ))
}

impl Books {
    fn name(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}_{}", self.next)
    }

    fn open(&mut self, form: &BTreeMap<String, String>) -> Answer {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let amount: i64 = of("line_items[0][price_data][unit_amount]")
            .parse()
            .unwrap_or(-1);
        if amount < 50 {
            return refuse("amount_too_small", "Amount must be no less than €0.50 eur");
        }
        for name in ["mode", "success_url", "expires_at"] {
            if of(name).is_empty() {
                return refuse(
                    "parameter_missing",
                    &format!("Missing required param: {name}."),
                );
            }
        }
        let (id, intent) = (self.name("cs_test"), self.name("pi"));
        let marks = json!({
            "zoco_order": of("metadata[zoco_order]"),
            "zoco_payment": of("metadata[zoco_payment]"),
        });
        let currency = of("line_items[0][price_data][currency]");
        self.intents.insert(
            intent.clone(),
            json!({
                "id": intent,
                "object": "payment_intent",
                "status": "requires_payment_method",
                "capture_method": of("payment_intent_data[capture_method]"),
                "amount": amount,
                "amount_received": 0,
                "currency": currency,
                "latest_charge": null,
                "last_payment_error": null,
                "metadata": marks,
            }),
        );
        let session = json!({
            "id": id,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "url": format!("https://checkout.stripe.com/c/pay/{id}"),
            "amount_total": amount,
            "currency": currency,
            "client_reference_id": of("client_reference_id"),
            "payment_intent": null,
            "success_url": of("success_url"),
            "metadata": marks,
            "_intent": intent,
        });
        self.sessions.insert(id, session.clone());
        Ok(session)
    }

    fn expire(&mut self, id: &str) -> Answer {
        let Some(session) = self.sessions.get_mut(id) else {
            return missing("checkout.session");
        };
        if session["status"] != "open" {
            return refuse(
                "resource_unavailable",
                "Only Checkout Sessions with a status in [\"open\"] can be expired.",
            );
        }
        session["status"] = json!("expired");
        session["url"] = Value::Null;
        Ok(session.clone())
    }

    fn capture(&mut self, id: &str, amount: Option<i64>) -> Answer {
        let Some(intent) = self.intents.get_mut(id) else {
            return missing("payment_intent");
        };
        if intent["status"] != "requires_capture" {
            return refuse(
                "payment_intent_unexpected_state",
                "This PaymentIntent could not be captured because it has a wrong status.",
            );
        }
        let amount = amount.unwrap_or(intent["amount"].as_i64().unwrap());
        if amount > intent["amount"].as_i64().unwrap() {
            return refuse(
                "amount_too_large",
                "The amount to capture is larger than what is capturable.",
            );
        }
        intent["status"] = json!("succeeded");
        intent["amount_received"] = json!(amount);
        let given_free = intent["amount"].as_i64().unwrap() - amount;
        let charge = &mut intent["latest_charge"];
        charge["captured"] = json!(true);
        charge["amount_captured"] = json!(amount);
        // What is not taken counts as refunded.
        charge["amount_refunded"] = json!(given_free);
        Ok(intent.clone())
    }

    fn cancel(&mut self, id: &str) -> Answer {
        let Some(intent) = self.intents.get_mut(id) else {
            return missing("payment_intent");
        };
        if intent["status"] == "succeeded" || intent["status"] == "canceled" {
            return refuse(
                "payment_intent_unexpected_state",
                "You cannot cancel this PaymentIntent.",
            );
        }
        if intent["status"] == "requires_capture" {
            intent["latest_charge"]["amount_refunded"] = intent["amount"].clone();
        }
        intent["status"] = json!("canceled");
        Ok(intent.clone())
    }

    fn refund(&mut self, form: &BTreeMap<String, String>) -> Answer {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let id = self.name("re");
        let Some(intent) = self.intents.get_mut(&of("payment_intent")) else {
            return missing("payment_intent");
        };
        if intent["status"] != "succeeded" {
            return refuse(
                "payment_intent_unexpected_state",
                "This PaymentIntent does not have a successful charge to refund.",
            );
        }
        let charge = &intent["latest_charge"];
        let back = charge["amount_refunded"].as_i64().unwrap();
        let left = charge["amount"].as_i64().unwrap() - back;
        let amount: i64 = of("amount").parse().unwrap_or(left);
        if left == 0 {
            return refuse(
                "charge_already_refunded",
                "Charge has already been refunded.",
            );
        }
        if amount > left {
            return refuse(
                "amount_too_large",
                "Refund amount is greater than unrefunded amount on charge",
            );
        }
        intent["latest_charge"]["amount_refunded"] = json!(back + amount);
        let refund = json!({
            "id": id,
            "object": "refund",
            "amount": amount,
            "status": "succeeded",
            "payment_intent": of("payment_intent"),
            "metadata": {"zoco_operation": of("metadata[zoco_operation]")},
        });
        self.refunds.push(refund.clone());
        Ok(refund)
    }

    fn write(&mut self, path: &str, form: &BTreeMap<String, String>) -> Answer {
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let amount = form
            .get("amount_to_capture")
            .and_then(|text| text.parse().ok());
        match parts[..] {
            ["checkout", "sessions"] => self.open(form),
            ["checkout", "sessions", id, "expire"] => self.expire(id),
            ["payment_intents", id, "capture"] => self.capture(id, amount),
            ["payment_intents", id, "cancel"] => self.cancel(id),
            ["refunds"] => self.refund(form),
            _ => Err(failure(
                404,
                "invalid_request_error",
                "",
                "Unrecognized request URL",
            )),
        }
    }

    /// A session as it is read with its intent and charge in it.
    fn shown(&self, id: &str) -> Answer {
        let Some(session) = self.sessions.get(id) else {
            return missing("checkout.session");
        };
        let mut session = session.clone();
        let intent = session["payment_intent"].as_str().map(str::to_owned);
        if let Some(intent) = intent {
            session["payment_intent"] = self.intents[&intent].clone();
        }
        Ok(session)
    }
}

fn answer(found: Answer) -> Response {
    let (status, body) = match found {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => failure,
    };
    (status, axum::Json(body)).into_response()
}

/// What every request must carry.
fn check(headers: &HeaderMap) -> Result<(), (StatusCode, Value)> {
    let of = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if of("authorization") != format!("Bearer {KEY}") {
        return Err(failure(
            401,
            "invalid_request_error",
            "",
            "Invalid API Key provided",
        ));
    }
    if of("stripe-version") != VERSION {
        return refuse("", "Invalid Stripe API version");
    }
    Ok(())
}

async fn write(
    State(stripe): State<Stripe>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(failure) = check(&headers) {
        return answer(Err(failure));
    }
    let key = headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok());
    let key = key.unwrap_or_default().to_owned();
    let path = uri.path().to_owned();
    let (found, hangs) = {
        let mut books = stripe.books.lock().unwrap();
        books
            .requests
            .push((Method::POST.to_string(), path.clone(), key.clone()));
        if key.is_empty() {
            return answer(refuse("", "The shop sends a key with each write."));
        }
        let fault = books.faults.pop_front();
        match fault {
            Some(Fault::Down) => return answer(Err(failure(503, "api_error", "", "Down"))),
            Some(Fault::Busy) => {
                return answer(Err(failure(
                    429,
                    "invalid_request_error",
                    "rate_limit",
                    "Too many requests",
                )));
            }
            Some(Fault::AtOnce) => {
                return answer(Err(failure(
                    409,
                    "idempotency_error",
                    "idempotency_key_in_use",
                    "There is another request with this key",
                )));
            }
            _ => {}
        }
        let fingerprint = format!("{path} {}", String::from_utf8_lossy(&body));
        let kept = books.keys.get(&key).cloned();
        let found = match kept {
            Some((earlier, status, body)) if earlier == fingerprint => match status {
                200 => Ok(body),
                status => Err((StatusCode::from_u16(status).unwrap(), body)),
            },
            Some(_) => Err(failure(
                400,
                "idempotency_error",
                "",
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            )),
            None => {
                let form: BTreeMap<String, String> =
                    form_urlencoded::parse(&body).into_owned().collect();
                let mut found = books.write(&path, &form);
                if fault == Some(Fault::Kept) {
                    found = Err(failure(
                        500,
                        "api_error",
                        "",
                        "Something went wrong on Stripe's end",
                    ));
                }
                let (status, body) = match &found {
                    Ok(body) => (200, body.clone()),
                    Err((status, body)) => (status.as_u16(), body.clone()),
                };
                books.keys.insert(key, (fingerprint, status, body));
                found
            }
        };
        let found = match fault {
            Some(Fault::Lost) => Err(failure(500, "api_error", "", "Lost")),
            _ => found,
        };
        (found, fault == Some(Fault::Hangs))
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    answer(found)
}

async fn session(
    State(stripe): State<Stripe>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(failure) = check(&headers) {
        return answer(Err(failure));
    }
    let mut books = stripe.books.lock().unwrap();
    books.requests.push((
        Method::GET.to_string(),
        format!("session {id}"),
        String::new(),
    ));
    answer(books.shown(&id))
}

async fn refunds(
    State(stripe): State<Stripe>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Err(failure) = check(&headers) {
        return answer(Err(failure));
    }
    let books = stripe.books.lock().unwrap();
    let of_intent = |refund: &&Value| refund["payment_intent"] == query["payment_intent"].as_str();
    let data: Vec<&Value> = books.refunds.iter().filter(of_intent).collect();
    answer(Ok(
        json!({"object": "list", "data": data, "has_more": false}),
    ))
}

impl Stripe {
    /// Starts listening.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stripe = Self {
            books: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/v1/checkout/sessions", post(write))
            .route("/v1/checkout/sessions/{id}", get(session))
            .route("/v1/checkout/sessions/{id}/expire", post(write))
            .route("/v1/payment_intents/{id}/capture", post(write))
            .route("/v1/payment_intents/{id}/cancel", post(write))
            .route("/v1/refunds", get(refunds).post(write))
            .with_state(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        stripe
    }

    /// Goes wrong with the next writes, in this order.
    pub fn fail(&self, faults: &[Fault]) {
        self.books.lock().unwrap().faults.extend(faults);
    }

    /// The shopper pays on the page of a session; fails the test when it is over.
    pub fn pay(&self, id: &str, card: Card) {
        assert!(self.try_pay(id, card), "the session is over");
    }

    /// The same; tells whether the session was still open.
    pub fn try_pay(&self, id: &str, card: Card) -> bool {
        let mut books = self.books.lock().unwrap();
        let Some(session) = books
            .sessions
            .get_mut(id)
            .filter(|one| one["status"] == "open")
        else {
            return false;
        };
        let name = session["_intent"].as_str().unwrap().to_owned();
        session["payment_intent"] = json!(name);
        if card != Card::Declined {
            session["status"] = json!("complete");
            session["url"] = Value::Null;
        }
        let intent = books.intents.get_mut(&name).unwrap();
        let by_hand = intent["capture_method"] == "manual";
        let amount = intent["amount"].clone();
        let declined = json!({"code": "card_declined", "message": "Your card was declined."});
        match card {
            Card::Works => {
                let captured = if by_hand { json!(0) } else { amount.clone() };
                intent["latest_charge"] = json!({
                    "id": format!("ch_{name}"),
                    "amount": amount,
                    "amount_captured": captured,
                    "amount_refunded": 0,
                    "captured": !by_hand,
                });
                intent["last_payment_error"] = Value::Null;
                if by_hand {
                    intent["status"] = json!("requires_capture");
                } else {
                    intent["status"] = json!("succeeded");
                    intent["amount_received"] = amount;
                    let session = books.sessions.get_mut(id).unwrap();
                    session["payment_status"] = json!("paid");
                }
            }
            Card::Declined => intent["last_payment_error"] = declined,
            Card::TakesDays => intent["status"] = json!("processing"),
            Card::FailsLater => intent["last_payment_error"] = declined,
        }
        true
    }

    /// Changes what it knows of the session, as no shopper could.
    pub fn tamper(&self, id: &str, change: impl FnOnce(&mut Value)) {
        change(self.books.lock().unwrap().sessions.get_mut(id).unwrap());
    }

    /// What it knows of the money of a session.
    pub fn intent(&self, id: &str) -> Value {
        let books = self.books.lock().unwrap();
        let name = books.sessions[id]["_intent"].as_str().unwrap();
        books.intents[name].clone()
    }

    /// The session as it is.
    pub fn session(&self, id: &str) -> Value {
        self.books.lock().unwrap().sessions[id].clone()
    }

    /// The refunds that were made.
    pub fn refunds(&self) -> Vec<Value> {
        self.books.lock().unwrap().refunds.clone()
    }

    /// How many sessions were opened.
    pub fn sessions(&self) -> Vec<String> {
        self.books
            .lock()
            .unwrap()
            .sessions
            .keys()
            .cloned()
            .collect()
    }

    /// The writes that were asked for: path and key.
    pub fn writes(&self) -> Vec<(String, String)> {
        let books = self.books.lock().unwrap();
        let writes = books
            .requests
            .iter()
            .filter(|(method, ..)| method == "POST");
        writes
            .map(|(_, path, key)| (path.clone(), key.clone()))
            .collect()
    }

    /// Sends an event about a session, or about its intent, signed at a time.
    pub async fn tell(
        &self,
        app: &TestApp,
        kind: &str,
        id: &str,
        name: &str,
        at: Timestamp,
    ) -> Reply {
        let object = match kind.starts_with("checkout.") {
            true => self.session(id),
            false => self.intent(id),
        };
        let body = json!({"id": name, "object": "event", "type": kind, "data": {"object": object}})
            .to_string();
        self.post(app, &body, &signature::header(WEBHOOK, at, &body))
            .await
    }

    /// Sends a body with a signature.
    pub async fn post(&self, app: &TestApp, body: &str, signature: &str) -> Reply {
        let api = app.api().with("stripe-signature", signature);
        let path = "/payments/webhooks/stripe";
        let kind = "application/json; charset=utf-8";
        api.request(Method::POST, path, kind, body.as_bytes().to_vec())
            .await
    }
}
