use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// A PostgreSQL schema of one test's own.
pub(super) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    pub(super) async fn make(name: &str) -> Self {
        let server = std::env::var_os("TAA_TEST_POSTGRES").map(|url| url.into_string().unwrap());
        let schema = Self {
            server: server.unwrap_or_else(|| "postgres://root@127.0.0.1:5432/test".into()),
            name: name.to_owned(),
        };
        schema.run("CREATE SCHEMA").await;
        schema
    }

    pub(super) fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.server, self.name)
    }

    /// After a failed test the schema stays, to be looked at.
    pub(super) async fn drop(self) {
        self.run("DROP SCHEMA IF EXISTS").await;
    }

    async fn run(&self, what: &str) {
        let cascade = if what.starts_with("DROP") { " CASCADE" } else { "" };
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        connection.execute(AssertSqlSafe(format!("{what} {}{cascade}", self.name))).await.unwrap();
        connection.close().await.unwrap();
    }
}
