//! Search: a golden set over the demo goods, the index in step with the catalog, and what staff
//! say about words.

use serde_json::json;
use zoco::catalog::service::{
    self, CategoryInput, IndexDifference, ProductInput, ProductKey, list_products, search_products,
};
use zoco::catalog::{Listing, ProductFilter};
use zoco::search::service::SynonymInput;
use zoco::search::{Document, Found, Index, Looking, Matched, Position, Synonym, Synonyms};
use zoco::types::{CategoryId, PageRequest, ProductId, Timestamp};

use crate::support::{TestApp, both, plain};

/// What goes wrong when words are read in another way, search by search: the words, the names
/// that must come first in this order, and how many must be found at most.
const GOLDEN: &[(&str, &[&str], usize)] = &[
    // Plain words, plurals, case.
    ("everyday mug", &["Everyday mug"], 1),
    ("everyday mugs", &["Everyday mug"], 1),
    ("EVERYDAY MUG!", &["Everyday mug"], 1),
    ("teapot", &["Round teapot"], 4),
    ("teapots", &["Round teapot"], 4),
    ("candlestick", &["Turned candlesticks, pair"], 3),
    ("rolling pins", &["Rolling pin"], 2),
    ("bookend", &["Bookends"], 2),
    ("mirrors", &["Round oak mirror"], 2),
    ("watering cans", &["Watering can"], 2),
    ("step stools", &["Step stool"], 3),
    ("wooden spoon", &["Wooden spoons, set of three"], 3),
    ("paper lanterns", &["Paper lantern"], 2),
    ("kettles", &["Enamel kettle"], 4),
    ("shelves", &["Shelf with five pegs"], 8),
    // Words that say nothing.
    ("a mug for every day", &["Everyday mug"], 40),
    ("the butter dish", &["Butter dish"], 2),
    ("breakfast for one", &["Breakfast for one"], 12),
    // Typing mistakes.
    ("teapto", &["Round teapot"], 4),
    ("tepot", &["Round teapot"], 4),
    ("candelstick", &["Turned candlesticks, pair"], 3),
    ("lantren", &["Paper lantern"], 3),
    ("mirrow", &["Round oak mirror"], 3),
    ("espreso cup", &["Espresso cup and saucer"], 3),
    ("mushrom lamp", &["Mushroom lamp"], 1),
    ("chambrstick", &["Chamberstick"], 1),
    ("hony pot", &["Honey pot with dipper"], 4),
    // The beginning of the last word.
    ("everyday m", &["Everyday mug"], 2),
    ("chamb", &["Chamberstick"], 2),
    ("globe la", &["Globe lamp"], 1),
    ("ticking str", &["Ticking stripe cushion"], 1),
    ("utens", &["Utensil crock"], 4),
    // Several words, in any order, in different places.
    ("lamp mushroom", &["Mushroom lamp"], 1),
    ("mug enamel", &["Camp mug"], 3),
    ("oak clock", &["Oak table clock"], 1),
    ("honey lola", &["Honey pot with dipper"], 2),
    ("gift children wood", &["Stacking rings"], 3),
    ("cushion linen", &["Washed linen cushion"], 8),
    // A category's name.
    ("candles and holders chamberstick", &["Chamberstick"], 1),
    ("desk oak clock", &["Oak table clock"], 1),
    // Accents, in what is typed and in what is kept.
    ("tom\u{e1}s moon jar", &["Moon jar"], 1),
    ("tomas moon jar", &["Moon jar"], 1),
    ("camion", &["Cami\u{f3}n de madera"], 1),
    ("cami\u{f3}n", &["Cami\u{f3}n de madera"], 1),
    ("camiones", &["Cami\u{f3}n de madera"], 1),
    ("cafeteras", &["Cafetera italiana"], 2),
    ("cafetera", &["Cafetera italiana"], 2),
    ("lamparas", &["L\u{e1}mpara de pie"], 12),
    ("lapices", &["L\u{e1}piz de grafito"], 1),
    ("reloj de pared", &["Relojes de pared"], 1),
    ("tasa", &["Taza de gres"], 10),
    // Numbers, with and without a space.
    ("iphone 13", &["iPhone 13 case"], 1),
    ("iphone13", &["iPhone 13 case"], 1),
    ("taza 350ml", &["Taza de gres"], 1),
    ("taza 350 ml", &["Taza de gres"], 1),
    // The merchant's numbers.
    ("TZ-350-GR", &["Taza de gres"], 1),
    ("tz350gr", &["Taza de gres"], 1),
    ("TZ-35", &["Taza de gres"], 1),
    // Synonyms: equal ones, several words, and one way only.
    ("moka pot", &["Cafetera italiana"], 2),
    ("looking glass", &["Round oak mirror"], 1),
    ("looking glasses", &["Round oak mirror"], 1),
    // Nothing.
    ("", &[], 0),
    ("?! \u{2026}", &[], 0),
    ("zzzzzz", &[], 0),
    ("secreto", &[], 0),
];

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn rule(words: &[&str], targets: &[&str]) -> Synonym {
    Synonym {
        id: 1,
        words: texts(words),
        targets: texts(targets),
        version: 1,
        updated_at: Timestamp(0),
    }
}

