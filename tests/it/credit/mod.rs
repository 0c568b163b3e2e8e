//! Gift cards and store credit from the form to the ledger: who may move them, that no balance
//! falls below zero however many spend at once, and that a balance is the sum of its entries.

mod paying;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use zoco::credit::service::{self, Adjustment, CardChange, Grant, NewCards};
use zoco::credit::{CreditAccount, CreditKind, CreditPart, IssuedCard};
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::privacy::service::close_account;
use zoco::types::{CreditAccountId, Money, MoneyInput, PageRequest};

use crate::support::clients::PASSWORD;
use crate::support::{TestApp, both};

/// A card with so much on it, and its code.
pub async fn card(app: &TestApp, amount: &str) -> (CreditAccount, String) {
    let input = NewCards {
        amount: Some(MoneyInput::new(amount)),
        ..NewCards::default()
    };
    let issued = service::issue(app, &app.system(), input).await.unwrap();
    let IssuedCard { account, code } = issued.into_iter().next().unwrap();
    (account, code.unwrap())
}

/// Store credit for somebody with an account.
pub async fn credit(app: &TestApp, email: &str, amount: &str) -> CreditAccount {
    let input = Grant {
        email: email.to_owned(),
        amount: Some(MoneyInput::new(amount)),
        reason: "Sorry for the wait".to_owned(),
        ..Grant::default()
    };
    service::grant(app, &app.system(), input).await.unwrap()
}

/// What is left.
pub async fn left(app: &TestApp, account: &CreditAccount) -> String {
    let found = service::account(app, &app.system(), account.kind, account.id).await;
    found.unwrap().balance.amount()
}

/// The books are right.
pub async fn balanced(app: &TestApp) {
    let mut conn = app.db.conn().await.unwrap();
    assert_eq!(service::imbalances(&mut conn).await.unwrap(), []);
}

/// The reasons and signed amounts of a ledger, the oldest first.
pub async fn ledger(app: &TestApp, account: &CreditAccount) -> Vec<(String, i64)> {
    let (system, page) = (app.system(), PageRequest::new(1, 100));
    let entries = service::entries(app, &system, account.kind, account.id, page).await;
    let entries = entries.unwrap().items.into_iter().rev();
    entries
        .map(|entry| (entry.reason.as_str().to_owned(), entry.amount_minor))
        .collect()
}

fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

/// Spends from a card in a transaction of its own; tells whether it could.
async fn spend(app: &TestApp, id: CreditAccountId, minor: i64, number: &str) -> bool {
    let ctx = app.system();
    let mut tx = app.db.begin().await.unwrap();
    let parts = [CreditPart {
        account_id: id,
        kind: CreditKind::GiftCard,
        last_four: String::new(),
        amount: Money::new(minor, app.currency()),
    }];
    let spent = service::spend(&mut tx, &ctx, &parts, number).await.unwrap();
    if spent {
        tx.commit().await.unwrap();
    }
    spent
}

fn after(ctx: &Ctx, seconds: i64) -> String {
    ctx.now.plus_seconds(seconds).rfc3339()
}

