//! From the spool to the broker, live readings first; and from the store's word back to
//! the spool, which lets go of nothing else.

mod outstanding;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use biosignal::{DeviceId, Gap, GatewayId, SiteId};
use bus::{Delivery, Message, PublishError, wire};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::collector::Fresh;
use crate::spool::{Key, Spool, Spooled};
use crate::status::Statuses;
use outstanding::{Limits, Outstanding, Verdict};
use refusal::Refusals;

/// Backlog messages that are handed to the broker at once: few, so that a live batch
/// waits for few.
const BACKLOG_AT_ONCE: usize = 32;

/// Places that must be free before backlog is read from the disk again.
const BACKLOG_REFILL: usize = 8;

/// Backlog batches that may wait for the store's word at once.
const WINDOW: usize = 1000;

/// How long a batch that the broker took may be on its way into the store.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// How long the store may miss what the spool let go of.
const DISAGREEMENT: Duration = Duration::from_secs(30);

/// How long after a connection the store's retained word is waited for: it may say that
/// most of the backlog has arrived.
const WORD_WAIT: Duration = Duration::from_secs(2);

/// How often the gateway's own status is told anew, with the spool's depth.
const ITSELF_EVERY: Duration = Duration::from_secs(10);

/// How long the last statuses may take when the gateway stops.
const GOODBYE: Duration = Duration::from_secs(2);

/// Gaps told at once.
const GAPS_AT_ONCE: u32 = 32;

/// What the publisher works with.
pub(crate) struct Publisher {
    site: SiteId,
    gateway: GatewayId,
    spool: Spool,
    statuses: Statuses,
    mqtt: bus::Publisher,
    connected: watch::Receiver<bool>,
    outstanding: Outstanding,
    epoch: u64,
    under_way: FuturesUnordered<BoxFuture<'static, Told>>,
    backlog_under_way: usize,
    gaps_under_way: BTreeSet<i64>,
    /// A status did not arrive.
    statuses_untold: bool,
    refusals: Refusals,
    /// No backlog before this moment.
    backlog_from: Instant,
}

/// A message and what became of it.
struct Told {
    what: What,
    outcome: Result<(), PublishError>,
}

enum What {
    Live(Key),
    Backlog(Key),
    Gap(i64),
    Status,
}

impl Publisher {
    /// Begins with what the spool holds.
    pub(crate) async fn new(
        site: SiteId,
        gateway: GatewayId,
        spool: Spool,
        statuses: Statuses,
        mqtt: bus::Publisher,
        resend_after: Duration,
    ) -> anyhow::Result<Self> {
        let mut outstanding = Outstanding::new(Limits {
            window: WINDOW,
            resend_after,
            on_its_way: ON_ITS_WAY,
            disagreement: DISAGREEMENT,
        });
        outstanding.load(spool.extents().await?);
        let now = Instant::now();
        Ok(Self {
            site,
            gateway,
            epoch: spool.epoch().await?,
            connected: mqtt.connected(),
            spool,
            statuses,
            mqtt,
            outstanding,
            under_way: FuturesUnordered::new(),
            backlog_under_way: 0,
            gaps_under_way: BTreeSet::new(),
            statuses_untold: false,
            refusals: Refusals::new(now),
            backlog_from: now + WORD_WAIT,
        })
    }