fn document(id: i64, name: &str) -> Document {
    Document {
        id: ProductId(id),
        version: 1,
        public: true,
        name: name.to_owned(),
        labels: Vec::new(),
        facts: Vec::new(),
        text: Vec::new(),
        skus: Vec::new(),
    }
}

/// The demo goods and some in Spanish.
fn goods() -> Vec<Document> {
    let goods = zoco::demo::data::Goods::load().unwrap();
    let mut documents = Vec::new();
    for (id, product) in (1..).zip(&goods.products) {
        let mut labels = product.tags.clone();
        labels.push(product.maker.clone());
        let mut slug = Some(product.category.clone());
        while let Some(here) = slug.take() {
            let category = goods
                .shop
                .categories
                .iter()
                .find(|one| one.slug == here)
                .unwrap();
            labels.push(category.name.clone());
            slug.clone_from(&category.parent);
        }
        let attributes = product.attributes.iter();
        documents.push(Document {
            labels,
            facts: attributes
                .flat_map(|(name, value)| [name.clone(), value.clone()])
                .collect(),
            text: vec![product.summary.clone(), product.description.clone()],
            ..document(id, &product.name)
        });
    }
    let spanish = [
        ("Cami\u{f3}n de madera", "TOY-1"),
        ("Cafetera italiana", "CAF-6"),
        ("L\u{e1}mpara de pie", "LAM-1"),
        ("L\u{e1}piz de grafito", "LAP-1"),
        ("Relojes de pared", "REL-1"),
        ("Taza de gres", "TZ-350-GR"),
        ("iPhone 13 case", "IP-13"),
        ("iPhone 14 case", "IP-14"),
    ];
    for (id, (name, sku)) in (1_000..).zip(spanish) {
        documents.push(Document {
            skus: vec![sku.to_owned()],
            facts: if name == "Taza de gres" {
                texts(&["350 ml"])
            } else {
                Vec::new()
            },
            ..document(id, name)
        });
    }
    documents.push(Document {
        public: false,
        ..document(2_000, "Secreto")
    });
    documents
}

fn index(folder: &std::path::Path, documents: &[Document]) -> std::sync::Arc<Index> {
    let index = std::sync::Arc::new(Index::create(folder).unwrap());
    let writer = index.writer().unwrap();
    writer.put(documents).unwrap();
    writer
        .commit(&Position::new("shop", 0, 0, Timestamp(0)))
        .unwrap();
    index
}

fn look<'a>(text: &'a str) -> Looking<'a> {
    Looking {
        text,
        for_staff: false,
        typing: false,
        limit: 1_000,
    }
}

