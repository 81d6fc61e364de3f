//! Text that somebody else wrote, made safe for a terminal, and text that people type.

use url::Url;

use crate::exit::Failure;

/// Replaces what a terminal would act on or hide (control and format characters, direction marks) by `\u{…}`.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Characters of the general categories Cc, Cf, Zl, Zp, and those that are drawn as nothing.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `1 key`, `2 keys`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A base URL as typed. The rules it has to keep are checked where it is used.
pub(crate) fn base_url(typed: &str) -> Result<Url, Failure> {
    let url: Url = typed.trim().parse().map_err(|_| {
        Failure::usage(format!("`{}` is no URL: write it whole, with https://", plain(typed)))
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(Failure::usage("a base URL begins with https://, or with http:// where that is allowed")),
    }
}

/// `yes` or `no`.
pub(crate) const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on() {
        assert_eq!(plain("a\u{1b}[31m\n\u{202e}b\u{200b}"), "a\\u{1b}[31m\\u{a}\\u{202e}b\\u{200b}");
        for same in ["Jürgen Müller", "\"'\\", "हिन्दी", "日本", "https://x/?a=b#c"] {
            assert_eq!(plain(same), same);
        }
    }
}
