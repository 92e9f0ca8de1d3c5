//! What IT sees: logs, `/healthz` and `/metrics`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, TelemetryConfig};

/// Which services of the process are up.
#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<BTreeMap<&'static str, bool>>>);

impl Health {
    pub(crate) fn up(&self, service: &'static str) {
        self.set(service, true);
    }

    pub(crate) fn down(&self, service: &'static str) {
        self.set(service, false);
    }

    fn set(&self, service: &'static str, up: bool) {
        self.services().insert(service, up);
    }

    fn services(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, bool>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Sends log lines to standard error, filtered and shaped as configured.
pub(crate) fn start_logs(config: &TelemetryConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).context("[telemetry] log")?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the logs: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic ends a task, not the process, and is a line among the others.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let what = panic.payload_as_str().unwrap_or("without a word");
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    // bluez-async lets go of its event streams in tasks that panic where the bus was faster:
    // nobody waits for them.
    if at.contains("bluez-async") && at.contains("messagestream.rs") {
        tracing::debug!(at, "a task panicked, which is no matter: {what}");
    } else {
        tracing::error!(at, "a task panicked: {what}");
    }
}

/// Collects metrics from here on; the handle renders them.
pub(crate) fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_quantiles(&[0.5, 0.95, 0.99])
        .and_then(PrometheusBuilder::install_recorder)
        .context("cannot start the metrics")
}

/// Opens the door for `/healthz` and `/metrics`.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind(address).await.with_context(|| {
        format!("[telemetry] listen: cannot listen on {address}; is another tidewatch running?")
    })
}

/// Serves `/healthz` and `/metrics` until asked to stop.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    metrics: PrometheusHandle,
    health: Health,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let upkeep = tokio::spawn(keep_up(metrics.clone(), shutdown.clone()));
    let routes = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(async move || metrics.render()))
        .with_state(health);
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { shutdown.cancelled().await })
        .await
        .context("telemetry server")?;
    upkeep.await.context("metrics upkeep")
}

/// Histograms grow until somebody drains them.
async fn keep_up(metrics: PrometheusHandle, shutdown: CancellationToken) {
    let mut every = tokio::time::interval(std::time::Duration::from_secs(5));
    while shutdown.run_until_cancelled(every.tick()).await.is_some() {
        metrics.run_upkeep();
    }
}

async fn healthz(State(health): State<Health>) -> (StatusCode, Json<serde_json::Value>) {
    let services = health.services().clone();
    let well = services.values().all(|up| *up);
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "status": if well { "ok" } else { "failing" },
        "version": env!("CARGO_PKG_VERSION"),
        "services": services,
    });
    (status, Json(body))
}
