//! Searching: from typed words to products, the best first.
//!
//! First every word must match, strictly: as it is, as another form of it, or as a synonym. Only
//! a word that nothing has is taken for the beginning of one (the last word) or for a typing
//! mistake. If that finds nothing, every word may be either; if that finds nothing, one of the
//! words is enough.

use std::collections::HashMap;

use tantivy::collector::{Count, TopDocs};
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query,
    TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, Score, Searcher, Term};

use super::{Index, LEVELS, Result};
use crate::search::model::{Found, Looking, Matched, Synonyms};
use crate::search::words::{is_weak, stems, typos_forgiven, words};
use crate::types::ProductId;

/// More words do not make a search any finer.
const MAX_WORDS: usize = 16;
/// Longer searches are cut off, in characters.
const MAX_TEXT: usize = 200;
/// What is typed may be the beginning of a SKU from so many signs on.
const MIN_SKU: usize = 3;
/// Words of the shop that are looked at for one that is unknown.
const MAX_CANDIDATES: usize = 20;

// How much of a level's weight a match counts. The levels' weights are 1 to 8, so a word with a
// typing mistake in the name (8 × 0.1) stays below the right one anywhere (1).
const STEM: f32 = 0.9;
const SYNONYM: f32 = 0.7;
const PREFIX: f32 = 0.4;
const ONE_TYPO: f32 = 0.1;
const TWO_TYPOS: f32 = 0.05;
/// A SKU beats everything else.
const SKU: f32 = 1_000.0;
const SKU_PREFIX: f32 = 100.0;
/// How much rare words and short names count among products that match equally.
const FINE: f32 = 0.01;

/// What a word may be taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Loose {
    prefix: bool,
    typos: u8,
}

/// A part of a search that must match as a whole: some words, or what stands for them.
struct Part {
    words: Vec<(String, Loose)>,
    instead: Vec<Vec<String>>,
}

impl Index {
    /// The products that match, the best first.
    pub fn find(&self, looking: &Looking<'_>, synonyms: &Synonyms) -> Result<Found> {
        let text: String = looking.text.chars().take(MAX_TEXT).collect();
        let mut words = words(&text);
        words.truncate(MAX_WORDS);
        if words.is_empty() {
            return Ok(Found::default());
        }
        let finder = Finder {
            index: self,
            searcher: self.reader.searcher(),
            looking,
            sku: words.concat(),
        };
        let (parts, corrected) = finder.parts(&words, synonyms)?;
        let signs = text.contains('-') || words.iter().any(|word| is_number(word));
        let mut products = finder.run(finder.all(&parts), looking.for_staff || signs)?;
        let mut matched = Matched::All;
        if products.is_empty() {
            let loose = finder.loosened(parts);
            products = finder.run(finder.all(&loose), true)?;
            if products.is_empty() && loose.len() > 1 {
                matched = Matched::Some;
                products = finder.run(finder.any(&loose), false)?;
            }
        }
        if products.is_empty() {
            matched = Matched::Nothing;
        }
        Ok(Found {
            products,
            matched,
            corrected,
        })
    }

