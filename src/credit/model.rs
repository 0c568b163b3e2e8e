//! Gift cards and store credit: accounts of money that shoppers have with the shop, the entries
//! of their ledgers, and how they pay for something.

use sha2::{Digest, Sha256};

use crate::types::{
    CreditAccountId, CreditEntryId, Money, MoneyError, Page, Timestamp, UserId, text_enum,
};

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditKind {
    /// A card: whoever has its code has its money.
    GiftCard,
    /// What a customer has with the shop.
    StoreCredit,
}
text_enum!(CreditKind { GiftCard => "gift_card", StoreCredit => "store_credit" });

/// Why a ledger moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditReason {
    /// The account was opened, or credit was granted.
    Issued,
    /// It paid for an order.
    Spent,
    /// An order's money came back.
    Refunded,
    /// Staff set it right.
    Adjusted,
    /// It was good until then.
    Expired,
}
text_enum!(CreditReason {
    Issued => "issued",
    Spent => "spent",
    Refunded => "refunded",
    Adjusted => "adjusted",
    Expired => "expired",
});

/// Whether an account pays just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditState {
    /// It does.
    Usable,
    /// Nothing is left of it.
    Empty,
    /// It was good until a while ago.
    Expired,
    /// Staff switched it off.
    Off,
}
text_enum!(CreditState {
    Usable => "usable",
    Empty => "empty",
    Expired => "expired",
    Off => "off",
});

/// A gift card, or somebody's store credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditAccount {
    /// Its id.
    pub id: CreditAccountId,
    /// What it is.
    pub kind: CreditKind,
    /// The end of a card's code; empty for store credit, and until a letter brings the code.
    pub last_four: String,
    /// Whose store credit it is; none when the person is gone.
    pub user_id: Option<UserId>,
    /// Their e-mail address, for staff.
    pub user_email: Option<String>,
    /// What is left.
    pub balance: Money,
    /// What was on it at first.
    pub initial: Money,
    /// Until when it pays; none for ever.
    pub expires_at: Option<Timestamp>,
    /// Whether staff let it pay.
    pub active: bool,
    /// For staff.
    pub note: String,
    /// Who got a card by letter; empty for nobody.
    pub recipient_email: String,
    /// What the letter says to them.
    pub message: String,
    /// Counts its changes.
    pub version: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl CreditAccount {
    /// Whether it pays at a moment.
    pub fn state(&self, now: Timestamp) -> CreditState {
        if !self.active {
            CreditState::Off
        } else if self.expires_at.is_some_and(|at| now >= at) {
            CreditState::Expired
        } else if self.balance.is_zero() {
            CreditState::Empty
        } else {
            CreditState::Usable
        }
    }

    /// What it can pay at a moment.
    pub fn spendable(&self, now: Timestamp) -> Money {
        match self.state(now) {
            CreditState::Usable => self.balance,
            CreditState::Empty | CreditState::Expired | CreditState::Off => {
                Money::zero(self.balance.currency())
            }
        }
    }

    /// For shoppers: `Gift card ending 2550`.
    pub fn label(&self) -> String {
        label(self.kind, &self.last_four)
    }
}

fn label(kind: CreditKind, last_four: &str) -> String {
    match kind {
        CreditKind::GiftCard if last_four.is_empty() => "Gift card".to_owned(),
        CreditKind::GiftCard => format!("Gift card ending {last_four}"),
        CreditKind::StoreCredit => "Store credit".to_owned(),
    }
}

/// A movement of a ledger. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditEntry {
    /// Its id.
    pub id: CreditEntryId,
    /// What came, or went where negative, in minor units.
    pub amount_minor: i64,
    /// The same as money, without its sign.
    pub amount: Money,
    /// Why.
    pub reason: CreditReason,
    /// The number of the order; empty for none.
    pub reference: String,
    /// What staff wrote.
    pub note: String,
    /// Who moved it.
    pub actor_name: String,
    /// When.
    pub created_at: Timestamp,
}

