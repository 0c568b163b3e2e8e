//! SQL of accounts.

use zoco::accounts::model::{Purpose, User};
use zoco::accounts::store::{self, NewPersonalToken, NewRefreshToken, SignInRow};
use zoco::ctx::{Permission, Role};
use zoco::db::{Query, Tx};
use zoco::types::{Email, Locale, Timestamp, UserId};

use crate::support::{TestApp, both};

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

async fn user(app: &TestApp, address: &str, role: Role) -> UserId {
    let mut tx = app.db.begin().await.unwrap();
    let now = app.clock.now();
    let id = store::insert(
        &mut tx,
        &email(address),
        "Ada",
        "a hash",
        role,
        Locale::Spanish,
        now,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

fn refresh_token<'a>(
    user: UserId,
    family: &'a str,
    hash: &'a str,
    expires_at: Timestamp,
) -> NewRefreshToken<'a> {
    NewRefreshToken {
        user,
        family,
        hash,
        started_at: Timestamp(7),
        user_agent: "curl/8",
        address: "192.0.2.1",
        expires_at,
    }
}

both! {
    async fn users_are_found_by_id_and_address(app: TestApp) {
        let id = user(&app, "ada@example.com", Role::Customer).await;
        let mut tx = app.db.begin().await.unwrap();
        let now = app.clock.now().plus_seconds(5);
        let user = store::by_id(&mut tx, id).await.unwrap().unwrap();
        assert_eq!((user.locale, user.email_verified_at), (Locale::Spanish, None));
        let user = User {
            name: "Ada Lovelace".to_owned(),
            phone: "123".to_owned(),
            locale: Locale::English,
            marketing_consent_at: Some(now),
            ..user
        };
        store::set_profile(&mut tx, &user, now).await.unwrap();
        Query::new("update users set permissions = 'orders,nonsense,catalog'").execute(&mut tx).await.unwrap();
        let found = store::by_email(&mut tx, &email("ADA@example.com")).await.unwrap().unwrap();
        assert_eq!((found.id, found.name.as_str(), found.phone.as_str()), (id, "Ada Lovelace", "123"));
        assert_eq!(found.permissions, [Permission::Orders, Permission::Catalog]);
        assert_eq!(found.created_at, app.clock.now());
        assert_eq!((found.locale, found.marketing_consent_at), (Locale::English, Some(now)));
        assert_eq!(store::by_id(&mut tx, id).await.unwrap(), Some(found));
        assert_eq!(store::by_id(&mut tx, UserId(99)).await.unwrap(), None);
        assert_eq!(store::by_email(&mut tx, &email("eve@example.com")).await.unwrap(), None);
        assert_eq!(store::password_hash(&mut tx, id).await.unwrap().as_deref(), Some("a hash"));
        assert_eq!(store::password_hash(&mut tx, UserId(99)).await.unwrap(), None);
        assert!(store::lock(&mut tx, id).await.unwrap());
        assert!(!store::lock(&mut tx, UserId(99)).await.unwrap());
        let again = store::insert(&mut tx, &email("ada@example.com"), "Eve", "", Role::Customer, Locale::English, now).await;
        assert!(again.unwrap_err().is_unique());
    }

    async fn admins_are_made_and_counted(app: TestApp) {
        let id = user(&app, "ada@example.com", Role::Customer).await;
        let mut tx = app.db.begin().await.unwrap();
        assert!(!store::has_admin(&mut tx).await.unwrap());
        store::make_admin(&mut tx, id, "another hash", app.clock.now()).await.unwrap();
        assert!(store::has_admin(&mut tx).await.unwrap());
        assert_eq!(store::by_id(&mut tx, id).await.unwrap().unwrap().role, Role::Admin);
        assert_eq!(store::password_hash(&mut tx, id).await.unwrap().as_deref(), Some("another hash"));
    }

    async fn staff_are_listed_and_their_roles_set(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let boss = user(&app, "boss@example.com", Role::Admin).await;
        let eve = user(&app, "eve@example.com", Role::Customer).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::lock_admins(&mut tx).await.unwrap(), [boss]);
        assert_eq!(store::staff(&mut tx).await.unwrap().len(), 1);
        let member = store::staff_member(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!((member.user.role, member.version, member.signed_in_at), (Role::Customer, 0, None));
        let permissions = [Permission::Orders, Permission::Reports];
        assert!(!store::set_role(&mut tx, ada, 1, Role::Staff, &permissions, now).await.unwrap());
        assert!(store::set_role(&mut tx, ada, 0, Role::Staff, &permissions, now).await.unwrap());
        assert!(store::set_role(&mut tx, eve, 0, Role::Admin, &[], now).await.unwrap());
        let token_at = now.plus_seconds(60);
        store::insert_refresh_token(&mut tx, &refresh_token(ada, "f", "one", token_at.plus_seconds(1)), token_at).await.unwrap();
        let mut session = Query::new("insert into sessions (id, user_id, data, created_at, expires_at) values ('a', ");
        session.bind(ada).push(", '{}', ").bind(now).push(", 0)");
        session.execute(&mut tx).await.unwrap();
        let member = store::staff_member(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!((member.user.role, member.version, member.signed_in_at), (Role::Staff, 1, Some(token_at)));
        assert_eq!(member.user.permissions, permissions);
        let ids: Vec<UserId> = store::staff(&mut tx).await.unwrap().iter().map(|member| member.user.id).collect();
        assert_eq!(ids, [boss, eve, ada], "admins first");
        assert_eq!(store::lock_admins(&mut tx).await.unwrap(), [boss, eve]);
        assert_eq!(store::staff_member(&mut tx, UserId(99)).await.unwrap(), None);
        // Whoever read ada's role before this knows another version.
        store::make_admin(&mut tx, ada, "a hash", now).await.unwrap();
        assert_eq!(store::staff_member(&mut tx, ada).await.unwrap().unwrap().version, 2);
    }

    async fn sessions_are_listed_and_end_by_user(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let eve = user(&app, "eve@example.com", Role::Customer).await;
        let mut tx = app.db.begin().await.unwrap();
        for (index, (name, owner)) in [("a", ada), ("b", ada), ("c", eve), ("d", ada)].into_iter().enumerate() {
            let mut session = Query::new(
                "insert into sessions (id, user_id, data, user_agent, address, created_at, last_used_at, expires_at) values (",
            );
            session.bind(name).push(", ").bind(owner).push(", '{}', 'curl/8', '192.0.2.1', 5, ");
            session.bind(index as i64).push(", 0)");
            session.execute(&mut tx).await.unwrap();
        }
        let names = |rows: Vec<SignInRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        let listed = store::sessions(&mut tx, ada).await.unwrap();
        assert_eq!((listed[0].user_agent.as_str(), listed[0].address.as_str()), ("curl/8", "192.0.2.1"));
        assert_eq!((listed[0].created_at, listed[0].last_used_at), (Timestamp(5), Timestamp(3)));
        assert_eq!(names(listed), ["d", "b", "a"]);
        assert!(!store::end_session(&mut tx, eve, "a").await.unwrap());
        assert!(store::end_session(&mut tx, ada, "a").await.unwrap());
        assert!(!store::end_session(&mut tx, ada, "a").await.unwrap());
        assert_eq!(store::end_other_sessions(&mut tx, ada, "b").await.unwrap(), 1);
        assert_eq!(names(store::sessions(&mut tx, ada).await.unwrap()), ["b"]);
        store::end_sessions(&mut tx, ada).await.unwrap();
        let left: Vec<(String,)> = Query::new("select id from sessions").fetch_all(&mut tx).await.unwrap();
        assert_eq!(left, [("c".to_owned(),)]);
    }

    async fn sign_ins_through_the_api_are_listed_and_end_by_user(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let eve = user(&app, "eve@example.com", Role::Customer).await;
        let now = app.clock.now();
        let later = now.plus_seconds(10);
        let mut tx = app.db.begin().await.unwrap();
        for (owner, family, hash, made) in [(ada, "f", "one", 0), (ada, "f", "two", 2), (ada, "g", "three", 1), (ada, "h", "five", 3), (eve, "i", "four", 0)] {
            let token = refresh_token(owner, family, hash, later);
            store::insert_refresh_token(&mut tx, &token, now.plus_seconds(made)).await.unwrap();
        }
        let one = store::refresh_token(&mut tx, "one").await.unwrap().unwrap();
        store::use_refresh_token(&mut tx, one.id, now).await.unwrap();
        let names = |rows: Vec<SignInRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        let listed = store::families(&mut tx, ada, now).await.unwrap();
        assert_eq!((listed[1].created_at, listed[1].last_used_at), (Timestamp(7), now.plus_seconds(2)));
        assert_eq!((listed[0].user_agent.as_str(), listed[0].address.as_str()), ("curl/8", "192.0.2.1"));
        assert_eq!(names(listed), ["h", "f", "g"]);
        let alive = async |tx: &mut Tx, owner, family: &str, at| {
            store::by_family(tx, owner, family, at).await.unwrap().map(|user| user.id)
        };
        assert_eq!(alive(&mut tx, ada, "f", now).await, Some(ada));
        assert_eq!(alive(&mut tx, eve, "f", now).await, None);
        assert_eq!(alive(&mut tx, ada, "f", later).await, None);

        assert!(!store::end_family(&mut tx, eve, "f", now).await.unwrap());
        assert!(store::end_family(&mut tx, ada, "f", now).await.unwrap());
        assert!(!store::end_family(&mut tx, ada, "f", now).await.unwrap());
        assert_eq!(alive(&mut tx, ada, "f", now).await, None);
        assert_eq!(store::end_other_families(&mut tx, ada, "g", now).await.unwrap(), 1);
        assert_eq!(names(store::families(&mut tx, ada, now).await.unwrap()), ["g"]);
        assert_eq!(names(store::families(&mut tx, ada, later).await.unwrap()), [""; 0]);
        assert_eq!(names(store::families(&mut tx, eve, now).await.unwrap()), ["i"]);
    }

    async fn a_second_factor_belongs_to_somebody(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let eve = user(&app, "eve@example.com", Role::Customer).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::two_factor(&mut tx, ada).await.unwrap(), None);
        assert!(!store::delete_two_factor(&mut tx, ada).await.unwrap());
        store::insert_two_factor(&mut tx, ada, "SECRET", 5, now).await.unwrap();
        let kept = store::two_factor(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!((kept.secret.as_str(), kept.last_step), ("SECRET", 5));
        let has_one = async |tx: &mut Tx, id| store::by_id(tx, id).await.unwrap().unwrap().two_factor;
        assert!(has_one(&mut tx, ada).await && !has_one(&mut tx, eve).await);
        for (step, good) in [(4, false), (5, false), (6, true), (6, false)] {
            assert_eq!(store::use_step(&mut tx, ada, step).await.unwrap(), good, "{step}");
        }
        let hashes = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        store::set_recovery_codes(&mut tx, ada, &hashes(&["a", "b"])).await.unwrap();
        store::set_recovery_codes(&mut tx, eve, &hashes(&["a", "c"])).await.unwrap();
        store::set_recovery_codes(&mut tx, ada, &hashes(&["a", "b", "d"])).await.unwrap();
        assert_eq!(store::count_recovery_codes(&mut tx, ada).await.unwrap(), 3);
        for (hash, good) in [("c", false), ("a", true), ("a", false), ("b", true)] {
            assert_eq!(store::use_recovery_code(&mut tx, ada, hash, now).await.unwrap(), good, "{hash}");
        }
        assert_eq!(store::count_recovery_codes(&mut tx, ada).await.unwrap(), 1);
        assert!(store::delete_two_factor(&mut tx, ada).await.unwrap());
        assert_eq!(store::two_factor(&mut tx, ada).await.unwrap(), None);
        assert_eq!(store::count_recovery_codes(&mut tx, ada).await.unwrap(), 0);
        assert_eq!(store::count_recovery_codes(&mut tx, eve).await.unwrap(), 2);
        store::insert_two_factor(&mut tx, ada, "SECRET", 5, now).await.unwrap();
        let again = store::insert_two_factor(&mut tx, ada, "ANOTHER", 5, now).await;
        assert!(again.unwrap_err().is_unique());
    }

    async fn personal_tokens_belong_to_somebody_and_end(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let eve = user(&app, "eve@example.com", Role::Customer).await;
        let now = app.clock.now();
        let later = now.plus_seconds(10);
        let mut tx = app.db.begin().await.unwrap();
        let new = |user, hash: &'static str, expires_at| NewPersonalToken { user, name: "Till", hash, scopes: "cart:read,orders:read", expires_at };
        let first = store::insert_personal_token(&mut tx, &new(ada, "one", later), now).await.unwrap();
        store::insert_personal_token(&mut tx, &new(ada, "two", later.plus_seconds(1)), now).await.unwrap();
        store::insert_personal_token(&mut tx, &new(eve, "three", later), now).await.unwrap();
        let found = store::personal_token(&mut tx, "one", now).await.unwrap().unwrap();
        assert_eq!((found.id, found.user_id, found.name.as_str(), found.scopes.as_str()), (first, ada, "Till", "cart:read,orders:read"));
        assert_eq!((found.created_at, found.expires_at, found.last_used_at), (now, later, None));
        assert_eq!(store::personal_token(&mut tx, "one", later).await.unwrap(), None);
        assert_eq!(store::personal_token(&mut tx, "none", now).await.unwrap(), None);
        assert_eq!(store::personal_tokens(&mut tx, ada, now).await.unwrap().len(), 2);
        assert_eq!(store::personal_tokens(&mut tx, ada, later).await.unwrap().len(), 1);
        assert_eq!(store::count_personal_tokens(&mut tx, ada, now).await.unwrap(), 2);
        for (at, expected) in [(5, 5), (3, 5), (6, 6)] {
            store::touch_personal_token(&mut tx, first, now.plus_seconds(at)).await.unwrap();
            let found = store::personal_token(&mut tx, "one", now).await.unwrap().unwrap();
            assert_eq!(found.last_used_at, Some(now.plus_seconds(expected)));
        }
        assert_eq!(store::delete_personal_token(&mut tx, eve, first).await.unwrap(), None);
        assert_eq!(store::delete_personal_token(&mut tx, ada, first).await.unwrap().as_deref(), Some("Till"));
        assert_eq!(store::delete_expired_personal_tokens(&mut tx, later).await.unwrap(), 1);
        assert_eq!(store::count_personal_tokens(&mut tx, ada, now).await.unwrap(), 1);
    }

    async fn refresh_tokens_are_used_once_and_revoked_by_family(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let now = app.clock.now();
        let later = now.plus_seconds(10);
        let mut tx = app.db.begin().await.unwrap();
        for (family, hash) in [("f", "one"), ("f", "two"), ("g", "three")] {
            store::insert_refresh_token(&mut tx, &refresh_token(ada, family, hash, later), now).await.unwrap();
        }
        assert_eq!(store::refresh_token(&mut tx, "none").await.unwrap(), None);
        let one = store::refresh_token(&mut tx, "one").await.unwrap().unwrap();
        assert_eq!((one.user_id, one.family.as_str(), one.used_at), (ada, "f", None));
        assert_eq!((one.started_at, one.created_at), (Timestamp(7), now));
        assert!(store::use_refresh_token(&mut tx, one.id, now).await.unwrap());
        assert!(!store::use_refresh_token(&mut tx, one.id, now).await.unwrap());
        assert_eq!(store::refresh_token(&mut tx, "one").await.unwrap().unwrap().used_at, Some(now));

        assert!(store::revoke_family(&mut tx, "f", now).await.unwrap());
        assert!(!store::revoke_family(&mut tx, "f", now).await.unwrap());
        let two = store::refresh_token(&mut tx, "two").await.unwrap().unwrap();
        assert_eq!(two.revoked_at, Some(now));
        assert!(!store::use_refresh_token(&mut tx, two.id, now).await.unwrap());
        let three = store::refresh_token(&mut tx, "three").await.unwrap().unwrap();
        assert_eq!(three.revoked_at, None);
        // At the very moment of its end it is good no more.
        assert!(!store::use_refresh_token(&mut tx, three.id, later).await.unwrap());
        store::revoke_all(&mut tx, ada, now).await.unwrap();
        assert!(!store::use_refresh_token(&mut tx, three.id, now).await.unwrap());

        assert_eq!(store::delete_expired_tokens(&mut tx, now).await.unwrap(), 0);
        assert!(store::refresh_token(&mut tx, "one").await.unwrap().is_some());
        assert_eq!(store::delete_expired_tokens(&mut tx, later).await.unwrap(), 3);
        assert_eq!(store::refresh_token(&mut tx, "one").await.unwrap(), None);
    }

    async fn attempts_are_counted_within_a_window(app: TestApp) {
        let now = app.clock.now();
        let ends = now.plus_seconds(10);
        let mut tx = app.db.begin().await.unwrap();
        for expected in 1..=3 {
            let counted = store::count_attempt(&mut tx, "a", now, ends).await.unwrap();
            assert_eq!((counted.attempts, counted.window_ends_at), (expected, ends));
        }
        // Later attempts of the same window do not make it longer.
        let counted = store::count_attempt(&mut tx, "a", now.plus_seconds(9), now.plus_seconds(19)).await.unwrap();
        assert_eq!((counted.attempts, counted.window_ends_at), (4, ends));
        store::forgive_attempt(&mut tx, "a").await.unwrap();
        assert_eq!(store::count_attempt(&mut tx, "a", now, ends).await.unwrap().attempts, 4);
        let anew = store::count_attempt(&mut tx, "a", ends, ends.plus_seconds(10)).await.unwrap();
        assert_eq!((anew.attempts, anew.window_ends_at), (1, ends.plus_seconds(10)));
        for _ in 0..3 {
            store::forgive_attempt(&mut tx, "a").await.unwrap();
        }
        assert_eq!(store::count_attempt(&mut tx, "a", ends, ends).await.unwrap().attempts, 1);
        store::forgive_all(&mut tx, "a").await.unwrap();
        assert_eq!(store::count_attempt(&mut tx, "a", now, ends).await.unwrap().attempts, 1);

        store::count_attempt(&mut tx, "b", now, ends.plus_seconds(1)).await.unwrap();
        assert_eq!(store::delete_old_attempts(&mut tx, ends).await.unwrap(), 1);
        let left: Vec<(String,)> = Query::new("select name from throttles").fetch_all(&mut tx).await.unwrap();
        assert_eq!(left, [("b".to_owned(),)]);
    }

    async fn passwords_and_addresses_are_written(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        user(&app, "eve@example.com", Role::Customer).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::set_password(&mut tx, ada, "new hash", now).await.unwrap();
        assert!(!store::rehash(&mut tx, ada, "a hash", "better hash").await.unwrap());
        assert!(store::rehash(&mut tx, ada, "new hash", "better hash").await.unwrap());
        assert_eq!(store::password_hash(&mut tx, ada).await.unwrap().as_deref(), Some("better hash"));
        store::set_email(&mut tx, ada, &email("lovelace@example.com"), now).await.unwrap();
        let found = store::by_id(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!((found.email, found.email_verified_at), (email("lovelace@example.com"), Some(now)));
        let taken = store::set_email(&mut tx, ada, &email("eve@example.com"), now).await;
        assert!(taken.unwrap_err().is_unique());
    }

    async fn links_are_good_once_and_for_their_time(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let now = app.clock.now();
        let new = email("lovelace@example.com");
        let mut tx = app.db.begin().await.unwrap();
        store::insert_link(&mut tx, ada, Purpose::ChangeNew, &new, "a", now).await.unwrap();
        store::insert_link(&mut tx, ada, Purpose::Reset, &email("ada@example.com"), "b", now).await.unwrap();
        let link = store::link(&mut tx, Purpose::ChangeNew, "a", now).await.unwrap().unwrap();
        assert_eq!((link.user_id, &link.email), (ada, &new));
        assert_eq!(store::link(&mut tx, Purpose::Reset, "a", now).await.unwrap(), None);
        assert_eq!(store::link(&mut tx, Purpose::Reset, "c", now).await.unwrap(), None);
        let late = now.plus_seconds(Purpose::ChangeNew.lifetime());
        assert_eq!(store::link(&mut tx, Purpose::ChangeNew, "a", late).await.unwrap(), None);
        assert!(!store::use_link(&mut tx, link.id, late).await.unwrap());
        assert!(!store::is_confirmed(&mut tx, ada, Purpose::ChangeNew, &new, now).await.unwrap());
        assert!(store::use_link(&mut tx, link.id, now).await.unwrap());
        assert!(!store::use_link(&mut tx, link.id, now).await.unwrap());
        assert_eq!(store::link(&mut tx, Purpose::ChangeNew, "a", now).await.unwrap(), None);
        assert!(store::is_confirmed(&mut tx, ada, Purpose::ChangeNew, &new, now).await.unwrap());
        assert!(!store::is_confirmed(&mut tx, ada, Purpose::ChangeNew, &new, late).await.unwrap());
        store::void_links(&mut tx, ada, Purpose::ChangeNew).await.unwrap();
        assert!(!store::is_confirmed(&mut tx, ada, Purpose::ChangeNew, &new, now).await.unwrap());
        assert_eq!(store::delete_expired_links(&mut tx, now).await.unwrap(), 0);
        assert_eq!(store::delete_expired_links(&mut tx, late).await.unwrap(), 1);
    }

    async fn a_user_is_removed_with_what_is_theirs_alone(app: TestApp) {
        let ada = user(&app, "ada@example.com", Role::Customer).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::insert_link(&mut tx, ada, Purpose::Verify, &email("ada@example.com"), "a", now).await.unwrap();
        store::delete(&mut tx, ada).await.unwrap();
        assert_eq!(store::by_id(&mut tx, ada).await.unwrap(), None);
        assert_eq!(store::link(&mut tx, Purpose::Verify, "a", now).await.unwrap(), None);
    }
}
