//! Commands that add to what the path names, once for each id.

use axum::body::Bytes;
use axum::http::HeaderMap;
use skstore_domain::answers::Answer;
use skstore_domain::commands::{Command, ServiceCommand};
use skstore_domain::ids::RequestId;

use crate::desk::Desk;
use crate::gateway::problem::Problem;
use crate::gateway::request::{Name, one_id, with_member};

/// Has the command in `body` carried out, with what the path names as its `member`; under the id that the header or the
/// body gives, or a fresh one. `id` is where the command has it, if it has one.
pub(super) async fn supply<C: ServiceCommand + Into<Command>>(
    desk: &Desk,
    kind: C::Kind,
    (member, Name(name)): (&str, &Name),
    headers: &HeaderMap,
    body: &Bytes,
    id: impl Fn(&mut C) -> Option<&mut Option<RequestId>>,
) -> Result<Answer, Problem> {
    let read = C::from_json(kind, &with_member(member, name, body));
    let mut command = read.map_err(|invalid| Problem::invalid(invalid.to_string()))?;
    if let Some(id) = id(&mut command) {
        let given = one_id(headers, id.take(), RequestId::new)?;
        *id = Some(given.unwrap_or_else(|| desk.request_id()));
    }
    Ok(desk.ask(command).await?)
}
