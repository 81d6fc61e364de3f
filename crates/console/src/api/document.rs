use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Object, Ref, RefOr, Required, ResponseBuilder, Type};

use super::described;
use super::error::Error;
use crate::console::Console;
use crate::failure::Failure;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Administration of trust",
        description = "Everything the pages of the console do, for programs. Every request goes through the administrator \
                       check of the service around it. A change needs the header field X-TAA-Console and, where it has \
                       content, JSON; members that are not known are refused.",
        version = "1"
    ),
    servers((url = "../api", description = "Beside this document")),
    components(schemas(Error)),
    tags(
        (name = "applications", description = "Incoming trust: who may call this application"),
        (name = "servers", description = "Outgoing: whom this application calls"),
        (name = "set-up", description = "Setting trust up in two steps: fetch, compare, save"),
        (name = "own", description = "This application's certificate and keys"),
        (name = "users", description = "Users no application may name"),
        (name = "audit", description = "What was done, by whom"),
        (name = "what-if", description = "Would a request be allowed?"),
        (name = "system", description = "Service, store and nodes")
    )
)]
struct Document;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/openapi.json", get(serve))
}

async fn serve() -> Result<Response, Failure> {
    let document = openapi().map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "the OpenAPI document could not be written");
        Failure::Internal
    })?;
    Ok(([(CONTENT_TYPE, "application/json")], document).into_response())
}

/// The document, with what holds for every operation.
pub(crate) fn openapi() -> Result<String, serde_json::Error> {
    let mut document = Document::openapi();
    document.merge(described().into_openapi());
    for item in document.paths.paths.values_mut() {
        for change in [&mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            change.parameters.get_or_insert_default().push(RefOr::T(header_field()));
        }
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in all.into_iter().flatten() {
            describe(operation);
            add_error(operation);
        }
    }
    document.to_pretty_json()
}

fn header_field() -> Parameter {
    ParameterBuilder::new()
        .name("X-TAA-Console")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(
            "1, or the token of a form of this session. Pages of other sites cannot send this field.",
        ))
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

/// A response has to have a description, and a status means the same everywhere.
fn describe(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            response.description = match status.as_str() {
                "200" => "Done",
                "201" => "Made",
                "204" => "Done; there is nothing to say",
                "404" => "There is no such thing",
                "409" => "It does not fit the state of things, or somebody else was quicker",
                "422" => "Fields are wrong",
                "502" => "The other application did not answer as it should",
                _ => "See the schema",
            }
            .to_owned();
        }
    }
}

fn add_error(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
    let response = ResponseBuilder::new()
        .description("Why it was not carried out")
        .content("application/json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
}
