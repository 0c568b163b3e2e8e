//! Every store function of shipping, on both databases.

use zoco::db::query::{Sql, execute};
use zoco::pricing::RateStep;
use zoco::shipping::{MethodKind, PostalPattern, ShippingMethod, ShippingZone, service, store};
use zoco::types::{Currency, Money, ShippingMethodId, ShippingZoneId};

use crate::support::{TestApp, both};

/// A flat rate of a zone.
fn flat(zone: ShippingZoneId, code: &str, price: Money) -> ShippingMethod {
    ShippingMethod {
        id: ShippingMethodId(0),
        zone_id: zone,
        code: code.to_owned(),
        name: "Express".to_owned(),
        description: "Tomorrow".to_owned(),
        kind: MethodKind::Flat,
        price,
        steps: Vec::new(),
        free_over: None,
        pickup_location: String::new(),
        active: true,
        position: 1,
        version: 1,
    }
}

both! {
    async fn zones_and_methods_are_kept(app: TestApp) {
        let euro = Currency::eur();
        let mut tx = app.db.begin().await.unwrap();
        let first = store::zones(&mut tx).await.unwrap();
        assert_eq!((first.len(), first[0].name.as_str(), first[0].position), (1, "Everywhere", 1000));
        let everywhere = first[0].id;
        let patterns = ["28*", "1000-1999"].map(|text| PostalPattern::parse(text).unwrap());
        let mut zone = ShippingZone {
            id: ShippingZoneId(0),
            name: "Home".to_owned(),
            countries: vec!["ES".to_owned(), "PT".to_owned()],
            postal_codes: patterns.to_vec(),
            position: 3,
            version: 1,
        };
        zone.id = store::insert_zone(&mut tx, &zone).await.unwrap();
        assert_eq!(store::zones(&mut tx).await.unwrap()[0], zone);
        zone.postal_codes.clear();
        zone.version = 2;
        assert!(!store::update_zone(&mut tx, &zone, 5).await.unwrap());
        assert!(store::update_zone(&mut tx, &zone, 1).await.unwrap());
        assert_eq!(store::zones(&mut tx).await.unwrap()[0], zone);

        let price = Money::new(950, euro);
        let mut method = flat(zone.id, "express", price);
        method.id = store::insert_method(&mut tx, &method).await.unwrap();
        assert_eq!(store::method(&mut tx, "express").await.unwrap(), Some(method.clone()));
        assert_eq!(store::method(&mut tx, "owl").await.unwrap(), None);
        let dollars = flat(zone.id, "dollars", Money::new(700, "USD".parse().unwrap()));
        store::insert_method(&mut tx, &dollars).await.unwrap();
        assert_eq!(store::active_in(&mut tx, zone.id, euro).await.unwrap(), [method.clone()]);
        method.kind = MethodKind::ByWeight;
        method.steps = vec![
            RateStep { from: 0, price },
            RateStep { from: 2000, price: Money::new(1500, euro) },
        ];
        method.free_over = Some(Money::new(6000, euro));
        method.version = 2;
        assert!(!store::update_method(&mut tx, &method, 4).await.unwrap());
        assert!(store::update_method(&mut tx, &method, 1).await.unwrap());
        assert_eq!(store::method(&mut tx, "express").await.unwrap(), Some(method.clone()));
        assert_eq!(method.price_in_words(), format!("from {price}"));
        method.active = false;
        method.version = 3;
        assert!(store::update_method(&mut tx, &method, 2).await.unwrap());
        assert_eq!(store::active_in(&mut tx, zone.id, euro).await.unwrap(), []);
        let codes: Vec<String> = store::methods(&mut tx).await.unwrap().into_iter().map(|one| one.code).collect();
        assert_eq!(codes, ["standard", "express", "dollars"]);
        assert!(!store::delete_method(&mut tx, method.id, 1).await.unwrap());
        assert!(store::delete_method(&mut tx, method.id, 3).await.unwrap());
        // A zone takes its methods along.
        assert!(!store::delete_zone(&mut tx, zone.id, 1).await.unwrap());
        assert!(store::delete_zone(&mut tx, zone.id, 2).await.unwrap());
        assert_eq!(store::method(&mut tx, "dollars").await.unwrap(), None);
        let standard = store::active_in(&mut tx, everywhere, euro).await.unwrap().remove(0);
        assert_eq!((standard.price.minor(), standard.free_over), (490, Some(Money::new(6000, euro))));
        assert_eq!(standard.short_of_free(Money::new(5999, euro)), Some(Money::new(1, euro)));
        assert_eq!(standard.short_of_free(Money::new(6000, euro)), None);
        assert_eq!(flat(everywhere, "x", price).short_of_free(Money::zero(euro)), None, "it never is");
        // The first method of a new shop does not come back once it is gone.
        execute(&mut tx, Sql::same("delete from shipping_methods"), Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        service::ensure_default(&app).await.unwrap();
        assert_eq!(service::methods(&app).await.unwrap(), []);
    }
}
