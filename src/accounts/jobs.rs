//! What happens after an account changed: letters.
//!
//! Links are made here and not with the event: what a link carries stands in the letter only,
//! and neither in an event nor in any other row. A job that is repeated makes another link.

use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::model::User;
use super::service::{self, email, password};
use super::urls;
use crate::app::App;
use crate::error::{Error, Result};
use crate::jobs::Observer;
use crate::mail::Letter;
use crate::types::{Email, UserId};

/// The letters of accounts.
pub const LETTERS: [Observer; 7] = [
    Observer {
        topic: "account.registered",
        job: "accounts.welcome_mail",
        run: |app, payload| Box::pin(welcome(app, payload)),
    },
    Observer {
        topic: "account.verification_wanted",
        job: "accounts.verification_mail",
        run: |app, payload| Box::pin(verification(app, payload)),
    },
    Observer {
        topic: "account.reset_wanted",
        job: "accounts.reset_mail",
        run: |app, payload| Box::pin(reset(app, payload)),
    },
    Observer {
        topic: "account.password_changed",
        job: "accounts.password_mail",
        run: |app, payload| Box::pin(password_changed(app, payload)),
    },
    Observer {
        topic: "account.email_change_wanted",
        job: "accounts.email_change_mails",
        run: |app, payload| Box::pin(email_change(app, payload)),
    },
    Observer {
        topic: "account.email_changed",
        job: "accounts.email_changed_mail",
        run: |app, payload| Box::pin(email_changed(app, payload)),
    },
    Observer {
        topic: "account.closed",
        job: "accounts.farewell_mail",
        run: |app, payload| Box::pin(farewell(app, payload)),
    },
];

#[derive(Deserialize)]
struct About {
    user: UserId,
}

#[derive(Deserialize)]
struct AboutEmail {
    user: UserId,
    email: String,
}

#[derive(Deserialize)]
struct Forgotten {
    email: String,
}

#[derive(Deserialize)]
struct Moved {
    user: UserId,
    old: String,
}

#[derive(Deserialize)]
struct Closed {
    email: String,
    name: String,
}

async fn welcome(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some((user, token)) = email::issue_verification(&app, &app.system(), user).await? else {
        return Ok(());
    };
    let shop = &app.config.shop_name;
    let link = token.map(|token| urls::verify_email(&token));
    let notice = Notice {
        subject: format!("Welcome to {shop}"),
        title: format!("Welcome, {}!", user.name),
        paragraphs: vec![
            "Your account is ready. Please confirm that this e-mail address is yours, so that we \
            can help you when you lose your password."
                .to_owned(),
        ],
        action: link.map(|link| ("Confirm my e-mail", link)),
    };
    notice.send(&app, &user.email, "welcome").await
}

async fn verification(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some((user, Some(token))) = email::issue_verification(&app, &app.system(), user).await?
    else {
        return Ok(());
    };
    let notice = Notice {
        subject: "Confirm your e-mail".to_owned(),
        title: format!("Hello, {}", user.name),
        paragraphs: vec![
            "Please confirm that this e-mail address is yours. The link is good for three days."
                .to_owned(),
        ],
        action: Some(("Confirm my e-mail", urls::verify_email(&token))),
    };
    notice.send(&app, &user.email, "verification").await
}

async fn reset(app: App, payload: Value) -> Result<()> {
    let Forgotten { email } = serde_json::from_value(payload)?;
    let Some(email) = Email::parse(&email) else {
        return Ok(());
    };
    let Some((user, token)) = password::issue_reset(&app, &app.system(), &email).await? else {
        return Ok(());
    };
    let notice = Notice {
        subject: "Set a new password".to_owned(),
        title: format!("Hello, {}", user.name),
        paragraphs: vec![
            "Somebody, probably you, asked to set a new password for your account. The link is \
            good for one use, within 30 minutes."
                .to_owned(),
            "If it was not you, do nothing: your password stays as it is.".to_owned(),
        ],
        action: Some(("Set a new password", urls::reset_password(&token))),
    };
    notice.send(&app, &user.email, "reset").await
}

async fn password_changed(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some(user) = service::user(&app, user).await? else {
        return Ok(());
    };
    let notice = Notice {
        subject: "Your password was changed".to_owned(),
        title: format!("Hello, {}", user.name),
        paragraphs: vec![
            "The password of your account was changed, and all sign-ins with the old one ended."
                .to_owned(),
            "If it was not you, set a new password at once.".to_owned(),
        ],
        action: Some(("Set a new password", urls::FORGOT_PASSWORD.to_owned())),
    };
    notice.send(&app, &user.email, "password changed").await
}

