use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use biosignal::SiteId;
use bus::{Endpoint, Filter, Publisher, SessionKind, Subscriber};
use store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::config::Config;
use crate::door::{Door, Peer};
use crate::failure::Failure;
use crate::publish::Wearers;
use crate::{body, headers, intake, live, moment, page, publish, rebuild, routes};

/// A request that is not answered in this time is given up; a stream of events has begun by then.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
/// Requests under way may take this long to end when the console stops.
const ENDS_WITHIN: Duration = Duration::from_secs(3);
const SESSIONS_SWEPT_EVERY: Duration = Duration::from_secs(600);

/// The console with its door open and its board filled, about to serve.
pub struct Console {
    app: App,
    door: Door,
    endpoint: Endpoint,
}

impl Console {
    /// Listens, and puts on the board what the store knows.
    ///
    /// # Errors
    /// Where the configuration does not hold, the address is taken, a certificate or the
    /// store cannot be read.
    pub async fn open(
        config: Config,
        site: SiteId,
        store: Store,
        endpoint: Endpoint,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        config.validate()?;
        let door = Door::open(&config, shutdown.clone()).await?;
        let app = App::new(config, site, store, shutdown);
        app.desk.start(&app.store).await.context("cannot read the alerts")?;
        rebuild::rebuild(&app, moment::now()).await.context("cannot fill the board")?;
        Ok(Self { app, door, endpoint })
    }

    /// Where the console listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Serves until the shutdown that was given to [`Console::open`].
    ///
    /// # Errors
    /// Where a part ends that should not, or the broker's passwords or certificates cannot
    /// be read. A broker that cannot be reached is none: the board says so.
    pub async fn serve(self) -> anyhow::Result<()> {
        let Self { app, door, endpoint } = self;
        tracing::info!(address = %door.address(), "the console listens");
        let shutdown = app.shutdown.clone();
        let mut parts = parts(&app, &endpoint)?;
        parts.spawn(listen(app.clone(), door));
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            ended = parts.join_next() => ended,
        };
        match ended {
            Some(ended) if !shutdown.is_cancelled() => {
                ended.context("a part of the console")??;
                anyhow::bail!("a part of the console ended")
            }
            _ => {
                let _ = tokio::time::timeout(ENDS_WITHIN, async {
                    while parts.join_next().await.is_some() {}
                })
                .await;
                Ok(())
            }
        }
    }
}

/// What runs beside the server. Each ends with the shutdown.
fn parts(app: &App, endpoint: &Endpoint) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let (site, shutdown) = (&app.site, &app.shutdown);
    let name = |part: &str| format!("{}-{site}-{part}", app.config.client_id);
    let view = [Filter::batches, Filter::statuses, Filter::assessments, Filter::assignments];
    let view = view.map(|filter| filter(site).at_most_once()).to_vec();
    let view = Subscriber::start(endpoint, &name("board"), view, SessionKind::Clean, shutdown)?;
    let alerts = vec![Filter::alerts(site)];
    let kind = SessionKind::Persistent;
    let alerts = Subscriber::start(endpoint, &name("alerts"), alerts, kind, shutdown)?;
    let publisher = Publisher::start(endpoint, &name("assignments"), None, shutdown)?;
    let wearers = Wearers::default();
    let mut parts = JoinSet::new();
    parts.spawn(until(shutdown, live::follow(app.clone(), view, wearers.clone())));
    parts.spawn(until(shutdown, intake::receive(app.clone(), alerts)));
    parts.spawn(until(shutdown, publish::keep_published(app.clone(), publisher, wearers)));
    parts.spawn(until(shutdown, sweep_sessions(app.clone())));
    Ok(parts)
}

fn until(
    shutdown: &CancellationToken,
    part: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) -> impl Future<Output = anyhow::Result<()>> + Send + 'static {
    let shutdown = shutdown.clone();
    async move { shutdown.run_until_cancelled(part).await.unwrap_or(Ok(())) }
}

async fn sweep_sessions(app: App) -> anyhow::Result<()> {
    loop {
        if let Err(error) = app.store.expire_sessions(moment::now()).await {
            tracing::warn!(%error, "cannot forget sessions that have expired");
        }
        tokio::time::sleep(SESSIONS_SWEPT_EVERY).await;
    }
}

async fn listen(app: App, door: Door) -> anyhow::Result<()> {
    let shutdown = app.shutdown.clone();
    let service = router(app).into_make_service_with_connect_info::<Peer>();
    axum::serve(door, service)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("the console's server")
}

fn router(app: App) -> Router {
    let https = app.config.is_https();
    routes::router(&app)
        .fallback(async |method: Method, uri: Uri, headers: HeaderMap| {
            page::show(&method, &uri, &headers)
        })
        .method_not_allowed_fallback(async || {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "This cannot be done at this address.")
                .into_response()
        })
        .layer(DefaultBodyLimit::max(body::LARGEST))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWERED_WITHIN))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(https, headers::secure))
        .with_state(app)
}
