//! The connection to one device. Every call has a time limit: BlueZ may never answer.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail};
use btleplug::api::{Characteristic, Peripheral as _, ValueNotification, WriteType};
use btleplug::platform::Peripheral;
use futures::StreamExt;
use futures::stream::Stream;
use uuid::Uuid;

/// For what BlueZ answers by itself, or with one exchange with the device.
const ANSWER: Duration = Duration::from_secs(5);

/// For the services, which may need a hundred exchanges.
const DISCOVERY: Duration = Duration::from_secs(10);

/// A value that a device sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub characteristic: Uuid,
    pub bytes: Vec<u8>,
}

/// The values that a device sends; to be read all the time, as they queue without bound.
pub(crate) type Values = Pin<Box<dyn Stream<Item = Value> + Send>>;

/// A way to a device, connected or not.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    /// Through BlueZ.
    Bluetooth(Peripheral),
    /// A device played by a test.
    #[cfg(test)]
    Scripted(crate::band::scripted::Device),
}

impl Link {
    /// The device's values, over this connection and those to come. To be asked for once
    /// per link: giving it back races with BlueZ.
    pub(crate) async fn values(&self) -> anyhow::Result<Values> {
        match self {
            Self::Bluetooth(peripheral) => {
                let values = within(ANSWER, "notifications", peripheral.notifications()).await?;
                Ok(Box::pin(values.map(Value::from)))
            }
            #[cfg(test)]
            Self::Scripted(device) => Ok(device.values()),
        }
    }

    /// Connects and learns the services, which are to be learnt anew each time. Whatever
    /// fails, nothing is left half open.
    pub(crate) async fn connect(&self, limit: Duration) -> anyhow::Result<()> {
        let outcome = match self {
            Self::Bluetooth(peripheral) => connect(peripheral, limit).await,
            #[cfg(test)]
            Self::Scripted(device) => device.connect().await,
        };
        if outcome.is_err() {
            // BlueZ goes on trying to connect unless it is told not to.
            self.disconnect().await;
        }
        outcome
    }

    /// Whether the device has a characteristic, once it is connected.
    pub(crate) fn has(&self, characteristic: Uuid) -> bool {
        match self {
            Self::Bluetooth(peripheral) => find(peripheral, characteristic).is_some(),
            #[cfg(test)]
            Self::Scripted(device) => device.has(characteristic),
        }
    }

    pub(crate) async fn subscribe(&self, characteristic: Uuid) -> anyhow::Result<()> {
        match self {
            Self::Bluetooth(peripheral) => {
                let found = expect(peripheral, characteristic)?;
                within(ANSWER, "subscribe", peripheral.subscribe(&found)).await
            }
            #[cfg(test)]
            Self::Scripted(device) => device.subscribe(characteristic).await,
        }
    }

    pub(crate) async fn read(&self, characteristic: Uuid) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Bluetooth(peripheral) => {
                let found = expect(peripheral, characteristic)?;
                within(ANSWER, "read", peripheral.read(&found)).await
            }
            #[cfg(test)]
            Self::Scripted(device) => device.read(characteristic),
        }
    }

    /// Writes, and waits for the device's response.
    pub(crate) async fn write(&self, characteristic: Uuid, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Bluetooth(peripheral) => {
                let found = expect(peripheral, characteristic)?;
                let written = peripheral.write(&found, bytes, WriteType::WithResponse);
                within(ANSWER, "write", written).await
            }
            #[cfg(test)]
            Self::Scripted(device) => {
                device.write(characteristic, bytes);
                Ok(())
            }
        }
    }

    /// Whether the device is connected; an error where BlueZ does not know it any more.
    pub(crate) async fn is_connected(&self) -> anyhow::Result<bool> {
        match self {
            Self::Bluetooth(peripheral) => {
                within(ANSWER, "is connected", peripheral.is_connected()).await
            }
            #[cfg(test)]
            Self::Scripted(device) => Ok(device.is_connected()),
        }
    }

    /// Disconnects; that it was not connected, or is gone, is no matter.
    pub(crate) async fn disconnect(&self) {
        match self {
            Self::Bluetooth(peripheral) => {
                if let Err(error) = within(ANSWER, "disconnect", peripheral.disconnect()).await {
                    tracing::debug!(error = format!("{error:#}"), "disconnect");
                }
            }
            #[cfg(test)]
            Self::Scripted(device) => device.disconnect(),
        }
    }
}

impl From<ValueNotification> for Value {
    fn from(notification: ValueNotification) -> Self {
        Self { characteristic: notification.uuid, bytes: notification.value }
    }
}

async fn connect(peripheral: &Peripheral, limit: Duration) -> anyhow::Result<()> {
    within(limit, "connect", peripheral.connect()).await?;
    within(DISCOVERY, "discover services", peripheral.discover_services()).await
}

fn find(peripheral: &Peripheral, uuid: Uuid) -> Option<Characteristic> {
    peripheral.characteristics().into_iter().find(|found| found.uuid == uuid)
}

fn expect(peripheral: &Peripheral, uuid: Uuid) -> anyhow::Result<Characteristic> {
    find(peripheral, uuid).with_context(|| format!("no characteristic {uuid}"))
}

/// Awaits one call to BlueZ within a limit.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &'static str,
    call: impl Future<Output = btleplug::Result<T>>,
) -> anyhow::Result<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.with_context(|| what),
        Err(_) => bail!("{what}: no answer within {limit:?}"),
    }
}
