//! Keys, the mouse and pasted text, as this process's terminal tells of them: read on a thread of its own, since reading
//! may wait in the midst of a key, and nobody else shall wait with it.
//!
//! They end when the terminal is gone. No signal may tell that (a process without a controlling terminal gets none), and
//! reading does not: crossterm tries again and again, for ever.
//!
//! What comes in one burst is told as one: a terminal that does not mark pasted text sends it as keys, but faster than
//! any hand presses them.

use std::io::{self, PipeReader, PipeWriter};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use futures_util::Stream;
#[cfg(unix)]
use nix::errno::Errno;
#[cfg(unix)]
use nix::poll::{PollFd, PollFlags, PollTimeout};
use tokio::sync::mpsc;

/// Events that wait for whoever acts on them: more than a burst of the wheel, and as many as a person types in a minute.
const WAITING: usize = 512;
/// So many different keys in one piece are no hand's: even the fastest press them tens of milliseconds apart, and each
/// comes alone unless the way here was held up. A key that is held is one key, however often it comes.
const PASTED_KEYS: usize = 3;
/// A paste goes on while its next piece comes within this: it is cut where a buffer ends, not where time has passed.
const PASTE_GOES_ON_FOR: Duration = Duration::from_millis(50);
/// How long it is waited for what has come to make a key.
const KEY_WITHIN: Duration = Duration::from_millis(20);
/// Most characters that are taken for one paste: more than any field here holds.
const MAX_PASTED: usize = 64 * 1024;

/// The events of this process's terminal, until it is dropped: what is typed from then on is for whoever comes next.
#[derive(Debug)]
pub struct Keyboard {
    events: mpsc::Receiver<io::Result<Event>>,
    /// Dropping it ends the thread.
    _listens: PipeWriter,
}

impl Keyboard {
    /// Reads from now on. A terminal has one reader.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn listen() -> io::Result<Self> {
        let (told, events) = mpsc::channel(WAITING);
        let (ends, listens) = io::pipe()?;
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            while let Some(burst) = next_burst(&ends) {
                // Nobody may want to know any more.
                if !burst.into_iter().all(|event| told.blocking_send(event).is_ok()) {
                    break;
                }
            }
        })?;
        Ok(Self { events, _listens: listens })
    }
}

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(context)
    }
}

/// The events that came next in one piece; `None` once the terminal is gone, or `ends` does.
fn next_burst(ends: &PipeReader) -> Option<Vec<io::Result<Event>>> {
    loop {
        if !has_something_to_read(ends) {
            return None;
        }
        match read_burst().map(told_of) {
            Ok(events) if events.is_empty() => {}
            Ok(events) => return Some(events.into_iter().map(Ok).collect()),
            Err(error) => return Some(vec![Err(error)]),
        }
    }
}

fn read_burst() -> io::Result<Vec<Event>> {
    let (mut burst, mut pause) = (Vec::new(), KEY_WITHIN);
    loop {
        while burst.len() < MAX_PASTED && poll(pause)? {
            burst.push(read()?);
            pause = Duration::ZERO;
        }
        if pause.is_zero() && is_pasted(&burst) {
            pause = PASTE_GOES_ON_FOR;
        } else if !is_readable() || burst.len() >= MAX_PASTED {
            return Ok(burst);
        } else if !poll(KEY_WITHIN)? {
            // It has not come just now: crossterm takes a KiB at once, or has heard of a new size first, and does not
            // notice that there is more.
            burst.extend(keys_of(&left_over()?));
        }
    }
}

/// The keys that text stands for. What a terminal tells in sequences was cut somewhere, and is none.
fn keys_of(text: &str) -> Vec<Event> {
    if text.contains('\u{1b}') && text.len() > 1 {
        return Vec::new();
    }
    let key = |c: char| match c {
        '\r' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
        '\t' => KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE),
        '\u{7f}' => KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE),
        '\u{1b}' => KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
        '\u{1}'..='\u{1a}' => {
            let letter = char::from_u32(u32::from('a') - 1 + u32::from(c)).unwrap_or(c);
            KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
        }
        c if c.is_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
        c => KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE),
    };
    text.chars().map(|c| Event::Key(key(c))).collect()
}

/// Keys that were pasted, as a paste; everything else as it is.
fn told_of(burst: Vec<Event>) -> Vec<Event> {
    if !is_pasted(&burst) {
        return burst;
    }
    let text: String = burst.iter().filter_map(typed).collect();
    let others = burst.into_iter().filter(|event| !matches!(event, Event::Key(_)));
    std::iter::once(Event::Paste(text)).chain(others).collect()
}

/// Whether the terminal is closed at its other end: nobody looks at it any more, and nobody will.
#[cfg(unix)]
#[must_use]
pub fn is_gone() -> bool {
    let input = io::stdin();
    look([input.as_fd()], PollTimeout::ZERO).is_some_and(|[seen]| is_end(seen))
}

/// Waits until the terminal has sent something; `false` once it, or `ends`, is closed at its other end.
#[cfg(unix)]
fn has_something_to_read(ends: &PipeReader) -> bool {
    let input = io::stdin();
    let seen = look([input.as_fd(), ends.as_fd()], PollTimeout::NONE);
    seen.is_some_and(|seen| !seen.into_iter().any(is_end))
}

