//! The askers, and the things that routes name: real ones, of user A where somebody owns them.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::json;
use zoco::accounts::service::{self as accounts, NewStaff, NewToken};
use zoco::addresses::service::AddressChange;
use zoco::catalog::ProductKey;
use zoco::catalog::service as catalog;
use zoco::ctx::{Ctx, Permission};
use zoco::db::Query;
use zoco::payments::model::{EventState, GatewayEvent};
use zoco::payments::store as payments;
use zoco::promotions::service::PromotionInput;
use zoco::reviews::service::ReviewInput;
use zoco::search::service::SynonymInput;
use zoco::search::{Miss, store};
use zoco::shipping::service::{MethodInput, ZoneInput};
use zoco::taxes::service::TaxRateInput;
use zoco::types::{Email, MoneyInput, ProductId};

use super::Line;
use crate::admin::{category, order, png};
use crate::api;
use crate::support::clients::{PASSWORD, multipart};
use crate::support::{Api, Browser, Reply, TestApp};

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Nobody who signed in.
    Anonymous,
    /// Whose the things are.
    A,
    /// Another customer.
    B,
    /// Somebody who works here, with these permissions.
    Staff(Vec<Permission>),
    /// An admin.
    Admin,
}

impl Asker {
    fn email(&self) -> &'static str {
        match self {
            Self::Anonymous => "",
            Self::A => "a@example.com",
            Self::B => "b@example.com",
            Self::Staff(_) => "staff@example.com",
            Self::Admin => "admin@example.com",
        }
    }
}

/// The clients of one person.
struct Clients {
    browser: Browser,
    api: Api,
}

/// The shop, its askers and its things.
pub struct World {
    app: TestApp,
    owner: Ctx,
    askers: HashMap<&'static str, Clients>,
    /// What the staff may work on just now.
    permissions: Vec<Permission>,
    /// What stands for a placeholder, by what it names; made when it is first asked for.
    things: HashMap<String, String>,
    /// How many names were made up.
    names: usize,
    /// The content type of each write of the API.
    bodies: HashMap<(Method, String), String>,
}

impl World {
    /// A shop with nothing but its askers.
    pub async fn new(app: &TestApp) -> Self {
        let owner = app.customer(Asker::A.email()).await;
        app.customer(Asker::B.email()).await;
        app.staff(Asker::Staff(Vec::new()).email(), &[]).await;
        app.admin().await;
        let bodies = api::routes().into_iter().filter_map(|route| {
            let content_type = route.content_type()?.to_owned();
            Some(((route.method, route.path), content_type))
        });
        let mut world = Self {
            app: app.clone(),
            owner,
            askers: HashMap::new(),
            permissions: Vec::new(),
            things: HashMap::new(),
            names: 0,
            bodies: bodies.collect(),
        };
        let (browser, api) = (app.browser(), app.api());
        world.askers.insert("", Clients { browser, api });
        for asker in [Asker::A, Asker::B, Asker::Staff(Vec::new()), Asker::Admin] {
            world.sign_in(asker.email()).await;
        }
        world
    }

    async fn sign_in(&mut self, email: &'static str) {
        let mut browser = self.askers[""].browser.clone();
        browser.sign_in(email).await;
        let api = self.askers[""].api.signed_in(email).await;
        self.askers.insert(email, Clients { browser, api });
    }

    /// Asks for a route as somebody would who may: for a thing that is there, with a body of the
    /// right shape. It is made up anew after each change, so that one visit does not spoil the next.
    pub async fn knock(&mut self, line: &Line, asker: &Asker) -> Reply {
        if let Asker::Staff(permissions) = asker {
            self.permit(permissions).await;
        }
        let path = self.path(line).await;
        let (content_type, body) = self.body(line).await;
        let clients = self.askers.get_mut(asker.email()).unwrap();
        let reply = if line.is_page() {
            // A guest is somebody new each time: a visit remembers.
            let mut stranger = clients.browser.clone();
            let browser = match asker {
                Asker::Anonymous => &mut stranger,
                _ => &mut clients.browser,
            };
            browser
                .request(line.method.clone(), &path, &content_type, body)
                .await
        } else {
            clients
                .api
                .request(line.method.clone(), &path, &content_type, body)
                .await
        };
        let changed = reply.status.is_success() || reply.status.is_redirection();
        if line.method != Method::GET && changed {
            self.things.clear();
            self.come_back(line, asker).await;
        }
        reply
    }

