//! Imports, as the rest of the shop sees them: batches, their products, what is wrong with them.

use crate::types::{
    ImageId, ImportId, ImportPictureId, ImportProductId, ProductId, Timestamp, UserId, text_enum,
};

/// Whose CSV it is; told by its header row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own: every field of a product and its variants.
    Zoco,
    /// Shopify's product CSV.
    Shopify,
    /// WooCommerce's product CSV.
    WooCommerce,
}
text_enum!(Format { Zoco => "zoco", Shopify => "shopify", WooCommerce => "woocommerce" });

impl Format {
    /// Its name, as its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Zoco => "Zoco",
            Self::Shopify => "Shopify",
            Self::WooCommerce => "WooCommerce",
        }
    }
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// The file is being read.
    Reading,
    /// Its products are being compared with the catalog.
    Comparing,
    /// The dry run is done: somebody may look at it and apply it.
    Ready,
    /// The file could not be read to its end.
    Failed,
    /// Products are being written.
    Applying,
    /// Everything that could be written is.
    Applied,
    /// Somebody stopped it; what was written by then is.
    Stopped,
    /// Products are being put back.
    Reverting,
    /// Everything that could be put back is.
    Reverted,
}
text_enum!(BatchState {
    Reading => "reading",
    Comparing => "comparing",
    Ready => "ready",
    Failed => "failed",
    Applying => "applying",
    Applied => "applied",
    Stopped => "stopped",
    Reverting => "reverting",
    Reverted => "reverted",
});

impl BatchState {
    /// Whether a job is at it.
    pub fn is_busy(self) -> bool {
        matches!(
            self,
            Self::Reading | Self::Comparing | Self::Applying | Self::Reverting
        )
    }

    /// Whether products are being written: somebody may stop it.
    pub fn may_stop(self) -> bool {
        matches!(self, Self::Applying | Self::Reverting)
    }

    /// What is going on, after "the import".
    pub fn words(self) -> &'static str {
        match self {
            Self::Reading => "is being read",
            Self::Comparing => "is being compared with the catalog",
            Self::Ready => "waits to be applied",
            Self::Failed => "failed",
            Self::Applying => "is being applied",
            Self::Applied => "is applied",
            Self::Stopped => "was stopped",
            Self::Reverting => "is being put back",
            Self::Reverted => "is put back",
        }
    }

    /// Whether somebody may have it applied now.
    pub fn may_apply(self) -> bool {
        matches!(self, Self::Ready | Self::Stopped)
    }

    /// Whether somebody may have it put back now.
    pub fn may_revert(self) -> bool {
        matches!(self, Self::Applied | Self::Stopped)
    }
}

/// What a dry run found out about a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been read and not been compared yet.
    Read,
    /// The shop has no such product.
    New,
    /// Something of it would change.
    Changed,
    /// Nothing of it would change.
    Unchanged,
    /// Something is wrong with it: it is left out.
    Error,
}
text_enum!(Verdict {
    Read => "read",
    New => "new",
    Changed => "changed",
    Unchanged => "unchanged",
    Error => "error",
});

/// What became of a product of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// It was written.
    Applied,
    /// It was left alone: somebody changed the product since the dry run.
    Conflict,
    /// It was left alone: the shop refused it.
    Refused,
    /// It was put back as it was before, or deleted when it was new.
    Reverted,
    /// It was not put back: somebody changed it since.
    Kept,
}
text_enum!(Outcome {
    Waiting => "waiting",
    Applied => "applied",
    Conflict => "conflict",
    Refused => "refused",
    Reverted => "reverted",
    Kept => "kept",
});

/// One file, from its upload to the last of its products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: ImportId,
    /// What the file was called.
    pub file_name: String,
    /// Its size in bytes.
    pub file_bytes: i64,
    /// Whose CSV it is.
    pub format: Format,
    /// The delimiter of its cells.
    pub delimiter: u8,
    /// Its header row.
    pub columns: Vec<String>,
    /// Columns that nobody reads.
    pub ignored: Vec<String>,
    /// How far it has come.
    pub state: BatchState,
    /// Why it failed; empty when it did not.
    pub problem: String,
    /// Bytes of the file that have been read.
    pub read_bytes: i64,
    /// The line on which reading goes on.
    pub read_line: i64,
    /// Categories that it made.
    pub categories: Vec<i64>,
    /// In whose name it is worked on: who brought it, or last pressed a button; none for the shop
    /// itself.
    pub user_id: Option<UserId>,
    /// What they are called; empty for the shop itself and for those who are gone.
    pub user_name: String,
    /// When it was brought.
    pub created_at: Timestamp,
    /// When something last happened to it.
    pub updated_at: Timestamp,
}

