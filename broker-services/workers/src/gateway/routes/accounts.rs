//! Accounts and the money in them.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use skstore_domain::commands::{DepositCommand, DepositCommandKind};
use skstore_domain::ids::Customer;

use super::page::{self, After};
use super::supply::supply;
use crate::gateway::access::Right;
use crate::gateway::operation::{Method, Operation};
use crate::gateway::request::{Asked, Behind, Done, Name, done, named};

pub(super) fn operations() -> Vec<Operation> {
    let top_up_it = ("topUp", "Put money into an account");
    vec![
        Operation::get("/accounts", ("listAccounts", "A page of accounts, by customer"), accounts)
            .takes(&["after", "limit"])
            .answers(&[(200, "Accounts")]),
        Operation::get("/accounts/{customer}", ("showAccount", "An account, as Deposit has it"), account)
            .answers(&[(200, "Account")])
            .may_refuse(&[404, 500, 502, 504]),
        Operation::act(Method::Post, "/accounts/{customer}/topups", Right::Supply, top_up_it, top_up)
            .takes(&["idempotency_key"])
            .takes_body("TopUp")
            .answers(&[(200, "Account")])
            .may_refuse(&[409, 500, 502, 504]),
    ]
}

async fn account(State(Behind { desk, .. }): State<Behind>, customer: Name) -> Done {
    done(desk.account(&customer.checked(Customer::to_look_up)?).await?, StatusCode::OK)
}

async fn top_up(
    State(Behind { desk, .. }): State<Behind>,
    customer: Name,
    headers: HeaderMap,
    body: Bytes,
) -> Done {
    let answer =
        supply(&desk, DepositCommandKind::TopUp, ("customer", &customer), &headers, &body, |command| {
            if let DepositCommand::TopUp(top_up) = command { Some(&mut top_up.topup_id) } else { None }
        });
    done(answer.await?, StatusCode::OK)
}

pub(super) async fn accounts(
    State(Behind { desk, .. }): State<Behind>,
    uri: Uri,
    Asked(After { after, limit }): Asked<After>,
) -> Done {
    let after = after.as_deref().map(|name| named(name, Customer::to_look_up)).transpose()?;
    let rows = page::rows(limit)?;
    let read = desk.view().accounts(after.as_ref(), rows + 1).await?;
    let (accounts, next) = page::cut(read, rows, |account| account.customer.as_str());
    Ok(page::answer(&json!({ "accounts": accounts, "next": next }), &uri, "after", next.as_deref()))
}
