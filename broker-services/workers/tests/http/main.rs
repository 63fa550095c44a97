//! The HTTP gateway in front of a desk: in this process, or in one of its own.

mod basics;
mod child;
mod document;
mod events;
mod fuzz;
mod limits;
mod myinfo;
mod operator;
mod served;
mod tokens;
