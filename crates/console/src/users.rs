use std::pin::Pin;

use taa_core::id::{AppId, UserName, UserNameError};
use taa_server::resolver::NameTransform;
use taa_server::{Resolution, ResolveError, UserResolver};

/// The service's user base behind a pointer, for step 11 of "would this be allowed?".
pub(crate) struct Users {
    resolver: Box<dyn DynResolver>,
    transform: NameTransform,
}

impl Users {
    pub(crate) fn new(resolver: impl UserResolver, transform: NameTransform) -> Self {
        Self { resolver: Box::new(resolver), transform }
    }

    /// The name the user base is asked for, as the layer makes it.
    pub(crate) fn asked(&self, name: &UserName) -> Result<UserName, UserNameError> {
        match self.transform {
            NameTransform::LowerCase => UserName::parse(&name.as_str().to_lowercase()),
            _ => Ok(name.clone()),
        }
    }

    pub(crate) async fn resolve(
        &self,
        name: &UserName,
        application: &AppId,
    ) -> Result<Resolution, ResolveError> {
        self.resolver.resolve(name, application).await
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Users(..)")
    }
}

type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Resolution, ResolveError>> + Send + 'a>>;

trait DynResolver: Send + Sync {
    fn resolve<'a>(&'a self, name: &'a UserName, application: &'a AppId) -> Resolving<'a>;
}

impl<R: UserResolver> DynResolver for R {
    fn resolve<'a>(&'a self, name: &'a UserName, application: &'a AppId) -> Resolving<'a> {
        Box::pin(UserResolver::resolve(self, name, application))
    }
}
