//! What to do about a TLS connection that cannot be made, in words for the person who set it up.
//!
//! Certificates are checked against those that this machine trusts, or those in the file that `SSL_CERT_FILE` names.

/// What it says (in the words of rustls), and what to do.
const ADVICE: [(&str, &str); 5] = [
    (
        "UnknownIssuer",
        "nobody whom this machine trusts has signed its certificate; if a private authority has, let SSL_CERT_FILE \
         name a file with that authority's certificate (PEM)",
    ),
    (
        "not valid for name",
        "its certificate is for another host; name the host in the URL as the certificate does",
    ),
    ("certificate expired", "its certificate has expired, or this machine's clock is wrong"),
    ("certificate not valid yet", "its certificate is not valid yet, or this machine's clock is wrong"),
    ("InvalidContentType", "what listens there does not speak TLS; is it the port for connections without?"),
];

/// The advice for `error`, if it is about TLS and there is any.
pub(crate) fn advice(error: &str) -> Option<&'static str> {
    ADVICE.iter().find(|(said, _)| error.contains(said)).map(|(_, advice)| *advice)
}
