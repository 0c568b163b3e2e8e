//! What staff do to stock in one place: change it with a reason, and move it to another place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::count::{MAX_ON_HAND, STOCK_RANGE, may_be};
use super::record;
use super::shelves::{Changes, Shelves};
use super::watch::watch;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::model::{Location, Piece, Reason, StockLevel, StockRow, Transfer};
use crate::inventory::store;
use crate::types::{TextEnum, VariantId};

const MAX_NOTE: usize = 200;
/// The most lines of a transfer.
const MAX_LINES: usize = 100;

/// A change of a shelf, as a form or an API client writes it: `on_hand` or `change`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdjustInput {
    /// Which variant.
    #[schema(value_type = i64)]
    pub variant_id: Option<VariantId>,
    /// The code of the place; left out: `main`.
    pub location: Option<String>,
    /// Pieces that lie there.
    pub on_hand: Option<i64>,
    /// So many more, or fewer where it is negative.
    pub change: Option<i64>,
    /// `received`, `counted`, `damaged`, `lost`, `found`, `returned`, `correction` or `adjusted`.
    pub reason: Option<String>,
    /// What there is to say about it.
    pub note: Option<String>,
}

/// Pieces to move, as a form or an API client writes them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransferInput {
    /// The code of the place that they leave.
    pub from: Option<String>,
    /// The code of the place that they come to.
    pub to: Option<String>,
    /// What goes; at most 100 lines.
    pub lines: Vec<TransferLine>,
    /// What there is to say about it.
    pub note: Option<String>,
}

/// Pieces of a variant to move.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransferLine {
    /// Which variant.
    #[schema(value_type = i64)]
    pub variant_id: Option<VariantId>,
    /// How many pieces.
    pub quantity: Option<i64>,
}

/// Staff: changes a shelf, with a ledger entry that has a reason and a note; gives the variant as
/// it is then. Errors: `NotFound` for a variant that is not there; `Invalid` at `location`,
/// `on_hand`, `change`, `reason`, `note`.
pub async fn adjust(app: &App, ctx: &Ctx, input: AdjustInput) -> Result<StockRow> {
    ctx.require(Permission::Inventory)?;
    let mut errors = FieldErrors::default();
    let note = note(input.note.as_deref(), &mut errors);
    let reason = Reason::from_word(input.reason.as_deref().unwrap_or("adjusted"));
    let reason = reason.filter(|reason| Reason::BY_HAND.contains(reason));
    if reason.is_none() {
        let words: Vec<&str> = Reason::BY_HAND.iter().map(|one| one.as_str()).collect();
        let message = format!("Give one of these: {}.", words.join(", "));
        errors.add("reason", "unknown", message);
    }
    let field = match (input.on_hand, input.change) {
        (Some(_), None) => "on_hand",
        (None, Some(_)) => "change",
        _ => {
            let message = "Give either what lies there or the change.";
            errors.add("change", "one_of", message);
            "change"
        }
    };
    let mut tx = app.db.begin().await?;
    let places = store::locations(&mut tx).await?;
    let code = input.location.as_deref().unwrap_or(Location::MAIN);
    let location = find(&places, "location", code, &mut errors);
    errors.into_result()?;
    let (Some(location), Some(reason)) = (location, reason) else {
        return Err(Error::NotFound);
    };
    let variant_id = input.variant_id.unwrap_or(VariantId(0));
    if store::stock_rows(&mut tx, &[variant_id]).await?.is_empty() {
        return Err(Error::NotFound);
    }
    let shelves = Shelves::lock_or_make(&mut tx, &[variant_id]).await?;
    let shelf = shelves
        .of(variant_id)
        .find(|shelf| shelf.location_id == location.id);
    let before = shelf.map(|shelf| shelf.stock).unwrap_or_default();
    let on_hand = match (input.on_hand, input.change) {
        (Some(on_hand), _) => Some(on_hand),
        (None, Some(change)) => before.on_hand.checked_add(change),
        (None, None) => None,
    };
    let backorder = shelves.backorder(variant_id);
    let on_hand = on_hand.filter(|on_hand| may_be(*on_hand, before, backorder));
    let on_hand = on_hand.ok_or_else(|| Error::invalid(field, "range", STOCK_RANGE))?;
    let change = on_hand - before.on_hand;
    if change == 0 && input.change.is_some() {
        return Err(Error::invalid(
            "change",
            "range",
            "Write how many more or fewer.",
        ));
    }
    if change != 0 {
        let piece = Piece {
            variant_id,
            location_id: location.id,
            quantity: change,
        };
        store::add(&mut tx, &[piece]).await?;
        record(&mut tx, ctx, &[piece], reason, "", &note).await?;
        if location.active {
            watch(&mut tx, ctx, &Changes::from([(variant_id, change)])).await?;
        }
        let place = location.code.as_str();
        let old = json!({ place: before.on_hand });
        let after = json!({
            place: on_hand,
            "reason": reason.as_str(),
            "note": note,
        });
        let subject = format!("variant {variant_id}");
        audit::record(&mut tx, ctx, "stock.adjusted", &subject, old, after).await?;
    }
    let row = row(&mut tx, variant_id).await?;
    tx.commit().await?;
    metrics::counter!("zoco_stock_adjustments_total", "reason" => reason.as_str()).increment(1);
    Ok(row)
}

