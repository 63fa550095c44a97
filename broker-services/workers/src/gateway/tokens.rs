//! The tokens that let callers in: made here, and kept in a file of which a copy gives nothing away.
//!
//! A token is 256 random bits. What guards passwords (salt, a slow hash) is there because people choose them; nobody finds
//! such a token by trying, so its plain SHA-256 is what the file has.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::access::Role;
use crate::files;

/// What a token begins with: whoever finds one knows what it opens, and programs that look for lost secrets find it.
const PREFIX: &str = "skstore_";
/// Random bytes of a token: nobody ever tries so many.
const SECRET_BYTES: usize = 32;
/// How often it is looked at most whether the file has changed: a second is soon for a person, and rare for a disk.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most tokens of a file: every request is compared with all of them, in a few microseconds.
const MAX_TOKENS: usize = 1000;
/// Longest name of a token, in characters, as those of other ids.
const MAX_NAME_CHARS: usize = 64;
/// The bits of a file's mode that let others than its owner do something with it.
const OTHERS: u32 = 0o077;

type Hash = [u8; 32];

/// A token as it is known: by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: Arc<str>,
    role: Role,
    hash: Hash,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
}

/// Why there are no tokens. All of it is for a person to correct.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read or written.
    #[error("the file of tokens {} cannot be used: {cause}", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Somebody else may read or write it.
    #[error(
        "the file of tokens {} is open to others (mode {mode:03o}): it must be its owner's alone; chmod 600 {}",
        path.display(), path.display()
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What stands in it is wrong. What stands there is not repeated: it may be a token.
    #[error("line {line} of the file of tokens {} {problem}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name that no token may have.
    #[error("the name of a token must be 1 to {MAX_NAME_CHARS} of the letters A-Z, a-z, 0-9, _ and -")]
    Name,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers, so no token can be made")]
    NoRandomness,
}

/// A new token.
#[derive(Debug)]
pub struct Minted {
    /// What its bearer keeps. It is known nowhere else.
    pub secret: String,
    /// Its line in the file of tokens.
    pub line: String,
}

/// Makes a token for `name`.
///
/// # Errors
/// [`TokensError::Name`], [`TokensError::NoRandomness`].
pub fn mint(name: &str, role: Role) -> Result<Minted, TokensError> {
    if !is_name(name) {
        return Err(TokensError::Name);
    }
    let mut random = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| TokensError::NoRandomness)?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let line = format!("{name} {} {}", role.word(), hex(&hash(secret.as_bytes())));
    Ok(Minted { secret, line })
}

/// Adds a line to the file at `path`, which is made if it is not there, for its owner alone.
///
/// # Errors
/// [`TokensError`]; the file is as it was.
pub fn add(path: &Path, line: &str) -> Result<(), TokensError> {
    let unusable =
        |error: io::Error| TokensError::Unusable { path: path.to_owned(), cause: error.to_string() };
    let before = match read(path) {
        Ok(text) => text,
        Err(TokensError::Unusable { .. }) if !path.exists() => String::new(),
        Err(error) => return Err(error),
    };
    let whole = if before.is_empty() || before.ends_with('\n') {
        format!("{before}{line}\n")
    } else {
        format!("{before}\n{line}\n")
    };
    parse(path, &whole)?;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(unusable)?;
    }
    // Beside it and then in its place, so that nobody ever reads half of it.
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(whole.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(unusable)
}

/// What tells one version of a file from another: when it or its mode was changed, how long it is, and which one it is.
type Stamp = (i64, i64, u64, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.ctime(), about.ctime_nsec(), about.size(), about.ino()))
}

/// The file of tokens, followed as it changes.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    known: Arc<[Known]>,
    stamp: Option<Stamp>,
    looked_at: Instant,
}

