//! Services under one roof: they start together, and when one falls, all stop, those that
//! the others lean on last.

use std::future::Future;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Health;

/// The services of a process.
pub(crate) struct Supervisor {
    services: JoinSet<(&'static str, anyhow::Result<()>)>,
    shutdown: CancellationToken,
    /// Cancelled when only those are left that the others leaned on.
    shutdown_beneath: CancellationToken,
    beneath: Vec<&'static str>,
    health: Health,
}

impl Supervisor {
    pub(crate) fn new(shutdown: CancellationToken, health: Health) -> Self {
        Self {
            services: JoinSet::new(),
            shutdown,
            shutdown_beneath: CancellationToken::new(),
            beneath: Vec::new(),
            health,
        }
    }

    /// The token that a service stops by.
    pub(crate) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Starts a service that the others lean on: its token is cancelled when they have ended.
    pub(crate) fn start_beneath<F>(
        &mut self,
        name: &'static str,
        service: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.beneath.push(name);
        self.start(name, service(self.shutdown_beneath.clone()));
    }

    /// Starts a service.
    pub(crate) fn start<F>(&mut self, name: &'static str, service: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.health.up(name);
        tracing::info!(service = name, "started");
        self.services.spawn(async move { (name, service.await) });
    }

    /// Waits until all have stopped. A service that ends before it was asked to is an
    /// error, and takes the others with it: the process is started again as a whole.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut first_failure = None;
        let mut above = self.services.len() - self.beneath.len();
        while let Some(ended) = self.services.join_next().await {
            let failure = match ended {
                Ok((name, result)) => {
                    self.health.down(name);
                    above -= usize::from(!self.beneath.contains(&name));
                    self.judge(name, result)
                }
                Err(panic) => {
                    // Nobody says which one it was: none is waited for.
                    self.shutdown_beneath.cancel();
                    Some(anyhow::Error::new(panic).context("a service panicked"))
                }
            };
            if let Some(failure) = failure {
                tracing::error!(error = format!("{failure:#}"), "stopping everything");
                self.shutdown.cancel();
                first_failure.get_or_insert(failure);
            }
            if above == 0 {
                self.shutdown_beneath.cancel();
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    fn judge(&self, name: &'static str, result: anyhow::Result<()>) -> Option<anyhow::Error> {
        match result {
            Ok(()) if self.shutdown.is_cancelled() => {
                tracing::info!(service = name, "stopped");
                None
            }
            Ok(()) => Some(anyhow::anyhow!("the {name} ended without being asked to")),
            Err(error) => Some(error.context(format!("the {name} failed"))),
        }
    }
}

/// Cancels the token at SIGINT or SIGTERM.
pub(crate) fn stop_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("asked to stop");
        shutdown.cancel();
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor() -> Supervisor {
        Supervisor::new(CancellationToken::new(), Health::default())
    }

    #[tokio::test]
    async fn a_service_that_falls_takes_the_others_with_it() {
        let mut house = supervisor();
        let shutdown = house.shutdown();
        house.start("recorder", async move {
            shutdown.cancelled().await;
            Ok(())
        });
        house.start("gateway", async { anyhow::bail!("no adapter") });
        let error = house.run().await.expect_err("the gateway failed");
        assert_eq!(format!("{error:#}"), "the gateway failed: no adapter");
    }

    #[tokio::test]
    async fn what_the_others_lean_on_stops_last() {
        let mut house = supervisor();
        let (shutdown, broker_stopped) = (house.shutdown(), CancellationToken::new());
        let stopped = broker_stopped.clone();
        house.start_beneath("broker", |shutdown| async move {
            shutdown.cancelled().await;
            stopped.cancel();
            Ok(())
        });
        let gateway = shutdown.clone();
        house.start("gateway", async move {
            gateway.cancelled().await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            anyhow::ensure!(!broker_stopped.is_cancelled(), "the broker went first");
            Ok(())
        });
        shutdown.cancel();
        house.run().await.expect("all stop well");
    }

    #[tokio::test]
    async fn a_service_that_ends_unasked_is_an_error() {
        let mut house = supervisor();
        house.start("console", async { Ok(()) });
        let error = house.run().await.expect_err("it was not asked to end");
        assert!(error.to_string().contains("without being asked"));
    }
}
