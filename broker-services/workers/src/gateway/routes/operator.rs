//! What an operator does to workers: faults on purpose, where the settings allow them, and the breaker.
//!
//! These are wishes that go to every worker. That one was passed on is the answer; what became of it, the workers' next
//! heartbeats tell, a second later: `GET /faults`, `GET /myinfo/status`.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::faults::{FAULT_FOR, Fault, MAX_FAULT_FOR};
use skstore_domain::signals::{Beat, SILENT_AFTER, Service};

use crate::clock::{Clock, whole_ms};
use crate::desk::Desk;
use crate::gateway::access::Right;
use crate::gateway::operation::{Method, Operation};
use crate::gateway::problem::Problem;
use crate::gateway::request::{Behind, Done, Name, said};

pub(super) fn operations() -> Vec<Operation> {
    let inject_it = ("injectFault", "Have the workers of a service misbehave for a time");
    let heal_it = ("healFault", "End the faults of a service");
    let crash_it = ("crashWorkers", "Have the workers of a service die in the midst of what they do");
    let force_it = ("forceBreaker", "Hold the breaker open or closed, or let it decide again");
    vec![
        Operation::get("/faults", ("listFaults", "Who misbehaves on purpose"), list)
            .answers(&[(200, "Faults")]),
        Operation::act(Method::Put, "/faults/{service}", Right::Operate, inject_it, inject)
            .takes_body("Fault")
            .answers(&[(202, "Passed")])
            .may_refuse(&[404, 409]),
        Operation::act(Method::Delete, "/faults/{service}", Right::Operate, heal_it, heal)
            .answers(&[(202, "Passed")]),
        Operation::act(Method::Post, "/workers/{service}/crash", Right::Operate, crash_it, crash)
            .takes_body("Whom")
            .answers(&[(202, "Passed")])
            .may_refuse(&[404, 409]),
        Operation::act(Method::Put, "/breaker", Right::Operate, force_it, force)
            .takes_body("Force")
            .answers(&[(202, "Passed")])
            .may_refuse(&[404]),
    ]
}

async fn list(State(Behind { desk, .. }): State<Behind>) -> Done {
    let heard = heard(&desk).await?;
    let faulty = heard.iter().filter(|beat| beat.fault.is_some());
    let told = |beat: &Beat| {
        json!({
            "service": beat.service, "instance": beat.instance, "fault": beat.fault, "left_ms": beat.fault_left_ms,
        })
    };
    Ok(said(&json!({ "faults": faulty.map(told).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// As heartbeats have it: `slow:400`, `lost-replies:5`, `stopped`.
    fault: String,
    for_ms: Option<u64>,
    instance: Option<String>,
}

async fn inject(State(Behind { desk, .. }): State<Behind>, service: Name, body: Bytes) -> Done {
    let (service, wish) = (named(&service)?, wanted::<Wish>(&body)?);
    let fault = Fault::parse(&wish.fault).map_err(|why| Problem::invalid(format!("'fault' {why}")))?;
    let lasts = wish.for_ms.map_or(FAULT_FOR, Duration::from_millis);
    if lasts.is_zero() || lasts > MAX_FAULT_FOR {
        let most = whole_ms(MAX_FAULT_FOR);
        return Err(Problem::invalid(format!("'for_ms' must be 1 to {most}")));
    }
    obeying(&desk, service, wish.instance.as_deref()).await?;
    desk.inject_for(service, wish.instance, fault, lasts).await?;
    Ok(passed(&json!({ "service": service, "fault": fault.to_string(), "for_ms": whole_ms(lasts) })))
}

async fn heal(State(Behind { desk, .. }): State<Behind>, service: Name) -> Done {
    let service = named(&service)?;
    desk.inject(service, Fault::None).await?;
    Ok(passed(&json!({ "service": service, "fault": Fault::None.to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    instance: Option<String>,
}

async fn crash(State(Behind { desk, .. }): State<Behind>, service: Name, body: Bytes) -> Done {
    let (service, whom) = (named(&service)?, wanted::<Whom>(&body)?);
    obeying(&desk, service, whom.instance.as_deref()).await?;
    desk.crash(service, whom.instance).await?;
    Ok(passed(&json!({ "service": service })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Force {
    mode: BreakerMode,
    instance: Option<String>,
}

async fn force(State(Behind { desk, .. }): State<Behind>, body: Bytes) -> Done {
    let Force { mode, instance } = wanted(&body)?;
    meant(&desk, Service::Order, instance.as_deref()).await?;
    desk.force_breaker(instance, mode).await?;
    Ok(passed(&json!({ "service": Service::Order, "mode": mode })))
}

/// What a body says.
fn wanted<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|why| Problem::invalid(format!("the body: {why}")))
}

fn named(Name(word): &Name) -> Result<Service, Problem> {
    let words = || Service::ALL.iter().map(|service| service.word()).collect::<Vec<_>>().join(", ");
    Service::from_word(word)
        .ok_or_else(|| Problem::invalid(format!("the service in the address must be one of {}", words())))
}

async fn heard(desk: &Desk) -> Result<Vec<Beat>, Problem> {
    let now = Clock::System.now();
    let services = desk.view().health().await?.services;
    Ok(services.into_iter().filter(|beat| now.since(beat.at) <= SILENT_AFTER).collect())
}

/// The workers that are meant and heard of.
async fn meant(desk: &Desk, service: Service, instance: Option<&str>) -> Result<Vec<Beat>, Problem> {
    let is_meant =
        |beat: &Beat| beat.service == service && instance.is_none_or(|instance| instance == beat.instance);
    let meant: Vec<Beat> = heard(desk).await?.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(Problem::not_found(format!("no such worker of {service} is heard of")));
    }
    Ok(meant)
}

/// That somebody would obey.
async fn obeying(desk: &Desk, service: Service, instance: Option<&str>) -> Result<(), Problem> {
    if meant(desk, service, instance).await?.iter().any(|beat| beat.takes_faults) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "conflict",
        format!("{service} takes no faults, as its setting faults.allowed has it"),
    ))
}

/// That a wish was passed on.
fn passed(wish: &Value) -> axum::response::Response {
    (StatusCode::ACCEPTED, said(wish)).into_response()
}
