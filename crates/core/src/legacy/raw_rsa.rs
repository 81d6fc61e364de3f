use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize};

/// The public side of textbook RSA: `m^e mod n` for an odd modulus and a public exponent.
///
/// For e = 65537 that is sixteen squarings and one multiplication. Time depends on e and n, which are public; the
/// number itself is public too, as anyone may do this operation.
pub(super) struct PublicOperation {
    modulus: BoxedUint,
    exponent: u64,
    params: BoxedMontyParams,
    bytes: usize,
}

impl PublicOperation {
    /// Prepares an odd modulus, given without leading zeros; `None` when it is even or empty.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let odd = Option::<Odd<BoxedUint>>::from(Odd::new(modulus.clone()))?;
        let bytes = usize::try_from(modulus.bits_vartime().div_ceil(8)).ok()?;
        Some(Self { modulus, exponent, params: BoxedMontyParams::new_vartime(odd), bytes })
    }

    /// How many bytes the modulus has.
    pub(super) fn modulus_len(&self) -> usize {
        self.bytes
    }

    /// The result with **all** leading zero bytes removed; the number 0 gives no bytes (older versions, section 4).
    pub(super) fn apply(&self, input: &[u8]) -> Result<Vec<u8>, RawRsaError> {
        if input.len() > self.bytes {
            return Err(RawRsaError::TooLong);
        }
        let number = BoxedUint::from_be_slice_vartime(input);
        if number >= self.modulus {
            return Err(RawRsaError::NotBelowModulus);
        }
        let number = number.resize(self.modulus.bits_precision());
        let base = BoxedMontyForm::new(number, &self.params);
        // Square and multiply from the bit below the highest.
        let mut power = base.clone();
        for bit in (0..self.exponent.ilog2()).rev() {
            power = power.square();
            if (self.exponent >> bit) & 1 == 1 {
                power = power.mul(&base);
            }
        }
        Ok(strip_zeros(&power.retrieve().to_be_bytes()).to_vec())
    }
}

/// A number's bytes without its leading zeros.
pub(super) fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Why an input has no result under textbook RSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawRsaError {
    /// The number is not smaller than the modulus.
    #[error("the number is not smaller than the modulus")]
    NotBelowModulus,
    /// The private operation failed, or its random bytes could not be had.
    #[error("the private key could not be used")]
    Private,
    /// There are more bytes than the modulus has.
    #[error("the input is longer than the modulus")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3233 = 61 × 53, the usual small example, with e = 17.
    #[test]
    fn small_numbers() {
        let operation = PublicOperation::new(&[0x0c, 0xa1], 17).unwrap();
        assert_eq!(operation.modulus_len(), 2);
        assert_eq!(operation.apply(&[65]).unwrap(), [0x0a, 0xe6]);
        assert_eq!(operation.apply(&[0, 65]).unwrap(), [0x0a, 0xe6]);
        assert_eq!(operation.apply(&[1]).unwrap(), [1]);
        assert_eq!(operation.apply(&[]).unwrap(), [0u8; 0]);
        assert_eq!(operation.apply(&[0, 0]).unwrap(), [0u8; 0]);
        assert_eq!(operation.apply(&[0x0c, 0xa0]).unwrap(), [0x0c, 0xa0]);
        assert_eq!(operation.apply(&[0x0c, 0xa1]), Err(RawRsaError::NotBelowModulus));
        assert_eq!(operation.apply(&[0xff, 0xff]), Err(RawRsaError::NotBelowModulus));
        assert_eq!(operation.apply(&[0, 0, 1]), Err(RawRsaError::TooLong));
        assert!(PublicOperation::new(&[0x0c, 0xa2], 17).is_none());
        assert!(PublicOperation::new(&[], 17).is_none());
    }
}
