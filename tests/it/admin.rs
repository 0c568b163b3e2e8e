//! The back office: its menu, products, categories and orders by form.

use axum::http::Method;
use serde_json::json;
use zoco::cart::service::AddItem;
use zoco::catalog::service::{self, CategoryInput, ProductInput};
use zoco::catalog::{Category, Product, ProductKey, ProductStatus};
use zoco::checkout::service::{AddressInput, PaymentInput, PlaceOrder};
use zoco::ctx::{Ctx, Permission};
use zoco::db::count_statements;
use zoco::db::query::{Sql, fetch_all};
use zoco::orders::OrderStatus;
use zoco::types::{ProductId, TextEnum};
use zoco::{catalog, orders};

use crate::support::clients::multipart;
use crate::support::{Browser, Reply, TestApp, both};

/// Somebody signed in as an admin.
async fn admin_browser(app: &TestApp) -> Browser {
    app.admin().await;
    let mut browser = app.browser();
    browser.sign_in("admin@example.com").await;
    browser
}

/// A new category.
pub async fn category(app: &TestApp, name: &str) -> Category {
    let input = CategoryInput {
        name: Some(name.to_owned()),
        ..CategoryInput::default()
    };
    service::create_category(app, &app.system(), input)
        .await
        .unwrap()
}

/// A mug in two colours.
async fn mug(app: &TestApp) -> Product {
    let input: ProductInput = serde_json::from_value(json!({
        "name": "Everyday mug",
        "description": "Holds coffee.",
        "options": [{"name": "Colour", "values": [{"value": "Oat", "swatch": "#e4dac8"}, {"value": "Ink"}]}],
        "variants": [
            {"options": ["Oat"], "price": "24.00", "stock": 5, "sku": "MUG-OAT"},
            {"options": ["Ink"], "price": "28.00", "stock": 7, "sku": "MUG-INK"},
        ],
    }))
    .unwrap();
    service::create_product(app, &app.system(), input)
        .await
        .unwrap()
}

async fn read(app: &TestApp, id: ProductId) -> Product {
    service::product(app, &app.system(), &ProductKey::Id(id))
        .await
        .unwrap()
}

/// An order of one product; gives its number.
pub async fn order(
    app: &TestApp,
    ctx: &Ctx,
    product: &Product,
    quantity: i64,
    provider: &str,
) -> String {
    let item = AddItem {
        variant_id: Some(product.variants[0].id),
        quantity: Some(quantity),
        ..AddItem::default()
    };
    zoco::cart::service::add_item(app, ctx, item).await.unwrap();
    let input = PlaceOrder {
        shipping_address: Some(AddressInput::Text(
            "Ada Lovelace\n12 Main Street".to_owned(),
        )),
        payment: Some(PaymentInput {
            provider: Some(provider.to_owned()),
            token: None,
        }),
        ..PlaceOrder::default()
    };
    let placed = zoco::checkout::service::place_order(app, ctx, None, input)
        .await
        .unwrap();
    placed.order.number
}

/// The actions of the audit log on a subject, oldest first.
async fn audited(app: &TestApp, subject: &str) -> Vec<String> {
    let sql = Sql::same("select action, actor_name from audit_log where subject = $1 order by id");
    let mut conn = app.db.conn().await.unwrap();
    let rows: Vec<(String, String)> = fetch_all(&mut conn, sql, vec![subject.into()])
        .await
        .unwrap();
    rows.into_iter().map(|(action, _)| action).collect()
}

/// What the table of changes by somebody else says, a row each.
pub fn compared(page: &Reply) -> Vec<String> {
    let cells = page.texts(".compare tbody tr > *");
    cells.chunks(3).map(|row| row.join(" | ")).collect()
}

/// A PNG of one colour.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([180, 120, 60]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

