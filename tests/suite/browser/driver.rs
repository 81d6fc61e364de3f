//! A browser for one test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;

/// Chromium behind its own driver; both end with the test.
pub(super) struct Browser {
    pub(super) page: WebDriver,
    driver: Child,
}

impl Browser {
    pub(super) async fn start() -> Self {
        let (driver, port) = chromedriver();
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--force-device-scale-factor=1",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        let page = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.unwrap();
        let browser = Self { page, driver };
        browser.resize(1200, 1000).await;
        browser
    }

    /// A window whose page is so large; a phone is 360 wide.
    pub(super) async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.page.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.unwrap();
    }

    pub(super) async fn colour_scheme(&self, scheme: &str) {
        // Colours that are still on their way cannot be judged.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.page.cdp().send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
    }

    pub(super) async fn open(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    /// The element; the test fails with the page's text when it is not there.
    pub(super) async fn find(&self, selector: &str) -> WebElement {
        match self.page.find(By::Css(selector)).await {
            Ok(element) => element,
            Err(_) => panic!("no {selector} on this page:\n{}", self.text().await),
        }
    }

    pub(super) async fn has(&self, selector: &str) -> bool {
        !self.page.find_all(By::Css(selector)).await.unwrap().is_empty()
    }

    /// Everything that can be read on the page.
    pub(super) async fn text(&self) -> String {
        let text = self.page.execute("return document.body.innerText", vec![]).await.unwrap();
        text.json().as_str().unwrap().to_owned()
    }

    /// Clicks what leads to another page, and waits for that page.
    pub(super) async fn follow(&self, element: &WebElement) {
        self.page.execute("window.left = true", vec![]).await.unwrap();
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
        const THERE: &str = "return !window.left && document.readyState === 'complete'";
        let there = async {
            // While one page takes the place of the other nothing can be asked.
            while !self.page.execute(THERE, vec![]).await.is_ok_and(|there| there.json() == &json!(true)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), there).await.expect("the next page");
    }

    /// Types into a field in place of what stands there.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks a button or link by what it says, and waits for the next page; it must be the only one.
    pub(super) async fn press(&self, label: &str) {
        let mut found = Vec::new();
        for element in self.page.find_all(By::Css("button, a")).await.unwrap() {
            if element.text().await.unwrap().trim() == label {
                found.push(element);
            }
        }
        assert_eq!(found.len(), 1, "{label:?} on this page:\n{}", self.text().await);
        self.follow(&found.remove(0)).await;
    }

    /// Keeps a picture of the whole page, if somebody wants to look.
    pub(super) async fn picture(&self, name: &str) {
        let Some(dir) = std::env::var_os("TAA_SCREENSHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&dir).unwrap();
        let height = self.page.execute("return document.documentElement.scrollHeight", vec![]).await.unwrap();
        let width = self.page.execute("return window.innerWidth", vec![]).await.unwrap();
        let (width, height) = (width.json().as_u64().unwrap(), height.json().as_u64().unwrap());
        self.resize(u32::try_from(width).unwrap(), u32::try_from(height).unwrap().max(200)).await;
        std::fs::write(dir.join(format!("{name}.png")), self.page.screenshot_as_png().await.unwrap())
            .unwrap();
        self.resize(u32::try_from(width).unwrap(), 1000).await;
    }

    pub(super) async fn end(mut self) {
        self.page.clone().quit().await.unwrap();
        self.driver.kill().unwrap();
    }
}

impl Drop for Browser {
    /// After a failed test too.
    fn drop(&mut self) {
        let _gone = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

/// Starts chromedriver on a port of its choice, which it tells.
fn chromedriver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is needed: Debian's package is chromium-driver");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next().expect("chromedriver ended").unwrap();
        let Some((_, port)) = line.split_once("started successfully on port ") else { continue };
        break port.trim_end_matches('.').parse().unwrap();
    };
    // Nobody reads the rest; a full pipe must not stop it.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
}
