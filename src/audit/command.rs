//! `zoco audit verify`: the check of the chain, for a terminal.

use super::model::Head;
use super::service;
use crate::app::App;

/// Checks the chain and prints its end, to be noted down. Errors: it is broken.
pub async fn verify(app: &App, noted: Option<&Head>) -> anyhow::Result<()> {
    let verdict = service::verify(app, noted).await?;
    for finding in &verdict.findings {
        println!("{finding}");
    }
    anyhow::ensure!(
        verdict.findings.is_empty(),
        "the audit log is not what was written"
    );
    let count = verdict.head.position;
    println!("{count} entries are as they were written");
    if verdict.erased > 0 {
        println!("personal data were erased from {} of them", verdict.erased);
    }
    println!("note this down elsewhere: {}", verdict.head);
    Ok(())
}
