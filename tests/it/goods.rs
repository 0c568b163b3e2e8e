//! The list of products for staff: filters, orders, many changed at once, stock in place, copies.

use serde_json::{Value, json};
use zoco::catalog::service::bulk::{self, BulkAction, BulkInput, Seen, Selection};
use zoco::catalog::service::{self, CategoryInput, ProductInput};
use zoco::catalog::{Product, ProductKey, ProductStatus, StaffFilter};
use zoco::ctx::Permission;
use zoco::db::count_statements;
use zoco::db::query::{Sql, fetch_all};
use zoco::error::Error;
use zoco::types::{PageRequest, ProductId};

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

async fn read(app: &TestApp, id: ProductId) -> Product {
    service::product(app, &app.system(), &ProductKey::Id(id))
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

    async fn prices_change_by_percent_by_page_as_by_api(app: TestApp) {
        shelf(&app).await;
        let api_app = app.clone();
        let mut browser = admin_browser(&app).await;
        let list = browser.get("/admin/products?stock=low&sort=name").await.expect(200);
        let how = browser.submit(&list, "#bulk", &[("do", "price"), ("scope", "all")]).await.expect(200);
        assert_eq!(how.text("h1"), "Change prices");
        assert!(how.texts("#confirm").is_empty(), "nothing is to be confirmed yet");
        let wrong = browser.submit(&how, "#how-form", &[("percent", "1.25"), ("ending", "x")]).await.expect(422);
        assert_eq!(wrong.texts(".field .err").len(), 2);
        assert_eq!(wrong.attributes("#f-percent", "value"), ["1.25"]);
        let preview = browser.submit(&how, "#how-form", &[
            ("direction", "down"), ("percent", "12,5"), ("former", "keep"), ("ending", ".95")]).await.expect(200);
        assert_eq!(preview.text("#preview"), "2 of 2 products change");
        let rows: Vec<String> = preview.texts(".before-after td").chunks(5).map(|row| row.join(" | ")).collect();
        assert_eq!(rows, [
            "bowl | BOWL | 12.00 € | 10.95 € | none → 12.00 €",
            "Tray | S | 10.00 € | 8.95 € | none → 10.00 €",
            "Tray | L | 30.00 € | 25.95 € | none → 30.00 €",
        ]);
        let done = browser.submit(&preview, "#confirm", &[]).await.expect(200);
        assert!(done.has("2 products were changed."), "{}", done.body);
        assert_eq!(done.path, "/admin/products?stock=low&sort=name", "the filter is still there");
        let tray = read(&app, ProductId(5)).await;
        assert_eq!((tray.version, tray.variants[1].price.amount()), (2, "25.95".to_owned()));
        assert_eq!(tray.variants[1].compare_at.unwrap().amount(), "30.00");
        let again = browser.submit(&preview, "#confirm", &[]).await.expect(200);
        assert!(again.has("2 of the products were changed by somebody else meanwhile"), "{}", again.body);
        assert_eq!(read(&app, ProductId(5)).await.version, 2, "a second click changes nothing");
        let cheap = app.api().get("/api/products?max_price=8.95").await.json();
        assert_eq!(cheap["items"][0]["name"], "Tray", "the range of prices was kept");

        let api = api_app.api().signed_in("admin@example.com").await;
        let change = json!({"action": "price", "percent": "14.3", "ending": ".99", "former_price": "clear"});
        let preview = api.post("/api/admin/products/bulk", json!({"selection": {"filter": {"search": "tray"}},
            "change": change, "dry_run": true})).await.expect(200).json();
        assert_eq!(preview["changes"][0]["prices"][1]["before"]["amount"], "25.95");
        assert_eq!(preview["changes"][0]["prices"][1]["after"]["amount"], "29.99");
        assert_eq!(preview["changes"][0]["prices"][1]["compare_at_after"], Value::Null);
        assert_eq!(read(&app, ProductId(5)).await.version, 2, "a dry run changes nothing");
        let key = api.with("idempotency-key", "bulk-1");
        let body = json!({"change": change, "seen": preview["seen"]});
        let done = key.post("/api/admin/products/bulk", body.clone()).await.expect(200).json();
        assert_eq!((&done["changed"], &done["seen"], &done["remaining"]), (&json!(1), &Value::Null, &json!(0)));
        let replayed = key.post("/api/admin/products/bulk", body).await.expect(200);
        assert_eq!(replayed.header("idempotent-replayed"), "true");
        assert_eq!(read(&app, ProductId(5)).await.variants[1].price.amount(), "29.99");
        assert_eq!(read(&app, ProductId(5)).await.variants[1].compare_at, None);
    }

    async fn each_action_does_what_it_says_and_is_written_down(app: TestApp) {
        shelf(&app).await;
        let cups = category(&app, "Glasses").await;
        let customer = app.customer("ada@example.com").await;
        let item = zoco::cart::service::AddItem { product_id: Some(ProductId(1)), quantity: Some(1), ..Default::default() };
        zoco::cart::service::add_item(&app, &customer, item).await.unwrap();
        let order = json!({"shipping_address": "Ada\n12 Main Street", "payment": {"provider": "bank_transfer"}});
        let buyer = app.api().signed_in("ada@example.com").await;
        buyer.post("/api/orders", order).await.expect(201);
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let run = async |ids: &[i64], change: Value| {
            let body = json!({"selection": {"ids": ids}, "change": change});
            api.post("/api/admin/products/bulk", body).await.expect(200).json()
        };
        let done = run(&[4, 1, 4, 99], json!({"action": "publish"})).await;
        assert_eq!((&done["changed"], done["skipped"].as_array().unwrap().len()), (&json!(1), 2));
        let lamp = read(&app, ProductId(4)).await;
        assert_eq!((lamp.status, lamp.publish_at, lamp.version), (ProductStatus::Active, None, 2));
        run(&[1], json!({"action": "unpublish"})).await;
        assert_eq!(read(&app, ProductId(1)).await.status, ProductStatus::Draft);
        run(&[1, 2], json!({"action": "archive"})).await;
        assert_eq!(read(&app, ProductId(2)).await.status, ProductStatus::Archived);
        run(&[1, 2], json!({"action": "category", "category_id": cups.id})).await;
        run(&[2], json!({"action": "category", "category_id": 0})).await;
        assert_eq!(read(&app, ProductId(1)).await.category_id, Some(cups.id));
        assert_eq!(read(&app, ProductId(2)).await.category_id, None);
        run(&[1, 2, 5], json!({"action": "add_tag", "tag": " Winter "})).await;
        run(&[1, 2], json!({"action": "remove_tag", "tag": "CLAY"})).await;
        assert_eq!(read(&app, ProductId(1)).await.tags, ["Gift", "Winter"]);
        assert_eq!(read(&app, ProductId(2)).await.tags, ["Winter"]);
        let found = app.api().get("/api/products?search=winter").await.json();
        assert_eq!(found["items"][0]["name"], "Tray", "the search finds the new tag");
        run(&[2], json!({"action": "remove_tag", "tag": "winter"})).await;
        assert_eq!(read(&app, ProductId(2)).await.tags, [] as [&str; 0]);
        let preview = api.post("/api/admin/products/bulk", json!({"selection": {"filter": {}}, "dry_run": true,
            "change": {"action": "delete"}})).await.expect(200).json();
        assert_eq!((&preview["changed"], &preview["skipped"][0]["names"]), (&json!(4), &json!(["Mug"])));
        assert_eq!(preview["changes"][0]["what"], "deleted");
        run(&[1], json!({"action": "publish"})).await;
        let done = run(&[1, 2, 3], json!({"action": "delete"})).await;
        assert_eq!(done["changed"], 3);
        assert_eq!(read(&app, ProductId(1)).await.status, ProductStatus::Archived, "it was ordered");
        let gone = service::product(&app, &app.system(), &ProductKey::Id(ProductId(3))).await;
        assert!(matches!(gone, Err(Error::NotFound)));
        let sql = Sql::same("select action, after from audit_log where subject = 'product 2' order by id");
        let log: Vec<(String, String)> = fetch_all(&mut app.db.conn().await.unwrap(), sql, Vec::new()).await.unwrap();
        let actions: Vec<&str> = log.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(actions, ["product.created", "product.archived", "product.updated", "product.updated",
            "product.updated", "product.updated", "product.updated", "product.deleted"]);
        assert_eq!(log[1].1, r#"{"status":"archived"}"#);
        let sql = Sql::same("select count(*) from outbox where topic = 'product.changed'");
        let told: Vec<(i64,)> = fetch_all(&mut app.db.conn().await.unwrap(), sql, Vec::new()).await.unwrap();
        assert_eq!(told, [(5 + 17,)]);
        app.run_jobs().await;
    }

    async fn what_somebody_changed_meanwhile_is_left_alone_and_told(app: TestApp) {
        for name in ["One", "Two", "Three"] {
            app.product(name, "10", 1).await;
        }
        let mut browser = admin_browser(&app).await;
        let list = browser.get("/admin/products").await.expect(200);
        let ticked = [("do", "archive"), ("id", "1")];
        let preview = browser.submit(&list, "#bulk", &ticked).await.expect(200);
        assert_eq!(preview.text("#preview"), "1 of 1 product changes");
        let preview = browser.submit(&list, "#bulk", &[("do", "archive"), ("scope", "all")]).await.expect(200);
        let input = ProductInput { name: Some("Two!".to_owned()), ..ProductInput::default() };
        service::update_product(&app, &app.system(), &ProductKey::Id(ProductId(2)), None, input).await.unwrap();
        service::delete_product(&app, &app.system(), &ProductKey::Id(ProductId(3)), None).await.unwrap();
        app.product("Four", "10", 1).await;
        let done = browser.submit(&preview, "#confirm", &[]).await.expect(200);
        assert!(done.has("One product was changed."), "{}", done.body);
        assert!(done.has("were changed by somebody else meanwhile, and were left alone: Two!."));
        assert!(done.has("are no longer there, and were left alone: Product 3."));
        assert_eq!(read(&app, ProductId(1)).await.status, ProductStatus::Archived);
        assert_eq!(read(&app, ProductId(2)).await.status, ProductStatus::Active);
        assert_eq!(read(&app, ProductId(4)).await.status, ProductStatus::Active, "it was not in the preview");
    }

    async fn two_changes_at_once_do_not_undo_each_other(app: TestApp) {
        for number in 0..120 {
            app.product(&format!("Cup {number}"), "10", 1).await;
        }
        let input = BulkInput { action: "price".to_owned(), percent: Some("10".to_owned()), ..BulkInput::default() };
        let dearer = input.read(app.currency()).unwrap();
        let all = Selection::Filter(Box::default());
        let ctx = app.system();
        let preview = bulk::preview(&app, &ctx, &all, &dearer, PageRequest::default()).await.unwrap();
        assert_eq!((preview.selected, preview.changes.items.len()), (120, 24));
        let (one, two) = tokio::join!(
            bulk::apply(&app, &ctx, &dearer, preview.seen.clone()),
            bulk::apply(&app, &ctx, &dearer, preview.seen.clone()),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one.changed + two.changed, 120);
        let left = |done: &bulk::Applied| done.skipped.iter().map(|one| one.count).sum::<usize>();
        assert_eq!(left(&one) + left(&two), 120);
        let list = service::list_for_staff(&app, &ctx, &StaffFilter::default(), PageRequest::new(2, 100)).await.unwrap();
        assert!(list.items.iter().all(|row| row.card.price.unwrap().minor() == 1_100 && row.card.version == 2));
    }

    async fn a_change_of_a_hundred_sends_as_many_statements_as_one_of_one(app: TestApp) {
        let ctx = app.system();
        for number in 0..100 {
            make(&app, json!({"name": format!("Cup {number}"), "tags": ["a"],
                "options": [{"name": "Size", "values": [{"value": "S"}, {"value": "L"}]}],
                "variants": [{"options": ["S"], "price": "10.00"}, {"options": ["L"], "price": "30.00"}]})).await;
        }
        let actions = [
            json!({"action": "price", "percent": "-10"}), json!({"action": "archive"}), json!({"action": "add_tag", "tag": "b"}),
            json!({"action": "delete"}),
        ];
        let page = PageRequest::new(1, 100);
        for action in actions {
            let input: BulkInput = serde_json::from_value(action).unwrap();
            let action = input.read(app.currency()).unwrap();
            let one = Selection::Ids(vec![ProductId(1)]);
            let (seen_one, few) = count_statements(bulk::preview(&app, &ctx, &one, &action, page)).await;
            let others = Selection::Ids((2..=100).map(ProductId).collect());
            let (seen, many) = count_statements(bulk::preview(&app, &ctx, &others, &action, page)).await;
            assert_eq!(few, many, "preview of {action:?}");
            let seen_one = seen_one.unwrap().seen;
            let (_, few) = count_statements(bulk::apply(&app, &ctx, &action, seen_one)).await;
            let (done, many) = count_statements(bulk::apply(&app, &ctx, &action, seen.unwrap().seen)).await;
            assert_eq!((done.unwrap().changed, few), (99, many), "{action:?}");
        }
    }

    async fn thousands_are_changed_a_part_at_a_time(app: TestApp) {
        // Rows of the bare minimum: what is counted is how many are taken at once.
        let sql = Sql::same("insert into products (slug, name, status, created_at, updated_at)
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 2005)
            select 'p-' || cast(i as text), 'P', 'draft', 1, 1 from n");
        let mut tx = app.db.begin().await.unwrap();
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let mut browser = admin_browser(&app).await;
        let list = browser.get("/admin/products").await.expect(200);
        let preview = browser.submit(&list, "#bulk", &[("do", "publish"), ("scope", "all")]).await.expect(200);
        let part = browser.submit(&preview, "#confirm", &[]).await.expect(200);
        assert_eq!(part.text("h1"), "2000 of 2005 products are done");
        let done = browser.submit(&part, "#go-on", &[]).await.expect(200);
        assert!(done.has("2005 products were changed."), "{}", done.body);
        let active = app.api().get("/api/products").await.json();
        assert_eq!(active["total"], 2005);
    }

    async fn what_makes_no_sense_changes_nothing_and_breaks_nothing(app: TestApp) {
        app.product("Mug", "10", 1).await;
        let mut browser = admin_browser(&app).await;
        for (query, told) in [
            ("", "Choose what to do"), ("do=explode&id=1", "Choose what to do"), ("do=publish", "Tick at least one"),
            ("do=publish&id=x", "Tick at least one"), ("do=publish&scope=all&search=none", "Choose at least one product"),
        ] {
            let page = browser.get(&format!("/admin/products/bulk?{query}")).await.expect(200);
            assert!(page.path.starts_with("/admin/products") && page.has(told), "{query}: {}", page.body);
        }
        for query in ["do=category&id=1&go=1", "do=category&id=1&go=1&to_category=99", "do=add_tag&id=1&go=1&with_tag=a,b",
            "do=price&id=1&go=1", "do=price&id=1&go=1&percent=0", "do=price&id=1&go=1&percent=5&former=x",
            "do=price&id=1&go=1&percent=200&direction=down"] {
            browser.get(&format!("/admin/products/bulk?{query}")).await.expect(422);
        }
        let page = browser.get("/admin/products/bulk?do=publish&id=1").await.expect(200);
        assert_eq!(page.text("#preview"), "Nothing would change");
        assert!(page.has("stay as they are"));
        for fields in [&[("do", "publish"), ("seen", "x")][..], &[("do", "nothing"), ("seen", "1.1")],
            &[("do", "category"), ("to_category", "99"), ("seen", "1.1")], &[]] {
            browser.post("/admin/products/bulk", fields).await.expect(200);
        }
        assert_eq!(read(&app, ProductId(1)).await.version, 1);
        let api = app.api().signed_in("admin@example.com").await;
        for body in [json!({}), json!({"change": {"action": "x"}}), json!({"change": {"action": "publish"}}),
            json!({"change": {"action": "publish"}, "selection": {}}),
            json!({"change": {"action": "publish"}, "selection": {"ids": []}}),
            json!({"change": {"action": "publish"}, "selection": {"ids": [1], "filter": {}}}),
            json!({"change": {"action": "publish"}, "seen": "x"}),
            json!({"change": {"action": "price", "percent": "NaN"}, "selection": {"ids": [1]}}),
            json!({"change": {"action": "category", "category_id": 99}, "selection": {"ids": [1]}})] {
            api.post("/api/admin/products/bulk", body.clone()).await.expect(422);
        }
        let large = json!({"change": {"action": "price", "percent": "1000"}, "selection": {"ids": [1]}});
        for _ in 0..14 {
            api.post("/api/admin/products/bulk", large.clone()).await.expect(200);
        }
        let done = api.post("/api/admin/products/bulk", large).await.expect(200).json();
        assert_eq!((&done["changed"], &done["skipped"][0]["code"]), (&json!(0), &json!("too_large")));
        let many = Seen::default();
        assert!(many.is_empty());
        let nobody = bulk::apply(&app, &app.guest(), &BulkAction::Delete, many).await;
        assert!(matches!(nobody, Err(Error::Unauthenticated)));
    }

    async fn stock_is_counted_in_the_list(app: TestApp) {
        for (name, stock) in [("Mug", 10), ("Bowl", 4), ("Tray", 7)] {
            app.product(name, "10", stock).await;
        }
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let mut counter = app.browser();
        counter.sign_in("stock@example.com").await;
        let list = counter.get("/admin/products?sort=name").await.expect(200);
        assert!(list.texts("#bulk").is_empty() && list.attributes("a.name", "href").is_empty(), "only stock is theirs");
        let wrong = counter.submit(&list, "#stock", &[("stock.1", "-3"), ("stock.2", "x"), ("stock.3", "8")]).await.expect(422);
        assert_eq!(wrong.attributes("#f-stock\\.1", "value"), ["-3"]);
        assert_eq!(wrong.texts("td .err"), ["Write a whole number."]);
        assert_eq!(read(&app, ProductId(3)).await.variants[0].stock.on_hand, 7, "all or nothing");
        let wrong = counter.submit(&wrong, "#stock", &[("stock.2", "4")]).await.expect(422);
        assert_eq!(wrong.texts("td .err").len(), 1);

        // Two are sold while somebody counts.
        let customer = app.customer("ada@example.com").await;
        let item = zoco::cart::service::AddItem { product_id: Some(ProductId(1)), quantity: Some(2), ..Default::default() };
        zoco::cart::service::add_item(&app, &customer, item).await.unwrap();
        let order = json!({"shipping_address": "Ada\n12 Main Street", "payment": {"provider": "bank_transfer"}});
        app.api().signed_in("ada@example.com").await.post("/api/orders", order).await.expect(201);
        let saved = counter.submit(&list, "#stock", &[
            ("stock.1", "12"), ("stock.3", "8"), ("reason", "received"), ("note", "D-7")]).await.expect(200);
        assert!(saved.has("The stock of 2 variants was saved."), "{}", saved.body);
        assert!(saved.has("of variant 1 there are 10 now"), "{}", saved.body);
        assert_eq!(saved.path, "/admin/products?sort=name");
        let sql = Sql::same("select quantity, reason, reference from stock_movements where id > 3 order by id");
        let ledger: Vec<(i64, String, String)> = fetch_all(&mut app.db.conn().await.unwrap(), sql, Vec::new()).await.unwrap();
        let received = |pieces: i64| (pieces, "received".to_owned(), "D-7".to_owned());
        assert_eq!(ledger[1..], [received(2), received(1)]);
        assert_eq!(zoco::inventory::service::imbalances(&mut app.db.conn().await.unwrap()).await.unwrap(), []);
        // One row alone, whatever stands in the others.
        let list = counter.get("/admin/products").await.expect(200);
        let one = counter.submit(&list, "#stock", &[("stock.1", "1"), ("stock.2", "5"), ("only", "2")]).await.expect(200);
        assert!(one.has("The stock was saved."));
        let stock = async |id| read(&app, ProductId(id)).await.variants[0].stock.on_hand;
        assert_eq!((stock(1).await, stock(2).await), (10, 5));
        let none = counter.submit(&list, "#stock", &[]).await.expect(200);
        assert!(none.has("No stock was changed."));
        let sql = Sql::same("update stock_levels set reserved = 3 where variant_id = 2");
        let mut tx = app.db.begin().await.unwrap();
        zoco::db::query::execute(&mut tx, sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let list = counter.get("/admin/products").await.expect(200);
        let refused = counter.submit(&list, "#stock", &[("stock.2", "2")]).await.expect(422);
        assert!(refused.texts("td .err")[0].starts_with("Stock is at least what is reserved"));
        let wrong = counter.submit(&list, "#stock", &[("stock.2", "9"), ("note", &"x".repeat(101))]).await.expect(422);
        assert_eq!(wrong.texts(".stock-bar .err").len(), 1);
        counter.post("/admin/products/stock", &[("stock.99", "1"), ("was.99", "0"), ("stock.x", "1"), ("other.1", "2")]).await.expect(422);
        app.run_jobs().await;
    }

    async fn stock_of_variants_has_a_page_and_an_api(app: TestApp) {
        shelf(&app).await;
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let mut counter = app.browser();
        counter.sign_in("stock@example.com").await;
        let page = counter.get("/admin/products/5/stock").await.expect(200);
        assert_eq!(page.attributes("td input[type=number]", "value"), ["0", "2"]);
        let ids: Vec<i64> = read(&app, ProductId(5)).await.variants.iter().map(|variant| variant.id.0).collect();
        let (small, large) = (format!("stock.{}", ids[0]), format!("stock.{}", ids[1]));
        let wrong = counter.submit(&page, "#stock", &[(&small, "x")]).await.expect(422);
        assert_eq!(wrong.texts("td .err"), ["Write a whole number."]);
        let saved = counter.submit(&page, "#stock", &[(&small, "4"), (&large, "6"), ("stock.1!", "9"), ("was.1!", "40")]).await.expect(200);
        assert_eq!(saved.attributes("td input[type=number]", "value"), ["4", "6"]);
        assert_eq!(read(&app, ProductId(1)).await.variants[0].stock.on_hand, 40, "only of this product");
        counter.get("/admin/products/99/stock").await.expect(404);
        let draft = counter.get("/admin/products/2/stock").await.expect(200);
        assert_eq!(draft.text("h1"), "Stock of bowl");

        let api = app.api().signed_in("stock@example.com").await;
        let done = api.patch("/api/admin/stock", json!({"edits": [{"variant_id": ids[1], "change": -2},
            {"variant_id": ids[0], "on_hand": 7}]})).await.expect(200).json();
        assert_eq!(done["items"][0], json!({"variant_id": ids[0], "before": 4, "on_hand": 7, "reserved": 0}));
        assert_eq!(done["items"][1]["on_hand"], 4);
        for (body, field) in [
            (json!({}), "edits"),
            (json!({"edits": [{"variant_id": ids[0], "change": -8}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": ids[0], "on_hand": -1}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": ids[0], "on_hand": 1_000_000_001}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": ids[0], "on_hand": i64::MAX, "was": -5}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": ids[0], "change": i64::MAX}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": ids[0]}]}), "edits.0.on_hand"),
            (json!({"edits": [{"variant_id": 99, "on_hand": 1}]}), "edits.0.variant_id"),
            (json!({"edits": [{"variant_id": ids[0], "on_hand": 1}, {"variant_id": ids[0], "on_hand": 2}]}), "edits.1.variant_id"),
            (json!({"edits": [{"variant_id": ids[0], "on_hand": 1}], "reason": "sold"}), "reason"),
        ] {
            let problem = api.patch("/api/admin/stock", body.clone()).await.expect(422).json();
            assert_eq!(problem["errors"][0]["field"], field, "{body}");
        }
        app.api().patch("/api/admin/stock", json!({})).await.expect(401);
        app.staff("orders@example.com", &[Permission::Orders]).await;
        let other = app.api().signed_in("orders@example.com").await;
        other.patch("/api/admin/stock", json!({})).await.expect(403);
        other.post("/api/admin/products/bulk", json!({"change": {}})).await.expect(403);
        api.post("/api/admin/products/bulk", json!({"change": {}})).await.expect(403);
        api.post("/api/products/1/duplicate", json!({})).await.expect(403);
        api.get("/api/admin/products").await.expect(200);
    }

    async fn a_copy_is_a_draft_of_its_own(app: TestApp) {
        let cups = category(&app, "Cups").await;
        app.product("Spoon", "3", 1).await;
        let model = make(&app, json!({"name": "Mug", "maker": "Lola", "summary": "S", "description": "# D", "category_id": cups.id,
            "tags": ["a"], "attributes": [{"name": "Material", "value": "Clay"}], "related": ["spoon"], "seo_title": "T",
            "options": [{"name": "Colour", "values": [{"value": "Oat", "swatch": "#e4dac8"}, {"value": "Ink"}]}],
            "variants": [
                {"options": ["Oat"], "price": "24.00", "compare_at_price": "30", "stock": 5, "sku": "M-O", "barcode": "4006381333931", "weight_grams": 9},
                {"options": ["Ink"], "price": "28.00", "stock": 7, "sku": "M-I", "active": false}]})).await;
        let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([1, 2, 3]));
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        service::add_image(&app, &app.system(), &ProductKey::Id(model.id), png.into_inner(), "A mug").await.unwrap();
        let mut browser = admin_browser(&app).await;
        let list = browser.get("/admin/products?search=mug").await.expect(200);
        let form = browser.submit(&list, "form[action$=duplicate]", &[]).await.expect(200);
        assert_eq!(form.attributes("#f-name", "value"), ["Copy of Mug"]);
        let model = read(&app, model.id).await;
        let copy = read(&app, ProductId(3)).await;
        assert_eq!((copy.status, copy.slug.as_str(), copy.version), (ProductStatus::Draft, "copy-of-mug", 1));
        assert_eq!((&copy.options, &copy.tags, &copy.attributes, &copy.related, &copy.seo),
            (&model.options, &model.tags, &model.attributes, &model.related, &model.seo));
        assert_eq!((copy.category_id, &copy.description, &copy.maker), (model.category_id, &model.description, &model.maker));
        let variant = |variant: &zoco::catalog::Variant| (variant.options.clone(), variant.price, variant.compare_at, variant.weight_grams, variant.active);
        assert!(copy.variants.iter().map(variant).eq(model.variants.iter().map(variant)));
        assert!(copy.variants.iter().all(|one| one.stock.on_hand == 0 && one.barcode.is_empty() && !one.sku.starts_with("M-")));
        assert_eq!((copy.images[0].storage_key.as_str(), copy.images[0].alt.as_str()), (model.images[0].storage_key.as_str(), "A mug"));
        let api = app.api().signed_in("admin@example.com").await;
        let made = api.post("/api/products/mug/duplicate", json!({})).await.expect(201);
        assert_eq!((made.header("location"), made.json()["slug"].clone()), ("/api/products/4".to_owned(), json!("copy-of-mug-2")));
        // The form of a product copies it, too; a product that is not made yet cannot be copied.
        let form = browser.get(&format!("/admin/products/{}", model.id)).await.expect(200);
        assert_eq!(form.texts("form[action$=duplicate] button"), ["Duplicate"]);
        let form = browser.submit(&form, "form[action$=duplicate]", &[]).await.expect(200);
        assert_eq!(form.attributes("#f-name", "value"), ["Copy of Mug"]);
        assert_eq!(form.attributes("form#product", "action"), ["/admin/products/5"]);
        assert_eq!(form.texts(".flash"), ["This is a draft like “Mug”. Change what differs."]);
        let new = browser.get("/admin/products/new").await.expect(200);
        assert!(new.texts("form[action$=duplicate]").is_empty());
        api.post("/api/products/none/duplicate", json!({})).await.expect(404);
        browser.post("/admin/products/99/duplicate", &[]).await.expect(404);
    }
}
