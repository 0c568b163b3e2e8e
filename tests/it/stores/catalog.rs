//! Every store function of catalog, on both databases.

use zoco::app::App;
use zoco::catalog::store::{self, Matching, StaffMatching};
use zoco::catalog::{
    Category, Image, OptionValue, Product, ProductOption, ProductSort, ProductStatus, Rating, Seo,
    StaffSort, StockChoice, Variant,
};
use zoco::db::Tx;
use zoco::db::query::{self, Sql};
use zoco::inventory::StockLevel;
use zoco::types::{CategoryId, ImageId, Money, PageRequest, ProductId, Slug, Timestamp, VariantId};

use crate::support::{TestApp, both};

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn euros(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn category(app: &App, name: &str, parent: Option<CategoryId>) -> Category {
    let now = app.clock.now();
    Category {
        id: CategoryId(0),
        parent_id: parent,
        slug: Slug::from_text(name, "category"),
        name: name.to_owned(),
        description: String::new(),
        seo: Seo::default(),
        position: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn variant(product_id: ProductId, sku: &str, minor: i64) -> Variant {
    Variant {
        id: VariantId(0),
        product_id,
        sku: sku.to_owned(),
        options: vec![sku.to_owned()],
        price: euros(minor),
        compare_at: None,
        weight_grams: 5,
        barcode: "42".to_owned(),
        position: 0,
        active: true,
        stock: StockLevel::default(),
        backorder: false,
    }
}

fn blank(app: &App, name: &str) -> Product {
    let now = app.clock.now();
    Product {
        id: ProductId(0),
        slug: Slug::from_text(name, "product"),
        name: name.to_owned(),
        maker: String::new(),
        summary: String::new(),
        description: String::new(),
        category_id: None,
        status: ProductStatus::Active,
        publish_at: None,
        digital: false,
        tax_class: "standard".to_owned(),
        seo: Seo::default(),
        options: Vec::new(),
        tags: Vec::new(),
        attributes: Vec::new(),
        related: Vec::new(),
        variants: Vec::new(),
        images: Vec::new(),
        rating: Rating::default(),
        version: 1,
        created_by: None,
        created_at: now,
        updated_at: now,
    }
}

/// A product with one variant for each SKU, which is its option value as well.
async fn insert(app: &App, tx: &mut Tx, name: &str, skus: &[&str]) -> Product {
    let mut product = blank(app, name);
    let value = |sku: &&str| OptionValue {
        value: (*sku).to_owned(),
        swatch: Some("#e4dac8".to_owned()),
    };
    product.options = vec![ProductOption {
        name: "Colour".to_owned(),
        values: skus.iter().map(value).collect(),
    }];
    product.variants = (0..)
        .zip(skus)
        .map(|(position, sku)| Variant {
            position,
            ..variant(ProductId(0), sku, 100 * (position + 1))
        })
        .collect();
    product.id = store::insert_product(tx, &product).await.unwrap();
    let variants: Vec<&Variant> = product.variants.iter().collect();
    let made = store::insert_variants(tx, product.id, &variants, app.clock.now())
        .await
        .unwrap();
    for variant in &mut product.variants {
        variant.product_id = product.id;
        variant.id = made.iter().find(|(sku, _)| *sku == variant.sku).unwrap().1;
    }
    product
}

async fn read(app: &App, tx: &mut Tx, id: ProductId) -> Product {
    store::product(tx, id, app.currency())
        .await
        .unwrap()
        .unwrap()
}

async fn run(tx: &mut Tx, sql: &'static str) {
    query::execute(tx, Sql::same(sql), Vec::new())
        .await
        .unwrap();
}

both! {
    async fn the_tree_is_written_and_read(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        store::lock_categories(&mut tx).await.unwrap();
        let mut cups = category(&app, "Cups", None);
        cups.id = store::insert_category(&mut tx, &cups).await.unwrap();
        let mut tall = category(&app, "Tall", Some(cups.id));
        tall.id = store::insert_category(&mut tx, &tall).await.unwrap();
        assert_eq!(store::category_tree(&mut tx).await.unwrap().0, [cups.clone(), tall.clone()]);
        cups.name = "Zen".to_owned();
        store::update_category(&mut tx, &cups).await.unwrap();
        let tree = store::category_tree(&mut tx).await.unwrap();
        assert_eq!(tree.get(cups.id), Some(&Category { version: 2, ..cups.clone() }));

        let mut product = insert(&app, &mut tx, "Mug", &["A"]).await;
        product.category_id = Some(cups.id);
        store::update_product(&mut tx, &product).await.unwrap();
        let later = Timestamp(app.clock.now().0 + 1);
        store::delete_category(&mut tx, cups.id, None, later).await.unwrap();
        let tree = store::category_tree(&mut tx).await.unwrap();
        assert_eq!(tree.0, [Category { parent_id: None, version: 2, updated_at: later, ..tall }]);
        let product = read(&app, &mut tx, product.id).await;
        assert_eq!((product.category_id, product.version), (None, 2));
    }

    async fn a_product_is_written_and_read(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let mut product = insert(&app, &mut tx, "Mug", &["B", "A"]).await;
        assert_eq!(read(&app, &mut tx, product.id).await, product);
        assert_eq!(store::product(&mut tx, ProductId(99), app.currency()).await.unwrap(), None);

        let later = Timestamp(app.clock.now().0 + 1);
        assert_eq!(store::touch_product(&mut tx, product.id, later).await.unwrap(), Some(2));
        assert_eq!(store::touch_product(&mut tx, ProductId(99), later).await.unwrap(), None);
        product.maker = "Alfar".to_owned();
        product.attributes = vec![("Z".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())];
        store::update_product(&mut tx, &product).await.unwrap();
        for attributes in [&product.attributes[..1], &[], &product.attributes] {
            store::replace_attributes(&mut tx, product.id, attributes).await.unwrap();
        }
        let expected = Product { version: 2, updated_at: later, ..product.clone() };
        assert_eq!(read(&app, &mut tx, product.id).await, expected);

        let other = insert(&app, &mut tx, "Other", &["C"]).await;
        let both = store::products(&mut tx, &[other.id, product.id, ProductId(99)], app.currency()).await.unwrap();
        assert_eq!(both, [expected, other.clone()], "by ascending id");
        let (first, active) = (ProductId(0), Some(ProductStatus::Active));
        assert_eq!(store::ids_after(&mut tx, first, active, 9).await.unwrap(), [product.id, other.id]);
        assert_eq!(store::ids_after(&mut tx, first, None, 1).await.unwrap(), [product.id]);
        assert_eq!(store::ids_after(&mut tx, product.id, active, 9).await.unwrap(), [other.id]);
        store::set_status(&mut tx, other.id, ProductStatus::Archived).await.unwrap();
        assert!(store::ids_after(&mut tx, product.id, active, 9).await.unwrap().is_empty());

        let found = Some((product.id, ProductStatus::Active));
        assert_eq!(store::id_of_slug(&mut tx, "mug").await.unwrap(), found);
        assert_eq!(store::id_of_slug(&mut tx, "jug").await.unwrap(), None);
        assert_eq!(store::status_of(&mut tx, product.id).await.unwrap(), found);
        store::set_status(&mut tx, product.id, ProductStatus::Archived).await.unwrap();
        let found = Some((product.id, ProductStatus::Archived));
        assert_eq!(store::status_of(&mut tx, product.id).await.unwrap(), found);
        store::delete_product(&mut tx, product.id).await.unwrap();
        assert_eq!(store::status_of(&mut tx, product.id).await.unwrap(), None);
    }

    async fn variants_are_changed_renamed_and_deleted(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let product = insert(&app, &mut tx, "Mug", &["A", "B", "C"]).await;
        let now = app.clock.now();
        let [a, b, c] = &product.variants[..] else { panic!() };
        let swapped = [
            Variant { sku: "B".to_owned(), compare_at: Some(euros(900)), active: false, ..a.clone() },
            Variant { sku: "A".to_owned(), price: euros(7), position: 9, ..b.clone() },
        ];
        store::free_skus(&mut tx, &[a.id, b.id]).await.unwrap();
        let changed: Vec<&Variant> = swapped.iter().collect();
        store::update_variants(&mut tx, &changed, now).await.unwrap();
        store::update_variants(&mut tx, &[], now).await.unwrap();
        let found = read(&app, &mut tx, product.id).await.variants;
        assert_eq!(found, [swapped[0].clone(), c.clone(), swapped[1].clone()]);
        store::delete_variants(&mut tx, &[a.id, c.id]).await.unwrap();
        let found = read(&app, &mut tx, product.id).await.variants;
        assert_eq!(found, [swapped[1].clone()]);
        let twice = variant(product.id, "A", 1);
        let refused = store::insert_variants(&mut tx, product.id, &[&twice], now).await;
        assert!(refused.unwrap_err().is_unique());
    }

    async fn slugs_and_skus_that_are_taken_are_found(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let product = insert(&app, &mut tx, "Mug", &["MUG", "X1"]).await;
        insert(&app, &mut tx, "Mug 2", &["MUG-2", "Y1"]).await;
        insert(&app, &mut tx, "Mugs", &["Z"]).await;
        let mut slugs = store::slugs_like(&mut tx, &slug("mug")).await.unwrap();
        slugs.sort();
        assert_eq!(slugs, ["mug", "mug-2"]);
        let long = "x".repeat(Slug::MAX_LEN);
        insert(&app, &mut tx, &format!("{}-2", &long[..Slug::MAX_LEN - 2]), &["L"]).await;
        assert_eq!(store::slugs_like(&mut tx, &slug(&long)).await.unwrap().len(), 1);

        let asked = ["Z".to_owned(), "X1".to_owned(), "none".to_owned()];
        let mut skus = store::skus_of_others(&mut tx, product.id, Some("MUG"), &asked).await.unwrap();
        skus.sort();
        assert_eq!(skus, ["MUG-2", "Z"]);
        assert_eq!(store::skus_of_others(&mut tx, product.id, None, &asked).await.unwrap(), ["Z"]);
        let owners = store::owners_of_skus(&mut tx, &asked[1..]).await.unwrap();
        assert_eq!(owners, [("X1".to_owned(), product.id)]);
        assert_eq!(store::lock_product_version(&mut tx, product.id).await.unwrap(), Some(product.version));
        assert_eq!(store::lock_product_version(&mut tx, ProductId(99)).await.unwrap(), None);
        assert!(store::is_empty_category(&mut tx, CategoryId(99)).await.unwrap());
    }

    async fn an_old_slug_leads_on(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let (one, two) = (insert(&app, &mut tx, "One", &["A"]).await, insert(&app, &mut tx, "Two", &["B"]).await);
        store::put_redirect(&mut tx, &slug("old"), one.id).await.unwrap();
        store::put_redirect(&mut tx, &slug("old"), two.id).await.unwrap();
        let found = store::redirect(&mut tx, "old").await.unwrap();
        assert_eq!(found, Some(("two".to_owned(), ProductStatus::Active)));
        store::delete_redirect(&mut tx, &slug("old")).await.unwrap();
        assert_eq!(store::redirect(&mut tx, "old").await.unwrap(), None);
    }

    async fn a_product_has_tags_relations_and_a_time(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let now = app.clock.now();
        let first = insert(&app, &mut tx, "First", &["A"]).await;
        let second = insert(&app, &mut tx, "Second", &["B"]).await;
        let third = insert(&app, &mut tx, "Third", &["C"]).await;
        for tags in [vec!["new", "blue"], vec!["blue", "a, b", "new"], vec![]] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            store::replace_tags(&mut tx, first.id, &tags).await.unwrap();
            assert_eq!(read(&app, &mut tx, first.id).await.tags, tags);
        }
        for related in [vec![third.id, second.id], vec![second.id], vec![]] {
            store::replace_related(&mut tx, first.id, &related).await.unwrap();
            let there = read(&app, &mut tx, first.id).await.related;
            assert_eq!(there.iter().map(|one| one.id).collect::<Vec<_>>(), related);
        }
        let named = store::named(&mut tx, &[second.id], &["third".to_owned(), "no".to_owned()]).await;
        let mut names: Vec<String> = named.unwrap().into_iter().map(|one| one.name).collect();
        names.sort();
        assert_eq!(names, ["Second", "Third"]);

        let due = |product: &Product, seconds| Product {
            status: ProductStatus::Draft,
            publish_at: Some(now.plus_seconds(seconds)),
            digital: true,
            seo: Seo { title: "T".to_owned(), description: "D".to_owned() },
            ..product.clone()
        };
        for (product, seconds) in [(&first, 0), (&second, 1), (&third, -5)] {
            let due = due(product, seconds);
            store::update_product(&mut tx, &due).await.unwrap();
            let there = read(&app, &mut tx, product.id).await;
            assert_eq!((there.publish_at, there.digital, there.seo), (due.publish_at, true, due.seo));
        }
        assert_eq!(store::due_products(&mut tx, now, 9).await.unwrap(), [third.id, first.id]);
        assert_eq!(store::due_products(&mut tx, now, 1).await.unwrap(), [third.id]);
        store::set_status(&mut tx, third.id, ProductStatus::Active).await.unwrap();
        assert_eq!(read(&app, &mut tx, third.id).await.publish_at, None);
        assert_eq!(store::due_products(&mut tx, now, 9).await.unwrap(), [first.id]);
    }

    async fn an_old_slug_of_a_category_leads_on(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let (cups, mugs) = (category(&app, "Cups", None), category(&app, "Mugs", None));
        let cups = store::insert_category(&mut tx, &cups).await.unwrap();
        let mugs = store::insert_category(&mut tx, &mugs).await.unwrap();
        for id in [cups, mugs] {
            store::put_category_redirect(&mut tx, &slug("old"), id).await.unwrap();
            assert_eq!(store::category_redirect(&mut tx, "old").await.unwrap(), Some(id));
        }
        store::delete_category_redirect(&mut tx, &slug("old")).await.unwrap();
        assert_eq!(store::category_redirect(&mut tx, "old").await.unwrap(), None);
    }

    async fn the_list_for_staff_is_narrowed_and_put_in_order(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let mug = insert(&app, &mut tx, "Mug", &["B", "A"]).await;
        let bowl = insert(&app, &mut tx, "bowl", &["C"]).await;
        store::replace_tags(&mut tx, mug.id, &["Gift".to_owned()]).await.unwrap();
        let made = Product { maker: "Lola".to_owned(), ..bowl.clone() };
        store::update_product(&mut tx, &made).await.unwrap();
        let page = PageRequest::new(1, 1);
        let all = StaffMatching::default();
        for (sort, first) in [(StaffSort::Name, bowl.id), (StaffSort::NameDescending, mug.id)] {
            assert_eq!(store::ids_for_staff(&mut tx, &all, sort, page).await.unwrap(), [first]);
        }
        assert_eq!(store::all_ids(&mut tx, &all).await.unwrap(), [mug.id, bowl.id]);
        let gift = StaffMatching { tag: Some("gIFT".to_owned()), ..StaffMatching::default() };
        assert_eq!(store::all_ids(&mut tx, &gift).await.unwrap(), [mug.id]);
        let out = StaffMatching { stock: Some(StockChoice::Out), maker: Some("lola".to_owned()), ..StaffMatching::default() };
        assert_eq!(store::count_for_staff(&mut tx, &out).await.unwrap(), 1);
        let skus = store::first_skus(&mut tx, &[mug.id]).await.unwrap();
        assert_eq!(skus, [(mug.id, "A".to_owned())]);
        assert_eq!(store::known_makers(&mut tx).await.unwrap(), ["Lola"]);
        assert_eq!(store::known_tags(&mut tx).await.unwrap(), ["Gift"]);
    }

    async fn the_sitemap_lists_active_products_part_by_part(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let first = insert(&app, &mut tx, "First", &["A"]).await;
        let second = insert(&app, &mut tx, "Second", &["B"]).await;
        let third = insert(&app, &mut tx, "Third", &["C"]).await;
        let image = Image {
            id: ImageId(0), storage_key: "ab/c".to_owned(), alt: String::new(), width: 900, height: 9,
            option_value: String::new(), position: 0,
        };
        store::insert_image(&mut tx, first.id, &image, app.clock.now()).await.unwrap();
        store::set_status(&mut tx, second.id, ProductStatus::Archived).await.unwrap();
        let later = app.clock.now().plus_seconds(9);
        store::touch_product(&mut tx, third.id, later).await.unwrap();
        let parts = store::sitemap_parts(&mut tx, 2).await.unwrap();
        let parts: Vec<_> = parts.iter().map(|part| (part.number, part.updated_at)).collect();
        assert_eq!(parts, [(1, app.clock.now()), (2, later)]);
        let one = store::sitemap_products(&mut tx, 2, 1).await.unwrap();
        assert_eq!((one.len(), &one[0].slug), (1, &first.slug));
        assert_eq!(one[0].cover, Some(("ab/c".to_owned(), 800)));
        let two = store::sitemap_products(&mut tx, 2, 2).await.unwrap();
        assert_eq!((two.len(), two[0].updated_at, &two[0].cover), (1, later, &None));
        assert!(store::sitemap_products(&mut tx, 2, 3).await.unwrap().is_empty());
    }

    async fn many_products_are_written_at_once(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let mut one = insert(&app, &mut tx, "One", &["A"]).await;
        let mut two = insert(&app, &mut tx, "Two", &["B"]).await;
        store::lock_products(&mut tx, &[one.id, two.id]).await.unwrap();
        for product in [&mut one, &mut two] {
            product.version = 7;
            product.status = ProductStatus::Draft;
            product.publish_at = Some(app.clock.now());
            product.category_id = None;
        }
        one.tags = vec!["x".to_owned(), "y".to_owned()];
        store::write_products(&mut tx, &[&one, &two]).await.unwrap();
        store::replace_tags_of(&mut tx, &[&one, &two]).await.unwrap();
        store::replace_tags_of(&mut tx, &[&two]).await.unwrap();
        assert_eq!(read(&app, &mut tx, one.id).await, one);
        assert_eq!(read(&app, &mut tx, two.id).await, two);
        assert_eq!(store::ordered_products(&mut tx, &[one.id, two.id]).await.unwrap(), []);
        let variants = [one.variants[0].id, VariantId(99)];
        let owners = store::products_of_variants(&mut tx, &variants).await.unwrap();
        assert_eq!(owners, [(one.variants[0].id, one.id)]);
        store::delete_products(&mut tx, &[one.id]).await.unwrap();
        assert!(store::product(&mut tx, one.id, euros(0).currency()).await.unwrap().is_none());
    }

    async fn what_was_ordered_is_known(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let product = insert(&app, &mut tx, "Mug", &["A", "B"]).await;
        assert!(store::ordered_variants(&mut tx, product.id).await.unwrap().is_empty());
        run(&mut tx, "insert into carts (token, status, created_at, updated_at) values ('t', 'ordered', 1, 1)").await;
        run(&mut tx, "insert into orders
                (number, cart_id, email, customer, search_text, status, payment_status,
                fulfilment_status, currency, subtotal_minor, shipping_minor, tax_minor,
                total_minor, prices_include_tax, shipping_method, shipping_method_name,
                shipping_address, placed_at, updated_at)
            select 'N', id, 'a@example.com', 'A', '', 'pending', 'unpaid', 'unfulfilled', 'EUR',
                1, 0, 0, 1, true, 'flat', 'Flat', '{}', 1, 1
            from carts").await;
        run(&mut tx, "insert into order_lines
                (order_id, product_id, variant_id, sku, name, quantity, unit_price_minor,
                subtotal_minor, tax_minor, total_minor, position)
            select o.id, v.product_id, v.id, v.sku, 'Mug', 1, 1, 1, 0, 1, 0
            from orders as o, variants as v
            where v.sku = 'B'").await;
        let found = store::ordered_variants(&mut tx, product.id).await.unwrap();
        assert_eq!(found, [product.variants[1].id]);
        assert_eq!(store::ordered_products(&mut tx, &[product.id]).await.unwrap(), [product.id]);
    }

    async fn pictures_are_kept_in_order(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let product = insert(&app, &mut tx, "Mug", &["A"]).await;
        let mut images = Vec::new();
        for position in 0..2 {
            let mut image = Image {
                id: ImageId(0),
                storage_key: format!("ab/{position}"),
                alt: String::new(),
                width: 500,
                height: 20,
                option_value: String::new(),
                position,
            };
            image.id = store::insert_image(&mut tx, product.id, &image, app.clock.now()).await.unwrap();
            images.push(image);
        }
        assert_eq!(read(&app, &mut tx, product.id).await.images, images);
        images[0].alt = "A mug".to_owned();
        images[0].option_value = "A".to_owned();
        store::update_image(&mut tx, &images[0]).await.unwrap();
        store::place_images(&mut tx, &[images[1].id, images[0].id]).await.unwrap();
        store::place_images(&mut tx, &[]).await.unwrap();
        let found = read(&app, &mut tx, product.id).await.images;
        assert_eq!(found[1], Image { position: 1, ..images[0].clone() });
        store::delete_image(&mut tx, images[0].id).await.unwrap();
        assert_eq!(read(&app, &mut tx, product.id).await.images.len(), 1);
    }

    async fn lists_are_narrowed_counted_and_shown(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let cups = store::insert_category(&mut tx, &category(&app, "Cups", None)).await.unwrap();
        let mut mug = insert(&app, &mut tx, "Mug", &["A", "B"]).await;
        mug.category_id = Some(cups);
        mug.attributes = vec![("Material".to_owned(), "Clay".to_owned())];
        store::update_product(&mut tx, &mug).await.unwrap();
        store::replace_attributes(&mut tx, mug.id, &mug.attributes).await.unwrap();
        let jug = insert(&app, &mut tx, "Jug", &["C"]).await;
        store::replace_attributes(&mut tx, jug.id, &[("Material".to_owned(), "Glass".to_owned()), ("Size".to_owned(), "1 l".to_owned())]).await.unwrap();
        let ctx = app.system();
        zoco::inventory::service::set_on_hand(&mut tx, &ctx, mug.variants[0].id, 3, zoco::inventory::Reason::Received).await.unwrap();

        let all = Matching::default();
        let cases = [
            (all.clone(), 2),
            (Matching { ranked: Some([jug.id, ProductId(9_999)].into()), ..all.clone() }, 1),
            (Matching { ranked: Some([].into()), ..all.clone() }, 0),
            (Matching { categories: Some(vec![cups]), ..all.clone() }, 1),
            (Matching { categories: Some(Vec::new()), ..all.clone() }, 0),
            (Matching { min_price: Some(200), ..all.clone() }, 1),
            (Matching { max_price: Some(99), ..all.clone() }, 0),
            (Matching { in_stock: true, ..all.clone() }, 1),
            (Matching { min_rating: Some(1), ..all.clone() }, 0),
            (Matching { attributes: vec![("Material".to_owned(), vec!["Clay".to_owned(), "Wood".to_owned()])], ..all.clone() }, 1),
            (Matching { status: Some(ProductStatus::Draft), ..all.clone() }, 0),
        ];
        for (matching, expected) in cases {
            assert_eq!(store::count(&mut tx, &matching).await.unwrap(), expected, "{matching:?}");
        }
        assert_eq!(store::count_by_category(&mut tx, &all).await.unwrap(), [(cups, 1)]);
        let row = |name: &str, value: &str| (name.to_owned(), value.to_owned(), 1);
        let counts = store::count_by_attribute(&mut tx, &all, None, &[]).await.unwrap();
        assert_eq!(counts, [row("Material", "Clay"), row("Material", "Glass"), row("Size", "1 l")]);
        let counts = store::count_by_attribute(&mut tx, &all, None, &["Material".to_owned()]).await.unwrap();
        assert_eq!(counts, [row("Size", "1 l")]);
        let counts = store::count_by_attribute(&mut tx, &all, Some("Size"), &[]).await.unwrap();
        assert_eq!(counts, [row("Size", "1 l")]);

        let ranked = Matching { ranked: Some([jug.id, mug.id].into()), ..all.clone() };
        let cards = store::cards(&mut tx, &ranked, ProductSort::Relevance, PageRequest::default(), app.currency()).await.unwrap();
        assert_eq!(cards.iter().map(|card| card.id).collect::<Vec<_>>(), [jug.id, mug.id]);
        let quarters = store::price_quarters(&mut tx, &all).await.unwrap();
        assert_eq!(quarters.iter().map(|one| (one.begins, one.ends)).collect::<Vec<_>>(), [(100, 200), (100, 100)]);
        assert_eq!(store::count_by_price(&mut tx, &all, &[(0, 99), (100, 100), (150, i64::MAX)]).await.unwrap(), [0, 2, 1, 0]);
        assert_eq!(store::count_by_rating(&mut tx, &all).await.unwrap(), [0; 4]);
        store::replace_tags(&mut tx, jug.id, &["gift".to_owned()]).await.unwrap();
        assert_eq!(store::count_by_tag(&mut tx, &all, 5).await.unwrap(), [("gift".to_owned(), 1)]);
        for sort in [ProductSort::Relevance, ProductSort::Rating, ProductSort::Newest, ProductSort::PriceAscending, ProductSort::PriceDescending, ProductSort::Name] {
            let cards = store::cards(&mut tx, &all, sort, PageRequest::new(1, 1), app.currency()).await.unwrap();
            assert_eq!(cards.len(), 1, "{sort}");
        }
        let cards = store::cards(&mut tx, &all, ProductSort::Name, PageRequest::default(), app.currency()).await.unwrap();
        let [first, second] = &cards[..] else { panic!("{cards:?}") };
        assert_eq!((first.name.as_str(), first.only_variant, first.available), ("Jug", Some(jug.variants[0].id), 0));
        assert_eq!((second.price, second.price_varies, second.variant_count), (Some(euros(100)), true, 2));
        assert_eq!((second.available, second.swatches.len()), (3, 2));

        let low = store::low_stock(&mut tx, 2, 10).await.unwrap();
        let skus: Vec<&str> = low.iter().map(|one| one.sku.as_str()).collect();
        assert_eq!(skus, ["B", "C"]);
        assert_eq!(store::low_stock(&mut tx, 3, 10).await.unwrap().len(), 3);
        assert_eq!(store::low_stock(&mut tx, 3, 1).await.unwrap().len(), 1);
    }

    async fn products_are_read_as_the_index_knows_them(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        let cups = store::insert_category(&mut tx, &category(&app, "Cups", None)).await.unwrap();
        let mut mug = insert(&app, &mut tx, "Mug", &["A", "B"]).await;
        mug.category_id = Some(cups);
        mug.status = ProductStatus::Draft;
        store::update_product(&mut tx, &mug).await.unwrap();
        store::replace_tags(&mut tx, mug.id, &["gift".to_owned()]).await.unwrap();
        store::replace_attributes(&mut tx, mug.id, &[("Material".to_owned(), "Clay".to_owned())]).await.unwrap();
        let jug = insert(&app, &mut tx, "Jug", &["C"]).await;
        let found = store::documents(&mut tx, &[mug.id, jug.id, ProductId(9_999)]).await.unwrap();
        let [(document, place), (other, nowhere)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((document.id, *place, document.public), (mug.id, Some(cups), false));
        assert_eq!((document.name.as_str(), document.skus.len()), ("Mug", 2));
        assert!(document.labels.contains(&"gift".to_owned()) && document.facts.contains(&"Clay".to_owned()));
        assert_eq!((other.id, *nowhere, other.public), (jug.id, None, true));
        assert_eq!(store::count_all(&mut tx).await.unwrap(), 2);
        assert_eq!(store::ids_in(&mut tx, &[cups]).await.unwrap(), [mug.id]);
        assert_eq!(store::versions(&mut tx).await.unwrap(), [(mug.id, 1), (jug.id, 1)]);
    }
}
