//! `audit`.

use crate::home::Home;

#[test]
fn listed() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &[]);
    tracker.taa(&["trust", "set", "wiki:1", "--timeout", "30000"]).fine();
    let all = tracker.taa(&["audit", "list", "--json"]).fine().json();
    let actions: Vec<&str> =
        all.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["application.changed", "application.added", "certificate.fetched", "identity.made"]);
    assert!(all[0]["actor"].as_str().unwrap().starts_with("cli:"));
    tracker.taa(&["audit", "list", "--limit", "1"]).fine().says(&[
        "application.changed",
        "wiki:1",
        "timeout_ms: 60000 → 30000",
    ]);
    let list = |args: &[&str]| {
        let listed = tracker.taa(&[&["audit", "list", "--json"], args].concat()).fine().json();
        listed.as_array().unwrap().len()
    };
    assert_eq!(list(&["--subject", "wiki:1"]), 3);
    assert_eq!(list(&["--action", "identity.made"]), 1);
    assert_eq!(list(&["--actor", "nobody"]), 0);
    assert_eq!(list(&["--before", "3"]), 2);
    assert_eq!((list(&["--since", "1h"]), list(&["--until", "1h"])), (4, 0));
    tracker.taa(&["audit", "list", "--actor", "nobody"]).fine().says(&["No such change"]);
    tracker.taa(&["audit", "list", "--action", "x"]).ends(2).remarks(&["application.added"]);
    tracker.taa(&["audit", "list", "--since", "yesterday"]).ends(2);
    tracker.taa(&["audit", "list", "--limit", "0"]).ends(2);
}

#[test]
fn verified() {
    let home = Home::of("wiki:1");
    let report = home.taa(&["audit", "verify", "--json"]).fine().json();
    assert_eq!((&report["whole"], &report["rows"]), (&true.into(), &1.into()));
    let head = report["head"].as_str().unwrap().to_owned();
    home.taa(&["certificate", "set", "--name", "New"]).fine();
    home.taa(&["audit", "verify", "--expect", &head]).fine().says(&["The trail is whole"]);
    let (_, hash) = head.split_once(':').unwrap();
    home.taa(&["audit", "verify", "--expect", &format!("2:{hash}")]).ends(3).says(&["another one"]);
    home.taa(&["audit", "verify", "--expect", &format!("9:{hash}")]).ends(3).says(&["not there"]);
    home.taa(&["audit", "verify", "--expect", "1:abc"]).ends(2);
    home.taa(&["audit", "verify", "--expect", hash]).ends(2);
}
