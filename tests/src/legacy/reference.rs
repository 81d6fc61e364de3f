//! A second writing of the rules, in one function and with other libraries, as the yardstick for `taa_core::legacy`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::sha2::Digest;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::Sha1;
use taa_core::id::{AppId, UserName};

use super::Keys;
use super::case::{Request, Server};
use super::ours::SKEW;
use super::policy::{self, Address};
use super::verdict::{Class, Verdict};

/// The verdict, and why it may differ from what the peers' library did.
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) class: Option<Class>,
}

const MAGIC: &str = "-1159983122";
const BAD_MAGIC: (&str, &str) = ("BAD_MAGIC", "Unable to decrypt certificate {0} for application {1}");
const BAD_SIGNATURE: (&str, &str) = ("BAD_SIGNATURE", "Bad signature for URL: {0}");
const UNSUPPORTED: (&str, &str) = ("BAD_PROTOCOL_VERSION", "Unsupported protocol version: {0}. required {1}");

/// Decides, on a server that has seen nothing yet.
pub(super) fn decide(server: &Server, request: &Request, keys: &Keys) -> Result<Decision, String> {
    let done = |verdict: Verdict, class: Option<Class>| Ok(Decision { verdict, class });
    let refuse =
        |(code, message): (&str, &str), class: Option<Class>| done(Verdict::refuse(code, message), class);
    let blank = |field: Option<&str>| field.is_none_or(|value| value.bytes().all(|byte| byte <= b' '));

    if server.timeout_ms <= 0 {
        return done(Verdict::SetUp, Some(Class::TimeoutZero));
    }
    if request.headers.iter().any(|(_, value)| value.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f)) {
        return done(Verdict::NotHttp, Some(Class::FieldValue));
    }
    if blank(request.field("Cert")) {
        return done(Verdict::NoAttempt, None);
    }
    let names = ["ID", "Cert", "Key", "Version", "Magic", "Signature"];
    let length: usize = names
        .iter()
        .filter_map(|name| Some("X-Seraph-Trusted-App-".len() + name.len() + request.field(name)?.len()))
        .sum();
    if length > 4096 {
        return refuse(("MALFORMED", "Malformed request"), Some(Class::FieldLength));
    }
    let version = match request.field("Version").unwrap_or_default() {
        "2" => 2,
        "3" => 3,
        other => {
            let canonical = other.parse::<i32>().is_ok_and(|number| number.to_string() == other);
            let text = if canonical || blank(Some(other)) {
                UNSUPPORTED
            } else {
                ("BAD_PROTOCOL_VERSION", "Bad protocol version: {0}")
            };
            return refuse(text, Some(Class::VersionNotAccepted));
        }
    };
    // From here on every difference needs a reason of its own, unless the library took the version itself otherwise.
    let three = if version < server.min_version {
        Some(Class::VersionOfRecord)
    } else {
        (version == 3 && server.min_version == 2).then_some(Class::VersionThree)
    };
    if blank(request.field("ID")) {
        return refuse(("APP_ID_NOT_FOUND", "Application ID not found in request"), three);
    }
    if version == 2 && blank(request.field("Key")) {
        return refuse(("SECRET_KEY_NOT_FOUND", "Secret Key not found in request"), three);
    }
    if version == 2 && blank(request.field("Magic")) {
        return refuse(("MAGIC_NUMBER_NOT_FOUND", "Magic Number not found in request"), three);
    }
    let id = request.field("ID").unwrap_or_default();
    if id != server.app_id || AppId::parse(id).is_err() {
        let class = if id == server.app_id { Some(Class::AppIdAlphabet) } else { three };
        return refuse(("APP_UNKNOWN", "Unknown Application: {0}"), class);
    }
    if version < server.min_version {
        return refuse(UNSUPPORTED, None);
    }

    // Magic, key, certificate
    let key = &keys.named(&server.key)?.reference;
    let base64 = |name: &str| STANDARD.decode(request.field(name).unwrap_or_default()).ok();
    // Blanks inside are skipped by peers: then, and only then, is the strict reading a difference.
    let blanks = |name: &str| {
        let kept = request.field(name).unwrap_or_default().replace([' ', '\t'], "");
        (STANDARD.decode(kept).is_ok() && base64(name).is_none()).then_some(Class::CanonicalBase64)
    };
    let Some(mut certificate) = base64("Cert") else { return refuse(BAD_MAGIC, blanks("Cert").or(three)) };
    if version == 2 {
        let Some(magic) = base64("Magic") else { return refuse(BAD_MAGIC, blanks("Magic")) };
        if raw(key, &magic).as_deref() != Some(MAGIC.as_bytes()) {
            return refuse(BAD_MAGIC, None);
        }
        let Some(secret) = base64("Key") else { return refuse(BAD_MAGIC, blanks("Key")) };
        let Some(secret) = raw(key, &secret) else { return refuse(BAD_MAGIC, None) };
        if secret.len() != 16 {
            return refuse(BAD_MAGIC, Some(Class::SecretKeyLength));
        }
        rc4(&secret, &mut certificate);
    }
    let lines: Vec<&[u8]> = certificate.split(|byte| *byte == b'\n').collect();
    let [time, user, magic] = lines[..] else {
        return refuse(BAD_MAGIC, three.or(form(&certificate)));
    };
    if magic != MAGIC.as_bytes() || certificate.contains(&b'\r') {
        return refuse(BAD_MAGIC, three.or(form(&certificate)));
    }
    let time = String::from_utf8_lossy(time);
    let Some(time) = time.parse::<i64>().ok().filter(|number| number.to_string() == time && *number >= 0)
    else {
        let text = "Exception: {0} occurred serving request for application: {1}";
        return refuse(("SYSTEM", text), Some(Class::NumberForm));
    };

    // Time, address, path
    let old = "Certificate too old. Application: {0} Certificate Created: {1} Timeout: {2}";
    let (now, time) = (i128::from(server.now_ms), i128::from(time));
    if time + i128::from(server.timeout_ms) < now {
        return refuse(("OLD_CERT", old), three);
    }
    if time > now + 900_000 + i128::try_from(SKEW.as_millis()).map_err(|error| error.to_string())? {
        return refuse(("OLD_CERT", old), Some(Class::FutureTime));
    }
    let address = "Request not allowed from IP address: {0}";
    match policy::address(&server.addresses, &request.remote_addr) {
        Address::Allowed => {}
        Address::NotAllowed => return refuse(("BAD_REMOTE_IP", address), three),
        Address::Malformed => return refuse(("BAD_REMOTE_IP", address), Some(Class::AddressLiteral)),
    }
    match policy::forwarded(&server.addresses, request.header("X-Forwarded-For")) {
        Address::Allowed => {}
        Address::NotAllowed => return refuse(("BAD_XFORWARD_IP", address), three),
        Address::Malformed => return refuse(("BAD_XFORWARD_IP", address), Some(Class::AddressLiteral)),
    }
    if !policy::path(&server.paths, &request.path) {
        let class = policy::is_ambiguous(&request.path).then_some(Class::AmbiguousPath);
        return refuse(("BAD_URL", "Request not allowed to access URL: {0}"), class.or(three));
    }

    // Signature, user
    let place = if request.forwarded {
        Some(Class::ServletForward)
    } else if server.base_url.starts_with(&request.origin) {
        three
    } else {
        Some(Class::OwnBaseUrl)
    };
    if request.field("Signature").is_none() {
        return refuse(("BAD_SIGNATURE", "Missing signature in a v2 request"), three);
    }
    let Some(signature) = base64("Signature") else { return refuse(BAD_SIGNATURE, blanks("Signature")) };
    let name = String::from_utf8_lossy(user);
    let mut base = format!("{time}\n{}", request.url(server));
    if version == 3 {
        base = format!("{base}\n{name}");
    }
    if key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(base), &signature).is_err() {
        return refuse(BAD_SIGNATURE, place);
    }
    let known = server.users.as_ref().is_none_or(|users| users.iter().any(|known| *known == name));
    if UserName::from_bytes(user).is_err() || !known {
        let class = if known { Some(Class::UserNameRules) } else { place };
        let verdict =
            Verdict::Refuse("USER_UNKNOWN".into(), "Unknown User: {0}".into(), vec![name.into_owned()]);
        return done(verdict, class);
    }
    if server.cannot_login.iter().any(|user| *user == name) {
        return refuse(("PERMISSION_DENIED", "Permission Denied"), place);
    }
    done(Verdict::Accept(name.into_owned()), place)
}

/// Whether peers would have found the magic text on the third line all the same.
fn form(certificate: &[u8]) -> Option<Class> {
    let text = String::from_utf8_lossy(certificate).replace("\r\n", "\n").replace('\r', "\n");
    (text.split('\n').nth(2) == Some(MAGIC)).then_some(Class::CertificateForm)
}

/// The public operation by `rsa`, leading zeros removed.
fn raw(key: &RsaPublicKey, input: &[u8]) -> Option<Vec<u8>> {
    let number = BigUint::from_bytes_be(input);
    if input.len() > key.size() || number >= *key.n() {
        return None;
    }
    let bytes = rsa::hazmat::rsa_encrypt(key, &number).ok()?.to_bytes_be();
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn rc4(key: &[u8], data: &mut [u8]) {
    let mut s: Vec<usize> = (0..256).collect();
    let mut j = 0;
    for i in 0..256 {
        j = (j + s[i] + usize::from(key[i % key.len()])) % 256;
        s.swap(i, j);
    }
    let (mut i, mut j) = (0, 0);
    for byte in data {
        i = (i + 1) % 256;
        j = (j + s[i]) % 256;
        s.swap(i, j);
        *byte ^= s[(s[i] + s[j]) % 256] as u8;
    }
}
