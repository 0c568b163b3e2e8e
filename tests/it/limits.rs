//! How often one asker may ask: by account, by address, behind proxies, and what they are told.

use serde_json::json;
use zoco::config::Switch;

use crate::api::problem;
use crate::support::clients::PASSWORD;
use crate::support::process::Program;
use crate::support::{Reply, TestApp, both, plain};

/// `RateLimit-Limit`, `-Remaining`, `-Reset`, `Retry-After`; empty where there is none.
fn told(reply: &Reply) -> [String; 4] {
    [
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "retry-after",
    ]
    .map(|name| reply.header(name))
}

/// The same shop with small budgets: two pages, three readings, two writings a minute.
async fn small(app: &TestApp) -> TestApp {
    let change = |config: &mut zoco::config::Config| {
        config.page_limit = 2;
        config.read_limit = 3;
        config.write_limit = 2;
        config.trusted_proxies = 1;
    };
    app.with_settings(change).await
}

both! {
    async fn an_address_has_a_budget_for_reading_and_one_for_writing(app: TestApp) {
        let cup = app.product("Cup", "9.99", 50).await;
        let app = small(&app).await;
        let api = app.api().with("x-forwarded-for", "192.0.2.1");
        for remaining in ["2", "1", "0"] {
            let reply = api.get("/api/products").await.expect(200);
            assert_eq!(told(&reply), ["3", remaining, "60", ""]);
        }
        app.clock.advance_seconds(20);
        let reply = api.get("/api/v1/nothing").await;
        problem(&reply, 429, "too_many_requests");
        assert_eq!(told(&reply), ["3", "0", "40", "40"]);
        // Writing is another budget; answers of every kind count and tell.
        let item = json!({"product_id": cup.id.0});
        let reply = api.post("/api/cart/items", item.clone()).await.expect(200);
        assert_eq!(told(&reply), ["2", "1", "60", ""]);
        let reply = api.post("/api/cart/items", json!({"quantity": "x"})).await.expect(422);
        assert_eq!(told(&reply), ["2", "0", "60", ""]);
        problem(&api.delete("/api/cart").await, 429, "too_many_requests");
        // So are pages, and another address.
        app.browser().get("/products").await.expect(200);
        let other = app.api().with("x-forwarded-for", "192.0.2.2");
        other.get("/api/products").await.expect(200);
        app.clock.advance_seconds(40);
        let reply = api.get("/api/products").await.expect(200);
        assert_eq!(told(&reply), ["3", "2", "60", ""]);
    }

    async fn an_account_has_one_budget_wherever_it_asks_from(app: TestApp) {
        app.customer("ann@example.com").await;
        app.customer("bob@example.com").await;
        let ann = app.api().signed_in("ann@example.com").await;
        let bob = app.api().signed_in("bob@example.com").await;
        let app = small(&app).await;
        let from = |client: &crate::support::Api, address: &str| {
            let mut client = client.clone();
            client.router = app.api().router;
            client.with("x-forwarded-for", address)
        };
        for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
            from(&ann, address).get("/api/auth/me").await.expect(200);
        }
        let refused = from(&ann, "192.0.2.3").get("/api/auth/me").await;
        problem(&refused, 429, "too_many_requests");
        // Neither others at that address nor its own anonymous visits are closed by that.
        from(&bob, "192.0.2.1").get("/api/auth/me").await.expect(200);
        from(&app.api(), "192.0.2.1").get("/api/products").await.expect(200);
    }

    async fn a_token_that_is_none_counts_for_its_address(app: TestApp) {
        let app = small(&app).await;
        for (number, status) in [(1, 401), (2, 401), (3, 401), (4, 429)] {
            let api = app.api().with("x-forwarded-for", "192.0.2.1");
            let api = api.with("authorization", &format!("Bearer nonsense-{number}"));
            api.get("/api/products").await.expect(status);
        }
    }

    async fn a_household_shares_a_budget_and_nobody_spoofs_another(app: TestApp) {
        let app = small(&app).await;
        let ask = async |forwarded: &str| {
            let api = app.api().with("x-forwarded-for", forwarded);
            api.get("/api/products").await.header("ratelimit-remaining")
        };
        assert_eq!(ask("2001:db8:1:2::1").await, "2");
        assert_eq!(ask("[2001:db8:1:2::ffff]:4711").await, "1");
        assert_eq!(ask("2001:db8:1:3::1").await, "2");
        // What a sender writes in front of the proxy's own entry changes nothing.
        for (spoofed, remaining) in [("203.0.113.1", "2"), ("unknown", "1"), ("nonsense, ,", "0")] {
            assert_eq!(ask(&format!("{spoofed}, 192.0.2.1")).await, remaining, "{spoofed}");
        }
        assert_eq!(ask("::ffff:192.0.2.2").await, "2");
        assert_eq!(ask("192.0.2.2").await, "1");
    }

    async fn pages_are_counted_and_what_they_are_made_of_is_not(app: TestApp) {
        app.storage.put("ab/picture.webp", b"RIFF").await.unwrap();
        app.customer("ann@example.com").await;
        let mut ann = app.browser();
        ann.sign_in("ann@example.com").await;
        let app = small(&app).await;
        let visitor = app.api();
        for path in ["/", "/nothing"] {
            let reply = visitor.get(path).await;
            assert_eq!(told(&reply), ["", "", "", ""], "{path} is the same for everybody");
        }
        app.clock.advance_seconds(15);
        let refused = visitor.get("/products").await.expect(429);
        assert_eq!(told(&refused), ["2", "0", "45", "45"]);
        assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
        assert!(refused.text("main").contains("try again in 45 seconds"), "{}", refused.text("main"));
        for path in ["/static/css/zoco.css", "/media/ab/picture.webp", "/health/live", "/health/ready", "/api/openapi.json", "/robots.txt", "/metrics"] {
            visitor.get(path).await.expect(200);
        }
        visitor.get("/api/products").await.expect(200);
        let here = visitor.with("sec-fetch-site", "same-origin");
        let form = "application/x-www-form-urlencoded";
        here.request(axum::http::Method::POST, "/cart/items", form, Vec::new()).await.expect(429);
        // Whoever is signed in has a budget of their own at the same address.
        ann.router = visitor.router.clone();
        ann.get("/account").await.expect(200);
        ann.get("/account").await.expect(200);
        ann.get("/account").await.expect(429);
        app.clock.advance_seconds(45);
        visitor.get("/products").await.expect(200);
    }

    async fn guesses_at_a_password_tell_their_own_limit(app: TestApp) {
        app.customer("ann@example.com").await;
        let api = app.api();
        let wrong = json!({"email": "ann@example.com", "password": "wrong password"});
        for _ in 0..10 {
            let reply = api.post("/api/auth/login", wrong.clone()).await.expect(401);
            assert_eq!(reply.header("ratelimit-limit"), "600");
        }
        let reply = api.post("/api/auth/login", wrong).await;
        problem(&reply, 429, "too_many_requests");
        assert_eq!(told(&reply), ["10", "0", "900", "900"]);
        let mut browser = app.browser();
        let fields = [("email", "ann@example.com"), ("password", PASSWORD)];
        let page = browser.post("/sign-in", &fields).await.expect(429);
        assert_eq!(told(&page), ["10", "0", "900", "900"]);
    }

    async fn the_figures_count_what_was_refused(app: TestApp) {
        let app = small(&app).await;
        // A gauge or counter that is set before somebody listens is set for nobody.
        app.api().get("/metrics").await.expect(200);
        for _ in 0..4 {
            app.api().get("/api/products").await;
            app.api().get("/products").await;
        }
        let figures = app.api().get("/metrics").await.expect(200);
        for what in ["api_reads", "pages"] {
            let line = format!("zoco_rate_limited_total{{what=\"{what}\"}} ");
            assert!(figures.has(&line), "{}", figures.body);
        }
    }

    async fn switched_off_nobody_is_counted(app: TestApp) {
        let change = |config: &mut zoco::config::Config| {
            config.read_limit = 1;
            config.rate_limits = Switch::Off;
        };
        let app = app.with_settings(change).await;
        for _ in 0..3 {
            let reply = app.api().get("/api/products").await.expect(200);
            assert_eq!(told(&reply), ["", "", "", ""]);
        }
    }
}

plain! {
    fn a_shop_without_limits_says_so_in_its_log() {
        for (setting, warned) in [("on", false), ("off", true)] {
            let folder = tempfile::tempdir().unwrap();
            let program = Program::start(folder.path(), &["--no-demo"], &[("ZOCO_RATE_LIMITS", setting)]);
            assert_eq!(program.log().contains("rate limits are off"), warned, "{}", program.log());
            program.stop();
        }
    }
}
