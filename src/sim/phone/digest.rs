//! The client's half of digest authentication (RFC 2617, RFC 8760), written apart from the house's.

use md5::{Digest, Md5};
use sha2::Sha256;

/// The credentials for a challenge, as the value of Authorization; none if the challenge can't be
/// met.
pub(super) fn credentials(
    challenge: &str,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    cnonce: &str,
    count: u32,
) -> Option<String> {
    let field = |name| field(challenge, name);
    let (realm, nonce) = (field("realm")?, field("nonce")?);
    let algorithm = field("algorithm").unwrap_or_else(|| "MD5".into());
    let hash: fn(&str) -> String = match algorithm.to_ascii_uppercase().as_str() {
        "MD5" => |text| hexadecimal(&Md5::digest(text)),
        "SHA-256" => |text| hexadecimal(&Sha256::digest(text)),
        _ => return None,
    };
    let ha1 = hash(&format!("{user}:{realm}:{password}"));
    let ha2 = hash(&format!("{method}:{uri}"));
    let count = format!("{count:08x}");
    let response = hash(&format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}"));
    let mut value = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm={algorithm}, cnonce=\"{cnonce}\", qop=auth, nc={count}"
    );
    if let Some(opaque) = field("opaque") {
        value += &format!(", opaque=\"{opaque}\"");
    }
    Some(value)
}

/// H(user:realm:password) with MD5 and with SHA-256, as an account keeps them.
pub(crate) fn account_digests(user: &str, realm: &str, password: &str) -> (String, String) {
    let secret = format!("{user}:{realm}:{password}");
    (hexadecimal(&Md5::digest(&secret)), hexadecimal(&Sha256::digest(&secret)))
}

/// One field of a challenge, with or without quotes.
fn field(challenge: &str, name: &str) -> Option<String> {
    let fields = challenge.trim_start().strip_prefix("Digest ")?;
    fields.split(',').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7616_is_met() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let value = credentials(
                &challenge,
                "Mufasa",
                "Circle of Life",
                "GET",
                "/dir/index.html",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                1,
            );

            assert!(value.is_some_and(|value| value.contains(response)), "{algorithm}");
        }
    }
}