plain! {
    fn the_golden_set_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let documents = goods();
        let index = index(folder.path(), &documents);
        let synonyms = Synonyms::new(&[
            rule(&["moka pot", "cafetera"], &[]),
            rule(&["looking glass"], &["mirror"]),
        ]);
        let name = |id: &ProductId| documents.iter().find(|one| one.id == *id).unwrap().name.as_str();
        let mut wrong = Vec::new();
        for (typed, expected, most) in GOLDEN {
            let found = index.find(&look(typed), &synonyms).unwrap();
            let names: Vec<&str> = found.products.iter().map(name).collect();
            let first = &names[..names.len().min(expected.len())];
            if first != *expected || names.len() > *most || (expected.is_empty() && !names.is_empty()) {
                wrong.push(format!("{typed:?}: {:?} of {}, {:?}", &names[..names.len().min(8)], names.len(), found.matched));
            }
        }
        assert!(GOLDEN.len() >= 40);
        assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
        // One way only: who looks for a mirror does not want every looking glass.
        let back = index.find(&look("cafetera"), &synonyms).unwrap();
        assert_eq!(name(&back.products[0]), "Cafetera italiana");
    }

    fn better_matches_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(folder.path(), &[
            Document { text: texts(&["Goes with a stone table."]), ..document(1, "Lamp") },
            Document { facts: texts(&["Stone"]), ..document(2, "Board") },
            Document { labels: texts(&["stone"]), ..document(3, "Bowl") },
            document(4, "Stone"),
            document(5, "Stones, set of two"),
            document(6, "Store"),
        ]);
        let found = |text| {
            let found = index.find(&look(text), &Synonyms::default()).unwrap();
            let ids: Vec<i64> = found.products.iter().map(|id| id.0).collect();
            (ids, found.matched, found.corrected)
        };
        assert_eq!(found("stone"), (vec![4, 5, 3, 2, 1], Matched::All, None));
        // Nothing has both words; a mistake in the one is likelier than that.
        assert_eq!(found("stone lamb"), (vec![1], Matched::All, Some("stone lamp".to_owned())));
        let (some, matched, corrected) = found("store bowl");
        assert_eq!((some[0], matched, corrected), (3, Matched::All, None));
        // Neither is there together, not even nearly: what has one of them is shown.
        assert_eq!(found("board lamp"), (vec![1, 2], Matched::Some, None));
        assert_eq!(found("stonne").2.as_deref(), Some("stone"));
    }

    fn what_shoppers_may_not_see_they_do_not_find() {
        let folder = tempfile::tempdir().unwrap();
        let hidden = Document { public: false, skus: texts(&["ZX-900"]), ..document(1, "Zephyr") };
        let index = index(folder.path(), &[hidden, document(2, "Mug")]);
        let none = Synonyms::default();
        for text in ["zephyr", "zephyrs", "zephir", "zeph", "ZX-900"] {
            assert_eq!(index.find(&look(text), &none).unwrap(), Found::default(), "{text}");
            let staff = Looking { for_staff: true, ..look(text) };
            assert_eq!(index.find(&staff, &none).unwrap().products, [ProductId(1)], "{text}");
        }
        let typing = Looking { typing: true, ..look("ze") };
        assert!(index.completions(&typing).unwrap().is_empty());
        let staff = Looking { for_staff: true, ..look("zx9") };
        assert_eq!(index.find(&staff, &none).unwrap().products, [ProductId(1)]);
    }

    fn words_are_completed_while_typing() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(folder.path(), &goods());
        let typing = |text| index.completions(&Looking { typing: true, limit: 5, ..look(text) }).unwrap();
        assert_eq!(typing("candles").first().map(String::as_str), Some("candlesticks"));
        assert!(typing("oak cl").contains(&"oak clock".to_owned()));
        assert!(typing("").is_empty() && typing("?").is_empty() && typing("zzz").is_empty());
        let found = |text| index.find(&Looking { typing: true, ..look(text) }, &Synonyms::default()).unwrap();
        assert!(found("te").products.len() > 3);
    }

    fn no_words_break_it() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(folder.path(), &goods());
        let long = "stoneware ".repeat(5_000);
        let one = "x".repeat(100_000);
        let accents = "\u{e9}".repeat(1_000);
        let hostile = [
            long.as_str(), &one, &accents, "name:mug AND NOT (", "\"", "*", "mug*", "a~2", "[a TO z]", "\0",
            "\u{202e}gum", "\u{1f375}", "\u{6f22}\u{5b57}", "id:1", "--", "- - mug", "' or 1=1 --", "mug\u{0301}",
        ];
        for text in hostile {
            for typing in [false, true] {
                index.find(&Looking { typing, ..look(text) }, &Synonyms::default()).unwrap();
                index.completions(&Looking { typing, ..look(text) }).unwrap();
            }
        }
        assert!(index.find(&Looking { limit: 0, ..look("mug") }, &Synonyms::default()).unwrap().products.is_empty());
    }

    fn synonyms_stand_for_each_other_or_one_way() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(folder.path(), &[document(1, "Grey couch"), document(2, "Sofa bed"), document(3, "Settee")]);
        let found = |text, rules: &[Synonym]| {
            let found = index.find(&look(text), &Synonyms::new(rules)).unwrap();
            found.products.iter().map(|id| id.0).collect::<Vec<_>>()
        };
        let equal = [rule(&["sofa", "couch"], &[])];
        assert_eq!(found("sofas", &equal), [2, 1]);
        assert_eq!(found("couch", &equal), [1, 2]);
        assert_eq!(found("grey sofa", &equal), [1]);
        let one_way = [rule(&["sofa"], &["couch", "settee"])];
        assert_eq!(found("sofa", &one_way).len(), 3);
        assert_eq!(found("settee", &one_way), [3]);
        // The longest phrase counts, and a rule that leads nowhere breaks nothing.
        let phrase = [rule(&["bed"], &["nothing"]), rule(&["sofa bed"], &["settee"]), rule(&["?"], &["!"])];
        assert_eq!(found("sofa bed", &phrase), [2, 3]);
    }
}

fn input(json: serde_json::Value) -> ProductInput {
    serde_json::from_value(json).unwrap()
}

fn filter(search: &str) -> ProductFilter {
    ProductFilter {
        search: search.to_owned(),
        ..ProductFilter::default()
    }
}

/// The names that a shopper finds.
async fn names(app: &TestApp, search: &str) -> Vec<String> {
    let page = PageRequest::default();
    let found = list_products(app, &app.guest(), &filter(search), page)
        .await
        .unwrap();
    found.items.into_iter().map(|card| card.name).collect()
}

