//! The shop itself as a child process that can be killed, always at the same address.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::Mutex;

use crate::config::Config;

/// A running shop.
pub struct Program {
    settings: Arc<Settings>,
    address: SocketAddr,
    child: Mutex<Child>,
}

impl Program {
    /// Starts this very program over a database, on a free port.
    pub async fn start(config: &Config, folder: &Path) -> anyhow::Result<Self> {
        let settings = Arc::new(Settings::of(config, folder));
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
        end(&mut child)?;
        (*child, _) = spawn(&self.settings, self.address).await?;
        Ok(())
    }

    /// Ends it.
    pub async fn stop(&self) -> anyhow::Result<()> {
        end(&mut *self.child.lock().await)
    }
}

/// Whatever happens to the rehearsal, no shop is left behind.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = end(self.child.get_mut());
    }
}

/// Kills the child; it is gone at once.
fn end(child: &mut Child) -> anyhow::Result<()> {
    child.kill().context("cannot kill the shop")?;
    child.wait().context("cannot wait for the shop")?;
    Ok(())
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

async fn spawn(
    settings: &Arc<Settings>,
    listen: SocketAddr,
) -> anyhow::Result<(Child, SocketAddr)> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || start(&settings, listen)).await?
}

/// Starts it and waits until it tells its address.
fn start(settings: &Settings, listen: SocketAddr) -> anyhow::Result<(Child, SocketAddr)> {
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
        .spawn()
        .context("cannot start the shop")?;
    let printed = child.stdout.take().context("the shop says nothing")?;
    let mut lines = BufReader::new(printed).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
    let Some(address) = address else {
        end(&mut child)?;
        anyhow::bail!("the shop did not start");
    };
    // What it prints later must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((child, address.parse().context("the shop listens nowhere")?))
}
