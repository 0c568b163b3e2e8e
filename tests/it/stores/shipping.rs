//! Every store function of shipping, on both databases.

use zoco::db::query::{Sql, execute};
use zoco::shipping::{service, store};
use zoco::types::{Currency, Money};

use crate::support::{TestApp, both};

both! {
    async fn methods_are_made_once_and_listed_while_active(app: TestApp) {
        let euro = Currency::eur();
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::exists(&mut tx).await.unwrap());
        let price = Money::new(950, euro);
        store::insert(&mut tx, "express", "Express", "Tomorrow", price, None)
            .await
            .unwrap();
        let other = Money::new(1, euro);
        store::insert(&mut tx, "express", "Another", "", other, Some(other))
            .await
            .unwrap();
        store::insert(
            &mut tx,
            "dollars",
            "Mail",
            "",
            Money::new(700, "USD".parse().unwrap()),
            None,
        )
        .await
        .unwrap();
        let methods = store::active(&mut tx, euro).await.unwrap();
        let codes: Vec<&str> = methods.iter().map(|method| method.code.as_str()).collect();
        assert_eq!(codes, ["standard", "express"]);
        assert_eq!(
            (
                methods[1].name.as_str(),
                methods[1].price,
                methods[1].free_over
            ),
            ("Express", price, None)
        );
        assert_eq!(methods[0].price_for(Money::new(5999, euro)).minor(), 490);
        assert_eq!(methods[0].price_for(Money::new(6000, euro)).minor(), 0);
        assert_eq!(
            methods[0].short_of_free(Money::new(5999, euro)),
            Some(Money::new(1, euro))
        );
        assert_eq!(methods[0].short_of_free(Money::new(6000, euro)), None);
        assert_eq!(
            methods[1].short_of_free(Money::zero(euro)),
            None,
            "it never is"
        );
        let sql = Sql::same("update shipping_methods set active = false where code = 'standard'");
        execute(&mut tx, sql, Vec::new()).await.unwrap();
        assert_eq!(store::active(&mut tx, euro).await.unwrap().len(), 1);
        execute(
            &mut tx,
            Sql::same("delete from shipping_methods"),
            Vec::new(),
        )
        .await
        .unwrap();
        assert!(!store::exists(&mut tx).await.unwrap());
        tx.commit().await.unwrap();

        service::ensure_default(&app).await.unwrap();
        service::ensure_default(&app).await.unwrap();
        assert_eq!(service::methods(&app).await.unwrap().len(), 1);
    }
}
