//! What the shop offers to a cart: promotions that come by themselves, and those of its codes,
//! each with what the books have against it.

use std::collections::HashMap;

use super::super::model::{Customer, Offers, Promotion};
use super::super::store;
use crate::db::Conn;
use crate::error::Result;
use crate::pricing::{Refusal, Refused};
use crate::types::{Currency, PromotionId, Timestamp};

/// The most automatic promotions that are looked at for one cart.
const MAX_AUTOMATIC: i64 = 100;

/// What the shop offers at a moment to a customer who gave these codes, in capitals. Limits are
/// looked at, not counted: [`redeem`](super::redeem) counts. What is not known of the customer
/// yet is taken to be fine.
pub async fn offers(
    conn: &mut Conn,
    currency: Currency,
    codes: &[String],
    customer: &Customer,
    at: Timestamp,
) -> Result<Offers> {
    let mut promotions = store::automatic(conn, currency, at, MAX_AUTOMATIC).await?;
    let found = store::with_codes(conn, codes).await?;
    let mut offers = Offers::default();
    // The code by which a promotion comes, and whether the code itself is used up.
    let mut by_code: HashMap<PromotionId, (String, bool)> = HashMap::new();
    for code in codes {
        let refuse = |reason| Refused {
            name: code.clone(),
            code: Some(code.clone()),
            reason,
        };
        match found.iter().find(|one| one.code == *code) {
            None => offers.refused.push(refuse(Refusal::Unknown)),
            Some(one) if by_code.contains_key(&one.promotion_id) => {
                offers.refused.push(refuse(Refusal::NotCombined));
            }
            Some(one) => {
                let full = one.max_uses.is_some_and(|most| one.uses >= most);
                by_code.insert(one.promotion_id, (code.clone(), full));
            }
        }
    }
    if !by_code.is_empty() {
        let ids: Vec<PromotionId> = by_code.keys().copied().collect();
        promotions.retain(|one| !by_code.contains_key(&one.id));
        promotions.extend(store::by_ids(conn, &ids).await?);
    }
    promotions.sort_by_key(|one| (one.position, one.id));

    let limited = promotions
        .iter()
        .filter(|one| one.max_uses_per_customer.is_some());
    let limited: Vec<PromotionId> = limited.map(|one| one.id).collect();
    let used = store::count_of_customer(conn, &limited, customer).await?;
    let asks_first = promotions.iter().any(|one| one.first_order) && customer.is_known();
    let has_ordered = asks_first && store::has_ordered(conn, customer).await?;
    for promotion in promotions {
        let code = by_code.get(&promotion.id);
        let barred = if !promotion.active || promotion.benefit_currency_differs(currency) {
            Some(Refusal::Over)
        } else if code.is_some_and(|(_, full)| *full)
            || promotion
                .max_uses
                .is_some_and(|most| promotion.uses >= most)
        {
            Some(Refusal::UsedUp)
        } else if promotion.first_order && has_ordered {
            Some(Refusal::NotFirstOrder)
        } else if used_by(&used, &promotion) {
            Some(Refusal::UsedByYou)
        } else {
            None
        };
        let code = code.map(|(code, _)| code.clone());
        offers.promotions.push(promotion.offer(code, barred));
    }
    Ok(offers)
}

fn used_by(used: &[(PromotionId, i64)], promotion: &Promotion) -> bool {
    let mine = used.iter().find(|(id, _)| *id == promotion.id);
    let mine = mine.map_or(0, |(_, count)| *count);
    promotion
        .max_uses_per_customer
        .is_some_and(|most| mine >= most)
}
