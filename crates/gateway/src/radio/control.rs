use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use dbus::blocking::Connection;
use dbus::blocking::stdintf::org_freedesktop_dbus::Properties;

const BLUEZ: &str = "org.bluez";
const ADAPTER: &str = "org.bluez.Adapter1";

/// A daemon that takes longer than this to say how it is does not do well.
const TIMEOUT: Duration = Duration::from_secs(4);

/// What btleplug does not tell or do: which process BlueZ is, whether the adapter scans,
/// and its power.
#[derive(Clone, Default)]
pub(crate) struct Control {
    connection: Arc<Mutex<Option<Connection>>>,
}

/// How BlueZ and its adapter are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// The bus's name for the BlueZ process: another one after a restart.
    pub owner: String,
    pub powered: bool,
    pub discovering: bool,
}

impl Control {
    /// How an adapter (`hci0`) is; an error where it, BlueZ or the bus is gone.
    pub(crate) async fn health(&self, adapter: &str) -> anyhow::Result<Health> {
        let path = path(adapter);
        self.call(move |connection| {
            let bus = connection.with_proxy("org.freedesktop.DBus", "/", TIMEOUT);
            let (owner,): (String,) =
                bus.method_call("org.freedesktop.DBus", "GetNameOwner", (BLUEZ,))?;
            let adapter = connection.with_proxy(BLUEZ, path, TIMEOUT);
            Ok(Health {
                owner,
                powered: adapter.get(ADAPTER, "Powered")?,
                discovering: adapter.get(ADAPTER, "Discovering")?,
            })
        })
        .await
    }

    /// Whether the bus knows BlueZ at all.
    pub(crate) async fn is_there(&self) -> bool {
        self.call(|connection| {
            let bus = connection.with_proxy("org.freedesktop.DBus", "/", TIMEOUT);
            let (there,): (bool,) =
                bus.method_call("org.freedesktop.DBus", "NameHasOwner", (BLUEZ,))?;
            Ok(there)
        })
        .await
        .unwrap_or(false)
    }

    /// Switches an adapter on or off.
    pub(crate) async fn power(&self, adapter: &str, on: bool) -> anyhow::Result<()> {
        let path = path(adapter);
        self.call(move |connection| {
            connection.with_proxy(BLUEZ, path, TIMEOUT).set(ADAPTER, "Powered", on)
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, dbus::Error> + Send + 'static,
    ) -> anyhow::Result<T> {
        let connection = Arc::clone(&self.connection);
        tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = match connection.take() {
                Some(open) => Ok(open),
                None => Connection::new_system(),
            }
            .and_then(|open| Ok((work(&open)?, open)));
            // A connection that failed is not used again: the bus may be another one.
            let (found, open) = outcome?;
            *connection = Some(open);
            anyhow::Ok(found)
        })
        .await
        .context("the thread that asks BlueZ ended")?
    }
}

/// Whether an answer did not come in time, rather than being no.
pub(crate) fn is_timeout(error: &anyhow::Error) -> bool {
    let name = error.downcast_ref::<dbus::Error>().and_then(dbus::Error::name);
    name.is_some_and(|name| name.ends_with(".NoReply") || name.ends_with(".Timeout"))
}

fn path(adapter: &str) -> String {
    format!("/org/bluez/{adapter}")
}
