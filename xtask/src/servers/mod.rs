//! Private RabbitMQ, Redis and PostgreSQL servers: on free ports, in a temporary directory, gone when they are dropped, or when the
//! process that started them ends in whatever way. Nothing that runs on the machine already is touched.
//!
//! Tests that kill and restart a broker include this file as a module of theirs, so it needs the standard library only.

#![allow(dead_code, reason = "each of those who include it uses a part")]

mod ground;
mod group;
mod postgres;
mod rabbit;
mod redis;

#[allow(unused_imports, reason = "each of those who include it uses a part")]
pub(crate) use self::{
    ground::{free_ports, install_missing, temporary},
    group::Group,
    postgres::Postgres,
    rabbit::Rabbit,
    redis::{Redis, Sentinels},
};
