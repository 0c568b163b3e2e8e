//! Every store function of gift cards and store credit, on both databases.

use zoco::credit::store::{self, NewEntry};
use zoco::credit::{CreditAccount, CreditFilter, CreditKind, CreditReason, CreditState};
use zoco::types::{CreditAccountId, Money, PageRequest};

use crate::support::{TestApp, both};

/// A card of ten that nothing limits.
fn card(app: &TestApp) -> CreditAccount {
    let ten = Money::new(1_000, app.currency());
    CreditAccount {
        id: CreditAccountId(0),
        kind: CreditKind::GiftCard,
        last_four: "2550".to_owned(),
        user_id: None,
        user_email: None,
        balance: Money::zero(app.currency()),
        initial: ten,
        expires_at: None,
        active: true,
        note: "Fair".to_owned(),
        recipient_email: "eva@example.com".to_owned(),
        message: "Hi".to_owned(),
        version: 1,
        created_at: app.clock.now(),
        updated_at: app.clock.now(),
    }
}

fn entry(amount: i64, once: Option<&str>) -> NewEntry<'_> {
    NewEntry {
        amount,
        reason: CreditReason::Adjusted,
        reference: "ABC",
        note: "Why",
        once,
        actor: (None, "The shop"),
    }
}

both! {
    async fn a_card_is_read_as_it_was_written(app: TestApp) {
        let (now, page) = (app.clock.now(), PageRequest::default());
        let mut tx = app.db.begin().await.unwrap();
        let mut made = card(&app);
        made.expires_at = Some(now.plus_seconds(60));
        made.id = store::insert(&mut tx, &made, Some(("hash", "2550")), Some(("form", 0))).await.unwrap();
        assert!(store::has_batch(&mut tx, "form").await.unwrap());
        assert!(!store::has_batch(&mut tx, "other").await.unwrap());
        assert_eq!(store::by_id(&mut tx, made.id).await.unwrap().as_ref(), Some(&made));
        assert_eq!(store::by_code(&mut tx, "hash").await.unwrap().as_ref(), Some(&made));
        assert_eq!(store::by_code(&mut tx, "hush").await.unwrap(), None);
        store::lock(&mut tx, &[made.id]).await.unwrap();
        store::lock(&mut tx, &[]).await.unwrap();
        let other = CreditAccount { last_four: String::new(), recipient_email: String::new(), ..card(&app) };
        let other = store::insert(&mut tx, &other, None, None).await.unwrap();
        let both = store::by_ids(&mut tx, &[other, made.id]).await.unwrap();
        assert_eq!(both.iter().map(|one| one.id).collect::<Vec<_>>(), [made.id, other]);
        assert_eq!(store::by_ids(&mut tx, &[]).await.unwrap(), []);
        store::set_code(&mut tx, other, "hush", "9999", now).await.unwrap();
        assert_eq!(store::by_code(&mut tx, "hush").await.unwrap().unwrap().last_four, "9999");
        assert!(store::post(&mut tx, made.id, &entry(1_000, None), now).await.unwrap());
        for (search, state, ids) in [
            ("", None, vec![other, made.id]),
            ("2550", None, vec![made.id]),
            ("EVA@", None, vec![made.id]),
            ("fair", Some(CreditState::Usable), vec![made.id]),
            ("", Some(CreditState::Empty), vec![other]),
            ("", Some(CreditState::Off), vec![]),
            ("", Some(CreditState::Expired), vec![]),
            ("nothing", None, vec![]),
        ] {
            let filter = CreditFilter { search: search.to_owned(), state };
            let found = store::list(&mut tx, CreditKind::GiftCard, &filter, now, page).await.unwrap();
            let found: Vec<_> = found.items.iter().map(|one| one.id).collect();
            assert_eq!(found, ids, "{search} {state:?}");
        }
        let kind = CreditKind::GiftCard;
        assert_eq!(store::outstanding(&mut tx, kind, app.currency()).await.unwrap(), 1_000);
        let mut changed = store::by_id(&mut tx, made.id).await.unwrap().unwrap();
        changed.active = false;
        let version = changed.version;
        assert!(store::update(&mut tx, &changed, version).await.unwrap());
        assert!(!store::update(&mut tx, &changed, version).await.unwrap(), "it has another version now");
        let off = CreditFilter { state: Some(CreditState::Off), ..CreditFilter::default() };
        assert_eq!(store::list(&mut tx, kind, &off, now, page).await.unwrap().total, 1);
        // What is over, and what is good for longer again.
        let later = now.plus_seconds(60);
        assert_eq!(store::over(&mut tx, now, 9).await.unwrap(), []);
        assert_eq!(store::over(&mut tx, later, 9).await.unwrap(), [made.id]);
        store::good_until(&mut tx, made.id, now).await.unwrap();
        assert_eq!(store::over(&mut tx, later, 9).await.unwrap(), [made.id], "never for shorter");
        store::good_until(&mut tx, made.id, later.plus_seconds(1)).await.unwrap();
        assert_eq!(store::over(&mut tx, later, 9).await.unwrap(), []);
        tx.commit().await.unwrap();
    }

    async fn a_form_issues_a_card_once(app: TestApp) {
        let mut tx = app.db.begin().await.unwrap();
        store::insert(&mut tx, &card(&app), Some(("a", "a")), Some(("form", 0))).await.unwrap();
        let again = store::insert(&mut tx, &card(&app), Some(("b", "b")), Some(("form", 0))).await;
        assert!(again.unwrap_err().is_unique());
    }

    async fn a_balance_moves_with_its_entry_and_never_below_zero(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert(&mut tx, &card(&app), None, None).await.unwrap();
        assert!(store::post(&mut tx, id, &entry(500, Some("first")), now).await.unwrap());
        assert!(!store::post(&mut tx, id, &entry(500, Some("first")), now).await.unwrap(), "once");
        assert!(!store::post(&mut tx, id, &entry(-501, None), now).await.unwrap(), "too much");
        assert!(store::post(&mut tx, id, &entry(-500, None), now).await.unwrap());
        let entries = store::entries(&mut tx, id, PageRequest::new(1, 1)).await.unwrap();
        assert_eq!((entries.total, entries.items[0].amount_minor), (2, -500));
        assert_eq!(entries.items[0].signed(), "-5.00\u{a0}€");
        assert_eq!((entries.items[0].reference.as_str(), entries.items[0].note.as_str()), ("ABC", "Why"));
        assert_eq!(store::imbalances(&mut tx).await.unwrap(), []);
        let mut wrong = zoco::db::Query::new("update credit_accounts set balance_minor = 7 where id = ");
        wrong.bind(id).execute(&mut tx).await.unwrap();
        let found = store::imbalances(&mut tx).await.unwrap();
        assert_eq!((found[0].account_id, found[0].balance, found[0].entries), (id, 7, 0));
    }

    async fn somebody_has_one_account_in_a_currency(app: TestApp) {
        let now = app.clock.now();
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::user_of(&mut tx, "ada@example.com").await.unwrap(), Some(ada));
        assert_eq!(store::user_of(&mut tx, "eva@example.com").await.unwrap(), None);
        assert_eq!(store::of_user(&mut tx, ada, app.currency()).await.unwrap(), None);
        for _ in 0..2 {
            store::open_for_user(&mut tx, ada, app.currency(), now).await.unwrap();
        }
        let mine = store::of_user(&mut tx, ada, app.currency()).await.unwrap().unwrap();
        assert_eq!((mine.kind, mine.user_email.as_deref()), (CreditKind::StoreCredit, Some("ada@example.com")));
        assert_eq!(store::all_of_user(&mut tx, ada).await.unwrap(), std::slice::from_ref(&mine));
        let by_ada = NewEntry { actor: (Some(ada), "Ada"), ..entry(100, None) };
        store::post(&mut tx, mine.id, &by_ada, now).await.unwrap();
        let gift = store::insert(&mut tx, &card(&app), None, None).await.unwrap();
        store::erase(&mut tx, ada, "eva@example.com").await.unwrap();
        assert_eq!(store::all_of_user(&mut tx, ada).await.unwrap(), []);
        let entries = store::entries(&mut tx, mine.id, PageRequest::default()).await.unwrap();
        assert_eq!(entries.items[0].actor_name, "Customer");
        let gift = store::by_id(&mut tx, gift).await.unwrap().unwrap();
        assert_eq!((gift.recipient_email.as_str(), gift.message.as_str()), ("", ""));
        tx.commit().await.unwrap();
    }
}
