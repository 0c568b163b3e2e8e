//! Entries of the audit log, what they are looked for by, and the chain that they stand in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::types::{Timestamp, UserId, text_enum};

/// One change, as it was written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// Its place in the chain, from 1; none until the chain has come to it.
    pub position: Option<i64>,
    /// What seals it, 64 hexadecimal digits; empty without a place.
    pub hash: String,
    /// When it happened.
    pub at: Timestamp,
    /// What was done: `product.updated`.
    pub action: String,
    /// What it was done to: `product 12`.
    pub subject: String,
    /// What was before, of what changed; null for nothing.
    pub before: Value,
    /// What is after, of what changed; null for nothing.
    pub after: Value,
    /// Who did it; none for the shop itself and for guests.
    pub actor: Option<UserId>,
    /// What they were called then; empty once it is erased.
    pub actor_name: String,
    /// Where they were; empty where that is not known.
    pub address: String,
    /// When personal data were erased from it.
    pub erased_at: Option<Timestamp>,
}

impl Entry {
    /// What changed, field by field; fields within fields are named `variants.12.price`.
    pub fn differences(&self) -> Vec<Difference> {
        let mut fields: BTreeMap<String, [String; 2]> = BTreeMap::new();
        for (side, value) in [&self.before, &self.after].into_iter().enumerate() {
            flatten("", value, &mut |name, text| {
                fields.entry(name).or_default()[side] = text;
            });
        }
        fields
            .into_iter()
            .filter(|(_, [old, new])| old != new)
            .map(|(field, [old, new])| Difference { field, old, new })
            .collect()
    }
}

/// Calls `take` with the name and the words of each field.
fn flatten(name: &str, value: &Value, take: &mut impl FnMut(String, String)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                let name = match name {
                    "" => field.clone(),
                    name => format!("{name}.{field}"),
                };
                flatten(&name, value, take);
            }
        }
        value => take(name.to_owned(), words(value)),
    }
}

/// A value as people read it; empty for nothing.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            items.iter().map(words).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name; empty when the whole is one value.
    pub field: String,
    /// What it was; empty for nothing.
    pub old: String,
    /// What it is; empty for nothing.
    pub new: String,
}

/// What entries are looked for by; all of it must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that stand in subject, actor, action or address, each in any of them.
    pub search: String,
    /// This subject exactly: `product 12`.
    pub subject: String,
    /// This action exactly: `product.updated`.
    pub action: String,
    /// Who did it.
    pub who: Option<Who>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The user with this id.
    Id(UserId),
    /// Somebody whose name has these letters in it.
    Named(String),
}

impl Who {
    /// Of what somebody typed: a number, or a part of a name; none for nothing.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(id) => Some(Self::Id(UserId(id))),
            Err(_) if text.is_empty() => None,
            Err(_) => Some(Self::Named(text.to_owned())),
        }
    }
}

/// A day in UTC (`2026-11-24`) or a moment (RFC 3339), as the bound of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This day, given by its first moment.
    Day(Timestamp),
    /// This moment.
    Moment(Timestamp),
}

impl When {
    /// Where a search begins that is to begin with it.
    pub fn begins(self) -> Timestamp {
        match self {
            Self::Day(at) | Self::Moment(at) => at,
        }
    }

    /// Before what a search ends that is to end with it.
    pub fn ends(self) -> Timestamp {
        match self {
            Self::Day(first) => first.plus_seconds(24 * 3600),
            Self::Moment(at) => Timestamp(at.0.saturating_add(1)),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let day = Timestamp::parse(&format!("{text}T00:00:00Z")).map(Self::Day);
        day.or_else(|| Timestamp::parse(text).map(Self::Moment))
            .ok_or_else(|| "neither a day nor a moment".to_owned())
    }
}

/// An end of the chain: how many entries it has, and what seals the last of them, and with it
/// all. Written and read as `POSITION:HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The place of the last entry; 0 for none.
    pub position: i64,
    /// What seals it, 64 hexadecimal digits.
    pub hash: String,
}

