//! The list of products for staff: filters, orders, many changed at once, stock in place, copies.

use serde_json::{Value, json};
use zoco::catalog::service::{self, CategoryInput, ProductInput};
use zoco::catalog::{Product, ProductKey};
use zoco::ctx::Permission;
use zoco::db::count_statements;

use crate::support::{Browser, Reply, TestApp, both};

async fn admin_browser(app: &TestApp) -> Browser {
    app.admin().await;
    let mut browser = app.browser();
    browser.sign_in("admin@example.com").await;
    browser
}

async fn make(app: &TestApp, input: Value) -> Product {
    let input: ProductInput = serde_json::from_value(input).unwrap();
    service::create_product(app, &app.system(), input)
        .await
        .unwrap()
}

async fn category(app: &TestApp, name: &str) -> zoco::catalog::Category {
    let input = CategoryInput {
        name: Some(name.to_owned()),
        ..CategoryInput::default()
    };
    service::create_category(app, &app.system(), input)
        .await
        .unwrap()
}

fn names(page: &Reply) -> Vec<String> {
    page.texts("td .name")
}

/// Five products that differ in all that one can filter by.
async fn shelf(app: &TestApp) {
    let cups = category(app, "Cups").await;
    make(
        app,
        json!({"name": "Mug", "price": "24.00", "stock": 40, "sku": "MG-1", "maker": "Lola Vives",
        "category_id": cups.id, "tags": ["Gift", "clay"]}),
    )
    .await;
    make(
        app,
        json!({"name": "bowl", "price": "12.00", "stock": 3, "status": "draft", "tags": ["clay"]}),
    )
    .await;
    make(
        app,
        json!({"name": "Vase", "price": "60.00", "stock": 0, "status": "archived", "maker": "Ada"}),
    )
    .await;
    make(
        app,
        json!({"name": "Lamp", "price": "99.00", "stock": 9, "status": "draft",
        "publish_at": "2026-12-24T09:00:00Z"}),
    )
    .await;
    make(app, json!({"name": "Tray", "options": [{"name": "Size", "values": [{"value": "S"}, {"value": "L"}]}],
        "variants": [{"options": ["S"], "price": "10.00", "stock": 0, "sku": "TR-S"},
            {"options": ["L"], "price": "30.00", "stock": 2, "sku": "TR-L"}]})).await;
}