    /// Publishes until `shutdown`, then says goodbye.
    pub(crate) async fn run(
        mut self,
        mut fresh: mpsc::Receiver<Vec<Fresh>>,
        mut words: bus::Subscriber,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let mut itself = tokio::time::interval(ITSELF_EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(told) = self.under_way.next() => self.learn(told),
                Some(batches) = fresh.recv() => self.send_fresh(batches),
                () = self.statuses.changed() => {}
                word = words.next() => {
                    let word = word.context("the subscription to the store's word ended")?;
                    self.hear(&words, word).await?;
                }
                changed = self.connected.changed() => {
                    changed.context("the connection's task ended")?;
                    self.connection_changed();
                }
                _ = ticks.tick() => {
                    self.tell_gaps().await?;
                    self.tell_statuses_again();
                }
                _ = itself.tick() => self.statuses.tell_itself(),
            }
            if *self.connected.borrow() {
                self.tell_statuses();
                self.send_backlog().await?;
            }
        }
        self.goodbye().await;
        Ok(())
    }

    fn connection_changed(&mut self) {
        let connected = *self.connected.borrow_and_update();
        metrics::gauge!("tidewatch_gateway_broker_connected").set(f64::from(u8::from(connected)));
        if connected {
            tracing::info!("connected to the broker");
            self.statuses.tell_all();
            self.backlog_from = Instant::now() + WORD_WAIT;
        } else {
            tracing::warn!("no connection to the broker: readings are kept until there is one");
        }
    }

    /// Live batches go out at once, in their order; the rest is backlog.
    fn send_fresh(&mut self, batches: Vec<Fresh>) {
        for Fresh { key, live } in batches {
            if key.epoch != self.epoch {
                continue; // Numbered anew since, and sent as backlog.
            }
            self.outstanding.appended(&key.device, key.sequence);
            let open = *self.connected.borrow() && !self.refusals.refused(Instant::now());
            if let Some(batch) = live.filter(|_| open) {
                self.outstanding.sending(&key.device, key.sequence, false);
                self.send(What::Live(key), Message::Batch(batch));
            }
        }
    }

    /// Sends what is not out, as far as the window lets it.
    async fn send_backlog(&mut self) -> anyhow::Result<()> {
        loop {
            let now = Instant::now();
            let room = BACKLOG_AT_ONCE - self.backlog_under_way;
            if room < BACKLOG_REFILL || now < self.backlog_from || self.refusals.pausing(now) {
                return Ok(());
            }
            let Some(run) = self.outstanding.next(room, now) else { return Ok(()) };
            let (first, last) = run.sequences.into_inner();
            let limit = u32::try_from(last - first + 1).unwrap_or(u32::MAX);
            let batches = self.spool.batches(run.device, first, limit).await?;
            if batches.first().map(|batch| batch.key.sequence) != Some(first) {
                // The file and the list of what is out disagree: the file is right.
                tracing::error!("the list of batches was wrong: a defect");
                self.outstanding.load(self.spool.extents().await?);
                return Ok(());
            }
            for batch in batches.into_iter().take_while(|batch| batch.key.sequence <= last) {
                self.outstanding.sending(&batch.key.device, batch.key.sequence, true);
                self.backlog_under_way += 1;
                let (key, batch) = numbered(batch, &self.gateway);
                self.send(What::Backlog(key), Message::Backfill(batch));
            }
        }
    }

    fn tell_statuses(&mut self) {
        for status in self.statuses.take_bands() {
            self.send(What::Status, Message::DeviceStatus(status));
        }
        if let Some(status) = self.statuses.take_itself(self.spool.depth().batches) {
            self.send(What::Status, Message::GatewayStatus(status));
        }
    }

    fn tell_statuses_again(&mut self) {
        if self.statuses_untold && !self.refusals.refused(Instant::now()) {
            self.statuses_untold = false;
            self.statuses.tell_all();
        }
    }

    async fn tell_gaps(&mut self) -> anyhow::Result<()> {
        if !*self.connected.borrow() || !self.gaps_under_way.is_empty() {
            return Ok(());
        }
        for (id, gap) in self.spool.gaps(GAPS_AT_ONCE).await? {
            self.gaps_under_way.insert(id);
            let message = Message::Gap(wire_gap(&gap, &self.gateway));
            self.send(What::Gap(id), message);
        }
        Ok(())
    }

    fn send(&mut self, what: What, message: Message) {
        let publication = message.publication(&self.site);
        let mqtt = self.mqtt.clone();
        self.under_way
            .push(Box::pin(async move { Told { what, outcome: mqtt.publish(publication).await } }));
    }

    /// Takes in what became of a message.
    fn learn(&mut self, Told { what, outcome }: Told) {
        let now = Instant::now();
        self.refusals.note(&outcome, what.kind(), now);
        let taken = outcome.is_ok();
        match what {
            What::Live(key) => self.batch_told(&key, taken, now, "live"),
            What::Backlog(key) => {
                self.backlog_under_way -= 1;
                self.batch_told(&key, taken, now, "backlog");
            }
            What::Gap(id) => self.gap_told(id, taken),
            What::Status => self.statuses_untold |= !taken,
        }
    }

    fn batch_told(&mut self, key: &Key, taken: bool, now: Instant, kind: &'static str) {
        if taken {
            metrics::counter!("tidewatch_gateway_batches_sent_total", "kind" => kind).increment(1);
        }
        if key.epoch != self.epoch {
            return;
        }
        if taken {
            self.outstanding.taken(&key.device, key.sequence, now);
        } else {
            self.outstanding.failed(&key.device, key.sequence);
        }
    }

    fn gap_told(&mut self, id: i64, taken: bool) {
        self.gaps_under_way.remove(&id);
        if taken {
            let spool = self.spool.clone();
            tokio::spawn(async move {
                // Told again after a restart, if this fails: the ledger takes it once.
                if let Err(error) = spool.forget_gap(id).await {
                    tracing::error!(error = format!("{error:#}"), "a told gap stays in the spool");
                }
            });
        }
    }

    /// Takes in the store's word.
    async fn hear(&mut self, words: &bus::Subscriber, word: Delivery) -> anyhow::Result<()> {
        words.acknowledge(word.ack);
        let Ok(Message::Acknowledgement(word)) = word.message else { return Ok(()) };
        if word.gateway != self.gateway.as_str() {
            return Ok(());
        }
        self.backlog_from = Instant::now();
        metrics::counter!("tidewatch_gateway_store_words_total").increment(1);
        self.believe(word).await
    }

    async fn believe(&mut self, word: wire::Acknowledgement) -> anyhow::Result<()> {
        let now = Instant::now();
        let mut free = Vec::new();
        for device in word.devices.into_iter().filter(|device| device.epoch == self.epoch) {
            let Ok(id) = DeviceId::new(device.device) else { continue };
            let missing: Vec<_> =
                device.missing.iter().map(|range| range.first..=range.last).collect();
            let through = device.contiguous_through;
            match self.outstanding.acknowledged(&id, through, &missing, now) {
                Verdict::Free { through } => free.push((id, through)),
                Verdict::Renumber => return self.begin_anew(&id, through).await,
                Verdict::Nothing => {}
            }
        }
        if free.is_empty() { Ok(()) } else { self.spool.free(free).await }
    }

    async fn begin_anew(&mut self, device: &DeviceId, through: u64) -> anyhow::Result<()> {
        metrics::counter!("tidewatch_gateway_renumbered_total").increment(1);
        tracing::error!(
            %device,
            through,
            "the store's book and the spool's cannot agree: was one of them restored from a \
             copy? Everything in the spool is numbered and sent anew"
        );
        self.epoch = self.spool.renumber().await?;
        self.outstanding.load(self.spool.extents().await?);
        Ok(())
    }

    /// The last statuses; what else is under way is in the spool.
    async fn goodbye(mut self) {
        self.tell_statuses();
        let told = async {
            while let Some(told) = self.under_way.next().await {
                self.learn(told);
            }
        };
        if tokio::time::timeout(GOODBYE, told).await.is_err() {
            tracing::warn!("stopped without the broker's word on the last messages");
        }
    }
}

