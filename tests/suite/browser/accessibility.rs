//! What keeps people out of a page, found by looking at it as the browser lays it out.

use serde_json::json;

use super::driver::Browser;

impl Browser {
    /// Fails when this page cannot be used by everybody: in both colour schemes, wide and on a phone, by keyboard.
    pub(super) async fn check_accessibility(&self, name: &str) {
        for scheme in ["light", "dark"] {
            self.colour_scheme(scheme).await;
            let found = self.page.execute(CHECK, vec![]).await.unwrap();
            let problems: Vec<String> = serde_json::from_value(found.json().clone()).unwrap();
            assert!(problems.is_empty(), "{name}, {scheme}:\n{}", problems.join("\n"));
        }
        self.colour_scheme("light").await;
        self.check_keyboard(name).await;
        self.resize(360, 740).await;
        let found = self.page.execute(TOO_WIDE, vec![]).await.unwrap();
        let wide: Vec<String> = serde_json::from_value(found.json().clone()).unwrap();
        assert!(wide.is_empty(), "{name} is wider than a phone: {}", wide.join(", "));
        self.picture(&format!("{name}-phone")).await;
        self.resize(1200, 1000).await;
    }

    /// Tab reaches everything that can be used, in the order of the page, and one sees where one is.
    async fn check_keyboard(&self, name: &str) {
        let all = self.page.execute(FOCUSABLE, vec![]).await.unwrap();
        let all: Vec<String> = serde_json::from_value(all.json().clone()).unwrap();
        assert!(!all.is_empty(), "{name}: nothing to use");
        let mut reached = Vec::new();
        for _ in 0..all.len() {
            let key = json!({ "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            for kind in ["rawKeyDown", "keyUp"] {
                let mut event = key.clone();
                event["type"] = json!(kind);
                self.page.cdp().send_raw("Input.dispatchKeyEvent", event).await.unwrap();
            }
            let at = self.page.execute(FOCUSED, vec![]).await.unwrap();
            let at: (String, bool) = serde_json::from_value(at.json().clone()).unwrap();
            assert!(at.1, "{name}: one does not see that {} has the focus", at.0);
            reached.push(at.0);
        }
        assert_eq!(reached, all, "{name}: what Tab reaches, against what there is");
    }
}

/// A script that can name an element so that a person finds it.
macro_rules! script {
    ($text:literal) => {
        concat!(
            "const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + ' ' +
                JSON.stringify((e.textContent || e.value || '').trim().slice(0, 40));",
            $text
        )
    };
}

const CHECK: &str = script!(
    r##"
    const problems = [];
    const say = (what, e) => problems.push(what + (e ? ': ' + name(e) : ''));
    if (!document.documentElement.lang) say('no language');
    if (!document.title.trim()) say('no title');
    if (document.querySelectorAll('h1').length !== 1) say('not exactly one h1');
    if (document.querySelectorAll('main').length !== 1) say('not exactly one main');
    let level = 0;
    for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
        const n = Number(h.tagName[1]);
        if (n > level + 1) say('a heading level is left out', h);
        level = n;
    }
    const ids = new Set();
    for (const e of document.querySelectorAll('[id]')) {
        if (ids.has(e.id)) say('an id twice', e);
        ids.add(e.id);
    }
    for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
        const label = e.labels && e.labels.length && e.labels[0].textContent.trim();
        if (!label && !e.getAttribute('aria-label')) say('no label', e);
    }
    for (const e of document.querySelectorAll('[aria-describedby], [aria-labelledby]'))
        for (const a of ['aria-describedby', 'aria-labelledby'])
            for (const id of (e.getAttribute(a) || '').split(/\s+/).filter(Boolean))
                if (!document.getElementById(id)) say(a + ' leads nowhere (' + id + ')', e);
    for (const e of document.querySelectorAll('button, a[href]'))
        if (!(e.textContent.trim() || e.getAttribute('aria-label') || e.querySelector('img[alt]:not([alt=""])')))
            say('nothing to read', e);
    for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) say('no alt', e);
    for (const e of document.querySelectorAll('table')) if (!e.querySelector('th')) say('a table without headings', e);
    for (const e of document.querySelectorAll('a[href^="#"]'))
        if (!document.getElementById(e.getAttribute('href').slice(1))) say('a link within the page leads nowhere', e);

    // Contrast, WCAG 2.2, 1.4.3: 4.5 for text, 3 for large text.
    const rgba = (text) => { const m = text.match(/[\d.]+/g).map(Number), all = text.startsWith('color(') ? 255 : 1;
        return [m[0] * all, m[1] * all, m[2] * all, m.length > 3 ? m[3] : 1]; };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat([1]);
    const light = (c) => { const f = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
        return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
    const ground = (e) => { const stack = []; for (; e; e = e.parentElement) stack.push(rgba(getComputedStyle(e).backgroundColor));
        const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
        return stack.reverse().reduce((below, top) => over(top, below), canvas); };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const checked = new Set();
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.textContent.trim() || checked.has(e)) continue;
        checked.add(e);
        const style = getComputedStyle(e), box = e.getBoundingClientRect();
        // What is only for screen readers is one pixel large.
        if (style.visibility === 'hidden' || box.width < 2 || box.height < 2) continue;
        const below = ground(e), above = over(rgba(style.color), below);
        const [a, b] = [light(above), light(below)].sort((x, y) => y - x);
        const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
        const needed = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < needed) say('contrast ' + ratio.toFixed(2), e);
    }
    return problems;
"##
);

/// What stands out of the window and does not scroll in a box of its own.
const TOO_WIDE: &str = "
    if (document.documentElement.scrollWidth <= window.innerWidth) return [];
    const scrolls = (e) => { for (; e; e = e.parentElement) if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)) return true; return false; };
    return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1 && !scrolls(e))
        .slice(0, 5).map((e) => e.tagName + '.' + e.className).concat(['the page is ' + document.documentElement.scrollWidth + ' px wide']);
";

const FOCUSABLE: &str = script!(
    "
    // Begin at the beginning, wherever somebody has typed before.
    document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); window.scrollTo(0, 0);
    const radios = new Set();
    return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]')]
        .filter((e) => !e.disabled && e.checkVisibility())
        .filter((e) => { if (e.type !== 'radio') return true; // one stop for all of a group
            const group = [...document.getElementsByName(e.name)]; const stop = group.find((r) => r.checked) || group[0]; return e === stop; })
        .map(name);"
);

const FOCUSED: &str = script!(
    "
    const e = document.activeElement, s = getComputedStyle(e);
    const shown = (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none';
    return [name(e), shown];"
);
