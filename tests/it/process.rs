//! The real program as a child: starting, stopping, commands, and being killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use zoco::app::App;
use zoco::catalog::service::ProductInput;
use zoco::config::Config;
use zoco::db::query::{Sql, execute, fetch_all};
use zoco::db::{Conn, Db};
use zoco::promotions::service::PromotionInput;
use zoco::types::MoneyInput;

use crate::support::process::{PATIENCE, Program, ask, run, run_with_input, zoco};
use crate::support::{needs, plain, postgres, runtime};

/// A folder and a database for a program.
pub struct Place {
    folder: TempDir,
    /// Its URL.
    pub database: String,
    on_postgres: bool,
}

impl Place {
    /// On SQLite.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("data/zoco.db").display());
        Self {
            folder,
            database,
            on_postgres: false,
        }
    }

    /// On PostgreSQL.
    pub fn postgres() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            database: runtime().block_on(postgres::empty_database()),
            on_postgres: true,
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, arguments: &[&str]) -> Program {
        self.start_with(arguments, &[])
    }

    /// Starts the program with more settings.
    pub fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let mut all = vec!["--no-demo", "--database", &self.database];
        all.extend(arguments);
        let variables = [&[("ZOCO_RATE_LIMITS", "off")], variables].concat();
        Program::start(self.path(), &all, &variables)
    }

    /// Ten percent off for a code, put in without the program.
    pub async fn promote(&self, code: &str) {
        let app = self.open().await;
        let input = PromotionInput {
            name: "Ten off".to_owned(),
            trigger: Some("code".to_owned()),
            code: Some(code.to_owned()),
            kind: "percentage".to_owned(),
            percent: Some("10".to_owned()),
            ..PromotionInput::default()
        };
        let made = zoco::promotions::service::create(&app, &app.system(), input).await;
        made.unwrap();
        app.db.close().await;
    }

    async fn open(&self) -> App {
        let config = Config {
            database_url: self.database.clone(),
            data_dir: self.path().join("data"),
            demo: false,
            ..Config::default()
        };
        App::open(config).await.unwrap()
    }

    /// Products with a lot of stock, put in without the program.
    pub async fn fill(&self) -> Vec<i64> {
        let app = self.open().await;
        let mut ids = Vec::new();
        for (name, price) in [("Cup", "9.99"), ("Pot", "24.50")] {
            let input = ProductInput {
                name: Some(name.to_owned()),
                price: Some(MoneyInput::new(price)),
                stock: Some(STOCK),
                ..ProductInput::default()
            };
            let made = zoco::catalog::service::create_product(&app, &app.system(), input).await;
            ids.push(made.unwrap().id.0);
        }
        app.db.close().await;
        ids
    }

    /// Removes the database.
    pub fn remove(self) {
        if self.on_postgres {
            runtime().block_on(postgres::drop_database(&self.database));
        }
    }
}

const STOCK: i64 = 100_000;

fn first_start(place: Place) {
    let program = place.start(&[]);
    let email = program.told("admin e-mail: ").unwrap().to_owned();
    let password = program.told("admin password: ").unwrap().to_owned();
    assert_eq!(email, "admin@example.com");
    assert!(password.len() >= 12, "{password}");
    assert_eq!(program.told("shop: "), Some(program.url.as_str()));
    let list = ask(&program.url, "GET /api/products HTTP/1.1", "");
    assert!(list.contains("\"total\":0"), "not an empty shop: {list}");
    assert!(
        !program.log().contains(&password),
        "the log tells the password"
    );
    program.stop();

    let program = place.start(&[]);
    assert_eq!(program.told("admin e-mail: "), None);
    assert_eq!(program.told("admin password: "), None);
    runtime().block_on(async {
        let reply = reqwest::Client::new()
            .post(format!("{}/api/auth/login", program.url))
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .unwrap();
        assert_eq!(
            reply.status(),
            200,
            "the printed password does not open the shop"
        );
        let user: Value = reply.json().await.unwrap();
        assert_eq!(user["user"]["role"], "admin");
    });
    program.stop();
    place.remove();
}

