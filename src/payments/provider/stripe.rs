//! Stripe: its hosted Checkout, over the REST API. The shopper pays on Stripe's page; the shop
//! never sees a card.
//!
//! A Checkout Session is the payment, the Payment Intent inside of it is the money. Each write
//! carries an idempotency key, each request the version of the API that this was written for.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Answer, Call, Expected, Gateway, Headers, PaymentProvider, Trouble};
use crate::app::App;
use crate::config::{Capture, Config};
use crate::payments::model::{Begun, GatewayEvent, Payment, PaymentState, Sight};
use crate::payments::signature;
use crate::types::{Currency, Money, PaymentId};

/// The version of the API that this was written for.
pub const VERSION: &str = "2026-05-27.dahlia";
/// The header of Stripe's signatures.
const SIGNATURE: &str = "stripe-signature";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// A session can be paid for at least and at most so many seconds; a little is for the way.
const OPEN_SECONDS: (i64, i64) = (31 * 60, 24 * 3600 - 60);
/// After so many seconds it is looked up whether a refund was made, before it is asked for again:
/// Stripe forgets keys after a day, and repeats its own failures under them.
const LOOK_UP_SECONDS: i64 = 600;

/// Currencies that Stripe counts without decimals.
const WHOLE: [&str; 14] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF",
];
/// Those that it counts with three, of which the last is 0.
const THREE: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Stripe as a way to pay.
pub(super) struct Stripe {
    client: Client,
    base: String,
    key: SecretString,
    webhook: Option<SecretString>,
}

impl Stripe {
    /// Stripe as the settings have it; none without a key.
    pub fn from_config(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(key) = config.stripe_secret_key.clone() else {
            return Ok(None);
        };
        let client = Client::builder()
            .user_agent(concat!("Zoco/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(Duration::from_secs(config.stripe_timeout));
        // A stand-in on this machine is not asked through a proxy.
        let client = match config.stripe_api_url.starts_with("https://") {
            true => client,
            false => client.no_proxy(),
        };
        Ok(Some(Self {
            client: client.build()?,
            base: config.stripe_api_url.trim_end_matches('/').to_owned(),
            key,
            webhook: config.stripe_webhook_secret.clone(),
        }))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.send(Method::GET, path, None, &[]).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        fields: &[(&str, &str)],
    ) -> Answer<T> {
        self.send(Method::POST, path, Some(key), fields).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Answer<T> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(self.key.expose_secret())
            .header("Stripe-Version", VERSION);
        if let Some(key) = key {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            let kind = "application/x-www-form-urlencoded";
            request = request
                .header("Idempotency-Key", key)
                .header(reqwest::header::CONTENT_TYPE, kind)
                .body(form.finish());
        }
        let response = request.send().await.map_err(broken_off)?;
        let status = response.status();
        let body = response.bytes().await.map_err(broken_off)?;
        if status.is_success() {
            let read = serde_json::from_slice(&body);
            return read.map_err(|_| passing("Stripe answered something that cannot be read."));
        }
        Err(trouble(status, &body))
    }

    async fn session(&self, payment: &Payment) -> Answer<Session> {
        let id = payment.gateway_reference.as_deref().unwrap_or_default();
        let expand = "expand%5B%5D=payment_intent.latest_charge";
        self.get(&format!("/v1/checkout/sessions/{id}?{expand}"))
            .await
    }
}

fn passing(words: impl Into<String>) -> Trouble {
    Trouble::Passing(words.into())
}

fn refused(words: impl Into<String>) -> Trouble {
    Trouble::Refused(words.into())
}

/// A failure of the connection; its own words say too much of the network.
fn broken_off(error: reqwest::Error) -> Trouble {
    passing(if error.is_timeout() {
        "Stripe took too long."
    } else if error.is_connect() {
        "Stripe could not be reached."
    } else {
        "The connection to Stripe broke off."
    })
}

/// How Stripe writes a failure.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    error: FailureBody,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FailureBody {
    code: Option<String>,
    message: Option<String>,
}

/// What may be better another time: too many requests, two at once under a key, a fault of theirs.
fn trouble(status: StatusCode, body: &[u8]) -> Trouble {
    let failure: Failure = serde_json::from_slice(body).unwrap_or_default();
    let said = failure.error.message;
    let words = said.unwrap_or_else(|| format!("Stripe answered {status}."));
    let at_once = failure.error.code.as_deref() == Some("idempotency_key_in_use");
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::CONFLICT
        || at_once
    {
        passing(words)
    } else {
        refused(words)
    }
}

#[derive(Deserialize)]
struct Session {
    id: String,
    status: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    payment_intent: Option<Intent>,
}

#[derive(Deserialize)]
struct Intent {
    id: String,
    status: String,
    #[serde(default)]
    amount_received: i64,
    latest_charge: Option<Charge>,
    last_payment_error: Option<Declined>,
}

#[derive(Deserialize)]
struct Charge {
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    amount_captured: i64,
    #[serde(default)]
    amount_refunded: i64,
}

impl Charge {
    /// What went back of what was taken. What was promised and not taken is given free, and Stripe
    /// counts it among what was refunded.
    fn sent_back(&self) -> i64 {
        let given_free = self.amount.saturating_sub(self.amount_captured).max(0);
        self.amount_refunded.saturating_sub(given_free).max(0)
    }
}

#[derive(Deserialize)]
struct Declined {
    message: Option<String>,
}

/// What was made of a session that was just begun: its intent is a name there, or nothing.
#[derive(Deserialize)]
struct Opened {
    id: String,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Marks,
}

#[derive(Deserialize)]
struct Refunds {
    data: Vec<Refund>,
}

/// What the shop writes on everything of its own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    zoco_order: Option<String>,
    zoco_payment: Option<String>,
    zoco_operation: Option<String>,
}