async fn listing(app: &TestApp, filter: &ProductFilter) -> Listing {
    search_products(app, &app.guest(), filter, PageRequest::default(), true)
        .await
        .unwrap()
}

async fn rename(app: &TestApp, id: ProductId, name: &str) {
    let renamed = input(json!({ "name": name }));
    service::update_product(app, &app.system(), &ProductKey::Id(id), None, renamed)
        .await
        .unwrap();
}

async fn category(app: &TestApp, name: &str, parent: Option<CategoryId>) -> CategoryId {
    let input = CategoryInput {
        name: Some(name.to_owned()),
        parent_id: parent,
        ..CategoryInput::default()
    };
    service::create_category(app, &app.system(), input)
        .await
        .unwrap()
        .id
}

both! {
    async fn every_change_shows_in_the_next_search_of_every_instance(app: TestApp) {
        let other = app.with_settings(|config| config.data_dir = config.data_dir.join("other")).await;
        let mug = app.product("Everyday mug", "10", 1).await;
        for app in [&app, &other] {
            assert_eq!(names(app, "mugs").await, ["Everyday mug"]);
        }
        rename(&app, mug.id, "Plain beaker").await;
        for app in [&other, &app] {
            assert!(names(app, "mug").await.is_empty());
            assert_eq!(names(app, "beaker").await, ["Plain beaker"]);
        }
        let draft = input(json!({ "status": "draft" }));
        service::update_product(&app, &app.system(), &ProductKey::Id(mug.id), None, draft).await.unwrap();
        assert!(names(&other, "beaker").await.is_empty());
        let staff = ProductFilter { for_staff: true, ..filter("beaker") };
        let found = list_products(&other, &app.system(), &staff, PageRequest::default()).await.unwrap();
        assert_eq!(found.total, 1);
        service::delete_product(&app, &app.system(), &ProductKey::Id(mug.id), None).await.unwrap();
        let found = list_products(&other, &app.system(), &staff, PageRequest::default()).await.unwrap();
        assert_eq!(found.total, 0);
        assert_eq!(service::compare_index(&other).await.unwrap(), []);
    }

    async fn products_are_found_by_what_their_categories_are_called(app: TestApp) {
        let table = category(&app, "Table", None).await;
        let cups = category(&app, "Cups", Some(table)).await;
        let made = input(json!({ "name": "Ada", "price": "1", "category_id": cups.0 }));
        service::create_product(&app, &app.system(), made).await.unwrap();
        assert_eq!(names(&app, "cup").await, ["Ada"]);
        assert_eq!(names(&app, "table").await, ["Ada"]);
        let renamed = CategoryInput { name: Some("Kitchen".to_owned()), ..CategoryInput::default() };
        service::update_category(&app, &app.system(), table, None, renamed).await.unwrap();
        assert!(names(&app, "table").await.is_empty());
        assert_eq!(names(&app, "kitchen").await, ["Ada"]);
        service::delete_category(&app, &app.system(), cups, None).await.unwrap();
        assert!(names(&app, "cups").await.is_empty());
        assert_eq!(names(&app, "kitchen").await, ["Ada"]);
        service::delete_category(&app, &app.system(), table, None).await.unwrap();
        assert!(names(&app, "kitchen").await.is_empty());
        assert_eq!(service::compare_index(&app).await.unwrap(), []);
    }

    async fn an_event_that_commits_late_is_not_missed(app: TestApp) {
        let (mug, jug) = (app.product("Mug", "1", 1).await.id, app.product("Jug", "1", 1).await.id);
        assert_eq!(names(&app, "mug").await, ["Mug"]);
        // As PostgreSQL does it: the event with the higher id can be seen first.
        let steps = [(5_000_i64, mug, "Beaker"), (4_000, jug, "Pitcher"), (4_500, mug, "Tumbler")];
        for (event, product, name) in steps {
            let mut tx = app.db.begin().await.unwrap();
            let run = zoco::db::query::execute;
            let rename = zoco::db::query::Sql::same("update products set name = $1 where id = $2");
            run(&mut tx, rename, vec![name.into(), product.0.into()]).await.unwrap();
            let announce = zoco::db::query::Sql::same(
                "insert into outbox (id, topic, payload, created_at, dispatched_at)
                values ($1, 'product.changed', $2, 0, 0)");
            let payload = json!({ "id": product }).to_string();
            run(&mut tx, announce, vec![event.into(), payload.into()]).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(names(&app, name).await, [name]);
        }
    }

    async fn an_index_that_cannot_be_used_is_made_anew(app: TestApp) {
        app.product("Mug", "1", 1).await;
        assert_eq!(names(&app, "mug").await, ["Mug"]);
        let live = app.config.data_dir.join("index/live");
        let again = || app.with_settings(|_| {});
        // It is there: another start goes on with it.
        let made = std::fs::read(live.join("meta.json")).unwrap();
        assert_eq!(names(&again().await, "mug").await, ["Mug"]);
        // Damaged.
        std::fs::write(live.join("meta.json"), "{").unwrap();
        assert_eq!(names(&again().await, "mug").await, ["Mug"]);
        // A file of it is gone, or holds something else.
        for damage in [true, false] {
            let mut files = std::fs::read_dir(&live).unwrap().map(|entry| entry.unwrap().path());
            let file = files.find(|path| path.extension().is_some_and(|kind| kind == "term")).unwrap();
            if damage { std::fs::write(file, "nonsense").unwrap() } else { std::fs::remove_file(file).unwrap() }
            assert_eq!(names(&again().await, "mug").await, ["Mug"]);
        }
        // Of another version, or of another shop.
        for (from, to) in [("\\\"version\\\":", "\\\"version\\\":9"), ("\\\"shop\\\":\\\"", "\\\"shop\\\":\\\"x")] {
            let meta = std::fs::read_to_string(live.join("meta.json")).unwrap();
            assert!(meta.contains(from), "{meta}");
            std::fs::write(live.join("meta.json"), meta.replace(from, to)).unwrap();
            assert_eq!(names(&again().await, "mug").await, ["Mug"]);
            assert!(!std::fs::read_to_string(live.join("meta.json")).unwrap().contains(to));
        }
        // Missing altogether.
        std::fs::remove_dir_all(&live).unwrap();
        assert_eq!(names(&again().await, "mug").await, ["Mug"]);
        // Too old: what it missed may be pruned from the outbox.
        app.clock.advance_seconds(8 * 24 * 3600);
        assert!(zoco::jobs::prune(&app).await.unwrap() > 0);
        let late = again().await;
        assert_eq!(names(&late, "mug").await, ["Mug"]);
        assert!(!made.is_empty());
    }

    async fn without_an_index_the_shop_answers(app: TestApp) {
        app.product("Mug", "1", 1).await;
        // A file where the folder should be.
        std::fs::write(app.config.data_dir.join("index"), "").unwrap();
        assert!(names(&app, "mug").await.is_empty());
        app.browser().get("/products?search=mug").await.expect(200);
        app.api().get("/api/products?search=mug&facets=true").await.expect(200);
        app.api().get("/api/products/suggest?q=mu").await.expect(200);
        assert_eq!(names(&app, "").await, ["Mug"]);
    }

    async fn another_writer_is_waited_for(app: TestApp) {
        app.product("Mug", "1", 1).await;
        assert_eq!(names(&app, "mug").await, ["Mug"]);
        app.product("Jug", "1", 1).await;
        let index = app.search.index().unwrap();
        let writer = index.writer().unwrap();
        // Another process writes to the same folder: what is known is shown.
        assert!(names(&app, "jug").await.is_empty());
        assert_eq!(names(&app, "mug").await, ["Mug"]);
        drop(writer);
        assert_eq!(names(&app, "jug").await, ["Jug"]);
    }

    async fn a_great_backlog_is_left_to_the_background(app: TestApp) {
        app.product("First mug", "1", 1).await;
        assert_eq!(names(&app, "mug").await.len(), 1);
        let cups = category(&app, "Cups", None).await;
        let ctx = app.system();
        let mut tx = app.db.begin().await.unwrap();
        for number in 0..301 {
            let made = input(json!({ "name": format!("Thing {number}"), "price": "1", "category_id": cups.0 }));
            service::create_product_in(&app, &ctx, &mut tx, made).await.unwrap();
        }
        tx.commit().await.unwrap();
        service::catch_up(&app).await.unwrap();
        assert_eq!(names(&app, "thing 300").await, ["Thing 300"]);
        assert_eq!(service::compare_index(&app).await.unwrap(), []);
        let renamed = CategoryInput { name: Some("Beakers".to_owned()), ..CategoryInput::default() };
        service::update_category(&app, &ctx, cups, None, renamed).await.unwrap();
        // The search itself leaves it; whoever works it off, it is done then.
        names(&app, "beakers").await;
        while names(&app, "beakers").await.is_empty() {
            service::catch_up(&app).await.unwrap();
        }
        let stop = tokio_util::sync::CancellationToken::new();
        stop.cancel();
        service::follow_index((*app).clone(), stop).await;
    }

    async fn the_doctor_sees_what_the_index_has_wrong(app: TestApp) {
        let (mug, jug) = (app.product("Mug", "1", 1).await.id, app.product("Jug", "1", 1).await.id);
        assert_eq!(service::compare_index(&app).await.unwrap(), []);
        let index = app.search.index().unwrap();
        let writer = index.writer().unwrap();
        writer.remove(mug);
        writer.put(&[Document { version: 77, ..document(jug.0, "Jug") }, document(9_999, "Ghost")]).unwrap();
        writer.commit(&index.position().unwrap().unwrap()).unwrap();
        let differences = service::compare_index(&app).await.unwrap();
        assert_eq!(differences, [
            IndexDifference::Missing(mug),
            IndexDifference::Stale(jug),
            IndexDifference::Surplus(ProductId(9_999)),
        ]);
    }

    async fn facets_count_each_group_as_if_nothing_were_chosen_in_it(app: TestApp) {
        let cups = category(&app, "Cups", None).await;
        for (name, price, stock, material, colour, tag) in [
            ("Mug one", "10", 1, "Clay", "Red", "gift"),
            ("Mug two", "20", 0, "Clay", "Blue", "gift"),
            ("Mug three", "40", 1, "Glass", "Red", "new"),
            ("Mug four", "80", 1, "Oak", "Red", "new"),
            ("Jug", "15", 1, "Clay", "Red", "gift"),
        ] {
            let made = input(json!({
                "name": name, "price": price, "stock": stock, "tags": [tag], "category_id": cups.0,
                "attributes": [{"name": "Material", "value": material}, {"name": "Colour", "value": colour}],
            }));
            service::create_product(&app, &app.system(), made).await.unwrap();
        }
        let wanted = ProductFilter {
            tag: "gift".to_owned(),
            in_stock: true,
            attributes: vec![
                ("Material".to_owned(), "Clay".to_owned()),
                ("Material".to_owned(), "Glass".to_owned()),
                ("Colour".to_owned(), "Red".to_owned()),
            ],
            ..filter("mugs")
        };
        let found = listing(&app, &wanted).await;
        let names: Vec<&str> = found.products.items.iter().map(|card| card.name.as_str()).collect();
        assert_eq!(names, ["Mug one"]);
        let facets = found.facets.unwrap();
        let pair = |name: &str, count| (name.to_owned(), count);
        assert_eq!(facets.categories, [(cups, 1)]);
        assert_eq!(facets.in_stock, 1);
        assert_eq!(facets.tags, [pair("gift", 1), pair("new", 1)]);
        assert_eq!(facets.attributes, [
            ("Colour".to_owned(), vec![pair("Red", 1)]),
            ("Material".to_owned(), vec![pair("Clay", 1)]),
        ]);
        let all = listing(&app, &filter("mugs")).await;
        let facets = all.facets.unwrap();
        assert_eq!((all.products.total, facets.in_stock, all.matched), (4, 3, Matched::All));
        let (lowest, highest) = facets.price.unwrap();
        assert_eq!((lowest.minor(), highest.minor()), (1_000, 8_000));
        assert_eq!(facets.prices.iter().map(|range| range.count).sum::<i64>(), 4);
        // Choosing a range does not change what the others would give.
        let range = facets.prices[1];
        let narrowed = ProductFilter { min_price: range.from, max_price: range.to, ..filter("mugs") };
        let narrowed = listing(&app, &narrowed).await;
        assert_eq!(narrowed.products.total, range.count);
        assert_eq!(narrowed.facets.unwrap().prices, facets.prices);
        assert_eq!(facets.ratings, [(4, 0), (3, 0), (2, 0), (1, 0)]);
    }

    async fn a_search_takes_as_many_statements_for_one_as_for_many(app: TestApp) {
        let search = async || {
            let page = PageRequest::new(1, 100);
            zoco::db::count_statements(async {
                let found = search_products(&app, &app.guest(), &filter("thing"), page, true).await.unwrap();
                found.products.items.len()
            }).await
        };
        app.product("Thing", "1", 1).await;
        names(&app, "thing").await;
        let one = search().await;
        for _ in 0..30 {
            app.product("Thing", "1", 1).await;
        }
        names(&app, "thing").await;
        let many = search().await;
        assert_eq!((one.0, many.0), (1, 31));
        assert_eq!(one.1, many.1);
    }

    async fn synonyms_are_applied_by_the_next_search(app: TestApp) {
        let admin = app.admin().await;
        app.product("Grey couch", "1", 1).await;
        assert!(names(&app, "sofa").await.is_empty());
        let input = SynonymInput { words: Some(texts(&["Sofa", "couch"])), targets: None };
        let made = zoco::search::service::create_synonym(&app, &admin, input).await.unwrap();
        assert_eq!(names(&app, "sofas").await, ["Grey couch"]);
        zoco::search::service::delete_synonym(&app, &admin, made.id, Some(made.version)).await.unwrap();
        assert!(names(&app, "sofa").await.is_empty());
    }

    async fn what_shoppers_do_not_find_is_counted(app: TestApp) {
        app.product("Mug", "1", 1).await;
        let admin = app.admin().await;
        let mut browser = app.browser();
        for path in ["/products?search=Zebra", "/products?search=zebra!", "/products?search=zebra&page=2", "/products?search=mug"] {
            browser.get(path).await.expect(200);
        }
        app.api().get("/api/products?search=yak").await.expect(200);
        // Staff try things out.
        list_products(&app, &admin, &filter("gnu"), PageRequest::default()).await.unwrap();
        let misses = zoco::search::service::misses(&app, &admin, PageRequest::default()).await.unwrap();
        let counted: Vec<(&str, i64)> = misses.items.iter().map(|miss| (miss.words.as_str(), miss.count)).collect();
        assert_eq!(counted, [("zebra", 2), ("yak", 1)]);
        app.clock.advance_seconds(200 * 24 * 3600);
        assert_eq!(zoco::search::service::prune_misses(&app).await.unwrap(), 2);
    }

    async fn typing_is_answered_with_products_words_and_categories(app: TestApp) {
        let cups = category(&app, "Mugs and cups", None).await;
        app.product("Everyday mug", "12.50", 1).await;
        app.product("Mug rack", "30", 1).await;
        let found = app.api().get("/api/products/suggest?q=everyd").await.expect(200).json();
        assert_eq!(found["products"][0]["name"], "Everyday mug");
        assert_eq!(found["words"], json!(["everyday"]));
        let found = app.api().get("/api/products/suggest?q=mug").await.expect(200).json();
        assert_eq!(found["products"].as_array().unwrap().len(), 2);
        assert_eq!(found["categories"][0]["id"], cups.0);
        let found = app.api().get("/api/products/suggest?q=evryday").await.expect(200).json();
        assert_eq!(found["words"], json!(["everyday"]));
        let nothing = app.api().get("/api/products/suggest").await.expect(200).json();
        assert_eq!(nothing, json!({"words": [], "categories": [], "products": []}));
        app.api().get("/api/products/suggest?x=1").await.expect(400);
    }

    async fn the_page_says_what_was_meant(app: TestApp) {
        app.product("Everyday mug", "10", 1).await;
        app.product("Teapot", "10", 1).await;
        let page = app.browser().get("/products?search=teapto").await.expect(200);
        assert!(page.has("Did you mean") && page.has("/products?search=teapot"));
        assert!(page.has("Teapot"));
        let page = app.browser().get("/products?search=mug+teapot").await.expect(200);
        assert!(page.has("No product has all of these words"));
        let found = app.api().get("/api/products?search=mug+teapot").await.expect(200).json();
        assert_eq!((&found["matched"], &found["total"]), (&json!("some"), &json!(2)));
        let found = app.api().get("/api/products?search=teapto").await.expect(200).json();
        assert_eq!((&found["matched"], &found["did_you_mean"]), (&json!("all"), &json!("teapot")));
        let found = app.api().get("/api/products").await.expect(200).json();
        assert!(found.get("matched").is_none());
    }

    async fn staff_keep_rules_about_words_on_pages_and_over_the_api(app: TestApp) {
        app.admin().await;
        app.product("Grey couch", "1", 1).await;
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let path = "/admin/search/synonyms";
        assert!(browser.get(path).await.expect(200).has("No rule yet"));
        // Each face makes one, and both see both.
        let form = browser.get(path).await.expect(200);
        let made = browser.submit(&form, "main form.stack", &[("words", "Sofa, couch"), ("targets", "")]).await;
        assert!(made.expect(200).has("sofa, couch"));
        assert_eq!(names(&app, "sofas").await, ["Grey couch"]);
        let body = json!({"words": ["settee"], "targets": ["couch"]});
        let made = api.post("/api/admin/search/synonyms", body.clone()).await.expect(201);
        let location = made.header("location");
        assert_eq!(made.json()["version"], 1);
        assert_eq!(names(&app, "settee").await, ["Grey couch"]);
        let page = browser.get(path).await.expect(200);
        assert!(page.has("settee") && page.has("also couch"));
        let all = api.get("/api/admin/search/synonyms").await.expect(200).json();
        assert_eq!(all["total"], 2);
        // Both refuse the same.
        for (words, targets) in [("", ""), ("one", ""), ("settee", "couch"), (&"x".repeat(81), "y"), ("?", "!")] {
            let refused = browser.post(path, &[("words", words), ("targets", targets)]).await;
            assert!(refused.expect(422).has("aria-invalid"), "{words}");
            let body = json!({"words": [words], "targets": [targets]});
            let refused = api.post("/api/admin/search/synonyms", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], "words");
        }
        let many: Vec<String> = (0..51).map(|number| format!("w{number}x")).collect();
        api.post("/api/admin/search/synonyms", json!({ "words": many })).await.expect(422);
        // Changing: an old version is refused with what was typed.
        let etag = made.header("etag");
        let stale = api.with("if-match", "\"9\"");
        stale.patch(&location, json!({"targets": ["sofa"]})).await.expect(412);
        stale.delete(&location).await.expect(412);
        let form = format!("{path}/{}", made.json()["id"]);
        let opened = browser.get(&form).await.expect(200);
        assert!(opened.has("settee"));
        let fresh = api.with("if-match", &etag);
        let changed = fresh.patch(&location, json!({"targets": ["couch", "sofa"]})).await.expect(200);
        assert_eq!(changed.json()["version"], 2);
        let typed = [("version", "1"), ("words", "settee, divan"), ("targets", "couch")];
        let conflict = browser.post(&form, &typed).await.expect(409);
        assert!(conflict.has("Somebody else changed this rule") && conflict.has("settee, divan"));
        let again = [("version", "2"), ("words", "settee, divan"), ("targets", "couch")];
        browser.post(&form, &again).await.expect(200);
        browser.post(&form, &[("version", "3"), ("words", ""), ("targets", "")]).await.expect(422);
        assert_eq!(names(&app, "divan").await, ["Grey couch"]);
        assert_eq!(api.get(&location).await.expect(200).json()["version"], 3);
        // Deleting.
        let delete = format!("{form}/delete");
        assert!(browser.post(&delete, &[("version", "1")]).await.expect(200).has("Look again"));
        browser.post(&delete, &[("version", "3")]).await.expect(200);
        for gone in [api.get(&location).await, api.delete(&location).await, browser.get(&form).await] {
            gone.expect(404);
        }
        let first = all["items"].as_array().unwrap().iter().find(|one| one["words"][0] == "sofa").unwrap();
        api.delete(&format!("/api/admin/search/synonyms/{}", first["id"])).await.expect(204);
        assert!(names(&app, "sofa").await.is_empty());
    }

    async fn staff_see_and_dismiss_what_was_not_found(app: TestApp) {
        app.admin().await;
        app.product("Mug", "1", 1).await;
        for word in ["zebra", "zebra", "yak"] {
            app.api().get(&format!("/api/products?search={word}")).await.expect(200);
        }
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/search/misses").await.expect(200);
        assert!(page.has("zebra") && page.has("yak") && page.has("/admin/search/synonyms?words=zebra"));
        assert!(browser.get("/admin/search/synonyms?words=zebra").await.expect(200).has("value=\"zebra\""));
        let listed = api.get("/api/admin/search/misses?per_page=1").await.expect(200).json();
        assert_eq!((&listed["total"], &listed["items"][0]["count"]), (&json!(2), &json!(2)));
        api.get("/api/admin/search/misses?x=1").await.expect(400);
        let dismissed = browser.post("/admin/search/misses/dismiss", &[("words", "zebra")]).await.expect(200);
        assert!(!dismissed.has("zebra"));
        // Somebody else was faster.
        browser.post("/admin/search/misses/dismiss", &[("words", "zebra")]).await.expect(200);
        api.delete("/api/admin/search/misses?words=yak").await.expect(204);
        api.delete("/api/admin/search/misses?words=yak").await.expect(404);
        assert!(browser.get("/admin/search/misses").await.expect(200).has("found something each time"));
        assert!(browser.get("/admin/search/misses?page=9").await.expect(200).has("found something each time"));
    }

    async fn only_staff_of_the_catalog_see_what_is_searched(app: TestApp) {
        app.customer("customer@example.com").await;
        app.staff("orders@example.com", &[zoco::ctx::Permission::Orders]).await;
        let paths = ["/admin/search/synonyms", "/admin/search/synonyms/1", "/admin/search/misses"];
        for email in ["customer@example.com", "orders@example.com"] {
            let api = app.api().signed_in(email).await;
            let mut browser = app.browser();
            browser.sign_in(email).await;
            for path in paths {
                browser.get(path).await.expect(403);
                api.get(&format!("/api{path}")).await.expect(403);
            }
            api.post("/api/admin/search/synonyms", json!({"words": ["a", "b"]})).await.expect(403);
            api.delete("/api/admin/search/misses?words=x").await.expect(403);
            browser.post("/admin/search/misses/dismiss", &[("words", "x")]).await.expect(403);
        }
        for path in paths {
            app.api().get(&format!("/api{path}")).await.expect(401);
        }
    }

    async fn the_doctor_finds_the_books_balanced_or_not(app: TestApp) {
        let mug = app.product("Mug", "1", 3).await;
        assert!(zoco::admin::service::examine(&app).await.unwrap().is_empty());
        let index = app.search.index().unwrap();
        let writer = index.writer().unwrap();
        writer.remove(mug.id);
        writer.commit(&index.position().unwrap().unwrap()).unwrap();
        let mut tx = app.db.begin().await.unwrap();
        for sql in ["update stock_levels set on_hand = 5", "update products set rating_sum = 5"] {
            let sql = zoco::db::query::Sql::same(sql);
            zoco::db::query::execute(&mut tx, sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let findings = zoco::admin::service::examine(&app).await.unwrap();
        let kinds: Vec<&str> = findings.iter().map(|one| one.area).collect();
        assert_eq!(kinds, ["stock", "ratings", "search"]);
    }
}
