//! Letters: to files by default, by SMTP on demand, kept in memory by tests.

mod notice;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::types::Email;

pub use notice::Notice;

/// A letter, ready to send, in plain text and HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who gets it.
    pub to: Email,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
    /// The same for the same letter, however often it is sent: becomes the Message-ID, so that
    /// a repeated job does not give the reader two letters.
    pub key: String,
}

/// Who sends letters.
#[derive(Clone)]
pub enum Mailer {
    /// One `.eml` file a letter in this folder.
    Files(PathBuf, Mailbox),
    /// A mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>, Mailbox),
    /// Nobody: tests look at the letters.
    Memory(Arc<Mutex<Vec<Letter>>>),
}

impl Mailer {
    /// The mailer that the settings ask for. Errors: a mail URL or sender that cannot be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let from: Mailbox = config
            .mail_from
            .parse()
            .context("mail_from is not a mail address")?;
        let url = config.mail_url.expose_secret();
        if url == "file:" {
            Ok(Self::Files(config.data_dir.join("mail"), from))
        } else if url.starts_with("smtp://") || url.starts_with("smtps://") {
            Ok(Self::Smtp(
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build(),
                from,
            ))
        } else {
            anyhow::bail!("mail_url must be file: or smtp://…")
        }
    }

    /// Sends a letter. Errors are worth another try later.
    pub async fn send(&self, letter: Letter) -> anyhow::Result<()> {
        match self {
            Self::Memory(letters) => {
                let mut letters = letters
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                letters.push(letter);
                Ok(())
            }
            Self::Files(folder, from) => {
                let name = hex::encode(&Sha256::digest(letter.key.as_bytes())[..12]);
                let bytes = message(letter, from)?.formatted();
                tokio::fs::create_dir_all(folder).await?;
                tokio::fs::write(folder.join(format!("{name}.eml")), bytes).await?;
                Ok(())
            }
            Self::Smtp(transport, from) => {
                transport.send(message(letter, from)?).await?;
                Ok(())
            }
        }
    }
}

fn message(letter: Letter, from: &Mailbox) -> anyhow::Result<Message> {
    let id = hex::encode(&Sha256::digest(letter.key.as_bytes())[..16]);
    let message = Message::builder()
        .from(from.clone())
        .to(letter.to.as_str().parse()?)
        .subject(letter.subject)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))?;
    Ok(message)
}
