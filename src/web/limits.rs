//! How often one asker may ask: budgets of requests a minute, in the memory of this instance.
//!
//! They keep one asker from taking the shop away from all others, so each instance counts for
//! itself. Guesses at passwords are another matter: those are counted in rows, by all instances
//! together (`accounts`).

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::failure::Failure;
use crate::config::{Config, Switch};
use crate::types::address::neighbourhood;
use crate::types::{Timestamp, UserId};

/// How long a budget lasts, in microseconds: a minute.
const WINDOW: i64 = 60 * 1_000_000;
/// Parts of the table that are locked apart from each other.
const SHARDS: usize = 16;
/// The most askers of one generation of a shard: with two generations, 262,144 in all, some
/// 20 MB.
const GENERATION: usize = 8192;

/// How many requests of the window there are.
pub const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// How many are left.
pub const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// In how many seconds they are all there again.
pub const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// What is asked for: each has a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Pages and their forms.
    Pages,
    /// Reading through the API.
    Reads,
    /// Writing through the API.
    Writes,
}

impl Budget {
    /// The budget of a request to the API.
    pub fn of_api(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Reads,
            _ => Self::Writes,
        }
    }

    /// Its name in the figures.
    fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Reads => "api_reads",
            Self::Writes => "api_writes",
        }
    }
}

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// An account, wherever it asks from.
    User(UserId),
    /// Whoever is at this address, or in this network.
    Address(IpAddr),
    /// All whose address is not known.
    Unknown,
}

impl Asker {
    /// The account where there is one, else the address.
    pub fn new(user: Option<UserId>, address: Option<IpAddr>) -> Self {
        match (user, address) {
            (Some(user), _) => Self::User(user),
            (None, Some(address)) => Self::Address(neighbourhood(address)),
            (None, None) => Self::Unknown,
        }
    }
}

/// Where an asker stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests of the window.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// Seconds until they are all there again.
    pub reset: u64,
    /// Whether this request was one too many.
    exceeded: bool,
}

impl Standing {
    /// Errors: 429 when this request was one too many.
    pub fn admit(self) -> Result<(), Failure> {
        if self.exceeded {
            Err(Failure::of_too_many(self.limit.into(), self.reset))
        } else {
            Ok(())
        }
    }

    /// Writes it into the headers of an answer, unless a narrower limit stands there already.
    pub fn tell(self, headers: &mut HeaderMap) {
        if !headers.contains_key(LIMIT) {
            headers.insert(LIMIT, HeaderValue::from(self.limit));
            headers.insert(REMAINING, HeaderValue::from(self.remaining));
            headers.insert(RESET, HeaderValue::from(self.reset));
        }
    }
}

