use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use biosignal::{SiteId, Timestamp};
use store::{Alert, Store, StoreError};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::alert_view::AlertView;
use crate::attempts::{Allowance, Attempts};
use crate::board::{Board, Freshness};
use crate::config::Config;
use crate::desk::Desk;
use crate::directory::Directory;
use crate::failure::Failure;
use crate::lock::lock;
use crate::news::{Announcer, News};

/// News that a tablet may be behind before it is told the whole board instead.
const NEWS_BEHIND: usize = 1024;

/// What every request and every task of the console shares.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) site: SiteId,
    pub(crate) store: Store,
    /// Held for a moment at a time, never over an await.
    board: Mutex<Board>,
    attempts: Mutex<Attempts>,
    pub(crate) directory: Directory,
    pub(crate) desk: Desk,
    pub(crate) announcer: Announcer,
    /// Wakes whoever publishes the assignments.
    pub(crate) assignments_changed: Notify,
    /// A place for each tablet that watches.
    pub(crate) watchers: Arc<Semaphore>,
    /// Whether live messages come in.
    pub(crate) broker_reached: watch::Sender<bool>,
    pub(crate) shutdown: CancellationToken,
}

impl App {
    pub(crate) fn new(
        config: Config,
        site: SiteId,
        store: Store,
        shutdown: CancellationToken,
    ) -> Self {
        let fresh = Freshness::new(config.sample_fresh, config.verdict_fresh);
        let allowance = Allowance {
            per_account: config.failures_per_account,
            per_address: config.failures_per_address,
            within: config.sign_in_window,
        };
        Self(Arc::new(Shared {
            site,
            store,
            board: Mutex::new(Board::new(fresh)),
            attempts: Mutex::new(Attempts::new(allowance)),
            directory: Directory::default(),
            desk: Desk::new(config.rings_if_newer_than, config.rings_for),
            announcer: Announcer::new(NEWS_BEHIND),
            assignments_changed: Notify::new(),
            watchers: Arc::new(Semaphore::new(config.most_watchers)),
            broker_reached: watch::Sender::new(false),
            shutdown,
            config,
        }))
    }

    /// Writes into the audit. What cannot be written must not be done.
    pub(crate) async fn audit(
        &self,
        actor: &str,
        action: &str,
        subject: &str,
    ) -> Result<(), Failure> {
        self.store.audit(actor, action, subject).await?;
        Ok(())
    }

    /// An alert as it travels to the tablet.
    pub(crate) fn view(&self, alert: &Alert) -> AlertView {
        self.desk.view(&self.directory.entries(), alert)
    }

    /// Tells every tablet what happened to alerts since the last telling, in order.
    ///
    /// To be called after each act, and now and then for acts of other processes.
    pub(crate) async fn announce(&self) -> anyhow::Result<()> {
        self.desk.announce(&self.store, &self.directory, &self.announcer).await
    }

    /// Reads people, accounts and assignments anew, and puts them on the board.
    ///
    /// To be called after each change made here, and now and then for those made elsewhere.
    pub(crate) async fn refresh(&self, now: Timestamp) -> Result<(), StoreError> {
        let entries = self.directory.read(&self.store).await?;
        let names = entries.people.values().map(|person| (person.id.clone(), person.name.clone()));
        let worn: Vec<_> = entries
            .assignments
            .iter()
            .map(|worn| (worn.device.clone(), worn.person.clone(), worn.from))
            .collect();
        let somebody_left = {
            let mut board = self.board();
            let somebody_left = board.set_people(names.collect());
            board.set_assignments(&worn, now);
            somebody_left
        };
        if somebody_left {
            self.announcer.tell(News::Anew);
        }
        self.assignments_changed.notify_one();
        Ok(())
    }
}

impl Shared {
    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.board)
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        lock(&self.attempts)
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
