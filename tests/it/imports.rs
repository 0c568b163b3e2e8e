//! Products from files and into files, through pages, API and command.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde_json::json;
use zoco::catalog::service::{self as catalog, ProductInput};
use zoco::catalog::{Product, ProductKey};
use zoco::ctx::{Ctx, Permission};
use zoco::db::Query;
use zoco::error::Error;
use zoco::imports::service::{self, Upload};
use zoco::imports::{BatchState, Outcome, PictureState, Problem, Verdict};
use zoco::inventory::{self, Reason};
use zoco::types::{ImportId, PageRequest};

use crate::support::clients::multipart;
use crate::support::process::run;
use crate::support::{TestApp, both, plain};

const MUG: &str = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,\
Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price\n\
mug,Mug,<p>By <b>hand</b></p>,Olmo,Table > Cups,\"clay, tea\",TRUE,Colour,Oat,MUG-O,350,5,24.00,30.00\n\
mug,,,,,,,,Night,MUG-N,350,2,24.00,\n\
bowl,Bowl,,Olmo,Table,,TRUE,Title,Default Title,BOWL,500,3,18.00,\n";

/// Brings a file and lets the shop work until it is at rest.
pub async fn bring(app: &TestApp, ctx: &Ctx, text: &str) -> ImportId {
    let mut upload = Upload::begin(app, ctx).await.unwrap();
    // In two pieces, the first of which is very short.
    let (head, rest) = text.as_bytes().split_at(text.len().min(2));
    upload.write(head).await.unwrap();
    upload.write(rest).await.unwrap();
    let id = upload.finish(app, ctx, "goods.csv").await.unwrap();
    rest_of(app).await;
    id
}

async fn rest_of(app: &TestApp) {
    while service::work(app).await.unwrap() > 0 {}
}

async fn apply(app: &TestApp, ctx: &Ctx, id: ImportId) {
    service::apply(app, ctx, id).await.unwrap();
    rest_of(app).await;
}

async fn state(app: &TestApp, id: ImportId) -> BatchState {
    service::batch(app, &app.system(), id)
        .await
        .unwrap()
        .batch
        .state
}

async fn counts(app: &TestApp, id: ImportId) -> [i64; 4] {
    let counts = service::batch(app, &app.system(), id).await.unwrap().counts;
    [
        Verdict::New,
        Verdict::Changed,
        Verdict::Unchanged,
        Verdict::Error,
    ]
    .map(|one| counts.of(one))
}

async fn outcome(app: &TestApp, id: ImportId, outcome: Outcome) -> i64 {
    service::batch(app, &app.system(), id)
        .await
        .unwrap()
        .counts
        .with(outcome)
}

async fn problems(app: &TestApp, id: ImportId) -> Vec<Problem> {
    let page = PageRequest::default();
    service::errors(app, &app.system(), id, page)
        .await
        .unwrap()
        .items
}

async fn changes(app: &TestApp, id: ImportId) -> Vec<String> {
    let (verdict, page) = (Some(Verdict::Changed), PageRequest::default());
    let items = service::items(app, &app.system(), id, verdict, None, page)
        .await
        .unwrap()
        .items;
    let told = items.iter().flat_map(|item| &item.changes);
    let line =
        |one: &zoco::imports::Change| format!("{}: {} -> {}", one.field, one.before, one.after);
    told.map(|one| line(one).replace('\u{a0}', " ")).collect()
}

async fn product(app: &TestApp, slug: &str) -> Option<Product> {
    let key = ProductKey::parse(slug);
    catalog::product_for_staff(app, &app.system(), &key)
        .await
        .ok()
}

fn stock(product: &Product) -> HashMap<&str, i64> {
    let level = |variant: &'_ zoco::catalog::Variant| variant.stock.on_hand;
    product
        .variants
        .iter()
        .map(|one| (one.sku.as_str(), level(one)))
        .collect()
}

