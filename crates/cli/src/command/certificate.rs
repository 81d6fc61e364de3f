//! `taa certificate`: this application's own certificate, and what a peer presents.

use std::fmt::Write;

use taa_client::fetch::{FetchError, Fetcher};
use taa_core::certificate::Certificate;
use taa_core::legacy::CertificatePage;
use taa_core::time::UnixMillis;
use taa_store::model::KeyPurpose;

use super::Context;
use crate::args::CertificateCommand;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::{Fields, Rows};
use crate::time::{day_and_time, relative};
use crate::view::{self, CertificateView};
use crate::{actor, store, text};

pub(super) async fn run(context: Context<'_>, command: CertificateCommand) -> Result<Exit, Failure> {
    match command {
        CertificateCommand::Show { document, pem, page } => show(context, document, pem, page).await,
        CertificateCommand::Fetch { base_url, insecure_allow_http, older_versions, document } => {
            fetch(context.output, &base_url, insecure_allow_http, older_versions, document).await
        }
        CertificateCommand::Set { name, base_url } => set(context, name, base_url).await,
    }
}

async fn show(context: Context<'_>, document: bool, pem: bool, page: bool) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    store.close().await;
    let snapshot = store.snapshot();
    let own = store::own(&snapshot)?;
    let certificate = &own.certificate;
    if page {
        let key = store::secrets(&snapshot)?.legacy.as_ref().ok_or_else(|| {
            Failure::not_found("there is no key of the older versions: taa key rotate --purpose legacy")
        })?;
        let version = taa_core::legacy::Version::V2;
        let page = CertificatePage::write(&certificate.content().iss, key.verifying_key(), version);
        output.result(&serde_json::json!({ "page": page }), || page.clone())?;
    } else if document {
        write_document(output, certificate)?;
    } else if pem {
        let pem = public_pems(certificate);
        output.result(&serde_json::json!({ "pem": pem }), || pem.clone())?;
    } else {
        let older: Vec<String> = own
            .keys
            .iter()
            .filter(|key| key.purpose == KeyPurpose::Legacy)
            .map(|key| key.id.to_string())
            .collect();
        let view = CertificateView::of(certificate);
        let now = store::now()?;
        output.result(&view, || {
            let mut text = describe(output, certificate, now);
            for id in older {
                // Writing to a String cannot fail.
                let _never = writeln!(text, "\nKey of the older versions: {id}");
            }
            text
        })?;
    }
    Ok(Exit::Fine)
}

fn write_document(output: &Output, certificate: &Certificate) -> Result<(), Failure> {
    let document = certificate.document();
    output.result(&serde_json::json!({ "document": document }), || document.to_owned())
}

/// Each key under a line that says which it is; readers of PEM skip such lines (RFC 7468, section 2).
fn public_pems(certificate: &Certificate) -> String {
    let mut text = String::new();
    for key in &certificate.content().keys {
        // Writing to a String cannot fail.
        let _never = writeln!(text, "{} {} {}", view::purpose(key.usage), key.status, key.public.id());
        text.push_str(&key.public.to_spki_pem());
    }
    text
}

/// A certificate for people: fingerprint first.
pub(super) fn describe(output: &Output, certificate: &Certificate, now: UnixMillis) -> String {
    let content = certificate.content();
    let issued = UnixMillis(content.iat.saturating_mul(1000));
    let mut fields = Fields::new(output);
    fields.field("Fingerprint", certificate.fingerprint().to_string());
    fields.field("Application id", content.iss.as_str());
    fields.field("Name", &content.name);
    fields.field("Base URL", content.base_url.as_str());
    fields.field("Number", format!("{}, of {}", content.seq, day_and_time(issued)));
    let versions: Vec<String> = content.protocols.iter().map(ToString::to_string).collect();
    fields.field("Versions", versions.join(", "));
    let mut rows = Rows::new(output, &["purpose", "status", "bits", "ends", "key id"]).right(2);
    for key in &content.keys {
        rows.row([
            view::purpose(key.usage).to_owned(),
            key.status.to_string(),
            key.public.modulus_len().saturating_mul(8).to_string(),
            key.exp.map_or_else(String::new, |exp| relative(UnixMillis(exp.saturating_mul(1000)), now)),
            key.public.id().to_string(),
        ]);
    }
    format!("{}\n{}", fields.into_text(), rows.into_text())
}

async fn fetch(
    output: &Output,
    base_url: &str,
    insecure_allow_http: bool,
    older_versions: bool,
    document: bool,
) -> Result<Exit, Failure> {
    let base_url = text::base_url(base_url)?;
    let failed = |error: FetchError| Failure::of(&error);
    let mut fetcher = Fetcher::new().map_err(failed)?;
    if insecure_allow_http {
        fetcher = fetcher.insecure_allow_http();
    }
    let now = store::now()?;
    if older_versions {
        let page = fetcher.legacy_page(&base_url).await.map_err(failed)?;
        let thumbprint = page.key.thumbprint().to_string();
        let view =
            serde_json::json!({ "id": page.app_id, "legacy_key": thumbprint, "version": page.version });
        output.result(&view, || {
            let mut fields = Fields::new(output);
            fields.field("Key", &thumbprint);
            fields.field("Application id", page.app_id.as_str());
            fields.maybe("Version", page.version.map(|version| version.to_string()));
            fields.into_text()
        })?;
        return Ok(Exit::Fine);
    }
    let certificate = fetcher.certificate(&*store::provider(), &base_url, now).await.map_err(failed)?;
    if document {
        write_document(output, &certificate)?;
    } else {
        output.result(&CertificateView::of(&certificate), || describe(output, &certificate, now))?;
    }
    output.remark(
        "Nothing was saved. What came is only this application's if its own screen shows this fingerprint.",
    );
    Ok(Exit::Fine)
}

async fn set(context: Context<'_>, name: Option<String>, base_url: Option<String>) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    let snapshot = store.snapshot();
    let content = store::own(&snapshot)?.certificate.content();
    let url = base_url.as_deref().map(text::base_url).transpose()?;
    let moved = url.as_ref().is_some_and(|url| *url != content.base_url);
    let name = name.unwrap_or_else(|| content.name.clone());
    let url = url.unwrap_or_else(|| content.base_url.clone());
    let snapshot = store.change_profile(&name, &url, &actor::current()).await?;
    let certificate = &store::own(&snapshot)?.certificate;
    let now = store::now()?;
    output.result(&CertificateView::of(certificate), || describe(output, certificate, now))?;
    if moved {
        output.remark("The base URL has changed: a person has to look at it at every peer (taa trust refresh ID --compare).");
    }
    store.close().await;
    Ok(Exit::Fine)
}
