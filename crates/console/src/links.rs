use std::sync::Arc;

use http::Uri;
use taa_store::model::PendingId;
use url::form_urlencoded;

/// Where the console is mounted: all links are made here. Ids go into the query, because an id may be `..`, and those of
/// broken records may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    base: Arc<str>,
}

impl Links {
    /// Mounted under a path as it was configured; it begins with `/` or is empty.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').into() }
    }

    /// Mounted where a request came in: its whole path without the part that the router below saw.
    pub(crate) fn found(outer: &Uri, inner: &Uri) -> Self {
        let (outer, inner) = (outer.path(), inner.path());
        let base = outer.strip_suffix(inner).or_else(|| (inner == "/").then_some(outer)).unwrap_or_default();
        // Two slashes in front would lead to another host.
        if base.starts_with("//") { Self::new("") } else { Self::new(base) }
    }

    fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn with(&self, path: &str, query: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}{path}?{query}", self.base)
    }

    /// The list of incoming trust. A console at the root of a host is `/`.
    pub(crate) fn incoming(&self) -> String {
        if self.base.is_empty() { "/".to_owned() } else { self.base.to_string() }
    }

    pub(crate) fn incoming_done(&self, done: &str) -> String {
        format!("{}?done={done}", self.incoming())
    }

    pub(crate) fn style(&self) -> String {
        self.to("/style.css")
    }

    pub(crate) fn icon(&self) -> String {
        self.to("/icon.svg")
    }

    pub(crate) fn fetch(&self) -> String {
        self.to("/set-up")
    }

    pub(crate) fn set_up(&self, id: &PendingId) -> String {
        self.to(&format!("/set-up/{id}"))
    }

    pub(crate) fn set_up_for(&self, id: &PendingId, direction: &str) -> String {
        self.with(&format!("/set-up/{id}"), &[("direction", direction)])
    }

    pub(crate) fn give_up(&self, id: &PendingId) -> String {
        self.to(&format!("/set-up/{id}/give-up"))
    }

    pub(crate) fn application(&self, id: &str) -> String {
        self.with("/application", &[("id", id)])
    }

    pub(crate) fn application_done(&self, id: &str, done: &str) -> String {
        self.with("/application", &[("id", id), ("done", done)])
    }

    pub(crate) fn application_with_path(&self, id: &str, path: &str) -> String {
        self.with("/application", &[("id", id), ("add_path", path)])
    }

    pub(crate) fn application_delete(&self, id: &str) -> String {
        self.with("/application/delete", &[("id", id)])
    }

    pub(crate) fn application_switch(&self, on: bool) -> String {
        self.to(if on { "/application/enable" } else { "/application/disable" })
    }

    pub(crate) fn application_key(&self, id: &str, key: &str) -> String {
        self.with("/application/revoke-key", &[("id", id), ("key", key)])
    }

    pub(crate) fn servers(&self) -> String {
        self.to("/servers")
    }

    pub(crate) fn servers_done(&self, done: &str) -> String {
        self.with("/servers", &[("done", done)])
    }

    pub(crate) fn server(&self, id: &str) -> String {
        self.with("/server", &[("id", id)])
    }

    pub(crate) fn server_done(&self, id: &str, done: &str) -> String {
        self.with("/server", &[("id", id), ("done", done)])
    }

    pub(crate) fn server_delete(&self, id: &str) -> String {
        self.with("/server/delete", &[("id", id)])
    }

    pub(crate) fn server_switch(&self, on: bool) -> String {
        self.to(if on { "/server/enable" } else { "/server/disable" })
    }

    pub(crate) fn look_again(&self) -> String {
        self.to("/look-again")
    }

    pub(crate) fn refresh(&self) -> String {
        self.to("/refresh")
    }

    pub(crate) fn own(&self) -> String {
        self.to("/own")
    }

    pub(crate) fn own_done(&self, done: &str) -> String {
        self.with("/own", &[("done", done)])
    }

    pub(crate) fn own_profile(&self) -> String {
        self.to("/own/profile")
    }

    pub(crate) fn own_publish(&self) -> String {
        self.to("/own/publish")
    }

    pub(crate) fn own_promote(&self) -> String {
        self.to("/own/promote")
    }

    pub(crate) fn own_promote_of(&self, purpose: &str) -> String {
        self.with("/own/promote", &[("purpose", purpose)])
    }

    pub(crate) fn own_revoke(&self, key: &str) -> String {
        self.with("/own/revoke", &[("key", key)])
    }

    pub(crate) fn own_remove_ended(&self) -> String {
        self.to("/own/remove-ended")
    }

    pub(crate) fn users(&self) -> String {
        self.to("/users")
    }

    pub(crate) fn users_done(&self, done: &str) -> String {
        self.with("/users", &[("done", done)])
    }

    pub(crate) fn users_restore(&self) -> String {
        self.to("/users/restore")
    }

    pub(crate) fn audit(&self) -> String {
        self.to("/audit")
    }

    pub(crate) fn audit_of(&self, query: &[(&str, &str)]) -> String {
        self.with("/audit", query)
    }

    pub(crate) fn audit_about(&self, subject: &str) -> String {
        self.with("/audit", &[("subject", subject)])
    }

    pub(crate) fn audit_verify(&self) -> String {
        self.to("/audit/verify")
    }

    pub(crate) fn what_if(&self) -> String {
        self.to("/what-if")
    }

    pub(crate) fn what_if_for(&self, id: &str) -> String {
        self.with("/what-if", &[("application", id)])
    }

    pub(crate) fn system(&self) -> String {
        self.to("/system")
    }

    pub(crate) fn openapi(&self) -> String {
        self.to("/api/openapi.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_from_a_request() {
        for (outer, inner, base) in [
            ("/", "/", "/"),
            ("/own", "/own", "/"),
            ("/admin/trust", "/", "/admin/trust"),
            ("/admin/trust/", "/", "/admin/trust"),
            ("/admin/trust/own?x=1", "/own?x=1", "/admin/trust"),
            ("/t/a%20b/trust/own", "/own", "/t/a%20b/trust"),
            ("//evil.example/own", "/own", "/"),
        ] {
            let links = Links::found(&outer.parse().unwrap(), &inner.parse().unwrap());
            assert_eq!(links.incoming(), base, "{outer}");
        }
    }

    #[test]
    fn any_id_is_only_an_id() {
        let links = Links::new("/admin/");
        assert_eq!(
            links.application("a&b=c/../<\" é"),
            "/admin/application?id=a%26b%3Dc%2F..%2F%3C%22+%C3%A9"
        );
        assert_eq!(links.own_done("saved"), "/admin/own?done=saved");
        assert_eq!(Links::new("").incoming_done("x"), "/?done=x");
        assert_eq!(Links::new("/a").incoming_done("x"), "/a?done=x");
    }
}
