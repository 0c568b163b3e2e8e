//! What is looked for, what is found, and what staff say about words.

use super::words::{same, words};
use crate::types::{ProductId, Timestamp};

/// What the index knows of a product: its words and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The product.
    pub id: ProductId,
    /// Its version, by which the index is compared with the catalog.
    pub version: i64,
    /// Whether shoppers may see it.
    pub public: bool,
    /// Its name.
    pub name: String,
    /// Its tags, its maker, its category and those above it.
    pub labels: Vec<String>,
    /// Its attributes, and what can be chosen of it.
    pub facts: Vec<String>,
    /// What is written about it.
    pub text: Vec<String>,
    /// The merchant's numbers of its variants.
    pub skus: Vec<String>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// The words as typed.
    pub text: &'a str,
    /// Whether products that shoppers do not see are found, too, and the beginning of a SKU is
    /// enough.
    pub for_staff: bool,
    /// Whether the last word is still being typed.
    pub typing: bool,
    /// The most products wanted.
    pub limit: usize,
}

/// How far what was found has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matched {
    /// Nothing was found.
    #[default]
    Nothing,
    /// No product has all of the words; these have some.
    Some,
    /// These have all of them.
    All,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The products, the best first.
    pub products: Vec<ProductId>,
    /// How far they have the words.
    pub matched: Matched,
    /// The words spelled as the shop spells them, where one was unknown.
    pub corrected: Option<String>,
}

/// What staff say about words: some mean the same, or some stand for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// Its id.
    pub id: i64,
    /// The words that are searched for; of a rule without `targets`, all of them mean the same.
    pub words: Vec<String>,
    /// What is looked for as well; empty for words that mean the same.
    pub targets: Vec<String>,
    /// Counts its changes; the `ETag`.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Synonym {
    /// As staff write it: `sofa, couch` or `sofa => couch, settee`.
    pub fn rule(&self) -> String {
        if self.targets.is_empty() {
            self.words.join(", ")
        } else {
            format!("{} => {}", self.words.join(", "), self.targets.join(", "))
        }
    }
}

/// All rules, ready to be applied.
#[derive(Clone, Debug, Default)]
pub struct Synonyms(Vec<Entry>);

/// A phrase with what may stand for it.
#[derive(Clone, Debug)]
struct Entry {
    phrase: Vec<String>,
    instead: Vec<Vec<String>>,
}

impl Synonyms {
    /// Reads the rules.
    pub fn new(rules: &[Synonym]) -> Self {
        let phrases = |texts: &[String]| -> Vec<Vec<String>> {
            let split = texts.iter().map(|text| words(text));
            split.filter(|words| !words.is_empty()).collect()
        };
        let mut entries = Vec::new();
        for rule in rules {
            let (from, to) = (phrases(&rule.words), phrases(&rule.targets));
            for phrase in &from {
                let instead = if rule.targets.is_empty() { &from } else { &to };
                let others = instead.iter().filter(|other| *other != phrase);
                entries.push(Entry {
                    phrase: phrase.clone(),
                    instead: others.cloned().collect(),
                });
            }
        }
        // The longest phrase counts.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.phrase.len()));
        Self(entries)
    }

    /// How many words at the beginning of `words` are a phrase, and what may stand for it.
    pub(super) fn at(&self, words: &[String]) -> Option<(usize, Vec<Vec<String>>)> {
        let begins = |entry: &&Entry| {
            entry.phrase.len() <= words.len()
                && entry
                    .phrase
                    .iter()
                    .zip(words)
                    .all(|(one, word)| same(one, word))
        };
        let length = self.0.iter().find(begins)?.phrase.len();
        let all = self
            .0
            .iter()
            .filter(begins)
            .filter(|entry| entry.phrase.len() == length);
        Some((
            length,
            all.flat_map(|entry| entry.instead.clone()).collect(),
        ))
    }
}

/// A search that found nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What was looked for, folded.
    pub words: String,
    /// How often.
    pub count: i64,
    /// When last.
    pub last_at: Timestamp,
}
