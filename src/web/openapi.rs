//! What holds for every operation of the OpenAPI document, said in one place: its name, the shape
//! of pages, and the problems with which the layers around all routes can answer.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};
use utoipa::openapi::{Content, Header, OpenApi, PathItem, Ref, RefOr, Response};

use crate::types::TextEnum;

/// The content type of a failure.
const PROBLEM: &str = "application/problem+json";

/// A problem that is described once, and referred to wherever it can happen.
struct Shared {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
    /// Whether an operation with this method can answer so.
    happens: fn(method: &str, operation: &Operation) -> bool,
}

/// Who adds a layer that refuses requests adds here what it says.
const SHARED: [Shared; 12] = [
    Shared {
        status: "400",
        name: "BadRequest",
        description: "The path, the query, a header or the JSON cannot be read",
        headers: &[],
        happens: |method, operation| {
            writes(method)
                || has(operation, ParameterIn::Query)
                || has(operation, ParameterIn::Path)
        },
    },
    Shared {
        status: "401",
        name: "Unauthenticated",
        description: "Nobody signed in, or the token is none that is good now",
        headers: &["WWW-Authenticate"],
        happens: |_, _| true,
    },
    Shared {
        status: "403",
        name: "Forbidden",
        description: "The account or the scopes of the token do not reach so far, or a browser \
            sends it from another site",
        headers: &[],
        happens: |_, _| true,
    },
    Shared {
        status: "404",
        name: "NotFound",
        description: "There is no such thing, or the asker may not know of it",
        headers: &[],
        happens: |_, operation| has(operation, ParameterIn::Path),
    },
    Shared {
        status: "408",
        name: "Timeout",
        description: "This took too long",
        headers: &[],
        happens: |_, _| true,
    },
    Shared {
        status: "409",
        name: "Conflict",
        description: "The first request with this `Idempotency-Key` is still under way, or the \
            state of the shop stands against it",
        headers: &[],
        happens: |_, operation| takes(operation, "Idempotency-Key"),
    },
    Shared {
        status: "412",
        name: "Stale",
        description: "Somebody else changed it meanwhile",
        headers: &[],
        happens: |_, operation| takes(operation, "If-Match"),
    },
    Shared {
        status: "413",
        name: "TooLarge",
        description: "The body is too large",
        headers: &[],
        happens: |_, operation| operation.request_body.is_some(),
    },
    Shared {
        status: "415",
        name: "UnsupportedMediaType",
        description: "The body has another content type than those named here",
        headers: &[],
        happens: |_, operation| operation.request_body.is_some(),
    },
    Shared {
        status: "422",
        name: "Invalid",
        description: "A field is wrong, missing or unknown; `errors` says which",
        headers: &[],
        happens: |_, operation| {
            operation.request_body.is_some() || takes(operation, "Idempotency-Key")
        },
    },
    Shared {
        status: "429",
        name: "TooManyRequests",
        description: "That was too often",
        headers: &["Retry-After"],
        happens: |_, _| true,
    },
    Shared {
        status: "503",
        name: "Unavailable",
        description: "The shop is busy",
        headers: &["Retry-After"],
        happens: |_, _| true,
    },
];

/// The schema of a query value that is a word of an enum, or empty as if it were left out.
pub fn word<T: TextEnum>() -> Object {
    let words = T::ALL.iter().map(|value| value.as_str());
    choice(words)
}

/// The schema of a query value that is `true`, `false`, or empty as if it were left out.
pub fn flag() -> Object {
    choice(["true", "false"])
}

/// The schema of a query value that is a number of stars, or empty as if it were left out.
pub fn stars() -> Object {
    choice(["1", "2", "3", "4", "5"])
}

/// The schema of a query value that is an amount, or empty as if it were left out. How many
/// decimals there may be depends on the shop's currency.
pub fn money() -> Object {
    pattern("^([0-9]{1,9}([.][0-9]{1,4})?)?$")
}

fn choice<'a>(words: impl IntoIterator<Item = &'a str>) -> Object {
    let words = words.into_iter().chain([""]);
    let mut object = Object::with_type(Type::String);
    object.enum_values = Some(words.map(Into::into).collect());
    object
}

fn pattern(pattern: &str) -> Object {
    let mut object = Object::with_type(Type::String);
    object.pattern = Some(pattern.to_owned());
    object
}

/// Says of each operation what holds for all.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for shared in &SHARED {
        let response = shared.response().into();
        components
            .responses
            .insert(shared.name.to_owned(), response);
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(name(method, path));
            operation.parameters.iter_mut().flatten().for_each(shape);
            problems(method, operation);
        }
    }
}

/// The operations of a path with their methods.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let operations = [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("PATCH", item.patch.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ];
    let operations = operations.into_iter();
    operations.filter_map(|(method, operation)| operation.map(|operation| (method, operation)))
}

/// Each operation is called after its method and path, `get_products_key`: the names of handlers
/// are not unique.
fn name(method: &str, path: &str) -> String {
    let words = path
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "api");
    let method = method.to_ascii_lowercase();
    let words: Vec<&str> = std::iter::once(method.as_str()).chain(words).collect();
    words.join("_")
}

/// A parameter that may be left out is no null; all lists are paged alike, and all keys are of
/// one kind.
fn shape(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else {
        return;
    };
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else {
        return;
    };
    if let SchemaType::Array(types) = &mut schema.schema_type {
        types.retain(|one| *one != Type::Null);
        if let [only] = &types[..] {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
    let pattern = match (&parameter.parameter_in, parameter.name.as_str()) {
        (ParameterIn::Query, "page") => "^([1-9][0-9]{0,8})?$",
        (ParameterIn::Query, "per_page") => "^([1-9][0-9]?|100)?$",
        (ParameterIn::Header, "Idempotency-Key") => "^[!-~]([ -~]{0,253}[!-~])?$",
        _ => return,
    };
    schema.pattern = Some(pattern.to_owned());
}

/// Adds the problems that the operation does not tell of itself. What it says without words of
/// its own is said by the shared words.
fn problems(method: &str, operation: &mut Operation) {
    for shared in &SHARED {
        let told = operation.responses.responses.get(shared.status);
        let silent = match told {
            Some(RefOr::T(response)) => response.description.is_empty(),
            Some(RefOr::Ref(_)) => false,
            None => (shared.happens)(method, operation),
        };
        if silent {
            let response = RefOr::Ref(Ref::from_response_name(shared.name));
            let responses = &mut operation.responses.responses;
            responses.insert(shared.status.to_owned(), response);
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            response.content = problem().content;
        }
    }
}

/// An answer with a problem.
fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let mut response = Response::default();
    response.content.insert(PROBLEM.to_owned(), content.into());
    response
}

impl Shared {
    fn response(&self) -> Response {
        let mut response = problem();
        self.description.clone_into(&mut response.description);
        for header in self.headers {
            let text = Header::new(Object::with_type(Type::String));
            response.headers.insert((*header).to_owned(), text.into());
        }
        response
    }
}

fn writes(method: &str) -> bool {
    method != "GET"
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn has(operation: &Operation, place: ParameterIn) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == place)
}

fn takes(operation: &Operation, header: &str) -> bool {
    parameters(operation)
        .any(|parameter| parameter.parameter_in == ParameterIn::Header && parameter.name == header)
}
