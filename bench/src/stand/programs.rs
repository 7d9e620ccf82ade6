//! The programs that a bench starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const NGINX: &str = "nginx";
const REDIS: &str = "redis-server";
const REDIS_BENCHMARK: &str = "redis-benchmark";
/// Where distributions put it although not in every user's PATH.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"];

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) fake_provider: PathBuf,
    pub(crate) control_plane: PathBuf,
    pub(crate) data_plane: PathBuf,
    pub(crate) cli: PathBuf,
    pub(crate) nginx: Option<PathBuf>,
    pub(crate) redis: Option<PathBuf>,
    pub(crate) redis_benchmark: Option<PathBuf>,
}

impl Programs {
    /// Penstock's from `folder`, else from beside this program; nginx and Redis from the system.
    ///
    /// # Errors
    /// One of Penstock's is missing.
    pub(crate) fn find(folder: Option<&Path>) -> Result<Self> {
        let own = std::env::current_exe()?;
        let beside = own.parent().context("this program lies in a folder")?;
        let folder = folder.unwrap_or(beside);
        let path = std::env::var_os("PATH").unwrap_or_default();
        Ok(Self {
            fake_provider: penstock(folder, "penstock-fake-provider")?,
            control_plane: penstock(folder, "penstock-control-plane")?,
            data_plane: penstock(folder, "penstock-data-plane")?,
            cli: penstock(folder, "penstock")?,
            nginx: installed(NGINX, &path),
            redis: installed(REDIS, &path),
            redis_benchmark: installed(REDIS_BENCHMARK, &path),
        })
    }

    /// As `nginx -v` tells it.
    pub(crate) fn nginx_version(&self) -> Option<String> {
        let output = Command::new(self.nginx.as_ref()?).arg("-v").output().ok()?;
        let text = String::from_utf8(output.stderr).ok()?;
        Some(text.trim().strip_prefix("nginx version: ")?.to_owned())
    }

    /// As `redis-server --version` tells it: `Redis 7.0.15`.
    pub(crate) fn redis_version(&self) -> Option<String> {
        let output = Command::new(self.redis.as_ref()?)
            .arg("--version")
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text
            .split_ascii_whitespace()
            .find_map(|word| word.strip_prefix("v="))?;
        Some(format!("Redis {version}"))
    }
}

fn penstock(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    ensure!(
        path.exists(),
        "{} is not built: run `just bench`, or name its folder with --bin-dir",
        path.display()
    );
    Ok(path)
}

fn installed(name: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).chain(FOLDERS.map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_binary_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = Programs::find(Some(folder.path())).unwrap_err().to_string();
        assert!(
            error.contains("penstock-fake-provider is not built: run `just bench`"),
            "{error}"
        );
    }

    #[test]
    fn binaries_of_a_given_folder_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "penstock-fake-provider",
            "penstock-control-plane",
            "penstock-data-plane",
            "penstock",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let programs = Programs::find(Some(folder.path())).unwrap();
        assert_eq!(programs.cli, folder.path().join("penstock"));
    }

    #[test]
    fn nginx_is_found_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("nginx"), "").unwrap();
        assert_eq!(
            installed(NGINX, folder.path().as_os_str()),
            Some(folder.path().join("nginx"))
        );
    }
}
