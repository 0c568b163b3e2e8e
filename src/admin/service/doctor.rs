//! The books: what is counted, compared with what it is counted from; for `zoco doctor`, for the
//! figures, and brought into balance where that can be.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::audit;
use crate::catalog::service::IndexDifference;
use crate::error::Result;
use crate::jobs::Chore;
use crate::{catalog, credit, inventory, orders, payments, promotions, reviews};

/// What is counted, as `/metrics` calls it. Beside it the doctor looks at the `audit log`, which
/// has a figure and a chore of its own.
pub const AREAS: [&str; 7] = [
    "stock",
    "promotions",
    "credit",
    "ratings",
    "search",
    "orders",
    "payments",
];

/// Looks now and then, for the figures: at all that is counted, but not at the audit log, which
/// is long, and which a chore of its own reads once a day.
pub const WATCH: Chore = Chore {
    name: "admin.examine",
    every: Duration::from_secs(600),
    run: |app| Box::pin(async move { watch(&app).await }),
};

/// Something that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// One of [`AREAS`], or `audit log`.
    pub area: &'static str,
    /// What, in a sentence.
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.area, self.words)
    }
}

/// Compares what is counted with what it is counted from, and reads the whole audit log, which
/// takes its time. Gives each imbalance; none when the books are right.
pub async fn examine(app: &App) -> Result<Vec<Finding>> {
    let mut findings = compare(app).await?;
    let verdict = audit::service::verify(app, None).await?;
    findings.extend(verdict.findings.into_iter().map(|words| Finding {
        area: "audit log",
        words,
    }));
    Ok(findings)
}

/// Compares what is counted with what it is counted from.
async fn compare(app: &App) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut found = |area, words| findings.push(Finding { area, words });
    let mut conn = app.db.conn().await?;
    for one in inventory::service::imbalances(&mut conn).await? {
        let words = format!(
            "variant {} has {} on the shelf, its ledger says {}",
            one.variant_id, one.on_hand, one.ledger
        );
        found("stock", words);
    }
    for one in inventory::service::reserved_imbalances(&mut conn).await? {
        let words = format!(
            "variant {} has {} reserved, its reservations say {}",
            one.variant_id, one.reserved, one.reservations
        );
        found("stock", words);
    }
    for words in orders::service::idle_holds(&mut conn).await? {
        found("stock", words);
    }
    for one in promotions::service::imbalances(&mut conn).await? {
        let words = format!(
            "{} counts {} uses, its redemptions are {}",
            one.what, one.uses, one.redemptions
        );
        found("promotions", words);
    }
    for one in credit::service::imbalances(&mut conn).await? {
        let words = format!(
            "account {} has {} minor units left, its ledger says {}",
            one.account_id, one.balance, one.entries
        );
        found("credit", words);
    }
    for one in reviews::service::imbalances(&mut conn).await? {
        let ((kept, kept_count), (stars, count)) = (one.kept, one.counted);
        let words = format!(
            "product {} has {kept} stars in {kept_count} reviews, its reviews say {stars} in {count}",
            one.product_id
        );
        found("ratings", words);
    }
    for words in orders::service::imbalances(&mut conn, app.clock.now()).await? {
        found("orders", words);
    }
    for one in orders::service::money_imbalances(&mut conn).await? {
        let (number, kept, derived) = (one.number, one.kept, one.derived);
        found(
            "orders",
            format!("{number} is {kept}, its payments say {derived}"),
        );
    }
    for one in payments::service::imbalances(&mut conn).await? {
        let words = format!(
            "{} minor units of payment {} went back, its refunds say {}",
            one.refunded, one.payment_id, one.operations
        );
        found("payments", words);
    }
    drop(conn);
    for one in catalog::service::compare_index(app).await? {
        let words = match one {
            IndexDifference::Missing(id) => format!("product {id} is not in the index"),
            IndexDifference::Surplus(id) => {
                format!("the index has product {id}, which is no more")
            }
            IndexDifference::Stale(id) => format!("the index has another version of product {id}"),
        };
        found("search", words);
    }
    Ok(findings)
}

/// Brings what can be counted anew into balance: writes the entries that a ledger lacks, counts
/// what is a count, frees stock that is held for nothing. Gives a sentence for each thing that it did, which the audit log keeps. What
/// says something about money or about the past is left to people.
pub async fn repair(app: &App) -> Result<Vec<String>> {
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    let mut done = inventory::service::repair(&mut tx, &ctx).await?;
    done.extend(orders::service::free_idle_holds(&mut tx, &ctx).await?);
    done.extend(promotions::service::repair(&mut tx).await?);
    done.extend(reviews::service::repair(&mut tx).await?);
    if !done.is_empty() {
        let after = json!({ "repaired": done });
        audit::record(&mut tx, &ctx, "books.repaired", "books", Value::Null, after).await?;
    }
    tx.commit().await?;
    if !catalog::service::compare_index(app).await?.is_empty() {
        catalog::service::remake_index(app).await?;
        done.push("search: the index was made anew".to_owned());
    }
    Ok(done)
}

/// Sets the figures; gives how many imbalances there are, apart from the audit log.
pub async fn watch(app: &App) -> Result<u64> {
    let mut counts: BTreeMap<&str, u32> = AREAS.iter().map(|area| (*area, 0)).collect();
    let findings = compare(app).await?;
    for finding in &findings {
        *counts.entry(finding.area).or_default() += 1;
        tracing::warn!(
            area = finding.area,
            words = finding.words,
            "the books are not balanced"
        );
    }
    for (area, count) in counts {
        metrics::gauge!("zoco_imbalances", "area" => area).set(f64::from(count));
    }
    Ok(findings.len() as u64)
}
