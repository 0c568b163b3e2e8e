//! The pages for shoppers: home, lists, product, and what they tell.

use scraper::{ElementRef, Html, Selector};
use serde_json::{Value, json};
use zoco::catalog::service::{self, CategoryInput, ProductInput};
use zoco::catalog::{Category, Product, ProductFilter, ProductKey, ProductSort};
use zoco::db::count_statements;
use zoco::reviews::service::ReviewInput;
use zoco::types::{CategoryId, Money, PageRequest};

use crate::support::clients::PASSWORD;
use crate::support::{Browser, Reply, TestApp, both};

async fn create(app: &TestApp, body: Value) -> Product {
    let input: ProductInput = serde_json::from_value(body).unwrap();
    service::create_product(app, &app.system(), input)
        .await
        .unwrap()
}

async fn category(app: &TestApp, name: &str, parent: Option<CategoryId>) -> Category {
    let input = CategoryInput {
        name: Some(name.to_owned()),
        parent_id: parent,
        description: Some(format!("All about {name}.")),
        ..CategoryInput::default()
    };
    service::create_category(app, &app.system(), input)
        .await
        .unwrap()
}

/// A mug in two colours and two sizes; the small oat one is sold out, and there is no large one
/// in ink.
async fn mug(app: &TestApp) -> Product {
    let variant = |colour: &str, size: &str, price: &str, stock: i64| {
        json!({"options": [colour, size], "price": price, "stock": stock,
            "compare_at_price": "30.00"})
    };
    let colour = |value: &str, swatch: &str| json!({"value": value, "swatch": swatch});
    let mug = json!({
        "name": "Everyday mug",
        "maker": "Lola Vives",
        "summary": "It stacks.",
        "description": "Thrown **by hand**.",
        "attributes": [{"name": "Material", "value": "Stoneware"}],
        "options": [
            {"name": "Colour", "values": [colour("Oat", "#e4dac8"), colour("Ink", "#33465a")]},
            {"name": "Size", "values": [{"value": "S"}, {"value": "L"}]},
        ],
        "variants": [
            variant("Oat", "S", "24.00", 0),
            variant("Oat", "L", "28.00", 2),
            variant("Ink", "S", "24.00", 9),
        ],
    });
    create(app, mug).await
}

async fn review(app: &TestApp, email: &str, product: &Product, rating: i64, title: &str) {
    let input = ReviewInput {
        rating,
        title: title.to_owned(),
        body: format!("{title}, in many words."),
    };
    let key = ProductKey::Id(product.id);
    let ctx = app.customer(email).await;
    zoco::reviews::service::create(app, &ctx, &key, input)
        .await
        .unwrap();
}

async fn sign_in_as_admin(app: &TestApp, browser: &mut Browser) {
    app.admin().await;
    let fields = [("email", "admin@example.com"), ("password", PASSWORD)];
    browser.post_only("/sign-in", &fields).await.expect(303);
}

fn cards(page: &Reply) -> Vec<String> {
    page.texts("main .grid .card h3")
}

fn chips(page: &Reply) -> Vec<String> {
    page.texts(".chips .chip")
        .into_iter()
        .map(|chip| chip.replace(" remove filter", ""))
        .collect()
}

