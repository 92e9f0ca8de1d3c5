//! A device that a test plays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::bail;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use uuid::Uuid;
use wristband::Command;

use crate::link::{Value, Values};

/// What is sent in place of a value to make the task that reads it panic.
pub(crate) const PANIC: Uuid = Uuid::nil();

/// A device that a test plays, and what was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Device(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Errors of the attempts to connect to come; then they succeed.
    refusals: VecDeque<&'static str>,
    connected: bool,
    subscribed: Vec<Uuid>,
    state: Vec<u8>,
    commands: Vec<Command>,
    attempts: u32,
    disconnects: u32,
    values: Option<UnboundedSender<Value>>,
}

impl Device {
    /// A device whose state reads so.
    pub(crate) fn new(state: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { state, ..State::default() })))
    }

    pub(crate) fn refuse(&self, error: &'static str) {
        self.lock().refusals.push_back(error);
    }

    /// Notifies a value, if it is connected and subscribed to.
    pub(crate) fn notify(&self, characteristic: Uuid, bytes: &[u8]) {
        let state = self.lock();
        let listening = state.connected && state.subscribed.contains(&characteristic);
        if let Some(values) = state.values.as_ref().filter(|_| listening || characteristic == PANIC)
        {
            let _ = values.unbounded_send(Value { characteristic, bytes: bytes.to_vec() });
        }
    }

    pub(crate) fn commands(&self) -> Vec<Command> {
        self.lock().commands.clone()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.lock().attempts
    }

    pub(crate) fn disconnects(&self) -> u32 {
        self.lock().disconnects
    }

    pub(crate) fn values(&self) -> Values {
        let (sender, receiver): (_, UnboundedReceiver<Value>) = unbounded();
        self.lock().values = Some(sender);
        Box::pin(receiver.inspect(|value| {
            assert_ne!(value.characteristic, PANIC, "a panic that a test asked for");
        }))
    }

    #[expect(clippy::unused_async, reason = "as the real one")]
    pub(crate) async fn connect(&self) -> anyhow::Result<()> {
        let mut state = self.lock();
        state.attempts += 1;
        if let Some(error) = state.refusals.pop_front() {
            bail!(error);
        }
        state.connected = true;
        state.subscribed.clear();
        Ok(())
    }

    pub(crate) fn has(&self, characteristic: Uuid) -> bool {
        [wristband::uuids::STREAM, wristband::uuids::STATE].contains(&characteristic)
    }

    #[expect(clippy::unused_async, reason = "as the real one")]
    pub(crate) async fn subscribe(&self, characteristic: Uuid) -> anyhow::Result<()> {
        self.lock().subscribed.push(characteristic);
        Ok(())
    }

    pub(crate) fn read(&self, _characteristic: Uuid) -> anyhow::Result<Vec<u8>> {
        Ok(self.lock().state.clone())
    }

    pub(crate) fn write(&self, _characteristic: Uuid, bytes: &[u8]) {
        let command = Command::decode(bytes).expect("only commands are written");
        self.lock().commands.push(command);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.lock().connected
    }

    pub(crate) fn disconnect(&self) {
        let mut state = self.lock();
        state.connected = false;
        state.disconnects += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with the lock held")
    }
}
