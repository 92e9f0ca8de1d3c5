use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::body::Asked;
use crate::caller::Caller;
use crate::cards::BoardView;
use crate::failure::Failure;
use crate::moment::{self, Millis};
use crate::news::{self, News};
use crate::session;

/// A tablet that takes nothing for this long is gone.
const TAKES_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    since: Option<u64>,
}

/// What happens, as it happens. After a pause (`Last-Event-ID`) first what was missed.
pub(crate) async fn watch(
    State(app): State<App>,
    caller: Caller,
    Asked(Since { since }): Asked<Since>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let place = app.watchers.clone().try_acquire_owned().map_err(|_| {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Too many tablets are watching already.")
    })?;
    let since = last_event_id(&headers)?.or(since);
    // Full: the task waits here, falls behind the news, and tells the whole board then.
    let (sender, receiver) = mpsc::channel(16);
    let news = app.announcer.listen();
    tokio::spawn(async move {
        metrics::gauge!("tidewatch_console_watching_tablets").increment(1.0);
        let shutdown = app.shutdown.clone();
        let mut tablet = Tablet { app, caller, sender, told: 0 };
        if let Some(Err(error)) = shutdown.run_until_cancelled(tablet.follow(news, since)).await {
            tracing::warn!(error = format!("{error:#}"), "a tablet is told no more");
        }
        metrics::gauge!("tidewatch_console_watching_tablets").decrement(1.0);
        drop(place);
    });
    let events = tokio_stream::StreamExt::map(ReceiverStream::new(receiver), Ok::<_, Infallible>);
    Ok(([("x-accel-buffering", "no")], Sse::new(events)))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let number = id.to_str().ok().and_then(|id| id.parse().ok());
    number.map(Some).ok_or_else(|| Failure::bad("Last-Event-ID is not a number."))
}

/// One tablet that watches.
struct Tablet {
    app: App,
    caller: Caller,
    sender: mpsc::Sender<Event>,
    /// The newest event of alerts that it was told.
    told: u64,
}

/// The tablet is gone, or may watch no longer.
#[derive(Debug, thiserror::Error)]
#[error("the tablet is gone")]
struct Gone;

impl Tablet {
    async fn follow(&mut self, news: Receiver<News>, since: Option<u64>) -> anyhow::Result<()> {
        match self.tell(news, since).await {
            Err(error) if error.is::<Gone>() => Ok(()),
            ended => ended,
        }
    }

