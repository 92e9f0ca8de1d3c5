use std::path::PathBuf;

use anyhow::Context;
use biosignal::SiteId;
use bus::{Filter, Message, SessionKind, Subscriber};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::collector::Collector;
use crate::publisher::Publisher;
use crate::radio::Radio;
use crate::spool::Spool;
use crate::status::Statuses;
use crate::{Config, clock};

/// Places between the bands' tasks and the spool. When they are all taken (the disk does
/// not keep up) a band's packet is left unread, and asked of its flash again later.
const INTAKE: usize = 1024;

/// Places for announcements of kept batches: half a minute of them. When they are all
/// taken the batches go out as backlog.
const FRESH: usize = 128;

/// Reads the bands around, keeps what they say until the store has it, and publishes it.
///
/// Runs until `shutdown`, and then lets go of the bands, keeps what is left, and says
/// goodbye. The spool is `gateway-spool.sqlite` in `data_dir`.
///
/// # Errors
/// Where the configuration is bad, the spool cannot be opened, or a part of the gateway
/// ends by itself. That no adapter, band or broker is there is no error.
pub async fn run(
    site: SiteId,
    config: Config,
    endpoint: bus::Endpoint,
    data_dir: PathBuf,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    config.validate()?;
    std::fs::create_dir_all(&data_dir)
        .with_context(|| format!("cannot make the folder {}", data_dir.display()))?;
    let spool = Spool::open(&data_dir, config.spool_limit_mib << 20)?;
    let statuses = Statuses::new(config.id.clone(), clock::now());

    // The connection outlives the tasks, so that their last words arrive.
    let connection = CancellationToken::new();
    let _closed_at_the_end = connection.clone().drop_guard();
    let client = format!("tidewatch-{site}-gateway-{}", config.id);
    let will = Message::GatewayStatus(statuses.last_will()).publication(&site);
    let mqtt = bus::Publisher::start(&endpoint, &client, Some(will), &connection)?;
    let words = Subscriber::start(
        &endpoint,
        &format!("{client}-words"),
        vec![Filter::acknowledgements(&site, &config.id)],
        SessionKind::Clean,
        &connection,
    )?;

    let (intake, taken_in) = mpsc::channel(INTAKE);
    let (fresh, freshly_kept) = mpsc::channel(FRESH);
    let publisher = Publisher::new(
        site,
        config.id.clone(),
        spool.clone(),
        statuses.clone(),
        mqtt,
        config.resend_after,
    )
    .await?;
    let collector = Collector {
        gateway: config.id.clone(),
        spool: spool.clone(),
        flush_every: config.flush_every,
        intake: taken_in,
        fresh,
    };
    let radio = Radio::new(config, spool, statuses.clone(), intake).await?;

    let goodbye = CancellationToken::new();
    let mut parts = Parts {
        publisher: tokio::spawn(publisher.run(freshly_kept, words, goodbye.clone())),
        collector: tokio::spawn(collector.run(shutdown.clone())),
        radio: tokio::spawn(radio.run(shutdown.clone())),
    };
    let ended = parts.until(&shutdown).await;
    shutdown.cancel();
    let stopped = parts.stop(&statuses, &goodbye).await;
    ended.and(stopped)
}

struct Parts {
    radio: JoinHandle<anyhow::Result<()>>,
    collector: JoinHandle<anyhow::Result<()>>,
    publisher: JoinHandle<anyhow::Result<()>>,
}

impl Parts {
    /// Waits for the end; a part that ends before is an error.
    async fn until(&mut self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let (part, ended) = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            ended = &mut self.radio => ("radio", ended),
            ended = &mut self.collector => ("collector", ended),
            ended = &mut self.publisher => ("publisher", ended),
        };
        if shutdown.is_cancelled() {
            return Ok(());
        }
        match ended {
            Ok(Ok(())) => anyhow::bail!("the gateway's {part} ended by itself"),
            Ok(Err(error)) => Err(error).context(format!("the gateway's {part}")),
            Err(error) => Err(error).context(format!("the gateway's {part}")),
        }
    }

    /// Each part ends when the one before it has: bands, then what they said, then the
    /// last word to the broker.
    async fn stop(self, statuses: &Statuses, goodbye: &CancellationToken) -> anyhow::Result<()> {
        let Self { radio, collector, publisher } = self;
        let radio = ended(radio).await;
        let collector = ended(collector).await;
        statuses.release(clock::now());
        goodbye.cancel();
        radio.and(collector).and(ended(publisher).await)
    }
}

/// What a part says in the end. One that was waited for already has said it.
async fn ended(part: JoinHandle<anyhow::Result<()>>) -> anyhow::Result<()> {
    if part.is_finished() { Ok(()) } else { part.await? }
}
