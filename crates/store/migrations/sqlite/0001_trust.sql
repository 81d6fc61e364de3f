-- Who is trusted, own keys, audit trail. Times are Unix milliseconds unless a name says seconds; 0 and 1 are no and yes.

-- One row: what every change passes through, and what belongs to the store as a whole.
CREATE TABLE taa_state (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    -- Goes up with every change. Raising it is the first thing a change does, so changes come one after the other.
    generation     INTEGER NOT NULL,
    -- The generation of the last change of own identity, own keys, or their sealing.
    own_generation INTEGER NOT NULL,
    -- Goes up whenever it is noted what was used.
    uses           INTEGER NOT NULL,
    -- Number and hash of the last row of the trail, so that missing last rows are found.
    audit_seq      INTEGER NOT NULL,
    audit_hash     TEXT NOT NULL,
    nonce_epoch    TEXT,
    -- How private keys are sealed: none, passphrase, file.
    seal_kind      TEXT NOT NULL,
    seal_salt      BLOB,
    seal_memory    INTEGER,
    seal_passes    INTEGER,
    seal_lanes     INTEGER,
    -- A known text under the key-encryption key: tells a wrong passphrase from a damaged row.
    seal_verifier  BLOB
) STRICT;

INSERT INTO taa_state (id, generation, own_generation, uses, audit_seq, audit_hash, seal_kind)
    VALUES (1, 0, 0, 0, 0, '', 'none');

CREATE TABLE taa_own (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    app_id      TEXT NOT NULL,
    certificate TEXT NOT NULL
) STRICT;

CREATE TABLE taa_own_keys (
    key_id       TEXT PRIMARY KEY,
    -- decryption, legacy, signing
    purpose      TEXT NOT NULL,
    -- next, current, previous
    status       TEXT NOT NULL,
    exp_seconds  INTEGER,
    -- SubjectPublicKeyInfo
    public       BLOB NOT NULL,
    -- PKCS#8 in PEM; 1: sealed under the key-encryption key; 0: as it is.
    sealed       INTEGER NOT NULL,
    private      BLOB NOT NULL,
    -- The generation that made it: the order in which keys are listed.
    made         INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    last_used    INTEGER
) STRICT;

CREATE TABLE taa_applications (
    app_id              TEXT PRIMARY KEY,
    name                TEXT NOT NULL,
    base_url            TEXT NOT NULL,
    certificate         TEXT,
    -- SubjectPublicKeyInfo
    legacy_key          BLOB,
    rules               TEXT NOT NULL,
    enabled             INTEGER NOT NULL,
    seen_v4             INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    created_by          TEXT NOT NULL,
    updated_at          INTEGER NOT NULL,
    updated_by          TEXT NOT NULL,
    last_used           INTEGER,
    refreshed_at        INTEGER,
    refreshed_problem   TEXT,
    refreshed_other_url TEXT
) STRICT;

CREATE TABLE taa_servers (
    app_id              TEXT PRIMARY KEY,
    name                TEXT NOT NULL,
    base_url            TEXT NOT NULL,
    certificate         TEXT,
    protocol            INTEGER NOT NULL,
    lifetime_seconds    INTEGER NOT NULL,
    insecure_http       INTEGER NOT NULL,
    require_digest      INTEGER NOT NULL,
    enabled             INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    created_by          TEXT NOT NULL,
    updated_at          INTEGER NOT NULL,
    updated_by          TEXT NOT NULL,
    last_used           INTEGER,
    refreshed_at        INTEGER,
    refreshed_problem   TEXT,
    refreshed_other_url TEXT
) STRICT;

-- The keys that peers have now, out of their records, so that one key never stands under two of them.
CREATE TABLE taa_peer_keys (
    app_id    TEXT NOT NULL,
    key_id    TEXT NOT NULL,
    -- decryption, legacy, signing
    purpose   TEXT NOT NULL,
    last_used INTEGER,
    PRIMARY KEY (app_id, key_id)
) STRICT;
CREATE INDEX taa_peer_keys_by_key ON taa_peer_keys (key_id);

-- Keys of peers and own ones that are never used again. They outlive their records.
CREATE TABLE taa_revoked_keys (
    app_id     TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    revoked_at INTEGER NOT NULL,
    revoked_by TEXT NOT NULL,
    PRIMARY KEY (app_id, key_id)
) STRICT;
CREATE INDEX taa_revoked_keys_by_key ON taa_revoked_keys (key_id);

CREATE TABLE taa_revoked_users (
    pattern    TEXT PRIMARY KEY,
    revoked_at INTEGER NOT NULL,
    revoked_by TEXT NOT NULL
) STRICT;

CREATE TABLE taa_pending (
    id            TEXT PRIMARY KEY,
    base_url      TEXT NOT NULL,
    -- certificate or page
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,
    insecure_http INTEGER NOT NULL,
    fetched_at    INTEGER NOT NULL,
    fetched_by    TEXT NOT NULL
) STRICT;

-- The fence's marks, for each version its own. The empty id is the mark for all applications.
CREATE TABLE taa_marks (
    app_id   TEXT NOT NULL,
    protocol INTEGER NOT NULL,
    mark     INTEGER NOT NULL,
    PRIMARY KEY (app_id, protocol)
) STRICT;

CREATE TABLE taa_nodes (
    id            TEXT PRIMARY KEY,
    label         TEXT NOT NULL,
    software      TEXT NOT NULL,
    shared_nonces INTEGER NOT NULL,
    started       INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL
) STRICT;

CREATE TABLE taa_audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    generation INTEGER NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
CREATE INDEX taa_audit_by_subject ON taa_audit (subject, seq);
CREATE INDEX taa_audit_by_actor ON taa_audit (actor, seq);

CREATE TRIGGER taa_audit_keeps BEFORE UPDATE ON taa_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is only ever added to');
END;

CREATE TRIGGER taa_audit_stays BEFORE DELETE ON taa_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is only ever added to');
END;