    /// Words of the shop that begin as the last word does, most used first: each completes the
    /// whole search.
    pub fn completions(&self, looking: &Looking<'_>) -> Result<Vec<String>> {
        let text: String = looking.text.chars().take(MAX_TEXT).collect();
        let mut words = words(&text);
        words.truncate(MAX_WORDS);
        let Some(last) = words.pop() else {
            return Ok(Vec::new());
        };
        let finder = Finder {
            index: self,
            searcher: self.reader.searcher(),
            looking,
            sku: String::new(),
        };
        let begun =
            |field| FuzzyTermQuery::new_prefix(Term::from_field_text(field, &last), 0, true);
        let candidates = finder.candidates(begun)?;
        let whole = |word: String| {
            let mut whole = words.clone();
            whole.push(word);
            whole.join(" ")
        };
        let longer = candidates.into_iter().filter(|word| *word != last);
        Ok(longer.take(looking.limit).map(whole).collect())
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

type Boxed = Box<dyn Query>;

/// A match counts so much, whatever else.
fn counts(query: impl Query, score: Score) -> Boxed {
    Box::new(ConstScoreQuery::new(Box::new(query), score))
}

fn term(field: Field, word: &str) -> TermQuery {
    TermQuery::new(
        Term::from_field_text(field, word),
        IndexRecordOption::WithFreqs,
    )
}

fn every(queries: Vec<Boxed>) -> Boxed {
    Box::new(BooleanQuery::intersection(queries))
}

/// One search.
struct Finder<'a> {
    index: &'a Index,
    searcher: Searcher,
    looking: &'a Looking<'a>,
    /// The words as one, for what may be a SKU.
    sku: String,
}

impl Finder<'_> {
    /// Takes the words apart: phrases with synonyms stay together; a word that nothing has is
    /// taken for something else. With the words as the shop spells them, where one was unknown.
    fn parts(&self, words: &[String], synonyms: &Synonyms) -> Result<(Vec<Part>, Option<String>)> {
        let mut parts = Vec::new();
        let mut spelled = Vec::new();
        let mut at = 0;
        while at < words.len() {
            if let Some((length, instead)) = synonyms.at(&words[at..]) {
                let phrase = &words[at..at + length];
                spelled.extend_from_slice(phrase);
                let strict = phrase.iter().map(|word| (word.clone(), Loose::default()));
                parts.push(Part {
                    words: strict.collect(),
                    instead,
                });
                at += length;
                continue;
            }
            let word = &words[at];
            let last = at + 1 == words.len();
            let mut loose = Loose {
                prefix: last && self.looking.typing,
                typos: 0,
            };
            let mut right = word.clone();
            if !self.knows(self.strict(word))? {
                let begun = Loose {
                    prefix: true,
                    typos: 0,
                };
                if last && self.knows(self.word(word, begun))? {
                    loose = begun;
                } else {
                    loose.typos = typos_forgiven(word);
                    right = self.spelling(word)?.unwrap_or(right);
                }
            }
            spelled.push(right);
            parts.push(Part {
                words: vec![(word.clone(), loose)],
                instead: Vec::new(),
            });
            at += 1;
        }
        let corrected = (spelled != words).then(|| spelled.join(" "));
        Ok((parts, corrected))
    }

    /// The same parts, each word taken for whatever it may be.
    fn loosened(&self, mut parts: Vec<Part>) -> Vec<Part> {
        for part in &mut parts {
            for (word, loose) in &mut part.words {
                loose.typos = typos_forgiven(word);
            }
        }
        if let Some(last) = parts.last_mut().and_then(|part| part.words.last_mut()) {
            last.1.prefix = true;
        }
        parts
    }

    /// Every part must match; words that say nothing only where there are no others.
    fn all(&self, parts: &[Part]) -> Boxed {
        let weak = |part: &Part| part.words.iter().all(|(word, _)| is_weak(word));
        let insist = !parts.iter().all(weak);
        let clause = |part: &Part| {
            let occur = if insist && weak(part) {
                Occur::Should
            } else {
                Occur::Must
            };
            (occur, self.part(part))
        };
        Box::new(BooleanQuery::new(parts.iter().map(clause).collect()))
    }

    /// One part is enough, if it says something; the more the better.
    fn any(&self, parts: &[Part]) -> Boxed {
        let strong = parts
            .iter()
            .filter(|part| part.words.iter().any(|(word, _)| !is_weak(word)));
        Box::new(BooleanQuery::union(
            strong.map(|part| self.part(part)).collect(),
        ))
    }

    fn part(&self, part: &Part) -> Boxed {
        let own = part
            .words
            .iter()
            .map(|(word, loose)| self.word(word, *loose));
        let mut ways = vec![every(own.collect())];
        for words in &part.instead {
            let words = words.iter().map(|word| self.strict(word)).collect();
            ways.push(Box::new(BoostQuery::new(every(words), SYNONYM)));
        }
        Box::new(DisjunctionMaxQuery::new(ways))
    }

    fn strict(&self, word: &str) -> Boxed {
        self.word(word, Loose::default())
    }