#[derive(Deserialize)]
struct Done {
    id: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

#[derive(Deserialize)]
struct EventObject {
    id: Option<String>,
    object: Option<String>,
    payment_intent: Option<serde_json::Value>,
    metadata: Option<Marks>,
}

impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }
    fn label(&self) -> &'static str {
        "Card or wallet"
    }
    fn description(&self) -> &'static str {
        "Pay by card, Apple Pay, Google Pay and more on the page of Stripe."
    }
    fn instructions(&self, _reference: &str) -> String {
        "Please finish the payment on the page of Stripe.".to_owned()
    }
    fn gateway(&self) -> Option<&dyn Gateway> {
        Some(self)
    }
}

#[async_trait]
impl Gateway for Stripe {
    async fn begin(&self, _app: &App, expected: &Expected) -> Answer<Begun> {
        let amount = to_stripe(expected.amount)?.to_string();
        let currency = expected.amount.currency().code().to_ascii_lowercase();
        let name = format!("Order {}", expected.order_number);
        let payment = expected.payment_id.to_string();
        let capture = match expected.capture {
            Capture::Automatic => "automatic",
            Capture::Manual => "manual",
        };
        let (least, most) = OPEN_SECONDS;
        let open = expected.until.unix_seconds() - expected.since.unix_seconds();
        let until = expected.since.unix_seconds() + open.clamp(least, most);
        let until = until.to_string();
        let number = expected.order_number.as_str();
        let fields = [
            ("mode", "payment"),
            ("client_reference_id", number),
            ("customer_email", &expected.email),
            ("success_url", &expected.return_url),
            ("cancel_url", &expected.return_url),
            ("expires_at", &until),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", &name),
            ("payment_intent_data[capture_method]", capture),
            ("payment_intent_data[description]", &name),
            ("payment_intent_data[metadata][zoco_order]", number),
            ("payment_intent_data[metadata][zoco_payment]", &payment),
            ("metadata[zoco_order]", number),
            ("metadata[zoco_payment]", &payment),
        ];
        let path = "/v1/checkout/sessions";
        let opened: Opened = self.post(path, &expected.key, &fields).await?;
        Ok(Begun {
            reference: opened.id,
            pay_url: opened.url.unwrap_or_default(),
        })
    }

    async fn capture(&self, _app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        let intent = intent(payment)?;
        let amount = to_stripe(call.amount)?.to_string();
        let path = format!("/v1/payment_intents/{intent}/capture");
        let fields = [("amount_to_capture", amount.as_str())];
        let done: Done = self.post(&path, call.key, &fields).await?;
        Ok(done.id)
    }

