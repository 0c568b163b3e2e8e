//! The dry run: what the rows of the file would change.

use std::collections::{HashMap, HashSet};

use super::diff::differences;
use super::{record, still};
use crate::app::App;
use crate::catalog::service::many::{self, Found, Preview};
use crate::catalog::service::{ProductInput, VariantInput};
use crate::catalog::{self, CategoryTree, Product};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::imports::csv::{Columns, Row};
use crate::imports::formats::{Described, MAX_ROWS, Parsed, parse};
use crate::imports::model::{Batch, BatchState, Problem, Verdict};
use crate::imports::store::{self, Finding, Read};
use crate::types::{CategoryId, ProductId, Slug, VariantId};

/// Products of one step.
const PRODUCTS: i64 = 100;

/// What is to be written of a product.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Plan {
    /// What the file says, with the ids of what is there.
    pub described: Described,
    /// What was on the shelf of each variant when the two were compared: the difference to what
    /// the file says is what changes, even if some are sold meanwhile.
    pub stock: Vec<(VariantId, i64)>,
    /// Places in the list of pictures of those that are to be fetched.
    pub fetch: Vec<usize>,
}

/// A product of the file, as far as it was understood.
struct Candidate {
    read: Read,
    parsed: Parsed,
    /// The slug that its name makes, where the file gives none.
    by_name: Option<String>,
}

/// Compares the next products with the catalog.
pub(super) async fn step(app: &App, ctx: &Ctx, batch: &Batch) -> Result<()> {
    let mut tx = app.db.begin().await?;
    if !still(&mut tx, ctx, batch).await? {
        return Ok(());
    }
    let read = store::next_read(&mut tx, batch.id, PRODUCTS).await?;
    if read.is_empty() {
        store::delete_claims(&mut tx, batch.id).await?;
        store::set_state(&mut tx, batch.id, BatchState::Ready, "").await?;
        record(
            &mut tx,
            ctx,
            "import.compared",
            batch,
            serde_json::Value::Null,
        )
        .await?;
        return Ok(tx.commit().await?);
    }
    let handles: Vec<String> = read.iter().map(|one| one.handle.clone()).collect();
    let candidates = candidates(&mut tx, batch, read).await?;
    let found = find(app, ctx, &mut tx, &candidates).await?;
    let tree = many::tree(ctx, &mut tx).await?;
    let sources = sources(&mut tx, &found).await?;
    let taken = claims(&mut tx, batch, &candidates, &found).await?;
    let mut comparison = Comparison {
        app,
        ctx,
        tree: &tree,
        found: &found,
        sources: &sources,
        taken,
    };
    let (mut findings, mut problems) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let (finding, wrong) = comparison.compare(candidate)?;
        findings.push(finding);
        problems.extend(wrong);
    }
    store::set_findings(&mut tx, &findings).await?;
    store::insert_errors(&mut tx, batch.id, &problems).await?;
    store::delete_lines(&mut tx, batch.id, &handles).await?;
    Ok(tx.commit().await?)
}

async fn candidates(tx: &mut Tx, batch: &Batch, read: Vec<Read>) -> Result<Vec<Candidate>> {
    let few = |one: &&Read| one.rows <= MAX_ROWS;
    let handles: Vec<String> = read
        .iter()
        .filter(few)
        .map(|one| one.handle.clone())
        .collect();
    let columns = Columns::new(&batch.columns);
    let mut rows: HashMap<String, Vec<Row>> = HashMap::new();
    for (handle, line, cells) in store::lines(tx, batch.id, &handles).await? {
        rows.entry(handle).or_default().push(Row { line, cells });
    }
    let candidate = |read: Read| {
        let parsed = match rows.remove(&read.handle) {
            Some(rows) => parse(batch.format, &columns, &rows),
            None => {
                let message = format!("A product has at most {MAX_ROWS} rows.");
                Parsed {
                    name: read.handle.clone(),
                    problems: vec![Problem::new(read.line, "", message)],
                    ..Parsed::default()
                }
            }
        };
        let named = parsed.slug.is_none() && !parsed.name.is_empty();
        let by_name = named.then(|| Slug::from_text(&parsed.name, "product").to_string());
        Candidate {
            read,
            parsed,
            by_name,
        }
    };
    Ok(read.into_iter().map(candidate).collect())
}

