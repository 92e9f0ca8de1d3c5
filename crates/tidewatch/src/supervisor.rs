//! Services under one roof: they start together, and when one falls, all stop.

use std::future::Future;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Health;

/// The services of a process.
pub(crate) struct Supervisor {
    services: JoinSet<(&'static str, anyhow::Result<()>)>,
    shutdown: CancellationToken,
    health: Health,
}

impl Supervisor {
    pub(crate) fn new(shutdown: CancellationToken, health: Health) -> Self {
        Self { services: JoinSet::new(), shutdown, health }
    }

    /// The token that a service stops by.
    pub(crate) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
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
        while let Some(ended) = self.services.join_next().await {
            let failure = match ended {
                Ok((name, result)) => {
                    self.health.down(name);
                    self.judge(name, result)
                }
                Err(panic) => Some(anyhow::Error::new(panic).context("a service panicked")),
            };
            if let Some(failure) = failure {
                tracing::error!(error = format!("{failure:#}"), "stopping everything");
                self.shutdown.cancel();
                first_failure.get_or_insert(failure);
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
    async fn a_service_that_ends_unasked_is_an_error() {
        let mut house = supervisor();
        house.start("console", async { Ok(()) });
        let error = house.run().await.expect_err("it was not asked to end");
        assert!(error.to_string().contains("without being asked"));
    }
}
