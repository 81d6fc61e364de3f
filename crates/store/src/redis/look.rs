use taa_core::id::AppId;

use super::epoch::Epoch;
use super::script::{Keys, Reply, Scripts};
use super::{RedisNonces, RedisNoncesError, RedisOptions, connection, invoke};

impl RedisNonces {
    /// Whether Redis still has the memory that `known` tells of, as [`epoch`](Self::epoch) gave it. Writes nothing. Where it
    /// has not, it was restarted or emptied, or is another one; nodes that use it raise their fence.
    ///
    /// # Errors
    /// When the URL cannot be read, or Redis cannot be reached or used.
    pub async fn has_memory(
        url: &str,
        server_id: &AppId,
        known: &str,
        options: RedisOptions,
    ) -> Result<bool, RedisNoncesError> {
        let mut manager = connection(url, &options).await?;
        let (keys, scripts) = (Keys::of(server_id), Scripts::new());
        let call = scripts.adopt(&keys, "");
        let Reply { epoch, .. } =
            invoke(&call, &mut manager, options.command_timeout).await.map_err(RedisNoncesError::Connect)?;
        Ok(!epoch.id.is_empty() && epoch == Epoch::parse(known))
    }
}
