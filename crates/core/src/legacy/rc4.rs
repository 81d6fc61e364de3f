use zeroize::{Zeroize, ZeroizeOnDrop};

/// RC4, only to read and write the certificates of versions 0 to 2 (older versions, section 3).
///
/// Not public on purpose: RC4 is broken, and nothing else may use it. The state is wiped when it goes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

// An index made from a `u8` is always inside 256 bytes.
#[allow(clippy::indexing_slicing, reason = "u8 indexes into 256 bytes")]
impl Rc4 {
    /// Schedules a key of 1 to 256 bytes; `None` for any other length.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        if key.is_empty() || key.len() > 256 {
            return None;
        }
        let mut state = [0; 256];
        for (entry, value) in state.iter_mut().zip(0..=u8::MAX) {
            *entry = value;
        }
        let mut j = 0u8;
        for (i, k) in (0..=u8::MAX).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[usize::from(i)]).wrapping_add(*k);
            state.swap(usize::from(i), usize::from(j));
        }
        Some(Self { state, i: 0, j: 0 })
    }

    /// Encrypts or decrypts in place.
    pub(super) fn apply(mut self, data: &mut [u8]) {
        for byte in data {
            self.i = self.i.wrapping_add(1);
            let a = self.state[usize::from(self.i)];
            self.j = self.j.wrapping_add(a);
            let b = self.state[usize::from(self.j)];
            self.state.swap(usize::from(self.i), usize::from(self.j));
            *byte ^= self.state[usize::from(a.wrapping_add(b))];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        for (key, plain, cipher) in [
            ("Key", "Plaintext", "bbf316e8d940af0ad3"),
            ("Wiki", "pedia", "1021bf0420"),
            ("Secret", "Attack at dawn", "45a01f645fc35b383552544b9bf5"),
        ] {
            let mut data = plain.as_bytes().to_vec();
            Rc4::new(key.as_bytes()).unwrap().apply(&mut data);
            let hex: String = data.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex, cipher);
        }
    }

    #[test]
    fn key_lengths() {
        assert!(Rc4::new(b"").is_none());
        assert!(Rc4::new(&[1; 256]).is_some());
        assert!(Rc4::new(&[1; 257]).is_none());
    }
}
