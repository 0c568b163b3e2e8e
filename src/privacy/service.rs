//! Handing out what the shop knows of a person (GDPR, articles 15 and 20), and forgetting it
//! (article 17).

use super::model::MyData;
use crate::accounts::service::{self as accounts, CloseAccount};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::{addresses, audit, cart, credit, inventory, orders, promotions, reviews};

/// All that the shop knows of the signed-in user. Errors: `Unauthenticated`.
pub async fn my_data(app: &App, ctx: &Ctx) -> Result<MyData> {
    let user = accounts::me(app, ctx).await?;
    Ok(MyData {
        sign_ins: accounts::sign_ins(app, ctx).await?,
        tokens: accounts::personal_tokens(app, ctx).await?,
        addresses: addresses::service::list(app, ctx).await?,
        orders: orders::service::all_own(app, ctx).await?,
        reviews: reviews::service::all_own(app, ctx).await?,
        cart: cart::service::current(app, ctx).await?,
        waits: inventory::service::own_waits(app, ctx).await?,
        credit: credit::service::all_own(app, ctx).await?,
        user,
    })
}

/// Ends the signed-in user's account: all or nothing. Their addresses, reviews, carts, sign-ins
/// and the account go; their orders and what the audit log says they did stay without them. Store credit
/// does not hold them back (whoever wants to leave need not shop first), but nobody loses it unawares:
/// it goes when the input says so. Errors: `Unauthenticated`; `Invalid` at `password`; `TooMany`;
/// `Conflict` `works_here`, `open_orders`, `credit_left`.
pub async fn close_account(app: &App, ctx: &Ctx, input: CloseAccount) -> Result<()> {
    let user = accounts::may_close(app, ctx, &input).await?;
    let mut tx = app.db.begin().await?;
    accounts::lock(&mut tx, user.id).await?;
    // Carts first: whoever places one just now holds its row, and comes before or not at all.
    cart::service::erase(&mut tx, user.id).await?;
    orders::service::erase(&mut tx, ctx, user.id).await?;
    credit::service::forfeit(&mut tx, ctx, user.id, input.forfeit_credit).await?;
    credit::service::erase(&mut tx, user.id, user.email.as_str()).await?;
    promotions::service::erase(&mut tx, user.id).await?;
    reviews::service::erase(&mut tx, user.id).await?;
    addresses::service::erase(&mut tx, user.id).await?;
    inventory::service::erase(&mut tx, user.id, &user.email).await?;
    accounts::remove(&mut tx, ctx, &user).await?;
    // Last: what was written of it just now is erased, too.
    audit::erase_person(app, &mut tx, ctx, user.id).await?;
    tx.commit().await?;
    metrics::counter!("zoco_accounts_closed_total").increment(1);
    Ok(())
}
