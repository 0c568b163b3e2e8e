//! Checking the chain: whether each entry is what was written, and none is missing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chain::chain;
use super::erase::ERASED;
use crate::app::App;
use crate::audit::model::{Check, Head, Verdict};
use crate::audit::seal;
use crate::audit::store::{self, Record};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::jobs::Chore;

/// Entries that are read at once.
const LOT: i64 = 500;
/// How long a check is good for.
const GOOD_FOR_SECONDS: i64 = 24 * 3600;

/// Checks the chain once a day.
pub const VERIFY: Chore = Chore {
    name: "audit.verify",
    every: Duration::from_secs(3600),
    run: |app| Box::pin(async move { verify_daily(&app).await }),
};

async fn verify_daily(app: &App) -> Result<u64> {
    let state = store::state(&mut app.db.conn().await?).await?;
    let due = app.clock.now().plus_seconds(-GOOD_FOR_SECONDS);
    if state.check.is_some_and(|check| check.at > due) {
        return Ok(0);
    }
    let verdict = verify(app, None).await?;
    for finding in &verdict.findings {
        tracing::error!(finding, "the audit log was tampered with");
    }
    Ok(verdict.head.position.unsigned_abs())
}

/// Seals what is not sealed yet and walks the whole chain. With `noted`, an end that somebody
/// wrote down earlier, it is compared, too: whoever can write all of the database can make the
/// chain anew, but not what is noted elsewhere. What came out is kept, for the page of the log.
pub async fn verify(app: &App, noted: Option<&Head>) -> Result<Verdict> {
    match chain(app).await {
        // The walk comes to that entry, and names it.
        Err(Error::Conflict { .. }) => {}
        other => _ = other?,
    }
    let mut conn = app.db.conn().await?;
    let verdict = walk(&mut conn, noted).await?;
    drop(conn);
    let check = Check {
        at: app.clock.now(),
        position: verdict.head.position,
        finding: verdict.findings.join(" "),
    };
    let mut tx = app.db.begin().await?;
    store::set_check(&mut tx, &check).await?;
    tx.commit().await?;
    let broken = f64::from(u8::from(!verdict.findings.is_empty()));
    metrics::gauge!("zoco_audit_broken").set(broken);
    Ok(verdict)
}

async fn walk(conn: &mut Conn, noted: Option<&Head>) -> Result<Verdict> {
    let head = store::head(conn).await?;
    let mut walk = Walk {
        at: Head::start(),
        erased: 0,
        claims: BTreeMap::new(),
        noted,
    };
    let mut finding = walk.compare_noted();
    while finding.is_none() && walk.at.position < head.position {
        let records = store::chained_after(conn, walk.at.position, LOT).await?;
        if records.is_empty() {
            let (first, last) = (walk.at.position + 1, head.position);
            finding = Some(format!(
                "The entries from {first} to {last}, the last ones, are missing."
            ));
        }
        let known = records
            .into_iter()
            .take_while(|record| record.position <= head.position);
        let before = walk.at.position;
        for record in known {
            finding = walk.step(&record);
            if finding.is_some() {
                break;
            }
        }
        if finding.is_none() && walk.at.position == before {
            let next = before + 1;
            finding = Some(format!(
                "The entries from {next} to {}, the last ones, are missing.",
                head.position
            ));
        }
    }
    if finding.is_none() {
        finding = at_the_ends(conn, &walk, &head).await?;
    }
    Ok(Verdict {
        erased: walk.erased,
        findings: finding.into_iter().collect(),
        head,
    })
}

/// What a walk along the chain has seen.
struct Walk<'n> {
    /// How far it has come.
    at: Head,
    /// Entries with erased parts.
    erased: i64,
    /// Whose data were erased, with the first place where that is so.
    claims: BTreeMap<i64, i64>,
    noted: Option<&'n Head>,
}

