//! The command line.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::normalize_path::NormalizePathLayer;
use zoco::app::App;
use zoco::config::{Config, Overrides};
use zoco::{accounts, demo, jobs, routes, web};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running shop, at the address of the settings, whether it is ready
    Health,
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
    if matches!(command, Command::Health) {
        return ask_health(config.listen).await;
    }
    let app = App::open(config).await?;
    match command {
        Command::Health => Ok(()),
        Command::Serve { no_worker } => serve(app, !no_worker).await,
        Command::Worker => {
            jobs::run(app, routes::OBSERVERS, stop_signal()).await;
            Ok(())
        }
        Command::Migrate => Ok(()),
        Command::Seed => {
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
        Command::Openapi => {
            println!("{}", routes::openapi(&app).to_pretty_json()?);
            Ok(())
        }
    }
}

async fn serve(app: App, with_worker: bool) -> anyhow::Result<()> {
    web::health::recorder();
    let listener = tokio::net::TcpListener::bind(app.config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", app.config.listen))?;
    let first_admin = accounts::service::ensure_admin(&app).await?;
    if app.config.demo && demo::fill(&app).await? {
        tracing::info!("an empty shop was filled with the demo catalog");
    }
    println!("shop: {}", app.config.base_url);
    println!("listening on {}", listener.local_addr()?);
    if let Some((email, password)) = first_admin {
        println!("admin e-mail: {email}");
        println!("admin password: {password}");
    }
    let stop = stop_signal();
    let worker =
        with_worker.then(|| tokio::spawn(jobs::run(app.clone(), routes::OBSERVERS, stop.clone())));
    // A trailing slash makes no difference.
    let service = NormalizePathLayer::trim_trailing_slash().layer(routes::router(app.clone()));
    let service = axum::ServiceExt::<axum::extract::Request>::into_make_service_with_connect_info::<
        SocketAddr,
    >(service);
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .await?;
    stop.cancel();
    if let Some(worker) = worker {
        worker.await?;
    }
    app.db.close().await;
    Ok(())
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
    let answer = tokio::time::timeout(std::time::Duration::from_secs(4), ask)
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
fn stop_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let interrupt = tokio::signal::ctrl_c();
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt => {}
            () = terminate => {}
        }
        told.cancel();
    });
    stop
}
