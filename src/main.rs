//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::normalize_path::NormalizePathLayer;
use zoco::app::App;
use zoco::config::{Config, Overrides, Switch};
use zoco::imports::{Format, command as import};
use zoco::rehearse::{self, Sale};
use zoco::types::ImportId;
use zoco::web::server::Bounds;
use zoco::{accounts, admin, audit, catalog, demo, jobs, routes, web};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often figures are condensed; without it each measured request would stay in memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// A whole web shop in one program.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Overrides,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop; what is done without a command
    Serve {
        /// Leave mails and other jobs to `zoco worker` processes
        #[arg(long)]
        no_worker: bool,
    },
    /// Run jobs only
    Worker,
    /// Bring the database schema up to date
    Migrate,
    /// Fill an empty shop with the demo catalog
    Seed,
    /// Make an admin, or make an existing user one; the password is read from standard input
    CreateAdmin {
        /// Their e-mail
        email: String,
    },
    /// Take the second factor of somebody away who lost it
    ResetTwoFactor {
        /// Their e-mail
        email: String,
    },
    /// Make a new key for access tokens; those that are out stay good until they run out
    RotateKeys,
    /// Compare what is counted with what it is counted from; fails when anything differs
    Doctor {
        /// Count anew what is a count, and write the entries that a ledger lacks; says what it did
        #[arg(long)]
        repair: bool,
    },
    /// Try out what would happen, on a copy of the shop
    Rehearse {
        #[command(subcommand)]
        command: RehearseCommand,
    },
    /// Look after the log of who changed what
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Compare a CSV file of products (Shopify's, WooCommerce's, our own) with the catalog; fails
    /// when a row is wrong
    Import {
        /// The file
        #[arg(required_unless_present = "revert")]
        file: Option<PathBuf>,
        /// Write what differs, and fetch the pictures
        #[arg(long)]
        apply: bool,
        /// Put back what an import wrote; takes its number
        #[arg(long, conflicts_with_all = ["file", "apply"])]
        revert: Option<i64>,
    },
    /// Print all products as CSV
    Export {
        /// Whose CSV it is to be: zoco, shopify or woocommerce
        #[arg(long, default_value = "zoco")]
        format: Format,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running shop, at the address of the settings, whether it is ready
    Health,
}

