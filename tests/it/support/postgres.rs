//! PostgreSQL for tests: the server that `ZOCO_TEST_POSTGRES_URL` names, or one started from
//! the programs on this machine in a folder of its own.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OnceCell;
use zoco::db::Db;
use zoco::db::query::{Sql, execute};

struct Server {
    /// `postgres://…` without a database's name.
    url: String,
    /// Set when this process started it.
    started: Option<Started>,
}

struct Started {
    programs: PathBuf,
    folder: PathBuf,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The address of the server without a database's name, if there is one.
pub fn find() -> Option<&'static str> {
    SERVER
        .get_or_init(|| match std::env::var("ZOCO_TEST_POSTGRES_URL") {
            Ok(url) => Some(Server {
                url: url.rsplit_once('/')?.0.to_owned(),
                started: None,
            }),
            Err(_) => start(),
        })
        .as_ref()
        .map(|server| server.url.as_str())
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&in_path))
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

fn start() -> Option<Server> {
    let programs = programs()?;
    let folder = std::env::temp_dir().join(format!("zoco-test-postgres-{}", std::process::id()));
    std::fs::create_dir_all(&folder).ok()?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).ok()?;
    if is_root() {
        // PostgreSQL refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(&folder))?;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .ok()?
        .local_addr()
        .ok()?
        .port();
    let data = folder.join("data");
    let initdb = programs.join("initdb");
    let mut command = as_server_user(&initdb, &folder);
    run(command
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-D",
        ])
        .arg(&data))?;
    let options = format!(
        "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300",
        folder.display()
    );
    let control = programs.join("pg_ctl");
    let mut command = as_server_user(&control, &folder);
    command
        .args(["-w", "-o", &options, "-l"])
        .arg(folder.join("log"))
        .arg("-D")
        .arg(&data)
        .arg("start");
    run(&mut command)?;
    Some(Server {
        url: format!("postgres://postgres@127.0.0.1:{port}"),
        started: Some(Started { programs, folder }),
    })
}

/// Stops the server if this process started it, and removes its folder.
pub fn stop() {
    if let Some(Some(Server {
        started: Some(started),
        ..
    })) = SERVER.get()
    {
        let mut command = as_server_user(&started.programs.join("pg_ctl"), &started.folder);
        let _ = run(command
            .args(["-m", "immediate", "-D"])
            .arg(started.folder.join("data"))
            .arg("stop"));
        let _ = std::fs::remove_dir_all(&started.folder);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

fn as_server_user(program: &Path, folder: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder);
    command
}

fn run(command: &mut Command) -> Option<()> {
    let done = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    done.success().then_some(())
}

/// The address of a new database, copied from a migrated template.
pub async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let server = find().unwrap();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("zoco_test_{}_template", std::process::id());
            statement(format!("create database {name}")).await;
            super::migrate(&format!("{server}/{name}")).await;
            name
        })
        .await;
    let name = format!(
        "zoco_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    );
    statement(format!("create database {name} template {template}")).await;
    format!("{server}/{name}")
}

/// An empty database, not migrated.
pub async fn empty_database() -> String {
    let name = format!(
        "zoco_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    );
    statement(format!("create database {name}")).await;
    format!("{}/{name}", find().unwrap())
}

/// Removes a database again.
pub async fn drop_database(url: &str) {
    let name = url.rsplit('/').next().unwrap();
    statement(format!("drop database {name} with (force)")).await;
}

/// One statement outside of a transaction, one at a time: a template is copied by one only.
async fn statement(text: String) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _guard = ONE.lock().await;
    let db = Db::open(&format!("{}/postgres", find().unwrap()), 1)
        .await
        .unwrap();
    let mut conn = db.conn().await.unwrap();
    let text: &'static str = Box::leak(text.into_boxed_str());
    execute(&mut conn, Sql::same(text), Vec::new())
        .await
        .unwrap();
    drop(conn);
    db.close().await;
}
