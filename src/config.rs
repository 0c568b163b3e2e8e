//! Settings: defaults < `zoco.toml` < environment (`ZOCO_…`) < flags.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::ctx::Role;
use crate::types::country::is_country;
use crate::types::{Currency, Destination, Email};

/// The file with settings, in the working folder.
const FILE: &str = "zoco.toml";
/// A year: browsers keep no cookie for much longer.
const MAX_SESSION_HOURS: u32 = 366 * 24;

/// A setting that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// When a gateway takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Capture {
    /// As soon as the shopper has agreed.
    Automatic,
    /// When staff say so; until then it is promised.
    Manual,
}

/// When invoices are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum InvoiceAt {
    /// When an order is paid; at the latest when something of it is sent.
    Paid,
    /// When something of it is sent.
    Sent,
    /// Not by themselves; staff may.
    Never,
}

/// How long somebody stays signed in, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimits {
    /// After the last use.
    pub idle: i64,
    /// In all.
    pub lifetime: i64,
}

/// The shop's settings, complete.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to serve on.
    pub listen: SocketAddr,
    /// What links in mails and canonical URLs start with; no slash at the end.
    pub base_url: String,
    /// `sqlite:PATH` or `postgres://…`; empty for `zoco.db` in the data folder.
    pub database_url: String,
    /// Connections to the database at most (on SQLite: readers).
    pub database_connections: u32,
    /// Where database, pictures and mails are kept.
    pub data_dir: PathBuf,
    /// Fill an empty shop with the demo catalog.
    pub demo: bool,
    /// The first admin's e-mail.
    pub admin_email: String,
    /// The first admin's password; none: a random one is printed once.
    pub admin_password: Option<SecretString>,
    /// The key that signs access tokens; none: one is made once and kept in the database.
    pub jwt_secret: Option<SecretString>,
    /// Keys that signed before `jwt_secret` did, and still check access tokens.
    pub jwt_previous_secrets: Vec<SecretString>,
    /// Hours after the last use at which a customer is signed out.
    pub session_idle_hours: u32,
    /// Hours after which a customer signs in again, used or not.
    pub session_hours: u32,
    /// The same as `session_idle_hours` for who works here.
    pub staff_session_idle_hours: u32,
    /// The same as `session_hours` for who works here.
    pub staff_session_hours: u32,
    /// Whether who works here needs a second factor to sign in.
    pub staff_two_factor: Switch,
    /// Whether anything is limited: guesses at passwords, and the three below.
    pub rate_limits: Switch,
    /// Pages a minute, forms included, for one account or address.
    pub page_limit: u32,
    /// Reading requests to the API a minute, for one account or address.
    pub read_limit: u32,
    /// Writing requests to the API a minute, for one account or address.
    pub write_limit: u32,
    /// Connections at once; one more is answered 503.
    pub max_connections: usize,
    /// Seconds from connecting to the end of the first request's head.
    pub head_timeout: u64,
    /// Seconds from the end of an answer to the end of the next request's head.
    pub idle_timeout: u64,
    /// Seconds for which the body of a request may bring nothing, or the reader of an answer take
    /// nothing.
    pub stall_timeout: u64,
    /// How many hops of `X-Forwarded-For` to believe.
    pub trusted_proxies: usize,
    /// `file:` (one .eml a mail in the data folder's `mail/`) or `smtp://…`.
    pub mail_url: SecretString,
    /// The sender of the shop's mails.
    pub mail_from: String,
    /// What opens `/metrics` from elsewhere than loopback, as a bearer token.
    pub metrics_token: Option<SecretString>,
    /// The shop's name, as shoppers see it.
    pub shop_name: String,
    /// ISO 4217 code of the shop's one currency.
    pub currency: String,
    /// Whether prices contain tax.
    pub prices_include_tax: bool,
    /// The first tax rate of a new shop in hundredths of a percent: 2100 is 21 %. Later the rates
    /// that staff keep are what counts.
    pub tax_rate: u32,
    /// ISO 3166-1 alpha-2 of where the shop is at home: prices are estimated for it as long as
    /// nobody said where an order goes.
    pub country: String,
    /// The most pieces of one variant in a cart.
    pub max_quantity: i64,
    /// Minutes for which stock is held for an order while its payment begins.
    pub reservation_minutes: u32,
    /// Where letters about low stock go; empty: nowhere.
    pub alerts_email: String,
    /// The shop's bank account, as the instructions of a bank transfer name it; may be empty.
    pub bank_account: String,
    /// When gateways take the money.
    pub payment_capture: Capture,
    /// Minutes after which an order that was never paid is given up, its goods free again.
    pub payment_timeout_minutes: u32,
    /// Whether shoppers may choose the test gateway, which moves no money; none: as `demo` says.
    pub payment_test: Option<Switch>,
    /// Stripe's secret key; none: Stripe is not offered.
    pub stripe_secret_key: Option<SecretString>,
    /// What Stripe signs its events with, `whsec_…`; none: its events are refused.
    pub stripe_webhook_secret: Option<SecretString>,
    /// Where Stripe's API is.
    pub stripe_api_url: String,
    /// Seconds for which an answer of Stripe is waited for.
    pub stripe_timeout: u64,
    /// Who sells, as invoices name them; empty for the shop's name.
    pub seller_name: String,
    /// The seller's address on invoices, line by line.
    pub seller_address: String,
    /// The number by which tax offices know the seller.
    pub seller_tax_id: String,
    /// When invoices are issued.
    pub invoice_at: InvoiceAt,
    /// What numbers of invoices begin with, before the year.
    pub invoice_prefix: String,
    /// The same for credit notes.
    pub credit_note_prefix: String,
    /// Days after delivery in which something can be sent back; 0: never.
    pub return_days: u32,
    /// Hosts on private addresses from which imports may fetch pictures, such as
    /// `pictures.example.lan`; all others must be on the public internet.
    pub private_picture_hosts: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            base_url: "http://127.0.0.1:8000".to_owned(),
            database_url: String::new(),
            database_connections: 10,
            data_dir: PathBuf::from("data"),
            demo: true,
            admin_email: "admin@example.com".to_owned(),
            admin_password: None,
            jwt_secret: None,
            jwt_previous_secrets: Vec::new(),
            session_idle_hours: 30 * 24,
            session_hours: 180 * 24,
            staff_session_idle_hours: 8,
            staff_session_hours: 24,
            staff_two_factor: Switch::Off,
            rate_limits: Switch::On,
            page_limit: 1200,
            read_limit: 1200,
            write_limit: 600,
            max_connections: 10_000,
            head_timeout: 15,
            idle_timeout: 75,
            stall_timeout: 20,
            trusted_proxies: 0,
            mail_url: "file:".into(),
            mail_from: "olmo <shop@example.com>".to_owned(),
            metrics_token: None,
            shop_name: "olmo".to_owned(),
            currency: "EUR".to_owned(),
            prices_include_tax: true,
            tax_rate: 2100,
            country: "ES".to_owned(),
            max_quantity: 99,
            reservation_minutes: 15,
            alerts_email: String::new(),
            bank_account: String::new(),
            payment_capture: Capture::Automatic,
            payment_timeout_minutes: 60,
            payment_test: None,
            stripe_secret_key: None,
            stripe_webhook_secret: None,
            stripe_api_url: "https://api.stripe.com".to_owned(),
            stripe_timeout: 12,
            seller_name: String::new(),
            seller_address: String::new(),
            seller_tax_id: String::new(),
            invoice_at: InvoiceAt::Paid,
            invoice_prefix: String::new(),
            credit_note_prefix: "CN-".to_owned(),
            return_days: 30,
            private_picture_hosts: Vec::new(),
        }
    }
}

