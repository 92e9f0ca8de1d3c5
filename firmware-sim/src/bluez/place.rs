/// An object of BlueZ, by its place in the tree of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/`, `/org` and `/org/bluez`.
    Above,
    /// `/org/bluez/hci0`.
    Adapter,
    /// `.../dev_XX_XX_XX_XX_XX_XX`.
    Device(usize),
    /// `.../serviceNNNN`.
    Service(usize, usize),
    /// `.../charNNNN`.
    Characteristic(usize, usize, usize),
    /// `.../descNNNN`, the configuration of notifications.
    Descriptor(usize, usize, usize),
}

pub(crate) const ADAPTER: &str = "/org/bluez/hci0";

/// Handles as a small GATT server numbers them: services at 0x0010, 0x0020, ...;
/// a characteristic takes a declaration, a value and perhaps a descriptor.
pub(crate) fn service_node(service: usize) -> String {
    format!("service{:04x}", 0x10 * (service + 1))
}

pub(crate) fn characteristic_node(service: usize, characteristic: usize) -> String {
    format!("char{:04x}", 0x10 * (service + 1) + 1 + 3 * characteristic)
}

pub(crate) fn descriptor_node(service: usize, characteristic: usize) -> String {
    format!("desc{:04x}", 0x10 * (service + 1) + 3 + 3 * characteristic)
}
