use axum::Json;
use axum::extract::State;
use serde::Serialize;
use store::StoreError;

use crate::alert_view::{AlertView, is_open};
use crate::app::App;
use crate::board::Card;
use crate::failure::Failure;
use crate::moment::{self, Millis};

/// The whole board at a moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoardView {
    site: String,
    now: Millis,
    /// The newest event of alerts that this board knows of.
    pub(crate) last_event: u64,
    cards: Vec<Card>,
    alerts: Vec<AlertView>,
}

impl BoardView {
    pub(crate) async fn read(app: &App) -> Result<Self, StoreError> {
        // The number first: what happens in between is then told again rather than lost.
        let last_event = app.store.last_event().await?;
        let open = app.store.open_alerts().await?;
        let now = moment::now();
        Ok(Self {
            site: app.site.to_string(),
            now: now.into(),
            last_event,
            cards: app.board().cards(now),
            alerts: open
                .iter()
                .filter(|alert| is_open(alert, now))
                .map(|alert| app.view(alert))
                .collect(),
        })
    }
}

pub(crate) async fn show(State(app): State<App>) -> Result<Json<BoardView>, Failure> {
    Ok(Json(BoardView::read(&app).await?))
}
