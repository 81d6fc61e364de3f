//! What must not compile. Each misuse stands under a twin that differs in one line and compiles, so that it fails for
//! the reason that is written there and not for a slip. (A nightly compiler checks the error codes as well.)
//!
//! A request is believed because of the steps that were taken, so no step can be left out, taken twice, or made up. What
//! types must not be able to do at all (be cloned, compared, shown) is checked in `suite/misuse.rs`.
//!
//! # The steps stand in one order
//!
//! ```
//! # use taa_core::decision::*;
//! # fn check<'d>(opened: Opened<'_, '_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! opened.prove()?.0.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! `allow` before `prove`:
//!
//! ```compile_fail,E0599
//! # use taa_core::decision::*;
//! # fn check<'d>(opened: Opened<'_, '_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! opened.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! `user` before `prove`:
//!
//! ```compile_fail,E0599
//! # use taa_core::decision::*;
//! # fn check<'d>(opened: Opened<'_, '_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! opened.user()?;
//! opened.prove()?.0.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! `prove` before `open`:
//!
//! ```compile_fail,E0599
//! # use taa_core::decision::*;
//! # fn check<'d>(opened: Presented<'_, '_>, context: &Context<'d>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! opened.prove()?.0.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! Without a word from the nonce store:
//!
//! ```compile_fail,E0061
//! # use taa_core::decision::*;
//! # fn check<'d>(opened: Opened<'_, '_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! opened.prove()?.0.allow(context, None, now)
//! # }
//! ```
//!
//! # Each step is taken once
//!
//! ```
//! # use taa_core::decision::*;
//! # fn check<'d>(proven: Proven<'_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! proven.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! One certificate allowed twice:
//!
//! ```compile_fail,E0382
//! # use taa_core::decision::*;
//! # fn check<'d>(proven: Proven<'_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! proven.allow(context, NonceOutcome::First, None, now)?;
//! proven.allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! A copy kept for later:
//!
//! ```compile_fail,E0599
//! # use taa_core::decision::*;
//! # fn check<'d>(proven: Proven<'_, 'd>, context: &Context<'_>, now: taa_core::time::UnixMillis) -> Result<Allowed<'d>, Refusal> {
//! proven.clone().allow(context, NonceOutcome::First, None, now)
//! # }
//! ```
//!
//! # No stage is made by hand
//!
//! ```
//! # use taa_core::decision::Allowed;
//! fn user<'a>(allowed: &'a Allowed<'_>) -> &'a taa_core::id::UserName {
//!     allowed.user()
//! }
//! ```
//!
//! Another user written into it:
//!
//! ```compile_fail,E0616
//! # use taa_core::decision::Allowed;
//! fn user(allowed: &mut Allowed<'_>, other: taa_core::id::UserName) {
//!     allowed.user = other;
//! }
//! ```
//!
//! A principal of one's own:
//!
//! ```compile_fail,E0451
//! # use taa_core::decision::Allowed;
//! fn user<'d>(allowed: Allowed<'d>, other: taa_core::id::UserName) -> Allowed<'d> {
//!     Allowed { user: other, ..allowed }
//! }
//! ```
//!
//! A proven request by its inner constructor:
//!
//! ```compile_fail,E0624
//! # use taa_core::decision::{Proven, Session};
//! # use taa_core::request::{Covered, Iv, Plaintext};
//! # use taa_core::directory::Application;
//! fn proven<'a, 'd>(by: &'d Application, session: &Session, covered: Covered<'a>, iv: Iv, plain: Plaintext<'_>) -> Proven<'a, 'd> {
//!     Proven::new(by, session, covered, iv, plain)
//! }
//! ```
//!
//! A proven request of one's own:
//!
//! ```compile_fail,E0451
//! # use taa_core::decision::Proven;
//! fn proven<'a, 'd>(proven: Proven<'a, 'd>, created: taa_core::time::UnixMillis) -> Proven<'a, 'd> {
//!     Proven { created, ..proven }
//! }
//! ```
//!
//! A name that was not checked:
//!
//! ```compile_fail,E0423
//! let user = taa_core::id::UserName("admin\n".into());
//! ```
//!
//! # One key, one purpose
//!
//! ```
//! # use taa_core::{crypto::Random, envelope::*, id::AppId, key::*, time::UnixMillis};
//! # fn check(
//! #     id: &AppId, signing: &SigningKey, encrypting: &EncryptingKey, decrypting: &DecryptingKey,
//! #     verifying: &VerifyingKey, now: UnixMillis, random: &dyn Random,
//! # ) -> Result<SealedEnvelope, SealError> {
//! seal(id, signing, id, encrypting, now, Lifetime::default(), random)
//! # }
//! ```
//!
//! Signing with the decryption key:
//!
//! ```compile_fail,E0308
//! # use taa_core::{crypto::Random, envelope::*, id::AppId, key::*, time::UnixMillis};
//! # fn check(
//! #     id: &AppId, signing: &SigningKey, encrypting: &EncryptingKey, decrypting: &DecryptingKey,
//! #     verifying: &VerifyingKey, now: UnixMillis, random: &dyn Random,
//! # ) -> Result<SealedEnvelope, SealError> {
//! seal(id, decrypting, id, encrypting, now, Lifetime::default(), random)
//! # }
//! ```
//!
//! Sealing to a signing key's public half:
//!
//! ```compile_fail,E0308
//! # use taa_core::{crypto::Random, envelope::*, id::AppId, key::*, time::UnixMillis};
//! # fn check(
//! #     id: &AppId, signing: &SigningKey, encrypting: &EncryptingKey, decrypting: &DecryptingKey,
//! #     verifying: &VerifyingKey, now: UnixMillis, random: &dyn Random,
//! # ) -> Result<SealedEnvelope, SealError> {
//! seal(id, signing, id, verifying, now, Lifetime::default(), random)
//! # }
//! ```
//!
//! Signing anything else than envelopes and certificates:
//!
//! ```compile_fail,E0624
//! # use taa_core::key::SigningKey;
//! fn sign(key: &SigningKey) -> Option<Vec<u8>> {
//!     key.sign(b"anything").ok()
//! }
//! ```
//!
//! Opening anything else than envelopes:
//!
//! ```compile_fail,E0624
//! # use taa_core::key::DecryptingKey;
//! fn decrypt(key: &DecryptingKey) -> bool {
//!     key.decrypt(b"anything", "label").is_ok()
//! }
//! ```
//!
//! # Old and new keys do not mix
//!
//! ```
//! # use taa_core::{certificate::*, crypto::CryptoProvider, key::*, legacy::*};
//! fn make(content: Content, key: &SigningKey, older: &LegacySigningKey) -> Result<Certificate, CertificateError> {
//!     Certificate::make(content, key)
//! }
//! ```
//!
//! A certificate signed with the key of the older versions:
//!
//! ```compile_fail,E0308
//! # use taa_core::{certificate::*, crypto::CryptoProvider, key::*, legacy::*};
//! fn make(content: Content, key: &SigningKey, older: &LegacySigningKey) -> Result<Certificate, CertificateError> {
//!     Certificate::make(content, older)
//! }
//! ```
//!
//! The other way round:
//!
//! ```
//! # use taa_core::{directory::Application, legacy::LegacyVerifyingKey, key::VerifyingKey};
//! fn add(application: Application, older: LegacyVerifyingKey, key: VerifyingKey) -> Application {
//!     application.with_legacy_key(older)
//! }
//! ```
//!
//! ```compile_fail,E0308
//! # use taa_core::{directory::Application, legacy::LegacyVerifyingKey, key::VerifyingKey};
//! fn add(application: Application, older: LegacyVerifyingKey, key: VerifyingKey) -> Application {
//!     application.with_legacy_key(key)
//! }
//! ```
//!
//! A stage of the older versions in place of one of version 4:
//!
//! ```compile_fail,E0308
//! fn new(older: taa_core::legacy::Proven) -> taa_core::decision::Proven<'static, 'static> {
//!     older
//! }
//! ```
//!
//! # Secrets stay secret
//!
//! ```
//! # use taa_core::envelope::SessionKeys;
//! fn show(keys: &SessionKeys, other: &SessionKeys) -> String {
//!     format!("{keys:?}")
//! }
//! ```
//!
//! Shown:
//!
//! ```compile_fail,E0277
//! # use taa_core::envelope::SessionKeys;
//! fn show(keys: &SessionKeys, other: &SessionKeys) -> String {
//!     format!("{keys}")
//! }
//! ```
//!
//! Compared byte by byte:
//!
//! ```compile_fail,E0369
//! # use taa_core::envelope::SessionKeys;
//! fn show(keys: &SessionKeys, other: &SessionKeys) -> String {
//!     format!("{}", *keys == *other)
//! }
//! ```
//!
//! Taken out:
//!
//! ```compile_fail,E0616
//! # use taa_core::envelope::SessionKeys;
//! fn show(keys: &SessionKeys, other: &SessionKeys) -> String {
//!     format!("{:?}", keys.response)
//! }
//! ```