plain! {
    fn the_first_start_tells_the_admin_once_on_sqlite() {
        first_start(Place::sqlite());
    }

    fn settings_name_the_first_admin() {
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("ZOCO_ADMIN_EMAIL", "Boss@Example.com"),
            ("ZOCO_ADMIN_PASSWORD", "a password of mine"),
        ];
        let program = Program::start(folder.path(), &["--no-demo"], &variables);
        let printed = program.printed.join("\n");
        assert!(!printed.contains("a password of mine"), "{printed}");
        let body = r#"{"email": "boss@example.com", "password": "a password of mine"}"#;
        let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer = ask(&program.url, "POST /api/auth/login HTTP/1.1", &headers);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        program.stop();
    }

    fn flags_win_over_variables_and_variables_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let page = |arguments: &[&str], variables: &[(&str, &str)]| {
            let all = [&["--no-demo"], arguments].concat();
            let program = Program::start(folder.path(), &all, variables);
            let page = ask(&program.url, "GET /nothing-here HTTP/1.1", "");
            program.stop();
            page
        };
        std::fs::write(folder.path().join("zoco.toml"), "shop_name = \"From the file\"\n").unwrap();
        assert!(page(&[], &[]).contains("From the file"));
        let variables = [("ZOCO_SHOP_NAME", "From a variable")];
        assert!(page(&[], &variables).contains("From a variable"));
        assert!(page(&["--shop-name", "From a flag"], &variables).contains("From a flag"));
    }

    fn settings_that_make_no_sense_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (arguments, said) in [
            (["--currency", "XXXX"], "currency must be a code of ISO 4217"),
            (["--listen", "nowhere"], "--listen"),
            (["--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
            (["--database", "mysql://localhost/shop"], "must begin with sqlite: or postgres:"),
            (["--database", "postgres://zoco:secret@127.0.0.1:1/shop"], "cannot open the database"),
            (["--mail-url", "pigeon:"], "mail_url must be file: or smtp://"),
            (["--mail-from", "nobody"], "mail_from is not a mail address"),
            (["--base-url", "example.com"], "base_url must start with http"),
            (["--tax-rate", "10001"], "tax_rate must be at most 10000"),
            (["--max-quantity", "0"], "max_quantity must be 1 to 9999"),
            (["--alerts-email", "nobody"], "alerts_email is not a mail address"),
            (["--reservation-minutes", "0"], "reservation_minutes must be 1 to 1440"),
            (["--database-connections", "0"], "database_connections must be at least 1"),
            (["--jwt-secret", "short"], "jwt_secret and jwt_previous_secrets must have at least 32"),
            (["--page-limit", "0"], "page_limit must be at least 1"),
            (["--read-limit", "0"], "read_limit must be at least 1"),
            (["--write-limit", "0"], "write_limit must be at least 1"),
            (["--max-connections", "0"], "max_connections must be 1 to 1000000"),
            (["--head-timeout", "0"], "head_timeout must be 1 to 3600 seconds"),
            (["--idle-timeout", "3601"], "idle_timeout must be 1 to 3600 seconds"),
            (["--stall-timeout", "0"], "stall_timeout must be 1 to 3600 seconds"),
            (["--admin-password", "short"], "admin_password must have at least 8"),
            (["--demo", "perhaps"], "--demo"),
        ] {
            let done = run(folder.path(), &arguments);
            let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(!done.status.success(), "{arguments:?} passed");
            assert!(stderr.contains(said), "{arguments:?} said: {stderr}");
            assert!(!stderr.contains("secret@"), "{stderr}");
        }
        std::fs::write(folder.path().join("zoco.toml"), "shop_nmae = \"olmo\"\n").unwrap();
        let done = run(folder.path(), &["migrate"]);
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && stderr.contains("shop_nmae"), "{stderr}");
    }

    fn commands_do_what_they_say() {
        let folder = tempfile::tempdir().unwrap();
        let text = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();

        let done = run(folder.path(), &["openapi"]);
        let document: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert!(!folder.path().join("data").exists(), "the document needs no database");

        let done = run(folder.path(), &["migrate"]);
        assert!(done.status.success());
        assert_eq!(text(&done), "the database is up to date\n");
        assert!(folder.path().join("data/zoco.db").exists());

        let arguments = ["create-admin", "Ada@Example.com"];
        let done = run_with_input(folder.path(), &arguments, "a long password\n");
        assert_eq!(text(&done), "ada@example.com is an admin\n");
        let done = run_with_input(folder.path(), &arguments, "short\n");
        assert!(!done.status.success(), "a short password passed");
        let done = run_with_input(folder.path(), &["create-admin", "nobody"], "a long password\n");
        assert!(!done.status.success(), "what is no address passed");

        let done = run(folder.path(), &["health", "--listen", "127.0.0.1:1"]);
        assert!(!done.status.success());
        assert!(String::from_utf8_lossy(&done.stderr).contains("no answer from 127.0.0.1:1"));
        let program = Program::start(folder.path(), &["--no-demo"], &[]);
        assert_eq!(program.told("admin password: "), None, "there is an admin already");
        let address = program.url.trim_start_matches("http://");
        let done = run(folder.path(), &["health", "--listen", address]);
        assert_eq!(text(&done), "ready\n");
        let port = address.rsplit(':').next().unwrap();
        let done = run(folder.path(), &["health", "--listen", &format!("0.0.0.0:{port}")]);
        assert_eq!(text(&done), "ready\n");
        program.stop();

        let done = run(folder.path(), &["--version"]);
        assert_eq!(text(&done), format!("zoco {}\n", env!("CARGO_PKG_VERSION")));
    }

    fn a_request_under_way_is_answered_when_the_program_is_told_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program::start(folder.path(), &["--no-demo"], &[]);
        let address = program.url.trim_start_matches("http://").to_owned();
        let body = r#"{"product_id": 1, "quantity": 1}"#;
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /api/cart/items HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // This comes when a handler asks for the body: the request is under way.
        let mut answer = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        program.terminate();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "it still takes connections");
        }
        stream.write_all(body.as_bytes()).unwrap();
        let mut rest = String::new();
        answer.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("HTTP/1.1 422"), "{rest}");
        assert!(rest.contains("product_id"), "{rest}");
        assert!(program.wait().success());
    }

    fn a_worker_of_its_own_sends_the_letters() {
        let place = Place::sqlite();
        let runtime = runtime();
        let products = runtime.block_on(place.fill());
        let shop = place.start(&["serve", "--no-worker"]);
        let client = reqwest::Client::new();
        let bought = runtime.block_on(buy(&client, &shop.url, &products)).unwrap();
        let mails = place.path().join("data/mail");
        assert!(bought.order.is_some() && !mails.exists());
        let mut worker = zoco(place.path())
            .args(["worker", "--database", &place.database])
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while std::fs::read_dir(&mails).map_or(0, Iterator::count) == 0 {
            assert!(begun.elapsed() < PATIENCE, "no letter");
            std::thread::yield_now();
        }
        let done = std::process::Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", worker.id())])
            .status();
        assert!(done.unwrap().success());
        assert!(worker.wait().unwrap().success());
        shop.stop();
    }

    fn the_audit_log_is_verified_on_sqlite() {
        verify(Place::sqlite());
    }

    fn the_doctor_tells_what_is_out_of_balance_on_sqlite() {
        examine(Place::sqlite());
    }

    fn a_killed_program_loses_no_order_on_sqlite() {
        kill_and_look(Place::sqlite());
    }
}