impl Head {
    /// The end of a chain without entries.
    pub fn start() -> Self {
        Self {
            position: 0,
            hash: "0".repeat(64),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it as verify printed it: POSITION:HASH".to_owned();
        let (position, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        let position = position.parse().map_err(|_| wrong())?;
        let digits = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if position < 0 || !digits {
            return Err(wrong());
        }
        Ok(Self {
            position,
            hash: hash.to_ascii_lowercase(),
        })
    }
}

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its end.
    pub head: Head,
    /// Entries that it has not come to yet.
    pub waiting: i64,
    /// Its last check; none when there was none.
    pub check: Option<Check>,
}

/// What a check of the chain came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// When.
    pub at: Timestamp,
    /// How many entries there were.
    pub position: i64,
    /// What was wrong; empty for nothing.
    pub finding: String,
}

/// What a check of the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The end of the chain, to be noted down elsewhere.
    pub head: Head,
    /// Entries whose personal data were erased, as they may be.
    pub erased: i64,
    /// What is wrong, a sentence each; the first entry that does not fit, and what it hides from
    /// sight is not looked for. Empty for nothing.
    pub findings: Vec<String>,
}

/// What the log is exported as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for spreadsheets.
    #[default]
    Csv,
    /// A JSON object a line.
    Jsonl,
}
text_enum!(Format { Csv => "csv", Jsonl => "jsonl" });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(before: Value, after: Value) -> Entry {
        Entry {
            id: 1,
            position: None,
            hash: String::new(),
            at: Timestamp(0),
            action: "product.updated".to_owned(),
            subject: "product 1".to_owned(),
            before,
            after,
            actor: None,
            actor_name: "The shop".to_owned(),
            address: String::new(),
            erased_at: None,
        }
    }

    #[test]
    fn differences_are_told_by_field() {
        let told = |before, after| -> Vec<String> {
            let told = entry(before, after).differences();
            let line = |one: &Difference| format!("{}: {} → {}", one.field, one.old, one.new);
            told.iter().map(line).collect()
        };
        let before =
            json!({"name": "Mug", "variants": {"7": {"price": "5.00", "active": true}}, "same": 1});
        let after = json!({"name": "Cup", "variants": {"7": {"price": "6.00", "active": false}}, "tags": ["a", "b"], "same": 1});
        assert_eq!(
            told(before, after),
            [
                "name: Mug → Cup",
                "tags:  → a, b",
                "variants.7.active: yes → no",
                "variants.7.price: 5.00 → 6.00",
            ]
        );
        assert_eq!(
            told(Value::Null, json!({"role": "admin"})),
            ["role:  → admin"]
        );
        assert_eq!(told(json!("old"), Value::Null), [": old → "]);
        assert_eq!(told(Value::Null, json!([{"a": 1}])), [":  → [{\"a\":1}]"]);
        assert_eq!(told(json!({}), Value::Null), Vec::<String>::new());
    }

    #[test]
    fn bounds_are_days_or_moments() {
        let day: When = "2026-11-24".parse().unwrap();
        assert_eq!(day.begins().rfc3339(), "2026-11-24T00:00:00Z");
        assert_eq!(day.ends().rfc3339(), "2026-11-25T00:00:00Z");
        let moment: When = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(moment.ends().0, moment.begins().0 + 1);
        assert!("yesterday".parse::<When>().is_err());
    }

    #[test]
    fn an_end_is_read_as_it_is_written() {
        let head = Head {
            position: 41,
            hash: "ab".repeat(32),
        };
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!(head.to_string().to_uppercase().parse(), Ok(head));
        for wrong in [
            "",
            "41",
            "41:",
            "-1:",
            "x:00",
            &format!("41:{}", "g".repeat(64)),
        ] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }
}
