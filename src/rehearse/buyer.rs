//! A buyer: puts one piece into a cart, orders it, pays, and asks again whenever there is no answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::DOMAIN;
use super::program::Program;
use crate::types::VariantId;

/// How often a buyer asks again, and how long they wait before it.
const TRIES: usize = 400;
const PAUSE: Duration = Duration::from_millis(100);
/// How long they wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a buyer was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing left.
    Refused,
    /// There is an order, and whether it was paid.
    Ordered {
        /// Its number.
        number: String,
        /// Whether the gateway took the money.
        paid: bool,
    },
    /// Nothing that makes sense.
    Unanswered(String),
}

/// Somebody who wants a piece.
pub struct Buyer {
    number: usize,
    client: Client,
    program: Arc<Program>,
}

impl Buyer {
    /// The buyer with this number.
    pub fn new(number: usize, program: &Arc<Program>) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("no client")?;
        Ok(Self {
            number,
            client,
            program: program.clone(),
        })
    }

    /// Buys one piece.
    pub async fn buy(&self, variant: VariantId) -> Outcome {
        match self.try_to_buy(variant).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Unanswered(format!("buyer {}: {error:#}", self.number)),
        }
    }

    async fn try_to_buy(&self, variant: VariantId) -> anyhow::Result<Outcome> {
        let item = json!({ "variant_id": variant, "quantity": 1 });
        let reply = self
            .ask(|try_| self.post("/api/cart/items", try_, "cart", &item))
            .await?;
        if reply.is_sold_out() {
            return Ok(Outcome::Refused);
        }
        let cart = reply.good()?;
        let cart = cart["token"]
            .as_str()
            .context("a cart without a token")?
            .to_owned();
        let order = json!({
            "email": format!("buyer-{}@{DOMAIN}", self.number),
            "shipping_address": "1 Main Street\nSpringfield",
            "payment": { "provider": "test" },
        });
        let place = |try_| {
            let request = self.post("/api/orders", try_, "order", &order);
            request.header("cart-token", &cart)
        };
        let reply = self.ask(place).await?;
        if reply.is_sold_out() {
            return Ok(Outcome::Refused);
        }
        let mut placed = reply.good()?;
        let number = placed["number"]
            .as_str()
            .context("an order without a number")?
            .to_owned();
        let token = placed["order_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        // The gateway may not have been asked yet, when the shop was killed just then.
        for _ in 0..TRIES {
            if placed["payment"]["status"] != "pending" {
                break;
            }
            if let Some(page) = placed["payment"]["redirect_url"].as_str() {
                return self.pay(page, number, &token).await;
            }
            tokio::time::sleep(PAUSE).await;
            placed = self.ask(|_| place(1)).await?.good()?;
        }
        Ok(Outcome::Ordered {
            number,
            paid: false,
        })
    }

    /// Approves the payment; the gateway tells the shop twice, while the buyer comes back to it.
    async fn pay(&self, page: &str, number: String, token: &str) -> anyhow::Result<Outcome> {
        let decide = |_| {
            let form = [("behaviour", "twice")];
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form)
                .finish();
            self.client
                .post(page)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form)
        };
        let reply = self.ask(decide).await?;
        // A conflict: it was decided by a request whose answer was lost.
        let known = reply.status.is_redirection() || reply.status == StatusCode::CONFLICT;
        anyhow::ensure!(known, "the gateway said {}", reply.status);
        let back = format!(
            "{}/orders/{number}/payment/return?token={token}",
            self.program.address()
        );
        self.ask(|_| self.client.get(&back)).await?;
        Ok(Outcome::Ordered { number, paid: true })
    }

    /// A request under a key of the buyer's own. After a request without an answer the key may be
    /// held by it for a while: then it is asked without.
    fn post(&self, path: &str, try_: usize, step: &str, body: &Value) -> RequestBuilder {
        let request = self
            .client
            .post(format!("{}{path}", self.program.address()));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        if try_ == 0 {
            request.header(
                "idempotency-key",
                format!("rehearsal-{}-{step}", self.number),
            )
        } else {
            request
        }
    }

    /// Asks until there is an answer that is none of "not now".
    async fn ask(&self, request: impl Fn(usize) -> RequestBuilder) -> anyhow::Result<Answer> {
        let mut last = String::new();
        for try_ in 0..TRIES {
            match answer(request(try_)).await {
                Ok(answer) if answer.status.is_server_error() || answer.is_under_way() => {
                    last = format!("the shop said {}", answer.status);
                }
                Ok(answer) => return Ok(answer),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!("{last}")
    }
}

/// What the shop said; the body is null where it is no JSON.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    /// Whether the first request under the same key has not ended, or was killed.
    fn is_under_way(&self) -> bool {
        self.status == StatusCode::CONFLICT && self.body["code"] == "request_in_progress"
    }

    /// Whether nothing is left to buy.
    fn is_sold_out(&self) -> bool {
        self.status == StatusCode::CONFLICT && self.body["code"] == "out_of_stock"
    }

    /// The body of a good answer.
    fn good(self) -> anyhow::Result<Value> {
        let Self { status, body } = self;
        anyhow::ensure!(status.is_success(), "the shop said {status}: {body}");
        Ok(body)
    }
}

async fn answer(request: RequestBuilder) -> reqwest::Result<Answer> {
    let reply = request.send().await?;
    let status = reply.status();
    let body = serde_json::from_str(&reply.text().await?).unwrap_or_default();
    Ok(Answer { status, body })
}
