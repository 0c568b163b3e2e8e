//! Writing entries, in the transaction of the change that they tell of.

use serde_json::{Map, Value};

use crate::audit::store::{self, NewEntry};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::types::UserId;

/// What changed of one thing. Never pass secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What was changed: `product 12`.
    pub subject: String,
    /// What was before, null for nothing.
    pub before: Value,
    /// What is after, null for nothing.
    pub after: Value,
}

/// Writes an entry. `action`: `product.updated`; `subject`: `product 12`; `before` and `after`:
/// null where there was or is nothing. Of two objects only the fields that differ are kept.
///
/// Never pass secrets. Names, addresses and the like of somebody may stand in `before` and
/// `after` only when the subject is that person (`user 12`), or with [`record_about`]: they are
/// erased when the person asks for it.
pub async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    subject: &str,
    before: Value,
    after: Value,
) -> Result<()> {
    let change = Change {
        subject: subject.to_owned(),
        before,
        after,
    };
    record_all(tx, ctx, action, &[change]).await
}

/// Like [`record`], where `before` and `after` hold what belongs to this person, such as what
/// they wrote.
pub async fn record_about(
    tx: &mut Tx,
    ctx: &Ctx,
    person: UserId,
    action: &str,
    change: Change,
) -> Result<()> {
    write(tx, ctx, action, &[change], Some(person)).await
}

/// Like [`record`], for many things that one action changed, in one statement for a thousand of
/// them.
pub async fn record_all(tx: &mut Tx, ctx: &Ctx, action: &str, changes: &[Change]) -> Result<()> {
    write(tx, ctx, action, changes, None).await
}

async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    changes: &[Change],
    person: Option<UserId>,
) -> Result<()> {
    let actor_name = ctx.actor_name();
    let address = ctx.address.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let entry = |change: &'_ Change| {
        let [before, after] = narrowed(&change.before, &change.after);
        (before, after, person.or_else(|| person_of(&change.subject)))
    };
    let narrow: Vec<_> = changes.iter().map(entry).collect();
    let entries: Vec<NewEntry<'_>> = changes
        .iter()
        .zip(narrow)
        .map(|(change, (before, after, person))| NewEntry {
            action,
            subject: &change.subject,
            before,
            after,
            actor: ctx.user_id(),
            actor_name: &actor_name,
            address: &address,
            person,
        })
        .collect();
    Ok(store::insert(tx, &entries, ctx.now).await?)
}

/// The person that a subject is: 12 for `user 12`.
fn person_of(subject: &str) -> Option<UserId> {
    subject.strip_prefix("user ")?.parse().ok()
}

/// Before and after as JSON, of two objects only what differs; empty for nothing.
fn narrowed(before: &Value, after: &Value) -> [String; 2] {
    let text = |value: &Value| {
        if value.is_null() {
            String::new()
        } else {
            value.to_string()
        }
    };
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let (before, after) = differing(before, after);
            [text(&before.into()), text(&after.into())]
        }
        (before, after) => [text(before), text(after)],
    }
}

/// The fields of two objects that differ, and of objects within them the same.
fn differing(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut old, mut new) = (Map::new(), Map::new());
    for (name, was) in before {
        match (was, after.get(name)) {
            (Value::Object(was), Some(Value::Object(is))) => {
                let (was_only, is_only) = differing(was, is);
                if was != is {
                    old.insert(name.clone(), was_only.into());
                    new.insert(name.clone(), is_only.into());
                }
            }
            (was, Some(is)) if was == is => {}
            (was, is) => {
                old.insert(name.clone(), was.clone());
                new.extend(is.map(|is| (name.clone(), is.clone())));
            }
        }
    }
    let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
    new.extend(added.map(|(name, is)| (name.clone(), is.clone())));
    (old, new)
}

#[cfg(test)]
mod tests {
    use super::{narrowed, person_of};
    use crate::types::UserId;
    use serde_json::{Value, json};

    #[test]
    fn only_what_differs_is_kept() {
        let before = json!({"name": "Mug", "tags": ["a"], "variants": {"1": {"price": "5", "sku": "A"}, "2": {"price": "6"}}, "gone": 1});
        let after = json!({"name": "Mug", "tags": ["b"], "variants": {"1": {"price": "7", "sku": "A"}, "2": {"price": "6"}}, "new": null});
        let [old, new] =
            narrowed(&before, &after).map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(
            old,
            json!({"gone": 1, "tags": ["a"], "variants": {"1": {"price": "5"}}})
        );
        assert_eq!(
            new,
            json!({"new": null, "tags": ["b"], "variants": {"1": {"price": "7"}}})
        );
        assert_eq!(narrowed(&before, &before), ["{}", "{}"]);
        let [old, new] = narrowed(&Value::Null, &json!({"a": 1}));
        assert_eq!((old.as_str(), new.as_str()), ("", r#"{"a":1}"#));
    }

    #[test]
    fn a_user_is_a_person() {
        assert_eq!(person_of("user 12"), Some(UserId(12)));
        assert_eq!(person_of("product 12"), None);
        assert_eq!(person_of("user x"), None);
    }
}
