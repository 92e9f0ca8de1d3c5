//! A central made of btleplug, as a gateway uses it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{
    Central as _, Characteristic, Manager as _, Peripheral as _, ScanFilter, ValueNotification,
    WriteType,
};
use btleplug::platform::{Adapter, Manager, Peripheral};
use futures::{Stream, StreamExt};
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wristband::{BandState, Command, Packet, StreamPacket, decode, uuids};

use crate::rig::PATIENCE;

/// The one adapter of the bus.
///
/// Its events are opened before all other streams and kept open. dbus-daemon does not
/// compare the paths of `path_namespace` rules when it removes one: the end of one
/// device's stream takes away the newest rule, whose ever it is. The adapter's rule is
/// the oldest, and lets the signals of all devices through.
pub(crate) async fn adapter() -> Adapter {
    let manager = Manager::new().await.expect("the bus is there");
    let adapters = manager.adapters().await.expect("bluetoothd answers");
    let adapter = adapters.into_iter().next().expect("there is an adapter");
    let mut events = adapter.events().await.expect("events");
    tokio::spawn(async move { while events.next().await.is_some() {} });
    adapter
}

/// Scans until the band of a name is seen.
pub(crate) async fn find(adapter: &Adapter, name: &str) -> Peripheral {
    let services = vec![uuids::SERVICE, uuids::HEART_RATE_SERVICE];
    // It may be scanning already.
    let _ = adapter.start_scan(ScanFilter { services }).await;
    let seen = async {
        loop {
            for peripheral in adapter.peripherals().await.unwrap_or_default() {
                let properties = peripheral.properties().await.ok().flatten();
                if properties.is_some_and(|seen| seen.local_name.as_deref() == Some(name)) {
                    return peripheral;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, seen).await.expect("the band advertises")
}

/// A connected device and what it notifies.
pub(crate) struct Connected {
    pub(crate) peripheral: Peripheral,
    notifications: Pin<Box<dyn Stream<Item = ValueNotification> + Send>>,
}

impl Connected {
    /// Connects and subscribes to some characteristics.
    pub(crate) async fn to(peripheral: Peripheral, subscriptions: &[Uuid]) -> Self {
        peripheral.connect().await.expect("it connects");
        peripheral.discover_services().await.expect("its services are resolved");
        let notifications = peripheral.notifications().await.expect("notifications");
        let connected = Self { peripheral, notifications };
        for uuid in subscriptions {
            let characteristic = connected.characteristic(*uuid);
            connected.peripheral.subscribe(&characteristic).await.expect("it notifies");
        }
        connected
    }

    /// Connects to a band and starts its stream.
    pub(crate) async fn streaming(peripheral: Peripheral) -> Self {
        let connected = Self::to(peripheral, &[uuids::STREAM, uuids::STATE]).await;
        connected.command(Command::Start).await.expect("it starts");
        connected
    }

    pub(crate) fn characteristic(&self, uuid: Uuid) -> Characteristic {
        let mut found = self.peripheral.characteristics().into_iter();
        found.find(|characteristic| characteristic.uuid == uuid).expect("the device has it")
    }

    pub(crate) async fn read(&self, uuid: Uuid) -> Vec<u8> {
        self.peripheral.read(&self.characteristic(uuid)).await.expect("it can be read")
    }

    pub(crate) async fn state(&self) -> BandState {
        BandState::decode(&self.read(uuids::STATE).await).expect("a state")
    }

    pub(crate) async fn command(&self, command: Command) -> btleplug::Result<()> {
        self.write(&command.encode()).await
    }

    pub(crate) async fn write(&self, bytes: &[u8]) -> btleplug::Result<()> {
        let control = self.characteristic(uuids::CONTROL);
        self.peripheral.write(&control, bytes, WriteType::WithResponse).await
    }

    pub(crate) async fn notification(&mut self) -> ValueNotification {
        timeout(PATIENCE, self.notifications.next())
            .await
            .expect("a notification comes")
            .expect("notifications go on")
    }

    /// The next packet of samples, whatever else comes before it.
    pub(crate) async fn packet(&mut self) -> StreamPacket {
        loop {
            let value = self.notification().await;
            if let Ok(Packet::Stream(packet)) = decode(value.uuid, &value.value) {
                return packet;
            }
        }
    }

    /// Asks for packets until all are there, by their number.
    pub(crate) async fn replay(
        &mut self,
        epoch: u32,
        from: u32,
        through: u32,
    ) -> BTreeMap<u32, StreamPacket> {
        self.command(Command::Replay { epoch, from, through }).await.expect("it is held");
        let mut packets = BTreeMap::new();
        while packets.len() <= (through - from) as usize {
            let packet = self.packet().await;
            if packet.replayed {
                assert!(packets.insert(packet.sequence, packet).is_none(), "a packet came twice");
            }
        }
        packets
    }
}