async fn email_change(app: App, payload: Value) -> Result<()> {
    let AboutEmail { user, email } = serde_json::from_value(payload)?;
    let Some(wanted) = Email::parse(&email) else {
        return Ok(());
    };
    let links = email::issue_change(&app, &app.system(), user, &wanted).await?;
    let Some(links) = links else {
        return Ok(());
    };
    let User { name, email, .. } = &links.user;
    let to_old = Notice {
        subject: "Do you want to change your e-mail?".to_owned(),
        title: format!("Hello, {name}"),
        paragraphs: vec![
            format!("You asked to use {wanted} for your account instead of this address."),
            "Please confirm it here, and with the link in the letter to the new address. Both \
            links are good for a day."
                .to_owned(),
            "If it was not you, do nothing, and change your password.".to_owned(),
        ],
        action: Some((
            "Agree to the change",
            urls::confirm_email_change(&links.old),
        )),
    };
    to_old.send(&app, email, "email change, old").await?;
    let to_new = match links.new {
        Some(token) => Notice {
            subject: "Confirm your new e-mail".to_owned(),
            title: format!("Hello, {name}"),
            paragraphs: vec![
                "Please confirm that this address is yours and that you want to use it for your \
                account. The link is good for a day."
                    .to_owned(),
            ],
            action: Some(("Confirm my e-mail", urls::confirm_email_change(&token))),
        },
        // It is told to the owner of the address, not to who asked.
        None => Notice {
            subject: "You have an account already".to_owned(),
            title: "You have an account already".to_owned(),
            paragraphs: vec![
                "Somebody, probably you, wanted to use this address for another account. It has \
                an account of its own already, and nothing was changed."
                    .to_owned(),
            ],
            action: Some(("Sign in", urls::SIGN_IN.to_owned())),
        },
    };
    to_new.send(&app, &wanted, "email change, new").await
}

async fn email_changed(app: App, payload: Value) -> Result<()> {
    let Moved { user, old } = serde_json::from_value(payload)?;
    let (Some(user), Some(old)) = (service::user(&app, user).await?, Email::parse(&old)) else {
        return Ok(());
    };
    let notice = Notice {
        subject: "Your e-mail was changed".to_owned(),
        title: format!("Hello, {}", user.name),
        paragraphs: vec![format!(
            "Your account now uses {}. Letters about your orders go there from now on.",
            user.email
        )],
        action: None,
    };
    notice.send(&app, &old, "email changed").await
}

async fn farewell(app: App, payload: Value) -> Result<()> {
    let Closed { email, name } = serde_json::from_value(payload)?;
    let Some(email) = Email::parse(&email) else {
        return Ok(());
    };
    let notice = Notice {
        subject: "Your account is deleted".to_owned(),
        title: format!("Goodbye, {name}"),
        paragraphs: vec![
            "Your account is deleted, with your addresses, reviews and cart. Orders stay in our \
            books without your name, as the law asks."
                .to_owned(),
        ],
        action: None,
    };
    notice.send(&app, &email, "farewell").await
}

/// A short letter, with at most one thing to do.
struct Notice {
    subject: String,
    title: String,
    paragraphs: Vec<String>,
    /// What to do, and the path of the shop where it is done.
    action: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "emails/notice.txt")]
struct Text<'a> {
    shop: &'a str,
    title: &'a str,
    paragraphs: &'a [String],
    action: &'a Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "emails/notice.html")]
struct Html<'a> {
    shop: &'a str,
    title: &'a str,
    paragraphs: &'a [String],
    action: &'a Option<(&'static str, String)>,
}

impl Notice {
    /// Sends it. `kind` sets letters apart that say the same.
    async fn send(self, app: &App, to: &Email, kind: &str) -> Result<()> {
        let action = self
            .action
            .map(|(label, path)| (label, app.config.absolute(&path)));
        let (shop, title, paragraphs) = (&app.config.shop_name, &self.title, &self.paragraphs);
        let text = Text {
            shop,
            title,
            paragraphs,
            action: &action,
        };
        let html = Html {
            shop,
            title,
            paragraphs,
            action: &action,
        };
        let failed = |error: askama::Error| Error::Internal(error.into());
        let (text, html) = (
            text.render().map_err(failed)?,
            html.render().map_err(failed)?,
        );
        let letter = Letter {
            to: to.clone(),
            subject: self.subject,
            key: format!("{kind} {to} {} {text}", app.clock.now().rfc3339()),
            text,
            html,
        };
        Ok(app.mailer.send(letter).await?)
    }
}