    async fn void(&self, _app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        let session = self.session(payment).await?;
        // A session that was paid is over; what is promised in it is given free by its intent.
        if session.status.as_deref() == Some("open") {
            let path = format!("/v1/checkout/sessions/{}/expire", session.id);
            let done: Done = self
                .post(&path, &format!("{}-expire", call.key), &[])
                .await?;
            return Ok(done.id);
        }
        match session.payment_intent {
            None => Ok(session.id),
            Some(intent) if intent.status == "canceled" => Ok(intent.id),
            Some(intent) if intent.status == "succeeded" => {
                Err(refused("It was paid before it could be called off."))
            }
            // Nothing was ever promised in a session that ran out.
            Some(intent) if session.status.as_deref() == Some("expired") => Ok(intent.id),
            Some(intent) => {
                let path = format!("/v1/payment_intents/{}/cancel", intent.id);
                let done: Done = self
                    .post(&path, &format!("{}-cancel", call.key), &[])
                    .await?;
                Ok(done.id)
            }
        }
    }

    async fn refund(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        let intent = intent(payment)?;
        if app.clock.now() > call.since.plus_seconds(LOOK_UP_SECONDS) {
            let path = format!("/v1/refunds?payment_intent={intent}&limit=100");
            let made: Refunds = self.get(&path).await?;
            let ours = |one: &Refund| one.metadata.zoco_operation.as_deref() == Some(call.key);
            if let Some(refund) = made.data.into_iter().find(ours) {
                return accepted(refund);
            }
        }
        let amount = to_stripe(call.amount)?.to_string();
        let fields = [
            ("payment_intent", intent),
            ("amount", &amount),
            ("metadata[zoco_operation]", call.key),
        ];
        accepted(self.post("/v1/refunds", call.key, &fields).await?)
    }

    async fn fetch(&self, _app: &App, payment: &Payment) -> Answer<Sight> {
        let session = self.session(payment).await?;
        let currency = session.currency.as_deref().unwrap_or_default();
        let currency = currency.to_ascii_uppercase().parse::<Currency>();
        let currency = currency.unwrap_or(payment.amount.currency());
        let money = |units| from_stripe(units, currency);
        let intent = session.payment_intent.as_ref();
        let status = intent.map_or("", |intent| intent.status.as_str());
        let declined = intent.and_then(|intent| intent.last_payment_error.as_ref());
        let declined = declined.and_then(|error| error.message.clone());
        let (state, failure) = match (session.status.as_deref(), status) {
            (_, "succeeded") => (PaymentState::Captured, String::new()),
            (_, "requires_capture") => (PaymentState::Authorized, String::new()),
            (_, "canceled") => (PaymentState::Voided, String::new()),
            (Some("expired"), _) => {
                let words = "The time to pay ran out.".to_owned();
                (PaymentState::Failed, declined.unwrap_or(words))
            }
            // A way to pay that takes days said no in the end.
            (Some("complete"), "requires_payment_method") => {
                (PaymentState::Failed, declined.unwrap_or_default())
            }
            _ => (PaymentState::Pending, String::new()),
        };
        let charge = intent.and_then(|intent| intent.latest_charge.as_ref());
        Ok(Sight {
            state,
            amount: session.amount_total.map_or(payment.amount, money),
            captured: money(intent.map_or(0, |intent| intent.amount_received)),
            refunded: money(charge.map_or(0, Charge::sent_back)),
            charge_reference: intent.map(|intent| intent.id.clone()),
            failure,
        })
    }

    async fn verify(&self, app: &App, headers: &Headers, body: &str) -> Answer<()> {
        let Some(secret) = &self.webhook else {
            return Err(refused("The shop has no signing secret for Stripe."));
        };
        let header = headers.get(SIGNATURE).map_or("", String::as_str);
        signature::check(secret.expose_secret(), header, body, app.clock.now())
    }

    fn read(&self, body: &str) -> Answer<GatewayEvent> {
        let event: Event =
            serde_json::from_str(body).map_err(|_| refused("This is no event of Stripe."))?;
        let object = event.data.object;
        // The name of the intent, or the intent itself.
        let intent = object.payment_intent.as_ref();
        let intent = intent.and_then(|one| one.as_str().or(one["id"].as_str()));
        let is_session = object.object.as_deref() == Some("checkout.session");
        let marks = object.metadata.unwrap_or_default();
        let names = object.id.iter().cloned().chain(intent.map(str::to_owned));
        Ok(GatewayEvent {
            id: event.id,
            kind: event.kind,
            references: names.collect(),
            begun_as: object.id.clone().filter(|_| is_session),
            payment_id: marks
                .zoco_payment
                .and_then(|id| id.parse().ok())
                .map(PaymentId),
            order_number: marks.zoco_order.unwrap_or_default(),
        })
    }
}

