//! The data of the demonstration.

use example_support::PasswordError;

use crate::user::UserBase;
use crate::wiki::Page;

/// Who may administer trust, when there is a console for it.
pub(crate) const ADMINISTRATOR: &str = "admin";

pub(crate) fn users() -> Result<UserBase, PasswordError> {
    let mut users = UserBase::new()?;
    for (name, display_name) in
        [("admin", "Ada Administrator"), ("fred", "Fred Normal"), ("ghost", "Gil Host")]
    {
        users.add(name, display_name, name)?;
    }
    Ok(users)
}

pub(crate) fn pages() -> Vec<Page> {
    let page = |id: &str, title: &str, about: &str, source: &str| Page {
        id: id.into(),
        title: title.into(),
        about: about.into(),
        source: source.into(),
    };
    vec![
        page(
            "sprint-board",
            "Sprint board",
            "What we are working on, straight from the tracker",
            SPRINT_BOARD,
        ),
        page("macro-examples", "Macro examples", "Other ways to show issues on a page", MACRO_EXAMPLES),
    ]
}

const SPRINT_BOARD: &str = "\
The goal of this sprint: whoever is logged in here is known in the tracker, too.
No second password, no detour through a login page.

h2. Our issues
The tracker decides what you see. It trusts this wiki to say who you are, and nothing more.

{jiraissues:url=*}
";

const MACRO_EXAMPLES: &str = "\
h2. Only the number
{jiraissues:url=project = HSP|count=true}

h2. Chosen columns
{jiraissues:url=project = HSP|columns=key;summary;labels;fixVersion;votes}

h2. As anybody sees it
{jiraissues:url=HSP-1|anonymous=true}

h2. A mistake
{jiraissues:url=HSP-1|columns=key,colour}
";
