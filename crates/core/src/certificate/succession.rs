use super::KeyUse;
use super::content::KeyStatus;
use super::document::Certificate;
use crate::time::UnixMillis;

/// What a fetched document means for the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// It replaces the one held.
    Newer,
    /// It is the one held.
    Same,
}

impl Certificate {
    /// Whether this document, just verified, may replace `held` without a person (wire document, section 7): it is
    /// signed by a key that is `current` or `next` in the held one and has not ended there, with id and base URL unchanged,
    /// and a higher `seq` or the same content.
    ///
    /// # Errors
    /// The rule that keeps it out; the one held stays in force.
    pub fn succeeds(&self, held: &Self, now: UnixMillis) -> Result<Succession, SuccessionError> {
        let (new, old) = (self.content(), held.content());
        if new.iss != old.iss {
            return Err(SuccessionError::Issuer);
        }
        if new.base_url != old.base_url {
            return Err(SuccessionError::BaseUrl);
        }
        // Never `previous`: a leaked key that was rotated away must not come back.
        let announced = new
            .current(KeyUse::Signing)
            .and_then(|signer| old.key(&signer.public.id()))
            .filter(|key| key.usage == KeyUse::Signing)
            .filter(|key| matches!(key.status, KeyStatus::Current | KeyStatus::Next));
        // The end that was announced counts, not the one the key gives itself.
        let Some(announced) = announced else { return Err(SuccessionError::Signer) };
        if !announced.usable_at(now) {
            return Err(SuccessionError::SignerEnded);
        }
        match new.seq.cmp(&old.seq) {
            std::cmp::Ordering::Greater => Ok(Succession::Newer),
            std::cmp::Ordering::Equal if self.payload() == held.payload() => Ok(Succession::Same),
            std::cmp::Ordering::Equal => Err(SuccessionError::SameSequence),
            std::cmp::Ordering::Less => Err(SuccessionError::LowerSequence),
        }
    }
}

/// Why a document does not replace the one held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuccessionError {
    /// It names another base URL.
    #[error("the base URL has changed: a person has to look at it")]
    BaseUrl,
    /// It is of another application.
    #[error("the application id has changed: a person has to look at it")]
    Issuer,
    /// It is older than the one held.
    #[error("the document is older than the one held")]
    LowerSequence,
    /// It has the number of the one held, and other content.
    #[error("the document has the same number as the one held and other content")]
    SameSequence,
    /// Its key was not announced as current or next.
    #[error("the document is signed by a key that was not announced: a person has to look at it")]
    Signer,
    /// Its key has ended, as the one held says.
    #[error("the document is signed by a key that has ended: a person has to look at it")]
    SignerEnded,
}
