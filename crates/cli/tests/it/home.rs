//! A folder with a store, and a listener that serves what its application shows to others.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tempfile::TempDir;

/// What a run of the command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// It ended like this.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// It was fine.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        self.ends(0)
    }

    /// Its one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Standard output has all of these.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text), "{text:?} is not in {self:#?}");
        }
        self
    }

    /// Standard error has all of these.
    #[track_caller]
    pub(crate) fn remarks(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:#?}");
        }
        self
    }
}

/// One application's folder.
pub(crate) struct Home {
    folder: TempDir,
    served: Arc<Served>,
    base_url: String,
}

/// What the listener answers with; `None` is 404.
#[derive(Default)]
struct Served {
    document: Mutex<Option<String>>,
    page: Mutex<Option<String>>,
}

impl Home {
    /// An empty folder, and a listener that has nothing yet.
    pub(crate) fn empty() -> Self {
        let served = Arc::new(Served::default());
        let address = listen(Arc::clone(&served));
        Self { folder: TempDir::new().unwrap(), served, base_url: format!("http://{address}") }
    }

    /// An application with an identity, which serves its certificate.
    pub(crate) fn of(id: &str) -> Self {
        let home = Self::empty();
        let base_url = home.base_url.clone();
        home.taa(&[
            "init",
            "--id",
            id,
            "--name",
            &format!("The {id}"),
            "--base-url",
            &base_url,
            "--bits",
            "2048",
        ])
        .fine();
        home.serve();
        home
    }

    /// Serves the certificate as it is now.
    pub(crate) fn serve(&self) {
        let document = self.taa(&["certificate", "show", "--document"]).fine().stdout;
        *self.served.document.lock().unwrap() = Some(document);
    }

    /// Serves this instead of a certificate.
    pub(crate) fn serve_document(&self, document: Option<&str>) {
        *self.served.document.lock().unwrap() = document.map(str::to_owned);
    }

    /// Serves the page of the older versions, which says that it speaks this one.
    pub(crate) fn serve_page(&self, version: u8) {
        let page = self.taa(&["certificate", "show", "--page"]).fine().stdout;
        let mut lines: Vec<&str> = page.lines().collect();
        let version = version.to_string();
        lines[2] = &version;
        *self.served.page.lock().unwrap() = Some(lines.join("\n"));
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file only its owner can read; its name.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs the command here.
    pub(crate) fn taa(&self, args: &[&str]) -> Ran {
        run(self.folder.path(), args, None)
    }

    /// Runs it with this on standard input.
    pub(crate) fn taa_reading(&self, args: &[&str], stdin: &str) -> Ran {
        run(self.folder.path(), args, Some(stdin))
    }

    /// The fingerprint its own screen shows.
    pub(crate) fn fingerprint(&self) -> String {
        self.own("fingerprint").as_str().unwrap().to_owned()
    }

    /// A member of its own certificate.
    pub(crate) fn own(&self, member: &str) -> Value {
        self.taa(&["certificate", "show", "--json"]).fine().json()[member].clone()
    }

    /// Its key for this.
    pub(crate) fn key(&self, purpose: &str, status: &str) -> Option<String> {
        let keys = self.taa(&["key", "list", "--json"]).fine().json();
        let mut keys = keys.as_array().unwrap().iter();
        let key = keys.find(|key| key["purpose"] == purpose && key["status"] == status)?;
        Some(key["id"].as_str().unwrap().to_owned())
    }

    /// Lets this one trust another, with rules that let it use `/rest` from this machine.
    pub(crate) fn trust(&self, other: &Self, rules: &[&str]) {
        let fingerprint = other.fingerprint();
        let mut args = vec!["trust", "add", other.base_url(), "--fingerprint", &fingerprint];
        args.extend(["--addresses", "127.0.0.1", "--paths", "/rest"]);
        args.extend(rules);
        self.taa(&args).fine();
    }

    /// Lets this one call another.
    pub(crate) fn call(&self, other: &Self) {
        let fingerprint = other.fingerprint();
        self.taa(&["server", "add", other.base_url(), "--fingerprint", &fingerprint]).fine();
    }
}

/// Runs the command in a folder, with nothing of the environment that it would read.
pub(crate) fn run(folder: &Path, args: &[&str], stdin: Option<&str>) -> Ran {
    let mut command = assert_cmd::Command::cargo_bin("taa").unwrap();
    command.current_dir(folder).args(args);
    for name in ["TAA_STORE", "TAA_PASSPHRASE_FILE", "TAA_KEY_FILE", "TAA_NONCES", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    if let Some(text) = stdin {
        command.write_stdin(text);
    }
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Listens until the tests end.
fn listen(served: Arc<Served>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let router = Router::new().fallback(answer).with_state(served);
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response {
    let slot = match request.uri().path() {
        "/.well-known/taa-certificate" => &served.document,
        "/admin/appTrustCertificate" => &served.page,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let content = slot.lock().unwrap().clone();
    content.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}
