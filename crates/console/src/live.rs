use biosignal::{GatewayId, PersonId, Timestamp};
use bus::{Delivery, Message, Subscriber, readings_from_batch};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::board::Card;
use crate::heard;
use crate::moment;
use crate::news::{News, json};
use crate::publish::Wearers;

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
                    let changed = take(&app, &wearers, &delivery);
                    tell_changes(&app, changed)?;
                    subscriber.acknowledge(delivery.ack);
                }
                None => return Ok(()),
            },
            _ = refresh.tick() => {
                tell_changes(&app, Changed::Everybody)?;
                // What other processes did to alerts. A store that is away now is asked again.
                if let Err(error) = app.announce().await {
                    tracing::warn!(error = format!("{error:#}"), "cannot read the alerts");
                }
            }
            Ok(()) = connected.changed() => {
                reached(&app, &mut connected);
                tell_changes(&app, Changed::Everybody)?;
            }
        }
    }
}

fn reached(app: &App, connected: &mut watch::Receiver<bool>) {
    let reached = *connected.borrow_and_update();
    app.broker_reached.send_replace(reached);
    app.board().set_broker_reached(reached);
}

/// Whose card is to be looked at at once.
enum Changed {
    Nobody,
    Person(PersonId),
    Everybody,
}

fn take(app: &App, wearers: &Wearers, delivery: &Delivery) -> Changed {
    let now = moment::now();
    match &delivery.message {
        Ok(Message::Batch(batch)) => take_batch(app, batch, now),
        Ok(Message::DeviceStatus(said)) => return take_status(app, said, now),
        Ok(Message::GatewayStatus(said)) => {
            if let Ok(gateway) = GatewayId::new(said.gateway.as_str()) {
                app.board().take_gateway(gateway, said.up);
                return Changed::Everybody;
            }
        }
        Ok(Message::Assessment(found)) => return take_assessment(app, found, now),
        Ok(Message::Assignment(told)) => wearers.heard(told),
        // Nothing else was asked for; what is refused is counted where it is read.
        Ok(_) | Err(_) => {}
    }
    Changed::Nobody
}

fn take_status(app: &App, said: &bus::wire::DeviceStatus, now: Timestamp) -> Changed {
    let Ok((device, mut status)) = heard::status(said) else { return Changed::Nobody };
    tracing::debug!(%device, link = status.link.name(), "a device's status");
    status.at = status.at.min(now);
    let mut board = app.board();
    board.take_status(device.clone(), status);
    board.wearer_of(&device).map_or(Changed::Nobody, Changed::Person)
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

fn take_assessment(app: &App, found: &bus::wire::Assessment, now: Timestamp) -> Changed {
    let (Ok(person), Some(verdict)) = (PersonId::new(found.person.as_str()), heard::verdict(found))
    else {
        return Changed::Nobody;
    };
    app.board().take_verdict(&person, verdict, now);
    Changed::Person(person)
}

fn tell_changes(app: &App, changed: Changed) -> anyhow::Result<()> {
    let now = moment::now();
    let cards: Vec<Card> = match changed {
        Changed::Nobody => return Ok(()),
        Changed::Person(person) => app.board().change(&person, now).into_iter().collect(),
        Changed::Everybody => app.board().changes(now),
    };
    for card in &cards {
        app.announcer.tell(News::Card { data: json(card)? });
    }
    Ok(())
}
