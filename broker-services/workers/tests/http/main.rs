//! The HTTP gateway in front of a desk in this process.

mod basics;
mod served;
mod tokens;
