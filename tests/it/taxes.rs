//! Taxes: which rate counts where, who keeps them, and what a product is taxed as.

use serde_json::json;
use zoco::catalog::service::{ProductInput, update_product};
use zoco::catalog::{Product, ProductKey};
use zoco::ctx::Permission;
use zoco::error::Error;
use zoco::taxes::service::{self, TaxClassInput, TaxRateInput};
use zoco::types::Destination;

use crate::support::{TestApp, both};

/// A class of this code.
pub async fn class(app: &TestApp, code: &str) {
    let input = TaxClassInput {
        code: Some(code.to_owned()),
        name: Some(code.to_uppercase()),
        ..TaxClassInput::default()
    };
    service::create_class(app, &app.system(), input)
        .await
        .unwrap();
}

/// A rate of a class in a country and region; empty for any.
pub async fn rate(app: &TestApp, class: &str, country: &str, region: &str, percent: &str) {
    let text = |text: &str| Some(text.to_owned());
    let input = TaxRateInput {
        tax_class: text(class),
        country: text(country),
        region: text(region),
        name: text("VAT"),
        percent: text(percent),
    };
    service::create_rate(app, &app.system(), input)
        .await
        .unwrap();
}

/// Makes a product one of a class.
pub async fn tax_as(app: &TestApp, product: &Product, class: &str) {
    let input = ProductInput {
        tax_class: Some(class.to_owned()),
        ..ProductInput::default()
    };
    let key = ProductKey::Id(product.id);
    update_product(app, &app.system(), &key, None, input)
        .await
        .unwrap();
}

async fn found(app: &TestApp, class: &str, country: &str, region: &str) -> u32 {
    let destination = Destination {
        region: region.to_owned(),
        ..Destination::country(country)
    };
    let mut conn = app.db.conn().await.unwrap();
    let rates = service::rates(&mut conn, app, &destination).await.unwrap();
    rates.of(class).rate
}

