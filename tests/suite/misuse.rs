//! What the types must not be able to do. What must not compile at all is in the documentation of [`taa_tests::misuse`].

use std::fmt::{Display, LowerHex};

use serde::Serialize;
use taa_core::decision::{Allowed, Opened, Presented, Proven, Session};
use taa_core::envelope::{SealedEnvelope, SessionKeys};
use taa_core::identity::Identity;
use taa_core::key::{DecryptingKey, SigningKey};
use taa_core::legacy::{self, CertificateKey, LegacySigningKey};

/// Fails to compile when the type has the trait: then both blocks apply, and which one is meant is unclear.
macro_rules! has_not {
    ($($type:ty),+ ; $trait:ident) => {
        $(const _: fn() = || {
            trait Unclear<Which> {
                fn which() {}
            }
            impl<T: ?Sized> Unclear<()> for T {}
            struct HasIt;
            impl<T: ?Sized + $trait> Unclear<HasIt> for T {}
            let _ = <$type as Unclear<_>>::which;
        };)+
    };
}

// A stage of the decision is passed on, never kept for another request.
has_not!(Presented<'static, 'static>, Opened<'static, 'static, 'static>, Proven<'static, 'static>, Allowed<'static>; Clone);
has_not!(legacy::Presented, legacy::Opened, legacy::Timely, legacy::Proven; Clone);
has_not!(Proven<'static, 'static>, Allowed<'static>, legacy::Proven; Default);

// A session's keys stay where they are.
has_not!(SessionKeys, SealedEnvelope, Session, CertificateKey; Clone);

// Secrets are compared in constant time, by who knows how.
has_not!(SessionKeys, SealedEnvelope, Session, SigningKey, DecryptingKey, CertificateKey, LegacySigningKey; PartialEq);

// Secrets are neither shown nor stored by accident.
has_not!(SessionKeys, SealedEnvelope, Session, SigningKey, DecryptingKey, Identity, CertificateKey, LegacySigningKey; Display);
has_not!(SessionKeys, SigningKey, DecryptingKey, CertificateKey, LegacySigningKey; LowerHex);
has_not!(SessionKeys, SealedEnvelope, Session, SigningKey, DecryptingKey, Identity, CertificateKey, LegacySigningKey; Serialize);
has_not!(Allowed<'static>, Proven<'static, 'static>, legacy::Proven; Serialize);

/// What crosses threads in a server may do so.
#[test]
fn what_a_server_shares_is_shareable() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<SigningKey>();
    shareable::<DecryptingKey>();
    shareable::<Session>();
    shareable::<Identity>();
    shareable::<Allowed<'static>>();
    shareable::<taa_core::decision::Prover>();
    shareable::<taa_core::directory::Directory>();
}
