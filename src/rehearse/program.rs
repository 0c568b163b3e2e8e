//! The shop itself as a child process that can be killed, always at the same address.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::config::Config;

/// A running shop.
pub struct Program {
    settings: Settings,
    address: SocketAddr,
    child: Mutex<Child>,
}

impl Program {
    /// Starts this very program over a database, on a free port.
    pub async fn start(config: &Config, folder: &Path) -> anyhow::Result<Self> {
        let settings = Settings::of(config, folder);
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, address) = spawn(&settings, free).await?;
        Ok(Self {
            settings,
            address,
            child: Mutex::new(child),
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills it in the middle of whatever it does, and starts it again.
    pub async fn kill_and_start_again(&self) -> anyhow::Result<()> {
        let mut child = self.child.lock().await;
        child.kill().await.context("cannot kill the shop")?;
        (*child, _) = spawn(&self.settings, self.address).await?;
        Ok(())
    }

    /// Ends it.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.child
            .lock()
            .await
            .kill()
            .await
            .context("cannot end the shop")
    }
}

/// What the child is told. Nothing else of the shop's settings reaches it: with the keys of a
/// gateway it would ask about, and give up, payments that it knows from the copy.
struct Settings {
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Settings {
    fn of(config: &Config, folder: &Path) -> Self {
        let data = folder.join("data").display().to_string();
        let variables = vec![
            ("ZOCO_DATABASE_URL", config.database_url.clone()),
            ("ZOCO_DATA_DIR", data),
            ("ZOCO_CURRENCY", config.currency.clone()),
            ("ZOCO_COUNTRY", config.country.clone()),
            (
                "ZOCO_PRICES_INCLUDE_TAX",
                config.prices_include_tax.to_string(),
            ),
            ("ZOCO_DEMO", "false".to_owned()),
            ("ZOCO_MAIL_URL", "file:".to_owned()),
            ("ZOCO_PAYMENT_TEST", "on".to_owned()),
            ("ZOCO_RATE_LIMITS", "off".to_owned()),
            ("RUST_LOG", "error".to_owned()),
        ];
        Self {
            folder: folder.to_owned(),
            variables,
        }
    }
}

async fn spawn(settings: &Settings, listen: SocketAddr) -> anyhow::Result<(Child, SocketAddr)> {
    let this = std::env::current_exe().context("where is this program?")?;
    let mut command = Command::new(this);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZOCO_") {
            command.env_remove(name);
        }
    }
    let mut child = command
        .current_dir(&settings.folder)
        .envs(settings.variables.iter().map(|(name, value)| (name, value)))
        .args(["--listen", &listen.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the shop")?;
    let printed = child.stdout.take().context("the shop says nothing")?;
    let mut lines = BufReader::new(printed).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("listening on ") {
            let address = address.parse().context("the shop listens nowhere")?;
            // What it prints later must not fill the pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((child, address));
        }
    }
    anyhow::bail!("the shop did not start")
}
