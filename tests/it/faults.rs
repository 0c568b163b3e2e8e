//! The program stopped dead at each named place of an order's life, started again, and the client
//! that got no answer asking again: one order, one charge, one refund, and books that add up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use zoco::db::Db;
use zoco::db::query::{Sql, fetch_all};
use zoco::faults::POINTS;
use zoco::types::{Currency, Money};

use crate::process::Place;
use crate::support::process::{PATIENCE, Program, run};
use crate::support::{needs, plain, runtime};

const ADMIN: (&str, &str) = ("boss@example.com", "seven quiet lanterns");

/// A shop that stops once, and its one client.
struct Shop<'p> {
    place: &'p Place,
    program: Program,
    client: Client,
    /// How often it stopped.
    deaths: usize,
}

fn start(place: &Place, fault: &str) -> Program {
    let variables = [
        ("ZOCO_ADMIN_EMAIL", ADMIN.0),
        ("ZOCO_ADMIN_PASSWORD", ADMIN.1),
        ("ZOCO_PAYMENT_TEST", "on"),
        ("ZOCO_FAULT", fault),
    ];
    place.start_with(&[], &variables)
}

impl<'p> Shop<'p> {
    fn that_stops_at(place: &'p Place, point: &str) -> Self {
        let redirects = reqwest::redirect::Policy::none();
        // What the buyers before left to do may bring it to the point before it serves anybody.
        let begun = AssertUnwindSafe(|| start(place, point));
        let (program, deaths) = match catch_unwind(begun) {
            Ok(program) => (program, 0),
            Err(_) => (start(place, ""), 1),
        };
        Self {
            place,
            program,
            client: Client::builder().redirect(redirects).build().unwrap(),
            deaths,
        }
    }

    /// Asks; starts the shop again when it stops before it has answered, and asks again.
    async fn ask(&mut self, request: impl Fn(&Client, &str) -> RequestBuilder) -> (u16, Value) {
        loop {
            let reply = request(&self.client, &self.program.url).send().await;
            let answer = match reply {
                Ok(reply) => {
                    let status = reply.status().as_u16();
                    reply.text().await.map(|text| (status, text))
                }
                Err(error) => Err(error),
            };
            match answer {
                Ok((status, text)) => {
                    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
                    assert!(status < 500, "{status}: {text}");
                    return (status, body);
                }
                Err(error) => {
                    assert_eq!(self.deaths, 0, "it stopped twice: {error}");
                    self.program.wait();
                    self.deaths += 1;
                    self.program = start(self.place, "");
                }
            }
        }
    }

    /// Posts under a key; after a stop the key may be held for a while, and the request is made
    /// without it.
    async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        let request = |with_key: bool| {
            move |client: &Client, url: &str| {
                let mut request = client.post(format!("{url}{path}")).json(body);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                if with_key {
                    request = request.header("idempotency-key", key);
                }
                request
            }
        };
        let (status, answer) = self.ask(request(true)).await;
        if status == 409 && answer["code"] == "request_in_progress" {
            return self.ask(request(false)).await;
        }
        (status, answer)
    }

    /// An order of one piece, and its total.
    async fn order(&mut self, product: i64, name: &str) -> Placed {
        let item = json!({ "product_id": product, "quantity": 1 });
        let key = format!("{name}-cart");
        let (status, cart) = self.post("/api/cart/items", &[], &key, &item).await;
        assert_eq!(status, 200, "{cart}");
        let token = cart["token"].as_str().unwrap().to_owned();
        let (_, cart) = self
            .post(
                "/api/cart/coupon",
                &[("cart-token", &token)],
                &format!("{name}-code"),
                &json!({"code": "TEN"}),
            )
            .await;
        assert_eq!(cart["codes"], json!(["TEN"]), "{cart}");
        let input = json!({
            "email": format!("{name}@example.com"),
            "shipping_address": "1 Main Street\nSpringfield",
            "payment": { "provider": "test" },
        });
        let headers = [("cart-token", token.as_str())];
        let key = format!("{name}-order");
        let (status, placed) = self.post("/api/orders", &headers, &key, &input).await;
        assert!(status == 201 || status == 200, "{status}: {placed}");
        Placed {
            number: placed["number"].as_str().unwrap().to_owned(),
            token: placed["order_token"].as_str().unwrap().to_owned(),
            cart: token,
            input,
        }
    }

    /// The order as its buyer sees it, once it is as it should be.
    async fn until(&mut self, placed: &Placed, path: &[&str], expected: &str) -> Value {
        let begun = Instant::now();
        loop {
            let (status, order) = self
                .ask(|client, url| {
                    let order = client.get(format!("{url}/api/orders/{}", placed.number));
                    order.header("order-token", &placed.token)
                })
                .await;
            assert_eq!(status, 200, "{order}");
            let mut value = &order;
            for name in path {
                value = match name.parse::<usize>() {
                    Ok(index) => &value[index],
                    Err(_) => &value[*name],
                };
            }
            if value == expected {
                return order;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path:?} is {value} instead of {expected}: {}",
                self.program.log()
            );
            std::thread::yield_now();
        }
    }

    /// Pays at the test gateway, which tells the shop twice, while the buyer comes back.
    async fn pay(&mut self, placed: &Placed) {
        let begun = Instant::now();
        let page = loop {
            // Placed again, it is the same order, with the way to pay.
            let headers = [("cart-token", placed.cart.as_str())];
            let (status, again) = self
                .post(
                    "/api/orders",
                    &headers,
                    &format!("{}-{}", placed.number, begun.elapsed().as_nanos()),
                    &placed.input,
                )
                .await;
            assert_eq!(
                (status, &again["number"]),
                (200, &json!(placed.number)),
                "{again}"
            );
            if let Some(page) = again["payment"]["redirect_url"].as_str() {
                break page.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no way to pay: {again}");
        };
        let path = page[page.find("/test-gateway").unwrap()..].to_owned();
        let (status, _) = self
            .ask(|client, url| {
                client
                    .post(format!("{url}{path}"))
                    .header("sec-fetch-site", "same-origin")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body("behaviour=twice")
            })
            .await;
        assert!(status == 303 || status == 409, "{status}");
        let back = format!(
            "/orders/{}/payment/return?token={}",
            placed.number, placed.token
        );
        self.ask(|client, url| client.get(format!("{url}{back}")))
            .await;
        self.until(placed, &["payment_status"], "paid").await;
    }

    async fn staff(&mut self) -> String {
        let body = json!({ "email": ADMIN.0, "password": ADMIN.1 });
        let (status, user) = self
            .ask(|client, url| client.post(format!("{url}/api/auth/login")).json(&body))
            .await;
        assert_eq!(status, 200, "{user}");
        format!("Bearer {}", user["access_token"].as_str().unwrap())
    }
}

