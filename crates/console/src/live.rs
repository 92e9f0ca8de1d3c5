use biosignal::{GatewayId, PersonId, Timestamp};
use bus::{Delivery, Message, Subscriber, readings_from_batch};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::board::{Card, Link};
use crate::moment;
use crate::news::{News, json};
use crate::publish::Wearers;
use crate::{desk, heard};

/// Keeps the board as the broker tells it, looks at it anew each second, and tells
/// every tablet which cards changed.
pub(crate) async fn follow(
    app: App,
    mut subscriber: Subscriber,
    wearers: Wearers,
) -> anyhow::Result<()> {
    let mut connected = subscriber.connected();
    let mut refresh = interval(app.config.refresh);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    reached(&app, &mut connected);
    loop {
        tokio::select! {
            delivery = subscriber.next() => match delivery {
                Some(delivery) => {
                    if take(&app, &wearers, &delivery) {
                        tell_changes(&app)?;
                    }
                    subscriber.acknowledge(delivery.ack);
                }
                None => return Ok(()),
            },
            _ = refresh.tick() => {
                tell_changes(&app)?;
                // What other processes did to alerts. A store that is away now is asked again.
                if let Err(error) = desk::announce(&app).await {
                    tracing::warn!(error = format!("{error:#}"), "cannot read the alerts");
                }
            }
            Ok(()) = connected.changed() => {
                reached(&app, &mut connected);
                tell_changes(&app)?;
            }
        }
    }
}

fn reached(app: &App, connected: &mut watch::Receiver<bool>) {
    let reached = *connected.borrow_and_update();
    app.broker_reached.send_replace(reached);
    app.board().set_broker_reached(reached);
}

/// Takes in a message; says whether the cards are to be looked at at once.
fn take(app: &App, wearers: &Wearers, delivery: &Delivery) -> bool {
    let now = moment::now();
    match &delivery.message {
        // Refused payloads are counted and logged where they are read.
        Err(_) => false,
        Ok(Message::Batch(batch)) => {
            take_batch(app, batch, now);
            false
        }
        Ok(Message::DeviceStatus(said)) => heard::status(said).is_ok_and(|(device, mut status)| {
            tracing::debug!(%device, link = status.link.name(), "a device's status");
            status.at = status.at.min(now);
            let lost = status.link != Link::Connected;
            app.board().take_status(device, status);
            lost
        }),
        Ok(Message::GatewayStatus(said)) => GatewayId::new(said.gateway.as_str()).is_ok_and(|id| {
            app.board().take_gateway(id, said.up);
            true
        }),
        Ok(Message::Assessment(found)) => take_assessment(app, found, now),
        Ok(Message::Assignment(told)) => {
            wearers.heard(told);
            false
        }
        Ok(_) => false,
    }
}

fn take_batch(app: &App, batch: &bus::wire::Batch, now: Timestamp) {
    let Ok(readings) = readings_from_batch(batch) else { return };
    let newest = readings.iter().map(biosignal::Reading::end).max();
    {
        let mut board = app.board();
        readings.iter().for_each(|reading| board.take_reading(reading, now));
    }
    if let Some(newest) = newest {
        let seconds = now.micros_since(newest).max(0) as f64 / 1e6;
        metrics::histogram!("tidewatch_console_sample_to_board_seconds").record(seconds);
    }
}

fn take_assessment(app: &App, found: &bus::wire::Assessment, now: Timestamp) -> bool {
    let (Ok(person), Some(verdict)) = (PersonId::new(found.person.as_str()), heard::verdict(found))
    else {
        return false;
    };
    app.board().take_verdict(&person, verdict, now);
    true
}

fn tell_changes(app: &App) -> anyhow::Result<()> {
    let changed: Vec<Card> = app.board().changes(moment::now());
    for card in &changed {
        app.announcer.tell(News::Card { data: json(card)? });
    }
    Ok(())
}