both! {
    async fn staff_issue_cards_by_the_form(app: TestApp) {
        app.staff("sales@example.com", &[Permission::Promotions]).await;
        let mut staff = app.browser();
        staff.sign_in("sales@example.com").await;
        let page = staff.get("/admin/gift-cards/new").await.expect(200);
        let typed = [("amount", "12.345"), ("count", "2"), ("note", "For the fair")];
        let again = staff.submit(&page, "#cards", &typed).await.expect(422);
        assert_eq!(again.attributes("#f-note", "value"), ["For the fair"], "what was typed is kept");
        let issued = staff.submit(&again, "#cards", &[("amount", "12.50")]).await.expect(200);
        assert_eq!(issued.header("cache-control"), "no-store");
        let codes = issued.texts("td .code");
        assert_eq!(codes.len(), 2);
        let last_four = &codes[0][15..];
        // The same form again issues nothing.
        let twice = staff.submit(&again, "#cards", &[("amount", "12.50")]).await.expect(200);
        assert!(twice.has("This form has issued its cards already."));
        let listed = staff.get(&format!("/admin/gift-cards?search={last_four}")).await.expect(200);
        assert!(listed.has("12.50\u{a0}€") && listed.has("25.00\u{a0}€ can still be spent"));
        assert!(!listed.has(&codes[0]), "a code is shown once");
        // Many at once as a file.
        let page = staff.get("/admin/gift-cards/new").await.expect(200);
        let typed = [("amount", "5.00"), ("count", "3"), ("format!", "csv")];
        let csv = staff.submit(&page, "#cards", &typed).await.expect(200);
        assert_eq!(csv.body.lines().count(), 4);
        assert!(csv.body.starts_with("id,code,amount,currency,expires_at\r\n"));
        assert!(csv.body.contains(",5.00,EUR,"));
        balanced(&app).await;
    }

    async fn a_card_comes_by_letter_and_its_code_is_nowhere_else(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let input = json!({"amount": "20.00", "recipient_email": "eva@example.com",
            "message": "Happy birthday!", "expires_at": after(&app.system(), 86_400)});
        let issued = api.post("/api/admin/gift-cards", input).await.expect(201).json();
        let one = &issued["items"][0];
        assert_eq!((&one["code"], &one["last_four"]), (&Value::Null, &json!("")));
        app.run_jobs().await;
        let letters = app.letters();
        let letter = letters.iter().find(|one| one.to.as_str() == "eva@example.com").unwrap();
        assert!(letter.text.contains("Happy birthday!") && letter.text.contains("20.00"));
        let code = letter.text.split_whitespace().find(|word| word.matches('-').count() == 3);
        let code = code.unwrap().trim_end_matches('.').to_owned();
        let shopper = app.api();
        let asked = shopper.post("/api/gift-cards/balance", json!({"code": code.to_lowercase()})).await;
        let asked = asked.expect(200).json();
        assert_eq!((&asked["balance"]["amount"], &asked["state"]), (&json!("20.00"), &json!("usable")));
        assert_eq!(asked["last_four"], code[code.len() - 4..]);
        let mut page = app.browser();
        let form = page.get("/gift-cards").await.expect(200);
        let wrong = page.submit(&form, "#balance", &[("code", "AAAA-BBBB-CCCC-DDDD")]).await.expect(422);
        assert!(wrong.has("We know no gift card with this code."));
        let right = page.submit(&wrong, "#balance", &[("code", &code)]).await.expect(200);
        assert_eq!(right.text("#left b"), "20.00 €");
        // Another code by another letter; the first one is good for nothing.
        let path = format!("/api/admin/gift-cards/{}", one["id"]);
        api.post(&format!("{path}/code"), json!({})).await.expect(200);
        shopper.post("/api/gift-cards/balance", json!({"code": code})).await.expect(422);
        app.run_jobs().await;
        let newest = app.letters().into_iter().next_back().unwrap();
        assert!(!newest.text.contains(&code));
    }

    async fn staff_change_and_adjust_cards_by_the_api(app: TestApp) {
        app.admin().await;
        let api = app.api().signed_in("admin@example.com").await;
        let wrong = json!({"amount": "0", "count": 2, "expires_at": "2020-01-01T00:00",
            "recipient_email": "eva@example.com"});
        let refused = api.post("/api/admin/gift-cards", wrong).await.expect(422).json();
        assert_eq!(fields(&refused), ["amount", "count", "expires_at"]);
        let issue = api.with("idempotency-key", "k1");
        let issued = issue.post("/api/admin/gift-cards", json!({"amount": "10.00"})).await.expect(201).json();
        let replayed = issue.post("/api/admin/gift-cards", json!({"amount": "10.00"})).await.expect(201).json();
        assert_eq!(issued, replayed);
        let path = format!("/api/admin/gift-cards/{}", issued["items"][0]["id"]);
        let seen = api.get(&path).await.expect(200);
        let off = api.with("if-match", &seen.header("etag"));
        let changed = off.patch(&path, json!({"active": false, "note": "Lost"})).await.expect(200).json();
        assert_eq!((&changed["state"], &changed["note"]), (&json!("off"), &json!("Lost")));
        off.patch(&path, json!({"active": true})).await.expect(412);
        let adjust = format!("{path}/adjustments");
        let refused = api.post(&adjust, json!({"direction": "steal"})).await.expect(422).json();
        assert_eq!(fields(&refused), ["amount", "direction", "reason"]);
        let take = json!({"amount": "10.01", "direction": "take", "reason": "Mistake"});
        let refused = api.post(&adjust, take).await.expect(409).json();
        assert_eq!((&refused["code"], &refused["data"]["balance"]), (&json!("balance_too_low"), &json!("10.00")));
        let take = json!({"amount": "9.00", "direction": "take", "reason": "Mistake"});
        assert_eq!(api.post(&adjust, take).await.expect(200).json()["balance"]["amount"], "1.00");
        let add = json!({"amount": "0.50", "reason": "Mistake of the mistake"});
        assert_eq!(api.post(&adjust, add).await.expect(200).json()["balance"]["amount"], "1.50");
        let entries = api.get(&format!("{path}/entries")).await.expect(200).json();
        let told: Vec<(&str, &str)> = entries["items"].as_array().unwrap().iter()
            .map(|one| (one["direction"].as_str().unwrap(), one["reason"].as_str().unwrap())).collect();
        assert_eq!(told, [("in", "adjusted"), ("out", "adjusted"), ("in", "issued")]);
        let listed = api.get("/api/admin/gift-cards?state=off&search=lost").await.expect(200).json();
        assert_eq!(listed["total"], 1);
        balanced(&app).await;
    }

    async fn staff_work_on_a_card_by_its_page(app: TestApp) {
        let (made, code) = card(&app, "30.00").await;
        app.staff("sales@example.com", &[Permission::Promotions]).await;
        let mut staff = app.browser();
        staff.sign_in("sales@example.com").await;
        let path = format!("/admin/gift-cards/{}", made.id);
        let page = staff.get(&path).await.expect(200);
        let typed = [("amount", "31"), ("direction", "take"), ("reason", "Broken vase")];
        let again = staff.submit(&page, "#adjust", &typed).await.expect(409);
        assert!(again.has("There is only 30.00"));
        assert_eq!(again.attributes("#f-reason", "value"), ["Broken vase"]);
        let page = staff.submit(&again, "#adjust", &[("amount", "10")]).await.expect(200);
        assert!(page.has("There is 20.00") && page.has("Broken vase"));
        let old = page.clone();
        let form = format!("form[action='{path}']");
        let saved = staff.submit(&page, &form, &[("note", "Fair")]).await.expect(200);
        assert!(saved.has("The card was saved."));
        let stale = staff.submit(&old, &form, &[("note", "Other")]).await.expect(409);
        assert!(stale.has("This card changed while you were editing"));
        let renew = format!("form[action='{path}/code']");
        let renewed = staff.submit(&staff.clone().get(&path).await, &renew, &[]).await.expect(200);
        let new = renewed.text("#code .code");
        assert_ne!(new, code);
        assert!(service::balance(&app, &app.guest(), &code).await.is_err());
        assert_eq!(service::balance(&app, &app.guest(), &new).await.unwrap().id, made.id);
        assert_eq!(ledger(&app, &made).await, [("issued".to_owned(), 3_000), ("adjusted".to_owned(), -1_000)]);
        balanced(&app).await;
    }

    async fn a_customer_gets_store_credit_and_sees_it(app: TestApp) {
        app.customer("ada@example.com").await;
        app.staff("help@example.com", &[Permission::Customers]).await;
        let mut staff = app.browser();
        staff.sign_in("help@example.com").await;
        let page = staff.get("/admin/store-credit").await.expect(200);
        let typed = [("email", "nobody@example.com"), ("amount", "8.00"), ("reason", "Sorry")];
        let again = staff.submit(&page, "#grant", &typed).await.expect(422);
        assert!(again.has("No customer has this e-mail address."));
        assert_eq!(again.attributes("#f-reason", "value"), ["Sorry"]);
        let page = staff.submit(&again, "#grant", &[("email", "ADA@example.com")]).await.expect(200);
        assert!(page.has("ada@example.com has 8.00\u{a0}€ of store credit now."));
        app.run_jobs().await;
        let letter = app.letters().into_iter().next_back().unwrap();
        assert!(letter.subject.contains("8.00") && letter.text.contains("Sorry"));
        // Once more goes to the same account.
        let account = credit(&app, "ada@example.com", "2.00").await;
        let path = format!("/admin/store-credit/{}", account.id);
        let page = staff.get(&path).await.expect(200);
        let typed = [("amount", "3.00"), ("direction", "take"), ("reason", "Counted wrong")];
        staff.submit(&page, "#adjust", &typed).await.expect(200);
        let mut ada = app.browser();
        ada.sign_in("ada@example.com").await;
        let page = ada.get("/account/store-credit").await.expect(200);
        assert_eq!(page.text("#credit"), "7.00 €");
        assert!(page.has("Counted wrong") && page.has("-3.00"));
        let api = app.api().signed_in("ada@example.com").await;
        let mine = api.get("/api/auth/me/store-credit").await.expect(200).json();
        assert_eq!((&mine["balance"]["amount"], &mine["total"]), (&json!("7.00"), &json!(3)));
        let all = api.get("/api/auth/me/export").await.expect(200).json();
        assert_eq!(all["store_credit"]["entries"][0]["note"], "Counted wrong");
        let other = app.api();
        other.get("/api/auth/me/store-credit").await.expect(401);
        app.admin().await;
        let admin = app.api().signed_in("admin@example.com").await;
        let listed = admin.get("/api/admin/store-credit?search=ada").await.expect(200).json();
        assert_eq!(listed["items"][0]["balance"]["amount"], "7.00");
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn a_form_that_comes_twice_moves_money_once(app: TestApp) {
        app.customer("ada@example.com").await;
        app.admin().await;
        let mut staff = app.browser();
        staff.sign_in("admin@example.com").await;
        let page = staff.get("/admin/store-credit").await.expect(200);
        let typed = [("email", "ada@example.com"), ("amount", "8.00"), ("reason", "Sorry")];
        assert!(staff.submit(&page, "#grant", &typed).await.expect(200).has("has 8.00"));
        let twice = staff.submit(&page, "#grant", &typed).await.expect(200);
        assert!(twice.has("This form has granted its store credit already."), "{}", twice.body);
        assert_eq!(twice.path, "/admin/store-credit");
        // Another form is another grant.
        assert!(staff.submit(&twice, "#grant", &typed).await.expect(200).has("has 16.00"));
        app.run_jobs().await;
        let letters = app.letters().into_iter().filter(|letter| letter.text.contains("Sorry"));
        assert_eq!(letters.count(), 2);
        let account = credit(&app, "ada@example.com", "2.00").await;
        let (made, _) = card(&app, "30.00").await;
        for (path, account, after) in [
            (format!("/admin/store-credit/{}", account.id), &account, "21.00"),
            (format!("/admin/gift-cards/{}", made.id), &made, "33.00"),
        ] {
            let page = staff.get(&path).await.expect(200);
            let typed = [("amount", "3.00"), ("direction", "add"), ("reason", "Counted wrong")];
            staff.submit(&page, "#adjust", &typed).await.expect(200);
            let twice = staff.submit(&page, "#adjust", &typed).await.expect(200);
            assert!(twice.has("The account changed since you looked"), "{}", twice.body);
            assert_eq!(twice.path, path);
            assert_eq!(left(&app, account).await, after);
        }
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn fifty_at_once_spend_no_more_than_there_is(app: TestApp) {
        let (made, _) = card(&app, "10.00").await;
        let mut tasks = JoinSet::new();
        for number in 0..50 {
            let app = app.clone();
            tasks.spawn(async move { spend(&app, made.id, 300, &format!("ORDER{number}")).await });
        }
        let spent = tasks.join_all().await.into_iter().filter(|spent| *spent).count();
        assert_eq!(spent, 3);
        assert_eq!(left(&app, &made).await, "1.00");
        balanced(&app).await;
    }

    async fn an_order_pays_once_and_gets_its_money_back_once(app: TestApp) {
        let (made, _) = card(&app, "10.00").await;
        let ctx = app.system();
        assert!(spend(&app, made.id, 400, "A").await);
        assert!(!spend(&app, made.id, 400, "A").await, "the same order again");
        for _ in 0..2 {
            let mut tx = app.db.begin().await.unwrap();
            let amount = Money::new(250, app.currency());
            service::give_back(&mut tx, &ctx, made.id, amount, "A", "refund 1").await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(left(&app, &made).await, "8.50");
        let told = [("issued", 1_000), ("spent", -400), ("refunded", 250)];
        assert_eq!(ledger(&app, &made).await, told.map(|(reason, minor)| (reason.to_owned(), minor)));
        balanced(&app).await;
    }

    async fn what_is_over_is_written_off_and_money_that_comes_back_can_be_spent(app: TestApp) {
        let (made, code) = card(&app, "10.00").await;
        let system = app.system();
        assert!(spend(&app, made.id, 400, "A").await);
        let soon = CardChange { expires_at: Some(after(&system, 60)), ..CardChange::default() };
        service::change_card(&app, &system, made.id, None, soon).await.unwrap();
        app.clock.advance_seconds(60);
        assert!(service::card_of_code(&app, &app.guest(), &code).await.is_err(), "it is over");
        let written_off = (service::EXPIRE.run)((*app).clone()).await.unwrap();
        assert_eq!((written_off, left(&app, &made).await.as_str()), (1, "0.00"));
        assert_eq!((service::EXPIRE.run)((*app).clone()).await.unwrap(), 0, "once");
        let mut tx = app.db.begin().await.unwrap();
        let amount = Money::new(400, app.currency());
        service::give_back(&mut tx, &app.system(), made.id, amount, "A", "refund 1").await.unwrap();
        tx.commit().await.unwrap();
        app.clock.advance_seconds(89 * 24 * 3600);
        let card = service::card_of_code(&app, &app.guest(), &code).await.unwrap();
        assert_eq!(card.balance.amount(), "4.00");
        balanced(&app).await;
    }

    async fn guesses_are_slowed_down_and_one_right_code_forgives_none(app: TestApp) {
        let (_, code) = card(&app, "10.00").await;
        let guesser = app.api();
        for guess in 0..50 {
            let wrong = json!({ "code": format!("AAAA-BBBB-CCCC-{guess:04}") });
            guesser.post("/api/gift-cards/balance", wrong).await.expect(422);
            if guess == 25 {
                guesser.post("/api/gift-cards/balance", json!({ "code": code })).await.expect(200);
            }
        }
        let refused = guesser.post("/api/gift-cards/balance", json!({ "code": code })).await.expect(429);
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
        app.clock.advance_seconds(15 * 60);
        guesser.post("/api/gift-cards/balance", json!({ "code": code })).await.expect(200);
    }

    async fn nobody_loses_store_credit_unawares(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let account = credit(&app, "ada@example.com", "8.00").await;
        let input = |forfeit_credit| zoco::accounts::service::CloseAccount {
            password: PASSWORD.to_owned(),
            forfeit_credit,
        };
        match close_account(&app, &ada, input(false)).await {
            Err(Error::Conflict { code, data, .. }) => {
                assert_eq!((code, &data["balance"]), ("credit_left", &json!("8.00")));
            }
            other => panic!("{other:?}"),
        }
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get("/account/privacy").await.expect(200);
        let refused = browser.submit(&page, "#close", &[("password", PASSWORD)]).await.expect(409);
        assert!(refused.has("Nothing was deleted") && refused.has("I let my store credit of 8.00"));
        let agreed = [("password", PASSWORD), ("forfeit_credit", "on")];
        browser.submit(&refused, "#close", &agreed).await.expect(200);
        assert_eq!(left(&app, &account).await, "0.00");
        let found = service::account(&app, &app.system(), CreditKind::StoreCredit, account.id).await;
        assert_eq!(found.unwrap().user_id, None);
        balanced(&app).await;
        app.run_jobs().await;
    }

    async fn a_card_is_no_store_credit_and_permissions_are_apart(app: TestApp) {
        let (made, _) = card(&app, "10.00").await;
        let system = app.system();
        let adjustment = Adjustment::default();
        let wrong = service::adjust(&app, &system, CreditKind::StoreCredit, made.id, None, adjustment).await;
        assert!(matches!(wrong, Err(Error::NotFound)));
        let sales = app.staff("sales@example.com", &[Permission::Promotions]).await;
        let page = PageRequest::default();
        let refused = service::list(&app, &sales, CreditKind::StoreCredit, &Default::default(), page).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        assert!(service::list(&app, &sales, CreditKind::GiftCard, &Default::default(), page).await.is_ok());
    }
}
