use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use biosignal::PersonId;
use serde::{Deserialize, Serialize};
use store::Person;

use crate::app::App;
use crate::body::{self, Body};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::moment;

const LONGEST_NAME: usize = 80;
const MOST_STRATEGIES: usize = 20;
const LONGEST_STRATEGY: usize = 300;

/// A person's name, and what helps them; the first is tried first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Described {
    name: String,
    #[serde(default)]
    strategies: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PersonView {
    id: String,
    name: String,
    strategies: Vec<String>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self { id: person.id.into(), name: person.name, strategies: person.strategies }
    }
}

impl Described {
    fn checked(self) -> Result<(String, Vec<String>), Failure> {
        let name = body::line(&self.name, "name", LONGEST_NAME)?;
        if self.strategies.len() > MOST_STRATEGIES {
            let error = format!("There can be at most {MOST_STRATEGIES} strategies.");
            return Err(Failure::bad(error).of("strategies"));
        }
        let strategies = self.strategies.iter().filter(|strategy| !strategy.trim().is_empty());
        let strategies = strategies
            .map(|strategy| body::line(strategy, "strategies", LONGEST_STRATEGY))
            .collect::<Result<_, _>>()?;
        Ok((name, strategies))
    }
}

pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<PersonView>>, Failure> {
    Ok(Json(app.store.people().await?.into_iter().map(PersonView::from).collect()))
}

pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(described): Body<Described>,
) -> Result<(StatusCode, Json<PersonView>), Failure> {
    let (name, strategies) = described.checked()?;
    app.audit(caller.id.as_str(), "person.create", "new").await?;
    let person = app.store.create_person(&name, strategies).await?;
    app.audit(caller.id.as_str(), "person.created", person.id.as_str()).await?;
    app.refresh(moment::now()).await?;
    Ok((StatusCode::CREATED, Json(person.into())))
}

pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(described): Body<Described>,
) -> Result<Json<PersonView>, Failure> {
    let id: PersonId = body::id(&id, "person")?;
    let (name, strategies) = described.checked()?;
    app.audit(caller.id.as_str(), "person.update", id.as_str()).await?;
    let person = app.store.update_person(&id, &name, strategies).await?;
    app.refresh(moment::now()).await?;
    Ok(Json(person.into()))
}