/// What Stripe calls the money of a payment. Errors: `Passing` before that is known.
fn intent(payment: &Payment) -> Answer<&str> {
    let intent = payment.charge_reference.as_deref();
    intent.ok_or_else(|| passing("It is not known yet what Stripe calls this money."))
}

/// A refund that is on its way counts as made; one that failed at once does not.
fn accepted(refund: Refund) -> Answer<String> {
    match refund.status.as_deref() {
        Some("failed" | "canceled") => {
            let reason = refund.failure_reason.unwrap_or_default();
            Err(refused(format!("Stripe could not refund it: {reason}.")))
        }
        _ => Ok(refund.id),
    }
}

/// With how many decimals Stripe counts a currency. It keeps two for some that have none by now
/// (ISK, UGX), and none for one that has two by ISO 4217 (MGA).
fn decimals(currency: Currency) -> u32 {
    let code = currency.code();
    if WHOLE.contains(&code) || code == "XPF" {
        0
    } else if THREE.contains(&code) {
        3
    } else {
        2
    }
}

/// An amount as Stripe counts it. Errors: `Refused` for one that it cannot take exactly.
fn to_stripe(amount: Money) -> Answer<i64> {
    let currency = amount.currency();
    let (ours, theirs) = (currency.exponent(), decimals(currency));
    let too_fine = || refused(format!("Stripe takes no amount as fine as {amount}."));
    let units = if theirs >= ours {
        let factor = 10_i64.pow(theirs - ours);
        amount.minor().checked_mul(factor).ok_or_else(too_fine)?
    } else {
        let factor = 10_i64.pow(ours - theirs);
        if amount.minor() % factor != 0 {
            return Err(too_fine());
        }
        amount.minor() / factor
    };
    if theirs == 3 && units % 10 != 0 {
        return Err(too_fine());
    }
    Ok(units)
}

/// An amount as Stripe counts it, as the shop does.
fn from_stripe(units: i64, currency: Currency) -> Money {
    let (ours, theirs) = (currency.exponent(), decimals(currency));
    let minor = if ours >= theirs {
        units.saturating_mul(10_i64.pow(ours - theirs))
    } else {
        units / 10_i64.pow(theirs - ours)
    };
    Money::new(minor, currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_as_stripe_documents() {
        let money = |text, code: &str| Money::parse(text, code.parse().unwrap()).unwrap();
        for (text, code, units) in [
            ("10.00", "USD", 1000),
            ("19.99", "EUR", 1999),
            ("500", "JPY", 500),
            ("5", "ISK", 500),
            ("5", "UGX", 500),
            ("10.45", "HUF", 1045),
            ("5.120", "KWD", 5120),
            ("7", "XPF", 7),
        ] {
            let amount = money(text, code);
            assert_eq!(to_stripe(amount), Ok(units), "{amount}");
            assert_eq!(from_stripe(units, amount.currency()), amount);
        }
        for (text, code) in [("5.124", "KWD"), ("5.121", "BHD")] {
            assert!(to_stripe(money(text, code)).is_err(), "{text} {code}");
        }
        let ariary = "MGA".parse().unwrap();
        assert_eq!(
            from_stripe(5, ariary).amount(),
            Money::parse("5", ariary).unwrap().amount()
        );
    }

    #[test]
    fn what_may_be_better_later_is_told_from_what_is_refused() {
        let body = |code: &str| format!(r#"{{"error": {{"code": "{code}", "message": "No."}}}}"#);
        for (status, code, passes) in [
            (500, "", true),
            (503, "", true),
            (429, "rate_limit", true),
            (409, "idempotency_key_in_use", true),
            (408, "", true),
            (400, "charge_already_refunded", false),
            (401, "", false),
            (402, "card_declined", false),
            (404, "resource_missing", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let expected = match passes {
                true => passing("No."),
                false => refused("No."),
            };
            assert_eq!(trouble(status, body(code).as_bytes()), expected, "{status}");
        }
        let words = trouble(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(words, passing("Stripe answered 502 Bad Gateway."));
    }
}
