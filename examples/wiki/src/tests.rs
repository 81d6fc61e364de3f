//! The routes, as a browser meets them.

use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use example_support::{Attempts, Password};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use taa_console::{Access, AdminCheck as _};
use taa_core::time::ManualClock;
use tower::ServiceExt;

use crate::admin::WikiAdmin;
use crate::session::Sessions;
use crate::{
    FetchError, Fetched, IssueRow, IssueSource, IssueTable, Page, Settings, TrustNotice, UserBase, Wiki,
    router, sample,
};

/// Hashing passwords is slow on purpose; once is enough.
static USERS: LazyLock<UserBase> = LazyLock::new(|| sample::users().unwrap());

/// The user and the query of one question.
type Question = (Option<String>, String);

/// Answers what it is told, and remembers what it was asked.
#[derive(Clone)]
struct Told {
    answer: Fetched,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl IssueSource for Told {
    async fn search(&self, user: Option<&str>, query: &str) -> Fetched {
        self.asked.lock().unwrap().push((user.map(str::to_owned), query.to_owned()));
        self.answer.clone()
    }
}

fn told(issues: Result<IssueTable, FetchError>, trust: TrustNotice, warning: Option<&str>) -> Told {
    let answer = Fetched { issues, trust, warning: warning.map(str::to_owned) };
    Told { answer, asked: Arc::default() }
}

fn one_issue(summary: &str, link: &str) -> IssueTable {
    IssueTable {
        title: "Tracker".into(),
        link: "https://tracker.example/?jqlQuery=".parse().ok(),
        total: 1,
        issues: vec![IssueRow {
            key: "HSP-1".into(),
            link: link.parse().ok(),
            summary: summary.into(),
            issue_type: "Bug".into(),
            status: "Open".into(),
            ..IssueRow::default()
        }],
    }
}

fn empty() -> Told {
    told(Ok(IssueTable::default()), TrustNotice::Anonymous, None)
}

/// A browser with its cookies, at a wiki of its own.
struct Browser {
    wiki: Arc<Wiki>,
    app: Router,
    cookies: Vec<(String, String)>,
    clock: Arc<ManualClock>,
}

impl Browser {
    fn new(source: Told) -> Self {
        Self::with(source, "http://wiki.example/", true, sample::pages())
    }

    fn with(source: Told, base: &str, trust_warnings: bool, pages: Vec<Page>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let settings = Settings {
            base: base.parse().unwrap(),
            tracker: "https://tracker.example/".parse().unwrap(),
            trust_warnings,
        };
        let wiki = Wiki::new(settings, USERS.clone(), pages, source, clock.clone()).unwrap();
        Self::at(wiki, clock)
    }

    fn at(wiki: Wiki, clock: Arc<ManualClock>) -> Self {
        let wiki = Arc::new(wiki);
        Self { app: router(Arc::clone(&wiki)), wiki, cookies: Vec::new(), clock }
    }

    /// What the console is told about a request of this browser.
    async fn access(&self) -> Access {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get("/admin/trust").header(COOKIE, cookies.join("; ")).body(()).unwrap();
        WikiAdmin(Arc::clone(&self.wiki)).check(&request.into_parts().0).await.unwrap()
    }