/// Everything that must hold of every page, whatever it is about.
#[track_caller]
fn is_well_made(page: &Reply) {
    let path = &page.path;
    let html = Html::parse_document(&page.body);
    let all = |css: &str| -> Vec<ElementRef<'_>> {
        html.select(&Selector::parse(css).unwrap()).collect()
    };
    assert_eq!(page.texts("h1").len(), 1, "{path}: one main heading");
    assert!(!page.text("h1").is_empty(), "{path}: an empty heading");
    assert!(page.text("title").len() > 3, "{path}: a title");
    assert_eq!(page.attributes("html", "lang"), ["en"], "{path}");
    assert_eq!(page.texts("main").len(), 1, "{path}: one main part");
    let about = page.attributes("meta[name=description]", "content");
    assert!(about.len() == 1 && !about[0].is_empty(), "{path}");
    assert!(!page.has(" style=\""), "{path}: inline style");
    // Data for search engines, and files of our own; nothing else runs.
    let ours = "script[type='application/ld+json'], script[src^='/static/']";
    let scripts = page.body.matches("<script").count();
    assert_eq!(scripts, all(ours).len(), "{path}: a script");
    for input in all("input, select, textarea") {
        let kind = input.attr("type").unwrap_or_default();
        let id = input.attr("id").unwrap_or("-");
        let named = kind == "hidden"
            || input.attr("aria-label").is_some()
            || !all(&format!("label[for=\"{id}\"]")).is_empty()
            || input
                .ancestors()
                .filter_map(ElementRef::wrap)
                .any(|above| above.value().name() == "label");
        assert!(named, "{path}: {} has no label", input.html());
    }
    for image in all("img") {
        assert!(image.attr("alt").is_some(), "{path}: {}", image.html());
    }
    for button in all("button, a[href]") {
        let words = button.text().collect::<String>();
        let named = !words.trim().is_empty()
            || button.attr("aria-label").is_some()
            || button.attr("aria-hidden") == Some("true");
        assert!(named, "{path}: {} says nothing", button.html());
    }
    let ids: Vec<&str> = all("[id]")
        .iter()
        .filter_map(|one| one.attr("id"))
        .collect();
    for id in &ids {
        let times = ids.iter().filter(|other| *other == id).count();
        assert_eq!(times, 1, "{path}: the id {id} stands there {times} times");
    }
    for link in all("[aria-describedby], [aria-labelledby]") {
        let names = [link.attr("aria-describedby"), link.attr("aria-labelledby")];
        for id in names.into_iter().flatten() {
            assert!(ids.contains(&id), "{path}: nothing has the id {id}");
        }
    }
}