both! {
    async fn a_new_shop_has_the_rate_of_its_settings_until_staff_say_otherwise(app: TestApp) {
        let admin = app.admin().await;
        assert_eq!(found(&app, "standard", "FR", "").await, 2100);
        let rates = service::all_rates(&app, &admin).await.unwrap();
        assert_eq!((rates.len(), rates[0].place().as_str()), (1, "Any country"));
        service::delete_rate(&app, &admin, rates[0].id, None).await.unwrap();
        // What staff took away does not come back at the next start.
        service::ensure_default(&app).await.unwrap();
        assert_eq!(found(&app, "standard", "FR", "").await, 0);
    }

    async fn the_most_specific_rate_counts_and_home_is_where_nothing_is_known(app: TestApp) {
        class(&app, "reduced").await;
        rate(&app, "standard", "CA", "", "5").await;
        rate(&app, "standard", "CA", "QC, Québec", "14.98").await;
        rate(&app, "reduced", "ES", "", "10").await;
        for (class, country, region, rate) in [
            ("standard", "FR", "", 2100),
            ("standard", "CA", "", 500),
            ("standard", "CA", "quebec", 1498),
            ("reduced", "", "", 1000),
            ("reduced", "FR", "", 0),
            ("none", "ES", "", 0),
        ] {
            let found = found(&app, class, country, region).await;
            assert_eq!(found, rate, "{class} {country} {region}");
        }
    }

    async fn staff_keep_rates_on_pages_and_over_the_api(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/taxes").await.expect(200);
        assert!(page.has("Any country") && page.has("21 %") && page.has("shipping is taxed as this"));
        // Each face makes one, and both see both.
        let typed = [("tax_class", "standard"), ("rate_name", "GST"), ("country", "CA"), ("region", ""), ("percent", "5,5")];
        let page = browser.post("/admin/taxes/rates", &typed).await.expect(200);
        assert!(page.has("Canada") && page.has("5.5 %"));
        let body = json!({"tax_class": "standard", "country": "us", "region": "NY , New York", "name": "Sales tax", "percent": "8.875"});
        let refused = api.post("/api/taxes/rates", body).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "percent");
        let body = json!({"tax_class": "standard", "country": "us", "region": "NY , New York", "name": "Sales tax", "percent": "8.88"});
        let made = api.post("/api/taxes/rates", body).await.expect(201);
        assert_eq!((&made.json()["country"], &made.json()["region"]), (&json!("US"), &json!("NY, New York")));
        let location = made.header("location");
        assert_eq!(api.get("/api/taxes/rates").await.expect(200).json()["total"], 3);
        assert!(browser.get("/admin/taxes").await.expect(200).has("United States, NY or New York"));
        // Both refuse the same.
        for (field, class, country, region, name, percent) in [
            ("tax_class", "none", "", "", "VAT", "1"),
            ("tax_class", "", "", "", "VAT", "1"),
            ("country", "standard", "XX", "", "VAT", "1"),
            ("country", "standard", "CA", "", "VAT", "1"),
            ("region", "standard", "", "Ontario", "VAT", "1"),
            ("name", "standard", "FR", "", " ", "1"),
            ("percent", "standard", "FR", "", "VAT", ""),
            ("percent", "standard", "FR", "", "VAT", "101"),
        ] {
            let typed = [("tax_class", class), ("rate_name", name), ("country", country), ("region", region), ("percent", percent)];
            let page = browser.post("/admin/taxes/rates", &typed).await.expect(422);
            let field_on_page = if field == "name" { "rate_name" } else { field };
            assert!(page.has(&format!("href=\"#f-{field_on_page}\"")), "{field}: {}", page.text("#errors"));
            let body = json!({"tax_class": class, "country": country, "region": region, "name": name, "percent": percent});
            let refused = api.post("/api/taxes/rates", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field);
        }
        // Changing: an old version is refused with what was typed.
        let stale = api.with("if-match", "\"9\"");
        stale.patch(&location, json!({"percent": "9"})).await.expect(412);
        stale.delete(&location).await.expect(412);
        let fresh = api.with("if-match", &made.header("etag"));
        let changed = fresh.patch(&location, json!({"percent": "9"})).await.expect(200).json();
        assert_eq!((&changed["percent"], &changed["version"]), (&json!("9"), &json!(2)));
        let form = format!("/admin/taxes/rates/{}", changed["id"]);
        let opened = browser.get(&form).await.expect(200);
        assert!(opened.has("value=\"9\"") && opened.has("NY, New York"));
        let typed = |version: &'static str, percent: &'static str| {
            [("version", version), ("tax_class", "standard"), ("rate_name", "Sales tax"), ("country", "US"), ("region", ""), ("percent", percent)]
        };
        let conflict = browser.post(&form, &typed("1", "7")).await.expect(409);
        assert!(conflict.has("Somebody else changed this rate") && conflict.has("value=\"7\""));
        browser.post(&form, &typed("2", "x")).await.expect(422);
        assert!(browser.post(&form, &typed("2", "7")).await.expect(200).has("7 %"));
        let delete = format!("{form}/delete");
        assert!(browser.post(&delete, &[("version", "1")]).await.expect(200).has("Look again"));
        browser.post(&delete, &[("version", "3")]).await.expect(200);
        for gone in [api.get(&location).await, api.delete(&location).await, browser.get(&form).await] {
            gone.expect(404);
        }
    }

    async fn staff_keep_classes_and_products_hold_them(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.post("/admin/taxes/classes", &[("name", "Reduced rate"), ("code", "")]).await.expect(200);
        assert!(page.has("reduced-rate") && page.has("No rate yet"));
        let made = api.post("/api/taxes/classes", json!({"name": "Zero"})).await.expect(201);
        assert_eq!(made.json()["code"], "zero");
        for (field, name, code) in [("code", "Other", "zero"), ("code", "Other", "No code"), ("name", "zero", "other"), ("name", "", "")] {
            browser.post("/admin/taxes/classes", &[("name", name), ("code", code)]).await.expect(422);
            let refused = api.post("/api/taxes/classes", json!({"name": name, "code": code})).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{name}, {code}");
        }
        // A product is of a class, on both faces.
        let product = app.product("Book", "10", 5).await;
        let path = format!("/api/products/{}", product.id);
        assert_eq!(api.get(&path).await.json()["tax_class"], "standard");
        let refused = api.patch(&path, json!({"tax_class": "none"})).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "tax_class");
        assert_eq!(api.patch(&path, json!({"tax_class": "zero"})).await.expect(200).json()["tax_class"], "zero");
        let form = browser.get(&format!("/admin/products/{}", product.id)).await.expect(200);
        assert_eq!(form.attributes("#f-tax_class option[selected]", "value"), ["zero"]);
        let saved = browser.submit(&form, "form#product", &[("tax_class", "reduced-rate")]).await;
        saved.expect(200);
        assert_eq!(api.get(&path).await.json()["tax_class"], "reduced-rate");
        // What is in use stays.
        let refused = api.delete("/api/taxes/classes/reduced-rate").await.expect(409).json();
        assert_eq!(refused["code"], "tax_class_in_use");
        assert!(browser.post("/admin/taxes/classes/reduced-rate/delete", &[("version", "1")]).await.expect(200).has("A product is of this class."));
        api.delete("/api/taxes/classes/standard").await.expect(409);
        // Shipping is taxed as one of them.
        let zero = "/api/taxes/classes/zero";
        let changed = api.patch(zero, json!({"for_shipping": true, "name": "Nothing"})).await.expect(200).json();
        assert_eq!((&changed["for_shipping"], &changed["version"]), (&json!(true), &json!(2)));
        assert_eq!(api.get("/api/taxes/classes/standard").await.json()["for_shipping"], false);
        api.patch(zero, json!({"for_shipping": false})).await.expect(422);
        api.patch(zero, json!({"code": "other"})).await.expect(422);
        api.delete(zero).await.expect(409);
        let form = "/admin/taxes/classes/standard";
        assert!(browser.get(form).await.expect(200).has("value=\"Standard\""));
        let typed = [("version", "1"), ("name", "Standard"), ("position", "0"), ("for_shipping", "on")];
        assert!(browser.post(form, &typed).await.expect(200).has("The tax class was saved."));
        let conflict = browser.post(form, &typed).await.expect(409);
        assert!(conflict.has("Somebody else changed this class"));
        browser.post(form, &[("version", "2"), ("name", ""), ("position", "x")]).await.expect(422);
        api.delete(zero).await.expect(204);
        api.get(zero).await.expect(404);
        browser.get("/admin/taxes/classes/zero").await.expect(404);
    }

    async fn one_class_is_that_of_shipping_however_many_become_it_at_once(app: TestApp) {
        class(&app, "zero").await;
        class(&app, "half").await;
        let run = |sql: &'static str| zoco::db::query::Sql::same(sql);
        let mut tx = app.db.begin().await.unwrap();
        for sql in [
            "update tax_classes set for_shipping = false where for_shipping",
            "update tax_classes set for_shipping = true where code = 'zero'",
        ] {
            zoco::db::query::execute(&mut tx, run(sql), Vec::new()).await.unwrap();
        }
        let other = app.clone();
        let second = tokio::spawn(async move {
            let input = TaxClassInput { for_shipping: Some(true), ..TaxClassInput::default() };
            service::update_class(&other, &other.system(), "half", None, input).await
        });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        tx.commit().await.unwrap();
        let second = second.await.unwrap();
        let expected = match &second {
            Ok(_) => "half",
            Err(Error::Stale) => "zero",
            Err(other) => panic!("{other}"),
        };
        let classes = service::classes(&app, &app.system()).await.unwrap();
        let of_shipping: Vec<_> = classes.iter().filter(|one| one.for_shipping).collect();
        assert_eq!(of_shipping.len(), 1);
        assert_eq!(of_shipping[0].code, expected);
    }

    async fn only_staff_of_the_settings_keep_taxes(app: TestApp) {
        let catalog = app.staff("catalog@example.com", &[Permission::Catalog]).await;
        // They choose among the classes, and that is all.
        assert_eq!(service::classes(&app, &catalog).await.unwrap().len(), 1);
        let refused = service::all_rates(&app, &catalog).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        let mut browser = app.browser();
        browser.sign_in("catalog@example.com").await;
        browser.get("/admin/taxes").await.expect(403);
        assert!(!browser.get("/admin").await.expect(200).has("/admin/taxes"));
    }
}
