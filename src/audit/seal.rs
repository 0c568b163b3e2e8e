//! What an entry of the chain is sealed with: SHA-256 over all that it says.
//!
//! Personal data must be able to go one day, so the seal does not cover them themselves but two
//! commitments: one to the actor's name and address, one to before and after. A commitment is a
//! hash over a random salt and the texts. Where the texts are erased, their salt is erased with
//! them: the commitment stays, the chain holds, and nobody can guess the texts out of it.

use sha2::{Digest, Sha256};

use super::store::Record;

/// The seal of an entry at `position` behind an entry with the seal `previous`.
pub fn seal(previous: &str, position: i64, record: &Record) -> String {
    let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    digest(&[
        "zoco audit entry 1",
        previous,
        &position.to_string(),
        &record.id.to_string(),
        &record.action,
        &record.subject,
        &id(record.actor_id),
        &id(record.person_id),
        &record.created_at.0.to_string(),
        &record.who_hash,
        &record.what_hash,
    ])
}

/// The commitment to who did it.
pub fn who(salt: &str, record: &Record) -> String {
    let (name, address) = (&record.actor_name, &record.address);
    digest(&["zoco audit who 1", salt, name, address])
}

/// The commitment to what was before and is after.
pub fn what(salt: &str, record: &Record) -> String {
    digest(&["zoco audit what 1", salt, &record.before, &record.after])
}

/// 64 hexadecimal digits. Each text is preceded by its length, so that no two lists of texts are
/// taken for each other.
fn digest(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_boundary_between_texts_is_a_part_of_what_is_hashed() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a", ""]), digest(&["a"]));
        assert_eq!(digest(&["a", "b"]).len(), 64);
    }
}
