use taa_core::certificate::{KeyUse, SuccessionError};
use taa_core::time::UnixMillis;
use taa_store::model::{Pending, Presented, Row, Snapshot};
use url::Url;

use super::base_url::same_place;

/// What a person should know before the older versions are spoken, in one sentence.
pub const OLDER_VERSIONS: &str =
    "Versions 2 and 3 sign neither method nor content, and version 2 hardly protects the user's name.";

/// Something a person should know before trusting a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// It has this application's own id: it is this one, or a clone of it.
    OwnId,
    /// An application or server with this id is there already. `other_base_url` when it lives somewhere else: a clone, or
    /// a move.
    Known {
        /// Trusted already.
        incoming: bool,
        /// Called already.
        outgoing: bool,
        /// Where the one that is there lives, when that is another place.
        other_base_url: Option<String>,
    },
    /// It is known, and this certificate would not replace the one held without a person; why.
    Unannounced(SuccessionError),
    /// It is known, and this key of the older versions is another one than the one held.
    OtherLegacyKey,
    /// One of its keys stands under another id already: whoever has it could be either. It cannot be saved.
    KeyInUse {
        /// Under which.
        other: String,
    },
    /// It was fetched over plain http: whoever is on the path can have swapped it.
    InsecureHttp,
    /// It has no decryption key: it can be trusted, and cannot be called.
    ClientOnly,
    /// It speaks only the older versions, which prove less.
    OlderVersions,
    /// The certificate names another base URL than the one typed.
    BaseUrlDiffers {
        /// The one the certificate names.
        named: String,
    },
}

impl Remark {
    /// The sentence for a person.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::OwnId => {
                "It has this application's own id. Either this is this application's own base URL, or the \
                 other one is a clone of it: a clone needs an id and keys of its own."
                    .into()
            }
            Self::Known { incoming, outgoing, other_base_url } => {
                known(*incoming, *outgoing, other_base_url.as_deref())
            }
            Self::Unannounced(why) => format!(
                "Its certificate is not one that the certificate held has announced ({why}). After a loss of keys, or a \
                 move, that is expected; otherwise somebody else may be answering. Compare the fingerprint over \
                 another channel."
            ),
            Self::OtherLegacyKey => {
                "Its key is another one than the one held. The older versions cannot announce a \
                 new key: compare it over another channel."
                    .into()
            }
            Self::KeyInUse { other } => format!(
                "One of its keys already stands under the id {other}, so it cannot be saved: every application needs \
                 keys of its own."
            ),
            Self::InsecureHttp => {
                "It was fetched over plain http: whoever is on the path can have swapped it. Compare \
                 the fingerprint over another channel."
                    .into()
            }
            Self::ClientOnly => {
                "It has no decryption key: it can be trusted to call, and cannot be called.".into()
            }
            Self::OlderVersions => format!(
                "It presents itself as the older versions do: without a proof that it has the key. {OLDER_VERSIONS}"
            ),
            Self::BaseUrlDiffers { named } => format!(
                "Its certificate says that it lives at {named}. It is fetched again from the base URL that was typed."
            ),
        }
    }

    /// Whether it cannot be saved as it is.
    #[must_use]
    pub fn prevents_saving(&self) -> bool {
        matches!(self, Self::OwnId | Self::KeyInUse { .. })
    }
}

fn known(incoming: bool, outgoing: bool, other_base_url: Option<&str>) -> String {
    let role = match (incoming, outgoing) {
        (true, true) => "trusted and called",
        (false, true) => "called",
        _ => "trusted",
    };
    let elsewhere = other_base_url.map(|url| {
        format!(
            " It lives at {url}. Two places with one id are a clone, which needs an id of its own, or a move: saving \
             takes the new place."
        )
    });
    format!(
        "An application with this id is {role} already. Saving takes these keys in place of its own; its rules stay \
         unless they are given.{}",
        elsewhere.unwrap_or_default()
    )
}

