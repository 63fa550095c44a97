//! Where outside callers may have their answers sent.
//!
//! An answer goes through the broker's default exchange to whatever name its asker gives, so a name can do harm: one of
//! our queues would take the answer for a message, and RabbitMQ 3.10 ends the whole connection that sends to a *direct
//! reply address* that it cannot read. It makes those itself, for whoever listens without a queue:
//! `amq.rabbitmq.reply-to.`, then in base64 what Erlang calls its channel (a *pid*, in the external format, whose node is
//! a word, `@` and a number that stands for the node's name), a dot, and sixteen random bytes in base64. All
//! versions from 3.10 to 4.x make them alike.
//!
//! What has another form cannot be right, and is refused before anything is done. What has that form may still be of a
//! node that is not there any more: the connection that answers have of their own is for those.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::topology;

/// The longest name that AMQP has room for, in bytes.
const MAX_BYTES: usize = 255;
/// What says *without a queue* to a broker, which puts an address in its place.
const DIRECT: &str = "amq.rabbitmq.reply-to";
/// Random bytes of a direct reply address.
const KEY_BYTES: usize = 16;
/// Erlang's external format, a pid in it (`NEW_PID_EXT`), and its node's name with a length of two bytes or of one.
const EXTERNAL_FORMAT: u8 = 131;
const NEW_PID: u8 = 88;
const LONG_ATOM: u8 = 118;
const SHORT_ATOM: u8 = 119;
/// A pid's number, serial number and creation, in bytes.
const PID_NUMBERS_BYTES: usize = 12;
/// A pid's number is smaller in all versions of Erlang.
const MAX_PID_NUMBER: u32 = 1 << 28;
/// The number that stands for a node's name is smaller: Erlang's `phash2`.
const MAX_NODE_HASH: u32 = 1 << 27;

/// Why no answer can be sent to `reply_to`, as the end of a sentence; none, if one can.
pub(crate) fn refusal(reply_to: &str) -> Option<&'static str> {
    if topology::is_ours(reply_to) {
        return Some("is a queue of the system itself");
    }
    if reply_to.len() > MAX_BYTES {
        return Some("is longer than the 255 bytes of a name");
    }
    if reply_to.chars().any(char::is_control) {
        return Some("is no text that a queue could be called by");
    }
    let is_direct =
        reply_to.strip_prefix(DIRECT).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    (is_direct && node(reply_to).is_none())
        .then_some("is no address that the broker makes for answers without a queue")
}

