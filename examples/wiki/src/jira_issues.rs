use url::Url;

use crate::column::Column;

/// The `jiraissues` macro: `{jiraissues:url=…|columns=…|count=…|anonymous=…|forceTrustWarnings=…}`.
///
/// `url` is the address of the tracker's XML view, the key of an issue, JQL, or `*` for all issues; it is the one parameter whose name may be
/// left out, when it stands first and has no `=`. Only the configured tracker is ever asked: a page's author must not be able to
/// send its readers' certificates elsewhere (product notes, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JiraIssues {
    /// The JQL to ask for; empty means everything.
    pub query: String,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// Whether only the number of issues is shown.
    pub count: bool,
    /// Whether the tracker is asked without naming the reader.
    pub anonymous: bool,
    /// Whether trust warnings are shown although the wiki has them switched off.
    pub force_trust_warnings: bool,
}

impl JiraIssues {
    /// The path of the XML view under the tracker's base address.
    const VIEW: &str = "sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml";

    /// Reads the parameters: what stands between `{jiraissues:` and `}`.
    ///
    /// # Errors
    /// The first parameter that is not understood.
    pub fn parse(parameters: &str, tracker: &Url) -> Result<Self, MacroError> {
        let mut query = None;
        let mut columns = None;
        let mut count = None;
        let mut anonymous = None;
        let mut force_trust_warnings = None;
        for (position, parameter) in parameters.split('|').enumerate() {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim(), value.trim()),
                None if position == 0 => ("url", parameter.trim()),
                None => return Err(MacroError::Parameter { name: parameter.trim().to_owned() }),
            };
            match name {
                "url" => once(&mut query, name, parse_query(value, tracker)?)?,
                "columns" => once(&mut columns, name, Column::parse_list(value)?)?,
                "count" => once(&mut count, name, parse_bool(name, value)?)?,
                "anonymous" => once(&mut anonymous, name, parse_bool(name, value)?)?,
                "forceTrustWarnings" => once(&mut force_trust_warnings, name, parse_bool(name, value)?)?,
                _ => return Err(MacroError::Parameter { name: name.to_owned() }),
            }
        }
        Ok(Self {
            query: query.ok_or(MacroError::NoUrl)?,
            columns: columns.unwrap_or_else(|| Column::DEFAULT.to_vec()),
            count: count.unwrap_or(false),
            anonymous: anonymous.unwrap_or(false),
            force_trust_warnings: force_trust_warnings.unwrap_or(false),
        })
    }
}

fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), MacroError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(MacroError::Twice { name: name.to_owned() }),
    }
}

fn parse_bool(name: &str, value: &str) -> Result<bool, MacroError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(MacroError::Flag { name: name.to_owned() }),
    }
}

fn parse_query(value: &str, tracker: &Url) -> Result<String, MacroError> {
    match value {
        "" => return Err(MacroError::NoUrl),
        "*" => return Ok(String::new()),
        _ => {}
    }
    if is_issue_key(value) {
        return Ok(format!("key = {value}"));
    }
    if !value.starts_with("http://") && !value.starts_with("https://") {
        return Ok(value.to_owned());
    }
    let url = Url::parse(value).map_err(|_| MacroError::Address)?;
    let view = tracker.join(JiraIssues::VIEW).map_err(|_| MacroError::Address)?;
    if url.origin() != view.origin() {
        return Err(MacroError::ForeignServer);
    }
    let password =
        |name: &str| name.eq_ignore_ascii_case("os_username") || name.eq_ignore_ascii_case("os_password");
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query_pairs().any(|(name, _)| password(&name))
    {
        return Err(MacroError::Credentials);
    }
    if url.path() != view.path() {
        return Err(MacroError::Address);
    }
    Ok(url
        .query_pairs()
        .find(|(name, _)| name == "jqlQuery")
        .map(|(_, jql)| jql.into_owned())
        .unwrap_or_default())
}

