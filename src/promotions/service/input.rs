//! What staff say of a promotion, read and checked.

use serde::Deserialize;
use utoipa::ToSchema;

use super::super::model::{Benefit, Kind, Promotion, Scope, Target, Trigger, code_of};
use super::super::store;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Conn;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{
    CategoryId, Money, MoneyInput, ProductId, PromotionId, TextEnum, Timestamp, read_percent,
};

/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// The longest code, in characters.
pub(super) const MAX_CODE: usize = 40;
/// The most products or categories that one promotion names.
const MAX_TARGETS: usize = 500;
/// The most pieces on either side of "buy x, get y".
const MAX_PIECES: i64 = 99;
/// The most uses that a limit can name.
const MAX_USES: i64 = 1_000_000_000;

/// A promotion, whole: what is left out is not wanted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PromotionInput {
    /// What shoppers read.
    #[schema(example = "Spring sale")]
    pub name: String,
    /// `automatic` (left out) or `code`.
    pub trigger: Option<String>,
    /// A code for it, unless it has it already; more of them are made by themselves.
    #[schema(example = "SPRING10")]
    pub code: Option<String>,
    /// `percentage`, `amount`, `free_shipping` or `buy_x_get_y`.
    #[schema(example = "percentage")]
    pub kind: String,
    /// `percentage`: how much of the price; `buy_x_get_y`: by how much the pieces are reduced,
    /// left out: by all of it.
    #[schema(example = "10")]
    pub percent: Option<String>,
    /// `amount`: how much, once for each order.
    #[schema(value_type = Option<String>)]
    pub amount: Option<MoneyInput>,
    /// `buy_x_get_y`: pieces at the full price.
    pub buy: Option<i64>,
    /// `buy_x_get_y`: pieces that are reduced, the cheapest.
    pub get: Option<i64>,
    /// `order` (left out), `products` or `categories`.
    pub target: Option<String>,
    /// For `products`: which.
    pub product_ids: Vec<i64>,
    /// For `categories`: which; those below them are meant, too.
    pub category_ids: Vec<i64>,
    /// What the goods that it is for must cost at least.
    #[schema(value_type = Option<String>)]
    pub minimum: Option<MoneyInput>,
    /// Whether it is for a first order only.
    pub first_order: bool,
    /// When it begins, RFC 3339.
    pub starts_at: Option<String>,
    /// When it is over, RFC 3339.
    pub ends_at: Option<String>,
    /// Whether it stands alone: an order has it, or the others, whichever is better.
    pub exclusive: bool,
    /// How many orders may have it.
    pub max_uses: Option<i64>,
    /// How many orders of one customer may have it.
    pub max_uses_per_customer: Option<i64>,
    /// Smaller numbers are applied first.
    pub position: i64,
    /// Whether it counts at all; left out: yes.
    pub active: Option<bool>,
}

impl PromotionInput {
    /// The code that is asked for, in the form that the shop keeps.
    pub(super) fn first_code(&self) -> Option<String> {
        let code = self.code.as_deref().map(code_of);
        code.filter(|code| !code.is_empty())
    }

