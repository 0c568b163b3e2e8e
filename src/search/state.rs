//! What a running shop holds of its search: the open index, how far it has come, and what was
//! not found lately.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::MutexGuard;

use super::model::{Miss, Synonyms};
use super::{Cursor, Index, IndexError, Position};
use crate::types::Timestamp;

/// The folder of the index that is searched.
const LIVE: &str = "live";
/// In front of the names of folders in which one is being made.
const FRESH: &str = "fresh-";
/// In front of the names of folders of one that was replaced.
const OLD: &str = "old-";
/// Searches without result that wait to be written; more are not counted.
const MAX_WAITING: usize = 1_000;

/// The search of this instance. Cheap to clone. Nothing is opened before it is needed.
#[derive(Clone)]
pub struct Search(Arc<State>);

struct State {
    folder: PathBuf,
    open: RwLock<Option<Arc<Index>>>,
    cursor: Mutex<Cursor>,
    /// Held by the one who changes the index.
    turn: tokio::sync::Mutex<()>,
    /// Whether the turn is held for long.
    busy: AtomicBool,
    /// Whether the index in the folder turned out to be unusable.
    broken: AtomicBool,
    misses: Mutex<BTreeMap<String, (i64, Timestamp)>>,
    synonyms: Mutex<Option<(String, Arc<Synonyms>)>>,
}

/// An index that is being made in a folder of its own.
pub struct Fresh {
    folder: PathBuf,
    /// The index.
    pub index: Arc<Index>,
}

/// While it lives, searches do not wait for the turn.
pub struct Busy<'s>(&'s AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Search {
    /// The search whose index lies in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self(Arc::new(State {
            folder,
            open: RwLock::default(),
            cursor: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            busy: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            misses: Mutex::default(),
            synonyms: Mutex::default(),
        }))
    }

    /// The open index, if there is one.
    pub fn index(&self) -> Option<Arc<Index>> {
        let open = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone()
    }

    fn set_index(&self, index: Option<Arc<Index>>) {
        *self.0.open.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    /// Looks at, or changes, how far the index has come.
    pub fn cursor<T>(&self, look: impl FnOnce(&mut Cursor) -> T) -> T {
        look(&mut held(&self.0.cursor))
    }

    /// Waits for the right to change the index. Another process may still be at it.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    /// Tells searches not to wait, as long as the result lives; none when somebody did already.
    pub fn set_busy(&self) -> Option<Busy<'_>> {
        let was = self.0.busy.swap(true, Ordering::AcqRel);
        (!was).then(|| Busy(&self.0.busy))
    }

    /// Whether somebody is at greater work on the index.
    pub fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::Acquire)
    }

    /// Opens the index in the folder if there is one that `fits`; blocks.
    pub fn open(&self, fits: impl FnOnce(&Position) -> bool) -> Option<Arc<Index>> {
        if self.0.broken.load(Ordering::Acquire) {
            return None;
        }
        let folder = self.0.folder.join(LIVE);
        if !folder.exists() {
            return None;
        }
        let opened = Index::open(&folder).and_then(|index| Ok((index.position()?, index)));
        match opened {
            Ok((Some(position), index)) if fits(&position) => {
                let index = Arc::new(index);
                self.cursor(|cursor| *cursor = Cursor::new(position.floor));
                self.set_index(Some(index.clone()));
                Some(index)
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the search index cannot be opened");
                None
            }
        }
    }

    /// Gives the open index up: something is wrong with it. The next one is made anew; until
    /// then nothing is found.
    pub fn discard(&self) {
        self.0.broken.store(true, Ordering::Release);
        self.set_index(None);
    }

    /// Begins a new index beside the one in use, and clears away what others left unfinished;
    /// blocks.
    pub fn anew(&self) -> Result<Fresh, IndexError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        std::fs::create_dir_all(&self.0.folder)?;
        for entry in std::fs::read_dir(&self.0.folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(FRESH) || name.starts_with(OLD) {
                // Another process may be faster; what stays is cleared away the next time.
                let _ = std::fs::remove_dir_all(self.0.folder.join(&*name));
            }
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{FRESH}{}-{number}", std::process::id());
        let folder = self.0.folder.join(name);
        std::fs::create_dir(&folder)?;
        let index = Arc::new(Index::create(&folder)?);
        Ok(Fresh { folder, index })
    }

    /// Puts a finished index in the place of the one in use; blocks.
    pub fn replace(&self, fresh: Fresh, cursor: Cursor) -> Result<Arc<Index>, IndexError> {
        let Fresh { folder, index } = fresh;
        drop(index);
        let live = self.0.folder.join(LIVE);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let old = self.0.folder.join(format!("{OLD}{name}"));
        // Whoever searches the old one goes on with its open files.
        let _ = std::fs::rename(&live, &old);
        std::fs::rename(&folder, &live)?;
        let _ = std::fs::remove_dir_all(&old);
        let index = Arc::new(Index::open(&live)?);
        self.0.broken.store(false, Ordering::Release);
        self.cursor(|current| *current = cursor);
        self.set_index(Some(index.clone()));
        Ok(index)
    }

    /// Takes note of a search that found nothing; `words` are folded.
    pub fn note_miss(&self, words: String, now: Timestamp) {
        let mut misses = held(&self.0.misses);
        if misses.len() < MAX_WAITING || misses.contains_key(&words) {
            let miss = misses.entry(words).or_insert((0, now));
            *miss = (miss.0 + 1, now);
        }
    }

    /// What was noted since the last time.
    pub fn take_misses(&self) -> Vec<Miss> {
        let misses = std::mem::take(&mut *held(&self.0.misses));
        let miss = |(words, (count, last_at))| Miss {
            words,
            count,
            last_at,
        };
        misses.into_iter().map(miss).collect()
    }

    /// The rules for words as they were when they had this mark.
    pub fn synonyms(&self, mark: &str) -> Option<Arc<Synonyms>> {
        let kept = held(&self.0.synonyms);
        kept.as_ref()
            .filter(|(known, _)| known == mark)
            .map(|(_, synonyms)| synonyms.clone())
    }

    /// Keeps the rules for words with their mark.
    pub fn keep_synonyms(&self, mark: String, synonyms: Arc<Synonyms>) {
        *held(&self.0.synonyms) = Some((mark, synonyms));
    }
}