    /// A word wherever it stands; the best place counts.
    fn word(&self, word: &str, loose: Loose) -> Boxed {
        let mut ways: Vec<Boxed> = Vec::new();
        let stems = stems(word);
        for level in &self.index.fields.levels {
            ways.push(counts(term(level.exact, word), level.weight));
            for stem in &stems {
                ways.push(counts(term(level.stem, stem), level.weight * STEM));
            }
            let fuzzy =
                |typos| FuzzyTermQuery::new(Term::from_field_text(level.exact, word), typos, true);
            if loose.prefix {
                let begun = Term::from_field_text(level.exact, word);
                let begun = FuzzyTermQuery::new_prefix(begun, 0, true);
                ways.push(counts(begun, level.weight * PREFIX));
            }
            if loose.typos > 0 {
                ways.push(counts(fuzzy(1), level.weight * ONE_TYPO));
            }
            if loose.typos > 1 {
                ways.push(counts(fuzzy(loose.typos), level.weight * TWO_TYPOS));
            }
        }
        let best: Boxed = Box::new(DisjunctionMaxQuery::new(ways));
        let name = self.index.fields.levels[0];
        let mut clauses = vec![(Occur::Must, best)];
        for stem in stems {
            let fine: Boxed = Box::new(BoostQuery::new(Box::new(term(name.stem, &stem)), FINE));
            clauses.push((Occur::Should, fine));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// Only what the asker may see.
    fn visible(&self, query: Boxed) -> Boxed {
        if self.looking.for_staff {
            return query;
        }
        let public = Term::from_field_bool(self.index.fields.public, true);
        let public = TermQuery::new(public, IndexRecordOption::Basic);
        every(vec![counts(public, 0.0), query])
    }

    /// Whether anything that the asker may see matches.
    fn knows(&self, query: Boxed) -> Result<bool> {
        Ok(self.searcher.search(&*self.visible(query), &Count)? > 0)
    }

    /// The products that match, or have this SKU.
    fn run(&self, query: Boxed, sku_prefix: bool) -> Result<Vec<ProductId>> {
        let field = self.index.fields.sku;
        let mut ways = vec![query, counts(term(field, &self.sku), SKU)];
        if sku_prefix && self.sku.len() >= MIN_SKU {
            let begun =
                FuzzyTermQuery::new_prefix(Term::from_field_text(field, &self.sku), 0, true);
            ways.push(counts(begun, SKU_PREFIX));
        }
        let query = self.visible(Box::new(DisjunctionMaxQuery::new(ways)));
        let most = usize::try_from(self.index.len()).unwrap_or(usize::MAX);
        let limit = self.looking.limit.min(most);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let best = TopDocs::with_limit(limit).order_by_score();
        let ranked = self.searcher.search(&*query, &best)?;
        self.ids(&ranked)
    }

    /// Products that match equally stand in the order of their ids, whatever order they were
    /// indexed in.
    fn ids(&self, ranked: &[(Score, DocAddress)]) -> Result<Vec<ProductId>> {
        let segments = self.searcher.segment_readers().iter();
        let columns: Vec<_> = segments
            .map(|segment| segment.fast_fields().i64("id"))
            .collect::<tantivy::Result<_>>()?;
        let id = |address: &DocAddress| columns[address.segment_ord as usize].first(address.doc_id);
        let mut found: Vec<(Score, i64)> = ranked
            .iter()
            .filter_map(|(score, address)| Some((*score, id(address)?)))
            .collect();
        found.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        Ok(found.into_iter().map(|(_, id)| ProductId(id)).collect())
    }

    /// The word that was meant: the nearest one that the shop uses, the most used of those.
    fn spelling(&self, word: &str) -> Result<Option<String>> {
        for typos in 1..=typos_forgiven(word) {
            let near = |field| FuzzyTermQuery::new(Term::from_field_text(field, word), typos, true);
            let best = self.candidates(near)?.into_iter().next();
            if best.is_some() {
                return Ok(best);
            }
        }
        Ok(None)
    }

    /// Words of the shop that a query of one field matches, those most used in the most telling
    /// places first; only such as the asker may see.
    fn candidates(&self, query: impl Fn(Field) -> FuzzyTermQuery) -> Result<Vec<String>> {
        let mut weights: HashMap<String, f32> = HashMap::new();
        // What is merely written about a product completes nothing.
        for level in &self.index.fields.levels[..LEVELS.len() - 1] {
            for segment in self.searcher.segment_readers() {
                let inverted = segment.inverted_index(level.exact)?;
                let automaton = query(level.exact).automaton()?;
                let mut stream = inverted.terms().search(automaton).into_stream()?;
                while stream.advance() {
                    let Ok(word) = std::str::from_utf8(stream.key()) else {
                        continue;
                    };
                    let used = stream.value().doc_freq as f32 * level.weight;
                    *weights.entry(word.to_owned()).or_default() += used;
                }
            }
        }
        let mut ranked: Vec<(String, f32)> = weights.into_iter().collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let mut seen = Vec::new();
        for (word, _) in ranked.into_iter().take(MAX_CANDIDATES) {
            if self.looking.for_staff || self.knows(self.strict(&word))? {
                seen.push(word);
            }
        }
        Ok(seen)
    }
}