impl What {
    fn kind(&self) -> &'static str {
        match self {
            Self::Live(_) => "batch",
            Self::Backlog(_) => "backfill",
            Self::Gap(_) => "gap",
            Self::Status => "status",
        }
    }
}

/// A kept batch with its number. One that the disk has damaged goes out empty: its place
/// in the numbering must be filled, or the store would wait for it for ever.
fn numbered(spooled: Spooled, gateway: &GatewayId) -> (Key, wire::Batch) {
    let Spooled { key, body } = spooled;
    let batch = wire::Batch::decode(body.as_slice()).unwrap_or_else(|error| {
        metrics::counter!("tidewatch_gateway_spool_damaged_total").increment(1);
        tracing::error!(device = %key.device, sequence = key.sequence, %error, "a damaged batch");
        wire::Batch {
            device: key.device.as_str().to_owned(),
            gateway: gateway.as_str().to_owned(),
            ..wire::Batch::default()
        }
    });
    let batch = wire::Batch { epoch: key.epoch, sequence: key.sequence, ..batch };
    (key, batch)
}

fn wire_gap(gap: &Gap, gateway: &GatewayId) -> wire::Gap {
    wire::Gap {
        device: gap.device.as_str().to_owned(),
        gateway: gateway.as_str().to_owned(),
        from_us: gap.from.as_micros(),
        until_us: gap.until.as_micros(),
        cause: gap.cause.name().to_owned(),
        band_epoch: None,
        first_sequence: None,
        last_sequence: None,
    }
}
