//! What an administrator does, from the first look to taking trust back.

use taa_core::certificate::KeyUse;
use taa_core::policy::Protocol;

use super::driver::Browser;
use super::world::Application;

/// A fingerprint as it stands on a page: its groups, whatever is between them.
fn fingerprint_in(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let group =
        |word: &&&str| word.len() == 4 && word.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    let start = words.windows(8).position(|eight| eight.iter().filter(|word| group(word)).count() == 8);
    words[start.expect("a fingerprint")..][..8].join(" ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn trust_is_set_up_seen_changed_and_taken_back() {
    let tracker = Application::start("jira:1", "Tracker").await;
    let wiki = Application::start("confluence:1", "Wiki").await;
    let browser = Browser::start().await;

    // Nobody is trusted yet.
    browser.open(&tracker.console("")).await;
    assert!(browser.text().await.contains("No application is trusted yet"));
    browser.picture("incoming-empty").await;
    browser.check_accessibility("incoming-empty").await;

    // An address that leads nowhere is said at the field.
    browser.fill("#f-base_url", "wiki.example").await;
    browser.press("Fetch certificate").await;
    assert!(browser.has("#f-base_url[aria-invalid=true]").await);
    browser.check_accessibility("incoming-error").await;

    // First step: fetch, and compare with what the other side shows.
    browser.fill("#f-base_url", &wiki.base_url).await;
    browser.press("Fetch certificate").await;
    let shown = fingerprint_in(&browser.text().await);
    assert!(browser.text().await.contains("any user"), "the plain warning");
    browser.picture("set-up").await;
    browser.check_accessibility("set-up").await;
    let waiting = browser.page.current_url().await.unwrap().to_string();
    browser.open(&wiki.console("/own")).await;
    assert_eq!(fingerprint_in(&browser.text().await), shown);
    browser.picture("own").await;
    browser.check_accessibility("own").await;
    assert!(
        tracker.store.snapshot().applications.is_empty(),
        "nothing is saved before a person has compared"
    );

    // Second step: bad fields are told all at once and nothing typed is lost.
    browser.open(&waiting).await;
    browser.fill("#f-timeout", "0").await;
    browser.fill("#f-addresses", "127.0.0.1\n299.299.299.299").await;
    browser.fill("#f-paths", "/rest").await;
    browser.find("#f-compared").await.click().await.unwrap();
    browser.press("Save").await;
    assert!(
        browser.has("#f-timeout[aria-invalid=true]").await
            && browser.has("#f-addresses[aria-invalid=true]").await
    );
    assert!(browser.text().await.contains("299.299.299.299"));
    browser.picture("set-up-errors").await;
    browser.check_accessibility("set-up-errors").await;
    browser.fill("#f-timeout", "5000").await;
    browser.fill("#f-addresses", "127.0.0.1").await;
    if !browser.find("#f-compared").await.is_selected().await.unwrap() {
        browser.find("#f-compared").await.click().await.unwrap();
    }
    browser.press("Save").await;
    let snapshot = tracker.store.snapshot();
    let saved = snapshot.application("confluence:1").expect("saved");
    assert_eq!(saved.rules.timeout.as_millis(), 5_000);
    assert_eq!(saved.keys.certificate.as_ref().unwrap().fingerprint().to_string(), shown);
    assert_eq!(saved.rules.min_protocol, Protocol::V4);

    browser.open(&tracker.console("")).await;
    assert!(browser.text().await.contains("confluence:1"));
    browser.picture("incoming").await;
    browser.check_accessibility("incoming").await;

    // Edit.
    browser.open(&tracker.console("/application?id=confluence%3A1")).await;
    browser.fill("#f-never_as", "admin").await;
    browser.check_accessibility("application").await;
    browser.picture("application").await;
    browser.press("Save").await;
    assert!(
        tracker
            .store
            .snapshot()
            .application("confluence:1")
            .unwrap()
            .rules
            .never_as
            .forbids(&"admin".parse().unwrap())
            .is_some()
    );

    // Would it be allowed?
    let ask = |user: &str, path: &str| {
        tracker.console(&format!(
            "/what-if?application=confluence%3A1&user={user}&method=GET&target={path}&address=127.0.0.1&protocol=4"
        ))
    };
    browser.open(&ask("fred", "%2Frest%2Fapi%2F2%2Fsearch")).await;
    assert!(browser.text().await.contains("Allowed"), "{}", browser.text().await);
    browser.picture("what-if-allowed").await;
    browser.check_accessibility("what-if-allowed").await;
    browser.open(&ask("admin", "%2Frest%2Fapi%2F2%2Fsearch")).await;
    assert!(browser.text().await.contains("PERMISSION_DENIED"));
    browser.open(&ask("fred", "%2Fsecure")).await;
    assert!(browser.text().await.contains("BAD_URL"));
    browser.picture("what-if-refused").await;
    browser.press("Add the path /secure…").await;
    let paths = browser.find("#f-paths").await.prop("value").await.unwrap().unwrap();
    assert_eq!(paths.split_whitespace().collect::<Vec<_>>(), ["/rest", "/secure"]);
    assert!(
        tracker
            .store
            .snapshot()
            .application("confluence:1")
            .unwrap()
            .rules
            .paths
            .rule_for("/secure")
            .is_err()
    );

    // Own keys: the next one is published.
    browser.open(&tracker.console("/own")).await;
    let before = tracker.store.snapshot().own.as_ref().unwrap().certificate.content().seq;
    let publish = browser.find("form[action$='/own/publish'] button").await;
    browser.follow(&publish).await;
    let own = tracker.store.snapshot();
    assert_eq!(own.own.as_ref().unwrap().certificate.content().seq, before + 1);
    browser.picture("own-next").await;
    browser.check_accessibility("own-next").await;

    // The other pages.
    for (path, name) in [
        ("/servers", "servers"),
        ("/users", "users"),
        ("/audit", "audit"),
        ("/audit/verify", "audit-verify"),
        ("/what-if", "what-if"),
        ("/system", "system"),
    ] {
        browser.open(&tracker.console(path)).await;
        browser.picture(name).await;
        browser.check_accessibility(name).await;
    }
    browser.open(&tracker.console("/users")).await;
    browser.fill("#f-pattern", "left.*").await;
    browser.follow(&browser.find("main form button.primary, main form button").await).await;
    assert_eq!(tracker.store.snapshot().revoked_users.len(), 1);

    // Revoke its key, then the whole application, after a page that asks.
    let key = tracker.store.snapshot();
    let key = key.application("confluence:1").unwrap().keys.certificate.as_ref().unwrap();
    let key = key.content().current(KeyUse::Signing).unwrap().public.id();
    browser.open(&tracker.console(&format!("/application/revoke-key?id=confluence%3A1&key={key}"))).await;
    browser.picture("revoke-key").await;
    browser.check_accessibility("revoke-key").await;
    browser.follow(&browser.find("main button.destroy").await).await;
    assert_eq!(tracker.store.snapshot().application("confluence:1").unwrap().revoked_keys, [key]);
    browser.open(&tracker.console("/application/delete?id=confluence%3A1")).await;
    assert!(browser.text().await.contains("Wiki"), "it names what is deleted");
    browser.picture("delete").await;
    browser.check_accessibility("delete").await;
    assert!(tracker.store.snapshot().application("confluence:1").is_some(), "only after the confirmation");
    browser.follow(&browser.find("main button.destroy").await).await;
    assert!(tracker.store.snapshot().application("confluence:1").is_none());

    // All of it is in the trail, by name, and the trail is whole.
    browser.open(&tracker.console("/audit?subject=confluence%3A1")).await;
    let trail = browser.find("main table").await.text().await.unwrap().to_lowercase();
    for action in ["added", "changed", "key revoked", "removed"] {
        assert!(trail.contains(&format!("application: {action}")), "{action}:\n{trail}");
    }
    assert!(trail.contains("anna"));
    browser.picture("audit-filtered").await;
    assert!(tracker.store.verify_audit().await.unwrap().problems.is_empty());
    browser.end().await;
}