impl CreditEntry {
    /// The amount with its sign, in words: `-24.00 €`.
    pub fn signed(&self) -> String {
        let sign = if self.amount_minor < 0 { "-" } else { "+" };
        format!("{sign}{}", self.amount)
    }
}

/// Somebody's store credit, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyCredit {
    /// What they have.
    pub balance: Money,
    /// How it came and went, the newest first.
    pub entries: Page<CreditEntry>,
}

/// A card that was issued with its code, which nobody can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCard {
    /// The card.
    pub account: CreditAccount,
    /// Its code in groups of four; none where a letter brings it.
    pub code: Option<String>,
}

/// What one account pays of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditPart {
    /// Which account.
    pub account_id: CreditAccountId,
    /// What it is.
    pub kind: CreditKind,
    /// The end of a card's code.
    pub last_four: String,
    /// How much.
    pub amount: Money,
}

impl CreditPart {
    /// For shoppers: `Gift card ending 2550`.
    pub fn label(&self) -> String {
        label(self.kind, &self.last_four)
    }
}

/// How something is paid by cards and store credit, and what remains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What is to be paid.
    pub total: Money,
    /// What each account pays, cards first, each above zero.
    pub parts: Vec<CreditPart>,
    /// What is left for another way to pay.
    pub remaining: Money,
}

impl Settlement {
    /// What a card, or the store credit, pays.
    pub fn of(&self, account: CreditAccountId) -> Money {
        let part = self.parts.iter().find(|part| part.account_id == account);
        part.map_or(Money::zero(self.total.currency()), |part| part.amount)
    }

    /// What is paid by accounts of a kind.
    pub fn by(&self, kind: CreditKind) -> Money {
        let parts = self.parts.iter().filter(|part| part.kind == kind);
        let sum = parts.map(|part| part.amount.minor()).sum();
        Money::new(sum, self.total.currency())
    }
}

/// Shares a total out: cards in ascending id, each as far as it goes, then store credit.
pub fn settle(
    total: Money,
    now: Timestamp,
    cards: &[CreditAccount],
    store_credit: Option<&CreditAccount>,
) -> Result<Settlement, MoneyError> {
    let mut cards: Vec<&CreditAccount> = cards.iter().collect();
    cards.sort_by_key(|card| card.id);
    let mut settlement = Settlement {
        total,
        parts: Vec::new(),
        remaining: total,
    };
    for account in cards.into_iter().chain(store_credit) {
        let there = account.spendable(now);
        if there.currency() != total.currency() {
            continue;
        }
        let amount = there.minor().min(settlement.remaining.minor());
        if amount > 0 {
            let amount = Money::new(amount, total.currency());
            settlement.remaining = settlement.remaining.minus(amount)?;
            settlement.parts.push(CreditPart {
                account_id: account.id,
                kind: account.kind,
                last_four: account.last_four.clone(),
                amount,
            });
        }
    }
    Ok(settlement)
}

/// An account whose balance is not the sum of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditImbalance {
    /// Which account.
    pub account_id: CreditAccountId,
    /// What it says is left, in minor units.
    pub balance: i64,
    /// What its entries say.
    pub entries: i64,
}

/// Which cards or accounts a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreditFilter {
    /// The last four of a code, or a part of an e-mail address or note.
    pub search: String,
    /// In this state.
    pub state: Option<CreditState>,
}

/// Letters and digits of a code.
pub const CODE_LENGTH: usize = 16;

/// A code as somebody typed it, in the form that is hashed: capitals and digits, with what is
/// easily mistaken put right (the letters I, L and O stand in no code).
pub fn code_of(typed: &str) -> String {
    let signs = typed.chars().filter(|sign| sign.is_alphanumeric());
    let right = |sign: char| match sign {
        'O' => '0',
        'I' | 'L' => '1',
        sign => sign,
    };
    signs.flat_map(char::to_uppercase).map(right).collect()
}

