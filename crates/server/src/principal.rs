use std::sync::Arc;

use http::Extensions;
use taa_core::decision::Allowed;
use taa_core::id::{AppId, KeyId, UserName};
use taa_core::policy::Protocol;

/// The user a request is made as, proven by a trusted application, for this one request.
///
/// The layer puts it into the request's extensions, in an [`Outcome`]: [`Principal::of`] finds it, and with axum a handler
/// takes it as an argument. Only the layer makes one; a handler must not keep it beyond the request.
#[derive(Clone, Debug)]
pub struct Principal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    user: UserName,
    presented: UserName,
    application: AppId,
    protocol: Protocol,
    key: Option<KeyId>,
}

impl Principal {
    pub(crate) fn new(allowed: &Allowed<'_>, user: UserName) -> Self {
        Self(Arc::new(Inner {
            user,
            presented: allowed.user().clone(),
            application: allowed.application().id().clone(),
            protocol: allowed.protocol(),
            key: allowed.key(),
        }))
    }

    /// The principal of a request with these extensions; `None` when nobody is proven, or when it passed no layer.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        match extensions.get::<Outcome>()? {
            Outcome::Trusted(principal) => Some(principal),
            Outcome::NoAttempt | Outcome::Refused(_) => None,
        }
    }

    /// The user, as this service's user base knows them.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.0.user
    }

    /// The name as the application sent it, before the name transformation.
    #[must_use]
    pub fn presented_user(&self) -> &UserName {
        &self.0.presented
    }

    /// The application that makes the request.
    #[must_use]
    pub fn application(&self) -> &AppId {
        &self.0.application
    }

    /// The protocol version that was spoken.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    /// The application's key; `None` for versions 2 and 3.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        self.0.key
    }
}

/// What the layer made of a request. It stands in the extensions of every request that passed the layer, written over
/// whatever was there, so that a handler can tell "nobody tried" from "the layer is missing".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The request has no field of the protocol.
    NoAttempt,
    /// It was refused, and this route lets refused requests go on as nobody.
    Refused(taa_core::answer::Code),
    /// The application and the user are proven.
    Trusted(Principal),
}