    async fn send(&mut self, mut request: Request<Body>) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        let response = self.app.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    async fn open(&mut self, path: &str) -> (StatusCode, String) {
        let response = self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn post(&mut self, path: &str, form: &str) -> Response {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    async fn log_in(&mut self, name: &str) -> Response {
        let token = token(&self.open("/login?page=sprint-board").await.1);
        self.post("/login", &format!("name={name}&password={name}&page=sprint-board&token={token}")).await
    }
}

/// The hidden field of the page's first form.
fn token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_is_logged_in() {
    let source = empty();
    let mut browser = Browser::new(source.clone());
    let (status, page) = browser.open("/pages/sprint-board").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Nobody is logged in") && page.contains("You are not logged in, "));
    assert!(page.contains("(0 issues)") && page.contains("No issues were found"));
    assert_eq!(*source.asked.lock().unwrap(), [(None, String::new())]);
}

#[tokio::test]
async fn the_reader_is_named_to_the_tracker() {
    let source =
        told(Ok(one_issue("one", "https://tracker.example/browse/HSP-1")), TrustNotice::Trusted, None);
    let mut browser = Browser::new(source.clone());
    let response = browser.log_in("Fred").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN, "the password is in lower case");
    let response = browser.log_in("fred").await;
    assert_eq!(
        (response.status(), &response.headers()[LOCATION]),
        (StatusCode::SEE_OTHER, &"/pages/sprint-board".parse().unwrap())
    );

    let (_, page) = browser.open("/pages/sprint-board").await;
    assert!(page.contains("<strong>Fred Normal</strong> (fred)"));
    assert!(page.contains("(1 issue)") && page.contains("href=\"https://tracker.example/browse/HSP-1\""));
    assert!(!page.contains("not logged in") && !page.contains("class=\"box"));
    let headings = "T Key Summary Assignee Reporter P Status Resolution Created Updated Due"
        .split(' ')
        .map(|heading| format!("<th scope=\"col\">{heading}</th>"))
        .collect::<String>();
    assert!(page.contains(&headings), "{page}");
    assert_eq!(*source.asked.lock().unwrap(), [(Some("fred".into()), String::new())]);
}

#[tokio::test]
async fn parameters_of_the_macro() {
    let source =
        told(Ok(one_issue("one", "https://tracker.example/browse/HSP-1")), TrustNotice::Trusted, None);
    let mut browser = Browser::new(source.clone());
    browser.log_in("admin").await;
    let (_, page) = browser.open("/pages/macro-examples").await;
    assert!(page.contains(">1 issue</a></p>"), "{page}");
    assert!(page.contains("<th scope=\"col\">Fix Version</th>"));
    assert!(page.contains("This macro cannot be shown:") && page.contains("colour"));
    assert!(page.contains("never tells the tracker who you are"));
    let admin = || Some("admin".to_owned());
    assert_eq!(
        *source.asked.lock().unwrap(),
        [(admin(), "project = HSP".into()), (admin(), "project = HSP".into()), (None, "key = HSP-1".into())]
    );
}

#[tokio::test]
async fn warnings() {
    let other = TrustNotice::Other { code: "OLD_CERT".into(), message: "<Certificate> too old".into() };
    for (trust, on, off) in [
        (TrustNotice::Trusted, false, false),
        (TrustNotice::ApplicationUnknown, true, false),
        (TrustNotice::NotSupported, true, false),
        (TrustNotice::UserUnknown, true, true),
        (TrustNotice::Unproven, true, true),
        (other, true, true),
    ] {
        for (switched_on, force, shown) in
            [(true, "", on), (false, "", off), (false, "|forceTrustWarnings=true", on)]
        {
            for text in [Some("<i>told so</i>"), None] {
                let page = Page {
                    id: "x".into(),
                    title: "X".into(),
                    about: String::new(),
                    source: format!("{{jiraissues:HSP-1{force}}}"),
                };
                let source = told(Ok(IssueTable::default()), trust.clone(), text);
                let mut browser = Browser::with(source, "http://wiki.example/", switched_on, vec![page]);
                let (_, page) = browser.open("/pages/x").await;
                assert_eq!(page.contains("box warning"), shown, "{trust:?} {switched_on} {force}");
                assert_eq!(page.contains("told so"), shown && text.is_some());
                assert!(!page.contains("<i>") && !page.contains("<Certificate>"));
                assert_eq!(page.contains("OLD_CERT"), matches!(trust, TrustNotice::Other { .. }));
            }
        }
    }
}

#[tokio::test]
async fn a_failed_connection_is_no_empty_list() {
    for error in [FetchError::Connection, FetchError::Status(500), FetchError::Query, FetchError::Unreadable]
    {
        let mut browser = Browser::new(told(Err(error), TrustNotice::Anonymous, None));
        let (status, page) = browser.open("/pages/sprint-board").await;
        assert!(status == StatusCode::OK && page.contains("box problem"), "{error:?}");
        assert!(!page.contains("No issues were found") && !page.contains("issues)"));
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let hostile = "\"><script>alert(1)</script>{{ 1 }}";
    for link in ["https://evil.example/browse/HSP-1", "javascript:alert(1)"] {
        let mut browser = Browser::new(told(Ok(one_issue(hostile, link)), TrustNotice::Trusted, None));
        let (_, page) = browser.open("/pages/sprint-board").await;
        assert!(page.contains("alert(1)") && !page.contains("<script"));
        assert!(!page.contains("evil.example") && !page.contains("javascript:"), "{link}");
    }
    let source = "<script>x</script>\n{jiraissues:url=HSP-1|columns=<script>}".to_owned();
    let page = Page { id: "x".into(), title: "<script>".into(), about: "<script>".into(), source };
    let mut browser = Browser::with(empty(), "http://wiki.example/", true, vec![page]);
    for path in ["/", "/pages/x", "/login?page=%22%3E%3Cscript%3E"] {
        assert!(!browser.open(path).await.1.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn login_needs_the_right_password_and_its_form() {
    let mut browser = Browser::new(empty());
    let token = token(&browser.open("/login").await.1);
    for (form, text) in [
        (format!("name=fred&password=wrong&token={token}"), "password is wrong"),
        (format!("name=nobody&password=nobody&token={token}"), "password is wrong"),
        ("name=fred&password=fred&token=".into(), "too old"),
    ] {
        let response = browser.post("/login", &form).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let page = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&page).contains(text), "{form}");
    }
    assert_eq!(browser.post("/login", "name=fred").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.open("/").await.1.contains("Nobody is logged in"));

    // Somebody else's form, sent by this browser.
    let foreign = self::token(&Browser::new(empty()).open("/login").await.1);
    let response = browser.post("/login", &format!("name=fred&password=fred&token={foreign}")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn where_a_login_leads() {
    for (page, target) in [("sprint-board", "/pages/sprint-board"), ("//evil.example", "/"), ("", "/")] {
        let mut browser = Browser::new(empty());
        let token = token(&browser.open("/login").await.1);
        let response =
            browser.post("/login", &format!("name=fred&password=fred&page={page}&token={token}")).await;
        assert_eq!(response.headers()[LOCATION], target, "{page}");
    }
}

#[tokio::test]
async fn a_session_ends() {
    let mut browser = Browser::new(empty());
    browser.log_in("ghost").await;
    assert!(browser.open("/").await.1.contains("Gil Host"));

    let response = browser.post("/logout", "token=AAAA").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let (_, page) = browser.open("/").await;
    assert!(page.contains("Gil Host"));

    let cookies = browser.cookies.clone();
    let response = browser.post("/logout", &format!("token={}", token(&page))).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.cookies, []);
    browser.cookies = cookies;
    assert!(
        browser.open("/").await.1.contains("Nobody is logged in"),
        "the session is gone, not only its cookie"
    );

    browser.cookies.clear();
    browser.log_in("ghost").await;
    browser.clock.advance(Sessions::LIFETIME);
    assert!(browser.open("/").await.1.contains("Nobody is logged in"));
}

#[tokio::test]
async fn cookies() {
    for (base, name, secure) in [
        ("http://wiki.example/", "wiki_session=", false),
        ("https://wiki.example/", "__Host-wiki_session=", true),
    ] {
        let mut browser = Browser::with(empty(), base, true, sample::pages());
        let response = browser.log_in("fred").await;
        let cookie = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .map(|cookie| cookie.to_str().unwrap())
            .find(|cookie| cookie.starts_with(name))
            .unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
        assert_eq!(cookie.contains("Secure"), secure);
        let first = browser.cookies.clone();
        browser.log_in_again().await;
        assert_ne!(browser.cookies, first, "every login has a session of its own");
    }
}

impl Browser {
    /// Logs in although somebody is logged in: `GET /login` would only lead back.
    async fn log_in_again(&mut self) {
        let session = std::mem::take(&mut self.cookies);
        let token = token(&self.open("/login").await.1);
        self.cookies.extend(session);
        self.post("/login", &format!("name=fred&password=fred&token={token}")).await;
    }
}

#[tokio::test]
async fn headers() {
    for path in ["/", "/login", "/pages/sprint-board", "/pages/none", "/none"] {
        let response = Browser::new(empty()).send(Request::get(path).body(Body::empty()).unwrap()).await;
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8_lossy(&bytes);
        assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("<script"), "{path}");
    }
}

/// The reader reads what the tracker of this workspace writes.
#[tokio::test]
async fn the_trackers_view_is_read() {
    let clock = Arc::new(ManualClock::default());
    let tracker = Arc::new(tracker::Tracker::sample("https://tracker.example/".parse().unwrap(), clock));
    let mut request = Request::get("/sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml?tempMax=1")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(tracker::ViewerName("admin".into()));
    let response = tracker::router(tracker).oneshot(request).await.unwrap();
    let xml = response.into_body().collect().await.unwrap().to_bytes();
    let table = IssueTable::from_xml(&xml).unwrap();
    assert_eq!((table.total, table.issues.len()), (2, 1));
    let row = &table.issues[0];
    assert_eq!(row.summary, "Log in once, be known in <both> applications");
    assert_eq!((row.resolution.as_str(), row.assignee.as_str()), ("Unresolved", "Fred Normal"));
    assert_eq!((row.labels.len(), row.components.len(), row.fix_versions.len()), (2, 1, 1));
    assert!(row.created.is_some() && row.updated.is_some() && row.due.is_some() && row.link.is_some());
}

const PASSWORD: &str = "correct horse battery";

fn with_administrator() -> Browser {
    let clock = Arc::new(ManualClock::default());
    let (base, tracker) =
        ("http://wiki.example/".parse().unwrap(), "http://tracker.example/".parse().unwrap());
    let password = Password::new(PASSWORD);
    Browser::at(
        Wiki::sample_with_administrator(base, tracker, empty(), clock.clone(), &password).unwrap(),
        clock,
    )
}

#[tokio::test]
async fn only_the_administrator_administers_trust() {
    let mut browser = with_administrator();
    let Access::NotLoggedIn { log_in_at: Some(log_in_at) } = browser.access().await else { panic!() };
    browser.log_in("fred").await;
    assert!(matches!(browser.access().await, Access::NotAdministrator));
    assert!(!browser.open("/").await.1.contains("/admin/trust"));

    // The password everybody knows is not the administrator's any more.
    let mut browser = with_administrator();
    assert_eq!(browser.log_in("admin").await.status(), StatusCode::FORBIDDEN);
    let form = browser.open(&log_in_at).await.1;
    assert!(form.contains("name=\"page\" value=\"/trust\""), "{form}");
    let (password, token) = (PASSWORD.replace(' ', "+"), token(&form));
    let response =
        browser.post("/login", &format!("name=Admin&password={password}&page=%2Ftrust&token={token}")).await;
    assert_eq!(response.headers()[LOCATION], "/admin/trust");
    let fresh = format!("{:?}", browser.access().await);
    assert!(matches!(browser.access().await, Access::Administrator(_)), "{fresh}");
    assert!(browser.open("/").await.1.contains("/admin/trust"));
    assert!(browser.wiki.sessions.is_fresh(&session(&browser)));

    // After a while the password is asked for once more.
    browser.clock.advance(Sessions::FRESH);
    assert!(!browser.wiki.sessions.is_fresh(&session(&browser)));
    let token = self::token(browser.open("/login/confirm").await.1.split_once("<main>").unwrap().1);
    for (form, status) in [
        (format!("password=wrong&token={token}"), StatusCode::FORBIDDEN),
        (format!("password={password}&token=AAAA"), StatusCode::FORBIDDEN),
        (format!("password={password}&token={token}"), StatusCode::SEE_OTHER),
    ] {
        assert_eq!(browser.post("/login/confirm", &form).await.status(), status, "{form}");
    }
    assert!(browser.wiki.sessions.is_fresh(&session(&browser)));
    let nobody = with_administrator().open("/login/confirm").await;
    assert_eq!(nobody.0, StatusCode::SEE_OTHER);
}

fn session(browser: &Browser) -> example_support::Secret {
    let (_, value) = browser.cookies.iter().find(|(name, _)| name == "wiki_session").unwrap();
    example_support::Secret::parse(value).unwrap()
}

#[tokio::test]
async fn without_a_console_nobody_administers() {
    let mut browser = Browser::new(empty());
    browser.log_in("admin").await;
    assert!(matches!(browser.access().await, Access::NotAdministrator));
}

#[tokio::test]
async fn too_many_wrong_passwords() {
    let mut browser = Browser::new(empty());
    let form = |password: &str, token: &str| format!("name=fred&password={password}&token={token}");
    let token = token(&browser.open("/login").await.1);
    for _ in 0..Attempts::PER_ADDRESS {
        assert_eq!(browser.post("/login", &form("wrong", &token)).await.status(), StatusCode::FORBIDDEN);
    }
    let response = browser.post("/login", &form("fred", &token)).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    browser.clock.advance(Attempts::WINDOW);
    assert_eq!(browser.post("/login", &form("fred", &token)).await.status(), StatusCode::SEE_OTHER);
}
