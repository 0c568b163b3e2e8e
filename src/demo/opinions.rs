//! What the demo shop's people say about its goods: always the same, and never twice about one
//! thing.

use super::data::{Answers, Product, Reviews, Topic};

/// A review, not written yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The place of its author among the people.
    pub person: usize,
    /// Stars, 1 to 5.
    pub rating: i64,
    /// A headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it was written, in thousandths of the time that the product has been there.
    pub when: i64,
    /// Whether its author bought the thing here.
    pub bought: bool,
    /// What the shop answers, some days later.
    pub answer: Option<String>,
}

/// All reviews of a product.
pub fn about(product: &Product, reviews: &Reviews) -> Vec<Opinion> {
    let Some(topic) = reviews.topics.get(&product.topic) else {
        return Vec::new();
    };
    let mut dice = Dice::of(&product.name);
    let count = product.reviews.min(reviews.people.len());
    let mut said = critical(topic, count, product.loved, &mut dice);
    said.extend(glad(topic, reviews, count - said.len(), &mut dice));
    dice.shuffle(&mut said);
    let mut people: Vec<usize> = (0..reviews.people.len()).collect();
    dice.shuffle(&mut people);
    let slot = 1000 / (said.len() as i64 + 1);
    said.into_iter()
        .zip(people)
        .zip(1..)
        .map(|(((rating, title, body), person), place)| Opinion {
            person,
            rating,
            title,
            body,
            when: place * slot + dice.below(slot.unsigned_abs() / 2) as i64,
            bought: dice.below(4) > 0,
            answer: answer(&reviews.answers, rating, &mut dice),
        })
        .collect()
}

/// The shop answers most of those who are disappointed, and now and then somebody who is glad.
fn answer(answers: &Answers, rating: i64, dice: &mut Dice) -> Option<String> {
    let (texts, answered) = if rating <= 3 {
        (&answers.low, dice.below(4) > 0)
    } else {
        (&answers.glad, dice.below(8) == 0)
    };
    let text = texts.get(dice.below(texts.len() as u64) as usize);
    text.filter(|_| answered).cloned()
}

type Said = (i64, String, String);

/// The reviews of fewer than five stars: as many as bring the mean down to `loved`.
fn critical(topic: &Topic, count: usize, loved: f64, dice: &mut Dice) -> Vec<Said> {
    let mut missing = (count as f64 * (5.0 - loved)).round() as i64;
    let mut four: Vec<_> = topic.four.iter().collect();
    let mut low: Vec<_> = topic.low.iter().collect();
    dice.shuffle(&mut four);
    dice.shuffle(&mut low);
    let mut said = Vec::new();
    while missing > 0 && said.len() < count {
        // About every third is really disappointed.
        let fits = low.iter().position(|(stars, ..)| 5 - stars <= missing);
        match fits {
            Some(place) if dice.below(3) == 0 || four.is_empty() => {
                let (stars, title, body) = low.swap_remove(place);
                missing -= 5 - stars;
                said.push((*stars, title.clone(), body.clone()));
            }
            _ => {
                let Some((title, body)) = four.pop() else {
                    break;
                };
                missing -= 1;
                said.push((4, title.clone(), body.clone()));
            }
        }
    }
    said
}

/// Reviews of five stars. Half of them go on with an extra; where the topic has no more to say,
/// an extra stands alone.
fn glad(topic: &Topic, reviews: &Reviews, count: usize, dice: &mut Dice) -> Vec<Said> {
    let mut five: Vec<_> = topic.five.iter().collect();
    let mut extras: Vec<_> = reviews.extras.iter().collect();
    dice.shuffle(&mut five);
    dice.shuffle(&mut extras);
    let mut said = Vec::new();
    while said.len() < count {
        let (title, body) = match (five.pop(), extras.pop()) {
            (Some((title, body)), Some((_, extra))) if dice.below(2) == 0 => {
                (title, format!("{body} {extra}"))
            }
            (Some((title, body)), unused) => {
                extras.extend(unused);
                (title, body.clone())
            }
            (None, Some((title, extra))) => (title, extra.clone()),
            (None, None) => break,
        };
        said.push((5, title.clone(), body));
    }
    said
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    /// Begins with a text (FNV-1a).
    fn of(text: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// A number from 0 and below `bound`; 0 where `bound` is 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// Puts things into another order.
    fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            things.swap(last, other);
        }
    }
}
