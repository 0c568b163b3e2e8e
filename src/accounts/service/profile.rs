//! Who is signed in, and what they may change of themselves.

use super::input::{self, UpdateProfile};
use crate::accounts::model::User;
use crate::accounts::store;
use crate::app::App;
use crate::config::Switch;
use crate::ctx::{Ctx, CurrentUser, Role};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Email, UserId};

/// The user of a session; none when they are gone.
pub async fn current_user(app: &App, id: UserId) -> Result<Option<CurrentUser>> {
    Ok(user(app, id).await?.map(|user| asker(app, &user)))
}

/// A user as the asker of a request. Where the shop asks staff for a second factor, who lacks it
/// has the rights of a customer, so that no gate can forget to ask.
pub(super) fn asker(app: &App, user: &User) -> CurrentUser {
    let mut asker = user.current();
    let works_here = user.role != Role::Customer;
    if works_here && !user.two_factor && app.config.staff_two_factor == Switch::On {
        asker.role = Role::Customer;
        asker.permissions.clear();
        asker.lacks_two_factor = true;
    }
    asker
}

/// A user, for what the shop itself does; none when they are gone.
pub async fn user(app: &App, id: UserId) -> Result<Option<User>> {
    Ok(store::by_id(&mut app.db.conn().await?, id).await?)
}

/// The user who has shown that this address is theirs, for what somebody else makes for them; none
/// where nobody has it, or nobody has confirmed it. Who only said that it is theirs when they
/// registered may be anybody.
pub async fn user_of_confirmed(conn: &mut Conn, email: &Email) -> Result<Option<User>> {
    let user = store::by_email(conn, email).await?;
    Ok(user.filter(|user| user.email_verified_at.is_some()))
}

/// The signed-in user. Errors: `Unauthenticated`.
pub async fn me(app: &App, ctx: &Ctx) -> Result<User> {
    let id = ctx.signed_in()?.id;
    user(app, id).await?.ok_or(Error::Unauthenticated)
}

/// Changes the signed-in user's own profile. Errors: `Unauthenticated`; fields.
pub async fn update_profile(app: &App, ctx: &Ctx, input: UpdateProfile) -> Result<User> {
    let id = ctx.signed_in()?.id;
    let mut errors = FieldErrors::default();
    let name = input.name.map(|given| input::name(&mut errors, &given));
    let phone = input.phone.map(|given| input::phone(&mut errors, &given));
    let locale = input.locale.map(|given| input::locale(&mut errors, &given));
    errors.into_result()?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, id).await?;
    let mut user = store::by_id(&mut tx, id)
        .await?
        .ok_or(Error::Unauthenticated)?;
    user.name = name.unwrap_or(user.name);
    user.phone = phone.unwrap_or(user.phone);
    user.locale = locale.flatten().unwrap_or(user.locale);
    if let Some(consents) = input.marketing_consent {
        // Consent keeps the moment at which it was first given.
        let since = user.marketing_consent_at.unwrap_or(ctx.now);
        user.marketing_consent_at = consents.then_some(since);
    }
    store::set_profile(&mut tx, &user, ctx.now).await?;
    tx.commit().await?;
    Ok(user)
}

/// Locks a user: who writes what belongs to them waits for its turn. Errors: `Unauthenticated`
/// when they are gone.
pub async fn lock(tx: &mut Tx, id: UserId) -> Result<()> {
    if store::lock(tx, id).await? {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}
