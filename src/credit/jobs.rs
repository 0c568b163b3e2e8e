//! Letters that bring a gift card, and that tell of store credit.
//!
//! A card's code is made here and not with the event, so that it stands in the letter only. A job
//! that is repeated makes another one: the newest letter is the one that is good.

use serde::Deserialize;
use serde_json::Value;

use super::model::CreditKind;
use super::{service, urls};
use crate::accounts::service as accounts;
use crate::app::App;
use crate::error::Result;
use crate::jobs::Observer;
use crate::mail::Notice;
use crate::types::{CreditAccountId, Email, Locale, Money};

/// The letters about gift cards and store credit.
pub const LETTERS: [Observer; 2] = [
    Observer {
        topic: service::CARD_WANTED,
        job: "credit.card_mail",
        run: |app, payload| Box::pin(card(app, payload)),
    },
    Observer {
        topic: service::GRANTED,
        job: "credit.granted_mail",
        run: |app, payload| Box::pin(granted(app, payload)),
    },
];

#[derive(Deserialize)]
struct About {
    account_id: CreditAccountId,
}

#[derive(Deserialize)]
struct Granted {
    account_id: CreditAccountId,
    amount_minor: i64,
    reason: String,
    at: String,
}

async fn card(app: App, payload: Value) -> Result<()> {
    let About { account_id } = serde_json::from_value(payload)?;
    let Some((account, code)) = service::make_code(&app, account_id).await? else {
        return Ok(());
    };
    let Some(to) = Email::parse(&account.recipient_email) else {
        return Ok(());
    };
    let locale = service::locale_of(&app, &to).await?;
    let (shop, amount) = (&app.config.shop_name, account.balance);
    let until = account.expires_at.map(|at| at.date());
    let mut paragraphs = Vec::new();
    if !account.message.is_empty() {
        paragraphs.push(account.message.clone());
    }
    let notice = match locale {
        Locale::English => {
            paragraphs.push(format!("The code of your gift card is {code}."));
            paragraphs.push(
                "Write it into the field for gift cards at the checkout. What is left stays on \
                the card. Whoever has the code can spend it, so keep it like money."
                    .to_owned(),
            );
            paragraphs.extend(until.map(|until| format!("It is good until {until}.")));
            Notice {
                subject: format!("A gift card of {shop}"),
                title: format!("{amount} for you"),
                paragraphs,
                action: Some(("See what is on it", urls::BALANCE.to_owned())),
                ..Notice::default()
            }
        }
        Locale::Spanish => {
            paragraphs.push(format!("El código de tu tarjeta regalo es {code}."));
            paragraphs.push(
                "Escríbelo al pagar, en el campo de tarjetas regalo. Lo que sobre queda en la \
                tarjeta. Quien tenga el código puede gastarlo: guárdalo como si fuera dinero."
                    .to_owned(),
            );
            paragraphs.extend(until.map(|until| format!("Vale hasta el {until}.")));
            Notice {
                subject: format!("Una tarjeta regalo de {shop}"),
                title: format!("{amount} para ti"),
                paragraphs,
                action: Some(("Ver el saldo", urls::BALANCE.to_owned())),
                ..Notice::default()
            }
        }
    };
    let letter = notice.letter(&app, &to, locale)?;
    Ok(app.mailer.send(letter).await?)
}

async fn granted(app: App, payload: Value) -> Result<()> {
    let about: Granted = serde_json::from_value(payload)?;
    let (system, kind) = (app.system(), CreditKind::StoreCredit);
    let account = service::account(&app, &system, kind, about.account_id).await?;
    let Some(user) = account.user_id else {
        return Ok(());
    };
    let Some(user) = accounts::user(&app, user).await? else {
        return Ok(());
    };
    let amount = Money::new(about.amount_minor, account.balance.currency());
    let shop = &app.config.shop_name;
    let notice = match user.locale {
        Locale::English => Notice {
            subject: format!("{amount} of store credit"),
            title: format!("You have {amount} more at {shop}"),
            paragraphs: vec![
                about.reason,
                "Tick \"use my store credit\" at the checkout to pay with it.".to_owned(),
            ],
            action: Some(("See my store credit", urls::MINE.to_owned())),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("{amount} de saldo"),
            title: format!("Tienes {amount} más en {shop}"),
            paragraphs: vec![
                about.reason,
                "Marca la casilla de tu saldo al pagar para usarlo.".to_owned(),
            ],
            action: Some(("Ver mi saldo", urls::MINE.to_owned())),
            ..Notice::default()
        },
    };
    let mut letter = notice.letter(&app, &user.email, user.locale)?;
    letter.key = format!("credit {} {}", about.account_id, about.at);
    Ok(app.mailer.send(letter).await?)
}