needs! {
    "postgres" => fn the_first_start_tells_the_admin_once_on_postgres() {
        first_start(Place::postgres());
    }

    "postgres" => fn the_audit_log_is_verified_on_postgres() {
        verify(Place::postgres());
    }

    "postgres" => fn the_doctor_tells_what_is_out_of_balance_on_postgres() {
        examine(Place::postgres());
    }

    "postgres" => fn a_killed_program_loses_no_order_on_postgres() {
        kill_and_look(Place::postgres());
    }
}

/// The doctor looks at a shop that is well, and again after somebody wrote into its database.
fn examine(shop: Place) {
    let runtime = runtime();
    let products = runtime.block_on(shop.fill());
    let doctor = || {
        let done = run(shop.path(), &["doctor", "--database", &shop.database]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, told, complaint) = doctor();
    assert_eq!(told, "the books are balanced\n", "{complaint}");
    assert_eq!(code, Some(0));
    runtime.block_on(async {
        let db = Db::open(&shop.database, 2).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        for change in [
            "update stock_levels
            set on_hand = on_hand - 1
            where variant_id = (select min(id) from variants)",
            "update stock_levels
            set reserved = 2
            where variant_id = (select max(id) from variants)",
            "update products
            set rating_sum = 5, rating_count = 1
            where id = (select max(id) from products)",
        ] {
            let changed = execute(&mut tx, Sql::same(change), Vec::new()).await;
            assert_eq!(changed.unwrap(), 1);
        }
        tx.commit().await.unwrap();
        db.close().await;
    });
    let (code, told, complaint) = doctor();
    let lines: Vec<&str> = told.lines().collect();
    let rating = format!(
        "ratings: product {} has 5 stars in 1 reviews, its reviews say 0 in 0",
        products[1]
    );
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].ends_with("has 99999 on the shelf, its ledger says 100000"));
    assert!(lines[1].ends_with("has 2 reserved, its reservations say 0"));
    assert_eq!(lines[2], rating);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("3 imbalances"), "{complaint}");
    // What can be counted anew is, and the doctor says what it did.
    let done = run(
        shop.path(),
        &["doctor", "--repair", "--database", &shop.database],
    );
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let repaired: Vec<&str> = told.lines().collect();
    assert_eq!(repaired.len(), 4, "{told}");
    assert!(repaired[0].starts_with("repaired stock: an entry of -1 pieces was written"));
    assert!(repaired[1].ends_with("has 0 reserved now"), "{told}");
    assert!(repaired[2].starts_with("repaired ratings: those of product"));
    assert_eq!(repaired[3], "the books are balanced");
    assert!(done.status.success());
    assert_eq!(doctor().0, Some(0));
    shop.remove();
}

