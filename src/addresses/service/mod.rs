//! Address books: what people saved of where their orders and bills go.

mod fields;

use serde::{Deserialize, Serialize};

use super::model::{PostalAddress, SavedAddress};
use super::store;
use crate::accounts;
use crate::app::App;
use crate::ctx::{Ctx, Rule};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{AddressId, UserId};

pub use fields::{AddressFields, is_blank, is_complete, read};

/// The most addresses of one book.
pub const MAX_ADDRESSES: usize = 50;

/// What is given of an address in a book; what is left out stays, or is empty in a new one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressChange {
    /// Who lives there.
    pub name: Option<String>,
    /// Street and number.
    pub line1: Option<String>,
    /// More of it.
    pub line2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Region or state.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Whether orders go there unless said otherwise; no other address then.
    pub default_shipping: Option<bool>,
    /// Whether bills go there unless said otherwise; no other address then.
    pub default_billing: Option<bool>,
}

impl AddressChange {
    /// An address with what this says of it.
    fn over(&self, address: PostalAddress) -> AddressFields {
        let text = |given: &Option<String>, kept: String| given.clone().unwrap_or(kept);
        AddressFields {
            name: text(&self.name, address.name),
            line1: text(&self.line1, address.line1),
            line2: text(&self.line2, address.line2),
            city: text(&self.city, address.city),
            region: text(&self.region, address.region),
            postal_code: text(&self.postal_code, address.postal_code),
            country: text(&self.country, address.country),
            phone: text(&self.phone, address.phone),
        }
    }
}

/// The signed-in user's addresses, the oldest first. Errors: `Unauthenticated`.
pub async fn list(app: &App, ctx: &Ctx) -> Result<Vec<SavedAddress>> {
    let user = ctx.signed_in()?.id;
    Ok(store::of_user(&mut app.db.conn().await?, user).await?)
}

/// One of the signed-in user's addresses. Errors: `Unauthenticated`; `NotFound`, for those of
/// others, too.
pub async fn address(app: &App, ctx: &Ctx, id: AddressId) -> Result<SavedAddress> {
    ctx.check(Rule::SignedIn)?;
    own(&mut app.db.conn().await?, ctx, id).await
}

/// Adds an address to the signed-in user's book; the first one is the default for orders and
/// bills. Errors: `Unauthenticated`; fields; `Conflict` `too_many` when the book is full.
pub async fn add(app: &App, ctx: &Ctx, input: AddressChange) -> Result<SavedAddress> {
    let user = ctx.signed_in()?.id;
    let fields = input.over(PostalAddress::default());
    let mut errors = FieldErrors::default();
    let address = read(fields, "", &mut errors);
    errors.into_result()?;
    let address = address.ok_or(Error::NotFound)?;
    let mut tx = app.db.begin().await?;
    accounts::service::lock(&mut tx, user).await?;
    let id = insert(&mut tx, ctx, user, &address, &input).await?;
    let saved = own(&mut tx, ctx, id).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Adds an address that an order of the signed-in user went to, unless the book has it.
pub async fn remember(app: &App, ctx: &Ctx, address: &PostalAddress) -> Result<()> {
    let user = ctx.signed_in()?.id;
    let mut tx = app.db.begin().await?;
    accounts::service::lock(&mut tx, user).await?;
    let book = store::of_user(&mut tx, user).await?;
    if book.iter().any(|saved| saved.address == *address) {
        return Ok(());
    }
    insert(&mut tx, ctx, user, address, &AddressChange::default()).await?;
    Ok(tx.commit().await?)
}

/// Changes one of the signed-in user's addresses. Errors: `Unauthenticated`; `NotFound`; fields.
pub async fn change(
    app: &App,
    ctx: &Ctx,
    id: AddressId,
    input: AddressChange,
) -> Result<SavedAddress> {
    let user = ctx.signed_in()?.id;
    let mut tx = app.db.begin().await?;
    accounts::service::lock(&mut tx, user).await?;
    let before = own(&mut tx, ctx, id).await?;
    let mut errors = FieldErrors::default();
    let address = read(input.over(before.address.clone()), "", &mut errors);
    errors.into_result()?;
    let address = address.ok_or(Error::NotFound)?;
    store::update(&mut tx, id, &address, ctx.now).await?;
    let wished = |wish: Option<bool>, was: bool| wish.filter(|wish| *wish != was);
    if let Some(becomes) = wished(input.default_shipping, before.default_shipping) {
        store::set_default_shipping(&mut tx, user, becomes.then_some(id)).await?;
    }
    if let Some(becomes) = wished(input.default_billing, before.default_billing) {
        store::set_default_billing(&mut tx, user, becomes.then_some(id)).await?;
    }
    let after = own(&mut tx, ctx, id).await?;
    tx.commit().await?;
    Ok(after)
}

/// Removes one of the signed-in user's addresses; orders keep their copy. Errors:
/// `Unauthenticated`; `NotFound`.
pub async fn remove(app: &App, ctx: &Ctx, id: AddressId) -> Result<()> {
    ctx.check(Rule::SignedIn)?;
    let mut tx = app.db.begin().await?;
    own(&mut tx, ctx, id).await?;
    store::delete(&mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// The book of a user, for the export of what the shop knows of them.
pub async fn of_user(conn: &mut Conn, user: UserId) -> Result<Vec<SavedAddress>> {
    Ok(store::of_user(conn, user).await?)
}

/// Removes the book of a user whose account ends.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<()> {
    store::delete_all(tx, user).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    ctx: &Ctx,
    user: UserId,
    address: &PostalAddress,
    wishes: &AddressChange,
) -> Result<AddressId> {
    let book = store::of_user(tx, user).await?;
    if book.len() >= MAX_ADDRESSES {
        let message = format!("You have {MAX_ADDRESSES} addresses. Remove one first.");
        return Err(Error::conflict("too_many", message));
    }
    let id = store::insert(tx, user, address, ctx.now).await?;
    if wishes.default_shipping.unwrap_or(book.is_empty()) {
        store::set_default_shipping(tx, user, Some(id)).await?;
    }
    if wishes.default_billing.unwrap_or(book.is_empty()) {
        store::set_default_billing(tx, user, Some(id)).await?;
    }
    Ok(id)
}

async fn own(conn: &mut Conn, ctx: &Ctx, id: AddressId) -> Result<SavedAddress> {
    let found = store::by_id(conn, id).await?;
    let found = found.filter(|saved| ctx.allows(Rule::IsOwner(saved.user_id)));
    found.ok_or(Error::NotFound)
}