fn skus(parsed: &Parsed) -> impl Iterator<Item = &String> {
    let variants = parsed.described.input.variants.iter().flatten();
    let skus = variants.filter_map(|variant| variant.sku.as_ref());
    skus.filter(|sku| !sku.is_empty())
}

async fn find(app: &App, ctx: &Ctx, tx: &mut Tx, candidates: &[Candidate]) -> Result<Found> {
    let (mut slugs, mut all_skus) = (Vec::new(), Vec::new());
    for candidate in candidates {
        slugs.extend(candidate.parsed.slug.clone());
        slugs.extend(candidate.by_name.clone());
        all_skus.extend(skus(&candidate.parsed).cloned());
    }
    many::find_products(app, ctx, tx, &slugs, &all_skus).await
}

/// Where the pictures of the products came from.
async fn sources(tx: &mut Tx, found: &Found) -> Result<HashSet<(ProductId, String)>> {
    let ids: Vec<ProductId> = found.products.keys().copied().collect();
    Ok(store::sources(tx, &ids).await?.into_iter().collect())
}

impl Candidate {
    /// The product that this is: by the slug where the file gives one, else by an SKU, else by the
    /// slug that the name makes.
    fn target(&self, found: &Found) -> Option<ProductId> {
        if let Some(slug) = &self.parsed.slug {
            return found.slugs.get(slug).copied();
        }
        let by_sku = skus(&self.parsed).find_map(|sku| found.skus.get(sku));
        let by_name = self.by_name.as_ref().and_then(|slug| found.slugs.get(slug));
        by_sku.or(by_name).copied()
    }

    /// What no other product of the file may have.
    fn claims(&self, found: &Found) -> Vec<String> {
        let mut claims: Vec<String> = skus(&self.parsed).map(|sku| format!("sku {sku}")).collect();
        match self.target(found) {
            Some(id) => claims.push(product_claim(id)),
            None => {
                let slug = self.parsed.slug.as_ref().or(self.by_name.as_ref());
                claims.extend(slug.map(|slug| slug_claim(slug)));
            }
        }
        // A product that names an SKU twice is told so elsewhere.
        claims.sort_unstable();
        claims.dedup();
        claims
    }
}

fn product_claim(id: ProductId) -> String {
    format!("product {id}")
}

fn slug_claim(slug: &str) -> String {
    format!("slug {slug}")
}

/// What each of the products cannot have, because one before it has it.
async fn claims(
    tx: &mut Tx,
    batch: &Batch,
    candidates: &[Candidate],
    found: &Found,
) -> Result<HashMap<String, HashSet<String>>> {
    let mut first: HashSet<String> = HashSet::new();
    let mut taken: HashMap<String, HashSet<String>> = HashMap::new();
    let mut wanted: Vec<(String, String)> = Vec::new();
    for candidate in candidates {
        for claim in candidate.claims(found) {
            let handle = candidate.read.handle.clone();
            if first.insert(claim.clone()) {
                wanted.push((handle, claim));
            } else {
                taken.entry(handle).or_default().insert(claim);
            }
        }
    }
    let names: Vec<String> = wanted.iter().map(|(_, claim)| claim.clone()).collect();
    let before: HashSet<String> = store::claim(tx, batch.id, &names)
        .await?
        .into_iter()
        .collect();
    for (handle, claim) in wanted {
        if before.contains(&claim) {
            taken.entry(handle).or_default().insert(claim);
        }
    }
    Ok(taken)
}