impl TokenFile {
    /// Reads the file at `path`. One that is not there yet lets nobody in until it is.
    ///
    /// # Errors
    /// [`TokensError`] if it is there and wrong.
    pub(super) fn open(path: &Path) -> Result<Self, TokensError> {
        let stamp = stamp(path);
        let known = if stamp.is_none() {
            tracing::warn!(path = %path.display(), "there is no file of tokens yet: nobody is let in");
            Vec::new()
        } else {
            parse(path, &read(path)?)?
        };
        let seen = Seen { known: known.into(), stamp, looked_at: Instant::now() };
        Ok(Self { path: path.to_owned(), seen: Mutex::new(seen) })
    }

    /// Whose token `secret` is.
    pub(super) fn bearer(&self, secret: &[u8]) -> Option<Bearer> {
        let hash = hash(secret);
        let mut found = None;
        // All of them, however early it is found: how long it takes tells nothing.
        for known in &*self.known() {
            if bool::from(known.hash.ct_eq(&hash)) {
                found = Some(Bearer { name: Arc::clone(&known.name), role: known.role });
            }
        }
        found
    }

    /// What the file says, or what it said before somebody made a mistake in it.
    fn known(&self) -> Arc<[Known]> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked_at.elapsed() < LOOK_EVERY {
            return Arc::clone(&seen.known);
        }
        seen.looked_at = Instant::now();
        let stamp = stamp(&self.path);
        if stamp.is_none() {
            seen.is_gone(&self.path);
        } else if stamp != seen.stamp {
            seen.stamp = stamp;
            match read(&self.path).and_then(|text| parse(&self.path, &text)) {
                Ok(known) => {
                    tracing::info!(path = %self.path.display(), tokens = known.len(), "the file of tokens was read again");
                    seen.known = known.into();
                }
                Err(error) => tracing::error!(%error, "the tokens stay as they were"),
            }
        }
        Arc::clone(&seen.known)
    }
}

impl Seen {
    /// There is no file. Whoever removes it locks everybody out; whoever puts another in its place may need a moment for it.
    fn is_gone(&mut self, path: &Path) {
        let path = path.display();
        if self.stamp.take().is_some() {
            tracing::warn!(%path, "the file of tokens is gone: unless it is back in a second, nobody is let in");
        } else if !self.known.is_empty() {
            tracing::error!(%path, "the file of tokens is gone: nobody is let in until it is there again");
            self.known = Arc::new([]);
        }
    }
}

fn read(path: &Path) -> Result<String, TokensError> {
    let unusable =
        |error: io::Error| TokensError::Unusable { path: path.to_owned(), cause: error.to_string() };
    let mode = std::fs::metadata(path).map_err(unusable)?.mode();
    if mode & OTHERS != 0 {
        return Err(TokensError::Open { path: path.to_owned(), mode: mode & 0o777 });
    }
    files::read_text(path).map_err(unusable)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Known>, TokensError> {
    let mut known: Vec<Known> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |problem| TokensError::Line { path: path.to_owned(), line: at + 1, problem };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let token = token(line).map_err(wrong)?;
        if known.iter().any(|other| other.name == token.name) {
            return Err(wrong("has a name that stands there already: each token needs one of its own"));
        }
        if known.iter().any(|other| other.hash == token.hash) {
            return Err(wrong("has a token that stands there already: it would be unclear who came"));
        }
        if known.len() == MAX_TOKENS {
            return Err(wrong("is one too many: it may have 1000 tokens"));
        }
        known.push(token);
    }
    Ok(known)
}

