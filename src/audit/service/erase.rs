//! Erasing a person's data from the log, without breaking the chain.

use serde_json::json;

use super::chain::chain_lot;
use crate::app::App;
use crate::audit::store::{self, NewEntry};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::types::UserId;

/// The action of the entry that tells of it; a check accepts no erased entry without one.
pub(super) const ERASED: &str = "person.erased";

/// Erases what the log knows of a person: their name and address from all that they did, and what
/// stands in entries about them (`user 12`, and those of
/// [`record_about`](super::record_about)). That something was done, when, to what, and by the user
/// with this number, stays; so does what staff changed of goods and orders. Gives of how many
/// entries something was erased.
///
/// Call it last in the transaction that deletes the account: what is written afterwards in the
/// person's name is not erased. Until it ends, nothing is added to the chain.
pub async fn erase_person(app: &App, tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<u64> {
    let mut head = store::lock_head(tx).await?;
    // What is not sealed yet could be erased only with its proof.
    while chain_lot(app, tx, &mut head).await? > 0 {}
    let who = store::erase_who(tx, user, ctx.now).await?;
    let what = store::erase_what(tx, user, ctx.now).await?;
    let erased = json!({ "actor_of": who, "content_of": what });
    let by_themselves = ctx.is(user);
    let name = ctx.actor_name();
    let address = ctx.address.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let entry = NewEntry {
        action: ERASED,
        subject: &format!("user {user}"),
        before: String::new(),
        after: erased.to_string(),
        actor: ctx.user_id(),
        actor_name: if by_themselves { "" } else { &name },
        address: if by_themselves { "" } else { &address },
        person: None,
    };
    store::insert(tx, &[entry], ctx.now).await?;
    Ok(who + what)
}
