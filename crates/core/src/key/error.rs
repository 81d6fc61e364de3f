/// Why a key was refused. Says nothing of a private key's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The algorithm is not `rsaEncryption`.
    #[error("the key is not an RSA key")]
    Algorithm,
    /// The bytes are not the DER structure they should be.
    #[error("the key is not encoded as it should be (DER)")]
    Encoding,
    /// The public exponent is even, below 65537, or above 2^33 - 1.
    #[error("the public exponent must be odd, at least 65537 and below 2^33")]
    Exponent,
    /// The key could not be generated.
    #[error("the key could not be generated")]
    Generation,
    /// The modulus is even or has a factor below 2^16.
    #[error("the modulus must be odd and have no factor below 2^16")]
    Modulus,
    /// The private key's parts do not belong together.
    #[error("the parts of the private key do not belong together")]
    Parts,
    /// The text is not the PEM block it should be.
    #[error("the key is not the PEM block it should be")]
    Pem,
    /// The modulus is not 2048–4096 bits long, or no multiple of 8.
    #[error("the modulus must have 2048 to 4096 bits, a multiple of 8")]
    Size,
}