#[derive(Subcommand)]
enum RehearseCommand {
    /// Many want the few pieces of one product at once, while gateways repeat themselves and the
    /// program is killed; prints what was sold, refused, oversold, doubled and lost
    Sale {
        /// How many want one piece each
        #[arg(long, default_value_t = 500)]
        buyers: usize,
        /// How many pieces there are
        #[arg(long, default_value_t = 20)]
        units: i64,
        /// How often the program is killed
        #[arg(long, default_value_t = 3)]
        kills: usize,
    },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Check that no entry was altered, removed or added; fails when one was
    Verify {
        /// An end of the chain that this command printed earlier, as POSITION:HASH: tells whether
        /// somebody made the whole chain anew
        #[arg(long)]
        noted: Option<audit::Head>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("zoco: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zoco: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let config = Config::load(cli.settings)?;
    let command = cli.command.unwrap_or(Command::Serve { no_worker: false });
    match command {
        Command::Serve { no_worker } => serve(config, !no_worker).await,
        Command::Worker => {
            let stop = stop_signal()?;
            work(App::open(config).await?, stop).await;
            Ok(())
        }
        Command::Migrate => {
            App::open(config).await?;
            println!("the database is up to date");
            Ok(())
        }
        Command::Seed => {
            let app = App::open(config).await?;
            let filled = demo::fill(&app).await?;
            println!(
                "{}",
                if filled {
                    "the demo catalog is in"
                } else {
                    "there are products already"
                }
            );
            Ok(())
        }
        Command::CreateAdmin { email } => {
            let app = App::open(config).await?;
            let mut password = String::new();
            std::io::stdin()
                .read_line(&mut password)
                .context("no password on standard input")?;
            let user = accounts::service::create_admin(
                &app,
                &email,
                password.trim_end_matches(['\r', '\n']),
            )
            .await?;
            println!("{} is an admin", user.email);
            Ok(())
        }
        Command::ResetTwoFactor { email } => {
            let app = App::open(config).await?;
            let had = accounts::service::reset_two_factor(&app, &email)
                .await
                .context("nobody has this e-mail")?;
            println!(
                "{}",
                if had {
                    "they sign in with their password alone from now on"
                } else {
                    "they had no second factor"
                }
            );
            Ok(())
        }
        Command::RotateKeys => {
            accounts::service::rotate_keys(&App::open(config).await?).await?;
            println!("access tokens are signed with a new key");
            Ok(())
        }
        Command::Doctor { repair } => {
            let app = App::open(config).await?;
            if repair {
                for done in admin::service::repair(&app).await? {
                    println!("repaired {done}");
                }
            }
            examine(&app).await
        }
        Command::Rehearse { command } => {
            let RehearseCommand::Sale {
                buyers,
                units,
                kills,
            } = command;
            rehearse_sale(
                &config,
                Sale {
                    buyers,
                    units,
                    kills,
                },
            )
            .await
        }
        Command::Audit { command } => {
            let AuditCommand::Verify { noted } = command;
            audit::command::verify(&App::open(config).await?, noted.as_ref()).await
        }
        Command::Import {
            file,
            apply,
            revert,
        } => {
            let app = App::open(config).await?;
            match (file, revert) {
                (Some(file), _) => import::file(&app, &file, apply).await,
                (None, Some(id)) => import::revert(&app, ImportId(id)).await,
                (None, None) => anyhow::bail!("name a file, or an import to put back"),
            }
        }
        Command::Export { format } => import::export(&App::open(config).await?, format).await,
        Command::Openapi => {
            println!("{}", routes::openapi().to_pretty_json()?);
            Ok(())
        }
        Command::Health => ask_health(config.listen).await,
    }
}

/// Prints each imbalance of the books. Errors: there is one.
async fn examine(app: &App) -> anyhow::Result<()> {
    let findings = admin::service::examine(app).await?;
    for finding in &findings {
        println!("{finding}");
    }
    anyhow::ensure!(findings.is_empty(), "{} imbalances", findings.len());
    println!("the books are balanced");
    Ok(())
}

/// Plays a sale and prints what came of it. Errors: something went wrong in it.
async fn rehearse_sale(config: &Config, sale: Sale) -> anyhow::Result<()> {
    let report = rehearse::sale(config, sale).await?;
    println!("sold {}", report.sold);
    println!("refused {}", report.refused);
    println!("oversold {}", report.oversold);
    println!("duplicates {}", report.duplicates);
    println!("lost {}", report.lost);
    for words in report.unanswered.iter().chain(&report.findings) {
        println!("{words}");
    }
    anyhow::ensure!(report.is_clean(), "the rehearsal failed");
    Ok(())
}

async fn serve(mut config: Config, with_worker: bool) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    config.listening_on(listener.local_addr()?);
    tokio::spawn(keep_figures_small());
    let app = tokio::select! {
        app = open_shop(config) => app?,
        () = stop.cancelled() => return Ok(()),
    };
    // Each instance that serves has an index of its own.
    let follower = catalog::service::follow_index(app.clone(), stop.clone());
    let follower = tokio::spawn(follower);
    let worker = with_worker.then(|| tokio::spawn(work(app.clone(), stop.clone())));
    // A trailing slash makes no difference.
    let service = NormalizePathLayer::trim_trailing_slash().layer(routes::router(app.clone()));
    web::server::serve(listener, service, Bounds::new(&app.config), stop).await;
    follower.await?;
    if let Some(worker) = worker {
        worker.await?;
    }
    app.db.close().await;
    Ok(())
}

/// Opens the shop, makes what a new one needs, and says where it is.
async fn open_shop(config: Config) -> anyhow::Result<App> {
    let app = App::open(config).await?;
    if app.config.rate_limits == Switch::Off {
        tracing::warn!("rate limits are off: anybody may guess passwords as fast as they can");
    }
    let first_admin = accounts::service::ensure_admin(&app).await?;
    if app.config.demo && demo::fill(&app).await? {
        tracing::info!("an empty shop was filled with the demo catalog");
    }
    println!("shop: {}", app.config.base_url);
    println!("listening on {}", app.config.listen);
    if let Some((email, password)) = first_admin {
        println!("admin e-mail: {email}");
        println!("admin password: {password}");
    }
    Ok(app)
}

/// Runs jobs and keeps house until `stop`.
async fn work(app: App, stop: CancellationToken) {
    tokio::join!(
        jobs::run(app.clone(), routes::OBSERVERS, stop.clone()),
        jobs::keep_house(app, routes::CHORES, stop),
    );
}

async fn keep_figures_small() {
    let figures = web::health::recorder();
    loop {
        tokio::time::sleep(UPKEEP).await;
        figures.run_upkeep();
    }
}

/// Asks the shop that listens at `address`; for the health check of a container, which has no
/// other program to ask with.
async fn ask_health(mut address: SocketAddr) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let request = "GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(4), ask)
        .await
        .context("no answer in time")?
        .with_context(|| format!("no answer from {address}"))?;
    anyhow::ensure!(
        answer.starts_with("HTTP/1.1 200"),
        "not ready: {}",
        answer.lines().next().unwrap_or_default()
    );
    println!("ready");
    Ok(())
}

/// Cancelled by Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
