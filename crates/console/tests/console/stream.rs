//! A tablet's stream of events.

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::house::{PATIENCE, Staff};

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

pub(crate) struct Stream {
    response: Response,
    buffer: String,
}

impl Stream {
    pub(crate) async fn open(staff: &Staff, last_event_id: Option<u64>) -> Self {
        let mut request = staff.http.get(format!("{}/api/events", staff.base));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { response, buffer: String::new() }
    }

    /// The next event; none where the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(event);
                self.buffer = rest.to_owned();
                return Some(event);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("an event in time").ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event that is wanted; the others are passed over.
    pub(crate) async fn find(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let event = self.next().await.expect("the stream goes on");
                if wanted(&event) {
                    return event;
                }
            }
        });
        found.await.expect("the event in time")
    }

    pub(crate) async fn alert(&mut self) -> Event {
        self.find(|event| event.kind == "alert").await
    }
}

fn parse(text: &str) -> Event {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim_start)
    };
    Event {
        kind: field("event").unwrap_or("message").to_owned(),
        id: field("id").map(|id| id.parse().unwrap()),
        data: field("data").map_or(Value::Null, |data| serde_json::from_str(data).unwrap()),
    }
}