/// The number of the node that a direct reply address is of; none if it is of another form.
pub(crate) fn node(reply_to: &str) -> Option<u32> {
    let (pid, key) = reply_to.strip_prefix(DIRECT)?.strip_prefix('.')?.split_once('.')?;
    if BASE64_STANDARD.decode(key).ok()?.len() != KEY_BYTES {
        return None;
    }
    let pid = BASE64_STANDARD.decode(pid).ok()?;
    let [EXTERNAL_FORMAT, NEW_PID, kind, rest @ ..] = pid.as_slice() else { return None };
    let (length, rest) = match (*kind, rest) {
        (LONG_ATOM, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        (SHORT_ATOM, [length, rest @ ..]) => (usize::from(*length), rest),
        _ => return None,
    };
    let (name, numbers) = rest.split_at_checked(length)?;
    let number = u32::from_be_bytes(numbers.first_chunk().copied()?);
    if numbers.len() != PID_NUMBERS_BYTES || number >= MAX_PID_NUMBER {
        return None;
    }
    let (word, hash) = std::str::from_utf8(name).ok()?.split_once('@')?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_number = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_digit());
    hash.parse().ok().filter(|hash| is_word && is_number && *hash < MAX_NODE_HASH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As RabbitMQ 3.10.8 made it.
    const REAL: &str =
        "amq.rabbitmq.reply-to.g1h2AA1yZXBseUA5NjEwMDA0AABbOQAAAARrCrYa.0s72xMiGstv4M3GXfz+MRw==";

    fn encoded(bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(bytes)
    }

    fn pid(name: &str, numbers: [u32; 3]) -> Vec<u8> {
        let length = u16::try_from(name.len()).unwrap().to_be_bytes();
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        [&[131, 88, 118], &length[..], name.as_bytes(), &numbers].concat()
    }

    fn direct(pid: &[u8], key: &[u8]) -> String {
        format!("{DIRECT}.{}.{}", encoded(pid), encoded(key))
    }

    #[test]
    fn what_a_broker_makes_is_taken() {
        assert_eq!(refusal(REAL), None);
        assert_eq!(node(REAL), Some(9_610_004));
        let made = direct(&pid("reply@123", [5, 0, 1]), &[7; 16]);
        assert_eq!((refusal(&made), node(&made)), (None, Some(123)));
        let short = [&[131, 88, 119, 7][..], b"reply@9", &[0; 12]].concat();
        assert_eq!(node(&direct(&short, &[7; 16])), Some(9));
    }

    #[test]
    fn names_of_queues_are_taken_whatever_they_look_like() {
        let long = "q".repeat(255);
        for name in
            ["answers", "amq.gen-JzTY20BRgKO-HjmUJj0wLg", "주문 답", "amq.rabbitmq.reply-tomorrow", &long]
        {
            assert_eq!(refusal(name), None, "{name}");
            assert_eq!(node(name), None, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        let (good, key) = (pid("reply@7", [5, 0, 1]), [7; 16]);
        let named = |name: &str| direct(&pid(name, [5, 0, 1]), &key);
        let cases = [
            ("order.commands".to_owned(), "system itself"),
            ("q".repeat(256), "255 bytes"),
            ("a\u{1a}b".to_owned(), "no text"),
            (DIRECT.to_owned(), "without a queue"),
            (format!("{DIRECT}."), "without a queue"),
            (format!("{DIRECT}.x.y"), "without a queue"),
            (format!("{DIRECT}.{}", encoded(&good)), "without a queue"),
            (format!("{DIRECT}.{}.", encoded(&good)), "without a queue"),
            (format!("{DIRECT}.{}.{}.", encoded(&good), encoded(&key)), "without a queue"),
            (
                format!("{DIRECT}.{}.{}", encoded(&good), encoded(&key).trim_end_matches('=')),
                "without a queue",
            ),
            (format!("{DIRECT}..{}", encoded(&key)), "without a queue"),
            (direct(&good, &[7; 15]), "without a queue"),
            (direct(&good[..good.len() - 1], &key), "without a queue"),
            (direct(&[&good[..], &[0]].concat(), &key), "without a queue"),
            (direct(&pid("reply@7", [1 << 28, 0, 1]), &key), "without a queue"),
            (direct(&[131, 106], &key), "without a queue"),
            (named("rabbit@host"), "without a queue"),
            (named("reply@"), "without a queue"),
            (named("reply@+7"), "without a queue"),
            (named("reply@134217728"), "without a queue"),
            (named("reply7"), "without a queue"),
            (named("@7"), "without a queue"),
        ];
        for (name, part) in cases {
            let refused = refusal(&name).unwrap_or_else(|| panic!("{name} is taken"));
            assert!(refused.contains(part), "{name} {refused}");
        }
    }

    proptest! {
        /// Whatever is done to a good address: what is left of it is read as another one or refused.
        #[test]
        fn no_name_makes_it_panic(name: String, at in 0..90_usize, with: char) {
            let _ = refusal(&name);
            let mut spoilt: Vec<char> = direct(&pid("reply@7", [5, 0, 1]), &[7; 16]).chars().collect();
            let at = at % spoilt.len();
            spoilt[at] = with;
            let _ = refusal(&spoilt.into_iter().collect::<String>());
        }
    }
}
