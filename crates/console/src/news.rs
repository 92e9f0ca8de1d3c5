use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

/// What every tablet that watches is told, made into JSON once for all of them.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// Something happened to an alert; `sequence` is the server's order.
    Alert { sequence: u64, data: Arc<str> },
    /// A person's card is not as it was.
    Card { data: Arc<str> },
    /// The board has other people on it: to be read anew.
    Anew,
}

/// From the one who knows to all who watch.
#[derive(Clone, Debug)]
pub(crate) struct Announcer(broadcast::Sender<News>);

impl Announcer {
    /// Full (`places` news behind): a tablet that is too slow loses them and is told
    /// the whole board instead; nobody waits for it.
    pub(crate) fn new(places: usize) -> Self {
        Self(broadcast::channel(places).0)
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }

    pub(crate) fn tell(&self, news: News) {
        // Nobody watches: nobody needs to be told.
        let _ = self.0.send(news);
    }
}

/// A value as JSON, to be shared.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<Arc<str>> {
    Ok(serde_json::to_string(value)?.into())
}
