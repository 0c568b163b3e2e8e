//! `zoco rehearse sale`: a rush on the shop, on a copy of it. Many buyers want the few pieces of
//! one product at once; they pay at the test gateway, which tells of each payment several times;
//! the program is killed in the middle and started again; whoever got no answer asks again. At the
//! end everything is counted.

mod buyer;
mod program;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::admin;
use crate::app::App;
use crate::catalog::service::{ProductInput, create_product};
use crate::config::Config;
use crate::db;
use crate::jobs;
use crate::orders::{self, OrderFilter, OrderStatus, PaymentStatus};
use crate::types::{MoneyInput, PageRequest, VariantId};
use buyer::{Buyer, Outcome};
use program::Program;

/// Buyers that are at it at the same time.
const AT_ONCE: usize = 64;
/// The domain of their addresses, which RFC 2606 keeps for what is none.
const DOMAIN: &str = "rehearsal.example";
/// How often the end is waited for, and how long each time: for events on their way. A job whose
/// worker was killed is due again after two minutes, and may be killed once more.
const WAITS: usize = 720;
const WAIT: Duration = Duration::from_millis(500);

/// A rush.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    /// How many want one piece each.
    pub buyers: usize,
    /// How many pieces there are.
    pub units: i64,
    /// How often the program is killed.
    pub kills: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Pieces that were sold and paid.
    pub sold: i64,
    /// Buyers who were told that there is nothing left.
    pub refused: usize,
    /// Pieces that were sold and are not there.
    pub oversold: i64,
    /// Orders beyond one for each buyer, and money that was taken twice.
    pub duplicates: i64,
    /// Buyers who were told of an order that is not there, or who paid and have neither the order
    /// nor the money.
    pub lost: usize,
    /// Buyers who got no answer, or one that makes no sense.
    pub unanswered: Vec<String>,
    /// What `zoco doctor` found, and that buyers were refused what was there.
    pub findings: Vec<String>,
}

impl Report {
    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        let wrong = self.oversold != 0 || self.duplicates != 0 || self.lost != 0;
        !wrong && self.unanswered.is_empty() && self.findings.is_empty()
    }
}

/// Plays a sale on a copy of the shop that `config` names, which itself is only read.
pub async fn sale(config: &Config, sale: Sale) -> anyhow::Result<Report> {
    ensure!(
        sale.buyers > 0 && sale.units >= 0,
        "somebody must want something"
    );
    let folder = tempfile::tempdir().context("no folder for the copy")?;
    let name = format!("zoco_rehearsal_{}", std::process::id());
    let url = db::copy::copy(&config.database_url(), folder.path(), &name)
        .await
        .context("cannot copy the database; on PostgreSQL nobody else may be connected to it")?;
    let played = play(config, &url, folder.path(), sale).await;
    let dropped = db::copy::drop_copy(&url).await;
    let report = played?;
    dropped.context("cannot drop the copy")?;
    Ok(report)
}

async fn play(config: &Config, url: &str, folder: &Path, sale: Sale) -> anyhow::Result<Report> {
    let config = Config {
        database_url: url.to_owned(),
        data_dir: folder.join("data"),
        demo: false,
        ..config.clone()
    };
    let app = App::open(config).await?;
    let variant = put_on_sale(&app, sale.units).await?;
    let program = Arc::new(Program::start(&app.config, folder).await?);
    let done = Arc::new(AtomicUsize::new(0));
    let killer = tokio::spawn(kill_now_and_then(program.clone(), done.clone(), sale));
    let outcomes = let_them_buy(&program, &done, sale.buyers, variant).await;
    killer.await??;
    wait_for_the_end(&app).await?;
    program.stop().await?;
    let report = count(&app, sale, variant, &outcomes).await;
    app.db.close().await;
    report
}

/// A product of its own, so that nothing of the shop's is in the way.
async fn put_on_sale(app: &App, units: i64) -> anyhow::Result<VariantId> {
    let input = ProductInput {
        name: Some(format!("Rehearsal {}", app.rng.readable(6))),
        price: Some(MoneyInput::new("10")),
        stock: Some(units),
        ..ProductInput::default()
    };
    let product = create_product(app, &app.system(), input).await;
    let product = product.map_err(|error| anyhow::anyhow!("no product for the sale: {error}"))?;
    let variant = product
        .variants
        .first()
        .context("a product without a variant")?;
    Ok(variant.id)
}