/// Everything that one step knows.
struct Comparison<'a> {
    app: &'a App,
    ctx: &'a Ctx,
    tree: &'a CategoryTree,
    found: &'a Found,
    sources: &'a HashSet<(ProductId, String)>,
    taken: HashMap<String, HashSet<String>>,
}

impl Comparison<'_> {
    fn compare(&mut self, candidate: Candidate) -> Result<(Finding, Vec<Problem>)> {
        let target = candidate.target(self.found);
        let before = target.and_then(|id| self.found.products.get(&id));
        let taken = self
            .taken
            .remove(&candidate.read.handle)
            .unwrap_or_default();
        let Candidate {
            read,
            mut parsed,
            by_name,
        } = candidate;
        let mut problems = std::mem::take(&mut parsed.problems);
        problems.extend(self.refused_skus(&parsed, target, &taken));
        if target.is_some_and(|id| taken.contains(&product_claim(id))) {
            let message = "Other rows before this one describe the same product.";
            problems.push(Problem::new(read.line, "", message));
        }
        let mut described = parsed.described;
        if before.is_none() && described.input.slug.is_none() {
            // A slug that another product of the file has is not free: the catalog makes one.
            described.input.slug = by_name.filter(|slug| !taken.contains(&slug_claim(slug)));
        }
        let mut variant_lines = parsed.variant_lines;
        fit_variants(&mut described, &mut variant_lines, before);
        self.fit_category(&mut described);
        let preview = many::preview(self.app, self.ctx, before, described.input.clone());
        problems.extend(told(&preview, read.line, &variant_lines));
        let fetch = self.pictures_to_fetch(&described, before);
        let changes = differences(&preview, &described, self.tree, &fetch);
        let verdict = match before {
            _ if !problems.is_empty() => Verdict::Error,
            None => Verdict::New,
            Some(_) if changes.is_empty() => Verdict::Unchanged,
            Some(_) => Verdict::Changed,
        };
        let name = preview.product.name.clone();
        let plan = Plan {
            stock: drop_same_stock(&mut described.input, before),
            described,
            fetch,
        };
        let writes = matches!(verdict, Verdict::New | Verdict::Changed);
        let finding = Finding {
            id: read.id,
            name: if name.is_empty() { parsed.name } else { name },
            verdict,
            product: before.map(|product| (product.id, product.version)),
            described: if writes {
                serde_json::to_string(&plan)?
            } else {
                String::new()
            },
            changes: if writes { changes } else { Vec::new() },
        };
        Ok((finding, problems))
    }

    /// SKUs that other products of the file or of the catalog have.
    fn refused_skus(
        &self,
        parsed: &Parsed,
        target: Option<ProductId>,
        taken: &HashSet<String>,
    ) -> Vec<Problem> {
        let variants = parsed.described.input.variants.iter().flatten();
        let mut problems = Vec::new();
        for (variant, &line) in variants.zip(&parsed.variant_lines) {
            let Some(sku) = variant.sku.as_ref().filter(|sku| !sku.is_empty()) else {
                continue;
            };
            let owner = self
                .found
                .skus
                .get(sku)
                .filter(|owner| Some(**owner) != target);
            let message = if taken.contains(&format!("sku {sku}")) {
                format!("The SKU {sku} stands with another product of this file.")
            } else if let Some(owner) = owner.and_then(|id| self.found.products.get(id)) {
                format!(
                    "The SKU {sku} belongs to another product, \u{201c}{}\u{201d}.",
                    owner.name
                )
            } else {
                continue;
            };
            problems.push(Problem::new(line, "sku", message));
        }
        problems
    }

    /// A category that is there is taken by its id; one that is not stays to be made.
    fn fit_category(&self, described: &mut Described) {
        let id = match described.category.as_deref() {
            None => return,
            Some([]) => Some(CategoryId(0)),
            Some(names) => many::category_named(self.tree, names),
        };
        if id.is_some() {
            described.input.category_id = id;
            described.category = None;
        }
    }

    /// Places of the pictures that the product does not have yet.
    fn pictures_to_fetch(&self, described: &Described, before: Option<&Product>) -> Vec<usize> {
        let known = |url: &str| {
            let Some(product) = before else { return false };
            let ours = |image: &catalog::Image| url.contains(&image.storage_key);
            self.sources.contains(&(product.id, url.to_owned())) || product.images.iter().any(ours)
        };
        let pictures = described.pictures.iter().enumerate();
        let missing = pictures.filter(|(_, picture)| !known(&picture.url));
        missing.map(|(place, _)| place).collect()
    }
}

