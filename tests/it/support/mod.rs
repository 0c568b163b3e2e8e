//! What all tests stand on: a fresh shop for each, on both databases, and clients to drive it.
//!
//! ```ignore
//! both! {
//!     async fn the_last_item_is_sold_once(app: TestApp) { … }
//! }
//! plain! {
//!     fn a_pure_function() { … }
//! }
//! ```

pub mod clients;
pub mod postgres;
pub mod process;
pub mod stripe;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::sync::OnceCell;
use zoco::app::{App, Rng};
use zoco::catalog::Product;
use zoco::catalog::service::ProductInput;
use zoco::config::Config;
use zoco::ctx::{Actor, Ctx, Permission, Role};
use zoco::db::Db;
use zoco::db::query::{Sql, execute};
use zoco::mail::{Letter, Mailer};
use zoco::types::{Clock, MoneyInput, Timestamp};

pub use clients::{Api, Browser, Reply};

/// The moment at which every test begins.
pub const START: &str = "2026-11-24T12:00:00Z";

/// A fresh shop of its own, without demo goods: fixed clock, seeded rng, mail kept in memory.
#[derive(Clone)]
pub struct TestApp {
    app: App,
    letters: Arc<Mutex<Vec<Letter>>>,
    jobs_may_remain: Arc<AtomicBool>,
}

impl Deref for TestApp {
    type Target = App;
    fn deref(&self) -> &App {
        &self.app
    }
}

impl TestApp {
    /// The letters that were sent so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    /// The path of the link in the newest letter to this address, after all due jobs have run.
    pub async fn mailed_link(&self, to: &str) -> String {
        self.run_jobs().await;
        let letters = self.letters();
        let mut to_them = letters.iter().filter(|letter| letter.to.as_str() == to);
        let letter = to_them.next_back().expect("a letter");
        let base = &self.config.base_url;
        let (_, link) = letter.text.split_once(base.as_str()).expect("a link");
        assert!(letter.html.contains(&format!("{base}/")), "{}", letter.html);
        link.split_whitespace().next().unwrap().to_owned()
    }

    /// Runs all due jobs, as the worker would.
    pub async fn run_jobs(&self) {
        zoco::jobs::drain(&self.app, zoco::routes::OBSERVERS)
            .await
            .unwrap();
    }

    /// The same shop, as if started with other settings.
    pub async fn with_settings(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.config.clone();
        change(&mut config);
        let (db, clock) = (self.db.clone(), self.clock.clone());
        let app = App::assemble(config, db, clock, Rng::seeded(2), self.mailer.clone());
        Self {
            app: app.await.unwrap(),
            ..self.clone()
        }
    }

    /// For a test that leaves jobs on purpose; any other fails when jobs are left.
    pub fn leave_jobs(&self) {
        self.jobs_may_remain.store(true, Ordering::SeqCst);
    }

    /// Somebody who did not sign in.
    pub fn guest(&self) -> Ctx {
        Ctx {
            actor: Actor::Guest,
            ..self.system()
        }
    }

    /// A customer with a new account, whose letter of welcome has come; the password is
    /// [`clients::PASSWORD`].
    pub async fn customer(&self, email: &str) -> Ctx {
        let input = zoco::accounts::service::Register {
            email: email.to_owned(),
            password: clients::PASSWORD.to_owned(),
            name: None,
        };
        let user = zoco::accounts::service::register(&self.app, &self.guest(), input)
            .await
            .unwrap();
        self.run_jobs().await;
        let mut letters = self.letters.lock().unwrap();
        letters.retain(|letter| letter.to != user.email || !letter.subject.starts_with("Welcome"));
        drop(letters);
        Ctx {
            actor: Actor::User(user.current()),
            ..self.guest()
        }
    }

    /// A new admin; the password is [`clients::PASSWORD`].
    pub async fn admin(&self) -> Ctx {
        let user = zoco::accounts::service::create_admin(
            &self.app,
            "admin@example.com",
            clients::PASSWORD,
        )
        .await
        .unwrap();
        Ctx {
            actor: Actor::User(user.current()),
            ..self.guest()
        }
    }

    /// Staff with these permissions; the password is [`clients::PASSWORD`].
    pub async fn staff(&self, email: &str, permissions: &[Permission]) -> Ctx {
        let mut ctx = self.customer(email).await;
        let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
        let sql = Sql::same("update users set role = 'staff', permissions = $1 where email = $2");
        let values = vec![words.join(",").into(), email.into()];
        let mut tx = self.app.db.begin().await.unwrap();
        execute(&mut tx, sql, values).await.unwrap();
        tx.commit().await.unwrap();
        if let Actor::User(user) = &mut ctx.actor {
            user.role = Role::Staff;
            user.permissions = permissions.to_vec();
        }
        ctx
    }

    /// A simple product with a price and stock.
    pub async fn product(&self, name: &str, price: &str, stock: i64) -> Product {
        let input = ProductInput {
            name: Some(name.to_owned()),
            price: Some(MoneyInput::new(price)),
            stock: Some(stock),
            ..ProductInput::default()
        };
        zoco::catalog::service::create_product(&self.app, &self.system(), input)
            .await
            .unwrap()
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self)
    }

    /// An API client without a token.
    pub fn api(&self) -> Api {
        Api::new(self)
    }
}

