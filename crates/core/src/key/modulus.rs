//! What a modulus must be, whoever made it.

use std::sync::OnceLock;

/// True when one of the primes below 2^16 divides the big-endian number.
pub(super) fn has_small_factor(modulus: &[u8]) -> bool {
    // Two primes at a time: their product fits 32 bits, so one pass over the number serves both.
    prime_pairs().iter().any(|&(p, q)| {
        let rest = remainder(modulus, p * q);
        rest.is_multiple_of(p) || rest.is_multiple_of(q)
    })
}

fn remainder(number: &[u8], divisor: u64) -> u64 {
    let (head, words) = number.as_rchunks::<4>();
    let mut rest = head.iter().fold(0, |rest, byte| ((rest << 8) | u64::from(*byte)) % divisor);
    for word in words {
        rest = ((rest << 32) | u64::from(u32::from_be_bytes(*word))) % divisor;
    }
    rest
}

/// The primes below 2^16 in pairs.
fn prime_pairs() -> &'static [(u64, u64)] {
    static PAIRS: OnceLock<Vec<(u64, u64)>> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let mut primes: Vec<u64> = Vec::new();
        for n in 2..65_536_u64 {
            if primes.iter().take_while(|p| **p * **p <= n).all(|p| n % p != 0) {
                primes.push(n);
            }
        }
        primes.chunks(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_factors_are_found() {
        // 65521 is the greatest prime below 2^16, 65537 the least above.
        assert!(has_small_factor(&(65_521_u64 * 65_537).to_be_bytes()));
        assert!(!has_small_factor(&(65_537_u64 * 65_537).to_be_bytes()));
        assert!(has_small_factor(&[2]));
        assert!(has_small_factor(&[0, 0, 3 * 7]));
        assert!(!has_small_factor(&[1]));
        assert_eq!(prime_pairs().len(), 3_271);
    }
}
