use aes::{Aes128Dec, Aes128Enc};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hmac::Mac as _;
use subtle::ConstantTimeEq;

use super::Covered;
use crate::envelope::SessionKeys;
use crate::id::UserName;
use crate::time::UnixMillis;

/// The shortest sealed request certificate: iv, one block, tag.
pub const MIN_SEALED_LEN: usize = 48;
/// The longest: a user name of 255 bytes.
pub const MAX_SEALED_LEN: usize = 304;

/// 16 random bytes: initialisation vector and nonce of one request.
pub type Iv = [u8; 16];

/// What an opened request certificate says. Genuine, but the name is not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plaintext<'a> {
    /// When the client made it.
    pub created: UnixMillis,
    /// The bytes of the user's name.
    pub user: &'a [u8],
}

/// Seals time and user for one request: `iv ‖ ciphertext ‖ tag`, A128CBC-HS256 of RFC 7518, section 5.2.3.
///
/// `iv` must be fresh and random: a server accepts one (session, iv) once.
#[must_use]
pub fn seal(
    keys: &SessionKeys,
    covered: &Covered<'_>,
    created: UnixMillis,
    user: &UserName,
    iv: &Iv,
) -> SealedRequest {
    // The plaintext is written where its ciphertext will stand, so that nothing of it stays behind.
    let mut sealed = SealedRequest { bytes: [0; MAX_SEALED_LEN], len: 0 };
    sealed.push(iv);
    sealed.push(&created.0.to_be_bytes());
    sealed.push(user.as_str().as_bytes());
    let plaintext_len = 8 + user.as_str().len();
    // The longest name leaves room for the padding and the tag, so encrypting cannot fail.
    let room = sealed.bytes.get_mut(16..).unwrap_or_default();
    let _never = cbc::Encryptor::<Aes128Enc>::new(keys.encryption().into(), iv.into())
        .encrypt_padded_mut::<Pkcs7>(room, plaintext_len);
    sealed.len = 16 + plaintext_len + 16 - plaintext_len % 16;
    let tag = tag(keys, covered, sealed.as_bytes());
    sealed.push(&tag);
    sealed
}

/// A sealed request certificate: the bytes of the Cert field.
#[derive(Clone, Debug)]
pub struct SealedRequest {
    bytes: [u8; MAX_SEALED_LEN],
    len: usize,
}

impl SealedRequest {
    /// The bytes, 48–304 of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends. There is room for the longest certificate.
    fn push(&mut self, piece: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(self.len).zip(piece) {
            *place = *byte;
        }
        self.len += piece.len();
    }
}

impl AsRef<[u8]> for SealedRequest {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Opens a sealed request certificate: the tag first, and only under a good one the ciphertext.
///
/// The plaintext takes the place of its ciphertext.
///
/// # Errors
/// The stage that failed, for the server's log; on the wire it is one code.
pub fn open<'s>(
    keys: &SessionKeys,
    covered: &Covered<'_>,
    sealed: &'s mut [u8],
) -> Result<(Iv, Plaintext<'s>), OpenError> {
    let (body, sent_tag) = sealed.split_last_chunk_mut::<16>().ok_or(OpenError::Tag)?;
    if !bool::from(tag(keys, covered, body).ct_eq(sent_tag)) {
        return Err(OpenError::Tag);
    }
    let (iv, ciphertext) = body.split_first_chunk_mut::<16>().ok_or(OpenError::Tag)?;
    let plaintext = cbc::Decryptor::<Aes128Dec>::new(keys.encryption().into(), (&*iv).into())
        .decrypt_padded_mut::<Pkcs7>(ciphertext)
        .map_err(|_| OpenError::Padding)?;
    match plaintext.split_first_chunk::<8>() {
        Some((created, user)) if !user.is_empty() => {
            Ok((*iv, Plaintext { created: UnixMillis(u64::from_be_bytes(*created)), user }))
        }
        _ => Err(OpenError::Short),
    }
}

/// First 16 bytes of HMAC-SHA-256 over additional data, iv and ciphertext, and the length of the former.
fn tag(keys: &SessionKeys, covered: &Covered<'_>, iv_and_ciphertext: &[u8]) -> [u8; 16] {
    let mut mac = keys.mac().begin();
    let bits = covered.feed(|piece| mac.update(piece));
    mac.update(iv_and_ciphertext);
    mac.update(&bits.to_be_bytes());
    crate::mac::first_half(mac)
}

/// Which stage of opening failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The padding under a good tag is wrong: the client is broken.
    #[error("the padding is wrong")]
    Padding,
    /// The plaintext under a good tag has fewer than 9 bytes.
    #[error("the certificate has no user")]
    Short,
    /// The tag is wrong: another key, another request, or altered bytes.
    #[error("the tag is wrong")]
    Tag,
}
