//! As whom to go to a server: a user and a password, which may be in a file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::encoding::encode;
use crate::files;

/// Longest password, in bytes: far more than any that a program makes, and what every protocol carries.
const MAX_PASSWORD_BYTES: usize = 1024;

/// A text that is used and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// The text itself, to connect with.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A password, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// This one.
    Given(Secret),
    /// The text in a file, without the end of its line. It is read for each connection that is made, so that a changed
    /// password needs no restart.
    InFile(PathBuf),
}

impl Password {
    /// One that the settings have as a text.
    pub(in crate::config) const fn given(text: String) -> Self {
        Self::Given(Secret(text))
    }

    /// The password as it is now.
    ///
    /// # Errors
    /// [`PasswordError`], when the file does not have it.
    pub fn read(&self) -> Result<Secret, PasswordError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::InFile(path) => from_file(path).map_err(|why| PasswordError { path: path.clone(), why }),
        }
    }
}

fn from_file(path: &Path) -> Result<Secret, String> {
    let text = files::read_text(path).map_err(|error| format!("cannot be read: {error}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let password = line.strip_suffix('\r').unwrap_or(line);
    match password {
        "" => Err("is empty".to_owned()),
        // A second line is no part of any password: it is another kind of file, or a mistake in writing it.
        other if other.chars().any(char::is_control) => {
            Err("holds more than one line of plain text".to_owned())
        }
        other if other.len() > MAX_PASSWORD_BYTES => {
            Err(format!("holds more than {MAX_PASSWORD_BYTES} bytes"))
        }
        password => Ok(Secret(password.to_owned())),
    }
}

/// Why there is no password in its file. Repeats nothing of what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file of the password, {}, {why}", path.display())]
pub struct PasswordError {
    /// Which file.
    path: PathBuf,
    why: String,
}

/// As whom to go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Empty where Redis has none.
    pub user: String,
    /// Never shown.
    pub password: Password,
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***@", encode(&self.user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file with this in it is taken for.
    fn read(contents: &[u8]) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, contents).unwrap();
        let read = Password::InFile(path).read();
        read.map(|secret| secret.reveal().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_is_the_one_line_of_its_file_as_it_is_now() {
        for (contents, password) in
            [("hunter2", "hunter2"), ("p@ss/w:rd#%\n", "p@ss/w:rd#%"), ("한글 \r\n", "한글 ")]
        {
            assert_eq!(read(contents.as_bytes()).as_deref(), Ok(password), "{contents:?}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let password = Password::InFile(path.clone());
        for now in ["first", "second"] {
            std::fs::write(&path, now).unwrap();
            assert_eq!(password.read().unwrap().reveal(), now);
        }
    }

    #[test]
    fn a_file_that_holds_no_password_is_named_and_nothing_of_it_repeated() {
        let long = "hunter2".repeat(1000);
        let table: [(&[u8], &str); 6] = [
            (b"", "is empty"),
            (b"\n", "is empty"),
            (b"hunter2\nmore\n", "more than one line"),
            (b"hunter2\0", "more than one line"),
            (b"hunter2\xff", "no text in UTF-8"),
            (long.as_bytes(), "more than 1024 bytes"),
        ];
        for (contents, why) in table {
            let error = read(contents).unwrap_err();
            assert!(error.contains(why) && error.contains("/password"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let missing = Password::InFile("/nowhere/password".into()).read().unwrap_err().to_string();
        assert!(missing.contains("/nowhere/password, cannot be read: "), "{missing}");
    }

    #[test]
    fn no_way_to_print_a_login_shows_its_password() {
        let login = Login { user: "k@m".into(), password: Password::given("hunter2".into()) };
        assert_eq!(login.to_string(), "k%40m:***@");
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
