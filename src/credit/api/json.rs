//! Gift cards and store credit as the API writes and reads them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credit::model::{CreditAccount, CreditEntry, IssuedCard, MyCredit};
use crate::ctx::Ctx;
use crate::web::json::MoneyJson;

/// A gift card.
#[derive(Serialize, ToSchema)]
pub struct GiftCardJson {
    /// Its id.
    pub id: i64,
    /// The end of its code; empty until a letter brings it.
    #[schema(example = "2550")]
    pub last_four: String,
    /// What is left.
    pub balance: MoneyJson,
    /// What was on it at first.
    pub initial: MoneyJson,
    /// `usable`, `empty`, `expired` or `off`.
    pub state: &'static str,
    /// Until when it pays; null for ever.
    pub expires_at: Option<String>,
    /// Whether staff let it pay.
    pub active: bool,
    /// For staff.
    pub note: String,
    /// Who got it by letter; null for nobody.
    pub recipient_email: Option<String>,
    /// Counts its changes and movements; the `ETag` is made of it.
    pub version: i64,
    /// When it was issued.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl GiftCardJson {
    pub(super) fn new(ctx: &Ctx, card: &CreditAccount) -> Self {
        let recipient = Some(&card.recipient_email).filter(|email| !email.is_empty());
        Self {
            id: card.id.0,
            last_four: card.last_four.clone(),
            balance: card.balance.into(),
            initial: card.initial.into(),
            state: card.state(ctx.now).as_str(),
            expires_at: card.expires_at.map(|at| at.rfc3339()),
            active: card.active,
            note: card.note.clone(),
            recipient_email: recipient.cloned(),
            version: card.version,
            created_at: card.created_at.rfc3339(),
            updated_at: card.updated_at.rfc3339(),
        }
    }
}

/// A gift card with its code, which is told once.
#[derive(Serialize, ToSchema)]
pub struct IssuedCardJson {
    /// The card.
    #[serde(flatten)]
    pub card: GiftCardJson,
    /// Its code; null where a letter brings it.
    #[schema(example = "7K2M-9QXA-40TB-2550")]
    pub code: Option<String>,
}

impl IssuedCardJson {
    pub(super) fn new(ctx: &Ctx, issued: IssuedCard) -> Self {
        Self {
            card: GiftCardJson::new(ctx, &issued.account),
            code: issued.code,
        }
    }
}

/// Gift cards that were issued.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedCardsJson {
    /// Each with its code.
    pub items: Vec<IssuedCardJson>,
}

/// Somebody's store credit.
#[derive(Serialize, ToSchema)]
pub struct StoreCreditJson {
    /// Its id.
    pub id: i64,
    /// Whose; null when the person is gone.
    pub email: Option<String>,
    /// What they have.
    pub balance: MoneyJson,
    /// When they first got some.
    pub created_at: String,
    /// When it last moved.
    pub updated_at: String,
}

impl From<&CreditAccount> for StoreCreditJson {
    fn from(account: &CreditAccount) -> Self {
        Self {
            id: account.id.0,
            email: account.user_email.clone(),
            balance: account.balance.into(),
            created_at: account.created_at.rfc3339(),
            updated_at: account.updated_at.rfc3339(),
        }
    }
}

/// A movement of a ledger.
#[derive(Serialize, ToSchema)]
pub struct CreditEntryJson {
    /// Its id.
    pub id: i64,
    /// `in` or `out`.
    pub direction: &'static str,
    /// How much.
    pub amount: MoneyJson,
    /// `issued`, `spent`, `refunded`, `adjusted` or `expired`.
    pub reason: &'static str,
    /// The number of the order, or null.
    pub order: Option<String>,
    /// What staff wrote.
    pub note: String,
    /// Who moved it.
    pub actor: String,
    /// When.
    pub created_at: String,
}

impl From<CreditEntry> for CreditEntryJson {
    fn from(entry: CreditEntry) -> Self {
        Self {
            id: entry.id.0,
            direction: if entry.amount_minor < 0 { "out" } else { "in" },
            amount: entry.amount.into(),
            reason: entry.reason.as_str(),
            order: Some(entry.reference).filter(|number| !number.is_empty()),
            note: entry.note,
            actor: entry.actor_name,
            created_at: entry.created_at.rfc3339(),
        }
    }
}

/// One's own store credit.
#[derive(Serialize, ToSchema)]
pub struct MyCreditJson {
    /// What there is to spend.
    pub balance: MoneyJson,
    /// How it came and went, the newest first.
    pub entries: Vec<CreditEntryJson>,
    /// How many entries there are in all.
    pub total: i64,
}

impl From<MyCredit> for MyCreditJson {
    fn from(mine: MyCredit) -> Self {
        let entries = mine.entries.items.into_iter();
        Self {
            balance: mine.balance.into(),
            total: mine.entries.total,
            entries: entries.map(CreditEntryJson::from).collect(),
        }
    }
}

/// A gift card's code.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CardCode {
    /// With or without its strokes; small and capital letters are the same.
    #[schema(example = "7K2M-9QXA-40TB-2550")]
    pub code: String,
}

/// What is left on a gift card.
#[derive(Serialize, ToSchema)]
pub(super) struct CardBalanceJson {
    /// The end of its code.
    pub last_four: String,
    /// What is left.
    pub balance: MoneyJson,
    /// `usable`, `empty` or `expired`.
    pub state: &'static str,
    /// Until when it pays; null for ever.
    pub expires_at: Option<String>,
}
