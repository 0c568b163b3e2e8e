//! Who may do what: every route of the shop, as each kind of asker, against `policy.txt`.
//!
//! The routes are read off the program itself, so none can be forgotten: those of the API off its
//! OpenAPI document, the pages off the router.

mod world;

use std::collections::BTreeSet;

use axum::http::Method;
use zoco::config::Switch;
use zoco::ctx::Permission;
use zoco::types::TextEnum;

use crate::api;
use crate::support::{Reply, TestApp, both, plain};
use world::{Asker, World};

const POLICY: &str = include_str!("policy.txt");

/// A line of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The method.
    pub method: Method,
    /// The path with its placeholders.
    pub path: String,
    /// Who passes, in words; a permission stands by its name.
    rule: String,
    /// What each of [`ASKERS`] gets.
    outcomes: [Outcome; 6],
}

impl Line {
    /// The permissions that open this route, each by itself.
    fn permissions(&self) -> Vec<Permission> {
        let words = self.rule.split('|');
        words.filter_map(Permission::from_word).collect()
    }

    /// Whether it is a page, or a file that goes with pages.
    pub fn is_page(&self) -> bool {
        !self.path.starts_with("/api/")
    }
}

/// What somebody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// They must sign in first: 401, or on pages the way to the form.
    SignIn,
    /// They may not: 403.
    Forbidden,
    /// There is no such thing for them: 404.
    Unknown,
    /// Anything else that is no fault: they are let in, even if what they sent is refused.
    In,
}

impl Outcome {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "401" => Self::SignIn,
            "403" => Self::Forbidden,
            "404" => Self::Unknown,
            "in" => Self::In,
            _ => return None,
        })
    }

    fn of(reply: &Reply) -> Option<Self> {
        Some(match reply.status.as_u16() {
            303 if reply.header("location").starts_with("/sign-in") => Self::SignIn,
            401 => Self::SignIn,
            403 => Self::Forbidden,
            404 => Self::Unknown,
            405 | 500.. => return None,
            _ => Self::In,
        })
    }
}

/// The columns of the policy. Those who are mostly refused come first, so that what they ask for
/// is still there.
const ASKERS: [&str; 6] = [
    "anonymous",
    "user A, whose things they are",
    "user B",
    "staff without the permission",
    "staff with it",
    "admin",
];
const ORDER: [usize; 6] = [0, 2, 3, 1, 4, 5];

fn read_line(text: &str) -> Line {
    let words: Vec<&str> = text.split_whitespace().collect();
    let outcomes: Vec<Outcome> = words
        .iter()
        .skip(3)
        .copied()
        .filter_map(Outcome::read)
        .collect();
    assert!(
        words.len() == 9 && outcomes.len() == 6,
        "tests/it/access/policy.txt: a line has a method, a path, a rule, and 401, 403, 404 or in \
         for each of {ASKERS:?}; this one has not: {text}"
    );
    Line {
        method: Method::from_bytes(words[0].as_bytes()).unwrap(),
        path: words[1].to_owned(),
        rule: words[2].to_owned(),
        outcomes: outcomes.try_into().unwrap(),
    }
}

/// All lines of the policy.
pub fn policy() -> Vec<Line> {
    let lines = POLICY
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(read_line).collect()
}

/// `GET /orders/{number}`
type Place = (String, String);

/// The routes that a router's debug text names: a method and a path each.
fn routes_in(debug: &str) -> BTreeSet<Place> {
    let (routes, rest) = debug.split_once(", node: Node { paths: {").unwrap();
    let mut paths = std::collections::BTreeMap::new();
    let mut rest = rest;
    while let Some(entry) = rest.strip_prefix("RouteId(") {
        let (id, more) = entry.split_once("): \"").unwrap();
        let (path, more) = more.split_once('"').unwrap();
        paths.insert(id, path);
        rest = more.trim_start_matches(", ");
    }
    let mut found = BTreeSet::new();
    for endpoint in routes.split("RouteId(").skip(1) {
        let (id, handlers) = endpoint.split_once("): ").unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            let at = handlers.find(&format!(" {method}: "));
            let handler =
                &handlers[at.unwrap_or_else(|| panic!("{handlers}")) + method.len() + 3..];
            if !handler.starts_with("None") {
                found.insert((method.to_uppercase(), paths[id].to_owned()));
            }
        }
    }
    found
}

/// What the routes of the API's newest version are called where they are twins of the others.
const TWIN: &str = "/api/v1/";

/// Every route of the shop but the twins under `/api/v1`.
fn routes(app: &TestApp) -> BTreeSet<Place> {
    let debug = format!("{:?}", zoco::routes::router((**app).clone()));
    let (twins, routes): (BTreeSet<Place>, BTreeSet<Place>) = routes_in(&debug)
        .into_iter()
        .partition(|(_, path)| path.starts_with(TWIN));
    let documented = api::routes().into_iter();
    let documented: BTreeSet<Place> = documented
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    let twins: BTreeSet<Place> = twins
        .into_iter()
        .map(|(method, path)| (method, path.replacen(TWIN, "/api/", 1)))
        .collect();
    assert_eq!(
        twins, documented,
        "the routes under {TWIN} and those of the OpenAPI document"
    );
    let undocumented = routes.difference(&documented);
    let undocumented: Vec<&Place> = undocumented
        .filter(|(_, path)| path.starts_with("/api/"))
        .filter(|(_, path)| !path.starts_with("/api/docs") && path != "/api/openapi.json")
        .collect();
    assert!(
        undocumented.is_empty(),
        "not in the OpenAPI document: {undocumented:?}"
    );
    assert!(
        documented.is_subset(&routes),
        "only in the OpenAPI document"
    );
    assert!(
        routes.len() > 100,
        "only {} routes were read off the router",
        routes.len()
    );
    routes
}

