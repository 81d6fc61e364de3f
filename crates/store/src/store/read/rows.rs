use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::State;
use super::own::OwnRows;
use crate::db::{self, Columns};
use crate::error::StoreError;

/// Everything that a snapshot is made of, as it stands in the database at one moment.
pub(in crate::store) struct Rows {
    pub(super) state: State,
    pub(super) own: OwnRows,
    pub(super) applications: Vec<PeerRow>,
    pub(super) servers: Vec<PeerRow>,
    pub(super) peer_keys: Vec<AnyRow>,
    pub(super) revoked_keys: Vec<AnyRow>,
    pub(super) revoked_users: Vec<AnyRow>,
}

/// The row of a peer.
pub(super) enum PeerRow {
    Readable(AnyRow),
    /// It holds bytes that are no text. SQLite lets them in.
    Unreadable {
        id: String,
        name: String,
    },
}

impl Rows {
    /// Fetches them. To be called within one transaction.
    pub(in crate::store) async fn fetch(at: &mut AnyConnection) -> Result<Self, StoreError> {
        let last_used = "SELECT app_id, key_id, last_used FROM taa_peer_keys WHERE last_used IS NOT NULL";
        let revoked_users = "SELECT * FROM taa_revoked_users ORDER BY revoked_at, pattern";
        Ok(Self {
            state: State::read(at).await?,
            own: OwnRows::fetch(at).await?,
            applications: peers(at, &APPLICATIONS).await?,
            servers: peers(at, &SERVERS).await?,
            peer_keys: db::all(at, sqlx::query(last_used)).await?,
            revoked_keys: db::all(at, sqlx::query("SELECT * FROM taa_revoked_keys")).await?,
            revoked_users: db::all(at, sqlx::query(revoked_users)).await?,
        })
    }
}

/// How a table of peers is read: all at once, and one after the other when that fails because of one of them.
struct Queries {
    all: &'static str,
    names: &'static str,
    one: &'static str,
}

const APPLICATIONS: Queries = Queries {
    all: "SELECT * FROM taa_applications",
    names: "SELECT rowid AS place, CAST(app_id AS BLOB) AS id, CAST(name AS BLOB) AS name FROM taa_applications",
    one: "SELECT * FROM taa_applications WHERE rowid = $1",
};

const SERVERS: Queries = Queries {
    all: "SELECT * FROM taa_servers",
    names: "SELECT rowid AS place, CAST(app_id AS BLOB) AS id, CAST(name AS BLOB) AS name FROM taa_servers",
    one: "SELECT * FROM taa_servers WHERE rowid = $1",
};

async fn peers(at: &mut AnyConnection, queries: &Queries) -> Result<Vec<PeerRow>, StoreError> {
    match db::all(at, sqlx::query(queries.all)).await {
        Ok(rows) => return Ok(rows.into_iter().map(PeerRow::Readable).collect()),
        Err(StoreError::Unreadable(_)) => {}
        Err(error) => return Err(error),
    }
    // Only SQLite comes here: PostgreSQL takes no bytes that are no text.
    let mut peers = Vec::new();
    for row in db::all(at, sqlx::query(queries.names)).await? {
        let place = i64::try_from(row.number("place")?).unwrap_or(i64::MAX);
        match db::first(at, sqlx::query(queries.one).bind(place)).await {
            Ok(peer) => peers.extend(peer.map(PeerRow::Readable)),
            Err(StoreError::Unreadable(_)) => peers.push(PeerRow::Unreadable {
                id: String::from_utf8_lossy(&row.bytes("id")?).into_owned(),
                name: String::from_utf8_lossy(&row.bytes("name")?).into_owned(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(peers)
}