/// A test's body.
pub type Run = fn(TestApp) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the macros register.
pub enum Case {
    /// Runs once on each database.
    Both(&'static str, Run),
    /// Needs no database.
    Plain(&'static str, fn()),
    /// Needs what the name says (`browser`, `curl`, `postgres`), or is skipped.
    Needs(&'static str, &'static str, fn()),
}

/// All tests of this binary.
#[linkme::distributed_slice]
pub static CASES: [Case];

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! both {
    ($(async fn $name:ident($($app:tt)+) $body:block)*) => {$(
        const _: () = {
            async fn $name($($app)+) $body
            #[linkme::distributed_slice($crate::support::CASES)]
            static CASE: $crate::support::Case = $crate::support::Case::Both(
                concat!(module_path!(), "::", stringify!($name)),
                |app| Box::pin($name(app)),
            );
        };
    )*};
}

/// Makes a test of each function.
macro_rules! plain {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {$(
        const _: () = {
            fn $name() $body
            #[linkme::distributed_slice($crate::support::CASES)]
            static CASE: $crate::support::Case = $crate::support::Case::Plain(
                concat!(module_path!(), "::", stringify!($name)),
                $name,
            );
        };
    )*};
}

/// Makes a test of each function, skipped where the machine lacks what it needs:
/// `needs! { "browser" => fn name() { … } }`
macro_rules! needs {
    ($($what:literal => fn $name:ident() $body:block)*) => {$(
        const _: () = {
            fn $name() $body
            #[linkme::distributed_slice($crate::support::CASES)]
            static CASE: $crate::support::Case = $crate::support::Case::Needs(
                concat!(module_path!(), "::", stringify!($name)),
                $what,
                $name,
            );
        };
    )*};
}

pub(crate) use {both, needs, plain};

/// Runs every test; what the machine cannot run counts as ignored, or as failed where
/// `ZOCO_TEST_REQUIRE` names it.
pub fn run() -> ExitCode {
    let arguments = Arguments::from_args();
    let postgres = if arguments.list {
        None
    } else {
        postgres::find()
    };
    let mut trials = Vec::new();
    for case in CASES {
        match case {
            Case::Plain(name, run) => trials.push(trial(name, "", true, run)),
            Case::Needs(name, what, run) => {
                let there = match *what {
                    "postgres" => postgres.is_some(),
                    "curl" => Path::new("/usr/bin/curl").exists(),
                    _ => {
                        Path::new("/usr/bin/chromedriver").exists()
                            && Path::new("/usr/bin/chromium").exists()
                    }
                };
                trials.push(trial(name, what, there, run));
            }
            Case::Both(name, run) => {
                trials.push(trial(&format!("{name}::sqlite"), "", true, move || {
                    on_sqlite(*run)
                }));
                let there = postgres.is_some();
                trials.push(trial(
                    &format!("{name}::postgres"),
                    "postgres",
                    there,
                    move || on_postgres(*run),
                ));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    postgres::stop();
    conclusion.exit_code()
}

fn trial(
    name: &str,
    needs: &'static str,
    there: bool,
    run: impl FnOnce() + Send + 'static,
) -> Trial {
    let name = name.strip_prefix("it::").unwrap_or(name).to_owned();
    let required = std::env::var("ZOCO_TEST_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|word| word == needs);
    let test = move || {
        if there {
            run();
            Ok(())
        } else {
            Err(Failed::from(format!(
                "{needs} is required and not on this machine"
            )))
        }
    };
    Trial::test(name, test).with_ignored_flag(!there && !required)
}

/// A runtime for a test that does not get one.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
}

fn on_sqlite(run: Run) {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(sqlite_template().await, folder.path().join("zoco.db")).unwrap();
        run_with(config(folder.path()), run).await;
    });
}

fn on_postgres(run: Run) {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::fresh_database().await;
        let config = Config {
            database_url: url.clone(),
            ..config(folder.path())
        };
        run_with(config, run).await;
        postgres::drop_database(&url).await;
    });
}

fn config(folder: &Path) -> Config {
    Config {
        data_dir: folder.to_owned(),
        demo: false,
        ..Config::default()
    }
}

async fn run_with(config: Config, run: Run) {
    let db = Db::open(&config.database_url(), 10).await.unwrap();
    let letters = Arc::new(Mutex::new(Vec::new()));
    let clock = Clock::fixed(Timestamp::parse(START).unwrap());
    let mailer = Mailer::Memory(letters.clone());
    let app = App::assemble(config, db, clock, Rng::seeded(1), mailer)
        .await
        .unwrap();
    let app = TestApp {
        app,
        letters,
        jobs_may_remain: Arc::default(),
    };
    run(app.clone()).await;
    let (waiting, dead) = zoco::jobs::backlog(&app).await.unwrap();
    let allowed = app.jobs_may_remain.load(Ordering::SeqCst);
    app.db.close().await;
    assert!(
        allowed || waiting + dead == 0,
        "{waiting} jobs and events are left, {dead} are dead"
    );
}

/// A migrated SQLite file to copy, made once.
async fn sqlite_template() -> &'static Path {
    static FILE: OnceCell<(tempfile::TempDir, PathBuf)> = OnceCell::const_new();
    let (_, path) = FILE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("template.db");
            migrate(&format!("sqlite:{}", path.display())).await;
            (folder, path)
        })
        .await;
    path
}

/// Brings the database at `url` up to date and gives it what every new shop has.
pub async fn migrate(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        database_url: url.to_owned(),
        ..config(folder.path())
    };
    let app = App::open(config).await.unwrap();
    app.db.close().await;
}
