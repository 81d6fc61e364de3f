//! The tracker and the wiki as they run: the page as each user sees it.

use clap::Parser;
use http::header;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::mpsc;
use url::Url;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_what_each_user_may_see() {
    let options = tracker::service::Options::try_parse_from(["tracker", "--listen", "127.0.0.1:0"]).unwrap();
    let mut tracker = tracker::service::Service::bind(options).await.unwrap();
    let server = tracker.base_url().to_string();
    let options =
        wiki::service::Options::try_parse_from(["wiki", "--listen", "127.0.0.1:0", "--server", &server])
            .unwrap();
    let wiki = wiki::service::Service::bind(options).await.unwrap();
    let url = wiki.base_url().clone();
    tracker.also_trust(url.clone());
    let mut expected = [
        tracker.trust().identity().certificate().fingerprint().to_string(),
        wiki.identity().certificate().fingerprint().to_string(),
    ];
    let trust = tracker.trust().clone();
    let (taken, mut told) = mpsc::unbounded_channel();
    let also_taken = taken.clone();
    let services = [
        tokio::spawn(tracker.run(move |_, peer| drop(taken.send(peer.fingerprint())))),
        tokio::spawn(wiki.run(move |_, peer| drop(also_taken.send(peer.fingerprint())))),
    ];
    let mut seen = [told.recv().await.unwrap(), told.recv().await.unwrap()];
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected, "what a person compares");

    for (name, issues) in [(Some("admin"), 2), (Some("fred"), 1), (None, 0), (Some("ghost"), 0)] {
        assert_eq!(issues_on_page(&url, name).await, issues, "{name:?}");
    }
    // Trust that is taken back shows with the next page.
    trust.replace_directory(taa_core::directory::Directory::default());
    assert_eq!(issues_on_page(&url, Some("admin")).await, 0);
    for service in services {
        service.abort();
    }
}

async fn issues_on_page(wiki: &Url, name: Option<&str>) -> usize {
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let cookies = match name {
        Some(name) => log_in(&client, wiki, name).await,
        None => String::new(),
    };
    let request = client.get(wiki.join("pages/sprint-board").unwrap()).header(header::COOKIE, cookies);
    let page = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    ["/browse/HSP-1\"", "/browse/MKY-1\""].iter().filter(|issue| page.contains(**issue)).count()
}

async fn log_in(client: &Client, wiki: &Url, name: &str) -> String {
    let url = wiki.join("login").unwrap();
    let response = client.get(url.clone()).send().await.unwrap();
    let first = cookies(&response);
    let form = response.text().await.unwrap();
    let token = form.split_once("name=\"token\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", name), ("password", name), ("token", token)])
        .finish();
    let response = client
        .post(url)
        .header(header::COOKIE, &first)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_redirection(), "{name} could not log in: {}", response.status());
    format!("{first}; {}", cookies(&response))
}

fn cookies(response: &reqwest::Response) -> String {
    let values = response.headers().get_all(header::SET_COOKIE).iter();
    values.filter_map(|value| value.to_str().ok()?.split(';').next()).collect::<Vec<_>>().join("; ")
}