both! {
    async fn the_list_is_narrowed_by_page_as_by_api(app: TestApp) {
        shelf(&app).await;
        let mug = ProductKey::Slug("mug".to_owned());
        let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([1, 2, 3]));
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        service::add_image(&app, &app.system(), &mug, png.into_inner(), "").await.unwrap();
        let mut browser = admin_browser(&app).await;
        let api = app.api().signed_in("admin@example.com").await;
        for (query, expected) in [
            ("", &["Tray", "Lamp", "Vase", "bowl", "Mug"][..]),
            ("search=mg-1", &["Mug"]),
            ("search=tr-l", &["Tray"]),
            ("search=cups", &["Mug"]),
            ("search=%3F", &[]),
            ("status=draft", &["Lamp", "bowl"]),
            ("category=1", &["Mug"]),
            ("tag=CLAY&sort=name", &["bowl", "Mug"]),
            ("tag=cla", &[]),
            ("maker=lola+vives", &["Mug"]),
            ("stock=in", &["Tray", "Lamp", "bowl", "Mug"]),
            ("stock=low", &["Tray", "bowl"]),
            ("stock=out", &["Vase"]),
            ("scheduled=true", &["Lamp"]),
            ("without_picture=true", &["Tray", "Lamp", "Vase", "bowl"]),
            ("min_price=20&max_price=70&sort=price", &["Tray", "Mug", "Vase"]),
            ("sort=name", &["bowl", "Lamp", "Mug", "Tray", "Vase"]),
            ("sort=-name", &["Vase", "Tray", "Mug", "Lamp", "bowl"]),
            ("sort=-price", &["Lamp", "Vase", "Tray", "Mug", "bowl"]),
            ("sort=stock", &["Vase", "Tray", "bowl", "Lamp", "Mug"]),
            ("sort=-stock", &["Mug", "Lamp", "bowl", "Tray", "Vase"]),
            ("sort=status", &["Mug", "Tray", "bowl", "Lamp", "Vase"]),
            ("sort=-status", &["Vase", "bowl", "Lamp", "Mug", "Tray"]),
            ("sort=-updated&status=active", &["Tray", "Mug"]),
            ("sort=updated&status=active", &["Mug", "Tray"]),
            ("sort=rating&status=active", &["Tray", "Mug"]),
            ("sort=-rating&status=active", &["Mug", "Tray"]),
        ] {
            let page = browser.get(&format!("/admin/products?{query}")).await.expect(200);
            assert_eq!(names(&page), expected, "{query}");
            let list = api.get(&format!("/api/admin/products?{query}")).await.expect(200).json();
            let listed: Vec<&str> = list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            assert_eq!(listed, expected, "API: {query}");
            assert_eq!(list["total"], expected.len(), "{query}");
        }
        for wrong in ["stock=much", "sort=magic", "min_price=x", "scheduled=maybe", "per_page=0", "colour=red", "category=none"] {
            api.get(&format!("/api/admin/products?{wrong}")).await.expect(400);
            if wrong != "min_price=x" {
                browser.get(&format!("/admin/products?{wrong}")).await.expect(200);
            }
        }
        let in_stock = api.get("/api/admin/products?in_stock=true").await.expect(200).json();
        assert_eq!(in_stock["total"], 4);
    }

    async fn heads_chips_and_sizes_are_links_that_keep_the_rest(app: TestApp) {
        shelf(&app).await;
        let mut browser = admin_browser(&app).await;
        let page = browser.get("/admin/products?status=active&sort=name&page=1").await.expect(200);
        assert_eq!(page.attributes("th[aria-sort] a", "href"), ["/admin/products?status=active&sort=-name"]);
        assert_eq!(page.attributes("th[aria-sort]", "aria-sort"), ["ascending"]);
        assert_eq!(page.texts(".chips .chip"), ["Active remove filter"]);
        assert_eq!(page.texts("td .who .muted"), ["MG-1", "2 variants"]);
        let page = browser.get(&page.attributes(".chips .chip", "href")[0]).await.expect(200);
        assert_eq!(names(&page).len(), 5);
        let page = browser.submit(&page, "#filter", &[("min_price", "abc"), ("tag", "clay")]).await.expect(200);
        assert!(page.has("Write an amount like 19.99."));
        assert_eq!(page.attributes("#f-min_price", "value"), ["abc"]);
        assert_eq!(names(&page), ["bowl", "Mug"], "a wrong price filters nothing");
        assert_eq!(page.attributes(".more-filters", "open").len(), 1);
        let page = browser.submit(&page, "#filter", &[("min_price", ""), ("tag", "none")]).await.expect(200);
        assert!(page.has("No product fits"));
        for number in 0..24 {
            app.product(&format!("Cup {number}"), "2", 1).await;
        }
        let page = browser.get("/admin/products?sort=name").await.expect(200);
        assert_eq!((names(&page).len(), page.texts(".pager a").len()), (25, 3));
        let page = browser.submit(&page, "#filter", &[("per_page", "50")]).await.expect(200);
        assert_eq!(names(&page).len(), 29);
        assert!(page.texts(".pager a").is_empty());
        let page = browser.get("/admin/products?page=9&sort=name").await.expect(200);
        assert!(page.has("The list ends before this page"));
        let page = browser.get(&page.attributes(".empty a", "href")[0]).await.expect(200);
        assert_eq!(names(&page).len(), 25);
    }

    async fn an_empty_shop_invites_to_make_a_product(app: TestApp) {
        let mut browser = admin_browser(&app).await;
        let page = browser.get("/admin/products").await.expect(200);
        assert_eq!(page.attributes(".empty a", "href"), ["/admin/products/new"]);
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let mut counter = app.browser();
        counter.sign_in("stock@example.com").await;
        let page = counter.get("/admin/products").await.expect(200);
        assert_eq!(page.texts(".side [aria-current]"), ["Products"]);
        assert!(page.attributes("a[href='/admin/products/new']", "href").is_empty());
    }

    async fn the_list_sends_as_many_statements_for_a_hundred_products_as_for_one(app: TestApp) {
        app.product("Cup", "2", 1).await;
        let mut browser = admin_browser(&app).await;
        let path = "/admin/products?per_page=100&stock=in&sort=stock";
        let (_, one) = count_statements(browser.get(path)).await;
        for number in 0..99 {
            app.product(&format!("Cup {number}"), "2", 1).await;
        }
        let (page, hundred) = count_statements(browser.get(path)).await;
        assert_eq!(names(&page).len(), 100);
        assert_eq!(one, hundred);
    }
}
