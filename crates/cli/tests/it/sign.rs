//! `sign`, and what becomes of it.

use crate::home::Home;

fn pair() -> (Home, Home) {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &[]);
    wiki.call(&tracker);
    (tracker, wiki)
}

/// The words of a shell command, as the shell would split them.
fn words(command: &str) -> Vec<String> {
    shlex::split(&command.replace("\\\n", " ")).unwrap()
}

#[test]
fn three_forms_of_one_thing() {
    let (tracker, wiki) = pair();
    let url = format!("{}/rest/api/2/search?jql=a&b=[1]", tracker.base_url());
    let sign = |args: &[&str]| wiki.taa(&[&["sign", "GET", &url, "--user", "it's fred"], args].concat());

    let raw = sign(&["--raw"]).fine().stdout;
    assert!(
        raw.contains("X-Seraph-Trusted-App-Version: 4\n")
            && raw.contains("X-Seraph-Trusted-App-ID: wiki:1\n")
    );
    let lines = words(&sign(&[]).fine().stdout);
    assert_eq!(lines.iter().filter(|word| *word == "-H").count() * 2, lines.len());
    let curl = words(&sign(&["--curl"]).fine().stdout);
    assert_eq!(&curl[..3], ["curl", "--path-as-is", "--globoff"]);
    assert_eq!(curl.last().unwrap(), &url);
    let json = sign(&["--json"]).fine().json();
    assert_eq!((json["server"].as_str(), json["version"].as_u64()), (Some("tracker:1"), Some(4)));
    assert_eq!(json["headers"].as_array().unwrap().len(), raw.lines().count());
    sign(&["--raw", "--curl"]).ends(2);
}

#[test]
fn content_is_signed_and_quoted() {
    let (tracker, wiki) = pair();
    let url = format!("{}/rest/api/2/issue", tracker.base_url());
    let data = "{\"summary\":\"it's $HOME `x` \\\\ \n\"}";
    let args = ["sign", "POST", &url, "--user", "fred", "--content-type", "application/json", "--curl"];
    let curl = words(&wiki.taa(&[&args[..], &["--data", data]].concat()).fine().stdout);
    let at = curl.iter().position(|word| word == "--data-binary").unwrap();
    assert_eq!(curl[at + 1], data);
    assert!(curl.contains(&"Content-Type: application/json".to_owned()));
    assert!(curl.iter().any(|word| word.starts_with("Content-Digest: sha-256=:")));

    let curl = words(&wiki.taa(&[&args[..], &["--data", "@x"]].concat()).fine().stdout);
    assert!(curl.contains(&"--data-raw".to_owned()));
    let file = wiki.file("issue.json", data);
    let curl = words(&wiki.taa(&[&args[..], &["--data-file", &file]].concat()).fine().stdout);
    assert!(curl.contains(&format!("@{file}")));
    let untyped = ["sign", "POST", &url, "--user", "fred", "--data", "a=b", "--curl"];
    assert!(words(&wiki.taa(&untyped).fine().stdout).contains(&"Content-Type:".to_owned()));
    let piped = ["sign", "POST", &url, "--user", "fred", "--data-file", "-", "--raw"];
    assert!(wiki.taa_reading(&piped, data).fine().stdout.contains("Content-Digest"));
    wiki.taa(&["sign", "POST", &url, "--user", "fred", "--data-file", "nothing"]).ends(1);
    let head = words(&wiki.taa(&["sign", "HEAD", &url, "--user", "fred", "--curl"]).fine().stdout);
    assert!(head.contains(&"--head".to_owned()));
}

#[test]
fn what_is_not_signed() {
    let (tracker, wiki) = pair();
    let url = format!("{}/rest", tracker.base_url());
    let sign = |method: &str, url: &str, user: &str| wiki.taa(&["sign", method, url, "--user", user]);
    sign("GET", "http://127.0.0.1:1/rest", "fred").ends(4).remarks(&["no server"]);
    sign("GET", &format!("{url}#x"), "fred").ends(2);
    sign("GET", "/rest", "fred").ends(2);
    sign("GET", &format!("{url}/a b"), "fred").ends(2);
    sign("GET", &url, " fred").ends(2);
    sign("G T", &url, "fred").ends(2);
    sign("CONNECT", &url, "fred").ends(1);
    wiki.taa(&["server", "disable", "tracker:1"]).fine();
    sign("GET", &url, "fred").ends(1).remarks(&["disabled"]);
    let away = Home::empty();
    away.taa(&["sign", "GET", &url, "--user", "fred"]).ends(4);
}

#[test]
fn the_longest_base_url_wins() {
    let (tracker, wiki) = pair();
    let other = Home::of("other:1");
    let inner = format!("{}/rest/inner", tracker.base_url());
    wiki.call(&other);
    wiki.taa(&["server", "set", "other:1", "--base-url", &inner]).fine();
    for (path, server) in [("/rest/inner/x", "other:1"), ("/rest/innerx", "tracker:1")] {
        let url = format!("{}{path}", tracker.base_url());
        let json = wiki.taa(&["sign", "GET", &url, "--user", "fred", "--json"]).fine().json();
        assert_eq!(json["server"].as_str(), Some(server), "{path}");
    }
}
