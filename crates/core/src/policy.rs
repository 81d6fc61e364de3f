//! An application's rules: what it may do once it is known who it is (wire document, section 5).
//!
//! | step | rule | refusal |
//! |---|---|---|
//! | 2 | version not below [`Policy::min_protocol`] and the [`Ratchet`]'s floor | `BAD_PROTOCOL_VERSION` |
//! | 3 | address, found by [`TrustedProxies::client_address`], allowed by [`AddressRules`] | `BAD_REMOTE_IP`, or `BAD_XFORWARD_IP` if [`ClientAddress::forwarded`] |
//! | 8 | age within the [`Timeout`], clock ahead by no more than the [`Skew`] | `OLD_CERT` |
//! | 9 | method allowed by [`MethodRules`], path by [`PathRules`] | `BAD_URL` |
//! | 10 | user not forbidden by [`NeverAs`] | `PERMISSION_DENIED` |
//!
//! One parser reads the rules of configuration, form and store; an empty list allows nothing, and "everything" must be
//! written: `any`. Lists are prepared when they are made, so that judging a request stays cheap with 1,000 rules.

mod address;
mod addresses;
mod list;
mod method;
mod never_as;
mod path;
mod paths;
mod protocol;
mod proxies;
mod timeout;
mod wildcards;

use std::time::Duration;

pub use address::{AddressRule, AddressRuleError};
pub use addresses::AddressRules;
pub use list::ListError;
pub use method::{MethodError, MethodRules};
pub use never_as::{NamePattern, NeverAs};
pub use path::{CanonicalPath, PathError};
pub use paths::{PathRefusal, PathRule, PathRuleError, PathRules};
pub use protocol::{Protocol, ProtocolError, Ratchet};
pub use proxies::{ClientAddress, ForwardedError, TrustedProxies, TrustedProxiesError};
pub use timeout::{GreatestTimeout, Skew, Timeout, TimeoutError};

/// The rules of one application. Made by [`Policy::builder`], never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    addresses: AddressRules,
    paths: PathRules,
    methods: MethodRules,
    never_as: NeverAs,
    timeout: Timeout,
    min_protocol: Protocol,
    allow_repeats: bool,
}

impl Policy {
    /// Begins with the least: no address, no path, `GET` and `HEAD`, nobody forbidden, 60 s or the server's greatest
    /// timeout, version 4 only.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder {
            addresses: AddressRules::default(),
            paths: PathRules::default(),
            methods: MethodRules::read_only(),
            never_as: NeverAs::default(),
            timeout: None,
            min_protocol: Protocol::V4,
            allow_repeats: false,
            insecure_legacy_from_anywhere: false,
        }
    }

    /// Any address, any path, any method, any user; version 4 only, with the timeout of a server that was told nothing.
    ///
    /// For test vectors: whoever holds the application's key may do everything as everybody.
    /// [`PolicyBuilder::insecure_allow_any`] does the same where older versions or another timeout are wanted.
    #[must_use]
    pub fn insecure_allow_any() -> Self {
        let timeout = Timeout::default_for(GreatestTimeout::default());
        Self::builder().insecure_allow_any().with_timeout(timeout)
    }

    /// The addresses it may call from.
    #[must_use]
    pub fn addresses(&self) -> &AddressRules {
        &self.addresses
    }

    /// The paths it may use.
    #[must_use]
    pub fn paths(&self) -> &PathRules {
        &self.paths
    }

    /// The methods it may use.
    #[must_use]
    pub fn methods(&self) -> &MethodRules {
        &self.methods
    }

    /// The users it may never name.
    #[must_use]
    pub fn never_as(&self) -> &NeverAs {
        &self.never_as
    }

    /// How old its requests may be.
    #[must_use]
    pub fn timeout(&self) -> Timeout {
        self.timeout
    }

    /// The lowest version it may use, as far as the record goes. The [`Ratchet`] may stand higher.
    #[must_use]
    pub fn min_protocol(&self) -> Protocol {
        self.min_protocol
    }

    /// Whether a request of version 2 or 3 is accepted more than once: [`PolicyBuilder::allow_repeats`].
    #[must_use]
    pub fn allow_repeats(&self) -> bool {
        self.allow_repeats
    }
}

/// Collects the rules of a [`Policy`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PolicyBuilder {
    addresses: AddressRules,
    paths: PathRules,
    methods: MethodRules,
    never_as: NeverAs,
    timeout: Option<Duration>,
    min_protocol: Protocol,
    allow_repeats: bool,
    insecure_legacy_from_anywhere: bool,
}

impl PolicyBuilder {
    /// The addresses the application may call from; nobody's by default.
    pub fn addresses(mut self, addresses: AddressRules) -> Self {
        self.addresses = addresses;
        self
    }

    /// The paths it may use; none by default.
    pub fn paths(mut self, paths: PathRules) -> Self {
        self.paths = paths;
        self
    }

    /// The methods it may use; `GET` and `HEAD` by default.
    pub fn methods(mut self, methods: MethodRules) -> Self {
        self.methods = methods;
        self
    }

    /// The users it may never name; nobody by default, so that whoever knows the user base has to say who they are.
    pub fn never_as(mut self, never_as: NeverAs) -> Self {
        self.never_as = never_as;
        self
    }

    /// How old its requests may be; 60 s by default, or the server's greatest when that is less.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The lowest version it may use; 4 by default. Versions 2 and 3 demand an address list that leaves somebody out.
    pub fn min_protocol(mut self, min_protocol: Protocol) -> Self {
        self.min_protocol = min_protocol;
        self
    }

