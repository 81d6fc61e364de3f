//! What Redis does in one step, as scripts. Every key of a server id has `{server id}` in it: an id has no braces, so no two
//! servers meet, and a cluster keeps them together.

use std::time::Duration;

use ::redis::{RedisError, Script, ScriptInvocation, Value};
use taa_core::id::AppId;
use taa_core::nonce::NonceKey;

use super::epoch::Epoch;
use super::options::Class;

pub(super) const FORGOTTEN: i64 = -1;
pub(super) const BEFORE: i64 = 0;
pub(super) const FIRST: i64 = 1;
pub(super) const FULL: i64 = 2;

/// Every answer: a code, the epoch and `run_id` as they are in Redis, and Redis' time in milliseconds.
const LOOK: &str = r"
local now = redis.call('TIME')
local millis = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local epoch = redis.call('GET', KEYS[1]) or ''
local function answer(code) return {code, epoch, run, millis} end
";

/// Nothing else where Redis is not what this node knows: ARGV 1 and 2 are epoch and `run_id`.
const CHECK: &str = r"
if epoch == '' or epoch ~= ARGV[1] or run ~= ARGV[2] then return answer(-1) end
if redis.call('EXISTS', KEYS[2]) == 1 then return answer(0) end
";

/// Records a nonce. KEYS: epoch, nonce, counter of all, counter of the application. ARGV from 3 on: milliseconds to keep,
/// milliseconds of a period, most of all, most of the application.
const RECORD: &str = r"
local function above(key, most) return tonumber(redis.call('GET', key) or '0') >= tonumber(most) end
if above(KEYS[3], ARGV[5]) or above(KEYS[4], ARGV[6]) then return answer(2) end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
for at = 3, 4 do
    if redis.call('INCR', KEYS[at]) == 1 then redis.call('PEXPIRE', KEYS[at], ARGV[4]) end
end
return answer(1)
";

/// Looks a nonce up. KEYS: epoch, nonce.
const CONTAINS: &str = r"
return answer(1)
";

/// Tells the epoch. KEYS: epoch. ARGV: one to begin with if there is none, or nothing to only look.
const ADOPT: &str = r"
if epoch == '' and ARGV[1] ~= '' then
    redis.call('SET', KEYS[1], ARGV[1])
    epoch = ARGV[1]
end
return answer(1)
";

pub(super) struct Scripts {
    record: Script,
    contains: Script,
    adopt: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |parts: &[&str]| Script::new(&parts.concat());
        Self {
            record: script(&[LOOK, CHECK, RECORD]),
            contains: script(&[LOOK, CHECK, CONTAINS]),
            adopt: script(&[LOOK, ADOPT]),
        }
    }

    pub(super) fn record(
        &self,
        keys: &Keys,
        epoch: &Epoch,
        app: &AppId,
        nonce: &NonceKey,
        keep: Duration,
        class: Class,
    ) -> ScriptInvocation<'_> {
        let mut call = self.record.prepare_invoke();
        call.key(keys.epoch()).key(keys.nonce(nonce)).key(keys.counter(class, None));
        call.key(keys.counter(class, Some(app))).arg(&epoch.id).arg(&epoch.run);
        // Nothing can be kept for no time at all.
        call.arg(millis(keep).max(1)).arg(millis(class.period)).arg(class.total).arg(class.per_application);
        call
    }

    pub(super) fn contains(&self, keys: &Keys, epoch: &Epoch, nonce: &NonceKey) -> ScriptInvocation<'_> {
        let mut call = self.contains.prepare_invoke();
        call.key(keys.epoch()).key(keys.nonce(nonce)).arg(&epoch.id).arg(&epoch.run);
        call
    }

    /// `fresh` names the epoch to begin if there is none; empty to only look.
    pub(super) fn adopt(&self, keys: &Keys, fresh: &str) -> ScriptInvocation<'_> {
        let mut call = self.adopt.prepare_invoke();
        call.key(keys.epoch()).arg(fresh);
        call
    }
}

/// The keys of one server id.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn of(server: &AppId) -> Self {
        Self { prefix: format!("taa:{{{server}}}:") }
    }

    pub(super) fn epoch(&self) -> String {
        format!("{}epoch", self.prefix)
    }

    fn nonce(&self, nonce: &NonceKey) -> Vec<u8> {
        [self.prefix.as_bytes(), b"n:", &nonce.digest()].concat()
    }

    fn counter(&self, class: Class, app: Option<&AppId>) -> String {
        // Nothing stands for all: no id is empty.
        format!("{}{}:{}", self.prefix, class.name, app.map_or("", AppId::as_str))
    }
}

/// What a script answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: i64,
    pub(super) epoch: Epoch,
    pub(super) time: u64,
}

impl Reply {
    pub(super) fn read(value: Value) -> Option<Self> {
        let (code, id, run, time): (i64, String, String, String) = ::redis::from_redis_value(value).ok()?;
        Some(Self { code, epoch: Epoch { id, run }, time: time.parse().ok()? })
    }
}

/// Redis is above its `maxmemory` and evicts nothing.
pub(super) fn is_out_of_memory(error: &RedisError) -> bool {
    error.code() == Some("OOM")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
