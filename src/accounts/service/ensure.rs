//! Making customers who never sign in, such as the reviewers of the demo shop.

use serde_json::{Value, json};

use crate::accounts::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission, Role};
use crate::error::Result;
use crate::types::{Email, UserId};

/// Customers with these addresses and names; who is there already stays as they are. Nobody
/// knows the password of those that are made. Gives their ids in the order of `people`.
pub async fn ensure_customers(
    app: &App,
    ctx: &Ctx,
    people: &[(Email, String)],
) -> Result<Vec<UserId>> {
    ctx.require(Permission::Customers)?;
    // One hash for all: it opens nothing, and making one takes long on purpose.
    let password = app.rng.token();
    let hash = app.passwords.hash(&password, app.rng.bytes()).await?;
    let mut ids = Vec::with_capacity(people.len());
    for (email, name) in people {
        ids.push(ensure_customer(app, ctx, email, name, &hash).await?);
    }
    Ok(ids)
}

async fn ensure_customer(
    app: &App,
    ctx: &Ctx,
    email: &Email,
    name: &str,
    hash: &str,
) -> Result<UserId> {
    let mut tx = app.db.begin().await?;
    if let Some(user) = store::by_email(&mut tx, email).await? {
        return Ok(user.id);
    }
    match store::insert(
        &mut tx,
        email,
        name,
        hash,
        Role::Customer,
        ctx.locale,
        ctx.now,
    )
    .await
    {
        Ok(id) => {
            let is = json!({ "email": email.as_str(), "role": Role::Customer.as_str() });
            let subject = format!("user {id}");
            audit::record(&mut tx, ctx, "user.created", &subject, Value::Null, is).await?;
            tx.commit().await?;
            Ok(id)
        }
        // Somebody else made this customer just now.
        Err(error) if error.is_unique() => {
            drop(tx);
            let user = store::by_email(&mut app.db.conn().await?, email).await?;
            user.map(|user| user.id).ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}