both! {
    async fn the_policy_lists_every_route(app: TestApp) {
        let mut complaints = Vec::new();
        let mut listed = BTreeSet::new();
        for line in policy() {
            let place = (line.method.to_string(), line.path);
            if !listed.insert(place.clone()) {
                complaints.push(format!("{} {} stands there twice.", place.0, place.1));
            }
        }
        let routes = routes(&app);
        for (method, path) in routes.difference(&listed) {
            let staff = path.starts_with("/admin") || path.starts_with("/api/admin");
            let example = if staff { "PERMISSION  401 403 403 403 in in" } else { "open  in in in in in in" };
            complaints.push(format!(
                "{method} {path} is a route of the shop, and nobody has said who may use it. Add a line for it, \
                such as\n    {method} {path}  {example}"
            ));
        }
        for (method, path) in listed.difference(&routes) {
            complaints.push(format!("{method} {path} is no route any more. Remove its line."));
        }
        assert!(
            complaints.is_empty(),
            "\ntests/it/access/policy.txt says who may use each route; the head of that file explains its columns.\n{}\n",
            complaints.join("\n")
        );
    }

    async fn every_route_admits_whom_the_policy_names(app: TestApp) {
        let app = app.with_settings(|config| {
            config.rate_limits = Switch::Off;
            config.payment_test = Some(Switch::On);
        }).await;
        app.leave_jobs();
        let mut world = World::new(&app).await;
        let mut complaints = Vec::new();
        for line in policy() {
            let named = line.permissions();
            for at in ORDER {
                for asker in askers(at, &named) {
                    let reply = world.knock(&line, &asker).await;
                    if Outcome::of(&reply) != Some(line.outcomes[at]) {
                        complaints.push(format!(
                            "{} {} as {} ({asker:?}) is {:?} in the policy, and answered {} {}",
                            line.method, line.path, ASKERS[at], line.outcomes[at], reply.status, reply.header("location"),
                        ));
                    }
                }
            }
        }
        assert!(
            complaints.is_empty(),
            "\nEither the program lets in whom it should not, or tests/it/access/policy.txt is wrong:\n{}\n",
            complaints.join("\n")
        );
    }
}

/// Those who stand in a column, given the permissions that open the route. Staff without them have
/// all others, staff with them have one of them alone; where none opens it, they have none or all.
fn askers(column: usize, named: &[Permission]) -> Vec<Asker> {
    let all = Permission::ALL.iter().copied();
    match column {
        0 => vec![Asker::Anonymous],
        1 => vec![Asker::A],
        2 => vec![Asker::B],
        3 if named.is_empty() => vec![Asker::Staff(Vec::new())],
        3 => vec![Asker::Staff(
            all.filter(|one| !named.contains(one)).collect(),
        )],
        4 if named.is_empty() => vec![Asker::Staff(all.collect())],
        4 => named.iter().map(|&one| Asker::Staff(vec![one])).collect(),
        _ => vec![Asker::Admin],
    }
}

plain! {
    fn a_line_of_the_policy_is_read() {
        let line = read_line("POST  /a/{id}  owner|orders  401 in 403 404 in in");
        assert_eq!((line.method.as_str(), line.path.as_str()), ("POST", "/a/{id}"));
        assert_eq!(line.permissions(), [Permission::Orders]);
        use Outcome::{Forbidden, In, SignIn, Unknown};
        assert_eq!(line.outcomes, [SignIn, In, Forbidden, Unknown, In, In]);
        assert_eq!(askers(4, &line.permissions()), [Asker::Staff(vec![Permission::Orders])]);
        let Asker::Staff(others) = &askers(3, &line.permissions())[0] else { panic!() };
        assert!(others.len() == 6 && !others.contains(&Permission::Orders));
    }

    fn routes_are_read_off_a_router() {
        use axum::routing::{get, post};
        let inner = axum::Router::<()>::new().route("/b/{id}", get(async || "").patch(async || ""));
        let router = axum::Router::<()>::new()
            .route("/", post(async || ""))
            .nest("/a", inner)
            .fallback(async || "")
            .layer(axum::middleware::from_fn(zoco::web::layers::draw_problems));
        let found = routes_in(&format!("{router:?}"));
        let found: Vec<(&str, &str)> = found.iter().map(|(method, path)| (method.as_str(), path.as_str())).collect();
        assert_eq!(found, [("GET", "/a/b/{id}"), ("PATCH", "/a/b/{id}"), ("POST", "/")]);
    }
}
