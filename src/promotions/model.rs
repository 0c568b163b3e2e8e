//! Promotions, their codes, and each use of them.

use crate::pricing;
use crate::types::{
    Currency, Email, Money, PromotionCodeId, PromotionId, Timestamp, UserId, text_enum,
};

/// What a promotion gives and what it is for: its store reads and writes them.
pub use crate::pricing::{Benefit, Target};

/// What brings a promotion about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// It comes by itself.
    #[default]
    Automatic,
    /// The shopper gives a code.
    Code,
}
text_enum!(Trigger { Automatic => "automatic", Code => "code" });

/// What a promotion gives, without how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A share of the price.
    Percentage,
    /// An amount, once for each order.
    Amount,
    /// Shipping costs nothing.
    FreeShipping,
    /// Some pieces are reduced when enough are bought.
    BuyXGetY,
}
text_enum!(Kind {
    Percentage => "percentage",
    Amount => "amount",
    FreeShipping => "free_shipping",
    BuyXGetY => "buy_x_get_y",
});

impl Kind {
    /// That of a benefit.
    pub fn of(benefit: &Benefit) -> Self {
        match benefit {
            Benefit::Percentage(_) => Self::Percentage,
            Benefit::Amount(_) => Self::Amount,
            Benefit::FreeShipping => Self::FreeShipping,
            Benefit::BuyXGetY { .. } => Self::BuyXGetY,
        }
    }
}

/// What a promotion is for, without which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole order.
    Order,
    /// Some products.
    Products,
    /// Some categories, and those below them.
    Categories,
}
text_enum!(Scope { Order => "order", Products => "products", Categories => "categories" });

impl Scope {
    /// That of a target.
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Order => Self::Order,
            Target::Products(_) => Self::Products,
            Target::Categories(_) => Self::Categories,
        }
    }
}

/// Whether a promotion counts just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromotionState {
    /// It does.
    Live,
    /// It has not begun.
    Scheduled,
    /// It is over.
    Over,
    /// It was used as often as it may be.
    UsedUp,
    /// Staff switched it off.
    Off,
}
text_enum!(PromotionState {
    Live => "live",
    Scheduled => "scheduled",
    Over => "over",
    UsedUp => "used_up",
    Off => "off",
});

/// A promotion as staff keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its id.
    pub id: PromotionId,
    /// What shoppers read.
    pub name: String,
    /// What brings it about.
    pub trigger: Trigger,
    /// What it gives.
    pub benefit: Benefit,
    /// What it is for.
    pub target: Target,
    /// What the goods that it is for must cost at least.
    pub minimum: Option<Money>,
    /// Whether it is for a first order only.
    pub first_order: bool,
    /// When it begins; none for at once.
    pub starts_at: Option<Timestamp>,
    /// When it is over; none for never.
    pub ends_at: Option<Timestamp>,
    /// Whether it stands alone.
    pub exclusive: bool,
    /// How many orders may have it; none for no end.
    pub max_uses: Option<i64>,
    /// How many orders of one customer may have it.
    pub max_uses_per_customer: Option<i64>,
    /// How many orders have it.
    pub uses: i64,
    /// Smaller numbers are applied first.
    pub position: i64,
    /// Whether staff want it to count at all.
    pub active: bool,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Promotion {
    /// Whether it counts at a moment.
    pub fn state(&self, now: Timestamp) -> PromotionState {
        if !self.active {
            PromotionState::Off
        } else if self.ends_at.is_some_and(|ends_at| now >= ends_at) {
            PromotionState::Over
        } else if self.max_uses.is_some_and(|most| self.uses >= most) {
            PromotionState::UsedUp
        } else if self.starts_at.is_some_and(|starts_at| now < starts_at) {
            PromotionState::Scheduled
        } else {
            PromotionState::Live
        }
    }

    /// Whether its amounts are in another currency than the shop's of today.
    pub fn benefit_currency_differs(&self, currency: Currency) -> bool {
        let amount = match self.benefit {
            Benefit::Amount(amount) => Some(amount),
            _ => None,
        };
        let mut amounts = amount.into_iter().chain(self.minimum);
        amounts.any(|amount| amount.currency() != currency)
    }

    /// For the pricing kernel: as it stands for somebody who gave `code`, or none. `barred`: why
    /// it is not for them, where the books say so.
    pub fn offer(
        self,
        code: Option<String>,
        barred: Option<pricing::Refusal>,
    ) -> pricing::Promotion {
        pricing::Promotion {
            id: self.id,
            name: self.name,
            code,
            benefit: self.benefit,
            target: self.target,
            minimum: self.minimum,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            exclusive: self.exclusive,
            barred,
        }
    }
}

/// A code that brings a promotion about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its id.
    pub id: PromotionCodeId,
    /// Of which promotion.
    pub promotion_id: PromotionId,
    /// In capitals.
    pub code: String,
    /// How many orders may use it; none for no end but the promotion's.
    pub max_uses: Option<i64>,
    /// How many orders used it.
    pub uses: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A code as somebody typed it, in the form that the shop keeps: without spaces, in capitals.
pub fn code_of(typed: &str) -> String {
    typed.split_whitespace().collect::<String>().to_uppercase()
}

/// Who buys, as far as limits of promotions go. Before a guest has said their e-mail, nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The account.
    pub user_id: Option<UserId>,
    /// The address of the order.
    pub email: Option<Email>,
}

impl Customer {
    /// Whether anything is known of them.
    pub fn is_known(&self) -> bool {
        self.user_id.is_some() || self.email.is_some()
    }
}

/// What the shop offers to a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// For the kernel, the most important first.
    pub promotions: Vec<pricing::Promotion>,
    /// Codes that bring nothing about, and why.
    pub refused: Vec<pricing::Refused>,
}

/// A use of a promotion by an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Which promotion.
    pub promotion_id: PromotionId,
    /// The number of the order.
    pub reference: String,
    /// The code that was given.
    pub code: Option<String>,
    /// Whose order.
    pub email: String,
    /// What it took off.
    pub amount: Money,
    /// When.
    pub created_at: Timestamp,
    /// When the order was cancelled and the use given back.
    pub released_at: Option<Timestamp>,
}

/// A promotion or code whose count of uses is not that of its redemptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseImbalance {
    /// `promotion 3`, `code SPRING`.
    pub what: String,
    /// What is counted.
    pub uses: i64,
    /// What the redemptions say.
    pub redemptions: i64,
}

/// Which promotions a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionFilter {
    /// Part of a name, or a whole code.
    pub search: String,
    /// In this state.
    pub state: Option<PromotionState>,
}
