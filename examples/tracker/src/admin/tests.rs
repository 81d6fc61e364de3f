use std::time::Duration;

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use taa_core::time::ManualClock;
use tower::ServiceExt as _;

use super::*;

const PASSWORD: &str = "correct horse battery";

/// A browser with its cookies.
struct Browser {
    admin: AdminLogin,
    cookies: Vec<(String, String)>,
    set: Vec<String>,
}

fn admin(base: &str, clock: Arc<dyn Clock>) -> AdminLogin {
    let id = AppId::parse("tracker:1").unwrap();
    let password = Password::new(PASSWORD);
    AdminLogin::new(&password, &id, &base.parse().unwrap(), TrustedProxies::default(), clock).unwrap()
}

impl Browser {
    fn new(admin: &AdminLogin) -> Self {
        Self { admin: admin.clone(), cookies: Vec::new(), set: Vec::new() }
    }

    fn headers(&self) -> HeaderMap {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderMap::from_iter([(COOKIE, cookies.join("; ").parse().unwrap())])
    }

    async fn send(&mut self, mut request: Request<Body>) -> (StatusCode, String, String) {
        request.headers_mut().extend(self.headers());
        let response = self.admin.router().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            self.set.push(cookie.to_owned());
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let to =
            response.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        let page = response.into_body().collect().await.unwrap().to_bytes();
        (status, to, String::from_utf8(page.to_vec()).unwrap())
    }

    async fn open(&mut self, path: &str) -> (StatusCode, String, String) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &str) -> (StatusCode, String, String) {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Opens a page with a form and sends it.
    async fn fill(&mut self, page: &str, action: &str, fields: &str) -> (StatusCode, String, String) {
        let (_, _, text) = self.open(page).await;
        let token =
            text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        self.post(action, &format!("{fields}&token={token}")).await
    }

    async fn log_in(&mut self, name: &str, password: &str) -> (StatusCode, String, String) {
        let password = password.replace(' ', "+");
        self.fill(LOG_IN_AT, LOG_IN_AT, &format!("name={name}&password={password}")).await
    }

    fn is_in(&self) -> Option<bool> {
        self.admin.logged_in(&self.headers()).map(|logged_in| logged_in.fresh)
    }
}

#[tokio::test]
async fn in_and_out() {
    let clock = Arc::new(ManualClock::new(UnixMillis(1_790_000_000_000)));
    let admin = admin("http://tracker.example/", clock.clone());
    let mut browser = Browser::new(&admin);
    assert_eq!(browser.open(HOME_AT).await.1, LOG_IN_AT);
    for (name, password) in [("admin", "wrong password"), ("fred", PASSWORD), ("", "")] {
        let (status, _, page) = browser.log_in(name, password).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(page.contains("There is no such administrator, or the password is wrong."));
        assert_eq!(browser.is_in(), None);
    }
    let (status, to, _) = browser.log_in("admin", PASSWORD).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, CONSOLE_AT));
    assert_eq!(browser.is_in(), Some(true));
    let cookie = browser.set.iter().find(|cookie| cookie.starts_with("tracker_admin=")).unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));

    // After a while the password is asked for once more, and the session is the same.
    clock.advance(Session::FRESH);
    assert_eq!(browser.is_in(), Some(false));
    let before = admin.logged_in(&browser.headers()).unwrap().secret;
    assert_eq!(browser.fill(CONFIRM_AT, CONFIRM_AT, "password=wrong").await.0, StatusCode::FORBIDDEN);
    let password = PASSWORD.replace(' ', "+");
    let (status, _, _) = browser.fill(CONFIRM_AT, CONFIRM_AT, &format!("password={password}")).await;
    assert_eq!((status, browser.is_in()), (StatusCode::SEE_OTHER, Some(true)));
    assert_eq!(admin.logged_in(&browser.headers()).unwrap().secret.as_bytes(), before.as_bytes());

    // A copy of the cookie is no good after logging out.
    let copy = browser.cookies.clone();
    assert_eq!(browser.post("/admin/logout", "token=x").await.0, StatusCode::FORBIDDEN);
    assert_eq!(browser.fill(HOME_AT, "/admin/logout", "").await.0, StatusCode::SEE_OTHER);
    assert_eq!(browser.is_in(), None);
    browser.cookies = copy;
    assert_eq!(browser.is_in(), None);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let clock = Arc::new(ManualClock::new(UnixMillis(1_790_000_000_000)));
    let mut browser = Browser::new(&admin("https://tracker.example/", clock.clone()));
    browser.log_in("admin", PASSWORD).await;
    let cookie = browser.set.iter().find(|cookie| cookie.starts_with("__Host-tracker_admin=")).unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    clock.advance(Session::LIFETIME - Duration::from_millis(1));
    assert_eq!(browser.is_in(), Some(false));
    clock.advance(Duration::from_millis(1));
    assert_eq!(browser.is_in(), None);
}

#[tokio::test]
async fn another_site_cannot_send_the_forms() {
    let clock = Arc::new(ManualClock::new(UnixMillis(1_790_000_000_000)));
    let admin = admin("http://tracker.example/", clock);
    let mut browser = Browser::new(&admin);
    let form = format!("name=admin&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(browser.post(LOG_IN_AT, &format!("{form}&token=AAAA")).await.0, StatusCode::FORBIDDEN);
    // A token of another browser.
    let mut other = Browser::new(&admin);
    let (_, _, page) = other.open(LOG_IN_AT).await;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    browser.open(LOG_IN_AT).await;
    assert_eq!(browser.post(LOG_IN_AT, &format!("{form}&token={token}")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(browser.is_in(), None);
    assert_eq!(browser.post(LOG_IN_AT, "name=admin").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn too_many_failures() {
    let clock = Arc::new(ManualClock::new(UnixMillis(1_790_000_000_000)));
    let mut browser = Browser::new(&admin("http://tracker.example/", clock.clone()));
    for _ in 0..Attempts::PER_ADDRESS {
        assert_eq!(browser.log_in("admin", "wrong").await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(browser.log_in("admin", PASSWORD).await.0, StatusCode::TOO_MANY_REQUESTS);
    clock.advance(Attempts::WINDOW);
    assert_eq!(browser.log_in("admin", PASSWORD).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nodes_with_one_password_take_each_others_cookies() {
    let clock: Arc<ManualClock> = Arc::new(ManualClock::new(UnixMillis(1_790_000_000_000)));
    let mut browser = Browser::new(&admin("http://tracker.example/", clock.clone()));
    browser.log_in("admin", PASSWORD).await;
    let other = admin("http://tracker.example/", clock.clone());
    assert!(other.logged_in(&browser.headers()).is_some());
    assert_eq!(other.console_key().as_bytes(), browser.admin.console_key().as_bytes());
    let id = AppId::parse("tracker:1").unwrap();
    let changed = Password::new("another password");
    let base = "http://tracker.example/".parse().unwrap();
    let changed = AdminLogin::new(&changed, &id, &base, TrustedProxies::default(), clock).unwrap();
    assert!(changed.logged_in(&browser.headers()).is_none());
}
