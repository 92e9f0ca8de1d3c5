//! Every address of the interface: who may use it, and what the audit keeps of it.
//!
//! A handler is reached by this table and in no other way, so that there is none
//! without a rule.

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use store::Role::{self, Administrator, Carer, Manager, Researcher, Support};

use crate::access::{Access, Audit, guard};
use crate::app::App;
use crate::{accounts, alerts, assignments, cards, devices, events, health, people, session};
use crate::{setup, signals};

/// Who watches the board and goes to people.
const CARE: Access = Access::Roles(&[Carer, Support, Manager, Administrator]);
/// Who gives wristbands to people and writes what helps them.
const PAIR: Access = Access::Roles(&[Support, Manager, Administrator]);
/// Who sees signals, by the person's pseudonym.
const STUDY: Access = Access::Roles(&[Carer, Support, Manager, Administrator, Researcher]);
/// Who makes accounts.
const ACCOUNTS: Access = Access::Roles(&[Administrator]);

/// One address with one method.
struct Route {
    method: Method,
    path: &'static str,
    access: Access,
    audit: Audit,
    handler: fn() -> MethodRouter<App>,
}

macro_rules! routes {
    ($($verb:ident $path:literal $access:expr, $audit:expr => $handler:expr;)*) => {
        &[$(Route {
            method: routes!(@method $verb),
            path: $path,
            access: $access,
            audit: $audit,
            handler: || $verb($handler),
        }),*]
    };
    (@method get) => { Method::GET };
    (@method post) => { Method::POST };
    (@method put) => { Method::PUT };
    (@method delete) => { Method::DELETE };
}

static ROUTES: &[Route] = routes! {
    get    "/healthz"                        Access::Anyone, Audit::Nothing => health::show;
    get    "/api/setup"                      Access::Anyone, Audit::Nothing => setup::show;
    post   "/api/setup"                      Access::Anyone, Audit::Act => setup::create;
    post   "/api/session"                    Access::Anyone, Audit::Act => session::create;
    get    "/api/session"                    Access::SignedIn, Audit::Nothing => session::show;
    delete "/api/session"                    Access::SignedIn, Audit::Act => session::end;
    get    "/api/board"                      CARE, Audit::Look("board.look") => cards::show;
    get    "/api/events"                     CARE, Audit::Look("board.watch") => events::watch;
    post   "/api/alerts/{id}/acknowledge"    CARE, Audit::Act => alerts::acknowledge;
    post   "/api/alerts/{id}/resolve"        CARE, Audit::Act => alerts::resolve;
    get    "/api/people"                     CARE, Audit::Look("people.look") => people::list;
    post   "/api/people"                     PAIR, Audit::Act => people::create;
    put    "/api/people/{id}"                PAIR, Audit::Act => people::update;
    get    "/api/people/{id}/signals"        STUDY, Audit::Look("signals.look") => signals::show;
    get    "/api/devices"                    CARE, Audit::Look("devices.look") => devices::list;
    post   "/api/assignments"                PAIR, Audit::Act => assignments::create;
    delete "/api/assignments/{device}"       PAIR, Audit::Act => assignments::end;
    get    "/api/users"                      ACCOUNTS, Audit::Nothing => accounts::list;
    post   "/api/users"                      ACCOUNTS, Audit::Act => accounts::create;
};

/// The router that the table makes.
pub(crate) fn router(app: &App) -> Router<App> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((app.clone(), route.access, route.audit), guard);
        router.route(route.path, (route.handler)().route_layer(guard))
    })
}

/// A row of the table, for whoever wants to see that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The HTTP method.
    pub method: String,
    /// The path, with `{..}` where something is to be filled in.
    pub path: &'static str,
    /// The roles that may use it; none where nobody need be signed in.
    pub roles: Option<Vec<Role>>,
    /// Whether a look is written into the audit before it is answered.
    pub look_is_audited: bool,
}

/// Every address of the interface with its rule.
#[must_use]
pub fn rules() -> Vec<Rule> {
    ROUTES
        .iter()
        .map(|route| Rule {
            method: route.method.to_string(),
            path: route.path,
            roles: match route.access {
                Access::Anyone => None,
                Access::SignedIn => Some(Role::ALL.to_vec()),
                Access::Roles(roles) => Some(roles.to_vec()),
            },
            look_is_audited: matches!(route.audit, Audit::Look(_)),
        })
        .collect()
}
