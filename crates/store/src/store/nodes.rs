//! The processes that answer for this application.

use super::Store;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::Node;

impl Store {
    /// Says that this node is there. Nodes that are gone are forgotten on the way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_node(&self, node: &Node) -> Result<(), StoreError> {
        let gone = db::number(self.now()?.0.saturating_sub(Node::GONE_AFTER));
        let (mut connection, _turn) = self.writing().await?;
        let note = "INSERT INTO taa_nodes (id, label, software, shared_nonces, started, last_seen) \
                    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET label = excluded.label, \
                    software = excluded.software, shared_nonces = excluded.shared_nonces, started = excluded.started, \
                    last_seen = excluded.last_seen";
        let note = sqlx::query(note)
            .bind(node.id.clone())
            .bind(node.label.clone())
            .bind(node.software.clone())
            .bind(db::flag(node.shared_nonces))
            .bind(db::number(node.started.0))
            .bind(db::number(node.last_seen.0));
        db::execute(&mut connection, note).await?;
        let forget = sqlx::query("DELETE FROM taa_nodes WHERE last_seen < $1").bind(gone);
        db::execute(&mut connection, forget).await.map(drop)
    }

    /// Says that this node ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_node(&self, id: &str) -> Result<(), StoreError> {
        let (mut connection, _turn) = self.writing().await?;
        let delete = sqlx::query("DELETE FROM taa_nodes WHERE id = $1").bind(id.to_owned());
        db::execute(&mut connection, delete).await.map(drop)
    }

    /// The nodes that are there, the one that started first at the top.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let alive = db::number(self.now()?.0.saturating_sub(Node::GONE_AFTER));
        let mut connection = self.connection().await?;
        let select = "SELECT * FROM taa_nodes WHERE last_seen >= $1 ORDER BY started, id";
        let rows = db::all(&mut connection, sqlx::query(select).bind(alive)).await?;
        rows.iter()
            .map(|row| {
                Ok(Node {
                    id: row.text("id")?,
                    label: row.text("label")?,
                    software: row.text("software")?,
                    shared_nonces: row.flag("shared_nonces")?,
                    started: row.time("started")?,
                    last_seen: row.time("last_seen")?,
                })
            })
            .collect()
    }
}
