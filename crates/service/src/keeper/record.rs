use taa_client::ServerRecord;
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use taa_store::model::TrustingServer;

/// A server in the form that is signed for, or why it cannot be.
pub(super) fn server_record(server: &TrustingServer) -> Result<ServerRecord, String> {
    let older = |version| ServerRecord::insecure_legacy(server.id.clone(), server.base_url.clone(), version);
    let builder = match (server.protocol, &server.certificate) {
        (Protocol::V4, Some(certificate)) => ServerRecord::builder(certificate),
        (Protocol::V4, None) => return Err("it has no certificate".into()),
        (Protocol::V3, _) => older(SignedVersion::V3),
        (Protocol::V2, _) => older(SignedVersion::V2),
    };
    let record = builder
        // Where this application reaches it, which may be another place than where it says it lives.
        .base_url(server.base_url.clone())
        .lifetime(server.lifetime)
        .insecure_allow_http(server.insecure_allow_http)
        .require_content_digest(server.require_content_digest)
        .build()
        .map_err(|error| error.to_string())?;
    if *record.id() != server.id {
        return Err(format!("its certificate is that of {}", record.id()));
    }
    Ok(record)
}
