//! Who is signed in, and what they may change of themselves.

use super::input::{self, UpdateProfile};
use crate::accounts::model::User;
use crate::accounts::store;
use crate::app::App;
use crate::ctx::{Ctx, CurrentUser};
use crate::error::{Error, FieldErrors, Result};
use crate::types::UserId;

/// The user of a session; none when they are gone.
pub async fn current_user(app: &App, id: UserId) -> Result<Option<CurrentUser>> {
    let user = store::by_id(&mut app.db.conn().await?, id).await?;
    Ok(user.map(|user| user.current()))
}

/// The signed-in user. Errors: `Unauthenticated`.
pub async fn me(app: &App, ctx: &Ctx) -> Result<User> {
    let id = ctx.signed_in()?.id;
    let user = store::by_id(&mut app.db.conn().await?, id).await?;
    user.ok_or(Error::Unauthenticated)
}

/// Changes the signed-in user's own profile. Errors: `Unauthenticated`; fields.
pub async fn update_profile(app: &App, ctx: &Ctx, input: UpdateProfile) -> Result<User> {
    let id = ctx.signed_in()?.id;
    let mut errors = FieldErrors::default();
    let name = input.name.map(|given| input::name(&mut errors, &given));
    let phone = input.phone.map(|given| input::phone(&mut errors, &given));
    errors.into_result()?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, id).await?;
    let mut user = store::by_id(&mut tx, id)
        .await?
        .ok_or(Error::Unauthenticated)?;
    user.name = name.unwrap_or(user.name);
    user.phone = phone.unwrap_or(user.phone);
    store::set_profile(&mut tx, id, &user.name, &user.phone, ctx.now).await?;
    tx.commit().await?;
    Ok(user)
}