    /// Whether a request of version 2 or 3 is accepted more than once; not by default.
    ///
    /// Peers with Atlassian's later library send the same header fields again for 15 minutes (older versions, sections
    /// 7 and 19) and need this. It costs the protection against replay: whoever sees one request can repeat it until it
    /// is too old, about 16 minutes, and with another method and body, because these versions do not sign them. It
    /// has no meaning for version 4, where nothing is ever accepted twice.
    pub fn allow_repeats(mut self, allow_repeats: bool) -> Self {
        self.allow_repeats = allow_repeats;
        self
    }

    /// Any address, any path, any method, and older versions from any address too. For test vectors: whoever holds the
    /// application's key, or with version 2 has seen one request, may do everything as everybody.
    pub fn insecure_allow_any(mut self) -> Self {
        self.addresses = AddressRules::any();
        self.paths = PathRules::any();
        self.methods = MethodRules::any();
        self.insecure_legacy_from_anywhere = true;
        self
    }

    /// Checks the rules against each other and against the server's greatest timeout.
    ///
    /// # Errors
    /// When the timeout is 0 or above the greatest, or an older version is allowed to nobody or to everybody.
    pub fn build(self, greatest: GreatestTimeout) -> Result<Policy, PolicyError> {
        let timeout = match self.timeout {
            Some(timeout) => Timeout::new(timeout, greatest)?,
            None => Timeout::default_for(greatest),
        };
        if self.min_protocol.is_legacy() && !self.insecure_legacy_from_anywhere {
            if self.addresses.is_empty() {
                return Err(PolicyError::LegacyWithoutAddresses);
            }
            if self.addresses.names_any() {
                return Err(PolicyError::LegacyFromAnywhere);
            }
        }
        Ok(self.with_timeout(timeout))
    }

    fn with_timeout(self, timeout: Timeout) -> Policy {
        Policy {
            addresses: self.addresses,
            paths: self.paths,
            methods: self.methods,
            never_as: self.never_as,
            timeout,
            min_protocol: self.min_protocol,
            allow_repeats: self.allow_repeats,
        }
    }
}

/// Why rules make no [`Policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Version 2 or 3 is allowed, and the address list allows everybody.
    #[error("protocol versions 2 and 3 are only accepted from named addresses, not from everywhere")]
    LegacyFromAnywhere,
    /// Version 2 or 3 is allowed, and the address list is empty.
    #[error("protocol versions 2 and 3 are only accepted from named addresses, and there are none")]
    LegacyWithoutAddresses,
    /// The timeout is 0 or above the server's greatest.
    #[error(transparent)]
    Timeout(#[from] TimeoutError),
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use http::Method;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn addresses(text: &str) -> AddressRules {
        AddressRules::parse_list(text).unwrap()
    }

    #[test]
    fn the_least_by_default() {
        let policy = Policy::builder().build(GreatestTimeout::default()).unwrap();
        assert!(!policy.addresses().allows(HERE));
        assert_eq!(policy.paths().allows_raw("/"), Err(PathRefusal::NoRule));
        assert!(policy.methods().allows(&Method::GET) && !policy.methods().allows(&Method::POST));
        assert!(policy.never_as().is_empty());
        assert_eq!(policy.timeout().get(), Timeout::DEFAULT);
        assert_eq!(policy.min_protocol(), Protocol::V4);
        assert!(!policy.allow_repeats());
    }

    #[test]
    fn timeout_within_the_greatest() {
        let greatest = GreatestTimeout::new(Duration::from_secs(10)).unwrap();
        assert_eq!(Policy::builder().build(greatest).unwrap().timeout().get(), Duration::from_secs(10));
        let build = |millis| Policy::builder().timeout(Duration::from_millis(millis)).build(greatest);
        assert_eq!(build(2_500).unwrap().timeout().get(), Duration::from_millis(2_500));
        assert_eq!(build(0), Err(PolicyError::Timeout(TimeoutError::Zero)));
        assert_eq!(build(10_001), Err(PolicyError::Timeout(TimeoutError::AboveGreatest { greatest })));
    }

    #[test]
    fn older_versions_only_from_named_addresses() {
        for protocol in [Protocol::V2, Protocol::V3] {
            let build = |text| {
                Policy::builder()
                    .min_protocol(protocol)
                    .addresses(addresses(text))
                    .build(GreatestTimeout::default())
            };
            assert_eq!(build(""), Err(PolicyError::LegacyWithoutAddresses));
            for text in ["any", "10.0.0.1 any", "*.*.*.*", "0.0.0.0/0", "::/0", "0.0.0.0/1 128.0.0.0/1"] {
                assert_eq!(build(text), Err(PolicyError::LegacyFromAnywhere), "{text}");
            }
            assert_eq!(build("10.0.0.0/8").unwrap().min_protocol(), protocol);
        }
        assert!(Policy::builder().addresses(AddressRules::any()).build(GreatestTimeout::default()).is_ok());
    }

    #[test]
    fn insecure_is_everything() {
        let legacy = Policy::builder()
            .insecure_allow_any()
            .min_protocol(Protocol::V2)
            .build(GreatestTimeout::default())
            .unwrap();
        for policy in [Policy::insecure_allow_any(), legacy] {
            assert!(policy.addresses().allows(HERE));
            assert_eq!(policy.paths().allows_raw("//../;"), Ok(()));
            assert!(policy.methods().allows(&Method::DELETE));
        }
        assert_eq!(Policy::insecure_allow_any().min_protocol(), Protocol::V4);
    }
}