both! {
    async fn staff_land_in_the_back_office(app: TestApp) {
        app.staff("orders@example.com", &[Permission::Orders]).await;
        app.customer("customer@example.com").await;
        let page = app.browser().sign_in("orders@example.com").await;
        assert_eq!(page.path, "/admin");
        assert_eq!(page.texts(".side [aria-current]"), ["Home"]);
        let page = app.browser().sign_in("customer@example.com").await;
        assert_eq!(page.path, "/account");
        assert!(page.texts(".side li").is_empty());
        let mut admin = admin_browser(&app).await;
        let page = admin.get("/admin/products/new").await.expect(200);
        assert_eq!(page.texts(".side [aria-current]"), ["Products"]);
    }

    async fn the_menu_shows_what_one_may_open_and_nothing_else(app: TestApp) {
        let mut admin = admin_browser(&app).await;
        let page = admin.get("/admin").await.expect(200);
        let labels = page.texts(".side li");
        let all: Vec<(String, String)> = labels.into_iter().zip(page.attributes(".side li a", "href")).collect();
        for permission in Permission::ALL {
            let email = format!("{permission}@example.com");
            app.staff(&email, &[*permission]).await;
            let mut browser = app.browser();
            let page = browser.sign_in(&email).await;
            let shown = page.texts(".side li");
            let expected: &[&str] = match permission {
                Permission::Catalog => &["Home", "Products", "Categories", "Reviews", "Search", "Import"],
                Permission::Inventory => &["Home", "Products", "Stock"],
                Permission::Orders => &["Home", "Orders", "Payments"],
                Permission::Settings => &["Home", "Shipping", "Taxes", "Staff", "Audit log"],
                Permission::Promotions => &["Home", "Promotions", "Gift cards"],
                Permission::Customers => &["Home", "Store credit"],
                Permission::Reports => &["Home"],
            };
            assert_eq!(shown, expected, "{permission}");
            for (label, href) in &all {
                let status = browser.get(href).await.status.as_u16();
                let wanted = if shown.contains(label) { 200 } else { 403 };
                assert_eq!(status, wanted, "{permission}: {label}");
            }
        }
        let labels: Vec<&str> = all.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["Home", "Orders", "Payments", "Products", "Stock", "Categories", "Reviews", "Promotions", "Gift cards", "Store credit", "Search", "Import", "Shipping", "Taxes", "Staff", "Audit log"]);
    }

    async fn the_start_page_tells_what_waits(app: TestApp) {
        let product = app.product("Mug", "24.00", 8).await;
        app.product("Lamp", "99.00", 80).await;
        let customer = app.customer("ada@example.com").await;
        let number = order(&app, &customer, &product, 5, "bank_transfer").await;
        let mut browser = admin_browser(&app).await;
        let page = browser.get("/admin").await.expect(200);
        assert_eq!(page.texts(".tiles strong"), ["1", "1"]);
        assert_eq!(page.texts(".side small"), ["1"], "the menu counts orders that wait");
        assert!(page.has(&number));
        assert_eq!(page.texts("[aria-labelledby=low] .name"), ["Mug"]);
        assert_eq!(page.texts("[aria-labelledby=low] td.low"), ["3"]);
        orders::service::transition(&app, &app.system(), &number, OrderStatus::Confirmed).await.unwrap();
        let page = browser.get("/admin").await.expect(200);
        assert_eq!(page.texts(".tiles strong"), ["0", "1"]);
        assert!(page.texts(".side small").is_empty());
        let mut staff = app.browser();
        app.staff("nothing@example.com", &[]).await;
        let page = staff.sign_in("nothing@example.com").await;
        assert!(page.has("Nothing here is yours"), "{}", page.body);
        assert!(!page.has(&number));
        app.run_jobs().await;
    }

    async fn a_product_made_by_form_is_in_the_shop(app: TestApp) {
        let cups = category(&app, "Cups").await;
        let mut browser = admin_browser(&app).await;
        let form = browser.get("/admin/products/new").await.expect(200);
        assert!(form.has("Save the product first"), "pictures come later");
        let page = browser.submit(&form, "#product", &[
            ("name", "Travel mug"),
            ("summary", "Keeps warm."),
            ("description", "# Care\r\nBy hand."),
            ("category_id", &cups.id.to_string()),
            ("maker", "Lola Vives"),
            ("tags", "steel, gift"),
            ("attributes.0.name", "Material"),
            ("attributes.0.value", "Steel"),
            ("variants.0.price", "31.50"),
            ("variants.0.compare_at_price", "35"),
            ("variants.0.stock", "12"),
            ("variants.0.sku", "TRAVEL"),
            ("variants.0.weight_grams", "310"),
            ("variants.0.barcode", "4006381333931"),
        ]).await.expect(200);
        assert!(page.has("“Travel mug” was made"), "{}", page.body);
        let json = app.api().get("/api/products/travel-mug").await.expect(200).json();
        assert_eq!(json["name"], "Travel mug");
        assert_eq!(json["variants"][0]["price"]["amount"], "31.50");
        let listed = app.api().get("/api/products?search=travel").await.expect(200).json();
        assert_eq!(listed["total"], 1);
        let id = ProductId(json["id"].as_i64().unwrap());
        let product = read(&app, id).await;
        assert_eq!(product.description, "# Care\nBy hand.");
        assert_eq!(product.category_id, Some(cups.id));
        assert_eq!(product.tags, ["steel", "gift"]);
        assert_eq!(product.attributes, [("Material".to_owned(), "Steel".to_owned())]);
        let variant = &product.variants[0];
        assert_eq!(variant.compare_at.unwrap().amount(), "35.00");
        assert_eq!((variant.stock.on_hand, variant.weight_grams), (12, 310));
        assert_eq!(variant.barcode, "4006381333931");
        assert_eq!(product.created_by.map(|id| id.0), Some(1));
        assert_eq!(audited(&app, &format!("product {id}")).await, ["product.created"]);
    }

    async fn saving_a_product_unchanged_changes_nothing(app: TestApp) {
        let before = mug(&app).await;
        let mut browser = admin_browser(&app).await;
        let form = browser.get(&catalog::urls::admin_product(before.id)).await.expect(200);
        let page = browser.submit(&form, "#product", &[]).await.expect(200);
        assert!(page.has("was saved"), "{}", page.body);
        let after = read(&app, before.id).await;
        assert_eq!(after.version, before.version + 1);
        let same = Product { version: before.version, updated_at: before.updated_at, ..after };
        assert_eq!(same, before);
    }

    async fn mistakes_come_back_with_what_was_typed(app: TestApp) {
        let product = mug(&app).await;
        let path = catalog::urls::admin_product(product.id);
        let mut browser = admin_browser(&app).await;
        let form = browser.get(&path).await.expect(200);
        let page = browser.submit(&form, "#product", &[
            ("name", ""),
            ("summary", "Typed & kept"),
            ("attributes.0.name", "Material"),
            ("variants.1.price", "2800,"),
            ("variants.1.stock", "many"),
            ("variants.0.sku", "MUG-INK"),
            ("options.0.values.0.swatch", "beige"),
        ]).await.expect(422);
        for (field, message) in [
            ("name", "Give it a name."),
            ("attributes.0.value", "This is needed."),
            ("variants.1.price", "Write an amount like 19.99."),
            ("variants.0.sku", "Another variant has this SKU."),
            ("options.0.values.0.swatch", "A colour is written #rrggbb."),
        ] {
            let shown = page.texts(&format!("[id='e-{field}']"));
            assert_eq!(shown, [message], "{field}");
            let described = page.attributes(&format!("[id='f-{field}']"), "aria-describedby");
            assert_eq!(described, [format!("e-{field}")]);
            assert!(!page.texts(&format!(".alert a[href='#f-{field}']")).is_empty(), "{field} is linked on top");
        }
        assert!(page.text("[id='e-variants.1.stock']").contains("Stock is at least"));
        for (field, value) in [("summary", "Typed & kept"), ("variants.1.price", "2800,"), ("variants.1.stock", "many"),
            ("options.0.values.0.swatch", "beige"), ("attributes.0.name", "Material")] {
            assert_eq!(page.attributes(&format!("[name='{field}']"), "value"), [value]);
        }
        assert_eq!(read(&app, product.id).await, product, "nothing was written");
        let page = browser.submit(&page, "#product", &[
            ("name", "Mug"), ("attributes.0.value", "Clay"), ("variants.1.price", "30"), ("variants.1.stock", "9"),
            ("variants.0.sku", "MUG-O"), ("options.0.values.0.swatch", "#EEDDCC"),
        ]).await.expect(200);
        assert!(page.has("“Mug” was saved"), "{}", page.body);
        let after = read(&app, product.id).await;
        assert_eq!((after.variants[1].price.amount(), after.variants[1].stock.on_hand), ("30.00".to_owned(), 9));
        assert_eq!(after.options[0].values[0].swatch.as_deref(), Some("#eeddcc"));
        let new = browser.get("/admin/products/new").await.expect(200);
        let page = browser.submit(&new, "#product", &[("name", "Bowl"), ("slug", "Not A Slug")]).await.expect(422);
        assert_eq!(page.attributes("[name=name]", "value"), ["Bowl"]);
        assert!(!page.text("#e-slug").is_empty());
        assert!(!page.text("[id='e-variants.0.price']").is_empty());
    }

    async fn somebody_elses_change_is_shown_and_nothing_typed_is_lost(app: TestApp) {
        let product = mug(&app).await;
        let path = catalog::urls::admin_product(product.id);
        let mut browser = admin_browser(&app).await;
        let form = browser.get(&path).await.expect(200);
        let theirs: ProductInput = serde_json::from_value(json!({
            "name": "Daily mug",
            "options": [{"name": "Colour", "values": [{"value": "Oat"}, {"value": "Ink"}, {"value": "Sage"}]}],
            "variants": [
                {"id": product.variants[0].id, "price": "26.00"},
                {"id": product.variants[1].id},
                {"options": ["Sage"], "price": "25.00", "sku": "MUG-SAGE"},
            ],
        })).unwrap();
        service::update_product(&app, &app.system(), &ProductKey::Id(product.id), None, theirs).await.unwrap();
        let typed = [("summary", "Mine"), ("variants.0.price", "27.00"), ("variants.1.stock", "70")];
        let page = browser.submit(&form, "#product", &typed).await.expect(409);
        assert!(page.has("Somebody else changed this product while you were editing"));
        let rows = compared(&page);
        assert!(rows.contains(&"Name | Daily mug | Everyday mug".to_owned()), "{rows:?}");
        assert!(rows.contains(&"Price, Oat | 26.00 | 27.00".to_owned()), "{rows:?}");
        assert!(rows.contains(&"Stock, Ink | 7 | 70".to_owned()), "{rows:?}");
        assert!(rows.contains(&"Sage | MUG-SAGE | nothing".to_owned()), "{rows:?}");
        for (field, value) in typed {
            assert_eq!(page.attributes(&format!("[name='{field}']"), "value"), [value], "{field} is kept");
        }
        assert_eq!(page.attributes("[name='variants.2.sku']", "value"), ["MUG-SAGE"], "the new variant is not lost");
        assert_eq!(read(&app, product.id).await.name, "Daily mug", "nothing was written");
        // The typist looks, takes the third value up and saves again.
        let page = browser.submit(&page, "#product", &[("options.0.values.2.value", "Sage")]).await.expect(200);
        assert!(page.has("was saved"), "{}", page.body);
        let after = read(&app, product.id).await;
        assert_eq!((after.name.as_str(), after.summary.as_str()), ("Everyday mug", "Mine"));
        let prices: Vec<String> = after.variants.iter().map(|variant| variant.price.amount()).collect();
        assert_eq!(prices, ["27.00", "28.00", "25.00"]);
        assert_eq!(after.variants[1].stock.on_hand, 70);
        // A form without its version is old, too.
        browser.post_only(&path, &[("name", "Blind")]).await.expect(409);
    }

    async fn what_is_sold_meanwhile_is_not_put_back_by_saving(app: TestApp) {
        let product = app.product("Mug", "24.00", 10).await;
        let mut browser = admin_browser(&app).await;
        let form = browser.get(&catalog::urls::admin_product(product.id)).await.expect(200);
        let customer = app.customer("ada@example.com").await;
        order(&app, &customer, &product, 4, "bank_transfer").await;
        let page = browser.submit(&form, "#product", &[("summary", "New words")]).await.expect(200);
        assert!(page.has("was saved"));
        assert_eq!(read(&app, product.id).await.variants[0].stock.on_hand, 6);
        assert_eq!(page.attributes("[name='variants.0.stock']", "value"), ["6"]);
        browser.submit(&page, "#product", &[("variants.0.stock", "20")]).await.expect(200);
        assert_eq!(read(&app, product.id).await.variants[0].stock.on_hand, 20);
        app.run_jobs().await;
    }

    async fn rows_are_added_without_script(app: TestApp) {
        let product = app.product("Mug", "24.00", 10).await;
        let mut browser = admin_browser(&app).await;
        let form = browser.get(&catalog::urls::admin_product(product.id)).await.expect(200);
        assert_eq!(form.attributes("[name^='attributes.'][name$='.name']", "name").len(), 2);
        let more = browser.submit(&form, "#product", &[("do", "more"), ("attributes.1.name", "Glaze"),
            ("options.0.name", "Size"), ("options.0.values.0.value", "S"), ("options.0.values.1.value", "L"),
            ("summary", "Kept")]).await.expect(200);
        assert_eq!(more.attributes("[name^='attributes.'][name$='.name']", "name").len(), 11);
        assert_eq!(more.attributes("[name='attributes.0.name']", "value"), ["Glaze"], "rows close up");
        assert_eq!(more.attributes("[name=summary]", "value"), ["Kept"]);
        assert_eq!(read(&app, product.id).await, product, "nothing was written");
        let table = browser.submit(&more, "#product", &[("do", "variants"), ("attributes.0.value", "Matt"),
            ("options.1.name", "Colour"), ("options.1.values.0.value", "Oat"), ("options.1.values.1.value", "Ink")])
            .await.expect(200);
        let size = table.attributes("[name$='.options.0']", "value");
        let colour = table.attributes("[name$='.options.1']", "value");
        assert_eq!(size, ["S", "S", "L", "L", ""]);
        assert_eq!(colour, ["Oat", "Ink", "Oat", "Ink", ""]);
        assert_eq!(table.attributes("[name='variants.3.price']", "value"), ["24.00"], "new rows cost the same");
        let page = browser.submit(&table, "#product", &[("variants.3.stock", "4")]).await.expect(200);
        assert!(page.has("was saved"), "{}", page.body);
        let after = read(&app, product.id).await;
        assert_eq!(after.variants.len(), 4);
        assert_eq!(after.variants[0].id, product.variants[0].id, "what was there goes on");
        assert_eq!(after.variants[0].stock.on_hand, 10);
        assert_eq!(after.variants[3].stock.on_hand, 4);
        // A value that gets another name takes its variants along; a removed row goes.
        let page = browser.submit(&page, "#product", &[("options.1.values.0.value", "Sand"), ("variants.1.remove", "on")])
            .await.expect(200);
        assert!(page.has("was saved"), "{}", page.body);
        let names: Vec<String> = read(&app, product.id).await.variants.iter().map(zoco::catalog::Variant::name).collect();
        assert_eq!(names, ["S, Sand", "L, Sand", "L, Ink"]);
        // Making them once more adds only what is missing.
        let table = browser.submit(&page, "#product", &[("do", "variants")]).await.expect(200);
        assert_eq!(table.attributes("[name$='.options.1']", "value"), ["Sand", "Sand", "Ink", "Ink", ""]);
        // An option that goes takes its column along.
        let page = browser.submit(&page, "#product", &[("options.0.name", ""), ("options.0.values.0.value", ""),
            ("options.0.values.1.value", ""), ("variants.1.remove", "on")]).await.expect(200);
        assert!(page.has("was saved"), "{}", page.body);
        let names: Vec<String> = read(&app, product.id).await.variants.iter().map(zoco::catalog::Variant::name).collect();
        assert_eq!(names, ["Sand", "Ink"]);
    }

    async fn options_that_make_too_many_variants_are_refused(app: TestApp) {
        let mut browser = admin_browser(&app).await;
        let mut fields: Vec<(String, String)> = vec![("do".to_owned(), "variants".to_owned())];
        for option in 0..3 {
            fields.push((format!("options.{option}.name"), format!("Option {option}")));
            for value in 0..11 {
                fields.push((format!("options.{option}.values.{value}.value"), format!("v{value}")));
            }
        }
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = browser.post_only("/admin/products/new", &pairs).await.expect(422);
        assert!(page.text("#e-variants").contains("make 1331 variants; 1000 is the most"), "{}", page.text("#e-variants"));
        let page = browser.post_only("/admin/products/new", &[("do", "variants")]).await.expect(422);
        assert!(page.text("#e-variants").contains("Give each option"));
        // Names of fields that nobody knows, and rows that are no numbers, are left out.
        let odd = [("variants.x.price", "1"), ("variants.0.options.y", "1"), ("nonsense", "1"), ("options.0.values.z.value", "1"),
            ("attributes.0", "1"), ("options.0.other", "1"), ("variants.0.other", "1"), ("attributes.0.other", "1"),
            ("options.0.values.0.other", "1")];
        browser.post_only("/admin/products/new", &odd).await.expect(422);
    }

    async fn the_list_is_searched_filtered_and_sorted(app: TestApp) {
        let cups = category(&app, "Cups").await;
        let names = |page: &Reply| page.texts("td .name");
        for (name, price, status, category) in [
            ("Mug", "24.00", "active", Some(cups.id)), ("Bowl", "12.00", "draft", None), ("Vase", "60.00", "archived", Some(cups.id)),
        ] {
            let input = ProductInput {
                name: Some(name.to_owned()),
                price: Some(zoco::types::MoneyInput::new(price)),
                stock: Some(3),
                status: Some(status.to_owned()),
                category_id: category,
                ..ProductInput::default()
            };
            service::create_product(&app, &app.system(), input).await.unwrap();
        }
        let mut browser = admin_browser(&app).await;
        let all = browser.get("/admin/products").await.expect(200);
        assert_eq!(names(&all), ["Vase", "Bowl", "Mug"]);
        assert_eq!(all.texts("td .badge"), ["Archived", "Draft", "Active"]);
        assert_eq!(all.texts("td[data-l=Category]"), ["Cups", "", "Cups"]);
        assert_eq!(all.texts("td.low").len(), 3);
        let found = browser.submit(&all, "#filter", &[("search", "mug")]).await.expect(200);
        assert_eq!(names(&found), ["Mug"]);
        assert_eq!(found.attributes("#f-search", "value"), ["mug"]);
        let drafts = browser.submit(&all, "#filter", &[("status", "draft")]).await.expect(200);
        assert_eq!(names(&drafts), ["Bowl"]);
        let in_cups = browser.submit(&all, "#filter", &[("category", &cups.id.to_string()), ("sort", "price")]).await.expect(200);
        assert_eq!(names(&in_cups), ["Mug", "Vase"]);
        let none = browser.get("/admin/products?search=%3F%3F&sort=wrong&page=x&status=none").await.expect(200);
        assert!(none.has("No product fits"));
        let page_two = browser.get("/admin/products?page=2").await.expect(200);
        assert!(names(&page_two).is_empty());
    }

    async fn lists_send_the_same_number_of_statements_whatever_their_length(app: TestApp) {
        let mut browser = admin_browser(&app).await;
        let customer = app.customer("ada@example.com").await;
        let product = mug(&app).await;
        order(&app, &customer, &product, 1, "bank_transfer").await;
        let pages = ["/admin", "/admin/products", "/admin/orders", "/admin/categories", "/admin/products/1"];
        category(&app, "Cups").await;
        let mut few = Vec::new();
        for page in pages {
            few.push(count_statements(browser.get(page)).await.1);
        }
        for number in 0..5 {
            category(&app, &format!("Category {number}")).await;
            app.product(&format!("Bowl {number}"), "12.00", 2).await;
        }
        for _ in 0..3 {
            order(&app, &customer, &product, 1, "bank_transfer").await;
        }
        let mut many = Vec::new();
        for page in pages {
            many.push(count_statements(browser.get(page)).await.1);
        }
        assert_eq!(few, many);
        app.run_jobs().await;
    }

    async fn a_product_is_deleted_after_a_question_and_archived_when_ordered(app: TestApp) {
        let (gone, kept) = (app.product("Gone", "1.00", 1).await, app.product("Kept", "1.00", 1).await);
        let customer = app.customer("ada@example.com").await;
        order(&app, &customer, &kept, 1, "bank_transfer").await;
        let mut browser = admin_browser(&app).await;
        let ask = browser.get(&catalog::urls::admin_product_delete(gone.id)).await.expect(200);
        assert!(ask.has("Delete “Gone”?"));
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("The product was deleted."));
        browser.get(&catalog::urls::admin_product(gone.id)).await.expect(404);
        browser.get(&catalog::urls::admin_product_delete(gone.id)).await.expect(404);
        let ask = browser.get(&catalog::urls::admin_product_delete(kept.id)).await.expect(200);
        let rename = ProductInput { summary: Some("New".to_owned()), ..ProductInput::default() };
        service::update_product(&app, &app.system(), &ProductKey::Id(kept.id), None, rename).await.unwrap();
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("Look again before you delete it"), "{}", page.body);
        let ask = browser.get(&catalog::urls::admin_product_delete(kept.id)).await.expect(200);
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("The product was archived"));
        assert_eq!(read(&app, kept.id).await.status, ProductStatus::Archived);
        assert_eq!(audited(&app, &format!("product {}", gone.id)).await, ["product.created", "product.deleted"]);
        app.run_jobs().await;
    }

    async fn pictures_are_uploaded_described_moved_and_removed(app: TestApp) {
        let product = app.product("Mug", "24.00", 1).await;
        let path = catalog::urls::admin_images(product.id);
        let mut browser = admin_browser(&app).await;
        let page = browser.upload(&path, &[("alt", "A mug")], ("image", "../../mug.png", &png(900, 600))).await.expect(200);
        assert!(page.has("The picture was added."), "{}", page.body);
        let image = read(&app, product.id).await.images.remove(0);
        assert_eq!((image.alt.as_str(), image.width, image.height), ("A mug", 900, 600));
        assert_eq!(image.widths(), [400, 800]);
        for width in image.widths() {
            let file = browser.get(&zoco::catalog::image_url(&image.storage_key, width)).await.expect(200);
            assert_eq!(file.header("content-type"), "image/webp");
        }
        let shown = browser.get(&catalog::urls::product(&product.slug)).await.expect(200);
        assert!(shown.has(&image.url(800)), "the product shows it");
        browser.upload(&path, &[("alt", "Inside")], ("image", "b.png", &png(500, 500))).await.expect(200);
        let page = browser.upload(&path, &[("alt", "")], ("image", "c.png", &png(300, 300))).await.expect(200);
        let alts = |page: &Reply| page.attributes(".pictures img", "alt");
        assert_eq!(alts(&page), ["A mug", "Inside", ""]);
        assert_eq!(page.texts(".pictures li:first-child .tag"), ["Cover"]);
        let forms = page.attributes("form[id^='picture-']", "id");
        let second = format!("#{}", forms[1]);
        let page = browser.submit(&page, &second, &[("do", "earlier"), ("alt", "From above")]).await.expect(200);
        assert_eq!(alts(&page), ["From above", "A mug", ""]);
        let page = browser.submit(&page, &second, &[("do", "later")]).await.expect(200);
        assert_eq!(alts(&page), ["A mug", "From above", ""]);
        let third = format!("#{}", forms[2]);
        let page = browser.submit(&page, &third, &[("do", "save"), ("alt", "Glaze")]).await.expect(200);
        assert_eq!(alts(&page), ["A mug", "From above", "Glaze"]);
        let long = "x".repeat(301);
        let refused = browser.submit(&page, &third, &[("do", "save"), ("alt", &long)]).await.expect(422);
        assert!(refused.has("This is too long"), "{}", refused.body);
        assert!(refused.has(&long), "what was typed is kept");
        let page = browser.submit(&page, &second, &[("do", "remove")]).await.expect(200);
        assert_eq!(alts(&page), ["A mug", "Glaze"]);
        let gone = page.attributes("form[id^='picture-']", "action")[0].replace(&image.id.to_string(), "999999");
        browser.post_only(&gone, &[("do", "remove")]).await.expect(404);
        let actions = audited(&app, &format!("product {}", product.id)).await;
        assert!(actions.contains(&"product.image_added".to_owned()), "{actions:?}");
        assert!(actions.contains(&"product.image_removed".to_owned()), "{actions:?}");
    }

    async fn what_is_no_picture_is_told_beside_the_field(app: TestApp) {
        let product = app.product("Mug", "24.00", 1).await;
        let path = catalog::urls::admin_images(product.id);
        let mut browser = admin_browser(&app).await;
        let page = browser.upload(&path, &[], ("image", "a.png", b"<svg></svg>")).await.expect(422);
        assert!(page.text("#e-image").contains("no picture"), "{}", page.body);
        let page = browser.upload(&path, &[("other", "x")], ("image", "", b"")).await.expect(422);
        assert_eq!(page.text("#e-image"), "Choose a picture first.");
        let large = vec![0; 10 * 1024 * 1024 + 1];
        let page = browser.upload(&path, &[], ("image", "a.png", &large)).await.expect(422);
        assert!(page.text("#e-image").contains("too large"), "{}", page.text("#e-image"));
        browser.post_only(&path, &[("alt", "x")]).await.expect(400);
        browser.request(Method::POST, &path, "multipart/form-data; boundary=x", b"--y".to_vec()).await.expect(400);
        // Of several files the good ones stay, and the message names the bad one.
        let (kind, mut body) = multipart(&[], ("image", "a.png", &png(20, 20)));
        let (_, second) = multipart(&[], ("image", "b.png", b"nothing"));
        let end = body.len() - "--zoco-test-boundary--\r\n".len();
        body.truncate(end);
        body.extend(second);
        let page = browser.request(Method::POST, &path, &kind, body).await.expect(422);
        assert!(page.text("#e-image").starts_with("File 2 of 2:"), "{}", page.text("#e-image"));
        assert_eq!(read(&app, product.id).await.images.len(), 1);
    }

    async fn categories_are_kept_by_form(app: TestApp) {
        let mut browser = admin_browser(&app).await;
        let empty = browser.get("/admin/categories").await.expect(200);
        assert!(empty.has("No category yet"));
        let form = browser.get("/admin/categories/new").await.expect(200);
        let page = browser.submit(&form, "#category", &[("name", "Cups")]).await.expect(200);
        assert_eq!(page.path, "/admin/categories");
        assert!(page.has("“Cups” was made."));
        let tree = service::categories(&app).await.unwrap();
        let cups = tree.by_slug("cups").unwrap().clone();
        let form = browser.get(&format!("/admin/categories/new?parent={}", cups.id)).await.expect(200);
        let page = browser.submit(&form, "#category", &[("name", "Mugs"), ("position", "first"), ("description", "Kept")]).await.expect(422);
        assert!(!page.text("#e-position").is_empty());
        assert_eq!(page.attributes("[name=name]", "value"), ["Mugs"]);
        let page = browser.submit(&page, "#category", &[("position", "3")]).await.expect(200);
        assert_eq!(page.texts("td .name"), ["Cups", "Mugs"]);
        assert_eq!(page.attributes("td:first-child", "class"), ["depth-0", "depth-1"]);
        let listed = app.api().get("/api/categories").await.expect(200);
        assert!(listed.has("Mugs"), "the API shows it");
        let tree = service::categories(&app).await.unwrap();
        let mugs = tree.by_slug("mugs").unwrap().clone();
        assert_eq!((mugs.parent_id, mugs.position, mugs.description.as_str()), (Some(cups.id), 3, "Kept"));
        let path = catalog::urls::admin_category(mugs.id);
        let form = browser.get(&path).await.expect(200);
        assert!(!form.attributes("[name=parent_id] option", "value").contains(&mugs.id.to_string()), "not below itself");
        let page = browser.submit(&form, "#category", &[("name", "")]).await.expect(422);
        assert_eq!(page.text("#e-name"), "Give it a name.");
        // Somebody else is faster.
        let input = CategoryInput { name: Some("Beakers".to_owned()), ..CategoryInput::default() };
        service::update_category(&app, &app.system(), mugs.id, None, input).await.unwrap();
        let page = browser.submit(&form, "#category", &[("description", "Mine")]).await.expect(409);
        assert_eq!(compared(&page), ["Name | Beakers | Mugs", "Description | Kept | Mine"]);
        let page = browser.submit(&page, "#category", &[("parent_id", "")]).await.expect(200);
        assert!(page.has("“Mugs” was saved."));
        let tree = service::categories(&app).await.unwrap();
        assert_eq!(tree.get(mugs.id).unwrap().parent_id, None);
        let ask = browser.get(&catalog::urls::admin_category_delete(mugs.id)).await.expect(200);
        let input = CategoryInput { position: Some(9), ..CategoryInput::default() };
        service::update_category(&app, &app.system(), mugs.id, None, input).await.unwrap();
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("Look again"), "{}", page.body);
        let ask = browser.get(&catalog::urls::admin_category_delete(mugs.id)).await.expect(200);
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("The category was deleted."));
        assert!(service::categories(&app).await.unwrap().get(mugs.id).is_none());
        browser.get(&path).await.expect(404);
        let actions = audited(&app, &format!("category {}", mugs.id)).await;
        assert_eq!(actions.first().map(String::as_str), Some("category.created"));
        assert_eq!(actions.last().map(String::as_str), Some("category.deleted"));
    }

    async fn orders_are_listed_and_found(app: TestApp) {
        let product = app.product("Mug", "24.00", 20).await;
        let customer = app.customer("ada@example.com").await;
        let first = order(&app, &customer, &product, 2, "bank_transfer").await;
        let second = order(&app, &customer, &product, 1, "cash_on_delivery").await;
        orders::service::transition(&app, &app.system(), &first, OrderStatus::Confirmed).await.unwrap();
        orders::service::record_payment(&app, &app.system(), &first).await.unwrap();
        let mut browser = admin_browser(&app).await;
        let all = browser.get("/admin/orders").await.expect(200);
        let numbers = |page: &Reply| page.texts("td .name");
        assert_eq!(numbers(&all), [second.clone(), first.clone()]);
        assert_eq!(all.texts("td[data-l=Status]"), ["Pending", "Confirmed"]);
        assert_eq!(all.texts("td[data-l=Payment]"), ["Unpaid", "Paid"]);
        let found = browser.submit(&all, ".filters", &[("search", &first)]).await.expect(200);
        assert_eq!(numbers(&found), std::slice::from_ref(&first));
        for (field, value, wanted) in [("status", "pending", &second), ("payment", "paid", &first)] {
            let found = browser.submit(&all, ".filters", &[(field, value)]).await.expect(200);
            assert_eq!(numbers(&found), std::slice::from_ref(wanted), "{field}");
            assert_eq!(found.attributes(&format!("[name={field}] [selected]"), "value"), [value]);
        }
        let none = browser.submit(&all, ".filters", &[("fulfilment", "fulfilled")]).await.expect(200);
        assert!(none.has("No order fits"));
        browser.get("/admin/orders?status=wrong&page=x").await.expect(200);
        app.run_jobs().await;
    }

    async fn an_order_moves_on_by_form_as_by_the_api(app: TestApp) {
        let product = app.product("Mug", "24.00", 20).await;
        let customer = app.customer("ada@example.com").await;
        let by_form = order(&app, &customer, &product, 2, "bank_transfer").await;
        let by_api = order(&app, &customer, &product, 2, "bank_transfer").await;
        let mut browser = admin_browser(&app).await;
        let api = app.api().signed_in("admin@example.com").await;
        let path = orders::urls::admin_order(&by_form);
        let mut page = browser.get(&path).await.expect(200);
        assert!(page.has("12 Main Street"), "{}", page.body);
        assert!(page.has("Order placed"));
        for step in ["confirmed", "processing", "shipped", "delivered"] {
            let form = format!("#step-{step}");
            assert_eq!(page.attributes("form[id^=step-]", "id"), [format!("step-{step}")], "only what is allowed");
            page = browser.submit(&page, &form, &[("to", step)]).await.expect(200);
            assert_eq!(page.path, path);
            assert!(page.has(&format!("was moved on: {step}")), "{}", page.body);
            let transitions = format!("/api/admin/orders/{by_api}/transitions");
            api.post(&transitions, json!({"to": step})).await.expect(200);
            if step == "processing" {
                page = browser.submit(&page, "#pay", &[]).await.expect(200);
                assert!(page.has("was marked as paid"), "{}", page.body);
                api.post(&format!("/api/admin/orders/{by_api}/payments"), json!({})).await.expect(200);
            }
        }
        assert!(page.attributes("form[id^=step-], #pay", "id").is_empty(), "nothing more to do");
        let system = app.system();
        let form = orders::service::order(&app, &system, &by_form).await.unwrap();
        let other = orders::service::order(&app, &system, &by_api).await.unwrap();
        assert_eq!(form.statuses(), other.statuses());
        let story = |order: &orders::Order| -> Vec<(String, String, String)> {
            order.events.iter().map(|event| (event.kind.clone(), event.detail.clone(), event.actor_name.clone())).collect()
        };
        assert_eq!(story(&form), story(&other));
        let audit = audited(&app, &format!("order {by_form}")).await;
        assert_eq!(audit, audited(&app, &format!("order {by_api}")).await);
        assert_eq!(audit.len(), 6, "four steps, the parcel and the payment");
        app.run_jobs().await;
    }

    async fn a_conflict_is_a_warning_on_the_orders_page(app: TestApp) {
        let product = app.product("Mug", "24.00", 20).await;
        let customer = app.customer("ada@example.com").await;
        let number = order(&app, &customer, &product, 2, "bank_transfer").await;
        let mut browser = admin_browser(&app).await;
        let path = orders::urls::admin_order(&number);
        let old = browser.get(&path).await.expect(200);
        orders::service::transition(&app, &app.system(), &number, OrderStatus::Confirmed).await.unwrap();
        let page = browser.submit(&old, "#step-confirmed", &[("to", "confirmed")]).await.expect(200);
        assert_eq!(page.path, path);
        assert!(page.text(".flash.warning").contains("cannot become confirmed"), "{}", page.body);
        browser.post_only(&orders::urls::admin_status(&number), &[("to", "lost")]).await.expect(422);
        // Cancelling asks first, and gives the stock back.
        let ask = browser.get(&orders::urls::admin_cancel(&number)).await.expect(200);
        assert!(ask.has("2 pieces go back to the shelf"), "{}", ask.body);
        let page = browser.submit(&ask, "main form", &[]).await.expect(200);
        assert!(page.has("was cancelled"), "{}", page.body);
        assert_eq!(read(&app, product.id).await.variants[0].stock.on_hand, 20);
        assert!(page.attributes("form[id^=step-], #pay, .btn.danger", "id").is_empty());
        let page = browser.submit(&old, "#pay", &[]).await.expect(200);
        assert!(page.text(".flash.warning").contains("cancelled"), "{}", page.body);
        let page = browser.get(&orders::urls::admin_cancel(&number)).await.expect(200);
        assert_eq!(page.path, path);
        assert!(page.text(".flash.warning").contains("cannot be cancelled"), "{}", page.body);
        let api = app.api().signed_in("admin@example.com").await;
        let order = api.get(&format!("/api/admin/orders/{number}")).await.expect(200).json();
        assert_eq!(order["status"], "cancelled");
        browser.get("/admin/orders/AAAA-BBBB-CCCC").await.expect(404);
        app.run_jobs().await;
    }
}
