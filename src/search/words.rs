//! From a text to the words that an index keeps, and to their stems in English and Spanish.

use std::cell::RefCell;

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer};

use crate::types::text::fold;

/// Longer words are numbers of machines or mistakes; nobody types them.
const MAX_WORD: usize = 40;

/// Words that say nothing about a product, in English and Spanish, folded and sorted. A search
/// does not insist on them.
const WEAK: [&str; 62] = [
    "a", "al", "am", "an", "and", "are", "as", "at", "be", "by", "con", "de", "del", "do", "el",
    "en", "for", "from", "has", "have", "i", "in", "is", "it", "its", "la", "las", "los", "me",
    "mi", "my", "no", "not", "o", "of", "on", "or", "our", "para", "por", "que", "se", "sin",
    "some", "su", "sus", "that", "the", "their", "these", "this", "to", "un", "una", "unas", "uno",
    "unos", "was", "we", "with", "y", "your",
];

/// The words of a text in their order: lower case, accents dropped, letters parted from digits,
/// so that `350ml` and `350 ml` are the same.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words = Vec::new();
    for run in folded.split_whitespace() {
        let mut start = 0;
        let bytes = run.as_bytes();
        for at in 1..=bytes.len() {
            let border =
                at == bytes.len() || bytes[at].is_ascii_digit() != bytes[at - 1].is_ascii_digit();
            if border {
                let word = &run[start..at];
                if word.len() <= MAX_WORD {
                    words.push(word.to_owned());
                }
                start = at;
            }
        }
    }
    words
}

/// Whether a search need not insist on this word: it says nothing, or is a single letter.
pub fn is_weak(word: &str) -> bool {
    let letter = word.len() == 1 && !word.as_bytes()[0].is_ascii_digit();
    letter || WEAK.binary_search(&word).is_ok()
}

/// How many typing mistakes are forgiven: none in short words and in numbers, one from four
/// letters, two from eight.
pub fn typos_forgiven(word: &str) -> u8 {
    let number = word.bytes().any(|byte| byte.is_ascii_digit());
    match word.len() {
        _ if number => 0,
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// What a folded word has in common with its other forms: `mugs` and `mug`, `cafeteras` and
/// `cafetera`, `shelves` and `shelf`. The language of a text is not known, so the stems of both
/// are given. None for words that say nothing and for numbers.
pub fn stems(word: &str) -> Vec<String> {
    if is_weak(word) || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let mut forms = vec![word.to_owned()];
    // What the stemmers leave apart: shelves and shelf, knives and knife, lápices and lápiz.
    if let Some(head) = word.strip_suffix("ves") {
        forms.extend([format!("{head}f"), format!("{head}fe")]);
    }
    if let Some(head) = word.strip_suffix("ces") {
        forms.push(format!("{head}z"));
    }
    let mut stems: Vec<String> = forms
        .iter()
        .flat_map(|form| STEMMERS.with_borrow_mut(|stemmers| stemmers.of(form)))
        .filter(|stem| stem.len() > 1)
        .collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

/// Whether two words are forms of the same one.
pub fn same(one: &str, other: &str) -> bool {
    one == other || stems(one).iter().any(|stem| stems(other).contains(stem))
}

struct Stemmers([TextAnalyzer; 2]);

thread_local! {
    /// One pair for each thread: an analyzer works on one word at a time.
    static STEMMERS: RefCell<Stemmers> = RefCell::new(Stemmers::new());
}

impl Stemmers {
    fn new() -> Self {
        Self([Language::English, Language::Spanish].map(|language| {
            TextAnalyzer::builder(RawTokenizer::default())
                .filter(Stemmer::new(language))
                .build()
        }))
    }

    fn of(&mut self, word: &str) -> Vec<String> {
        let mut stems = Vec::with_capacity(2);
        for analyzer in &mut self.0 {
            let mut stream = analyzer.token_stream(word);
            if let Some(token) = stream.next() {
                stems.push(token.text.clone());
            }
        }
        stems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_plain_words() {
        assert_eq!(words("Camión, Ñandú!"), ["camion", "nandu"]);
        assert_eq!(
            words("350ml iPhone13 Pro"),
            ["350", "ml", "iphone", "13", "pro"]
        );
        assert_eq!(words("MUG-OAT-350"), ["mug", "oat", "350"]);
        for nothing in ["", "   ", "?!…", "\u{0}"] {
            assert!(words(nothing).is_empty(), "{nothing:?}");
        }
        assert!(words(&"x".repeat(5_000)).is_empty());
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for (one, other) in [
            ("mug", "mugs"),
            ("glass", "glasses"),
            ("shelf", "shelves"),
            ("knife", "knives"),
            ("battery", "batteries"),
            ("candle", "candles"),
            ("camion", "camiones"),
            ("cafetera", "cafeteras"),
            ("lampara", "lamparas"),
            ("reloj", "relojes"),
            ("lapiz", "lapices"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("mug", "jug"),
            ("350", "35"),
            ("the", "them"),
            ("plate", "platter"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn weak_words_are_known_and_short_ones_must_be_right() {
        assert!(WEAK.is_sorted());
        for weak in ["the", "de", "x"] {
            assert!(is_weak(weak) && stems(weak).is_empty(), "{weak}");
        }
        assert!(!is_weak("7") && !is_weak("mug"));
        let forgiven =
            ["mug", "lamp", "kitchen", "stoneware", "2026", "a4000000"].map(typos_forgiven);
        assert_eq!(forgiven, [0, 1, 1, 2, 0, 0]);
    }
}
