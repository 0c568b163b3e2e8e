//! Files: pictures in a local folder, served under `/media`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

/// A folder of files, named by their contents and so never changed.
#[derive(Clone, Debug)]
pub struct Storage {
    folder: PathBuf,
}

impl Storage {
    /// Keeps files in `folder`, which is made when needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the files are, for the file server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file whole or not at all. `key` is a relative path of plain names.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path(key)?;
        let folder = path.parent().context("a key names a file")?;
        tokio::fs::create_dir_all(folder).await?;
        // Two writers of one file do not get in each other's way.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = folder.join(format!(".{}-{number}.part", std::process::id()));
        tokio::fs::write(&unfinished, bytes).await?;
        tokio::fs::rename(&unfinished, &path).await?;
        Ok(())
    }

    /// Whether a file is there.
    pub async fn has(&self, key: &str) -> bool {
        match self.path(key) {
            Ok(path) => tokio::fs::try_exists(path).await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// The URL of a file.
    pub fn url(key: &str) -> String {
        format!("/media/{key}")
    }

    fn path(&self, key: &str) -> anyhow::Result<PathBuf> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        anyhow::ensure!(key.split('/').all(plain), "{key} is not a key of a file");
        Ok(self.folder.join(key))
    }
}
