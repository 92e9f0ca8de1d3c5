use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use biosignal::{DeviceId, PersonId, Timestamp};
use bus::{Message, PublishError, Publisher, wire};
use store::StoreError;

use crate::app::App;
use crate::lock::lock;
use crate::moment;

/// Bands that the broker says somebody wears or wore.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wearers(Arc<Mutex<BTreeSet<DeviceId>>>);

impl Wearers {
    /// Notes a band: what the broker keeps of it is put right if it is wrong.
    pub(crate) fn heard(&self, told: &wire::Assignment) {
        if let Ok(device) = DeviceId::new(told.device.as_str()) {
            lock(&self.0).insert(device);
        }
    }
}

type Worn = BTreeMap<DeviceId, (Option<PersonId>, Timestamp)>;

/// Publishes who wears what, as the store has it: all of it whenever the broker is
/// reached anew, and then what changes.
pub(crate) async fn keep_published(
    app: App,
    publisher: Publisher,
    wearers: Wearers,
) -> anyhow::Result<()> {
    let mut connected = publisher.connected();
    let mut published = Worn::new();
    loop {
        if !*connected.borrow_and_update() {
            published.clear();
        } else if let Err(error) = publish(&app, &publisher, &wearers, &mut published).await {
            tracing::warn!(error = format!("{error:#}"), "assignments are not published yet");
        }
        tokio::select! {
            () = app.assignments_changed.notified() => {}
            Ok(()) = connected.changed() => {}
            () = tokio::time::sleep(app.config.look_again) => look_again(&app).await,
        }
    }
}

async fn look_again(app: &App) {
    if let Err(error) = app.refresh(moment::now()).await {
        tracing::warn!(%error, "cannot read who is who");
    }
}

async fn publish(
    app: &App,
    publisher: &Publisher,
    wearers: &Wearers,
    published: &mut Worn,
) -> anyhow::Result<()> {
    let wanted = wanted(app, wearers).await?;
    for (device, (person, from)) in wanted {
        let worn = (person, from);
        if published.get(&device) == Some(&worn) {
            continue;
        }
        tell(app, publisher, &device, &worn).await?;
        lock(&wearers.0).insert(device.clone());
        published.insert(device, worn);
    }
    Ok(())
}

async fn tell(
    app: &App,
    publisher: &Publisher,
    device: &DeviceId,
    (person, from): &(Option<PersonId>, Timestamp),
) -> Result<(), PublishError> {
    let message = Message::Assignment(wire::Assignment {
        device: device.to_string(),
        person: person.as_ref().map(PersonId::to_string),
        from_us: from.as_micros(),
    });
    tracing::debug!(%device, ?person, "who wears it");
    publisher.publish(message.publication(&app.site)).await
}

/// Every band that is worn, and every band that was.
async fn wanted(app: &App, wearers: &Wearers) -> Result<Worn, StoreError> {
    let open = app.store.assignments().await?;
    let mut worn: Worn =
        open.into_iter().map(|it| (it.device, (Some(it.person), it.from))).collect();
    let known: Vec<DeviceId> = lock(&wearers.0).iter().cloned().collect();
    for device in known.into_iter().filter(|device| !worn.contains_key(device)).collect::<Vec<_>>()
    {
        let history = app.store.assignments_of_device(&device).await?;
        let freed_at = history.last().and_then(|last| last.until).unwrap_or_default();
        worn.insert(device, (None, freed_at));
    }
    Ok(worn)
}