impl Walk<'_> {
    /// Looks at the next entry; gives what is wrong with it.
    fn step(&mut self, record: &Record) -> Option<String> {
        let next = self.at.position + 1;
        if record.position > next {
            return Some(format!("The entry {next} is missing."));
        }
        let erased = match parts(record) {
            Ok(erased) => erased,
            Err(part) => return Some(altered(record, part)),
        };
        if seal::seal(&self.at.hash, next, record) != record.hash {
            return Some(altered(
                record,
                "it does not fit behind the entry before it",
            ));
        }
        for person in &erased {
            self.claims.entry(*person).or_insert(next);
        }
        self.erased += i64::from(!erased.is_empty());
        self.at.position = next;
        self.at.hash.clone_from(&record.hash);
        self.compare_noted()
    }

    /// Compares what was noted of the entry that was just seen.
    fn compare_noted(&self) -> Option<String> {
        let noted = self.noted?;
        if noted.position != self.at.position || noted.hash == self.at.hash {
            return None;
        }
        let place = noted.position;
        Some(format!(
            "The entry {place} is not what was noted: the chain was made anew."
        ))
    }
}

/// Whether the parts of an entry are what was committed to; gives whose data are erased from it.
/// Errors: what is not.
fn parts(record: &Record) -> std::result::Result<Vec<i64>, &'static str> {
    let mut erased = Vec::new();
    let who = (
        record.actor_name.is_empty() && record.address.is_empty(),
        record.actor_id,
    );
    let what = (
        record.before.is_empty() && record.after.is_empty(),
        record.person_id,
    );
    for (salt, committed, made, (empty, person), words) in [
        (
            &record.who_salt,
            &record.who_hash,
            seal::who(&record.who_salt, record),
            who,
            "its actor or address is another",
        ),
        (
            &record.what_salt,
            &record.what_hash,
            seal::what(&record.what_salt, record),
            what,
            "what it says was before or after is another",
        ),
    ] {
        if !salt.is_empty() {
            if made != *committed {
                return Err(words);
            }
        } else if let Some(person) = person.filter(|_| empty && record.erased_at.is_some()) {
            erased.push(person);
        } else {
            return Err(words);
        }
    }
    if erased.is_empty() && record.erased_at.is_some() {
        return Err("it is marked as erased and is not");
    }
    Ok(erased)
}

fn altered(record: &Record, why: &str) -> String {
    let (place, id) = (record.position, record.id);
    let (action, subject) = (&record.action, &record.subject);
    format!("The entry {place} (id {id}, {action} of {subject}) was altered: {why}.")
}

/// What is wrong at the ends of a chain whose entries fit: its head, entries outside of it, data
/// erased without an entry that tells of it, an end that was noted and is not reached.
async fn at_the_ends(conn: &mut Conn, walk: &Walk<'_>, head: &Head) -> Result<Option<String>> {
    if walk.at.hash != head.hash {
        let place = head.position;
        return Ok(Some(format!(
            "The end of the chain is not what seals the entry {place}."
        )));
    }
    if let Some(noted) = walk.noted.filter(|noted| noted.position > head.position) {
        let (place, last) = (noted.position, head.position);
        return Ok(Some(format!(
            "The entry {place} was noted, and the chain ends at {last}."
        )));
    }
    let (lowest, highest) = store::bounds(conn).await?;
    // Read after them: what was sealed meanwhile is not behind it.
    let last = store::head(conn).await?.position;
    if lowest < 1 || highest > last {
        let place = if lowest < 1 { lowest } else { highest };
        return Ok(Some(format!(
            "The entry {place} stands outside of the chain: it was added."
        )));
    }
    for (person, place) in &walk.claims {
        if !store::exists(conn, ERASED, &format!("user {person}")).await? {
            let finding = format!(
                "The data of user {person} are gone from the entry {place}, and no entry tells that they were erased."
            );
            return Ok(Some(finding));
        }
    }
    Ok(None)
}