async fn let_them_buy(
    program: &Arc<Program>,
    done: &Arc<AtomicUsize>,
    buyers: usize,
    variant: VariantId,
) -> Vec<(usize, Outcome)> {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..buyers {
        let (program, done, seats) = (program.clone(), done.clone(), seats.clone());
        tasks.spawn(async move {
            let seat = seats.acquire().await;
            let outcome = match Buyer::new(number, &program) {
                Ok(buyer) => buyer.buy(variant).await,
                Err(error) => Outcome::Unanswered(error.to_string()),
            };
            drop(seat);
            done.fetch_add(1, Ordering::Relaxed);
            (number, outcome)
        });
    }
    tasks.join_all().await
}

/// Kills the program each time a further share of the buyers is through, and starts it again.
async fn kill_now_and_then(
    program: Arc<Program>,
    done: Arc<AtomicUsize>,
    sale: Sale,
) -> anyhow::Result<()> {
    for kill in 1..=sale.kills {
        let share = sale.buyers * kill / (sale.kills + 1);
        while done.load(Ordering::Relaxed) < share {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        program.kill_and_start_again().await?;
    }
    Ok(())
}

/// Waits until no event and no job is left. Errors: it does not end.
async fn wait_for_the_end(app: &App) -> anyhow::Result<()> {
    for _ in 0..WAITS {
        let backlog = jobs::backlog(app).await;
        let (waiting, dead) = backlog.map_err(|error| anyhow::anyhow!("{error}"))?;
        ensure!(dead == 0, "{dead} jobs failed for good");
        if waiting == 0 {
            return Ok(());
        }
        tokio::time::sleep(WAIT).await;
    }
    anyhow::bail!("events are still on their way")
}

/// Counts what the books say, and compares it with what the buyers were told.
async fn count(
    app: &App,
    sale: Sale,
    variant: VariantId,
    outcomes: &[(usize, Outcome)],
) -> anyhow::Result<Report> {
    let failed = |error: crate::error::Error| anyhow::anyhow!("cannot count: {error}");
    let system = app.system();
    let mut report = Report::default();
    let mut of_buyer: HashMap<String, Vec<String>> = HashMap::new();
    let mut found = HashMap::new();
    let filter = OrderFilter {
        search: DOMAIN.to_owned(),
        ..OrderFilter::default()
    };
    let mut next = Some(1);
    while let Some(number) = next {
        let page = PageRequest::new(number, PageRequest::MAX_PER_PAGE);
        let page = orders::service::list(app, &system, &filter, page)
            .await
            .map_err(failed)?;
        for head in &page.items {
            let order = orders::service::order(app, &system, &head.number)
                .await
                .map_err(failed)?;
            let numbers = of_buyer.entry(order.email.to_string()).or_default();
            numbers.push(order.number.clone());
            let paid = matches!(
                order.payment_status,
                PaymentStatus::Paid | PaymentStatus::Authorized
            );
            if paid && order.status != OrderStatus::Cancelled {
                let lines = order.lines.iter().filter(|line| line.variant_id == variant);
                report.sold += lines.map(|line| line.quantity).sum::<i64>();
            }
            let kept = order
                .payments
                .iter()
                .map(|one| one.captured.minor() - one.refunded.minor());
            if kept.sum::<i64>() > order.total.minor() {
                report.duplicates += 1;
            }
            found.insert(order.number.clone(), order);
        }
        next = page.next();
    }
    let beyond = of_buyer.values().map(|numbers| numbers.len() as i64 - 1);
    report.duplicates += beyond.sum::<i64>();
    report.oversold = (report.sold - sale.units).max(0);
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Refused => report.refused += 1,
            Outcome::Unanswered(words) => report.unanswered.push(words.clone()),
            Outcome::Ordered { number, paid } => {
                let order = found.get(number);
                let settled = order
                    .is_some_and(|order| !paid || order.payment_status != PaymentStatus::Unpaid);
                report.lost += usize::from(!settled);
            }
        }
    }
    let findings = admin::service::examine(app).await.map_err(failed)?;
    report.findings = findings.iter().map(ToString::to_string).collect();
    let wanted = i64::try_from(sale.buyers).unwrap_or(i64::MAX);
    let wanted = wanted.min(sale.units);
    if report.unanswered.is_empty() && report.sold < wanted {
        let words = format!("{} of {wanted} pieces were sold", report.sold);
        report.findings.push(words);
    }
    Ok(report)
}
