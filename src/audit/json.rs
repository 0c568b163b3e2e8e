//! An entry as the API and the export write it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::model::Entry;
use crate::types::Timestamp;

/// One change.
#[derive(Serialize, ToSchema)]
pub struct EntryJson {
    /// Its id.
    pub id: i64,
    /// Its place in the chain, from 1; null for some seconds.
    pub position: Option<i64>,
    /// What seals it and all entries before it, 64 hexadecimal digits; null without a place.
    pub hash: Option<String>,
    /// When it happened.
    pub at: String,
    /// What was done.
    #[schema(example = "product.updated")]
    pub action: String,
    /// What it was done to.
    #[schema(example = "product 12")]
    pub subject: String,
    /// Who did it; null for the shop itself and for guests.
    pub actor_id: Option<i64>,
    /// What they were called then; empty once it is erased.
    pub actor: String,
    /// Where they were; empty where that is not known.
    pub address: String,
    /// What was before, of what changed; null for nothing.
    #[schema(value_type = Option<Object>, required = true)]
    pub before: Value,
    /// What is after, of what changed; null for nothing.
    #[schema(value_type = Option<Object>, required = true)]
    pub after: Value,
    /// When personal data were erased from it; null for never.
    pub erased_at: Option<String>,
}

impl From<Entry> for EntryJson {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            position: entry.position,
            hash: Some(entry.hash).filter(|hash| !hash.is_empty()),
            at: entry.at.rfc3339(),
            action: entry.action,
            subject: entry.subject,
            actor_id: entry.actor.map(|actor| actor.0),
            actor: entry.actor_name,
            address: entry.address,
            before: entry.before,
            after: entry.after,
            erased_at: entry.erased_at.map(Timestamp::rfc3339),
        }
    }
}
