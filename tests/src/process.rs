//! A process that ends with the test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

/// A program of the workspace, beside the test's own executable.
///
/// # Errors
/// Where it has not been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("tests run from target/*/deps")?;
    let program = folder.join(name);
    anyhow::ensure!(
        program.exists(),
        "{} is not there: run `cargo build --workspace` first",
        program.display()
    );
    Ok(program)
}

/// A running program.
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts a program of the workspace with its standard input, output and error.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        args: &[A],
        env: &[(&str, &str)],
        [stdin, stdout, stderr]: [Stdio; 3],
    ) -> Result<Self> {
        let child = Command::new(program(name)?)
            .args(args)
            .envs(env.iter().copied())
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// The process id.
    ///
    /// # Panics
    /// Where the process has been waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process has not been waited for")
    }

    /// The running child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// Where there is nothing to kill.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// SIGTERM, and the exit status.
    ///
    /// # Errors
    /// Where the process has not ended after 20 s.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let id = self.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await?;
        tokio::time::timeout(Duration::from_secs(20), self.child.wait())
            .await
            .with_context(|| format!("{} did not stop within 20 s of SIGTERM", self.name))?
            .with_context(|| format!("cannot wait for {}", self.name))
    }
}
