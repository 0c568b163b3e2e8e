//! What happens after an account changed: letters.
//!
//! Links are made here and not with the event: what a link carries stands in the letter only,
//! and neither in an event nor in any other row. A job that is repeated makes another link.

use serde::Deserialize;
use serde_json::Value;

use super::model::User;
use super::service::{self, email, password};
use super::urls;
use crate::app::App;
use crate::error::Result;
use crate::jobs::Observer;
use crate::mail::Notice;
use crate::types::{Email, Locale, UserId};

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
    locale: String,
}

async fn welcome(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some((user, token)) = email::issue_verification(&app, &app.system(), user).await? else {
        return Ok(());
    };
    let (shop, name) = (&app.config.shop_name, &user.name);
    let link = token.map(|token| urls::verify_email(&token));
    let notice = match user.locale {
        Locale::English => Notice {
            subject: format!("Welcome to {shop}"),
            title: format!("Welcome, {name}!"),
            paragraphs: vec![
                "Your account is ready. Please confirm that this e-mail address is yours, so \
                that we can help you when you lose your password."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: link.map(|link| ("Confirm my e-mail", link)),
        },
        Locale::Spanish => Notice {
            subject: format!("Te damos la bienvenida a {shop}"),
            title: format!("¡Hola, {name}!"),
            paragraphs: vec![
                "Tu cuenta está lista. Confirma que esta dirección de correo es tuya, para que \
                podamos ayudarte si pierdes la contraseña."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: link.map(|link| ("Confirmar mi correo", link)),
        },
    };
    send(notice, &app, &user.email, user.locale, "welcome").await
}

async fn verification(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some((user, Some(token))) = email::issue_verification(&app, &app.system(), user).await?
    else {
        return Ok(());
    };
    let link = urls::verify_email(&token);
    let notice = match user.locale {
        Locale::English => Notice {
            subject: "Confirm your e-mail".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "Please confirm that this e-mail address is yours. The link is good for three \
                days."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Confirm my e-mail", link)),
        },
        Locale::Spanish => Notice {
            subject: "Confirma tu correo".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "Confirma que esta dirección de correo es tuya. El enlace vale tres días."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Confirmar mi correo", link)),
        },
    };
    send(notice, &app, &user.email, user.locale, "verification").await
}

async fn reset(app: App, payload: Value) -> Result<()> {
    let Forgotten { email } = serde_json::from_value(payload)?;
    let Some(email) = Email::parse(&email) else {
        return Ok(());
    };
    let Some((user, token)) = password::issue_reset(&app, &app.system(), &email).await? else {
        return Ok(());
    };
    let link = urls::reset_password(&token);
    let notice = match user.locale {
        Locale::English => Notice {
            subject: "Set a new password".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "Somebody, probably you, asked to set a new password for your account. The link \
                is good for one use, within 30 minutes."
                    .to_owned(),
                "If it was not you, do nothing: your password stays as it is.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Set a new password", link)),
        },
        Locale::Spanish => Notice {
            subject: "Elige una contraseña nueva".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "Alguien, probablemente tú, ha pedido una contraseña nueva para tu cuenta. El \
                enlace vale una sola vez, durante 30 minutos."
                    .to_owned(),
                "Si no has sido tú, no hagas nada: tu contraseña sigue siendo la misma.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Elegir una contraseña", link)),
        },
    };
    send(notice, &app, &user.email, user.locale, "reset").await
}

async fn password_changed(app: App, payload: Value) -> Result<()> {
    let About { user } = serde_json::from_value(payload)?;
    let Some(user) = service::user(&app, user).await? else {
        return Ok(());
    };
    let link = urls::FORGOT_PASSWORD.to_owned();
    let notice = match user.locale {
        Locale::English => Notice {
            subject: "Your password was changed".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "The password of your account was changed, and all sign-ins with the old one \
                ended."
                    .to_owned(),
                "If it was not you, set a new password at once.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Set a new password", link)),
        },
        Locale::Spanish => Notice {
            subject: "Tu contraseña ha cambiado".to_owned(),
            title: hello(&user),
            paragraphs: vec![
                "La contraseña de tu cuenta ha cambiado, y todas las sesiones abiertas con la \
                anterior se han cerrado."
                    .to_owned(),
                "Si no has sido tú, elige una contraseña nueva enseguida.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Elegir una contraseña", link)),
        },
    };
    send(notice, &app, &user.email, user.locale, "password changed").await
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
    let user = links.user;
    let to_old = to_old_address(&user, &wanted, urls::confirm_email_change(&links.old));
    send(to_old, &app, &user.email, user.locale, "email change, old").await?;
    let to_new = match links.new {
        Some(token) => to_new_address(&user, urls::confirm_email_change(&token)),
        // It is told to the owner of the address, not to who asked.
        None => to_taken_address(user.locale),
    };
    send(to_new, &app, &wanted, user.locale, "email change, new").await
}