/// The budgets of all askers.
pub struct Limits {
    /// Requests of a window: pages, reads, writes. None: nobody is counted.
    limits: Option<[u32; 3]>,
    /// Which shard an asker belongs to; seeded, so that nobody can aim at one.
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// Askers in two generations: whoever asks is young, and the old go when there are too many
/// young, or after a window, when what they used is forgotten anyway. A flood of addresses costs
/// those who asked least lately their count, and no more memory than this.
#[derive(Default)]
struct Shard {
    young: HashMap<(Budget, Asker), Used>,
    old: HashMap<(Budget, Asker), Used>,
    /// When the young were last made old, in microseconds.
    turned_at: i64,
}

/// What of a budget is used in a window that ends at a moment, in microseconds.
#[derive(Clone, Copy)]
struct Used {
    requests: u32,
    ends_at: i64,
}

impl Limits {
    /// The budgets of the settings.
    pub fn new(config: &Config) -> Self {
        let limits = [config.page_limit, config.read_limit, config.write_limit];
        Self {
            limits: (config.rate_limits == Switch::On).then_some(limits),
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    /// Counts a request; none when nobody is counted.
    pub fn count(&self, budget: Budget, asker: Asker, now: Timestamp) -> Option<Standing> {
        let [pages, reads, writes] = self.limits?;
        let limit = match budget {
            Budget::Pages => pages,
            Budget::Reads => reads,
            Budget::Writes => writes,
        };
        let key = (budget, asker);
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        let used = self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .use_one(key, now.0);
        let exceeded = used.requests > limit;
        if exceeded {
            refused(budget.name());
        }
        Some(Standing {
            limit,
            remaining: limit.saturating_sub(used.requests),
            reset: u64::try_from(used.ends_at - now.0)
                .unwrap_or(0)
                .div_ceil(1_000_000)
                .max(1),
            exceeded,
        })
    }
}

/// Notes in the figures that a request was refused because there were too many like it.
fn refused(what: &'static str) {
    metrics::counter!("zoco_rate_limited_total", "what" => what).increment(1);
}

impl Shard {
    fn use_one(&mut self, key: (Budget, Asker), now: i64) -> Used {
        // A clock that was set back must not close the shop until it has caught up.
        let turned = now - self.turned_at;
        if !(0..WINDOW).contains(&turned) || self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = now;
        }
        let before = self.young.get(&key).or_else(|| self.old.get(&key)).copied();
        let running = before.filter(|used| (1..=WINDOW).contains(&(used.ends_at - now)));
        let mut used = running.unwrap_or(Used {
            requests: 0,
            ends_at: now + WINDOW,
        });
        used.requests = used.requests.saturating_add(1);
        self.young.insert(key, used);
        used
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn limits(pages: u32) -> Limits {
        Limits::new(&Config {
            page_limit: pages,
            ..Config::default()
        })
    }

    fn address(number: u32) -> Asker {
        Asker::Address(Ipv4Addr::from_bits(number).into())
    }

    /// (remaining, reset, exceeded)
    fn ask(limits: &Limits, asker: Asker, seconds: i64) -> (u32, u64, bool) {
        let standing = limits.count(Budget::Pages, asker, Timestamp(seconds * 1_000_000));
        let standing = standing.unwrap();
        (standing.remaining, standing.reset, standing.exceeded)
    }

    #[test]
    fn a_budget_lasts_a_minute() {
        let limits = limits(2);
        let one = address(1);
        assert_eq!(ask(&limits, one, 1000), (1, 60, false));
        assert_eq!(ask(&limits, one, 1030), (0, 30, false));
        assert_eq!(ask(&limits, one, 1059), (0, 1, true));
        assert_eq!(ask(&limits, address(2), 1059), (1, 60, false), "another");
        assert_eq!(ask(&limits, one, 1060), (1, 60, false), "a new window");
        assert_eq!(ask(&limits, one, 1061), (0, 59, false));
        assert_eq!(ask(&limits, one, 1061), (0, 59, true));
    }

    #[test]
    fn a_clock_set_back_closes_nothing() {
        let limits = limits(1);
        let one = address(1);
        assert_eq!(ask(&limits, one, 100_000), (0, 60, false));
        assert_eq!(ask(&limits, one, 100_000), (0, 60, true));
        assert_eq!(ask(&limits, one, 5), (0, 60, false));
        assert_eq!(ask(&limits, one, 6), (0, 59, true));
    }

    #[test]
    fn a_flood_of_addresses_fills_no_memory() {
        let limits = limits(5);
        let held = |limits: &Limits| -> usize {
            let shards = limits.shards.iter().map(|shard| shard.lock().unwrap());
            shards
                .map(|shard| shard.young.len() + shard.old.len())
                .sum()
        };
        for number in 0..400_000 {
            ask(&limits, address(number), 1000);
        }
        let most = held(&limits);
        assert!(most <= 2 * SHARDS * GENERATION, "{most}");
        assert!(most > SHARDS * GENERATION, "{most}");
        // Whoever asked lately is still known, and goes on where they were.
        assert_eq!(ask(&limits, address(399_999), 1001), (3, 59, false));
        // After two windows everybody from before is gone.
        for round in [1060, 1120] {
            for number in 0..1000 {
                ask(&limits, address(number), round);
            }
        }
        assert_eq!(held(&limits), 2000);
    }
}