/// An order, and what its buyer has of it.
struct Placed {
    number: String,
    token: String,
    cart: String,
    input: Value,
}

/// One order is paid, refunded in part and comes back, one is paid and cancelled, one is cancelled
/// unpaid.
async fn live(shop: &mut Shop<'_>, product: i64, name: &str) {
    let staff = shop.staff().await;
    let headers = [("authorization", staff.as_str())];
    let kept = shop.order(product, &format!("{name}-kept")).await;
    shop.pay(&kept).await;
    let path = format!("/api/admin/orders/{}/refunds", kept.number);
    let refund = json!({ "amount": "2.00", "reason": "Scratched", "expected_refunded": "0.00" });
    let (status, answer) = shop
        .post(&path, &headers, &format!("{name}-refund"), &refund)
        .await;
    // Asked again without a key, what was done already is told by what has gone back.
    let done = status == 201 || status == 200 || answer["code"] == "changed_meanwhile";
    assert!(done, "{status}: {answer}");
    shop.until(&kept, &["payments", "0", "refunded", "amount"], "2.00")
        .await;
    send_back(shop, &kept, &staff, name).await;

    let paid = shop.order(product, &format!("{name}-paid")).await;
    shop.pay(&paid).await;
    let open = shop.order(product, &format!("{name}-open")).await;
    for order in [&paid, &open] {
        let path = format!("/api/admin/orders/{}/transitions", order.number);
        let cancel = json!({ "to": "cancelled" });
        let key = format!("{name}-{}", order.number);
        let (status, answer) = shop.post(&path, &headers, &key, &cancel).await;
        let done = status == 200 || answer["code"] == "transition_not_allowed";
        assert!(done, "{status}: {answer}");
        shop.until(order, &["status"], "cancelled").await;
    }
    shop.until(&paid, &["payment_status"], "refunded").await;
    shop.until(&open, &["payments", "0", "status"], "voided")
        .await;
}