/// Staff: moves pieces from one place to another, all lines or none, with two ledger entries of
/// one reference for each. Errors: `Invalid` at `from`, `to`, `lines`, `lines.0.variant_id`,
/// `lines.0.quantity` where there are not so many that nobody holds.
pub async fn transfer(app: &App, ctx: &Ctx, input: TransferInput) -> Result<Transfer> {
    ctx.require(Permission::Inventory)?;
    let mut errors = FieldErrors::default();
    let note = note(input.note.as_deref(), &mut errors);
    if input.lines.is_empty() || input.lines.len() > MAX_LINES {
        let message = format!("Give 1 to {MAX_LINES} lines.");
        errors.add("lines", "length", message);
    }
    let mut lines: BTreeMap<VariantId, (usize, i64)> = BTreeMap::new();
    for (index, line) in input.lines.iter().take(MAX_LINES).enumerate() {
        let quantity = line.quantity.unwrap_or_default();
        if !(1..=MAX_ON_HAND).contains(&quantity) {
            let message = "Write how many pieces.";
            errors.add(&format!("lines.{index}.quantity"), "range", message);
        }
        let variant = line.variant_id.unwrap_or(VariantId(0));
        if lines.insert(variant, (index, quantity)).is_some() {
            let message = "This variant is given twice.";
            errors.add(&format!("lines.{index}.variant_id"), "repeated", message);
        }
    }
    let mut tx = app.db.begin().await?;
    let places = store::locations(&mut tx).await?;
    let from = input.from.as_deref().unwrap_or_default();
    let to = input.to.as_deref().unwrap_or_default();
    let from = find(&places, "from", from, &mut errors);
    let to = find(&places, "to", to, &mut errors);
    if from.is_some() && from == to {
        errors.add("to", "same", "Choose another place.");
    }
    errors.into_result()?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Error::NotFound);
    };

    let variants: Vec<VariantId> = lines.keys().copied().collect();
    let shelves = Shelves::lock(&mut tx, &variants).await?;
    let known = store::stock_rows(&mut tx, &variants).await?;
    let mut errors = FieldErrors::default();
    let mut pieces = Vec::with_capacity(2 * lines.len());
    let mut changes = Changes::new();
    let mut facts = Vec::with_capacity(lines.len());
    for (&variant_id, &(index, quantity)) in &lines {
        if !known.iter().any(|row| row.variant_id == variant_id) {
            let message = format!("There is no variant {variant_id}.");
            errors.add(&format!("lines.{index}.variant_id"), "unknown", message);
            continue;
        }
        let at = |place: &Location| -> StockLevel {
            let mut shelves = shelves.of(variant_id);
            let shelf = shelves.find(|shelf| shelf.location_id == place.id);
            shelf.map(|shelf| shelf.stock).unwrap_or_default()
        };
        let free = at(from).available();
        if free < quantity {
            let message = format!("Only {free} of it can leave {}.", from.name);
            errors.add(&format!("lines.{index}.quantity"), "short", message);
            continue;
        }
        for (place, quantity) in [(from, -quantity), (to, quantity)] {
            pieces.push(Piece {
                variant_id,
                location_id: place.id,
                quantity,
            });
        }
        let change = i64::from(to.active) - i64::from(from.active);
        changes.insert(variant_id, change * quantity);
        facts.push(audit::Change {
            subject: format!("variant {variant_id}"),
            before: Value::Null,
            after: json!({ "from": from.code, "to": to.code, "quantity": quantity, "note": note }),
        });
    }
    errors.into_result()?;
    pieces.sort_unstable_by_key(|piece| (piece.variant_id, piece.location_id));
    let reference = format!("T-{}", app.rng.readable(8));
    store::add(&mut tx, &pieces).await?;
    record(
        &mut tx,
        ctx,
        &pieces,
        Reason::Transferred,
        &reference,
        &note,
    )
    .await?;
    watch(&mut tx, ctx, &changes).await?;
    audit::record_all(&mut tx, ctx, "stock.transferred", &facts).await?;
    tx.commit().await?;
    metrics::counter!("zoco_stock_transfers_total").increment(1);
    Ok(Transfer {
        reference,
        lines: lines
            .into_iter()
            .map(|(variant, (_, quantity))| (variant, quantity))
            .collect(),
        from: from.code.clone(),
        to: to.code.clone(),
    })
}

async fn row(tx: &mut Tx, variant: VariantId) -> Result<StockRow> {
    let rows = store::stock_rows(tx, &[variant]).await?;
    rows.into_iter().next().ok_or(Error::NotFound)
}

fn find<'a>(
    places: &'a [Location],
    field: &str,
    code: &str,
    errors: &mut FieldErrors,
) -> Option<&'a Location> {
    let found = places.iter().find(|place| place.code == code);
    if found.is_none() {
        errors.add(field, "unknown", "There is no such place.");
    }
    found
}

fn note(given: Option<&str>, errors: &mut FieldErrors) -> String {
    let note = given.unwrap_or_default().trim();
    if note.chars().count() > MAX_NOTE || note.contains(char::is_control) {
        let message = format!("Write one line of at most {MAX_NOTE} characters.");
        errors.add("note", "length", message);
    }
    note.to_owned()
}
