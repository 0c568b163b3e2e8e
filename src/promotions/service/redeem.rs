//! Counting uses, within the transaction of the order.

use super::super::model::{Customer, Promotion, Redemption};
use super::super::store;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::pricing::{self, Applied};
use crate::types::Email;

/// A promotion that could not be counted once more: somebody else was faster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the order was priced with.
    pub applied: Applied,
    /// Why it does not count after all.
    pub reason: pricing::Refusal,
}

/// Counts the promotions of an order, all or none, in ascending id. Each count is one conditional
/// statement that also locks the promotion; what a customer used is counted after it, and so sees
/// each order before. Gives the first one that may not be used once more; then the caller must
/// roll back. `reference`: the order's number.
pub async fn redeem(
    tx: &mut Tx,
    ctx: &Ctx,
    customer: &Customer,
    reference: &str,
    applied: &[Applied],
) -> Result<Option<Refusal>> {
    let mut applied = applied.to_vec();
    applied.sort_by_key(|one| one.id);
    let ids: Vec<_> = applied.iter().map(|one| one.id).collect();
    let promotions = store::by_ids(tx, &ids).await?;
    if promotions.iter().any(|one| one.first_order) {
        store::lock_first_orders(tx).await?;
    }
    for one in &applied {
        let promotion = promotions.iter().find(|promotion| promotion.id == one.id);
        if let Some(reason) = count(tx, customer, one, promotion).await? {
            metrics::counter!("zoco_promotions_refused_total", "reason" => reason.code())
                .increment(1);
            return Ok(Some(Refusal {
                applied: one.clone(),
                reason,
            }));
        }
        let redemption = Redemption {
            promotion_id: one.id,
            reference: reference.to_owned(),
            code: one.code.clone(),
            email: customer
                .email
                .as_ref()
                .map(Email::to_string)
                .unwrap_or_default(),
            amount: one.amount,
            created_at: ctx.now,
            released_at: None,
        };
        store::insert_redemption(tx, &redemption, customer).await?;
    }
    metrics::counter!("zoco_promotions_redeemed_total").increment(applied.len() as u64);
    Ok(None)
}

async fn count(
    tx: &mut Tx,
    customer: &Customer,
    applied: &Applied,
    promotion: Option<&Promotion>,
) -> Result<Option<pricing::Refusal>> {
    if !store::use_promotion(tx, applied.id).await? {
        return Ok(Some(pricing::Refusal::UsedUp));
    }
    if let Some(code) = &applied.code
        && !store::use_code(tx, applied.id, code).await?
    {
        return Ok(Some(pricing::Refusal::UsedUp));
    }
    let Some(promotion) = promotion else {
        return Ok(Some(pricing::Refusal::Over));
    };
    if let Some(most) = promotion.max_uses_per_customer {
        let used = store::count_of_customer(tx, &[applied.id], customer).await?;
        if used.first().is_some_and(|(_, count)| *count >= most) {
            return Ok(Some(pricing::Refusal::UsedByYou));
        }
    }
    if promotion.first_order && store::has_ordered(tx, customer).await? {
        return Ok(Some(pricing::Refusal::NotFirstOrder));
    }
    Ok(None)
}

/// Gives back what a cancelled order used. A second call does nothing.
pub async fn release(tx: &mut Tx, ctx: &Ctx, reference: &str) -> Result<()> {
    store::release(tx, reference, ctx.now).await?;
    Ok(())
}
