use jiff::civil::Date;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use serde::Deserialize;
use url::Url;

use crate::source::FetchError;

/// The issues of one answer, in the tracker's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueTable {
    /// What the tracker calls the list.
    pub title: String,
    /// Where the tracker shows the list to people.
    pub link: Option<Url>,
    /// How many issues there are in all; not all of them need to be here.
    pub total: usize,
    /// The issues.
    pub issues: Vec<IssueRow>,
}

/// One issue. Texts are as the tracker sent them: to be escaped, never trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the columns say it")]
pub struct IssueRow {
    pub key: String,
    pub link: Option<Url>,
    pub project: String,
    pub summary: String,
    pub description: String,
    pub issue_type: String,
    pub priority: String,
    pub status: String,
    pub resolution: String,
    pub assignee: String,
    pub reporter: String,
    pub created: Option<Date>,
    pub updated: Option<Date>,
    pub due: Option<Date>,
    pub labels: Vec<String>,
    pub versions: Vec<String>,
    pub fix_versions: Vec<String>,
    pub components: Vec<String>,
    pub votes: String,
}

impl IssueTable {
    /// Reads the tracker's XML view of a search (product notes, section 7.1). Elements that are not known are passed over; an
    /// element that is absent reads as empty, but an issue has a key. Links other than to `http` and `https` are left out.
    ///
    /// # Errors
    /// [`FetchError::Unreadable`] when it is something else.
    pub fn from_xml(bytes: &[u8]) -> Result<Self, FetchError> {
        let text = std::str::from_utf8(bytes).map_err(|_| FetchError::Unreadable)?;
        let Rss { channel } = quick_xml::de::from_str(text).map_err(|_| FetchError::Unreadable)?;
        let issues = channel.items.into_iter().map(Item::into_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            title: channel.title,
            link: link(&channel.link),
            total: channel.issue.and_then(|issue| issue.total).unwrap_or(issues.len()),
            issues,
        })
    }
}

fn link(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A day, of a moment as mail writes it; absent when the text is empty.
fn day(text: &str) -> Result<Option<Date>, FetchError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let moment = rfc2822::DateTimeParser::new().parse_timestamp(text.trim());
    moment.map(|moment| Some(moment.to_zoned(TimeZone::UTC).date())).map_err(|_| FetchError::Unreadable)
}

#[derive(Deserialize)]
struct Rss {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    title: String,
    #[serde(default)]
    link: String,
    issue: Option<Extent>,
    #[serde(default, rename = "item")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Extent {
    #[serde(rename = "@total")]
    total: Option<usize>,
}

#[derive(Deserialize)]
struct Item {
    key: Text,
    #[serde(default)]
    link: Text,
    #[serde(default)]
    project: Text,
    #[serde(default)]
    summary: Text,
    #[serde(default)]
    description: Text,
    #[serde(default, rename = "type")]
    issue_type: Text,
    #[serde(default)]
    priority: Text,
    #[serde(default)]
    status: Text,
    #[serde(default)]
    resolution: Text,
    #[serde(default)]
    assignee: Text,
    #[serde(default)]
    reporter: Text,
    #[serde(default)]
    created: Text,
    #[serde(default)]
    updated: Text,
    #[serde(default)]
    due: Text,
    #[serde(default)]
    labels: Labels,
    #[serde(default, rename = "version")]
    versions: Vec<Text>,
    #[serde(default, rename = "fixVersion")]
    fix_versions: Vec<Text>,
    #[serde(default, rename = "component")]
    components: Vec<Text>,
    #[serde(default)]
    votes: Text,
}

/// The text of an element, whatever attributes it has.
#[derive(Default, Deserialize)]
struct Text {
    #[serde(default, rename = "$text")]
    text: String,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(default, rename = "label")]
    labels: Vec<Text>,
}

impl Item {
    fn into_row(self) -> Result<IssueRow, FetchError> {
        if self.key.text.is_empty() {
            return Err(FetchError::Unreadable);
        }
        let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.text).collect();
        Ok(IssueRow {
            key: self.key.text,
            link: link(&self.link.text),
            project: self.project.text,
            summary: self.summary.text,
            description: self.description.text,
            issue_type: self.issue_type.text,
            priority: self.priority.text,
            status: self.status.text,
            resolution: self.resolution.text,
            assignee: self.assignee.text,
            reporter: self.reporter.text,
            created: day(&self.created.text)?,
            updated: day(&self.updated.text)?,
            due: day(&self.due.text)?,
            labels: texts(self.labels.labels),
            versions: texts(self.versions),
            fix_versions: texts(self.fix_versions),
            components: texts(self.components),
            votes: self.votes.text,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(item: &str) -> Result<IssueTable, FetchError> {
        let head = "<rss><channel><title>T</title><issue start='0' end='1' total='7'/>";
        IssueTable::from_xml(format!("{head}{item}</channel></rss>").as_bytes())
    }

    #[test]
    fn an_issue() {
        let table = read(
            "<item><title>x</title><key id='1'>HSP-1</key><link>https://t.example/browse/HSP-1</link>\
             <summary>a &lt;b&gt; &amp; &#60;c&#62; <![CDATA[<d>]]> e</summary><status iconUrl='x'>Open</status>\
             <created>Mon, 4 May 2026 09:30:00 +0000</created><due/><labels><label>p</label><label>q</label></labels>\
             <fixVersion>1</fixVersion><fixVersion>2</fixVersion><unknown><deep/></unknown></item>",
        )
        .unwrap();
        assert_eq!((table.title.as_str(), table.total), ("T", 7));
        let row = &table.issues[0];
        assert_eq!((row.key.as_str(), row.summary.as_str()), ("HSP-1", "a <b> & <c> <d> e"));
        assert_eq!((row.created, row.due), (Some(date(2026, 5, 4)), None));
        assert_eq!((row.labels.len(), row.fix_versions.len(), row.status.as_str()), (2, 2, "Open"));
        assert!(row.link.is_some());
    }

    #[test]
    fn a_link_to_a_script_is_no_link() {
        let table = read("<item><key>A-1</key><link>javascript:alert(1)</link></item>").unwrap();
        assert_eq!(table.issues[0].link, None);
    }

    #[test]
    fn no_list_of_issues() {
        for item in [
            "<item><summary>no key</summary></item>",
            "<item><key/></item>",
            "<item><key>A-1</key><created>yesterday</created></item>",
            "<item><key>A-1</key><summary>&bogus;</summary></item>",
            "<item><key>A-1</key>",
            "<issue total='-1'/>",
        ] {
            assert_eq!(read(item).unwrap_err(), FetchError::Unreadable, "{item}");
        }
        for bytes in [&b""[..], b"<html><body>Log in</body></html>", b"\xff", b"{}"] {
            assert_eq!(IssueTable::from_xml(bytes).unwrap_err(), FetchError::Unreadable);
        }
    }

    #[test]
    fn entities_are_not_expanded_and_depth_is_no_problem() {
        let bomb =
            "<!DOCTYPE rss [<!ENTITY a 'aaaa'>]><rss><channel><item><key>&a;</key></item></channel></rss>";
        assert_eq!(IssueTable::from_xml(bomb.as_bytes()).unwrap_err(), FetchError::Unreadable);
        let deep = format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000));
        assert_eq!(read(&deep).unwrap().issues.len(), 0);
    }
}
