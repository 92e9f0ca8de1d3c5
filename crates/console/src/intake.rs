use std::time::Duration;

use biosignal::Timestamp;
use bus::wire::alert::Transition;
use bus::{Message, Subscriber, wire};
use store::{AlertRecord, Refusal, StoreError};

use crate::app::App;
use crate::{heard, moment};

/// The wait before an alert that could not be kept is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Takes alerts from the broker: kept first, then told, then acknowledged to the broker,
/// which brings again what was not.
pub(crate) async fn receive(app: App, mut subscriber: Subscriber) -> anyhow::Result<()> {
    while let Some(delivery) = subscriber.next().await {
        if let Ok(Message::Alert(told)) = &delivery.message {
            keep(&app, told).await;
        }
        subscriber.acknowledge(delivery.ack);
    }
    Ok(())
}

/// Keeps one turn of an alert, however long the store takes. One that the store refuses
/// for good is let go.
async fn keep(app: &App, told: &wire::Alert) {
    loop {
        match persist(app, told).await {
            Ok(()) => break,
            Err(StoreError::Refused(refusal)) => {
                metrics::counter!("tidewatch_console_refused_alerts_total").increment(1);
                tracing::warn!(alert = told.id, %refusal, "an alert is refused");
                return;
            }
            Err(error) => {
                tracing::error!(alert = told.id, %error, "an alert cannot be kept yet");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
    if let Err(error) = app.announce().await {
        // It is kept; the next look at the store tells it.
        tracing::warn!(error = format!("{error:#}"), "an alert is not told yet");
    }
}

async fn persist(app: &App, told: &wire::Alert) -> Result<(), StoreError> {
    let now = moment::now();
    let at = Timestamp::from_micros(told.at_us).min(now);
    if told.transition() == Transition::Ended {
        app.store.end(&told.id, at).await?;
        return Ok(());
    }
    let unfit = |why: String| StoreError::Refused(Refusal::Unfit { what: "alert", why });
    let record = heard::alert(told)
        .map_err(|error| unfit(error.to_string()))?
        .ok_or_else(|| unfit(format!("an alert of the level {:?}", told.level())))?;
    if !app.directory.entries().people.contains_key(&record.person) {
        app.refresh(now).await?;
    }
    app.desk.arrived(&told.id, at, now);
    raise(app, AlertRecord { raised_at: at, ..record }).await
}

/// A rise of an alert whose beginning was never heard of is its beginning.
async fn raise(app: &App, record: AlertRecord) -> Result<(), StoreError> {
    let AlertRecord { id, level, raised_at, reasons, score, .. } = record.clone();
    if app.store.raise(record).await?.is_some() {
        metrics::counter!("tidewatch_console_alerts_total", "level" => level.as_str()).increment(1);
        return Ok(());
    }
    app.store.escalate(&id, level, raised_at, reasons, score).await?;
    Ok(())
}