both! {
    async fn every_page_is_well_made(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let mug = mug(&app).await;
        let bowl = create(&app, json!({"name": "Bowl", "price": "9.00", "category_id": table.id,
            "stock": 1})).await;
        review(&app, "ada@example.com", &mug, 5, "Lovely").await;
        let mut browser = app.browser();
        for path in [
            "/",
            "/products",
            "/products?search=bowl&in_stock=true&min_price=abc",
            "/products?search=zebra",
            "/products?page=9",
            "/categories/table",
            "/products/everyday-mug",
            "/products/bowl",
            "/cart",
            "/sign-in",
            "/register",
        ] {
            is_well_made(&browser.get(path).await.expect(200));
        }
        is_well_made(&browser.get("/products/nothing").await.expect(404));
        browser
            .post("/cart/items", &[("variant_id", &bowl.variants[0].id.to_string())])
            .await
            .expect(200);
        is_well_made(&browser.get("/cart").await.expect(200));
        is_well_made(&browser.get("/checkout").await.expect(200));
        app.run_jobs().await;
    }

    async fn an_empty_shop_says_so(app: TestApp) {
        let mut browser = app.browser();
        let home = browser.get("/").await.expect(200);
        is_well_made(&home);
        assert_eq!(home.text("h1"), "The shelves are still empty");
        assert!(home.texts(".grid").is_empty());
        let list = browser.get("/products").await.expect(200);
        is_well_made(&list);
        assert_eq!(list.text("main .panel h2"), "Nothing here yet");
    }

    async fn the_front_page_shows_the_best_the_newest_and_the_categories(app: TestApp) {
        let table = category(&app, "Table", None).await;
        category(&app, "Mugs", Some(table.id)).await;
        category(&app, "Empty", None).await;
        for number in 1..=10 {
            let name = format!("Bowl {number}");
            create(&app, json!({"name": name, "price": "9.00", "category_id": table.id,
                "stock": 1})).await;
        }
        create(&app, json!({"name": "Gone", "price": "9.00", "stock": 0})).await;
        let page = app.browser().get("/").await.expect(200);
        let featured = service::featured_products(&app, &app.guest(), 8).await.unwrap();
        let featured: Vec<String> = featured.into_iter().map(|card| card.name).collect();
        let shown = cards(&page);
        assert_eq!(shown[..8], featured);
        // The newest that are not featured already, sold out or not.
        assert_eq!(shown[8..], ["Gone", "Bowl 2", "Bowl 1"]);
        assert_eq!(page.texts(".tile h3"), ["Table"]);
        assert_eq!(page.text(".tile p"), "Mugs");
        assert_eq!(page.text(".notice"), "Free delivery over 60.00 €");
        assert!(page.text(".band").contains("Free over 60.00 €"));
        app.run_jobs().await;
    }

    async fn a_list_shows_what_the_service_finds(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let bowls = category(&app, "Bowls", Some(table.id)).await;
        for number in 1..=30_i64 {
            let product = create(&app, json!({
                "name": format!("Bowl {number:02}"),
                "price": format!("{number}.00"),
                "stock": number % 2,
                "category_id": if number % 3 == 0 { Some(bowls.id) } else { None },
                "attributes": [{"name": "Made of",
                    "value": if number % 5 == 0 { "Oak & ash" } else { "Clay" }}],
            })).await;
            if number == 7 {
                review(&app, "ada@example.com", &product, 4, "Good").await;
            }
        }
        let euro = |amount: i64| Some(Money::new(amount * 100, app.currency()));
        let price = ProductFilter { sort: ProductSort::PriceAscending, ..Default::default() };
        let attribute = ("Made of".to_owned(), "Oak & ash".to_owned());
        let cases = [
            ("/products", ProductFilter::default(), 1),
            ("/products?page=2&sort=price", price.clone(), 2),
            ("/products?sort=-price", ProductFilter {
                sort: ProductSort::PriceDescending, ..Default::default() }, 1),
            ("/products?sort=name&in_stock=true", ProductFilter {
                sort: ProductSort::Name, in_stock: true, ..Default::default() }, 1),
            ("/products?search=BOWL+2", ProductFilter {
                search: "BOWL 2".to_owned(), ..Default::default() }, 1),
            ("/products?min_price=5&max_price=7.50&sort=price", ProductFilter {
                min_price: euro(5), max_price: Some(Money::new(750, app.currency())),
                ..price.clone() }, 1),
            ("/products?min_rating=4", ProductFilter {
                min_rating: Some(4), ..Default::default() }, 1),
            ("/products?attr.Made+of=Oak+%26+ash&sort=newest", ProductFilter {
                attributes: vec![attribute], sort: ProductSort::Newest,
                ..Default::default() }, 1),
            ("/products?category=table&sort=price", ProductFilter {
                category: Some(table.id), ..price.clone() }, 1),
            ("/categories/table?sort=price", ProductFilter {
                category: Some(table.id), ..price.clone() }, 1),
            ("/categories/bowls?sort=price&max_price=9", ProductFilter {
                category: Some(bowls.id), max_price: euro(9), ..price.clone() }, 1),
        ];
        let mut browser = app.browser();
        for (path, filter, number) in cases {
            let page = browser.get(path).await.expect(200);
            let request = PageRequest::new(number, 24);
            let wanted = service::list_products(&app, &app.guest(), &filter, request)
                .await
                .unwrap();
            assert!(wanted.total > 0, "{path}");
            let names: Vec<&str> = wanted.items.iter().map(|card| card.name.as_str()).collect();
            assert_eq!(cards(&page), names, "{path}");
            let plural = if wanted.total == 1 { "" } else { "s" };
            let told = format!("{} product{plural}", wanted.total);
            assert_eq!(page.text("[role=status]"), told, "{path}");
        }
        app.run_jobs().await;
    }

    async fn the_pager_keeps_the_filter(app: TestApp) {
        for number in 1..=25 {
            app.product(&format!("Bowl {number}"), "9.00", 1).await;
        }
        app.product("Spoon", "9.00", 1).await;
        let mut browser = app.browser();
        let first = browser.get("/products?search=bowl&page=x").await.expect(200);
        assert_eq!(cards(&first).len(), 24);
        let next = first.attributes(".pager [rel=next]", "href");
        assert_eq!(next, ["/products?search=bowl&page=2"]);
        let second = browser.get(&next[0]).await.expect(200);
        assert_eq!(cards(&second).len(), 1);
        assert_eq!(second.text(".pager [aria-current]"), "Page 2");
        assert!(second.text("title").contains("page 2"));
        let beyond = browser.get("/products?page=9").await.expect(200);
        assert_eq!(beyond.text("main .panel h2"), "There is no page 9");
        app.run_jobs().await;
    }

    async fn a_list_takes_as_many_statements_for_many_products(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let bowl = |number: i64| json!({"name": format!("Bowl {number}"), "price": "9.00",
            "stock": 1, "category_id": table.id,
            "attributes": [{"name": "Number", "value": number.to_string()}]});
        create(&app, bowl(1)).await;
        create(&app, bowl(2)).await;
        let mut browser = app.browser();
        let mut counts = Vec::new();
        for path in ["/", "/products", "/categories/table", "/products/bowl-1"] {
            let (page, count) = count_statements(browser.get(path)).await;
            page.expect(200);
            counts.push((path, count));
        }
        for number in 3..=23 {
            create(&app, bowl(number)).await;
        }
        for (path, before) in counts {
            let (page, count) = count_statements(browser.get(path)).await;
            assert!(cards(&page.expect(200)).len() > 4, "{path}");
            assert!(before > 0);
            assert_eq!(count, before, "{path}");
        }
        app.run_jobs().await;
    }

    async fn what_is_wrong_in_an_address_shows_products_all_the_same(app: TestApp) {
        app.product("Bowl", "9.00", 1).await;
        let mut browser = app.browser();
        let page = browser
            .get("/products?min_price=abc&max_price=20&category=no&sort=up&min_rating=x&what=1")
            .await
            .expect(200);
        assert_eq!(cards(&page), ["Bowl"]);
        assert_eq!(page.text("#e-min_price"), "Write an amount like 19.99.");
        assert_eq!(page.attributes("#f-min_price", "value"), ["abc"]);
        assert_eq!(page.attributes("#f-min_price", "aria-invalid"), ["true"]);
        assert_eq!(page.attributes("details.facets", "open"), [""]);
        assert_eq!(chips(&page), ["Up to 20.00 €"]);
        browser.get("/products?search=%FF&page=-1&attr.=").await.expect(200);
        for nowhere in ["/categories/nowhere", "/products/A%20b"] {
            browser.get(nowhere).await.expect(404);
        }
        // A sign that a database cannot even hold.
        for nul in ["/products?search=%00", "/products?attr.Colour=%00", "/categories/%00", "/products/%00"] {
            let page = browser.get(nul).await.expect(400);
            assert!(page.has("An address cannot hold the NUL character."));
        }
        app.run_jobs().await;
    }

    async fn filters_are_shown_kept_and_taken_away(app: TestApp) {
        let table = category(&app, "Table", None).await;
        for (name, material) in [("Red bowl", "Clay"), ("Red spoon", "Oak"), ("Blue bowl", "Clay")] {
            create(&app, json!({"name": name, "price": "9.00", "stock": 1,
                "category_id": table.id,
                "attributes": [{"name": "Material", "value": material}]})).await;
        }
        let mut browser = app.browser();
        let page = browser.get("/products?search=red").await.expect(200);
        assert_eq!(page.text("h1"), "Results for “red”");
        assert_eq!(page.attributes("#q", "value"), ["red"]);
        assert_eq!(page.attributes("meta[name=robots]", "content"), ["noindex, follow"]);
        assert!(page.texts("link[rel=canonical]").is_empty());
        // The form keeps the search and adds to it.
        let page = browser
            .submit(&page, "#filter", &[("attr.Material", "Clay"), ("sort", "price")])
            .await
            .expect(200);
        assert_eq!(cards(&page), ["Red bowl"]);
        assert_eq!(chips(&page), ["“red”", "Material: Clay"]);
        assert_eq!(page.attributes("#f-sort [selected]", "value"), ["price"]);
        let checked = page.attributes("#filter [type=checkbox][checked]", "value");
        assert_eq!(checked, ["Clay"]);
        // One chip taken away leaves the other.
        let links = page.attributes(".chips .chip", "href");
        let page = browser.get(&links[0]).await.expect(200);
        assert_eq!(cards(&page), ["Red bowl", "Blue bowl"]);
        let all = page.attributes(".chips .clear", "href");
        let page = browser.get(&all[0]).await.expect(200);
        assert_eq!(cards(&page).len(), 3);
        assert!(chips(&page).is_empty());
        assert_eq!(page.attributes("link[rel=canonical]", "href"),
            [format!("{}/products", app.config.base_url)]);
        app.run_jobs().await;
    }

    async fn facets_tell_how_many_there_are(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let bowls = category(&app, "Bowls", Some(table.id)).await;
        for number in 0..10 {
            create(&app, json!({"name": format!("Bowl {number}"), "price": "9.00",
                "stock": i64::from(number == 0), "category_id": bowls.id,
                "attributes": [
                    {"name": "Colour", "value": format!("Colour {}", number % 9)},
                    {"name": "Height", "value": format!("{number} cm")},
                ]})).await;
        }
        let mut browser = app.browser();
        let page = browser.get("/products").await.expect(200);
        let legends = page.texts("#filter legend");
        // A height of its own for each product groups nothing.
        assert_eq!(legends, ["Availability", "Category", "Colour", "Price, €", "Rating"]);
        let options = page.texts("#filter .opt");
        assert!(options.contains(&"In stock only1 product".to_owned()), "{options:?}");
        assert!(options.contains(&"Table10 products".to_owned()), "{options:?}");
        assert!(options.contains(&"Colour 02 products".to_owned()), "{options:?}");
        assert!(!options.iter().any(|option| option.starts_with("Bowls")));
        assert_eq!(page.text("#filter .more summary"), "2 more");
        let open = browser.get("/products?category=table").await.expect(200);
        assert!(open.texts("#filter .opt.below").contains(&"Bowls10 products".to_owned()));
        let chosen = browser.get("/products?attr.Height=3+cm&min_rating=1").await.expect(200);
        assert!(chosen.texts("#filter legend").contains(&"Height".to_owned()));
        assert!(chosen.texts("#filter .opt").contains(&"1 star and up0 products".to_owned()));
        app.run_jobs().await;
    }

    async fn a_category_has_its_way_its_words_and_what_is_below(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let bowls = category(&app, "Bowls", Some(table.id)).await;
        create(&app, json!({"name": "Deep bowl", "price": "9.00", "stock": 1,
            "category_id": bowls.id})).await;
        let mut browser = app.browser();
        let page = browser.get("/categories/table").await.expect(200);
        assert_eq!(page.text("h1"), "Table");
        assert!(page.has("All about Table."));
        assert_eq!(page.texts(".list > nav .chip"), ["Bowls 1 product"]);
        let below = browser.get("/categories/bowls?sort=name").await.expect(200);
        assert_eq!(below.texts(".crumbs li"), ["Home", "Table", "Bowls"]);
        assert_eq!(below.attributes(".nav [aria-current]", "href"), ["/categories/table"]);
        // Another category's name in the address leads to its page.
        let moved = browser.get("/categories/table?category=bowls&in_stock=true").await;
        assert_eq!(moved.path, "/categories/bowls?in_stock=true");
        app.run_jobs().await;
    }

    async fn a_search_that_finds_nothing_helps(app: TestApp) {
        category(&app, "Table", None).await;
        app.product("Bowl", "9.00", 1).await;
        let mut browser = app.browser();
        let page = browser.get("/products?search=zebra&max_price=5").await.expect(200);
        assert_eq!(page.text("main .panel h2"), "Nothing found");
        let words = page.text("main .panel");
        assert!(words.contains("Nothing matches “zebra” and Up to 5.00 €."), "{words}");
        assert!(words.contains("Table"));
        assert_eq!(page.attributes("main .panel .btn", "href"), ["/products"]);
        assert_eq!(cards(&page), ["Bowl"]);
        app.run_jobs().await;
    }

    async fn an_empty_list_tells_what_there_is_without_the_filters(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let bowls = category(&app, "Bowls", Some(table.id)).await;
        for (name, category) in [("Bowl", Some(bowls.id)), ("Blue bowl", None), ("Jug", Some(table.id))] {
            create(&app, json!({"name": name, "price": "9.00", "stock": 1, "category_id": category})).await;
        }
        let mut browser = app.browser();
        let api = app.api();
        for (address, label, href, count) in [
            ("/products?search=bowl&max_price=5&sort=name", "Show 2 products for “bowl”", "/products?search=bowl", 2),
            ("/products?search=jug&in_stock=true&tag=x", "Show 1 product for “jug”", "/products?search=jug", 1),
            ("/categories/table?search=blue", "Show 1 product for “blue”", "/products?search=blue", 1),
            ("/categories/table?max_price=5", "Show 2 products in Table", "/categories/table", 2),
            ("/products?category=bowls&tag=x", "Show 1 product in Bowls", "/categories/bowls", 1),
            ("/products?min_price=50", "Show 3 products of the shop", "/products", 3),
        ] {
            let page = browser.get(address).await.expect(200);
            assert_eq!(page.text("main .panel h2"), "Nothing found", "{address}");
            assert_eq!(page.texts("main .panel .btn"), [label], "{address}");
            assert_eq!(page.attributes("main .panel .btn", "href"), [href], "{address}");
            let shown = browser.get(href).await.expect(200);
            assert_eq!(cards(&shown).len(), count, "{href}");
            let same = address.replacen("/categories/table?", "/products?category=table&", 1);
            let told = api.get(&format!("/api{same}")).await.expect(200).json();
            assert_eq!((&told["total"], &told["without_filters"]), (&json!(0), &json!(count)), "{same}");
        }
        let told = api.get("/api/products?search=zebra&max_price=5").await.expect(200).json();
        assert_eq!(told["without_filters"], 0);
        for plain in ["/api/products", "/api/products?search=zebra", "/api/products?search=bowl&max_price=50"] {
            let told = api.get(plain).await.expect(200).json();
            assert_eq!(told.get("without_filters"), None, "{plain}");
        }
        app.run_jobs().await;
    }

    async fn a_product_shows_its_variants_and_their_stock(app: TestApp) {
        let mug = mug(&app).await;
        let id = |number: usize| mug.variants[number].id;
        let mut browser = app.browser();
        // The first that can be bought is chosen.
        let page = browser.get("/products/everyday-mug").await.expect(200);
        assert_eq!(page.text("h1"), "Everyday mug");
        assert_eq!(page.text(".cost strong"), "Now 28.00 €");
        assert_eq!(page.text(".cost s"), "Was 30.00 €");
        assert_eq!(page.texts("#buy [aria-current]"), ["Oat", "L28.00 €"]);
        assert!(page.text(".facts").contains("Only 2 left"));
        assert_eq!(page.attributes("#f-quantity", "max"), ["2"]);
        assert_eq!(page.attributes("#add [name=variant_id]", "value"), [id(1).to_string()]);
        assert!(page.has("Thrown <strong>by hand</strong>."));
        assert_eq!(page.texts(".fold dd"), ["Stoneware"]);
        let rows = page.texts(".fold tbody tr");
        assert_eq!(rows.len(), 3);
        assert!(rows[0].contains("Oat, S") && rows[0].contains("Sold out"), "{rows:?}");
        assert!(rows[2].contains("9 in stock"), "{rows:?}");
        assert_eq!(page.attributes("meta[property='og:title']", "content"), ["Everyday mug"]);
        assert_eq!(page.attributes("link[rel=canonical]", "href"),
            [format!("{}/products/everyday-mug", app.config.base_url)]);
        // There is no large one in ink: the small one is the nearest.
        let ink = page.attributes(".swatch a", "href").remove(1);
        assert_eq!(ink, format!("/products/everyday-mug?variant={}#buy", id(2)));
        let page = browser.get(&ink).await.expect(200);
        assert_eq!(page.texts("#buy [aria-current]"), ["Ink", "S24.00 €"]);
        assert!(page.text(".facts").contains("In stock"));
        // Sold out is said, and cannot be bought.
        let page = browser
            .get(&format!("/products/everyday-mug?variant={}", id(0)))
            .await
            .expect(200);
        assert_eq!(page.texts("#buy a.gone"), ["Oat, sold out", "SSold out"]);
        assert!(page.texts("#add").is_empty() && page.texts(".buybar").is_empty());
        assert!(page.has("Oat, S is sold out"));
        app.run_jobs().await;
    }

    async fn what_is_bought_on_the_page_is_in_the_cart(app: TestApp) {
        mug(&app).await;
        let mut browser = app.browser();
        let page = browser.get("/products/everyday-mug").await.expect(200);
        browser.submit(&page, "#add", &[("quantity", "2")]).await.expect(200);
        let cart = browser.get("/cart").await.expect(200);
        assert!(cart.has("Everyday mug") && cart.has("56.00"), "{}", cart.body);
        let home = browser.get("/").await.expect(200);
        assert_eq!(home.text(".tools .count"), "2");
        app.run_jobs().await;
    }

    async fn a_simple_product_is_added_from_the_list(app: TestApp) {
        app.product("Bowl", "9.00", 1).await;
        mug(&app).await;
        let mut browser = app.browser();
        let list = browser.get("/products").await.expect(200);
        // The mug must be chosen first.
        assert_eq!(list.attributes(".card form button", "aria-label"), ["Add Bowl to cart"]);
        browser.submit(&list, ".card form", &[]).await.expect(200);
        assert!(browser.get("/cart").await.has("Bowl"));
        app.run_jobs().await;
    }

    async fn reviews_stand_on_the_product_s_page(app: TestApp) {
        let mug = mug(&app).await;
        for (number, rating) in [5, 5, 4, 3, 5, 1].into_iter().enumerate() {
            let email = format!("user{number}@example.com");
            review(&app, &email, &mug, rating, &format!("Review {number}")).await;
            app.clock.advance_seconds(60);
        }
        let mut browser = app.browser();
        let page = browser.get("/products/everyday-mug").await.expect(200);
        let newest_first = ["Review 5", "Review 4", "Review 3", "Review 2", "Review 1"];
        assert_eq!(page.texts(".review h3"), newest_first);
        assert_eq!(page.text(".score strong"), "3.8");
        assert_eq!(page.attributes(".bars rect", "width"), ["50%", "16%", "16%", "0%", "16%"]);
        let next = page.attributes(".pager [rel=next]", "href");
        assert_eq!(next, ["/products/everyday-mug?reviews=2#reviews"]);
        let page = browser.get(&next[0]).await.expect(200);
        assert_eq!(page.texts(".review h3"), ["Review 0"]);
        let page = browser.get("/products/everyday-mug?reviews=9").await.expect(200);
        assert!(page.text("#reviews").contains("ends before this page"));
        // A guest is offered to write one, its author to change it.
        let new = "/products/everyday-mug/reviews/new".to_owned();
        assert!(page.attributes("#reviews .btn", "href").contains(&new));
        browser.sign_in("user3@example.com").await;
        let page = browser.get("/products/everyday-mug").await.expect(200);
        let links = page.attributes("#reviews .btn", "href");
        assert!(!links.contains(&new), "{links:?}");
        assert!(links[0].ends_with("/edit"), "{links:?}");
        app.run_jobs().await;
    }

    async fn others_of_the_category_go_well_with_it(app: TestApp) {
        let table = category(&app, "Table", None).await;
        for number in 0..7 {
            create(&app, json!({"name": format!("Bowl {number}"), "price": "9.00", "stock": 1,
                "category_id": table.id})).await;
        }
        app.product("Alone", "9.00", 1).await;
        let mut browser = app.browser();
        let related = cards(&browser.get("/products/bowl-3").await.expect(200));
        assert_eq!(related.len(), 5);
        assert!(!related.contains(&"Bowl 3".to_owned()), "{related:?}");
        let alone = browser.get("/products/alone").await.expect(200);
        assert!(cards(&alone).is_empty());
        assert_eq!(alone.texts(".crumbs li"), ["Home", "Alone"]);
        app.run_jobs().await;
    }

    async fn a_draft_does_not_exist_but_for_staff(app: TestApp) {
        let draft = create(&app, json!({"name": "Secret", "price": "9.00", "stock": 1,
            "status": "draft"})).await;
        let mut browser = app.browser();
        let page = browser.get("/products/secret").await.expect(404);
        is_well_made(&page);
        let request_id = page.header("x-request-id");
        assert!(!request_id.is_empty() && page.has(&request_id));
        assert!(!page.has("Secret"));
        assert!(cards(&browser.get("/products?search=secret").await).is_empty());
        sign_in_as_admin(&app, &mut browser).await;
        let page = browser.get("/products/secret").await.expect(200);
        assert!(page.text("main .alert").contains("only staff see this page"));
        assert_eq!(page.attributes("meta[name=robots]", "content"), ["noindex"]);
        assert_eq!(page.attributes("main .alert a", "href"),
            [format!("/admin/products/{}", draft.id)]);
        app.run_jobs().await;
    }

    async fn a_product_without_anything_to_sell_says_so(app: TestApp) {
        let bowl = app.product("Bowl", "9.00", 1).await;
        let off = json!({"variants": [{"id": bowl.variants[0].id, "price": "9.00",
            "active": false, "options": []}]});
        let input: ProductInput = serde_json::from_value(off).unwrap();
        service::update_product(&app, &app.system(), &ProductKey::Id(bowl.id), None, input)
            .await
            .unwrap();
        let page = app.browser().get("/products/bowl").await.expect(200);
        assert!(page.has("This is not for sale at the moment."));
        assert!(page.texts("#add").is_empty());
        app.run_jobs().await;
    }

    async fn old_addresses_lead_to_the_new_one(app: TestApp) {
        let bowl = app.product("Bowl", "9.00", 1).await;
        let input = ProductInput {
            slug: Some("deep-bowl".to_owned()),
            ..ProductInput::default()
        };
        service::update_product(&app, &app.system(), &ProductKey::Id(bowl.id), None, input)
            .await
            .unwrap();
        let mut browser = app.browser();
        for old in ["/products/bowl".to_owned(), format!("/products/{}", bowl.id)] {
            let reply = browser
                .request(axum::http::Method::GET, &old, "", Vec::new())
                .await
                .expect(301);
            assert_eq!(reply.header("location"), "/products/deep-bowl", "{old}");
        }
        browser.get("/products/deep-bowl").await.expect(200);
        browser.get("/products/99").await.expect(404);
        app.run_jobs().await;
    }

    async fn hostile_words_stay_words(app: TestApp) {
        let evil = "<script>alert('x')</script> \"quoted\" & more";
        let category = category(&app, evil, None).await;
        let product = create(&app, json!({
            "name": evil,
            "maker": evil,
            "summary": evil,
            "description": format!("{evil}\n\n[a](javascript:alert(1)) <img src=x onerror=alert(1)>"),
            "category_id": category.id,
            "attributes": [{"name": evil, "value": evil}, {"name": "Plain", "value": evil}],
            "options": [{"name": evil, "values": [{"value": evil}]}],
            "variants": [{"options": [evil], "price": "9.00", "stock": 1}],
        })).await;
        review(&app, "ada@example.com", &product, 5, evil).await;
        let mut browser = app.browser();
        let search = "/products?search=%3Cscript%3E%22+onfocus%3D1&attr.%3Cb%3E=%3Cscript%3E";
        for path in [
            "/".to_owned(),
            "/products".to_owned(),
            search.to_owned(),
            format!("/categories/{}", category.slug),
            format!("/products/{}", product.slug),
        ] {
            let page = browser.get(&path).await.expect(200);
            is_well_made(&page);
            for bad in ["onerror=", "javascript:", "\" onfocus"] {
                assert!(!page.has(bad), "{path}: {bad}");
            }
        }
        let page = browser.get(&format!("/products/{}", product.slug)).await;
        assert_eq!(page.text("h1"), evil);
        app.run_jobs().await;
    }

    async fn staff_find_the_way_from_an_empty_shop_to_the_first_product(app: TestApp) {
        let mut browser = app.browser();
        sign_in_as_admin(&app, &mut browser).await;
        let home = browser.get("/").await.expect(200);
        assert_eq!(home.attributes(".hero a", "href"), ["/admin/products/new"]);
        app.run_jobs().await;
    }
}
