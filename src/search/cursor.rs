//! How far a follower of the outbox has come.

use std::collections::BTreeMap;

use crate::types::Timestamp;

/// Seconds for which an event with a lower id may still turn up: PostgreSQL hands out ids before
/// the transaction commits, so a later id can be seen first.
const MAY_COME_LATE: i64 = 60;

/// Which events were seen. All up to `floor` count as seen; above it each is remembered for a
/// minute, so that one that turns up late is told from those that are done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    floor: i64,
    seen: BTreeMap<i64, Timestamp>,
}

impl Cursor {
    /// One that has seen all up to `floor`.
    pub fn new(floor: i64) -> Self {
        Self {
            floor,
            seen: BTreeMap::new(),
        }
    }

    /// The id up to which nothing is looked at again.
    pub fn floor(&self) -> i64 {
        self.floor
    }

    /// The highest id seen.
    pub fn head(&self) -> i64 {
        self.seen.keys().next_back().copied().unwrap_or(self.floor)
    }

    /// How many events above the floor were seen.
    pub fn count(&self) -> i64 {
        i64::try_from(self.seen.len()).unwrap_or(i64::MAX)
    }

    /// Whether this event is still to be looked at.
    pub fn is_news(&self, id: i64) -> bool {
        id > self.floor && !self.seen.contains_key(&id)
    }

    /// Takes note of events that were dealt with at `now`, and lets the floor rise above those
    /// that no late one can come before.
    pub fn mark(&mut self, ids: impl IntoIterator<Item = i64>, now: Timestamp) {
        for id in ids {
            if self.is_news(id) {
                self.seen.insert(id, now);
            }
        }
        let settled = now.plus_seconds(-MAY_COME_LATE);
        while let Some(first) = self.seen.first_entry() {
            if *first.get() > settled {
                break;
            }
            self.floor = first.remove_entry().0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_turns_up_late_is_news_for_a_minute() {
        let mut cursor = Cursor::new(10);
        let start = Timestamp(0);
        cursor.mark([12, 13], start);
        assert!(cursor.is_news(11) && !cursor.is_news(12) && !cursor.is_news(9));
        assert_eq!((cursor.floor(), cursor.head(), cursor.count()), (10, 13, 2));
        cursor.mark([11], start.plus_seconds(30));
        assert_eq!((cursor.floor(), cursor.count()), (10, 3));
        // What was seen late holds the floor down until it has settled, too.
        cursor.mark([], start.plus_seconds(60));
        assert_eq!((cursor.floor(), cursor.count()), (10, 3));
        cursor.mark([], start.plus_seconds(90));
        assert_eq!((cursor.floor(), cursor.head(), cursor.count()), (13, 13, 0));
        assert!(!cursor.is_news(11) && cursor.is_news(14));
    }
}
