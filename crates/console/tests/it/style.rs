//! The stylesheet: what is written can be read, in both colour schemes.

use std::collections::HashMap;

use http::StatusCode;

use crate::world::World;

/// The custom properties of the first block after a text.
fn colours(css: &str, after: &str) -> HashMap<String, [f64; 3]> {
    let block = css.split(after).nth(1).unwrap().split('}').next().unwrap();
    let properties = block.split(';').filter_map(|line| line.trim().split_once(':'));
    let colour = |(name, value): (&str, &str)| {
        let hex = value.trim().strip_prefix('#').filter(|hex| hex.len() == 6)?;
        let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        Some((name.trim().trim_start_matches('-').to_owned(), [part(0), part(2), part(4)]))
    };
    properties.filter_map(colour).collect()
}

/// The contrast of WCAG 2.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour
            .map(|part| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[tokio::test]
async fn contrast_is_enough() {
    let world = World::new().await;
    let css = world.get("/style.css").await.is(StatusCode::OK).text;
    assert_eq!(world.get("/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert!(!css.contains("url(") && !css.contains("@import"), "nothing is loaded from elsewhere");
    for (scheme, after) in
        [("light", ":root {\n  color-scheme"), ("dark", "prefers-color-scheme: dark) {\n  :root {")]
    {
        let colours = colours(&css, after);
        assert!(colours.len() > 25, "{scheme}: {}", colours.len());
        let pairs = [
            ("ink", &["ground", "surface", "raised", "still-ground", "good-ground", "bad-ground"][..]),
            ("quiet", &["ground", "surface", "raised", "good-ground", "bad-ground"]),
            ("link", &["ground", "surface", "raised"]),
            ("accent-ink", &["accent"]),
            ("good", &["good-ground", "surface"]),
            ("warn", &["warn-ground", "surface", "raised"]),
            ("bad", &["bad-ground", "surface", "ground"]),
            ("info", &["info-ground"]),
            ("still", &["still-ground"]),
        ];
        for (text, grounds) in pairs {
            for ground in grounds {
                let contrast = contrast(colours[text], colours[*ground]);
                assert!(contrast >= 4.5, "{scheme}: {text} on {ground} is {contrast:.2}");
            }
        }
        // What is no text: borders of fields, the ring around what has the focus.
        for (line, ground) in [("field", "surface"), ("focus", "surface"), ("focus", "ground")] {
            let contrast = contrast(colours[line], colours[ground]);
            assert!(contrast >= 3.0, "{scheme}: {line} on {ground} is {contrast:.2}");
        }
    }
}