fn to_old_address(user: &User, wanted: &Email, link: String) -> Notice {
    match user.locale {
        Locale::English => Notice {
            subject: "Do you want to change your e-mail?".to_owned(),
            title: hello(user),
            paragraphs: vec![
                format!("You asked to use {wanted} for your account instead of this address."),
                "Please confirm it here, and with the link in the letter to the new address. \
                Both links are good for a day."
                    .to_owned(),
                "If it was not you, do nothing, and change your password.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Agree to the change", link)),
        },
        Locale::Spanish => Notice {
            subject: "¿Quieres cambiar tu correo?".to_owned(),
            title: hello(user),
            paragraphs: vec![
                format!("Has pedido usar {wanted} para tu cuenta en lugar de esta dirección."),
                "Confírmalo aquí y con el enlace de la carta a la dirección nueva. Los dos \
                enlaces valen un día."
                    .to_owned(),
                "Si no has sido tú, no hagas nada y cambia tu contraseña.".to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Aceptar el cambio", link)),
        },
    }
}

fn to_new_address(user: &User, link: String) -> Notice {
    match user.locale {
        Locale::English => Notice {
            subject: "Confirm your new e-mail".to_owned(),
            title: hello(user),
            paragraphs: vec![
                "Please confirm that this address is yours and that you want to use it for your \
                account. The link is good for a day."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Confirm my e-mail", link)),
        },
        Locale::Spanish => Notice {
            subject: "Confirma tu correo nuevo".to_owned(),
            title: hello(user),
            paragraphs: vec![
                "Confirma que esta dirección es tuya y que quieres usarla para tu cuenta. El \
                enlace vale un día."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Confirmar mi correo", link)),
        },
    }
}

fn to_taken_address(locale: Locale) -> Notice {
    let link = urls::SIGN_IN.to_owned();
    match locale {
        Locale::English => Notice {
            subject: "You have an account already".to_owned(),
            title: "You have an account already".to_owned(),
            paragraphs: vec![
                "Somebody, probably you, wanted to use this address for another account. It has \
                an account of its own already, and nothing was changed."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Sign in", link)),
        },
        Locale::Spanish => Notice {
            subject: "Ya tienes una cuenta".to_owned(),
            title: "Ya tienes una cuenta".to_owned(),
            paragraphs: vec![
                "Alguien, probablemente tú, quería usar esta dirección para otra cuenta. Ya \
                tiene una propia, y no ha cambiado nada."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: Some(("Entrar", link)),
        },
    }
}

async fn email_changed(app: App, payload: Value) -> Result<()> {
    let Moved { user, old } = serde_json::from_value(payload)?;
    let (Some(user), Some(old)) = (service::user(&app, user).await?, Email::parse(&old)) else {
        return Ok(());
    };
    let email = &user.email;
    let notice = match user.locale {
        Locale::English => Notice {
            subject: "Your e-mail was changed".to_owned(),
            title: hello(&user),
            paragraphs: vec![format!(
                "Your account now uses {email}. Letters about your orders go there from now on."
            )],
            list: Vec::new(),
            action: None,
        },
        Locale::Spanish => Notice {
            subject: "Tu correo ha cambiado".to_owned(),
            title: hello(&user),
            paragraphs: vec![format!(
                "Tu cuenta usa ahora {email}. Las cartas sobre tus pedidos irán allí."
            )],
            list: Vec::new(),
            action: None,
        },
    };
    send(notice, &app, &old, user.locale, "email changed").await
}

async fn farewell(app: App, payload: Value) -> Result<()> {
    let Closed {
        email,
        name,
        locale,
    } = serde_json::from_value(payload)?;
    let Some(email) = Email::parse(&email) else {
        return Ok(());
    };
    let locale = locale.parse().unwrap_or_default();
    let notice = match locale {
        Locale::English => Notice {
            subject: "Your account is deleted".to_owned(),
            title: format!("Goodbye, {name}"),
            paragraphs: vec![
                "Your account is deleted, with your addresses, reviews and cart. Orders stay in \
                our books without your name, and invoices with it, as the law asks."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: None,
        },
        Locale::Spanish => Notice {
            subject: "Tu cuenta está borrada".to_owned(),
            title: format!("Adiós, {name}"),
            paragraphs: vec![
                "Tu cuenta está borrada, con tus direcciones, opiniones y carrito. Los pedidos \
                quedan en nuestros libros sin tu nombre, y las facturas con él, como pide la ley."
                    .to_owned(),
            ],
            list: Vec::new(),
            action: None,
        },
    };
    send(notice, &app, &email, locale, "farewell").await
}

fn hello(user: &User) -> String {
    match user.locale {
        Locale::English => format!("Hello, {}", user.name),
        Locale::Spanish => format!("Hola, {}", user.name),
    }
}

/// Sends a letter about an account. `kind` sets letters apart that say the same.
async fn send(notice: Notice, app: &App, to: &Email, locale: Locale, kind: &str) -> Result<()> {
    let mut letter = notice.letter(app, to, locale)?;
    let now = app.clock.now().rfc3339();
    letter.key = format!("{kind} {to} {now} {}", letter.text);
    Ok(app.mailer.send(letter).await?)
}