/// All that is remarkable about what waits.
pub(super) fn all(pending: &Pending, snapshot: &Snapshot, now: UnixMillis) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if snapshot.own.as_ref().is_some_and(|own| own.certificate.content().iss == *pending.app_id()) {
        remarks.push(Remark::OwnId);
    }
    remarks.extend(known_already(pending, snapshot));
    remarks.extend(unannounced(pending, snapshot, now));
    remarks.extend(key_in_use(pending, snapshot).map(|other| Remark::KeyInUse { other }));
    if pending.insecure_http {
        remarks.push(Remark::InsecureHttp);
    }
    match &pending.presented {
        Presented::Certificate(certificate) => {
            let content = certificate.content();
            if content.current(KeyUse::Decryption).is_none() {
                remarks.push(Remark::ClientOnly);
            }
            if !same_place(&content.base_url, &pending.base_url) {
                remarks.push(Remark::BaseUrlDiffers { named: content.base_url.to_string() });
            }
        }
        Presented::LegacyPage(_) => remarks.push(Remark::OlderVersions),
    }
    remarks
}

fn known_already(pending: &Pending, snapshot: &Snapshot) -> Option<Remark> {
    let id = pending.app_id().as_str();
    let incoming = has(&snapshot.applications, id, |application| application.id.as_str());
    let outgoing = has(&snapshot.servers, id, |server| server.id.as_str());
    if !incoming && !outgoing {
        return None;
    }
    let application = snapshot.application(id);
    let server = snapshot.server(id);
    let places =
        application.map(|known| &known.base_url).into_iter().chain(server.map(|known| &known.base_url));
    let named = held(snapshot, id).map(|held| &held.content().base_url);
    let new_named = match &pending.presented {
        Presented::Certificate(certificate) => Some(&certificate.content().base_url),
        Presented::LegacyPage(_) => None,
    };
    let moved = |url: &&Url| !same_place(url, &pending.base_url);
    let renamed = |url: &&Url| new_named.is_some_and(|new| !same_place(url, new));
    let other = places.filter(moved).chain(named.filter(renamed)).next();
    Some(Remark::Known { incoming, outgoing, other_base_url: other.map(Url::to_string) })
}

fn has<T>(rows: &[Row<T>], wanted: &str, id_of: impl Fn(&T) -> &str) -> bool {
    rows.iter().any(|row| match row {
        Row::Good(record) => id_of(record) == wanted,
        Row::Broken { id, .. } => id == wanted,
    })
}

/// The certificate that is held of a peer.
pub(crate) fn held<'s>(snapshot: &'s Snapshot, id: &str) -> Option<&'s taa_core::certificate::Certificate> {
    let incoming = snapshot.application(id).and_then(|known| known.keys.certificate.as_ref());
    incoming.or_else(|| snapshot.server(id)?.certificate.as_ref())
}

fn unannounced(pending: &Pending, snapshot: &Snapshot, now: UnixMillis) -> Option<Remark> {
    let id = pending.app_id().as_str();
    match &pending.presented {
        Presented::Certificate(new) => new.succeeds(held(snapshot, id)?, now).err().map(Remark::Unannounced),
        Presented::LegacyPage(page) => {
            let held = snapshot.application(id)?.keys.legacy.as_ref()?;
            (held.0.thumbprint() != page.key.thumbprint()).then_some(Remark::OtherLegacyKey)
        }
    }
}

/// Under which other id one of its keys stands. The store looks at it once more when it saves.
pub(super) fn key_in_use(pending: &Pending, snapshot: &Snapshot) -> Option<String> {
    let new: Vec<_> = match &pending.presented {
        Presented::Certificate(new) => new.content().keys.iter().map(|key| key.public.id()).collect(),
        Presented::LegacyPage(page) => vec![page.key.thumbprint()],
    };
    let of_certificate = |certificate: Option<&taa_core::certificate::Certificate>| {
        certificate.is_some_and(|held| new.iter().any(|id| held.content().key(id).is_some()))
    };
    let others =
        snapshot.applications.iter().filter_map(Row::good).filter(|known| known.id != *pending.app_id());
    for other in others {
        let legacy = other.keys.legacy.as_ref().is_some_and(|key| new.contains(&key.0.thumbprint()));
        if legacy || of_certificate(other.keys.certificate.as_ref()) {
            return Some(other.id.to_string());
        }
    }
    let mut servers =
        snapshot.servers.iter().filter_map(Row::good).filter(|known| known.id != *pending.app_id());
    let server = servers.find(|other| of_certificate(other.certificate.as_ref()));
    server.map(|other| other.id.to_string())
}
