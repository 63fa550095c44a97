//! Percent-encoding: how a user, a password or a name stands in a URL so that no part of it can be anything else.

use super::error::AddressError;

/// What a text means. It must be encoded so that no part of it could be anything else.
pub(super) fn decode(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => {
                let mut digit = || rest.next().and_then(|digit| digit.to_digit(16));
                let code = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(code.ok_or(AddressError::Unencoded)?);
            }
            ':' | '/' | '?' | '#' | '[' | ']' | '@' => return Err(AddressError::Unencoded),
            c if c.is_whitespace() || c.is_control() => return Err(AddressError::Unencoded),
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    // PLAIN separates user and password by zeros.
    let decoded = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    decoded.ok_or(AddressError::NoText)
}

/// The text that [`decode`] reads as this one.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