#[cfg(unix)]
fn is_end(seen: PollFlags) -> bool {
    seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL)
}

/// Whether the terminal has sent something that was not read.
#[cfg(unix)]
fn is_readable() -> bool {
    let input = io::stdin();
    look([input.as_fd()], PollTimeout::ZERO).is_some_and(|[seen]| seen == PollFlags::POLLIN)
}

/// What is to be seen of `files` once there is something, or after `limit`. `None` where it cannot be known.
#[cfg(unix)]
fn look<const N: usize>(files: [BorrowedFd<'_>; N], limit: PollTimeout) -> Option<[PollFlags; N]> {
    let mut watched = files.map(|file| PollFd::new(file, PollFlags::POLLIN));
    loop {
        match nix::poll::poll(&mut watched, limit) {
            Ok(_) => return Some(watched.map(|file| file.revents().unwrap_or(PollFlags::POLLNVAL))),
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
}

/// Text that is there to be read. What of it is no character was cut in two.
#[cfg(unix)]
fn left_over() -> io::Result<String> {
    let mut bytes = [0; 1024];
    let count = nix::unistd::read(io::stdin(), &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes[..count]);
    Ok(text.replace(char::REPLACEMENT_CHARACTER, ""))
}

#[cfg(not(unix))]
fn has_something_to_read(_ends: &PipeReader) -> bool {
    true
}

/// Whether the terminal is closed at its other end: here nothing tells that.
#[cfg(not(unix))]
#[must_use]
pub fn is_gone() -> bool {
    false
}

#[cfg(not(unix))]
fn is_readable() -> bool {
    false
}

#[cfg(not(unix))]
fn left_over() -> io::Result<String> {
    Ok(String::new())
}

/// Whether keys that came in one piece were pasted.
fn is_pasted(burst: &[Event]) -> bool {
    let keys: Vec<char> = burst.iter().filter_map(typed).collect();
    keys.len() >= PASTED_KEYS && keys.iter().any(|key| *key != keys[0])
}

/// The character that an event stands for, if it is a key that text can be made of.
fn typed(event: &Event) -> Option<char> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    if *kind == KeyEventKind::Release {
        return None;
    }
    match code {
        // The terminal's line feed.
        KeyCode::Char('j') if *modifiers == KeyModifiers::CONTROL => Some('\n'),
        KeyCode::Char(c) if (*modifiers - KeyModifiers::SHIFT).is_empty() => Some(*c),
        KeyCode::Enter if modifiers.is_empty() => Some('\n'),
        KeyCode::Tab if modifiers.is_empty() => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{MouseEvent, MouseEventKind};

    use super::*;

    fn keys(text: &str) -> Vec<Event> {
        let event = |c| match c {
            '\r' => KeyCode::Enter.into(),
            '\t' => KeyCode::Tab.into(),
            '↓' => KeyCode::Down.into(),
            '\n' => KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL),
            c if c.is_ascii_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
            c => KeyCode::Char(c).into(),
        };
        text.chars().map(|c| Event::Key(event(c))).collect()
    }

    #[test]
    fn what_crossterm_leaves_behind_are_keys_but_for_sequences() {
        assert_eq!(keys_of("q\r\tAb"), keys("q\r\tAb"));
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keys_of("\u{3}"), [Event::Key(ctrl_c)]);
        assert_eq!(keys_of("\u{1b}"), [Event::Key(KeyCode::Esc.into())]);
        assert_eq!(keys_of("\u{1b}[<65;1;1M"), [], "what was cut of the wheel's is no text");
        assert_eq!(told_of([keys("abc"), keys_of("def")].concat()), [Event::Paste("abcdef".into())]);
    }

    #[test]
    fn a_burst_that_no_hand_types_is_a_paste_and_what_a_hand_does_is_keys() {
        for (burst, pasted) in [
            ("u\rkim\r1000\r", Some("u\nkim\n1000\n")),
            ("c\ny", Some("c\ny")),
            ("cy\r", Some("cy\n")),
            ("Ab\tc", Some("Ab\tc")),
            ("주문서", Some("주문서")),
            // Two keys that were held up on their way.
            ("cy", None),
            ("n", None),
            // A key that is held.
            ("jjjjjjjjjjjj", None),
            ("\r\r\r", None),
            // Keys that text cannot be made of.
            ("↓↓↓↓\r", None),
        ] {
            let told = told_of(keys(burst));
            let expected = pasted.map_or_else(|| keys(burst), |text| vec![Event::Paste(text.to_owned())]);
            assert_eq!(told, expected, "{burst:?}");
        }
    }

    #[test]
    fn a_paste_takes_nothing_but_keys_with_it() {
        let kind = MouseEventKind::ScrollDown;
        let wheel = Event::Mouse(MouseEvent { kind, column: 1, row: 1, modifiers: KeyModifiers::NONE });
        let wheels = vec![wheel.clone(); 40];
        assert_eq!(told_of(wheels.clone()), wheels, "the wheel turns as fast as it likes");
        let mut burst = keys("abc");
        burst.extend([wheel.clone(), Event::Resize(90, 30)]);
        assert_eq!(told_of(burst), [Event::Paste("abc".into()), wheel, Event::Resize(90, 30)]);
    }
}
