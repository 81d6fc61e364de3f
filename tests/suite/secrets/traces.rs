//! What bytes look like in a text, whoever wrote them there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many bytes in a row are looked for. Any 15 bytes of a secret hold such 8.
const WINDOW: usize = 8;

/// A text, prepared for searches.
pub(crate) struct Text {
    /// Without blanks, in the URL-safe alphabet of base64.
    plain: String,
    lower: String,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| match c {
                '+' => '-',
                '/' => '_',
                _ => c,
            })
            .collect();
        Self { lower: plain.to_lowercase(), plain }
    }

    /// What of a secret is shown, if anything: the form, and how it looks.
    pub(crate) fn shows<'s>(&self, secret: &'s Traces) -> Option<(&'static str, &'s str)> {
        let find =
            |traces: &'_ [Trace], text: &str| traces.iter().position(|(_, trace)| text.contains(trace));
        let found = find(&secret.lower, &self.lower)
            .map(|at| &secret.lower[at])
            .or_else(|| find(&secret.plain, &self.plain).map(|at| &secret.plain[at]));
        found.map(|(form, trace)| (*form, trace.as_str()))
    }
}

/// A form, and how some bytes look in it.
type Trace = (&'static str, String);

/// How a secret looks, in every form and from every byte on.
pub(crate) struct Traces {
    plain: Vec<Trace>,
    /// In which case does not count.
    lower: Vec<Trace>,
}

impl Traces {
    pub(crate) fn of(secret: &[u8]) -> Self {
        let mut traces = Self { plain: vec![("a decimal number", decimal(secret))], lower: Vec::new() };
        for at in (0..=secret.len() - WINDOW).step_by(WINDOW) {
            traces.add(&secret[at..at + WINDOW]);
        }
        // What is as short as this could be there by chance.
        traces.plain.retain(|(_, trace)| trace.len() >= 8);
        traces
    }

    fn add(&mut self, window: &[u8]) {
        let list = |byte: &dyn Fn(&u8) -> String| window.iter().map(byte).collect::<Vec<_>>().join(",");
        self.lower.extend([
            ("hex", list(&|b| format!("{b:02x}")).replace(',', "")),
            ("a list in hex", list(&|b| format!("{b:02x}"))),
            ("a short list in hex", list(&|b| format!("{b:x}"))),
            ("a list in hex with 0x", list(&|b| format!("{b:#x}"))),
        ]);
        let words: [u8; WINDOW] = window.try_into().unwrap();
        self.plain.extend([
            ("a list", list(&ToString::to_string)),
            ("a word", u64::from_be_bytes(words).to_string()),
            ("escaped text", Text::new(&window.escape_ascii().to_string()).plain),
            ("text", Text::new(&String::from_utf8_lossy(window)).plain),
        ]);
        // The window may begin at any of three places in a group of base64.
        for before in 0..3 {
            let encoded = URL_SAFE_NO_PAD.encode([&vec![0; before], window, &[0, 0]].concat());
            let (first, last) = ((before * 8).div_ceil(6), (before + WINDOW) * 8 / 6);
            self.plain.push(("base64", encoded.chars().take(last).skip(first).collect()));
        }
    }
}

/// A big-endian number in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u32];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = *digit * 256 + carry;
            (*digit, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from_digit(*digit, 10).unwrap()).collect()
}

/// The search finds what it looks for, in every form.
#[test]
fn every_form_is_found() {
    use base64::engine::general_purpose::STANDARD;
    let secret: Vec<u8> = (0..32_u8).map(|at| at.wrapping_mul(37) ^ 0xa5).collect();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let traces = Traces::of(&secret);
    let big = [b"ab".as_slice(), &secret, b"c"].concat();
    let shown = [
        format!("{secret:?}"),
        format!("{secret:#?}"),
        format!("{secret:x?}"),
        format!("{secret:02X?}"),
        format!("{secret:#x?}"),
        hex(&secret),
        hex(&secret).to_uppercase(),
        hex(&big),
        STANDARD.encode(&secret),
        URL_SAFE_NO_PAD.encode(&secret),
        STANDARD.encode(&big[2..]),
        STANDARD.encode(&big[1..]),
        STANDARD.encode(&big),
        STANDARD.encode(&secret[7..24]),
        format!("\"{}\"", secret.escape_ascii()),
        format!("{:?}", &secret[8..16]),
        decimal(&secret),
        format!("{}", u64::from_be_bytes(secret[8..16].try_into().unwrap())),
    ];
    for text in shown {
        assert!(Text::new(&text).shows(&traces).is_some(), "{text}");
    }
    for harmless in ["", "SessionKeys(..)", &hex(&[1; 64]), "confluence:6512", &hex(&secret[..7])] {
        assert_eq!(Text::new(harmless).shows(&traces), None, "{harmless}");
    }
    assert_eq!(decimal(&[1, 0]), "256");
}
