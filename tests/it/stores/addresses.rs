//! SQL of address books.

use zoco::addresses::{PostalAddress, store};
use zoco::types::{AddressId, UserId};

use crate::support::{TestApp, both};

fn at(line1: &str) -> PostalAddress {
    PostalAddress {
        name: "Ada Lovelace".to_owned(),
        line1: line1.to_owned(),
        line2: "2nd floor".to_owned(),
        city: "Lugo".to_owned(),
        region: "Galicia".to_owned(),
        postal_code: "27001".to_owned(),
        country: "ES".to_owned(),
        phone: "+34 600 000 000".to_owned(),
    }
}

async fn users(app: &TestApp) -> (UserId, UserId) {
    let ada = app.customer("ada@example.com").await.user_id().unwrap();
    (
        ada,
        app.customer("eve@example.com").await.user_id().unwrap(),
    )
}

both! {
    async fn addresses_are_kept_by_user(app: TestApp) {
        let (ada, eve) = users(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let now = app.clock.now();
        let first = store::insert(&mut tx, ada, &at("1 Main St"), now).await.unwrap();
        let second = store::insert(&mut tx, ada, &at("2 Main St"), now).await.unwrap();
        let other = store::insert(&mut tx, eve, &at("3 Main St"), now).await.unwrap();
        let book = store::of_user(&mut tx, ada).await.unwrap();
        assert_eq!(book.iter().map(|saved| saved.id).collect::<Vec<_>>(), [first, second]);
        assert_eq!(book[0].address, at("1 Main St"));
        assert!(!book[0].default_shipping && !book[0].default_billing);
        store::update(&mut tx, first, &at("9 Main St"), now).await.unwrap();
        let found = store::by_id(&mut tx, first).await.unwrap().unwrap();
        assert_eq!((found.user_id, found.address), (ada, at("9 Main St")));
        assert_eq!(store::by_id(&mut tx, AddressId(99)).await.unwrap(), None);
        assert!(store::delete(&mut tx, second).await.unwrap());
        assert!(!store::delete(&mut tx, second).await.unwrap());
        assert_eq!(store::delete_all(&mut tx, ada).await.unwrap(), 1);
        assert!(store::by_id(&mut tx, other).await.unwrap().is_some());
    }

    async fn one_address_is_the_default(app: TestApp) {
        let (ada, eve) = users(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let now = app.clock.now();
        let first = store::insert(&mut tx, ada, &at("1 Main St"), now).await.unwrap();
        let second = store::insert(&mut tx, ada, &at("2 Main St"), now).await.unwrap();
        let other = store::insert(&mut tx, eve, &at("3 Main St"), now).await.unwrap();
        store::set_default_shipping(&mut tx, eve, Some(other)).await.unwrap();
        for (shipping, billing) in [(first, second), (second, first), (second, second)] {
            store::set_default_shipping(&mut tx, ada, Some(shipping)).await.unwrap();
            store::set_default_billing(&mut tx, ada, Some(billing)).await.unwrap();
            for saved in store::of_user(&mut tx, ada).await.unwrap() {
                assert_eq!(saved.default_shipping, saved.id == shipping);
                assert_eq!(saved.default_billing, saved.id == billing);
            }
        }
        // Nobody makes another one's address their default.
        store::set_default_shipping(&mut tx, ada, Some(other)).await.unwrap();
        store::set_default_billing(&mut tx, ada, None).await.unwrap();
        let book = store::of_user(&mut tx, ada).await.unwrap();
        assert!(book.iter().all(|saved| !saved.default_shipping && !saved.default_billing));
        assert!(store::by_id(&mut tx, other).await.unwrap().unwrap().default_shipping);
    }
}