/// What was kept arrives and comes back after all, and its money goes.
async fn send_back(shop: &mut Shop<'_>, kept: &Placed, staff: &str, name: &str) {
    let headers = [("authorization", staff)];
    let order = format!("/api/admin/orders/{}", kept.number);
    for to in ["confirmed", "processing", "shipped", "delivered"] {
        let key = format!("{name}-kept-{to}");
        let path = format!("{order}/transitions");
        let (status, answer) = shop.post(&path, &headers, &key, &json!({ "to": to })).await;
        let done = status == 200 || answer["code"] == "transition_not_allowed";
        assert!(done, "{status}: {answer}");
    }
    let delivered = shop.until(kept, &["status"], "delivered").await;
    let line = json!({ "line_id": delivered["lines"][0]["id"], "quantity": 1, "reason": "other" });
    let own = [("order-token", kept.token.as_str())];
    let path = format!("/api/orders/{}/returns", kept.number);
    let wanted = json!({ "lines": [line] });
    let (status, answer) = shop
        .post(&path, &own, &format!("{name}-back"), &wanted)
        .await;
    let done = status == 201 || answer["code"] == "not_returnable";
    assert!(done, "{status}: {answer}");
    for (step, body) in [
        ("answer", json!({ "to": "approved" })),
        ("received", json!({})),
        ("refund", json!({})),
    ] {
        let path = format!("{order}/returns/1/{step}");
        let key = format!("{name}-back-{step}");
        let (status, answer) = shop.post(&path, &headers, &key, &body).await;
        // Asked again without a key, what was done already is told by where the return stands.
        let done = status == 200 || answer["code"] == "transition_not_allowed";
        assert!(done, "{status}: {answer}");
    }
    shop.until(kept, &["returns", "0", "status"], "refunded")
        .await;
    // The piece, after the 2.00 of before; the gateway may take a moment.
    let piece = delivered["lines"][0]["total"]["amount"].as_str().unwrap();
    let piece = Money::parse(piece, Currency::eur()).unwrap().minor();
    let gone = Money::new(piece + 200, Currency::eur()).amount();
    shop.until(kept, &["payments", "0", "refunded", "amount"], &gone)
        .await;
}

fn stop_at_each(place: Place) {
    let runtime = runtime();
    let product = runtime.block_on(place.fill())[0];
    runtime.block_on(place.promote("TEN"));
    for (index, point) in POINTS.iter().enumerate() {
        let mut shop = Shop::that_stops_at(&place, point);
        runtime.block_on(live(&mut shop, product, &format!("buyer-{index}")));
        assert_eq!(shop.deaths, 1, "it never came to {point}");
        shop.program.stop();
        let doctor = run(place.path(), &["doctor", "--database", &place.database]);
        let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let errors = String::from_utf8_lossy(&doctor.stderr);
        assert_eq!(told, "the books are balanced\n", "after {point}: {errors}");
        runtime.block_on(count(&place, 3 * (index + 1), point));
    }
    place.remove();
}

/// One order for each cart, and the gateway took and returned no cent twice.
async fn count(place: &Place, orders: usize, point: &str) {
    let db = Db::open(&place.database, 2).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let sql = Sql::same("select count(*), count(distinct email) from orders");
    let counted: Vec<(i64, i64)> = fetch_all(&mut conn, sql, Vec::new()).await.unwrap();
    assert_eq!(counted, [(orders as i64, orders as i64)], "after {point}");
    let sql = Sql::same(
        "select o.status, g.amount_minor, g.captured_minor, g.refunded_minor, o.shipping_minor
        from orders o
        join test_gateway_payments g on g.order_number = o.number
        order by o.id desc
        limit 3",
    );
    let rows: Vec<(String, i64, i64, i64, i64)> =
        fetch_all(&mut conn, sql, Vec::new()).await.unwrap();
    drop(conn);
    db.close().await;
    let moved: Vec<(&str, bool, i64)> = rows
        .iter()
        .map(|(status, amount, captured, refunded, _)| {
            (status.as_str(), captured == amount, captured - refunded)
        })
        .collect();
    // Of the order that came back, the shop keeps what it took for shipping less the 2.00.
    let kept = rows.last().unwrap().4 - 200;
    assert_eq!(moved[0], ("cancelled", false, 0), "after {point}");
    assert_eq!(moved[1], ("cancelled", true, 0), "after {point}");
    assert_eq!((moved[2].1, moved[2].2), (true, kept), "after {point}");
}

plain! {
    fn a_stop_anywhere_loses_and_doubles_nothing_on_sqlite() {
        stop_at_each(Place::sqlite());
    }

    fn each_place_is_named_once_and_is_in_the_program() {
        let sources = crate::layers::rust_files(&crate::layers::root().join("src"));
        for point in POINTS {
            let call = format!("faults::reach(\"{point}\")");
            let calls: usize = sources.iter().map(|(_, source)| source.matches(&call).count()).sum();
            assert_eq!(calls, 1, "{point}");
        }
        let all: usize = sources.iter().map(|(_, source)| source.matches("faults::reach(\"").count()).sum();
        assert_eq!(all, POINTS.len(), "a place that the list does not name");
    }
}

needs! {
    "postgres" => fn a_stop_anywhere_loses_and_doubles_nothing_on_postgres() {
        stop_at_each(Place::postgres());
    }
}