    async fn tell(&mut self, mut news: Receiver<News>, since: Option<u64>) -> anyhow::Result<()> {
        self.begin(since).await?;
        let mut heartbeat = interval(self.app.config.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut checked = Instant::now();
        loop {
            tokio::select! {
                next = news.recv() => match next {
                    Err(RecvError::Lagged(_)) => {
                        metrics::counter!("tidewatch_console_slow_tablets_total").increment(1);
                        // What waits is older than the board that follows.
                        news = news.resubscribe();
                        self.begin(None).await?;
                    }
                    Err(RecvError::Closed) => return Ok(()),
                    Ok(next) => self.pass_on(next).await?,
                },
                _ = heartbeat.tick() => self.beat(&mut checked).await?,
                () = self.sender.closed() => return Ok(()),
            }
        }
    }

    /// The whole board, then what the tablet missed, each event once.
    async fn begin(&mut self, since: Option<u64>) -> anyhow::Result<()> {
        let board = BoardView::read(&self.app).await?;
        let newest = board.last_event;
        let event = Event::default().event("board").json_data(&board)?;
        let Some(since) = since.filter(|since| *since <= newest) else {
            self.told = newest;
            return self.send(event.id(newest.to_string())).await;
        };
        // Without an id: a tablet that loses the connection now has not had the rest yet.
        self.send(event).await?;
        self.told = since;
        for missed in self.app.store.events_since(since).await? {
            let data = news::json(&self.app.view(&missed.alert))?;
            self.tell_alert(missed.sequence, &data).await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self, news: News) -> anyhow::Result<()> {
        match news {
            News::Alert { sequence, data } => self.tell_alert(sequence, &data).await,
            News::Card { data } => self.send(Event::default().event("card").data(&*data)).await,
            News::Anew => self.begin(None).await,
        }
    }

    async fn tell_alert(&mut self, sequence: u64, data: &str) -> anyhow::Result<()> {
        if sequence <= self.told {
            return Ok(());
        }
        self.told = sequence;
        let event = Event::default().event("alert").id(sequence.to_string()).data(data);
        self.send(event).await
    }

    async fn beat(&mut self, checked: &mut Instant) -> anyhow::Result<()> {
        if checked.elapsed() >= self.app.config.session_check {
            *checked = Instant::now();
            if !session::stands(&self.app, &self.caller).await? {
                return Err(Gone.into());
            }
        }
        let now = Millis::from(moment::now());
        self.send(Event::default().event("tick").json_data(json!({ "now": now }))?).await
    }

    async fn send(&self, event: Event) -> anyhow::Result<()> {
        match timeout(TAKES_WITHIN, self.sender.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use biosignal::SiteId;
    use store::{Role, Store};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::Config;

    /// A tablet, and what it takes, one event at a time.
    async fn tablet(folder: &std::path::Path) -> (Tablet, mpsc::Receiver<Event>) {
        let store = Store::open(folder).unwrap();
        let user = store.create_user("Sam", "no hash", Role::Carer).await.unwrap();
        let config = Config { heartbeat: Duration::from_secs(3600), ..Config::default() };
        let site = SiteId::new("house-1").unwrap();
        let app = App::new(config, site, store, CancellationToken::new());
        let caller = Caller { id: user.id, role: user.role, session: [0; 32] };
        let (sender, taken) = mpsc::channel(1);
        (Tablet { app, caller, sender, told: 0 }, taken)
    }

    /// An event as it goes over the wire.
    async fn wire(event: Event) -> String {
        let one = tokio_stream::once(Ok::<_, Infallible>(event));
        let body = Sse::new(one).into_response().into_body();
        let text = axum::body::to_bytes(body, 1_000_000).await.unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    }

    /// The next event of a kind.
    async fn next(taken: &mut mpsc::Receiver<Event>, kind: &str) -> String {
        loop {
            let event = wire(taken.recv().await.unwrap()).await;
            if event.contains(&format!("event: {kind}\n")) {
                return event;
            }
        }
    }

    fn card(number: u32) -> News {
        News::Card { data: news::json(&json!({ "number": number })).unwrap() }
    }

    #[tokio::test]
    async fn a_slow_tablet_is_told_the_whole_board_and_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (mut tablet, mut taken) = tablet(folder.path()).await;
        let app = tablet.app.clone();
        let news = app.announcer.listen();
        let following = tokio::spawn(async move { tablet.follow(news, None).await });
        next(&mut taken, "board").await;

        // It takes nothing, and far more happens than is kept for it; telling never waits.
        for number in 1..=10_000 {
            app.announcer.tell(card(number));
        }
        next(&mut taken, "board").await;
        app.announcer.tell(card(20_000));
        let first = next(&mut taken, "card").await;
        assert!(first.contains("20000"), "nothing older comes after the board: {first}");
        drop(taken);
        following.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_happens_while_the_board_is_read_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut tablet, mut taken) = tablet(folder.path()).await;
        let app = tablet.app.clone();
        let news = app.announcer.listen();
        for number in 1..=3 {
            app.store.raise(record(number)).await.unwrap();
        }
        // Told by another task between listening and reading the board.
        app.announce().await.unwrap();
        tokio::spawn(async move { tablet.follow(news, Some(1)).await });
        app.announcer.tell(card(1));
        let mut told = Vec::new();
        loop {
            let event = wire(taken.recv().await.unwrap()).await;
            if event.contains("event: card\n") {
                break;
            }
            told.extend(
                event.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned),
            );
        }
        assert_eq!(told, ["2", "3"]);
    }

    fn record(number: u8) -> store::AlertRecord {
        store::AlertRecord {
            id: format!("alert-{number}"),
            device: biosignal::DeviceId::from_address([number; 6]),
            person: biosignal::PersonId::new("p-1").unwrap(),
            level: store::AlertLevel::High,
            raised_at: moment::now(),
            reasons: Vec::new(),
            quality: 1.0,
            score: 0.9,
        }
    }
}