/// The audit log of a shop is verified, noted down, and verified again after somebody wrote into
/// the database.
fn verify(shop: Place) {
    let runtime = runtime();
    runtime.block_on(shop.fill());
    let verify = |more: &[&str]| {
        let all = [&["audit", "verify", "--database", &shop.database], more].concat();
        let done = run(shop.path(), &all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let change = |statements: &[&'static str]| {
        runtime.block_on(async {
            let db = Db::open(&shop.database, 2).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            for statement in statements {
                let sql = Sql::same(statement);
                assert_ne!(execute(&mut tx, sql, Vec::new()).await.unwrap(), 0);
            }
            tx.commit().await.unwrap();
            db.close().await;
        });
    };
    let (code, told, complaint) = verify(&[]);
    assert_eq!(code, Some(0), "{complaint}");
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("2 entries are as they were written"));
    let head = lines.next().unwrap();
    let head = head.strip_prefix("note this down elsewhere: ").unwrap();
    assert_eq!(verify(&["--noted", head]).0, Some(0));
    let (code, _, complaint) = verify(&["--noted", "2:abc"]);
    assert_eq!(code, Some(2), "{complaint}");

    change(&["update audit_log set actor_name = 'Nobody' where position = 2"]);
    let (code, told, complaint) = verify(&[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("The entry 2 (id "), "{told}");
    assert!(told.contains("product.created of product "), "{told}");
    assert!(
        complaint.contains("the audit log is not what was written"),
        "{complaint}"
    );
    let doctor = run(shop.path(), &["doctor", "--database", &shop.database]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        told.contains("audit log: The entry 2 (id "),
        "the doctor said {told}"
    );

    // Who can write everything makes a new chain of it; what was noted tells.
    change(&[
        "update audit_log set position = null, hash = ''",
        "update audit_head set position = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'",
    ]);
    assert_eq!(verify(&[]).0, Some(0));
    let (code, told, _) = verify(&["--noted", head]);
    assert_eq!(code, Some(1));
    assert!(told.contains("The entry 2 is not what was noted"), "{told}");
    shop.remove();
}

/// A cart that somebody wanted to place.
struct Bought {
    cart: String,
    /// What the shop acknowledged: the order's number, its token and its total.
    order: Option<(String, String, Value)>,
}

/// Fills a cart of two lines and places it. None when the cart was not acknowledged.
async fn buy(client: &reqwest::Client, url: &str, products: &[i64]) -> Option<Bought> {
    let mut cart = String::new();
    for (index, product) in products.iter().enumerate() {
        let reply = client
            .post(format!("{url}/api/cart/items"))
            .header("cart-token", &cart)
            .json(&json!({"product_id": product, "quantity": index + 1}))
            .send()
            .await
            .ok()?;
        assert!(
            reply.status().is_success(),
            "{}",
            reply.text().await.unwrap()
        );
        if cart.is_empty() {
            cart = reply.headers()["cart-token"].to_str().unwrap().to_owned();
        }
        reply.bytes().await.ok()?;
    }
    let order = place(client, url, &cart, true).await;
    Some(Bought { cart, order })
}

/// Places a cart; none when the shop died before it had answered.
async fn place(
    client: &reqwest::Client,
    url: &str,
    cart: &str,
    with_key: bool,
) -> Option<(String, String, Value)> {
    let mut request = client
        .post(format!("{url}/api/orders"))
        .header("cart-token", cart)
        .json(&json!({
            "email": "guest@example.com",
            "shipping_address": "1 Main Street, Springfield",
            "payment": {"provider": "cash_on_delivery"},
        }));
    if with_key {
        request = request.header("idempotency-key", cart);
    }
    let reply = request.send().await.ok()?;
    let status = reply.status();
    let order: Value = reply.json().await.ok()?;
    assert!(status == 201 || status == 200, "{status}: {order}");
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    Some((text("number"), text("order_token"), order["total"].clone()))
}

/// Several buyers, a kill in the middle, and a look at what is left; some rounds of it.
fn kill_and_look(shop: Place) {
    const ROUNDS: usize = 3;
    const BUYERS: usize = 4;
    const ACKNOWLEDGED: usize = 6;
    let runtime = runtime();
    let products = runtime.block_on(shop.fill());
    let mut expected = 0;
    for _ in 0..ROUNDS {
        let program = shop.start(&[]);
        let attempts = runtime.block_on(async {
            let (told, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
            let buyers: Vec<_> = (0..BUYERS)
                .map(|_| {
                    let (url, products, told) =
                        (program.url.clone(), products.clone(), told.clone());
                    tokio::spawn(async move {
                        let client = reqwest::Client::new();
                        let mut attempts = Vec::new();
                        while let Some(bought) = buy(&client, &url, &products).await {
                            let answered = bought.order.is_some();
                            attempts.push(bought);
                            if !answered || told.send(()).is_err() {
                                break;
                            }
                        }
                        attempts
                    })
                })
                .collect();
            for _ in 0..ACKNOWLEDGED {
                acknowledged.recv().await.unwrap();
            }
            program.kill();
            let mut attempts = Vec::new();
            for buyer in buyers {
                attempts.extend(buyer.await.unwrap());
            }
            attempts
        });
        expected += attempts.len();
        let program = shop.start(&[]);
        runtime.block_on(look(&program.url, &attempts));
        program.stop();
        runtime.block_on(check_books(&shop.database, expected as i64));
    }
    shop.remove();
}

/// What was acknowledged is there; what was not is placed once by trying again.
async fn look(url: &str, attempts: &[Bought]) {
    let client = reqwest::Client::new();
    for attempt in attempts {
        let (number, token, total) = match &attempt.order {
            Some(order) => order.clone(),
            None => place(&client, url, &attempt.cart, false).await.unwrap(),
        };
        let reply = client
            .get(format!("{url}/api/orders/{number}"))
            .header("order-token", token)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200, "order {number} is lost");
        let order: Value = reply.json().await.unwrap();
        assert_eq!(order["total"], total);
        assert_eq!(order["lines"].as_array().unwrap().len(), 2, "{order}");
    }
}

/// What no shop may contain: a name and a query that finds it.
const HALVES: &[(&str, &str)] = &[
    (
        "orders whose lines and shipping are not their total",
        "select number from orders o
        where total_minor <> shipping_minor
            + (select coalesce(sum(total_minor), 0) from order_lines where order_id = o.id)",
    ),
    (
        "orders without both lines",
        "select number from orders o
        where (select count(*) from order_lines where order_id = o.id) <> 2",
    ),
    (
        "orders without their payment",
        "select number from orders o
        where not exists (
            select 1 from payments p
            where p.order_id = o.id and p.amount_minor = o.total_minor and p.status = 'pending'
        )",
    ),
    (
        "orders without a timeline",
        "select number from orders o
        where not exists (select 1 from order_events where order_id = o.id)",
    ),
    (
        "orders whose cart still waits",
        "select o.number from orders o
        join carts c on c.id = o.cart_id
        where c.status <> 'ordered'",
    ),
    (
        "ordered carts without an order",
        "select token from carts c
        where status = 'ordered' and not exists (select 1 from orders where cart_id = c.id)",
    ),
    (
        "stock that is not the sum of its ledger",
        "select cast(variant_id as text) from stock_levels l
        where on_hand <> (
            select coalesce(sum(quantity), 0) from stock_movements m
            where m.variant_id = l.variant_id and m.location_id = l.location_id
        )",
    ),
    (
        "stock that was not sold as ordered",
        "select cast(variant_id as text) from stock_levels l
        where 100000 - on_hand <> (
            select coalesce(sum(quantity), 0) from order_lines where variant_id = l.variant_id
        )",
    ),
];

async fn check_books(database: &str, orders: i64) {
    let db = Db::open(database, 2).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    for &(what, query) in HALVES {
        let found: Vec<(String,)> = rows(&mut conn, query).await;
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    let counted: Vec<(i64, i64)> = rows(
        &mut conn,
        "select (select count(*) from orders),
            (select count(*) from outbox where topic = 'order.placed')",
    )
    .await;
    assert_eq!(
        counted,
        [(orders, orders)],
        "orders, and events that tell of them"
    );
    drop(conn);
    db.close().await;
}

async fn rows<T: zoco::db::query::Row>(conn: &mut Conn, query: &'static str) -> Vec<T> {
    fetch_all(conn, Sql::same(query), Vec::new()).await.unwrap()
}
