//! One index on disk: its fields, opening, making and changing it.

mod find;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

use super::model::Document;
use super::words::{stems, words};
use crate::types::{ProductId, Timestamp};

/// Counts changes of the fields and of how texts become words: an index of another version is
/// made anew.
pub const VERSION: u32 = 1;

/// Memory for documents that are not yet written, in bytes; tantivy takes no less than 15 MB.
const WRITER_MEMORY: usize = 20_000_000;
/// The parts of a document with the weight of a word that stands there.
const LEVELS: [(&str, f32); 4] = [
    ("name", 8.0),
    ("labels", 4.0),
    ("facts", 2.0),
    ("text", 1.0),
];

/// Why an index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process writes to it.
    #[error("another process writes to the index")]
    Busy,
    /// Whatever else.
    #[error(transparent)]
    Broken(TantivyError),
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(..) => Self::Busy,
            error => Self::Broken(error),
        }
    }
}

impl From<std::io::Error> for IndexError {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.into())
    }
}

type Result<T> = std::result::Result<T, IndexError>;

/// Up to where an index has followed the outbox of which shop; kept in its last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// [`VERSION`] when it was written.
    pub version: u32,
    /// The shop that it belongs to.
    pub shop: String,
    /// All events up to this one are in it.
    pub floor: i64,
    /// The highest event in it.
    pub head: i64,
    /// When it was written, in microseconds since 1970.
    pub at: i64,
}

/// An open index.
pub struct Index {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
}

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    version: Field,
    public: Field,
    /// Each number without its signs.
    sku: Field,
    levels: [Level; LEVELS.len()],
}

#[derive(Clone, Copy)]
struct Level {
    /// Words as they are.
    exact: Field,
    /// Their stems.
    stem: Field,
    weight: f32,
}

/// Words come parted by spaces already.
fn schema() -> (Schema, Fields) {
    let text = |record| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("whitespace")
                .set_index_option(record),
        )
    };
    let mut schema = Schema::builder();
    let levels = LEVELS.map(|(name, weight)| Level {
        exact: schema.add_text_field(name, text(IndexRecordOption::WithFreqs)),
        stem: schema.add_text_field(&format!("{name}_stem"), text(IndexRecordOption::WithFreqs)),
        weight,
    });
    let fields = Fields {
        id: schema.add_i64_field("id", FAST | INDEXED),
        version: schema.add_i64_field("version", FAST),
        public: schema.add_bool_field("public", INDEXED),
        sku: schema.add_text_field("sku", text(IndexRecordOption::Basic)),
        levels,
    };
    (schema.build(), fields)
}

impl Index {
    /// Makes an empty one in an empty folder.
    pub fn create(folder: &Path) -> Result<Self> {
        let (schema, fields) = schema();
        Self::with(tantivy::Index::create_in_dir(folder, schema)?, fields)
    }

    /// Opens the one in this folder. Errors: `Broken` also for one that has other fields, and
    /// for one whose files are not what was written.
    pub fn open(folder: &Path) -> Result<Self> {
        let (schema, fields) = schema();
        let index = tantivy::Index::open_in_dir(folder)?;
        if index.schema() != schema {
            let error = TantivyError::SchemaError("an index of another version".to_owned());
            return Err(error.into());
        }
        if let Some(file) = index.validate_checksum()?.into_iter().next() {
            let error = format!("{} is damaged", file.display());
            return Err(TantivyError::InternalError(error).into());
        }
        Self::with(index, fields)
    }

    fn with(index: tantivy::Index, fields: Fields) -> Result<Self> {
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
        })
    }

    /// Up to where it has come, as its last commit says; none for one that was never finished.
    pub fn position(&self) -> Result<Option<Position>> {
        let payload = self.index.load_metas()?.payload;
        Ok(payload.and_then(|payload| serde_json::from_str(&payload).ok()))
    }

    /// How many products it has.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every product in it with its version, by id.
    pub fn versions(&self) -> Result<Vec<(ProductId, i64)>> {
        let mut versions = Vec::new();
        for segment in self.reader.searcher().segment_readers() {
            let ids = segment.fast_fields().i64("id")?;
            let kept = segment.fast_fields().i64("version")?;
            for document in segment.doc_ids_alive() {
                if let (Some(id), Some(version)) = (ids.first(document), kept.first(document)) {
                    versions.push((ProductId(id), version));
                }
            }
        }
        versions.sort_unstable();
        Ok(versions)
    }

    /// What changes it. Errors: `Busy` while another process, or another writer of this one, is
    /// at it.
    pub fn writer(self: &Arc<Self>) -> Result<Writer> {
        let writer = self.index.writer_with_num_threads(1, WRITER_MEMORY)?;
        // What a stop in the middle of a commit left behind has the names of the next one's files.
        writer.garbage_collect_files().wait()?;
        Ok(Writer {
            writer,
            index: self.clone(),
        })
    }
}

/// Changes an index; nothing shows before [`Writer::commit`].
pub struct Writer {
    writer: IndexWriter,
    index: Arc<Index>,
}

impl Writer {
    /// Puts documents in, each in place of the one of the same product.
    pub fn put(&self, documents: &[Document]) -> Result<()> {
        for document in documents {
            self.remove(document.id);
            self.writer
                .add_document(self.index.fields.document(document))?;
        }
        Ok(())
    }

    /// Takes a product out.
    pub fn remove(&self, product: ProductId) {
        let term = Term::from_field_i64(self.index.fields.id, product.0);
        self.writer.delete_term(term);
    }

    /// Writes it all down, and shows it to whoever searches next.
    pub fn commit(mut self, position: &Position) -> Result<()> {
        let mut commit = self.writer.prepare_commit()?;
        let payload = serde_json::to_string(position).map_err(std::io::Error::from)?;
        commit.set_payload(&payload);
        commit.commit()?;
        self.writer.wait_merging_threads()?;
        self.index.reader.reload()?;
        Ok(())
    }
}

impl Fields {
    fn document(&self, document: &Document) -> TantivyDocument {
        let mut made = TantivyDocument::new();
        made.add_i64(self.id, document.id.0);
        made.add_i64(self.version, document.version);
        made.add_bool(self.public, document.public);
        let name = std::slice::from_ref(&document.name);
        let texts: [&[String]; LEVELS.len()] =
            [name, &document.labels, &document.facts, &document.text];
        for (level, texts) in self.levels.iter().zip(texts) {
            let words: Vec<String> = texts.iter().flat_map(|text| words(text)).collect();
            let stems: Vec<String> = words.iter().flat_map(|word| stems(word)).collect();
            made.add_text(level.exact, words.join(" "));
            made.add_text(level.stem, stems.join(" "));
        }
        let skus: Vec<String> = document
            .skus
            .iter()
            .map(|sku| words(sku).concat())
            .collect();
        made.add_text(self.sku, skus.join(" "));
        made
    }
}

impl Position {
    /// Whether it is of this version and of this shop.
    pub fn is_of(&self, shop: &str) -> bool {
        self.version == VERSION && self.shop == shop
    }

    /// One of this version, at `at`.
    pub fn new(shop: &str, floor: i64, head: i64, at: Timestamp) -> Self {
        Self {
            version: VERSION,
            shop: shop.to_owned(),
            floor,
            head,
            at: at.0,
        }
    }
}
