//! The routes, as a client meets them.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};
use taa_core::time::{ManualClock, UnixMillis};
use tower::ServiceExt;

use crate::{NewIssue, Priority, Summary, Tracker, Viewer, ViewerName, router};

const VIEW: &str = "/sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml";

fn tracker() -> Arc<Tracker> {
    let clock = Arc::new(ManualClock::new(UnixMillis(1_777_887_000_000)));
    Arc::new(Tracker::sample("https://tracker.example/".parse().unwrap(), clock))
}

async fn send(tracker: &Arc<Tracker>, viewer: Option<&str>, mut request: Request<Body>) -> Response {
    if let Some(name) = viewer {
        request.extensions_mut().insert(ViewerName(name.to_owned()));
    }
    router(Arc::clone(tracker)).oneshot(request).await.unwrap()
}

async fn ask(viewer: Option<&str>, path: &str) -> (StatusCode, String) {
    let response = send(&tracker(), viewer, Request::get(path).body(Body::empty()).unwrap()).await;
    let status = response.status();
    (status, text(response).await)
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn ask_json(viewer: Option<&str>, path: &str) -> (StatusCode, Value) {
    let (status, body) = ask(viewer, path).await;
    (status, serde_json::from_str(&body).unwrap())
}

fn post(body: &Value) -> Request<Body> {
    Request::post("/rest/api/2/issue")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[tokio::test]
async fn search_by_viewer() {
    for (viewer, keys) in [
        (Some("admin"), json!(["HSP-1", "MKY-1"])),
        (Some("fred"), json!(["HSP-1"])),
        (Some("Fred"), json!(["HSP-1"])),
        (Some("blocked"), json!([])),
        (Some("ghost"), json!([])),
        (None, json!([])),
    ] {
        let (status, body) = ask_json(viewer, "/rest/api/2/search").await;
        assert_eq!(status, StatusCode::OK);
        let found: Vec<_> =
            body["issues"].as_array().unwrap().iter().map(|issue| issue["key"].clone()).collect();
        assert_eq!(Value::from(found), keys, "{viewer:?}");
        assert_eq!(body["total"], keys.as_array().unwrap().len());
    }
}

#[tokio::test]
async fn search_shape() {
    let (_, body) = ask_json(Some("admin"), "/rest/api/2/search?jql=project+%3D+HSP&maxResults=5").await;
    assert_eq!((&body["startAt"], &body["maxResults"], &body["total"]), (&json!(0), &json!(5), &json!(1)));
    let fields = &body["issues"][0]["fields"];
    assert_eq!(fields["project"]["key"], "HSP");
    assert_eq!(fields["issuetype"]["name"], "Improvement");
    assert_eq!(fields["status"]["name"], "In Progress");
    assert_eq!(fields["priority"]["iconUrl"], "https://tracker.example/images/icons/major.svg");
    assert_eq!(fields["assignee"]["name"], "fred");
    assert_eq!(fields["reporter"]["displayName"], "Ada Administrator");
    assert_eq!(fields["created"], "2026-05-04T09:30:00.000+0000");
    assert_eq!(fields["duedate"], "2026-06-01");
    assert_eq!(fields["resolution"], Value::Null);
}

#[tokio::test]
async fn search_in_parts() {
    let (_, body) = ask_json(Some("admin"), "/rest/api/2/search?startAt=1&maxResults=1").await;
    assert_eq!((&body["total"], &body["issues"][0]["key"]), (&json!(2), &json!("MKY-1")));
    let (_, body) = ask_json(Some("admin"), "/rest/api/2/search?startAt=18446744073709551615").await;
    assert_eq!((&body["total"], &body["issues"]), (&json!(2), &json!([])));
    let (_, body) = ask_json(Some("admin"), "/rest/api/2/search?maxResults=999999").await;
    assert_eq!(body["maxResults"], 1000);
}

#[tokio::test]
async fn search_not_understood() {
    for query in ["jql=assignee%3Dfred", "startAt=-1", "maxResults=x", "jql=a&jql=b", "jql=key%3DHSP"] {
        let (status, body) = ask_json(Some("admin"), &format!("/rest/api/2/search?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(body["errorMessages"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn one_issue() {
    let (status, body) = ask_json(Some("admin"), "/rest/api/2/issue/MKY-1").await;
    assert_eq!((status, &body["fields"]["resolution"]["name"]), (StatusCode::OK, &json!("Fixed")));
    let (_, hidden) = ask_json(Some("fred"), "/rest/api/2/issue/MKY-1").await;
    for (viewer, key) in [(Some("fred"), "MKY-1"), (Some("fred"), "MKY-9"), (None, "HSP-1"), (None, "%ff")] {
        let (status, body) = ask(viewer, &format!("/rest/api/2/issue/{key}")).await;
        if key == "%ff" {
            assert_eq!(status, StatusCode::BAD_REQUEST);
        } else {
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), hidden, "{key}");
        }
    }
}

#[tokio::test]
async fn myself() {
    let (status, body) = ask_json(Some("FRED"), "/rest/api/2/myself").await;
    assert_eq!((status, &body["name"], &body["active"]), (StatusCode::OK, &json!("fred"), &json!(true)));
    for viewer in [None, Some("ghost"), Some("blocked")] {
        assert_eq!(ask(viewer, "/rest/api/2/myself").await.0, StatusCode::UNAUTHORIZED, "{viewer:?}");
    }
}

#[tokio::test]
async fn create() {
    let tracker = tracker();
    let new = json!({"fields": {"project": {"key": "HSP"}, "summary": "made by <test>", "duedate": "2026-07-01",
        "issuetype": {"name": "task"}, "priority": {"name": "Minor"}, "assignee": {"name": "ADMIN"}}});

    let refused = send(&tracker, None, post(&new)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);

    let made = send(&tracker, Some("fred"), post(&new)).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()[LOCATION], "https://tracker.example/rest/api/2/issue/HSP-2");

    let request = Request::get("/rest/api/2/issue/HSP-2").body(Body::empty()).unwrap();
    let body: Value = serde_json::from_str(&text(send(&tracker, Some("fred"), request).await).await).unwrap();
    assert_eq!(body["fields"]["reporter"]["name"], "fred");
    assert_eq!(body["fields"]["assignee"]["name"], "admin");
    assert_eq!(body["fields"]["status"]["name"], "Open");
}

#[tokio::test]
async fn create_refused() {
    for (body, field) in [
        (json!({"fields": {"project": {"key": "MKY"}, "summary": "x"}}), "project"),
        (json!({"fields": {"project": {"key": "hsp"}, "summary": "x"}}), "project"),
        (json!({"fields": {"project": {"key": "HSP"}, "summary": "a\nb"}}), "summary"),
        (
            json!({"fields": {"project": {"key": "HSP"}, "summary": "x", "priority": {"name": "?"}}}),
            "priority",
        ),
        (
            json!({"fields": {"project": {"key": "HSP"}, "summary": "x", "issuetype": {"name": ""}}}),
            "issuetype",
        ),
        (json!({"fields": {"project": {"key": "HSP"}, "summary": "x", "duedate": "tomorrow"}}), "duedate"),
        (
            json!({"fields": {"project": {"key": "HSP"}, "summary": "x", "assignee": {"name": "ghost"}}}),
            "assignee",
        ),
    ] {
        let response = send(&tracker(), Some("fred"), post(&body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let answer: Value = serde_json::from_str(&text(response).await).unwrap();
        assert!(answer["errors"][field].is_string(), "{answer}");
    }
    for body in [json!({}), json!({"fields": {"project": {"key": "HSP"}, "summary": "x", "votes": 9}})] {
        let response = send(&tracker(), Some("fred"), post(&body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
    }
}

/// Every text of the document, with the names of the elements around it; fails when it is not well-formed.
fn texts(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let mut path = Vec::new();
    let mut out: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                for attribute in start.attributes() {
                    attribute.unwrap();
                }
                path.push(start.name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().unwrap();
                text.push(c.unwrap());
            }
            Event::End(_) => {
                out.push((path.join("/"), std::mem::take(&mut text)));
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(path.is_empty());
    out
}

#[tokio::test]
async fn xml_view_by_viewer() {
    for (viewer, count) in [(Some("admin"), 2), (Some("fred"), 1), (Some("ghost"), 0), (None, 0)] {
        let (status, xml) = ask(viewer, VIEW).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            texts(&xml).iter().filter(|(path, _)| path == "rss/channel/item").count(),
            count,
            "{viewer:?}"
        );
        assert!(xml.contains(&format!("<issue start=\"0\" end=\"{count}\" total=\"{count}\"/>")), "{xml}");
    }
}

#[tokio::test]
async fn xml_view_elements() {
    let (_, xml) = ask(Some("admin"), &format!("{VIEW}?jqlQuery=key%3DHSP-1&tempMax=10")).await;
    let texts = texts(&xml);
    let text = |name: &str| {
        let path = format!("rss/channel/{name}");
        texts.iter().find(|(at, _)| *at == path).map(|(_, text)| text.as_str())
    };
    assert_eq!(text("link"), Some("https://tracker.example/?jqlQuery=key%3DHSP-1"));
    assert_eq!(text("item/title"), Some("[HSP-1] Log in once, be known in <both> applications"));
    assert_eq!(text("item/link"), Some("https://tracker.example/browse/HSP-1"));
    assert_eq!(text("item/created"), Some("Mon, 4 May 2026 09:30:00 +0000"));
    assert_eq!(text("item/due"), Some("Mon, 1 Jun 2026 00:00:00 +0000"));
    assert_eq!(text("item/resolution"), Some("Unresolved"));
    assert_eq!(text("item/assignee"), Some("Fred Normal"));
    assert_eq!(text("item/labels/label"), Some("trust"));
    for name in [
        "project",
        "key",
        "summary",
        "type",
        "priority",
        "status",
        "reporter",
        "updated",
        "version",
        "fixVersion",
        "component",
        "votes",
        "description",
    ] {
        assert!(text(&format!("item/{name}")).is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert!(xml.contains("<resolution id=\"-1\">") && xml.contains("<assignee username=\"fred\">"));
}

#[tokio::test]
async fn xml_view_limits() {
    for (query, status) in [
        ("tempMax=0", StatusCode::FORBIDDEN),
        ("tempMax=-1", StatusCode::FORBIDDEN),
        ("tempMax=1001", StatusCode::FORBIDDEN),
        ("tempMax=9223372036854775807", StatusCode::FORBIDDEN),
        ("tempMax=1000", StatusCode::OK),
        ("tempMax=x", StatusCode::BAD_REQUEST),
        ("pager%2Fstart=x", StatusCode::BAD_REQUEST),
        ("jqlQuery=order+by+key", StatusCode::BAD_REQUEST),
        ("sorter%2Ffield=key&field=link", StatusCode::OK),
    ] {
        assert_eq!(ask(Some("admin"), &format!("{VIEW}?{query}")).await.0, status, "{query}");
    }
    let (_, xml) = ask(Some("admin"), &format!("{VIEW}?pager/start=1&tempMax=1")).await;
    assert!(xml.contains("<issue start=\"1\" end=\"2\" total=\"2\"/>") && xml.contains("MKY-1"));
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    const HOSTILE: &str =
        "]]></summary><script>alert('x')</script>&bogus;<!-- \" \u{fffe}\u{202e} {{ x }} <?php";
    let tracker = tracker();
    let new = NewIssue {
        project: "HSP".parse().unwrap(),
        summary: Summary::parse(HOSTILE).unwrap(),
        description: format!("{HOSTILE}\0\u{1b}"),
        issue_type: crate::IssueType::Bug,
        priority: Priority::Trivial,
        assignee: None,
        due: None,
    };
    tracker.create(&Viewer(Some("fred".into())), new).unwrap();

    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let xml = text(send(&tracker, Some("fred"), get(VIEW)).await).await;
    let expected = HOSTILE.replace('\u{fffe}', "\u{fffd}");
    let texts = texts(&xml);
    assert!(texts.iter().any(|(path, text)| path == "rss/channel/item/summary" && *text == expected));
    assert!(!xml.contains("<script"));

    for path in ["/", "/browse/HSP-2"] {
        let page = text(send(&tracker, Some("fred"), get(path)).await).await;
        assert!(page.contains("alert") && !page.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn pages() {
    let (status, page) = ask(Some("fred"), "/browse/HSP-1").await;
    assert!(status == StatusCode::OK && page.contains("Fred Normal") && page.contains("&#60;both&#62;"));
    let (status, page) = ask(None, "/browse/HSP-1").await;
    assert!(status == StatusCode::UNAUTHORIZED && page.contains("<h1>Log in</h1>"));
    let (status, page) = ask(Some("fred"), "/browse/MKY-1").await;
    assert!(status == StatusCode::NOT_FOUND && !page.contains("signing key"));
    let (_, page) = ask(None, "/").await;
    assert!(page.contains("You are not logged in") && !page.contains("HSP-1"));
    let (status, page) = ask(Some("admin"), "/?jqlQuery=%3Cb%3E").await;
    assert!(status == StatusCode::BAD_REQUEST && page.contains("not understood") && !page.contains("<b>"));
    let (_, page) = ask(None, "/browse/%3Cscript%3E").await;
    assert!(!page.contains("<script>"));
}

#[tokio::test]
async fn headers() {
    for path in ["/", "/rest/api/2/search", VIEW, "/nowhere", "/browse/MKY-1"] {
        let response = send(&tracker(), None, Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(
            response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'")
        );
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store", "{path}");
    }
    for path in ["/style.css", "/images/icons/bug.svg"] {
        let response = send(&tracker(), None, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers()[CACHE_CONTROL].to_str().unwrap().starts_with("public"), "{path}");
    }
    assert_eq!(ask(None, "/images/icons/none.svg").await.0, StatusCode::NOT_FOUND);
}
