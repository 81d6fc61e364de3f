//! Somebody who looks at the wiki with a browser.

use anyhow::{Context, Result};
use http::header;
use reqwest::Client;
use reqwest::redirect::Policy;
use url::Url;

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) issues: usize,
    pub(crate) page: String,
}

/// Opens the page with the issues, after logging in with name and password when there is a name.
pub(crate) async fn look(wiki: &Url, name: Option<&str>) -> Result<Shown> {
    let client = Client::builder().redirect(Policy::none()).build()?;
    let cookies = match name {
        Some(name) => log_in(&client, wiki, name).await?,
        None => String::new(),
    };
    let request = client.get(wiki.join("pages/sprint-board")?).header(header::COOKIE, cookies);
    let page = request.send().await?.error_for_status()?.text().await?;
    let (_, table) = page.split_once("<tbody>").unwrap_or_default();
    let (table, _) = table.split_once("</tbody>").unwrap_or_default();
    let issues =
        table.matches("/browse/HSP-1\"").count().min(1) + table.matches("/browse/MKY-1\"").count().min(1);
    Ok(Shown { issues, page })
}

async fn log_in(client: &Client, wiki: &Url, name: &str) -> Result<String> {
    let response = client.get(wiki.join("login")?).send().await?;
    let mut cookies = cookies(&response);
    let form = response.text().await?;
    let (_, token) = form.split_once("name=\"token\" value=\"").context("the login form has no token")?;
    let (token, _) = token.split_once('"').context("the login form has no token")?;
    let response = client
        .post(wiki.join("login")?)
        .header(header::COOKIE, &cookies)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("name", name), ("password", name), ("token", token)])
                .finish(),
        )
        .send()
        .await?;
    anyhow::ensure!(response.status().is_redirection(), "{name} could not log in: {}", response.status());
    cookies.push_str("; ");
    cookies.push_str(&self::cookies(&response));
    Ok(cookies)
}

fn cookies(response: &reqwest::Response) -> String {
    let values = response.headers().get_all(header::SET_COOKIE).iter();
    let pairs = values.filter_map(|value| value.to_str().ok()?.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}