impl Batch {
    /// The name that the audit log gives it.
    pub fn subject(&self) -> String {
        format!("import {}", self.id)
    }
}

/// How many products of a batch are what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub Vec<(Verdict, Outcome, i64)>);

impl Counts {
    /// All products.
    pub fn total(&self) -> i64 {
        self.sum(|_, _| true)
    }

    /// Products of a verdict.
    pub fn of(&self, verdict: Verdict) -> i64 {
        self.sum(|one, _| one == verdict)
    }

    /// Products with an outcome.
    pub fn with(&self, outcome: Outcome) -> i64 {
        self.sum(|_, one| one == outcome)
    }

    /// Products that are to be written, or were.
    pub fn writable(&self) -> i64 {
        self.of(Verdict::New) + self.of(Verdict::Changed)
    }

    /// Products that wait to be written.
    pub fn waiting(&self) -> i64 {
        let writable = |verdict| matches!(verdict, Verdict::New | Verdict::Changed);
        self.sum(|verdict, outcome| writable(verdict) && outcome == Outcome::Waiting)
    }

    fn sum(&self, counts: impl Fn(Verdict, Outcome) -> bool) -> i64 {
        let fitting = self
            .0
            .iter()
            .filter(|(verdict, outcome, _)| counts(*verdict, *outcome));
        fitting.map(|(_, _, count)| count).sum()
    }
}

/// A product of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ImportProductId,
    /// The batch it belongs to.
    pub batch_id: ImportId,
    /// What its rows have in common: a handle, or what stands for one.
    pub handle: String,
    /// The line of its first row.
    pub line: i64,
    /// Its name.
    pub name: String,
    /// What the dry run found out.
    pub verdict: Verdict,
    /// What became of it.
    pub outcome: Outcome,
    /// The product in the catalog, where there is one.
    pub product_id: Option<ProductId>,
    /// The version of the product that it was compared with; after it was written, the one that
    /// this gave it.
    pub version: Option<i64>,
    /// What would change, or has changed.
    pub changes: Vec<Change>,
    /// Why it was left alone; empty when it was not.
    pub problem: String,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Its name, for people: `Price of MUG-OAT`.
    pub field: String,
    /// What it is; empty for nothing.
    pub before: String,
    /// What it would be; empty for nothing.
    pub after: String,
}

/// Something wrong with a row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file, from 1.
    pub line: i64,
    /// The column or field; empty for the whole row.
    pub field: String,
    /// What is wrong, for people.
    pub message: String,
}

impl Problem {
    /// Something wrong with a cell.
    pub fn new(line: i64, field: &str, message: impl Into<String>) -> Self {
        Self {
            line,
            field: field.to_owned(),
            message: message.into(),
        }
    }
}

/// Whether a picture has been fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureState {
    /// Not yet.
    Waiting,
    /// It stands with the product.
    Fetched,
    /// It could not be had.
    Failed,
}
text_enum!(PictureState { Waiting => "waiting", Fetched => "fetched", Failed => "failed" });

/// A picture that a batch fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its id.
    pub id: ImportPictureId,
    /// The batch it belongs to.
    pub batch_id: ImportId,
    /// The product of the batch.
    pub item_id: ImportProductId,
    /// The product in the catalog.
    pub product_id: ProductId,
    /// The product's name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it shows.
    pub alt: String,
    /// The option value that it shows; empty when it shows any.
    pub option_value: String,
    /// Whether it is there.
    pub state: PictureState,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it could not be had.
    pub problem: String,
    /// The picture in the catalog, once it is there.
    pub image_id: Option<ImageId>,
}

/// How many pictures of a batch are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureCounts(pub Vec<(String, i64)>);

impl PictureCounts {
    /// How many are in this state.
    pub fn of(&self, state: PictureState) -> i64 {
        let found = self.0.iter().find(|(word, _)| word == state.as_str());
        found.map_or(0, |(_, count)| *count)
    }

    /// All of them.
    pub fn total(&self) -> i64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}