/// The same settings as flags and environment variables; what is left out stays as it was.
#[derive(Clone, Debug, Default, clap::Args, Serialize)]
pub struct Overrides {
    /// Address to serve on [default: 127.0.0.1:8000]
    #[arg(long, env = "ZOCO_LISTEN", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// What links in mails and canonical URLs start with [default: http:// and the address]
    #[arg(long, env = "ZOCO_BASE_URL", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// sqlite:PATH or postgres://… [default: zoco.db in the data folder]
    #[arg(
        long = "database",
        env = "ZOCO_DATABASE_URL",
        hide_env_values = true,
        global = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// Connections to the database at most [default: 10]
    #[arg(long, env = "ZOCO_DATABASE_CONNECTIONS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_connections: Option<u32>,
    /// Folder for database, pictures and mails [default: data]
    #[arg(long, env = "ZOCO_DATA_DIR", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Whether an empty shop is filled with the demo catalog [default: true]
    #[arg(long, env = "ZOCO_DEMO", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<bool>,
    /// Start an empty shop; the same as --demo false
    #[arg(long, global = true, conflicts_with = "demo")]
    #[serde(skip)]
    pub no_demo: bool,
    /// The first admin's e-mail [default: admin@example.com]
    #[arg(long, env = "ZOCO_ADMIN_EMAIL", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_email: Option<String>,
    /// The first admin's password [default: a random one, printed once]
    #[arg(
        long,
        env = "ZOCO_ADMIN_PASSWORD",
        hide_env_values = true,
        global = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_password: Option<String>,
    /// Key that signs access tokens [default: made once and kept in the database]
    #[arg(long, env = "ZOCO_JWT_SECRET", hide_env_values = true, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_secret: Option<String>,
    /// Keys that signed access tokens before, parted by commas
    #[arg(
        long,
        env = "ZOCO_JWT_PREVIOUS_SECRETS",
        hide_env_values = true,
        global = true,
        value_delimiter = ','
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_previous_secrets: Option<Vec<String>>,
    /// Hours without use after which customers are signed out [default: 720]
    #[arg(long, env = "ZOCO_SESSION_IDLE_HOURS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_idle_hours: Option<u32>,
    /// Hours after which customers sign in again [default: 4320]
    #[arg(long, env = "ZOCO_SESSION_HOURS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_hours: Option<u32>,
    /// Hours without use after which staff are signed out [default: 8]
    #[arg(long, env = "ZOCO_STAFF_SESSION_IDLE_HOURS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_session_idle_hours: Option<u32>,
    /// Hours after which staff sign in again [default: 24]
    #[arg(long, env = "ZOCO_STAFF_SESSION_HOURS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_session_hours: Option<u32>,
    /// Whether staff need a second factor to work [default: off]
    #[arg(long, env = "ZOCO_STAFF_TWO_FACTOR", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_two_factor: Option<Switch>,
    /// Throttles; off for load tests only [default: on]
    #[arg(long, env = "ZOCO_RATE_LIMITS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<Switch>,
    /// Pages a minute for one account or address [default: 1200]
    #[arg(long, env = "ZOCO_PAGE_LIMIT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_limit: Option<u32>,
    /// Reading API requests a minute for one account or address [default: 1200]
    #[arg(long, env = "ZOCO_READ_LIMIT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_limit: Option<u32>,
    /// Writing API requests a minute for one account or address [default: 600]
    #[arg(long, env = "ZOCO_WRITE_LIMIT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_limit: Option<u32>,
    /// Connections at once [default: 10000]
    #[arg(long, env = "ZOCO_MAX_CONNECTIONS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// Seconds from connecting to the end of the first request's head [default: 15]
    #[arg(long, env = "ZOCO_HEAD_TIMEOUT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_timeout: Option<u64>,
    /// Seconds that a connection may wait for its next request [default: 75]
    #[arg(long, env = "ZOCO_IDLE_TIMEOUT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u64>,
    /// Seconds for which a sender may send nothing, or a reader take nothing [default: 20]
    #[arg(long, env = "ZOCO_STALL_TIMEOUT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_timeout: Option<u64>,
    /// How many hops of X-Forwarded-For to believe [default: 0]
    #[arg(long, env = "ZOCO_TRUSTED_PROXIES", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<usize>,
    /// file: (mails as files in the data folder) or smtp://user:password@host:port [default: file:]
    #[arg(long, env = "ZOCO_MAIL_URL", hide_env_values = true, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_url: Option<String>,
    /// Sender of the shop's mails
    #[arg(long, env = "ZOCO_MAIL_FROM", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// Bearer token that opens /metrics from elsewhere than loopback
    #[arg(
        long,
        env = "ZOCO_METRICS_TOKEN",
        hide_env_values = true,
        global = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_token: Option<String>,
    /// The shop's name [default: olmo]
    #[arg(long, env = "ZOCO_SHOP_NAME", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shop_name: Option<String>,
    /// ISO 4217 code of the shop's one currency [default: EUR]
    #[arg(long, env = "ZOCO_CURRENCY", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether prices contain tax [default: true]
    #[arg(long, env = "ZOCO_PRICES_INCLUDE_TAX", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices_include_tax: Option<bool>,
    /// First tax rate of a new shop in hundredths of a percent [default: 2100]
    #[arg(long, env = "ZOCO_TAX_RATE", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<u32>,
    /// Country where the shop is at home, two letters [default: ES]
    #[arg(long, env = "ZOCO_COUNTRY", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The most pieces of one variant in a cart [default: 99]
    #[arg(long, env = "ZOCO_MAX_QUANTITY", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<i64>,
    /// Minutes for which stock is held while a payment begins [default: 15]
    #[arg(long, env = "ZOCO_RESERVATION_MINUTES", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_minutes: Option<u32>,
    /// Where letters about low stock go [default: nowhere]
    #[arg(long, env = "ZOCO_ALERTS_EMAIL", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts_email: Option<String>,
    /// The shop's bank account, for bank transfers
    #[arg(long, env = "ZOCO_BANK_ACCOUNT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
    /// When gateways take the money [default: automatic]
    #[arg(long, env = "ZOCO_PAYMENT_CAPTURE", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_capture: Option<Capture>,
    /// Minutes after which an order that was never paid is given up [default: 60]
    #[arg(long, env = "ZOCO_PAYMENT_TIMEOUT_MINUTES", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_timeout_minutes: Option<u32>,
    /// Whether shoppers may choose the test gateway [default: on while the demo is]
    #[arg(long, env = "ZOCO_PAYMENT_TEST", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_test: Option<Switch>,
    /// Stripe's secret key; Stripe is offered when it is set
    #[arg(
        long,
        env = "ZOCO_STRIPE_SECRET_KEY",
        hide_env_values = true,
        global = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_secret_key: Option<String>,
    /// The signing secret of the shop's webhook at Stripe
    #[arg(
        long,
        env = "ZOCO_STRIPE_WEBHOOK_SECRET",
        hide_env_values = true,
        global = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_webhook_secret: Option<String>,
    /// Where Stripe's API is [default: https://api.stripe.com]
    #[arg(long, env = "ZOCO_STRIPE_API_URL", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_api_url: Option<String>,
    /// Seconds for which an answer of Stripe is waited for [default: 12]
    #[arg(long, env = "ZOCO_STRIPE_TIMEOUT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_timeout: Option<u64>,
    /// Who sells, on invoices [default: the shop's name]
    #[arg(long, env = "ZOCO_SELLER_NAME", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_name: Option<String>,
    /// The seller's address on invoices, several lines
    #[arg(long, env = "ZOCO_SELLER_ADDRESS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_address: Option<String>,
    /// The seller's tax number on invoices
    #[arg(long, env = "ZOCO_SELLER_TAX_ID", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_tax_id: Option<String>,
    /// When invoices are issued [default: paid]
    #[arg(long, env = "ZOCO_INVOICE_AT", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_at: Option<InvoiceAt>,
    /// What numbers of invoices begin with, before the year [default: nothing]
    #[arg(long, env = "ZOCO_INVOICE_PREFIX", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_prefix: Option<String>,
    /// The same for credit notes [default: CN-]
    #[arg(long, env = "ZOCO_CREDIT_NOTE_PREFIX", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_note_prefix: Option<String>,
    /// Days after delivery in which something can be sent back [default: 30]
    #[arg(long, env = "ZOCO_RETURN_DAYS", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_days: Option<u32>,
    /// Hosts on private addresses from which imports may fetch pictures, parted by commas
    #[arg(
        long,
        env = "ZOCO_PRIVATE_PICTURE_HOSTS",
        global = true,
        value_delimiter = ','
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_picture_hosts: Option<Vec<String>>,
}