/// Gives variants the ids of those that are there: of the same SKU, else of the same options. Where
/// the file tells of some variants only, the others are added as they are, and all keep their order.
/// `lines`: of the variants; it goes along.
fn fit_variants(described: &mut Described, lines: &mut Vec<i64>, before: Option<&Product>) {
    let (Some(before), Some(variants)) = (before, &mut described.input.variants) else {
        return;
    };
    let mut free: Vec<_> = before.variants.iter().collect();
    let mut take = |fits: &dyn Fn(&catalog::Variant) -> bool| {
        let place = free.iter().position(|variant| fits(variant))?;
        Some(free.remove(place).id)
    };
    for variant in variants.iter_mut() {
        let sku = variant.sku.as_deref().filter(|sku| !sku.is_empty());
        variant.id = sku.and_then(|sku| take(&|one| one.sku == sku));
    }
    for variant in variants.iter_mut().filter(|variant| variant.id.is_none()) {
        variant.id = take(&|one| one.active && one.options == variant.options);
    }
    if !described.partial {
        return;
    }
    let left: Vec<VariantId> = free.iter().map(|variant| variant.id).collect();
    let whole = ProductInput::of(before).variants.unwrap_or_default();
    let whole = whole.into_iter().filter_map(|one| one.id);
    let others = whole.filter(|id| left.contains(id)).map(|id| VariantInput {
        id: Some(id),
        ..VariantInput::default()
    });
    variants.extend(others);
    lines.resize(variants.len(), lines.first().copied().unwrap_or(1));
    let place = |variant: &VariantInput| {
        let place = before
            .variants
            .iter()
            .position(|one| Some(one.id) == variant.id);
        place.unwrap_or(usize::MAX)
    };
    let mut pairs: Vec<_> = std::mem::take(variants)
        .into_iter()
        .zip(lines.drain(..))
        .collect();
    pairs.sort_by_key(|(variant, _)| place(variant));
    (*variants, *lines) = pairs.into_iter().unzip();
}

/// What the catalog says against it, with the lines of the file.
fn told(preview: &Preview, line: i64, variant_lines: &[i64]) -> Vec<Problem> {
    let problem = |(field, error): (&str, &crate::error::FieldError)| {
        let place = field.strip_prefix("variants.");
        let place = place.and_then(|rest| rest.split_once('.'));
        let variant = place.and_then(|(index, rest)| {
            let line = variant_lines.get(index.parse::<usize>().ok()?)?;
            Some((*line, rest))
        });
        let (line, field) = variant.unwrap_or((line, field));
        Problem::new(line, field, error.message.clone())
    };
    preview.errors.iter().map(problem).collect()
}

/// Leaves out the stock that is as the file says; gives what is on the shelf of the others.
fn drop_same_stock(input: &mut ProductInput, before: Option<&Product>) -> Vec<(VariantId, i64)> {
    let mut seen = Vec::new();
    let levels: HashMap<VariantId, i64> = before
        .iter()
        .flat_map(|product| &product.variants)
        .map(|variant| (variant.id, variant.stock.on_hand))
        .collect();
    for variant in input.variants.iter_mut().flatten() {
        let Some((id, level)) = variant.id.and_then(|id| Some((id, *levels.get(&id)?))) else {
            continue;
        };
        match variant.stock {
            Some(stock) if stock == level => variant.stock = None,
            Some(_) => seen.push((id, level)),
            None => {}
        }
    }
    seen
}
