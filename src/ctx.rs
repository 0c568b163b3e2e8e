//! Who asks, and what they may do. Every question of permission is a [`Rule`], and is asked here.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::types::{Email, Locale, Timestamp, UserId, text_enum};

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

/// By what the asker showed who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// By nothing: guests, and the shop itself.
    #[default]
    None,
    /// The session of a browser; what is kept of its id.
    Session(String),
    /// An access token; the sign-in that it comes from.
    SignIn(String),
    /// A personal token.
    Personal,
}

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
    /// The language they chose.
    pub locale: Locale,
    /// Whether they work here and lack the second factor that the shop asks of its staff. Until
    /// they have it, they are a customer like any other.
    pub lacks_two_factor: bool,
}

/// Whether something is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is looked at.
    Read,
    /// It is changed or removed.
    Write,
}

/// A question of permission: who passes. Ask it with [`Ctx::check`], or with [`Ctx::allows`] where
/// the answer is no error.
///
/// The shop itself passes wherever staff do, and owns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule<'a> {
    /// Whoever signed in.
    SignedIn,
    /// The user whose it is.
    IsOwner(UserId),
    /// Everybody to read, the user whose it is to write.
    IsOwnerOrReadOnly(UserId, Access),
    /// Whoever shows the order token with this SHA-256, in hexadecimal digits: a guest owns by it.
    HoldsToken(&'a str),
    /// Everybody who works here.
    StaffAny,
    /// Staff who may work on this part of the shop, and admins.
    Staff(Permission),
    /// Admins.
    Admin,
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
    /// The language to answer in: the account's, else the browser's.
    pub locale: Locale,
    /// With what, as it says itself: the `User-Agent`, cut short; empty where it says nothing.
    pub user_agent: String,
    /// By what they showed who they are.
    pub proof: Proof,
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
            locale: Locale::default(),
            user_agent: String::new(),
            proof: Proof::None,
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

    /// Whether the asker passes.
    pub fn allows(&self, rule: Rule<'_>) -> bool {
        match rule {
            Rule::SignedIn => self.user().is_some(),
            Rule::IsOwner(owner) => self.is(owner),
            Rule::IsOwnerOrReadOnly(owner, access) => access == Access::Read || self.is(owner),
            Rule::HoldsToken(hash) => {
                let token = self.order_token.as_deref();
                token.is_some_and(|token| fits(token, hash))
            }
            Rule::StaffAny => self.works_here(|_| true),
            Rule::Staff(permission) => {
                self.works_here(|user| user.permissions.contains(&permission))
            }
            Rule::Admin => self.works_here(|_| false),
        }
    }

    /// The gate of every service: guests must sign in, others may not pass.
    pub fn check(&self, rule: Rule<'_>) -> Result<()> {
        self.pass(self.allows(rule))
    }

    fn pass(&self, allowed: bool) -> Result<()> {
        if allowed {
            Ok(())
        } else if self.actor == Actor::Guest {
            Err(Error::Unauthenticated)
        } else {
            Err(Error::Forbidden)
        }
    }

    /// Whether the asker works here and, where they are no admin, `suffices`.
    fn works_here(&self, suffices: impl Fn(&CurrentUser) -> bool) -> bool {
        match &self.actor {
            Actor::System => true,
            Actor::Guest => false,
            Actor::User(user) => match user.role {
                Role::Admin => true,
                Role::Staff => suffices(user),
                Role::Customer => false,
            },
        }
    }

    /// Whether the asker may work on this part of the shop.
    pub fn may(&self, permission: Permission) -> bool {
        self.allows(Rule::Staff(permission))
    }

    /// The gate of every service for staff: [`check`](Self::check) of [`Rule::Staff`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        self.check(Rule::Staff(permission))
    }

    /// Like [`require`](Self::require), for those who may work on one of these parts.
    pub fn require_any(&self, permissions: &[Permission]) -> Result<()> {
        self.pass(permissions.iter().any(|&permission| self.may(permission)))
    }

    /// Whether the asker works here at all.
    pub fn is_staff(&self) -> bool {
        self.allows(Rule::StaffAny)
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

/// Whether a token is the one that was hashed; takes as long for a near miss as for a far one.
fn fits(token: &str, hash: &str) -> bool {
    let given = hex::encode(Sha256::digest(token.as_bytes()));
    let differences = given
        .bytes()
        .zip(hash.bytes())
        .fold(0, |found, (left, right)| found | (left ^ right));
    given.len() == hash.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64, role: Role, permissions: &[Permission]) -> Actor {
        Actor::User(CurrentUser {
            id: UserId(id),
            email: Email::parse("ada@example.com").unwrap(),
            name: "Ada".to_owned(),
            role,
            permissions: permissions.to_vec(),
            lacks_two_factor: false,
            locale: Locale::default(),
        })
    }

    #[test]
    fn each_rule_admits_whom_it_names() {
        let orders = [Permission::Orders];
        let actors = [
            Actor::Guest,
            user(1, Role::Customer, &orders),
            user(2, Role::Customer, &[]),
            user(3, Role::Staff, &[]),
            user(4, Role::Staff, &orders),
            user(5, Role::Admin, &[]),
            Actor::System,
        ];
        let owner = UserId(1);
        let hash = hex::encode(Sha256::digest(b"the token"));
        for (rule, admitted) in [
            (Rule::SignedIn, "-12345-"),
            (Rule::IsOwner(owner), "-1-----"),
            (Rule::IsOwnerOrReadOnly(owner, Access::Read), "0123456"),
            (Rule::IsOwnerOrReadOnly(owner, Access::Write), "-1-----"),
            (Rule::HoldsToken(&hash), "-------"),
            (Rule::StaffAny, "---3456"),
            (Rule::Staff(Permission::Orders), "----456"),
            (Rule::Staff(Permission::Catalog), "-----56"),
            (Rule::Admin, "-----56"),
        ] {
            for (at, (actor, sign)) in actors.iter().zip(admitted.chars()).enumerate() {
                let ctx = Ctx {
                    actor: actor.clone(),
                    ..Ctx::system(Timestamp::parse("2026-11-24T12:00:00Z").unwrap())
                };
                assert_eq!(ctx.allows(rule), sign != '-', "{rule:?} and {at}");
                match ctx.check(rule) {
                    Ok(()) => assert_ne!(sign, '-'),
                    Err(Error::Unauthenticated) => assert_eq!(at, 0),
                    Err(error) => assert!(matches!(error, Error::Forbidden) && at > 0, "{error}"),
                }
            }
        }
        for (token, admitted) in [("the token", true), ("the tokeN", false), ("", false)] {
            let ctx = Ctx {
                actor: Actor::Guest,
                order_token: Some(token.to_owned()),
                ..Ctx::system(Timestamp::parse("2026-11-24T12:00:00Z").unwrap())
            };
            assert_eq!(ctx.allows(Rule::HoldsToken(&hash)), admitted, "{token}");
            assert!(!ctx.allows(Rule::HoldsToken("")), "{token}");
        }
    }
}