impl Config {
    /// Reads `zoco.toml` of the working folder, if there is one, and lays `overrides` over it.
    /// Errors name the key at fault.
    pub fn load(mut overrides: Overrides) -> anyhow::Result<Self> {
        if overrides.no_demo {
            overrides.demo = Some(false);
        }
        let file = if Path::new(FILE).exists() {
            Figment::from(Toml::file_exact(FILE))
        } else {
            Figment::new()
        };
        let figment = file.merge(Serialized::defaults(overrides));
        let mut config: Self = figment.extract()?;
        if figment.find_value("base_url").is_err() {
            config.base_url = address_of(config.listen);
        }
        config
            .base_url
            .truncate(config.base_url.trim_end_matches('/').len());
        config.check()?;
        Ok(config)
    }

    /// Notes the address that was taken, which port 0 leaves open; the base URL goes along with
    /// it as long as nobody set one.
    pub fn listening_on(&mut self, address: SocketAddr) {
        if self.base_url == address_of(self.listen) {
            self.base_url = address_of(address);
        }
        self.listen = address;
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.base_url.starts_with("http://") || self.base_url.starts_with("https://"),
            "base_url must start with http:// or https://"
        );
        let database = self.database_url.split(':').next().unwrap_or_default();
        anyhow::ensure!(
            ["", "sqlite", "postgres", "postgresql"].contains(&database),
            "database_url must begin with sqlite: or postgres:"
        );
        anyhow::ensure!(
            self.currency.parse::<Currency>().is_ok(),
            "currency must be a code of ISO 4217"
        );
        anyhow::ensure!(
            self.tax_rate <= 10_000,
            "tax_rate must be at most 10000 (100 %)"
        );
        anyhow::ensure!(
            is_country(&self.country),
            "country must be two capital letters of ISO 3166-1, such as DE"
        );
        anyhow::ensure!(
            (1..=9_999).contains(&self.max_quantity),
            "max_quantity must be 1 to 9999"
        );
        anyhow::ensure!(
            self.alerts_email.is_empty() || Email::parse(&self.alerts_email).is_some(),
            "alerts_email is not a mail address"
        );
        anyhow::ensure!(
            (1..=1_440).contains(&self.reservation_minutes),
            "reservation_minutes must be 1 to 1440"
        );
        for prefix in [&self.invoice_prefix, &self.credit_note_prefix] {
            let fits = prefix.len() <= 12
                && prefix
                    .chars()
                    .all(|sign| sign.is_ascii_alphanumeric() || sign == '-');
            anyhow::ensure!(
                fits,
                "invoice_prefix and credit_note_prefix have at most 12 letters, digits and hyphens"
            );
        }
        anyhow::ensure!(
            self.invoice_prefix != self.credit_note_prefix,
            "invoice_prefix and credit_note_prefix must differ"
        );
        anyhow::ensure!(self.return_days <= 3660, "return_days must be at most 3660");
        anyhow::ensure!(
            self.database_connections > 0,
            "database_connections must be at least 1"
        );
        let limits = [
            ("page_limit", self.page_limit),
            ("read_limit", self.read_limit),
            ("write_limit", self.write_limit),
        ];
        for (name, limit) in limits {
            anyhow::ensure!(
                limit > 0,
                "{name} must be at least 1; rate_limits = \"off\" lifts all limits"
            );
        }
        anyhow::ensure!(
            (1..=1_000_000).contains(&self.max_connections),
            "max_connections must be 1 to 1000000"
        );
        let timeouts = [
            ("head_timeout", self.head_timeout),
            ("idle_timeout", self.idle_timeout),
            ("stall_timeout", self.stall_timeout),
        ];
        for (name, seconds) in timeouts {
            anyhow::ensure!(
                (1..=3600).contains(&seconds),
                "{name} must be 1 to 3600 seconds"
            );
        }
        let secrets = self.jwt_secret.iter().chain(&self.jwt_previous_secrets);
        for secret in secrets {
            anyhow::ensure!(
                secret.expose_secret().len() >= 32,
                "jwt_secret and jwt_previous_secrets must have at least 32 characters each"
            );
        }
        anyhow::ensure!(
            self.jwt_secret.is_some() || self.jwt_previous_secrets.is_empty(),
            "jwt_previous_secrets go with a jwt_secret"
        );
        anyhow::ensure!(
            (5..=10_080).contains(&self.payment_timeout_minutes),
            "payment_timeout_minutes must be 5 to 10080 (a week)"
        );
        anyhow::ensure!(
            self.stripe_api_url.starts_with("https://")
                || self.stripe_api_url.starts_with("http://127.0.0.1:")
                || self.stripe_api_url.starts_with("http://localhost:"),
            "stripe_api_url must start with https://"
        );
        anyhow::ensure!(
            (1..=25).contains(&self.stripe_timeout),
            "stripe_timeout must be 1 to 25 seconds"
        );
        anyhow::ensure!(
            self.stripe_secret_key.is_some() || self.stripe_webhook_secret.is_none(),
            "stripe_webhook_secret goes with a stripe_secret_key"
        );
        for hours in [
            self.session_idle_hours,
            self.session_hours,
            self.staff_session_idle_hours,
            self.staff_session_hours,
        ] {
            anyhow::ensure!(
                (1..=MAX_SESSION_HOURS).contains(&hours),
                "session_hours and its like must be 1 to {MAX_SESSION_HOURS}"
            );
        }
        if let Some(password) = &self.admin_password {
            anyhow::ensure!(
                password.expose_secret().chars().count() >= 8,
                "admin_password must have at least 8 characters"
            );
        }
        Ok(())
    }

    /// Where the database is.
    pub fn database_url(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite:{}", self.data_dir.join("zoco.db").display())
        } else {
            self.database_url.clone()
        }
    }

    /// How long somebody of this role stays signed in.
    pub fn sign_ins_of(&self, role: Role) -> SignInLimits {
        let (idle, lifetime) = match role {
            Role::Customer => (self.session_idle_hours, self.session_hours),
            Role::Staff | Role::Admin => (self.staff_session_idle_hours, self.staff_session_hours),
        };
        SignInLimits {
            idle: i64::from(idle) * 3600,
            lifetime: i64::from(lifetime) * 3600,
        }
    }

    /// The shop's currency.
    pub fn currency(&self) -> Currency {
        self.currency.parse().unwrap_or_else(|_| Currency::eur())
    }

    /// Where the shop is at home.
    pub fn home(&self) -> Destination {
        Destination::country(&self.country)
    }

    /// Whether cookies may be `Secure` and HSTS be sent: not on plain HTTP.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Whether shoppers may choose the test gateway.
    pub fn offers_test_payments(&self) -> bool {
        self.payment_test
            .map_or(self.demo, |switch| switch == Switch::On)
    }

    /// The full address of a path of the shop.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

/// Where a browser on this machine finds what listens at an address.
fn address_of(mut listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}
