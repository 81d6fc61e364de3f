use std::error::Error;
use std::io;

use taa_client::fetch::FetchError;
use taa_core::certificate::CertificateError;

/// Why a peer's certificate could not be fetched, as a sentence that says what to look at.
pub(crate) fn fetch_failed(error: &FetchError) -> String {
    match error {
        FetchError::Address => {
            "The host has a link-local address or that of a metadata service: these are not connected to.".into()
        }
        FetchError::Connection(error) if error.is_timeout() => {
            "The application did not answer within 5 seconds.".into()
        }
        FetchError::Connection(error) => connection_failed(error),
        FetchError::Certificate(CertificateError::Form) | FetchError::NotText => {
            "Something else than a certificate came, such as a log-in page: the application does not speak this \
             protocol, or this is not its base URL."
                .into()
        }
        FetchError::Certificate(error) => format!("The application's certificate is not accepted: {error}."),
        FetchError::Page(error) => {
            format!("What came is not the certificate page of an application that speaks the older versions: {error}.")
        }
        FetchError::PlainHttp => {
            "Over plain http whoever is on the path can swap the certificate: type https://…, or allow http \
             explicitly."
                .into()
        }
        FetchError::Scheme => "Certificates are fetched over https.".into(),
        FetchError::Status(status @ 300..=399) => format!(
            "The application sends elsewhere (status {status}), to another host or scheme: type the base URL it has \
             there."
        ),
        FetchError::Status(404) => {
            "There is no certificate below this base URL (status 404): the application does not speak this protocol, \
             or this is not its base URL."
                .into()
        }
        FetchError::Status(status) => format!(
            "The application answered with status {status}: it does not speak this protocol, or this is not its base \
             URL."
        ),
        FetchError::TooLong => {
            "More than 16 KiB came, so this is no certificate: the application does not speak this protocol, or this \
             is not its base URL."
                .into()
        }
        other => format!("It could not be fetched: {other}."),
    }
}

fn connection_failed(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    let mut kind = None;
    loop {
        kind = innermost.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => {
            "The host refuses the connection: is the application running there, and is the port right?".into()
        }
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            "There is no way to the host from here.".into()
        }
        _ => format!("There is no connection to the application: {innermost}."),
    }
}
