//! A purchase, the suggestions of the search field, and whether pages fit their window, in a real
//! Chromium.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

use crate::support::process::Program;
use crate::support::{needs, runtime};

/// A chromedriver on a port of its own; killed when dropped.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .filter(|line| line.contains("started successfully"))
            .find_map(|line| Some(line.rsplit_once(" on port ")?.1.to_owned()))
            .expect("chromedriver tells its port");
        // Somebody must go on reading, or a later line would end it.
        std::thread::spawn(move || lines.count());
        let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        Self { child, url }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A window of a Chromium.
struct Window {
    driver: WebDriver,
    width: u32,
}

impl Window {
    async fn open(server: &str, folder: &std::path::Path, width: u32, scripts: bool) -> Self {
        let mut wishes = DesiredCapabilities::chrome();
        wishes.set_binary("/usr/bin/chromium").unwrap();
        let profile = format!("--user-data-dir={}", folder.display());
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            &profile,
        ] {
            wishes.add_arg(flag).unwrap();
        }
        if !scripts {
            let blocked = json!({"profile.managed_default_content_settings.javascript": 2});
            wishes.add_experimental_option("prefs", blocked).unwrap();
        }
        wishes
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .unwrap();
        let driver = WebDriver::new(server, wishes).await.unwrap();
        // A window can be no narrower than its frame; the page can.
        let order = json!({
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false},
        });
        let address = format!("{server}/session/{}/goog/cdp/execute", driver.session_id());
        let done = reqwest::Client::new()
            .post(address)
            .json(&order)
            .send()
            .await;
        assert!(done.unwrap().status().is_success());
        let window = Self { driver, width };
        // What was asked for is so: a script that runs says it does.
        let page = "data:text/html,<p>off</p><script>document.querySelector('p').textContent='on'</script>";
        window.driver.goto(page).await.unwrap();
        assert_eq!(window.text("p").await, if scripts { "on" } else { "off" });
        window
    }

    /// The element that a CSS selector finds, once it is there.
    async fn find(&self, css: &str) -> WebElement {
        match self.driver.query(By::Css(css.to_owned())).first().await {
            Ok(element) => element,
            Err(error) => {
                let page = self.driver.source().await.unwrap();
                panic!("{css} is not on the page ({error}): {page}")
            }
        }
    }

    /// Clicks what leads to another page, and waits until the old one is gone.
    async fn click(&self, css: &str) {
        self.go(&self.find(css).await).await;
    }

    async fn go(&self, element: &WebElement) {
        let page = self.find("html").await;
        self.press(element).await;
        page.wait_until().stale().await.unwrap();
    }

    /// Clicks an element in the middle of the window, where no bar covers it.
    async fn press(&self, element: &WebElement) {
        let scroll = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        let target = vec![element.to_json().unwrap()];
        self.driver.execute(scroll, target).await.unwrap();
        element.click().await.unwrap();
    }

    async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Nothing sticks out of the page, and the browser has nothing to complain about.
    async fn look(&self, place: &str) {
        let sizes = "return [document.documentElement.scrollWidth, window.innerWidth]";
        let sizes = self.driver.execute(sizes, Vec::new()).await.unwrap();
        let sizes: Vec<u32> = sizes.convert().unwrap();
        assert_eq!(sizes[1], self.width, "{place}");
        assert!(
            sizes[0] <= sizes[1],
            "{place} is {} wide in a window of {}",
            sizes[0],
            sizes[1]
        );
        let complaints: Vec<Value> = self.complaints().await;
        assert!(complaints.is_empty(), "{place}: {complaints:?}");
    }

    async fn complaints(&self) -> Vec<Value> {
        let log = self.driver.browser_log().await.unwrap();
        log.into_iter()
            .map(|entry| json!(format!("{entry:?}")))
            .collect()
    }
}

/// From the front page to the thank-you page, as a guest.
async fn buy(window: &Window, shop: &str) {
    window.driver.goto(shop).await.unwrap();
    window.look("the front page").await;

    window.fill("input[name=search]", "candle").await;
    window.click(".search button").await;
    window.look("the list").await;
    window.click("main .card h3 a").await;
    window.look("the product").await;
    let name = window.text("h1").await;
    assert!(name.to_lowercase().contains("candle"), "{name}");

    let blossom = By::XPath("//main//ul//a[contains(., 'Orange blossom')]");
    let blossom = window.driver.query(blossom).first().await.unwrap();
    window.go(&blossom).await;
    let chosen = window.text("a[aria-current=true]").await;
    assert!(chosen.contains("Orange blossom"), "{chosen}");
    window.look("the variant").await;

    window.click("#add button").await;
    window.click("header a[aria-label^=Cart]").await;
    let article = window.text(".item").await;
    assert!(
        article.contains(&name) && article.contains("Orange blossom"),
        "{article}"
    );
    window.look("the cart").await;
    let before = window.text(".item .price").await;
    window.fill(".item input[name=quantity]", "3").await;
    window.click(".item form button:not([name])").await;
    let bag = window.find("header a[aria-label='Cart, 3 items']").await;
    assert!(bag.is_displayed().await.unwrap());
    assert_ne!(window.text(".item .price").await, before);
    window.look("the changed cart").await;

    window.click("a[href='/checkout']").await;
    window.look("the checkout").await;
    for (field, text) in [
        ("email", "guest@example.com"),
        ("shipping_address.name", "Ada Guest"),
        ("shipping_address.line1", "Calle Mayor 1"),
        ("shipping_address.postal_code", "28001"),
        ("shipping_address.city", "Madrid"),
    ] {
        window.fill(&format!("[name='{field}']"), text).await;
    }
    let spain = "[name='shipping_address.country'] option[value=ES]";
    window.press(&window.find(spain).await).await;
    window.click("aside button.big").await;
    let thanks = window.text("h1").await;
    assert_eq!(thanks, "Thank you for your order");
    let told = window.text("main").await;
    for text in [name.as_str(), "guest@example.com", "Ada Guest", "Spain"] {
        assert!(told.contains(text), "{text} is missing in: {told}");
    }
    window.look("the thanks").await;
}