    /// Somebody who ended their own visit signs in again.
    async fn come_back(&mut self, line: &Line, asker: &Asker) {
        if *asker == Asker::Anonymous
            || line.path.starts_with("/admin")
            || line.path.starts_with("/api/admin")
        {
            return;
        }
        let clients = self.askers.get_mut(asker.email()).unwrap();
        let page = clients
            .browser
            .request(Method::GET, "/account", "", Vec::new())
            .await;
        let me = clients.api.get("/api/auth/me").await;
        if !page.status.is_success() || !me.status.is_success() {
            self.sign_in(asker.email()).await;
        }
    }

    /// Gives the staff these permissions and no others; they hold from the next request on.
    async fn permit(&mut self, permissions: &[Permission]) {
        if self.permissions == permissions {
            return;
        }
        let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
        let mut query = Query::new("update users set permissions = ");
        query.bind(words.join(",")).push(" where email = ");
        query.bind(Asker::Staff(Vec::new()).email());
        let mut tx = self.app.db.begin().await.unwrap();
        assert_eq!(query.execute(&mut tx).await.unwrap(), 1);
        tx.commit().await.unwrap();
        self.permissions = permissions.to_vec();
    }

    /// The path with things that are there, and the query that it needs.
    async fn path(&mut self, line: &Line) -> String {
        let parts: Vec<&str> = line.path.split('/').collect();
        let mut path = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            if part.starts_with('{') {
                let kind = format!("{} {part}", parts[at - 1]);
                path.push(self.thing(&kind, &line.path).await);
            } else {
                path.push((*part).to_owned());
            }
        }
        let query = match line.path.as_str() {
            "/api/admin/search/misses" if line.method == Method::DELETE => "?words=zebra",
            _ => "",
        };
        if line.path.ends_with("/invoice") {
            Box::pin(self.issue_invoice()).await;
        }
        if !query.is_empty() {
            self.miss().await;
        }
        path.join("/") + query
    }

    /// What a placeholder stands for: its kind is the part of the path before it, and its name.
    async fn thing(&mut self, kind: &str, path: &str) -> String {
        if let Some(known) = self.things.get(kind) {
            return known.clone();
        }
        let system = self.app.system();
        let made = match kind {
            "products {slug}" => self.product_slug().await,
            "products {key}" | "products {id}" => self.product().await.to_string(),
            "images {id}" | "images {image}" => {
                let key = ProductKey::Id(self.product().await);
                let image = catalog::add_image(&self.app, &system, &key, png(8, 8), "").await;
                image.unwrap().id.to_string()
            }
            "variants {id}" => {
                let key = ProductKey::Id(self.product().await);
                let product = catalog::product(&self.app, &system, &key).await.unwrap();
                product.variants[0].id.to_string()
            }
            "reviews {id}" => {
                let key = ProductKey::Id(self.product().await);
                let input = ReviewInput {
                    rating: 4,
                    ..ReviewInput::default()
                };
                let review =
                    zoco::reviews::service::create(&self.app, &self.owner, &key, input).await;
                review.unwrap().id.to_string()
            }
            "categories {slug}" | "categories {key}" | "categories {id}" => {
                let name = self.name("Category");
                let category = category(&self.app, &name).await;
                match kind {
                    "categories {slug}" => category.slug.to_string(),
                    _ => category.id.to_string(),
                }
            }
            "addresses {id}" => {
                let input = AddressChange {
                    name: Some("Ada".to_owned()),
                    line1: Some("1 Main St".to_owned()),
                    city: Some("Lugo".to_owned()),
                    postal_code: Some("27001".to_owned()),
                    country: Some("ES".to_owned()),
                    ..AddressChange::default()
                };
                let saved = zoco::addresses::service::add(&self.app, &self.owner, input).await;
                saved.unwrap().id.to_string()
            }
            "items {id}" => {
                let item = json!({"product_id": self.product().await.0});
                let a = &self.askers[Asker::A.email()].api;
                let cart = a.post("/api/cart/items", item).await.expect(200).json();
                cart["items"][0]["id"].to_string()
            }
            "orders {number}" => {
                let key = ProductKey::Id(self.product().await);
                let product = catalog::product(&self.app, &system, &key).await.unwrap();
                // What was in the cart is in the order now.
                self.things.remove("items {id}");
                order(&self.app, &self.owner, &product, 1, "bank_transfer").await
            }
            "returns {return}" => Box::pin(self.ask_for_return()).await,
            "invoices {invoice}" => Box::pin(self.issue_invoice()).await,
            "parcels {parcel}" | "fulfilments {fulfilment}" => Box::pin(self.send_parcel()).await,
            "test-gateway {reference}" | "payments {id}" => {
                let key = ProductKey::Id(self.product().await);
                let product = catalog::product(&self.app, &system, &key).await.unwrap();
                self.things.remove("items {id}");
                let number = order(&self.app, &self.owner, &product, 1, "test").await;
                let order = zoco::orders::service::order(&self.app, &system, &number).await;
                let payment = order.unwrap().payments.remove(0);
                match kind {
                    "payments {id}" => payment.id.to_string(),
                    _ => payment.gateway_reference.unwrap(),
                }
            }
            "webhooks {provider}" => "test".to_owned(),
            "events {id}" => self.stray_event().await,
            "sessions {id}" => {
                let a = self.askers[""].api.signed_in(Asker::A.email()).await;
                let listed = a.get("/api/auth/sessions").await.expect(200).json();
                let items = listed["items"].as_array().unwrap();
                let own = items.iter().find(|item| item["current"] == true).unwrap();
                own["id"].as_str().unwrap().to_owned()
            }
            "tokens {id}" => {
                let input = NewToken {
                    name: self.name("Till"),
                    scopes: vec!["cart:read".to_owned()],
                    expires_in_days: 1,
                    password: PASSWORD.to_owned(),
                };
                let made = accounts::make_personal_token(&self.app, &self.owner, input).await;
                made.unwrap().0.id.to_string()
            }
            "imports {id}" => {
                let text = "slug,name,price\n";
                crate::imports::bring(&self.app, &system, text)
                    .await
                    .to_string()
            }
            "synonyms {id}" => {
                let words = vec![self.name("sofa"), self.name("couch")];
                let input = SynonymInput {
                    words: Some(words),
                    targets: None,
                };
                let made = zoco::search::service::create_synonym(&self.app, &system, input).await;
                made.unwrap().id.to_string()
            }
            "shipping {id}" | "zones {id}" => {
                let input = ZoneInput {
                    name: Some(self.name("Zone")),
                    countries: Some(vec!["NZ".to_owned()]),
                    ..ZoneInput::default()
                };
                let made = zoco::shipping::service::create_zone(&self.app, &system, input).await;
                made.unwrap().id.to_string()
            }
            "methods {code}" => {
                let input = MethodInput {
                    name: Some(self.name("Method")),
                    price: Some(MoneyInput::new("1")),
                    ..MethodInput::default()
                };
                // A zone comes along, since there is only so much place in one.
                let zone = self.name("Zone");
                crate::shipping::method(&self.app, &zone, input).await
            }
            "classes {code}" => {
                let code = self.name("class").replace(' ', "-");
                crate::taxes::class(&self.app, &code).await;
                code
            }
            "rates {id}" => {
                let region = self.name("Region");
                let input = TaxRateInput {
                    tax_class: Some("standard".to_owned()),
                    country: Some("FR".to_owned()),
                    region: Some(region),
                    name: Some("VAT".to_owned()),
                    percent: Some("20".to_owned()),
                };
                let made = zoco::taxes::service::create_rate(&self.app, &system, input).await;
                made.unwrap().id.to_string()
            }
            "gift-cards {id}" => {
                let input = zoco::credit::service::NewCards {
                    amount: Some(zoco::types::MoneyInput::new("5.00")),
                    ..zoco::credit::service::NewCards::default()
                };
                let issued = zoco::credit::service::issue(&self.app, &system, input).await;
                issued.unwrap()[0].account.id.to_string()
            }
            "store-credit {id}" => {
                let input = zoco::credit::service::Grant {
                    email: Asker::A.email().to_owned(),
                    amount: Some(zoco::types::MoneyInput::new("5.00")),
                    reason: "Sorry".to_owned(),
                    ..zoco::credit::service::Grant::default()
                };
                let granted = zoco::credit::service::grant(&self.app, &system, input).await;
                granted.unwrap().id.to_string()
            }
            "promotions {id}" => {
                let name = self.name("Sale");
                let input = PromotionInput {
                    code: Some(name.clone()),
                    name,
                    trigger: Some("code".to_owned()),
                    kind: "free_shipping".to_owned(),
                    ..PromotionInput::default()
                };
                let made = zoco::promotions::service::create(&self.app, &system, input).await;
                made.unwrap().id.to_string()
            }
            "gift-cards {card}" => {
                Box::pin(self.thing("items {id}", path)).await;
                let input = zoco::credit::service::NewCards {
                    amount: Some(zoco::types::MoneyInput::new("5.00")),
                    ..zoco::credit::service::NewCards::default()
                };
                let issued = zoco::credit::service::issue(&self.app, &system, input).await;
                let issued = issued.unwrap().remove(0);
                let a = &self.askers[Asker::A.email()].api;
                let given = a
                    .post("/api/cart/gift-cards", json!({ "code": issued.code }))
                    .await;
                given.expect(200);
                issued.account.last_four
            }
            "codes {code}" if path.starts_with("/api/cart") => {
                Box::pin(self.thing("items {id}", path)).await;
                let id = Box::pin(self.thing("promotions {id}", path)).await;
                let code = self.code(&id).await;
                let a = &self.askers[Asker::A.email()].api;
                let given = a.post("/api/cart/coupon", json!({ "code": code })).await;
                given.expect(200);
                code
            }
            "codes {code}" => {
                let id = Box::pin(self.thing("promotions {id}", path)).await;
                self.code(&id).await
            }
            "locations {code}" => {
                let code = self.name("place").replace(' ', "-");
                let input = zoco::inventory::service::LocationInput {
                    code: Some(code.clone()),
                    name: Some(code.clone()),
                    ..Default::default()
                };
                let made =
                    zoco::inventory::service::create_location(&self.app, &system, input).await;
                made.unwrap().code
            }
            "staff {id}" => {
                let name = self.name("Member");
                let email = format!("{}@example.com", name.replace(' ', "-").to_lowercase());
                let people = [(Email::parse(&email).unwrap(), name)];
                accounts::ensure_customers(&self.app, &system, &people)
                    .await
                    .unwrap();
                let new = NewStaff {
                    email,
                    ..NewStaff::default()
                };
                accounts::add_staff(&self.app, &system, new)
                    .await
                    .unwrap()
                    .user
                    .id
                    .to_string()
            }
            // Somebody was made an admin.
            "audit {id}" | "audit {entry}" => "1".to_owned(),
            "sitemaps {name}" => {
                self.product().await;
                "products-1.xml".to_owned()
            }
            "docs {*file}" => "index.html".to_owned(),
            "static {*name}" => "css/zoco.css".to_owned(),
            _ => panic!(
                "{path}: no test knows what {kind} is. Say in World::thing of tests/it/access/world.rs how \
                 to make one that belongs to user A."
            ),
        };
        self.things.insert(kind.to_owned(), made.clone());
        made
    }

    /// Issues the invoice of the order that was made; gives its number.
    async fn issue_invoice(&self) -> String {
        let (app, number) = (&self.app, &self.things["orders {number}"]);
        let issued = zoco::orders::service::issue_invoice(app, &app.system(), number).await;
        issued.unwrap().number
    }

    /// Moves the order that was made on, as far as its state allows: some of it may have happened
    /// for another thing of this order.
    async fn drive_order(&self, steps: &[&str]) -> zoco::orders::Order {
        let (app, number) = (&self.app, &self.things["orders {number}"]);
        let system = app.system();
        for to in steps {
            let to = to.parse().unwrap();
            let _ = Box::pin(zoco::orders::service::transition(app, &system, number, to)).await;
        }
        let order = zoco::orders::service::order(app, &system, number).await;
        order.unwrap()
    }

    /// Sends the order that was made; gives its parcel's number.
    async fn send_parcel(&self) -> String {
        let order = self
            .drive_order(&["confirmed", "processing", "shipped"])
            .await;
        order.fulfilments[0].number.to_string()
    }

    /// Asks to send something of the order that was made back; gives the return's number.
    async fn ask_for_return(&self) -> String {
        let steps = ["confirmed", "processing", "shipped", "delivered"];
        let order = self.drive_order(&steps).await;
        let line = zoco::orders::service::NewReturnLine {
            line_id: order.lines[0].id.0,
            quantity: 1,
            reason: "late".to_owned(),
        };
        let input = zoco::orders::service::NewReturn {
            lines: Some(vec![line]),
            note: None,
        };
        let (app, system) = (&self.app, self.app.system());
        let number = &order.number;
        let asked = zoco::orders::service::request_return(app, &system, number, input).await;
        asked.unwrap().returns[0].number.to_string()
    }

    /// The id of the product that everything else is about.
    async fn product(&mut self) -> ProductId {
        if !self.things.contains_key("product") {
            let name = self.name("Cup");
            let product = self.app.product(&name, "9.99", 50).await;
            self.things
                .insert("product".to_owned(), product.id.to_string());
        }
        ProductId(self.things["product"].parse().unwrap())
    }

    /// The newest code of a promotion.
    async fn code(&self, promotion: &str) -> String {
        let id = promotion.parse().unwrap();
        let page = zoco::types::PageRequest::default();
        let codes = zoco::promotions::service::codes(&self.app, &self.app.system(), id, page).await;
        codes.unwrap().items[0].code.clone()
    }

    async fn product_slug(&mut self) -> String {
        let key = ProductKey::Id(self.product().await);
        let product = catalog::product(&self.app, &self.app.system(), &key).await;
        product.unwrap().slug.to_string()
    }

    fn name(&mut self, word: &str) -> String {
        self.names += 1;
        format!("{word} {}", self.names)
    }

    /// An event about a payment that the shop does not know.
    async fn stray_event(&mut self) -> String {
        let event = GatewayEvent {
            id: self.name("evt"),
            kind: "payment.succeeded".to_owned(),
            references: Vec::new(),
            begun_as: None,
            payment_id: None,
            order_number: String::new(),
        };
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin().await.unwrap();
        let id = payments::insert_event(&mut tx, "test", &event, "{}", now)
            .await
            .unwrap()
            .unwrap();
        payments::finish_event(&mut tx, id, None, EventState::Unknown, "", now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        id.to_string()
    }

    /// Somebody looked for a zebra in vain.
    async fn miss(&self) {
        let last_at = self.app.clock.now();
        let miss = Miss {
            words: "zebra".to_owned(),
            count: 1,
            last_at,
        };
        let mut tx = self.app.db.begin().await.unwrap();
        store::add_misses(&mut tx, &[miss]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Content type and body of a write: of the right shape, so that it is read, and mostly with
    /// nothing in it, so that whoever is let in is told what is missing instead of changing the shop.
    async fn body(&mut self, line: &Line) -> (String, Vec<u8>) {
        if line.method == Method::GET {
            return (String::new(), Vec::new());
        }
        let form = "application/x-www-form-urlencoded";
        let place = (line.method.clone(), line.path.clone());
        let content_type = match line.path.as_str() {
            "/admin/imports" | "/admin/products/{id}/images" => "multipart/form-data",
            _ if line.is_page() => form,
            _ => self.bodies.get(&place).map_or("", String::as_str),
        };
        let content_type = content_type.to_owned();
        match content_type.as_str() {
            "multipart/form-data" => {
                let field = if line.path.ends_with("imports") {
                    "file"
                } else {
                    "image"
                };
                multipart(&[], (field, "none", b""))
            }
            "application/json" => {
                let body = match line.path.as_str() {
                    "/api/admin/products/bulk" => json!({"change": {}}),
                    "/api/cart/items/{id}" => json!({"quantity": 2}),
                    "/api/cart/coupon" if line.method == Method::DELETE => {
                        json!({ "code": self.thing("codes {code}", &line.path).await })
                    }
                    "/api/cart/coupon" => json!({"code": ""}),
                    "/api/admin/orders/{number}/transitions" => json!({"to": "confirmed"}),
                    _ => json!({}),
                };
                (content_type, body.to_string().into_bytes())
            }
            _ => {
                // Forms that name what belongs to somebody.
                let kind = match line.path.as_str() {
                    "/account/sign-ins/end" => "sessions {id}",
                    "/account/tokens/revoke" => "tokens {id}",
                    _ => return (content_type, Vec::new()),
                };
                let id = self.thing(kind, &line.path).await;
                (content_type, format!("id={id}").into_bytes())
            }
        }
    }
}
