use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use biosignal::DeviceId;
use serde::Serialize;

use crate::app::App;
use crate::board::{Band, Board};
use crate::failure::Failure;
use crate::moment::Millis;

/// A band, as its gateway and the store know it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    device: String,
    profile: Option<String>,
    connected: bool,
    link: Option<&'static str>,
    battery: Option<u32>,
    rssi: Option<i32>,
    gateway: Option<String>,
    person: Option<String>,
    last_sample_at: Option<Millis>,
}

/// Every band that was ever heard, stored or given to somebody.
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<Device>>, Failure> {
    let mut devices: BTreeMap<DeviceId, Device> = BTreeMap::new();
    for seen in app.store.devices().await? {
        devices.entry(seen.device).or_default();
    }
    for worn in app.store.assignments().await? {
        devices.entry(worn.device).or_default().person = Some(worn.person.into());
    }
    {
        let board = app.board();
        for (device, band) in board.bands() {
            heard(devices.entry(device.clone()).or_default(), &board, band);
        }
    }
    let named = devices.into_iter().map(|(id, device)| Device { device: id.into(), ..device });
    Ok(Json(named.collect()))
}

fn heard(device: &mut Device, board: &Board, band: &Band) {
    device.connected = board.connected(band);
    device.last_sample_at = band.newest_sample_at().map(Millis::from);
    if let Some(status) = &band.status {
        device.profile = Some(status.profile.clone());
        device.link = Some(status.link.name());
        device.battery = status.battery_percent;
        device.rssi = status.rssi_dbm;
        device.gateway = Some(status.gateway.to_string());
    }
}