    /// The promotion that this makes of `before`, or a new one. Errors: `Invalid` by field.
    pub(super) fn read(
        self,
        app: &App,
        ctx: &Ctx,
        before: Option<&Promotion>,
    ) -> Result<Promotion> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() {
            errors.add("name", "required", "Give it a name that shoppers read.");
        } else if name.chars().count() > MAX_NAME {
            errors.add("name", "length", format!("At most {MAX_NAME} characters."));
        }
        let trigger = word(
            &mut errors,
            "trigger",
            self.trigger.as_deref().unwrap_or("automatic"),
        );
        if let Some(code) = self.first_code() {
            check_code(&mut errors, "code", &code);
            if trigger == Some(Trigger::Automatic) {
                let message =
                    "What comes by itself needs no code. Choose \"by code\", or leave this empty.";
                errors.add("code", "not_for_automatic", message);
            }
        }
        let benefit = self.benefit(app, &mut errors);
        let target = self.target(&mut errors);
        let minimum = self.minimum.as_ref();
        let minimum = minimum.and_then(|minimum| money(app, &mut errors, "minimum", minimum));
        let starts_at = moment(&mut errors, "starts_at", self.starts_at.as_deref());
        let ends_at = moment(&mut errors, "ends_at", self.ends_at.as_deref());
        if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
            && starts_at >= ends_at
        {
            errors.add("ends_at", "range", "It must end after it begins.");
        }
        let used = before.map_or(0, |before| before.uses);
        if let Some(most) = self.max_uses {
            if !(1..=MAX_USES).contains(&most) {
                errors.add("max_uses", "range", "Write a number from 1 to 1000000000.");
            } else if most < used {
                let message = format!("It was used {used} times already.");
                errors.add("max_uses", "range", message);
            }
        }
        if self
            .max_uses_per_customer
            .is_some_and(|most| !(1..=MAX_USES).contains(&most))
        {
            let message = "Write a number from 1 to 1000000000.";
            errors.add("max_uses_per_customer", "range", message);
        }
        if !(0..=1_000_000).contains(&self.position) {
            errors.add("position", "range", "Write a number from 0 to 1000000.");
        }
        errors.into_result()?;
        let (Some(trigger), Some(benefit), Some(target)) = (trigger, benefit, target) else {
            return Err(anyhow::anyhow!("a promotion without errors has its parts").into());
        };
        Ok(Promotion {
            id: before.map_or(PromotionId(0), |before| before.id),
            name,
            trigger,
            benefit,
            target,
            minimum: minimum.filter(|minimum| !minimum.is_zero()),
            first_order: self.first_order,
            starts_at,
            ends_at,
            exclusive: self.exclusive,
            max_uses: self.max_uses,
            max_uses_per_customer: self.max_uses_per_customer,
            uses: used,
            position: self.position,
            active: self.active.unwrap_or(true),
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.map_or(ctx.now, |before| before.created_at),
            updated_at: ctx.now,
        })
    }

    fn benefit(&self, app: &App, errors: &mut FieldErrors) -> Option<Benefit> {
        let Some(kind) = Kind::from_word(&self.kind) else {
            let message = "Choose percentage, amount, free_shipping or buy_x_get_y.";
            errors.add("kind", "unknown", message);
            return None;
        };
        match kind {
            Kind::Percentage => self.percent(errors, None).map(Benefit::Percentage),
            Kind::Amount => {
                let Some(amount) = &self.amount else {
                    errors.add("amount", "required", "Write how much it takes off.");
                    return None;
                };
                let amount = money(app, errors, "amount", amount)?;
                if amount.is_zero() {
                    errors.add("amount", "range", "Write an amount above zero.");
                }
                Some(Benefit::Amount(amount))
            }
            Kind::FreeShipping => Some(Benefit::FreeShipping),
            Kind::BuyXGetY => {
                let mut pieces = |field: &str, given: Option<i64>| {
                    let given = given.filter(|given| (1..=MAX_PIECES).contains(given));
                    if given.is_none() {
                        errors.add(field, "range", format!("Write 1 to {MAX_PIECES} pieces."));
                    }
                    given
                };
                let (buy, get) = (pieces("buy", self.buy), pieces("get", self.get));
                let percent = self.percent(errors, Some(10_000));
                Some(Benefit::BuyXGetY {
                    buy: buy?,
                    get: get?,
                    percent: percent?,
                })
            }
        }
    }

    /// A percentage above zero. `usual`: what nothing stands for.
    fn percent(&self, errors: &mut FieldErrors, usual: Option<u32>) -> Option<u32> {
        let typed = self.percent.as_deref().unwrap_or_default();
        if typed.trim().is_empty() && usual.is_some() {
            return usual;
        }
        let read = read_percent(typed).filter(|percent| (1..=10_000).contains(percent));
        if read.is_none() {
            let message = "Write a percentage above 0, at most 100, such as 12.5.";
            errors.add("percent", "range", message);
        }
        read
    }

    fn target(&self, errors: &mut FieldErrors) -> Option<Target> {
        let mut some = |field: &str, ids: &[i64]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids.dedup();
            if ids.is_empty() {
                errors.add(field, "required", "Say what it is for.");
            } else if ids.len() > MAX_TARGETS {
                errors.add(field, "too_many", format!("At most {MAX_TARGETS} of them."));
            }
            ids
        };
        let word = self.target.as_deref().filter(|word| !word.is_empty());
        match word.map_or(Some(Scope::Order), Scope::from_word) {
            Some(Scope::Order) => Some(Target::Order),
            Some(Scope::Products) => {
                let ids = some("product_ids", &self.product_ids);
                Some(Target::Products(ids.into_iter().map(ProductId).collect()))
            }
            Some(Scope::Categories) => {
                let ids = some("category_ids", &self.category_ids);
                Some(Target::Categories(
                    ids.into_iter().map(CategoryId).collect(),
                ))
            }
            None => {
                errors.add("target", "unknown", "Choose order, products or categories.");
                None
            }
        }
    }
}

/// What it is for must be there. Errors: `Invalid` at `product_ids`, `category_ids`.
pub(super) async fn check_target(conn: &mut Conn, target: &Target) -> Result<()> {
    let (field, missing): (&str, Vec<i64>) = match target {
        Target::Order => return Ok(()),
        Target::Products(ids) => {
            let missing = store::missing_products(conn, ids).await?;
            ("product_ids", missing.iter().map(|id| id.0).collect())
        }
        Target::Categories(ids) => {
            let missing = store::missing_categories(conn, ids).await?;
            ("category_ids", missing.iter().map(|id| id.0).collect())
        }
    };
    match missing.first() {
        None => Ok(()),
        Some(id) => Err(Error::invalid(
            field,
            "unknown",
            format!("There is no {id}."),
        )),
    }
}

/// What a code may look like.
pub(super) fn check_code(errors: &mut FieldErrors, field: &str, code: &str) {
    let signs = |sign: char| sign.is_alphanumeric() || "-_.+".contains(sign);
    if !(3..=MAX_CODE).contains(&code.chars().count()) || !code.chars().all(signs) {
        let message = format!("A code has 3 to {MAX_CODE} letters, digits or - _ . +");
        errors.add(field, "code", message);
    }
}

fn word<T: TextEnum>(errors: &mut FieldErrors, field: &str, word: &str) -> Option<T> {
    let read = T::from_word(word);
    if read.is_none() {
        errors.add(field, "unknown", "There is no such choice.");
    }
    read
}

fn money(app: &App, errors: &mut FieldErrors, field: &str, typed: &MoneyInput) -> Option<Money> {
    errors.keep(field, "money", typed.read(app.currency()))
}

fn moment(errors: &mut FieldErrors, field: &str, typed: Option<&str>) -> Option<Timestamp> {
    let typed = typed.map(str::trim).filter(|typed| !typed.is_empty())?;
    let read = Timestamp::typed(typed);
    if read.is_none() {
        errors.add(
            field,
            "invalid",
            "Write a date and time like 2026-12-24T09:00.",
        );
    }
    read
}