/// Types, chooses with the arrow keys, and goes to what was chosen.
async fn take_a_suggestion(window: &Window, shop: &str) {
    window.driver.goto(shop).await.unwrap();
    let field = window.find("input[name=search]").await;
    field.send_keys("teap").await.unwrap();
    let shown = window.find("#suggestions:not([hidden])").await;
    window.look("the suggestions").await;
    assert_eq!(field.attr("aria-expanded").await.unwrap().unwrap(), "true");
    let told = shown.text().await.unwrap();
    assert!(
        told.contains("Round teapot") && told.contains("68.00 €"),
        "{told}"
    );

    // Escape takes them away, typing on brings them back.
    field.send_keys(Key::Escape + "").await.unwrap();
    assert!(!shown.is_displayed().await.unwrap());
    field.send_keys("ot").await.unwrap();
    window.find("#suggestions:not([hidden])").await;

    // Down to the product: what is marked is what a screen reader is told.
    let options = window
        .driver
        .find_all(By::Css("#suggestions [role=option]"));
    for number in 1..=options.await.unwrap().len() {
        field.send_keys(Key::Down + "").await.unwrap();
        let chosen = window.find("#suggestions [aria-selected=true]").await;
        let told = field.attr("aria-activedescendant").await.unwrap();
        assert_eq!(chosen.id().await.unwrap(), told);
        assert_eq!(told.unwrap(), format!("suggestion-{}", number - 1));
        if chosen.text().await.unwrap().contains("Round teapot") {
            break;
        }
    }
    let page = window.find("html").await;
    field.send_keys(Key::Enter + "").await.unwrap();
    page.wait_until().stale().await.unwrap();
    assert_eq!(window.text("h1").await, "Round teapot");
    let at = window.driver.current_url().await.unwrap();
    assert_eq!(at.path(), "/products/round-teapot");
    window.look("the suggested product").await;
}

/// Looks at pages that nobody else here opens, and at some that were asked for something odd.
async fn look_around(window: &Window, shop: &str) {
    let endless = format!("/products?search={}&in_stock=true", "x".repeat(199));
    for path in [
        "/products?search=mug&attr.Material=Stoneware&min_rating=4",
        "/products?search=mug&min_price=900&tag=tea",
        &endless,
        "/categories/table",
        "/products/everyday-mug/reviews?page=2",
        "/sign-in",
    ] {
        let address = format!("{shop}{path}");
        window.driver.goto(address).await.unwrap();
        window.look(path).await;
    }
    for (field, text) in ADMIN {
        window.fill(&format!("main [name={field}]"), text).await;
    }
    window.click("main form button[type=submit]").await;
    for path in [
        "/products/everyday-mug/reviews/new",
        "/admin/products?search=mug&stock=low",
        "/admin/products/bulk?do=price&scope=all",
        "/admin/products/1",
        "/admin/products/1/variants",
        "/admin/products/1/stock",
        "/admin/search/synonyms",
        "/admin/search/misses",
        "/admin/shipping",
        "/admin/shipping/1",
        "/admin/shipping/methods/standard",
        "/admin/taxes",
        "/admin/taxes/rates/1",
        "/admin/taxes/classes/standard",
        "/admin/reviews",
        "/admin/reviews/1",
    ] {
        let address = format!("{shop}{path}");
        window.driver.goto(address).await.unwrap();
        window.look(path).await;
    }
}

/// The fields of the form to sign in with, as the shop's settings name the first admin.
const ADMIN: [(&str, &str); 2] = [
    ("email", "boss@example.com"),
    ("password", "a password of mine"),
];

needs! {
    "browser" => fn no_page_is_wider_than_its_window() {
        let folder = tempfile::tempdir().unwrap();
        let variables = [("ZOCO_ADMIN_EMAIL", ADMIN[0].1), ("ZOCO_ADMIN_PASSWORD", ADMIN[1].1)];
        let shop = Program::start(folder.path(), &[], &variables);
        let server = Driver::start();
        runtime().block_on(async {
            for width in [1280, 390] {
                let profile = tempfile::tempdir().unwrap();
                let window = Window::open(&server.url, profile.path(), width, true).await;
                look_around(&window, &shop.url).await;
                window.driver.quit().await.unwrap();
            }
        });
        shop.stop();
    }

    "browser" => fn suggestions_appear_while_typing_and_lead_to_a_product() {
        let folder = tempfile::tempdir().unwrap();
        let shop = Program::start(folder.path(), &[], &[]);
        let server = Driver::start();
        runtime().block_on(async {
            for width in [1280, 390] {
                let profile = tempfile::tempdir().unwrap();
                let window = Window::open(&server.url, profile.path(), width, true).await;
                take_a_suggestion(&window, &shop.url).await;
                window.driver.quit().await.unwrap();
            }
        });
        shop.stop();
    }

    "browser" => fn a_guest_buys_with_and_without_scripts_on_wide_and_narrow_screens() {
        let folder = tempfile::tempdir().unwrap();
        let shop = Program::start(folder.path(), &[], &[]);
        let server = Driver::start();
        runtime().block_on(async {
            for (width, scripts) in [(1280, true), (390, true), (1280, false), (390, false)] {
                let profile = tempfile::tempdir().unwrap();
                let window = Window::open(&server.url, profile.path(), width, scripts).await;
                buy(&window, &shop.url).await;
                window.driver.quit().await.unwrap();
            }
        });
        shop.stop();
    }
}