fn is_issue_key(text: &str) -> bool {
    text.split_once('-').is_some_and(|(project, number)| {
        project.starts_with(|c: char| c.is_ascii_uppercase())
            && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Why a macro cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacroError {
    /// The address is not that of the tracker's XML view.
    #[error("the address is not that of the tracker's XML view of a search")]
    Address,
    /// A name that no column has.
    #[error("there is no column \u{201c}{name}\u{201d}")]
    Column {
        /// The name.
        name: String,
    },
    /// The address has a user's name or password in it.
    #[error("the address has a user name or a password in it")]
    Credentials,
    /// A value other than `true` and `false`.
    #[error("\u{201c}{name}\u{201d} is true or false")]
    Flag {
        /// The parameter.
        name: String,
    },
    /// The address is of another server than the configured tracker.
    #[error("the address is not on the tracker that this wiki is connected to")]
    ForeignServer,
    /// There is no `url`.
    #[error("the parameter \u{201c}url\u{201d} says which issues to show")]
    NoUrl,
    /// A parameter that is not known.
    #[error("there is no parameter \u{201c}{name}\u{201d}")]
    Parameter {
        /// The name.
        name: String,
    },
    /// A parameter given twice.
    #[error("the parameter \u{201c}{name}\u{201d} is given twice")]
    Twice {
        /// The name.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &str) -> Result<JiraIssues, MacroError> {
        JiraIssues::parse(parameters, &"https://tracker.example/".parse().unwrap())
    }

    #[test]
    fn all_parameters() {
        let expected = JiraIssues {
            query: "project = HSP AND key = HSP-1".into(),
            columns: vec![Column::Key, Column::Summary],
            count: true,
            anonymous: true,
            force_trust_warnings: true,
        };
        let text = "url = project = HSP AND key = HSP-1 | columns=key;summary|count=true|anonymous=true\
                    |forceTrustWarnings=true";
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn where_to_ask() {
        let query = |text: &str| parse(text).map(|it| it.query);
        let view = "https://tracker.example/sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml";
        assert_eq!(query("*"), Ok(String::new()));
        assert_eq!(query("HSP-1"), Ok("key = HSP-1".into()));
        assert_eq!(query("url=HSP-1"), Ok("key = HSP-1".into()));
        assert_eq!(
            query(&format!("url={view}?jqlQuery=project+%3D+HSP&tempMax=5")),
            Ok("project = HSP".into())
        );
        assert_eq!(query(&format!("url={view}")), Ok(String::new()));
        for (url, why) in [
            (view.replace("tracker.example", "evil.example"), MacroError::ForeignServer),
            (view.replace("tracker.example", "tracker.example@evil.example"), MacroError::ForeignServer),
            (view.replace("tracker.example", "tracker.example:444"), MacroError::ForeignServer),
            (view.replace("https", "http"), MacroError::ForeignServer),
            (view.replace("//", "//fred:fred@"), MacroError::Credentials),
            (format!("{view}?OS_username=fred&os_password=x"), MacroError::Credentials),
            ("https://tracker.example/rest/api/2/search".into(), MacroError::Address),
            ("https://".into(), MacroError::Address),
        ] {
            assert_eq!(query(&format!("url={url}")), Err(why), "{url}");
        }
    }

    #[test]
    fn not_understood() {
        for (text, why) in [
            ("", MacroError::NoUrl),
            ("columns=key", MacroError::NoUrl),
            ("url=", MacroError::NoUrl),
            ("HSP-1|cache=off", MacroError::Parameter { name: "cache".into() }),
            ("HSP-1|key", MacroError::Parameter { name: "key".into() }),
            ("HSP-1|url=HSP-2", MacroError::Twice { name: "url".into() }),
            ("HSP-1|count=yes", MacroError::Flag { name: "count".into() }),
            ("HSP-1|columns=key,<b>", MacroError::Column { name: "<b>".into() }),
        ] {
            assert_eq!(parse(text), Err(why), "{text:?}");
        }
    }
}
