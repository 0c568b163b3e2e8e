//! Who asks, and what they may do.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::types::{Email, Timestamp, UserId, text_enum};

/// What somebody is in the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys.
    Customer,
    /// Works here, with the permissions given.
    Staff,
    /// May do everything.
    Admin,
}
text_enum!(Role { Customer => "customer", Staff => "staff", Admin => "admin" });

/// A part of the shop that staff may work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Products, categories, pictures.
    Catalog,
    /// Stock and its ledger.
    Inventory,
    /// Orders, payments, refunds.
    Orders,
    /// People's accounts.
    Customers,
    /// Discounts and coupons.
    Promotions,
    /// The shop's settings, staff and their permissions.
    Settings,
    /// Figures.
    Reports,
}
text_enum!(Permission {
    Catalog => "catalog",
    Inventory => "inventory",
    Orders => "orders",
    Customers => "customers",
    Promotions => "promotions",
    Settings => "settings",
    Reports => "reports",
});

/// The person or program behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody who signed in.
    Guest,
    /// Somebody who did.
    User(CurrentUser),
    /// The shop itself: jobs and commands.
    System,
}

/// A signed-in user, as the request found them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentUser {
    /// Their id.
    pub id: UserId,
    /// Their address.
    pub email: Email,
    /// How they want to be called.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// What staff may work on; empty for customers, not needed by admins.
    pub permissions: Vec<Permission>,
}

/// Everything about a request that a service may depend on.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// Names this request in the log and in error pages.
    pub request_id: String,
    /// Where from, where that is known.
    pub address: Option<IpAddr>,
    /// The token of a guest's cart, from the session or the `Cart-Token` header.
    pub cart_token: Option<String>,
    /// A token that opens a guest's order, from the link or the `Order-Token` header.
    pub order_token: Option<String>,
}

impl Ctx {
    /// The shop itself, at `now`.
    pub fn system(now: Timestamp) -> Self {
        Self {
            actor: Actor::System,
            now,
            request_id: "system".to_owned(),
            address: None,
            cart_token: None,
            order_token: None,
        }
    }

    /// The signed-in user, if there is one.
    pub fn user(&self) -> Option<&CurrentUser> {
        match &self.actor {
            Actor::User(user) => Some(user),
            Actor::Guest | Actor::System => None,
        }
    }

    /// The id of the signed-in user, if there is one.
    pub fn user_id(&self) -> Option<UserId> {
        self.user().map(|user| user.id)
    }

    /// The signed-in user, or [`Error::Unauthenticated`].
    pub fn signed_in(&self) -> Result<&CurrentUser> {
        self.user().ok_or(Error::Unauthenticated)
    }

    /// Whether the asker may work on this part of the shop.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.actor {
            Actor::System => true,
            Actor::Guest => false,
            Actor::User(user) => match user.role {
                Role::Admin => true,
                Role::Staff => user.permissions.contains(&permission),
                Role::Customer => false,
            },
        }
    }

    /// The gate of every staff service: guests must sign in, others may not pass.
    pub fn require(&self, permission: Permission) -> Result<()> {
        self.require_any(&[permission])
    }

    /// Like [`require`](Self::require), for those who may work on one of these parts.
    pub fn require_any(&self, permissions: &[Permission]) -> Result<()> {
        if permissions.iter().any(|&permission| self.may(permission)) {
            Ok(())
        } else if self.actor == Actor::Guest {
            Err(Error::Unauthenticated)
        } else {
            Err(Error::Forbidden)
        }
    }

    /// The gate of what everybody who works here may see: guests must sign in, customers may
    /// not pass.
    pub fn require_staff(&self) -> Result<()> {
        if self.is_staff() {
            Ok(())
        } else if self.actor == Actor::Guest {
            Err(Error::Unauthenticated)
        } else {
            Err(Error::Forbidden)
        }
    }

    /// Whether the asker works here at all.
    pub fn is_staff(&self) -> bool {
        match &self.actor {
            Actor::System => true,
            Actor::Guest => false,
            Actor::User(user) => user.role != Role::Customer,
        }
    }

    /// Whether the asker is this user.
    pub fn is(&self, user: UserId) -> bool {
        self.user_id() == Some(user)
    }

    /// The name that timelines and the audit log show.
    pub fn actor_name(&self) -> String {
        match &self.actor {
            Actor::Guest => "Guest".to_owned(),
            Actor::System => "The shop".to_owned(),
            Actor::User(user) => user.name.clone(),
        }
    }
}
