//! Every store function of taxes, on both databases.

use zoco::taxes::{STANDARD, TaxClass, TaxRule, store};
use zoco::types::TaxRateId;

use crate::support::{TestApp, both};

both! {
    async fn classes_and_rates_are_kept(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let first = store::classes(&mut tx).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].code.as_str(), first[0].for_shipping), (STANDARD, true));
        assert_eq!(store::shipping_class(&mut tx).await.unwrap().as_deref(), Some(STANDARD));
        let mut reduced = TaxClass {
            code: "reduced".to_owned(),
            name: "Reduced".to_owned(),
            position: 1,
            for_shipping: false,
            version: 1,
        };
        store::insert_class(&mut tx, &reduced).await.unwrap();
        assert!(store::class_exists(&mut tx, "reduced").await.unwrap());
        assert!(!store::class_exists(&mut tx, "zero").await.unwrap());
        store::ship_as_none(&mut tx).await.unwrap();
        assert_eq!(store::shipping_class(&mut tx).await.unwrap(), None);
        reduced.for_shipping = true;
        reduced.version = 2;
        assert!(!store::update_class(&mut tx, &reduced, 7).await.unwrap());
        assert!(store::update_class(&mut tx, &reduced, 1).await.unwrap());
        assert_eq!(store::shipping_class(&mut tx).await.unwrap().as_deref(), Some("reduced"));

        let mut rate = TaxRule {
            id: TaxRateId(0),
            tax_class: "reduced".to_owned(),
            country: "CA".to_owned(),
            region: "QC, Quebec".to_owned(),
            name: "GST".to_owned(),
            rate: 500,
            version: 1,
            updated_at: now,
        };
        rate.id = store::insert_rate(&mut tx, &rate).await.unwrap();
        assert_eq!(store::rate(&mut tx, rate.id).await.unwrap(), Some(rate.clone()));
        let all = store::rates(&mut tx).await.unwrap();
        let classes: Vec<&str> = all.iter().map(|rate| rate.tax_class.as_str()).collect();
        assert_eq!(classes, ["reduced", STANDARD]);
        assert_eq!(store::rates_of(&mut tx, "CA").await.unwrap().len(), 2);
        assert_eq!(store::rates_of(&mut tx, "ES").await.unwrap().len(), 1);
        rate.rate = 550;
        rate.version = 2;
        assert!(!store::update_rate(&mut tx, &rate, 9).await.unwrap());
        assert!(store::update_rate(&mut tx, &rate, 1).await.unwrap());
        assert_eq!(store::rate(&mut tx, rate.id).await.unwrap(), Some(rate.clone()));
        assert!(!store::delete_rate(&mut tx, rate.id, 1).await.unwrap());
        // A class takes its rates along.
        assert!(!store::delete_class(&mut tx, "reduced", 1).await.unwrap());
        assert!(store::delete_class(&mut tx, "reduced", 2).await.unwrap());
        assert_eq!(store::rate(&mut tx, rate.id).await.unwrap(), None);
        let standard = store::rates(&mut tx).await.unwrap().remove(0);
        assert!(store::delete_rate(&mut tx, standard.id, standard.version).await.unwrap());
        assert_eq!(store::rates(&mut tx).await.unwrap(), []);
        tx.commit().await.unwrap();

        assert_eq!(store::products_by_class(&mut app.db.conn().await.unwrap()).await.unwrap(), []);
        app.product("Mug", "1", 1).await;
        let counts = store::products_by_class(&mut app.db.conn().await.unwrap()).await.unwrap();
        assert_eq!(counts, [(STANDARD.to_owned(), 1)]);
    }
}