both! {
    async fn a_file_is_compared_written_and_put_back(app: TestApp) {
        let ctx = app.admin().await;
        let id = bring(&app, &ctx, MUG).await;
        assert_eq!(state(&app, id).await, BatchState::Ready);
        assert_eq!(counts(&app, id).await, [2, 0, 0, 0]);
        assert!(product(&app, "mug").await.is_none(), "a dry run writes nothing");

        apply(&app, &ctx, id).await;
        assert_eq!(state(&app, id).await, BatchState::Applied);
        let mug = product(&app, "mug").await.unwrap();
        assert_eq!((mug.name.as_str(), mug.description.as_str(), mug.maker.as_str()), ("Mug", "By **hand**", "Olmo"));
        assert_eq!(mug.tags, ["clay", "tea"]);
        assert_eq!(stock(&mug), HashMap::from([("MUG-O", 5), ("MUG-N", 2)]));
        let tree = catalog::categories_for_staff(&app, &ctx).await.unwrap();
        let path: Vec<&str> = tree.path(mug.category_id.unwrap()).iter().map(|one| one.name.as_str()).collect();
        assert_eq!(path, ["Table", "Cups"]);
        assert_eq!(mug.created_by, ctx.user_id(), "it is written in the name of whoever asked");

        // The same file once more changes nothing.
        let again = bring(&app, &ctx, MUG).await;
        assert_eq!(counts(&app, again).await, [0, 0, 2, 0]);

        service::revert(&app, &ctx, id).await.unwrap();
        rest_of(&app).await;
        assert_eq!(state(&app, id).await, BatchState::Reverted);
        assert!(product(&app, "mug").await.is_none() && product(&app, "bowl").await.is_none());
        assert!(catalog::categories_for_staff(&app, &ctx).await.unwrap().0.is_empty());
        let rows = Query::new("select action, subject from audit_log where subject like 'import %' order by id");
        let rows: Vec<(String, String)> = rows.fetch_all(&mut app.db.conn().await.unwrap()).await.unwrap();
        let actions: Vec<&str> = rows.iter().filter(|(_, subject)| *subject == format!("import {id}")).map(|(action, _)| action.as_str()).collect();
        assert_eq!(actions, ["import.created", "import.compared", "import.started", "import.applied", "import.reverting", "import.reverted"]);
    }

    async fn a_change_is_shown_written_and_put_back(app: TestApp) {
        // Stock that falls low is told to observers.
        app.leave_jobs();
        let ctx = app.admin().await;
        let first = bring(&app, &ctx, MUG).await;
        apply(&app, &ctx, first).await;
        let before = product(&app, "mug").await.unwrap();
        let changed = MUG.replace("MUG-O,350,5,24.00,30.00", "MUG-O,360,9,22.00,").replace(",Mug,", ",Tea mug,")
            .replace("mug,,,,,,,,Night,MUG-N,350,2,24.00,\n", "mug,,,,,,,,Dusk,MUG-D,350,4,24.00,\n");
        let id = bring(&app, &ctx, &changed).await;
        assert_eq!(counts(&app, id).await, [0, 1, 1, 0]);
        let told = changes(&app, id).await;
        for expected in [
            "Name: Mug -> Tea mug",
            "Price of MUG-O: 24.00 € -> 22.00 €",
            "Former price of MUG-O: 30.00 € -> ",
            "Stock of MUG-O: 5 -> 9",
            "Grams of MUG-O: 350 -> 360",
            "New variant MUG-D:  -> 24.00 €, 4 in stock",
            "Variant MUG-N: MUG-N -> ",
        ] {
            assert!(told.iter().any(|one| one == expected), "{expected} is not in {told:#?}");
        }
        // Two are sold between the dry run and the change.
        let oat = before.variants[0].id;
        sell(&app, oat, 2).await;
        apply(&app, &ctx, id).await;
        let after = product(&app, "mug").await.unwrap();
        assert_eq!(after.name, "Tea mug");
        assert_eq!(stock(&after), HashMap::from([("MUG-O", 7), ("MUG-D", 4)]));
        sell(&app, oat, 1).await;
        service::revert(&app, &ctx, id).await.unwrap();
        rest_of(&app).await;
        let back = product(&app, "mug").await.unwrap();
        assert_eq!((back.name.as_str(), back.options.clone()), ("Mug", before.options.clone()));
        assert_eq!(stock(&back), HashMap::from([("MUG-O", 2), ("MUG-N", 2)]), "what was sold is sold");
        assert_eq!(back.variants[0].compare_at, before.variants[0].compare_at);
    }

    async fn mistakes_are_told_with_their_lines_and_left_out(app: TestApp) {
        let ctx = app.admin().await;
        app.product("Taken", "1.00", 1).await;
        let text = "slug,name,sku,price,stock,category\n\
            good,Good,GOOD,1.00,1,\n\
            bad,Bad,BAD,a lot,1,\n\
            ,,,,,\n\
            stolen,Stolen,TAKEN,1.00,1,\n\
            twice,Twice,GOOD,1.00,1,\n\
            ,,,5.00,,\n\
            few,Few,FEW,1.00,-1,\n\
            many,Many,MANY,1.00,1,,,,surplus\n";
        let id = bring(&app, &ctx, text).await;
        assert_eq!(counts(&app, id).await, [1, 0, 0, 4]);
        let found: Vec<(i64, String)> = problems(&app, id).await.into_iter().map(|one| (one.line, one.field)).collect();
        let at = |line: i64, field: &str| (line, field.to_owned());
        assert_eq!(found, [at(3, "price"), at(5, "sku"), at(6, "sku"), at(7, "slug"), at(8, "stock"), at(9, "")]);
        apply(&app, &ctx, id).await;
        assert!(product(&app, "good").await.is_some() && product(&app, "bad").await.is_none());

        // A file that breaks off in quotes says where.
        let long = format!("slug,name,price\na,\"A{}", "x".repeat(3_000_000));
        let id = bring(&app, &ctx, &long).await;
        let overview = service::batch(&app, &ctx, id).await.unwrap();
        assert_eq!(overview.batch.state, BatchState::Failed);
        assert!(overview.batch.problem.starts_with("Line 2:"), "{}", overview.batch.problem);
    }

    async fn what_somebody_changed_meanwhile_is_left_alone(app: TestApp) {
        let ctx = app.admin().await;
        let first = bring(&app, &ctx, MUG).await;
        apply(&app, &ctx, first).await;
        let id = bring(&app, &ctx, &MUG.replace("18.00", "17.00").replace("24.00", "23.00")).await;
        let rename = |name: &str| ProductInput { name: Some(name.to_owned()), ..ProductInput::default() };
        catalog::update_product(&app, &ctx, &ProductKey::parse("bowl"), None, rename("Big bowl")).await.unwrap();
        apply(&app, &ctx, id).await;
        assert_eq!((outcome(&app, id, Outcome::Applied).await, outcome(&app, id, Outcome::Conflict).await), (1, 1));
        assert_eq!(product(&app, "bowl").await.unwrap().name, "Big bowl");
        // Nor is it put back over a change.
        catalog::update_product(&app, &ctx, &ProductKey::parse("mug"), None, rename("My mug")).await.unwrap();
        service::revert(&app, &ctx, id).await.unwrap();
        rest_of(&app).await;
        assert_eq!(outcome(&app, id, Outcome::Kept).await, 1);
        assert_eq!(product(&app, "mug").await.unwrap().name, "My mug");
    }

    async fn an_export_comes_back_unchanged_or_into_an_empty_shop(app: TestApp) {
        let ctx = app.admin().await;
        let first = bring(&app, &ctx, MUG).await;
        apply(&app, &ctx, first).await;
        let related = ProductInput {
            related: Some(vec!["bowl".to_owned()]),
            summary: Some("=SUM(A1)".to_owned()),
            ..ProductInput::default()
        };
        catalog::update_product(&app, &ctx, &ProductKey::parse("mug"), None, related).await.unwrap();
        let client = app.api().signed_in("admin@example.com").await;
        for format in ["zoco", "shopify", "woocommerce"] {
            let file = client.get(&format!("/api/admin/exports/products?format={format}")).await.expect(200);
            assert!(file.header("content-disposition").contains(&format!("products-{format}-")));
            let id = bring(&app, &ctx, &file.body).await;
            assert_eq!(counts(&app, id).await, [0, 0, 2, 0], "{format}: {:?} {:?}", changes(&app, id).await, problems(&app, id).await);
        }
        let packed = client.with("accept-encoding", "gzip").get("/api/admin/exports/products").await.expect(200);
        assert_eq!(packed.header("content-encoding"), "gzip", "it comes to its end");
        let file = client.get("/api/admin/exports/products").await.expect(200).body;
        assert!(file.contains(",'=SUM(A1),"), "a formula is made harmless: {file}");
        for slug in ["mug", "bowl"] {
            catalog::delete_product(&app, &ctx, &ProductKey::parse(slug), None).await.unwrap();
        }
        let id = bring(&app, &ctx, &file).await;
        apply(&app, &ctx, id).await;
        let mug = product(&app, "mug").await.unwrap();
        assert_eq!(mug.summary, "=SUM(A1)");
        assert_eq!(mug.related[0].slug.as_str(), "bowl", "although it stands further down in the file");
    }

    async fn some_columns_change_some_variants(app: TestApp) {
        let ctx = app.admin().await;
        let first = bring(&app, &ctx, MUG).await;
        apply(&app, &ctx, first).await;
        let id = bring(&app, &ctx, "sku;price\nMUG-N;21,50\n").await;
        assert_eq!(changes(&app, id).await, ["Price of MUG-N: 24.00 € -> 21.50 €"]);
        apply(&app, &ctx, id).await;
        let mug = product(&app, "mug").await.unwrap();
        let prices: Vec<_> = mug.variants.iter().map(|one| (one.sku.as_str(), one.price.amount(), one.stock.on_hand)).collect();
        assert_eq!(prices, [("MUG-O", "24.00".to_owned(), 5), ("MUG-N", "21.50".to_owned(), 2)]);
    }

    async fn a_batch_goes_on_after_a_stop(app: TestApp) {
        let ctx = app.admin().await;
        let mut text = "slug,name,sku,price\n".to_owned();
        for number in 0..120 {
            text.push_str(&format!("thing-{number},Thing {number},T-{number},1.00\n"));
        }
        let id = bring(&app, &ctx, &text).await;
        assert_eq!(counts(&app, id).await, [120, 0, 0, 0]);
        service::apply(&app, &ctx, id).await.unwrap();
        assert!(matches!(service::apply(&app, &ctx, id).await, Err(Error::Conflict { .. })));
        assert!(matches!(service::delete(&app, &ctx, id).await, Err(Error::Conflict { .. })));
        assert!(service::step(&app, id).await.unwrap());
        service::stop(&app, &ctx, id).await.unwrap();
        rest_of(&app).await;
        let done = outcome(&app, id, Outcome::Applied).await;
        assert!((1..120).contains(&done), "{done} are done");
        // As if started anew: what is done is known to the database alone.
        let app = app.with_settings(|_| {}).await;
        apply(&app, &ctx, id).await;
        assert_eq!(outcome(&app, id, Outcome::Applied).await, 120);
        service::delete(&app, &ctx, id).await.unwrap();
        assert!(product(&app, "thing-119").await.is_some(), "a batch is forgotten, its products are not");
        assert!(matches!(service::batch(&app, &ctx, id).await, Err(Error::NotFound)));
    }

    async fn it_ends_when_whoever_began_it_may_no_longer(app: TestApp) {
        app.admin().await;
        let staff = app.staff("eve@example.com", &[Permission::Catalog]).await;
        let id = bring(&app, &staff, MUG).await;
        service::apply(&app, &staff, id).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        let sql = zoco::db::query::Sql::same("update users set permissions = '' where email = $1");
        zoco::db::query::execute(&mut tx, sql, vec!["eve@example.com".into()]).await.unwrap();
        tx.commit().await.unwrap();
        rest_of(&app).await;
        assert_eq!(state(&app, id).await, BatchState::Stopped);
        assert!(product(&app, "mug").await.is_none());
    }

    async fn batches_of_long_ago_are_forgotten(app: TestApp) {
        let ctx = app.admin().await;
        let id = bring(&app, &ctx, MUG).await;
        assert_eq!(service::prune(&app).await.unwrap(), 0);
        app.clock.advance_seconds((service::KEPT_DAYS + 1) * 24 * 3600);
        assert_eq!(service::prune(&app).await.unwrap(), 1);
        assert!(matches!(service::batch(&app, &ctx, id).await, Err(Error::NotFound)));
    }

    async fn staff_import_on_pages(app: TestApp) {
        app.admin().await;
        app.customer("ada@example.com").await;
        let mut stranger = app.browser();
        stranger.sign_in("ada@example.com").await;
        stranger.upload("/admin/imports", &[], ("file", "a.csv", MUG.as_bytes())).await.expect(403);

        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let nothing = browser.upload("/admin/imports", &[], ("file", "", b"")).await.expect(422);
        assert!(nothing.text("#e-file").contains("Choose a file"));
        let other = browser.upload("/admin/imports", &[], ("file", "a.csv", b"a,b\n1,2\n")).await.expect(422);
        assert!(other.text("#e-file").contains("no columns that the shop knows"));
        let page = browser.upload("/admin/imports", &[], ("file", "../goods.csv", MUG.as_bytes())).await.expect(200);
        assert_eq!(page.path, "/admin/imports/1");
        rest_of(&app).await;
        let page = browser.get("/admin/imports/1").await.expect(200);
        assert_eq!(page.text("h1"), "goods.csv");
        assert!(page.has("Write 2 products"), "{}", page.body);
        assert!(page.texts(".diff ins").iter().any(|text| text == "Mug"));
        let page = browser.submit(&page, "form[action$='/apply']", &[]).await.expect(200);
        assert!(page.header("refresh") == "2" && page.has("is being applied"));
        rest_of(&app).await;
        let page = browser.get("/admin/imports/1").await.expect(200);
        assert_eq!(page.header("refresh"), "");
        let page = browser.submit(&page, "form[action$='/revert']", &[]).await.expect(200);
        browser.submit(&page, "form[action$='/stop']", &[]).await.expect(200);
        let late = browser.post("/admin/imports/1/stop", &[]).await.expect(200);
        assert!(late.has("This cannot be done now"));
        let page = browser.submit(&late, "form[action$='/delete']", &[]).await.expect(200);
        assert_eq!(page.path, "/admin/imports");
        assert!(page.has("Nothing was imported yet"));
        let file = browser.get("/admin/exports/products?format=shopify").await.expect(200);
        assert!(file.body.starts_with("Handle,Title,"));
        for tab in ["errors", "waiting", "nonsense"] {
            browser.get(&format!("/admin/imports/9?show={tab}")).await.expect(404);
        }
    }

    async fn scripts_import_over_the_api(app: TestApp) {
        app.admin().await;
        let client = app.api().signed_in("admin@example.com").await;
        let (kind, body) = multipart(&[], ("file", "goods.csv", MUG.as_bytes()));
        app.api().request(Method::POST, "/api/admin/imports", &kind, body.clone()).await.expect(401);
        let made = client.request(Method::POST, "/api/admin/imports", &kind, body).await.expect(202);
        assert_eq!(made.header("location"), "/api/admin/imports/1");
        assert_eq!((made.json()["state"].as_str(), made.json()["format"].as_str()), (Some("reading"), Some("shopify")));
        let (kind, body) = multipart(&[("odd", "x")], ("file", "goods.csv", b""));
        client.request(Method::POST, "/api/admin/imports", &kind, body).await.expect(422);
        let (kind, body) = multipart(&[], ("file", "", b""));
        client.request(Method::POST, "/api/admin/imports", &kind, body).await.expect(422);
        client.post("/api/admin/imports", json!({})).await.expect(415);
        rest_of(&app).await;
        let at = "/api/admin/imports/1";
        let import = client.get(at).await.expect(200).json();
        assert_eq!((import["state"].as_str(), import["products"]["new"].as_i64()), (Some("ready"), Some(2)));
        let found = client.get(&format!("{at}/products?verdict=new&per_page=1")).await.expect(200).json();
        assert_eq!((found["total"].as_i64(), found["items"][0]["name"].as_str()), (Some(2), Some("Mug")));
        assert_eq!(found["items"][0]["changes"][0]["after"], "Mug");
        client.get(&format!("{at}/products?verdict=odd")).await.expect(400);
        assert_eq!(client.get(&format!("{at}/errors")).await.expect(200).json()["total"], 0);
        assert_eq!(client.get(&format!("{at}/pictures?state=waiting")).await.expect(200).json()["total"], 0);
        client.post(&format!("{at}/stop"), json!({})).await.expect(409);
        client.post(&format!("{at}/apply"), json!({})).await.expect(202);
        rest_of(&app).await;
        client.post(&format!("{at}/pictures"), json!({})).await.expect(202);
        client.post(&format!("{at}/revert"), json!({})).await.expect(202);
        rest_of(&app).await;
        assert_eq!(client.get(at).await.expect(200).json()["products"]["reverted"], 2);
        client.post(&format!("{at}/pictures"), json!({})).await.expect(409);
        assert_eq!(client.get("/api/admin/imports").await.expect(200).json()["items"][0]["state"], "reverted");
        client.delete(at).await.expect(204);
        client.get(at).await.expect(404);
        client.get("/api/admin/exports/products?format=odd").await.expect(400);
    }

    async fn pictures_come_by_their_addresses(app: TestApp) {
        let ctx = app.admin().await;
        let server = pictures().await;
        let base = format!("http://{server}");
        let text = format!(
            "slug,name,price,image_url,image_alt\n\
             mug,Mug,1.00,{base}/good.png,A mug\n\
             mug,,,{base}/moved,The same again\n\
             mug,,,{base}/missing,\n\
             mug,,,{base}/text,\n\
             mug,,,{base}/inside,\n\
             mug,,,{base}/busy,\n"
        );
        // Nobody said that this host may be on a private address.
        let id = bring(&app, &ctx, &text).await;
        apply(&app, &ctx, id).await;
        while service::fetch_due(&app).await.unwrap() > 0 {}
        let failed = service::pictures(&app, &ctx, id, PictureState::Failed, PageRequest::default()).await.unwrap();
        assert_eq!(failed.total, 6);
        assert!(failed.items[0].problem.contains("not on the public internet"), "{}", failed.items[0].problem);
        assert_eq!(outcome(&app, id, Outcome::Applied).await, 1, "a failed picture does not fail its row");

        let trusting = app.with_settings(|config| {
            config.private_picture_hosts = vec![server.ip().to_string()];
        }).await;
        assert_eq!(service::retry_pictures(&trusting, &ctx, id).await.unwrap(), 6);
        for _ in 0..12 {
            while service::fetch_due(&trusting).await.unwrap() > 0 {}
            app.clock.advance_seconds(600);
        }
        let mug = product(&app, "mug").await.unwrap();
        assert_eq!((mug.images.len(), mug.images[0].alt.as_str()), (1, "A mug"), "the same picture counts once");
        let overview = service::batch(&app, &ctx, id).await.unwrap();
        assert_eq!([PictureState::Fetched, PictureState::Failed, PictureState::Waiting].map(|one| overview.pictures.of(one)), [2, 4, 0]);
        let failed = service::pictures(&app, &ctx, id, PictureState::Failed, PageRequest::default()).await.unwrap().items;
        let why: Vec<(i64, &str)> = failed.iter().map(|one| (one.attempts, one.problem.as_str())).collect();
        assert_eq!((why[0].0, why[1].0, why[2].0, why[3].0), (1, 1, 1, 4), "{why:?}");
        assert!(why[0].1.contains("404") && why[1].1.contains("no picture"), "{why:?}");
        assert!(why[2].1.contains("not on the public internet"), "a redirect leads nowhere inside: {why:?}");

        // The file once more brings no picture twice; what failed is tried again.
        let again = bring(&app, &ctx, &text).await;
        assert_eq!(changes(&app, again).await.len(), 4);
        service::revert(&app, &ctx, id).await.unwrap();
        rest_of(&app).await;
        assert!(product(&app, "mug").await.is_none(), "pictures of the batch are no change of somebody's");
    }
}

