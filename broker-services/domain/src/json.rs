//! Objects as JSON.

use serde::Serialize;

/// Room for the text of most objects, in bytes: an order's event has some 700. A text that has to grow is copied each
/// time, and an allocator hands out this much as fast as less.
const ROOM: usize = 1024;

/// `object` as JSON; nothing for one that JSON cannot say, of which there is none here.
#[must_use]
pub fn text(object: &impl Serialize) -> String {
    String::from_utf8(bytes(object)).unwrap_or_default()
}

/// As [`text`], for those that want bytes.
#[must_use]
pub fn bytes(object: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    match serde_json::to_writer(&mut bytes, object) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