/// A code as people read it, in groups of four.
pub fn in_groups(code: &str) -> String {
    let signs: Vec<char> = code.chars().collect();
    let groups = signs.chunks(4).map(String::from_iter);
    groups.collect::<Vec<_>>().join("-")
}

/// What is kept of a code: its SHA-256 in hexadecimal digits. It has 80 random bits, so that
/// nobody finds it from its hash.
pub fn hash_of(code: &str) -> String {
    hex::encode(Sha256::digest(code.as_bytes()))
}

/// The end of a code, by which people tell cards apart.
pub fn last_four_of(code: &str) -> String {
    let signs: Vec<char> = code.chars().collect();
    signs[signs.len().saturating_sub(4)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Currency;

    fn account(id: i64, kind: CreditKind, minor: i64) -> CreditAccount {
        let money = Money::new(minor, Currency::eur());
        CreditAccount {
            id: CreditAccountId(id),
            kind,
            last_four: String::new(),
            user_id: None,
            user_email: None,
            balance: money,
            initial: money,
            expires_at: None,
            active: true,
            note: String::new(),
            recipient_email: String::new(),
            message: String::new(),
            version: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn codes_are_read_as_people_write_them() {
        for typed in [
            "demo-gift-card-2550",
            " DEM0 G1FT CARD 2550 ",
            "demogiftcard2550",
        ] {
            assert_eq!(code_of(typed), "DEM0G1FTCARD2550");
        }
        assert_eq!(in_groups("DEM0G1FTCARD2550"), "DEM0-G1FT-CARD-2550");
        assert_eq!(last_four_of("DEM0G1FTCARD2550"), "2550");
        assert_eq!(last_four_of("ab"), "ab");
        assert_eq!(hash_of("a").len(), 64);
    }

    #[test]
    fn cards_pay_first_and_nothing_pays_more_than_there_is() {
        let total = |minor| Money::new(minor, Currency::eur());
        let cards = [
            account(7, CreditKind::GiftCard, 300),
            account(3, CreditKind::GiftCard, 500),
        ];
        let credit = account(1, CreditKind::StoreCredit, 1_000);
        for (sum, expected, remaining) in [
            (0, vec![], 0),
            (400, vec![(3, 400)], 0),
            (600, vec![(3, 500), (7, 100)], 0),
            (1_000, vec![(3, 500), (7, 300), (1, 200)], 0),
            (2_000, vec![(3, 500), (7, 300), (1, 1_000)], 200),
        ] {
            let settled = settle(total(sum), Timestamp(5), &cards, Some(&credit)).unwrap();
            let parts = settled.parts.iter();
            let parts: Vec<_> = parts
                .map(|part| (part.account_id.0, part.amount.minor()))
                .collect();
            assert_eq!(parts, expected);
            assert_eq!(settled.remaining.minor(), remaining);
            let paid: i64 = parts.iter().map(|(_, minor)| minor).sum();
            assert_eq!(paid + remaining, sum);
        }
    }

    #[test]
    fn what_is_off_or_over_pays_nothing() {
        let now = Timestamp(5);
        let card = account(1, CreditKind::GiftCard, 300);
        let off = CreditAccount {
            active: false,
            ..card.clone()
        };
        let over = CreditAccount {
            expires_at: Some(now),
            ..card.clone()
        };
        let good = CreditAccount {
            expires_at: Some(Timestamp(6)),
            ..card.clone()
        };
        let dollars = CreditAccount {
            balance: Money::new(300, "USD".parse().unwrap()),
            ..card
        };
        assert_eq!(off.state(now), CreditState::Off);
        assert_eq!(over.state(now), CreditState::Expired);
        assert_eq!(good.state(now), CreditState::Usable);
        let total = Money::new(100, Currency::eur());
        for unusable in [off, over, dollars] {
            let settled = settle(total, now, &[unusable], None).unwrap();
            assert_eq!(settled.remaining, total);
        }
    }
}