/// Sells some pieces, as an order would.
async fn sell(app: &TestApp, variant: zoco::types::VariantId, count: i64) {
    let mut tx = app.db.begin().await.unwrap();
    let ctx = app.system();
    let level = inventory::service::levels(&mut tx, &[variant])
        .await
        .unwrap()[&variant]
        .on_hand;
    inventory::service::set_all(&mut tx, &ctx, &[(variant, level - count)], Reason::Adjusted)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A server of pictures on this machine, until the test ends.
async fn pictures() -> SocketAddr {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8)
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let png = png.into_inner();
    let router = Router::new()
        .route(
            "/good.png",
            get(
                move || async move { ([(header::CONTENT_TYPE, "image/png")], png).into_response() },
            ),
        )
        .route("/moved", get(|| async { Redirect::temporary("/good.png") }))
        .route(
            "/inside",
            get(|| async { Redirect::temporary("http://169.254.169.254/latest/") }),
        )
        .route("/text", get(|| async { "no picture" }))
        .route("/busy", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

plain! {
    fn the_command_imports_puts_back_and_exports() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("goods.csv");
        let zoco = |arguments: &[&str]| {
            let output = run(folder.path(), arguments);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
        };
        let path = file.to_str().unwrap();
        std::fs::write(&file, MUG).unwrap();
        let (fine, said) = zoco(&["import", path]);
        assert!(fine && said.contains("import 1: 2 new, 0 changed, 0 unchanged, 0 with mistakes"), "{said}");
        assert!(said.contains("line 2: new: Mug") && said.contains("nothing was written"), "{said}");
        let (fine, said) = zoco(&["import", path, "--apply"]);
        assert!(fine && said.contains("2 written, 0 left alone"), "{said}");
        let (fine, said) = zoco(&["import", path, "--apply"]);
        assert!(fine && said.contains("there is nothing to write"), "{said}");
        let (fine, said) = zoco(&["export", "--format", "shopify"]);
        assert!(fine && said.contains("mug,Mug,") && said.contains("Bowl"), "{said}");
        let (fine, said) = zoco(&["import", "--revert", "2"]);
        assert!(fine && said.contains("2 put back, 0 kept"), "{said}");

        std::fs::write(&file, "slug,name,price,odd\na,A,much,x\n").unwrap();
        let (fine, said) = zoco(&["import", path]);
        assert!(!fine && said.contains("line 2: price ") && said.contains("not read: odd"), "{said}");
        std::fs::write(&file, "a,b\n1,2\n").unwrap();
        let (fine, said) = zoco(&["import", path]);
        assert!(!fine && said.contains("no columns that the shop knows"), "{said}");
        for (arguments, words) in [
            (&["import", "/nowhere/goods.csv"][..], "cannot read /nowhere/goods.csv"),
            (&["import", "--revert", "99"], "there is no such import"),
            (&["import", "--revert", "1"], "This cannot be done now"),
        ] {
            let (fine, said) = zoco(arguments);
            assert!(!fine && said.contains(words), "{said}");
        }
    }
}