fn token(line: &str) -> Result<Known, &'static str> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(role), Some(hash), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("must be NAME ROLE SHA256, as `skstore-worker gateway token NAME ROLE` prints it");
    };
    if !is_name(name) {
        return Err("must begin with a name of 1 to 64 of the letters A-Z, a-z, 0-9, _ and -");
    }
    let role = Role::from_word(role).ok_or("must have the role viewer, desk, teller or operator")?;
    let hash = unhex(hash).ok_or("must end with a SHA-256: 64 digits, 0-9 and a-f")?;
    Ok(Known { name: name.into(), role, hash })
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn hash(secret: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, secret).as_ref());
    hash
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // A text takes whatever is written.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Hash> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    (text.len() == 2 * size_of::<Hash>()).then(|| bytes.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// That of the empty text.
    const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn what_is_wrong_in_the_file_is_told_with_its_line_and_without_what_stands_there() {
        let table = [
            (String::new(), Ok(0)),
            (format!("# mine\n\n  shop desk {SHA}  \n"), Ok(1)),
            (format!("shop desk {}\n", SHA.to_uppercase()), Ok(1)),
            ("shop desk".to_owned(), Err("line 1")),
            ("shop desk skstore_abc".to_owned(), Err("line 1")),
            (format!("\nshop boss {SHA}"), Err("line 2")),
            (format!("shop desk {SHA}0"), Err("line 1")),
            (format!("shop desk {SHA} more"), Err("line 1")),
            (format!("sh\u{f6}p desk {SHA}"), Err("line 1")),
            (format!("a desk {SHA}\nb viewer {SHA}"), Err("line 2")),
            (format!("a desk {SHA}\na viewer {}", "0".repeat(64)), Err("line 2")),
        ];
        for (text, expected) in table {
            match (parse(Path::new("/t"), &text), expected) {
                (Ok(known), Ok(count)) => assert_eq!(known.len(), count, "{text}"),
                (Err(error), Err(place)) => {
                    let told = error.to_string();
                    assert!(
                        told.starts_with(&format!("{place} of the file of tokens /t ")),
                        "{text}: {told}"
                    );
                    assert!(!told.contains("skstore_abc"), "a token is repeated: {told}");
                }
                (got, expected) => panic!("{text}: {got:?}, not {expected:?}"),
            }
        }
        let many: String = (0..=MAX_TOKENS).map(|n| format!("n{n} desk {n:064x}\n")).collect();
        assert!(parse(Path::new("/t"), &many).unwrap_err().to_string().contains("may have 1000 tokens"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_is_followed_and_a_mistake_in_it_locks_nobody_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made/tokens");
        let file = TokenFile::open(&path).unwrap();
        let (shop, till) = (mint("shop", Role::Desk).unwrap(), mint("till", Role::Teller).unwrap());
        let role = |minted: &Minted| file.bearer(minted.secret.as_bytes()).map(|bearer| bearer.role);
        assert_eq!(role(&shop), None, "there is no file yet");
        add(&path, &shop.line).unwrap();
        assert_eq!(role(&shop), None, "it is not looked at for every request");
        let wait = || tokio::time::advance(LOOK_EVERY);
        wait().await;
        assert_eq!(role(&shop), Some(Role::Desk));
        add(&path, &till.line).unwrap();
        assert!(add(&path, &till.line).is_err(), "a name stands there once");
        wait().await;
        assert_eq!((role(&shop), role(&till)), (Some(Role::Desk), Some(Role::Teller)));
        for (text, mode) in [("nonsense", 0o600), ("", 0o644)] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            wait().await;
            assert_eq!(role(&shop), Some(Role::Desk), "after {text:?} with mode {mode:o}");
            assert!(TokenFile::open(&path).is_err(), "{text:?} with mode {mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, format!("{}\n", till.line)).unwrap();
        wait().await;
        assert_eq!((role(&shop), role(&till)), (None, Some(Role::Teller)), "who is taken out is out");
        let aside = directory.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        wait().await;
        assert_eq!(role(&till), Some(Role::Teller), "another may be put in its place");
        wait().await;
        assert_eq!(role(&till), None, "whoever removes the file locks everybody out");
        std::fs::rename(&aside, &path).unwrap();
        wait().await;
        assert_eq!(role(&till), Some(Role::Teller), "it is there again");
    }

    #[test]
    fn tokens_differ_and_only_their_hash_is_in_the_line() {
        let (one, other) = (mint("a", Role::Viewer).unwrap(), mint("a", Role::Viewer).unwrap());
        assert_ne!(one.secret, other.secret);
        assert!(one.secret.len() >= 43 + PREFIX.len() && !one.line.contains(&one.secret), "{one:?}");
        assert!(matches!(mint("a b", Role::Viewer), Err(TokensError::Name)));
    }
}
