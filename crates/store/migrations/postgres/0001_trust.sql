-- Who is trusted, own keys, audit trail. Times are Unix milliseconds unless a name says seconds; 0 and 1 are no and yes.

-- One row: what every change passes through, and what belongs to the store as a whole.
CREATE TABLE taa_state (
    id             BIGINT PRIMARY KEY CHECK (id = 1),
    -- Goes up with every change. Raising it is the first thing a change does, so changes come one after the other.
    generation     BIGINT NOT NULL,
    -- The generation of the last change of own identity, own keys, or their sealing.
    own_generation BIGINT NOT NULL,
    -- Goes up whenever it is noted what was used.
    uses           BIGINT NOT NULL,
    -- Number and hash of the last row of the trail, so that missing last rows are found.
    audit_seq      BIGINT NOT NULL,
    audit_hash     TEXT NOT NULL,
    nonce_epoch    TEXT,
    -- How private keys are sealed: none, passphrase, file.
    seal_kind      TEXT NOT NULL,
    seal_salt      BYTEA,
    seal_memory    BIGINT,
    seal_passes    BIGINT,
    seal_lanes     BIGINT,
    -- A known text under the key-encryption key: tells a wrong passphrase from a damaged row.
    seal_verifier  BYTEA
);

INSERT INTO taa_state (id, generation, own_generation, uses, audit_seq, audit_hash, seal_kind)
    VALUES (1, 0, 0, 0, 0, '', 'none');

CREATE TABLE taa_own (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    app_id      TEXT NOT NULL,
    certificate TEXT NOT NULL
);

CREATE TABLE taa_own_keys (
    key_id       TEXT PRIMARY KEY,
    -- decryption, legacy, signing
    purpose      TEXT NOT NULL,
    -- next, current, previous
    status       TEXT NOT NULL,
    exp_seconds  BIGINT,
    -- SubjectPublicKeyInfo
    public       BYTEA NOT NULL,
    -- PKCS#8 in PEM; 1: sealed under the key-encryption key; 0: as it is.
    sealed       BIGINT NOT NULL,
    private      BYTEA NOT NULL,
    -- The generation that made it: the order in which keys are listed.
    made         BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    last_used    BIGINT
);

CREATE TABLE taa_applications (
    app_id              TEXT PRIMARY KEY,
    name                TEXT NOT NULL,
    base_url            TEXT NOT NULL,
    certificate         TEXT,
    -- SubjectPublicKeyInfo
    legacy_key          BYTEA,
    rules               TEXT NOT NULL,
    enabled             BIGINT NOT NULL,
    seen_v4             BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    created_by          TEXT NOT NULL,
    updated_at          BIGINT NOT NULL,
    updated_by          TEXT NOT NULL,
    last_used           BIGINT,
    refreshed_at        BIGINT,
    refreshed_problem   TEXT,
    refreshed_other_url TEXT
);

CREATE TABLE taa_servers (
    app_id              TEXT PRIMARY KEY,
    name                TEXT NOT NULL,
    base_url            TEXT NOT NULL,
    certificate         TEXT,
    protocol            BIGINT NOT NULL,
    lifetime_seconds    BIGINT NOT NULL,
    insecure_http       BIGINT NOT NULL,
    require_digest      BIGINT NOT NULL,
    enabled             BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    created_by          TEXT NOT NULL,
    updated_at          BIGINT NOT NULL,
    updated_by          TEXT NOT NULL,
    last_used           BIGINT,
    refreshed_at        BIGINT,
    refreshed_problem   TEXT,
    refreshed_other_url TEXT
);

-- The keys that peers have now, out of their records, so that one key never stands under two of them.
CREATE TABLE taa_peer_keys (
    app_id    TEXT NOT NULL,
    key_id    TEXT NOT NULL,
    -- decryption, legacy, signing
    purpose   TEXT NOT NULL,
    last_used BIGINT,
    PRIMARY KEY (app_id, key_id)
);
CREATE INDEX taa_peer_keys_by_key ON taa_peer_keys (key_id);

-- Keys of peers and own ones that are never used again. They outlive their records.
CREATE TABLE taa_revoked_keys (
    app_id     TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,
    revoked_by TEXT NOT NULL,
    PRIMARY KEY (app_id, key_id)
);
CREATE INDEX taa_revoked_keys_by_key ON taa_revoked_keys (key_id);

CREATE TABLE taa_revoked_users (
    pattern    TEXT PRIMARY KEY,
    revoked_at BIGINT NOT NULL,
    revoked_by TEXT NOT NULL
);

CREATE TABLE taa_pending (
    id            TEXT PRIMARY KEY,
    base_url      TEXT NOT NULL,
    -- certificate or page
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,
    insecure_http BIGINT NOT NULL,
    fetched_at    BIGINT NOT NULL,
    fetched_by    TEXT NOT NULL
);

-- The fence's marks, for each version its own. The empty id is the mark for all applications.
CREATE TABLE taa_marks (
    app_id   TEXT NOT NULL,
    protocol BIGINT NOT NULL,
    mark     BIGINT NOT NULL,
    PRIMARY KEY (app_id, protocol)
);

CREATE TABLE taa_nodes (
    id            TEXT PRIMARY KEY,
    label         TEXT NOT NULL,
    software      TEXT NOT NULL,
    shared_nonces BIGINT NOT NULL,
    started       BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL
);

CREATE TABLE taa_audit (
    seq        BIGINT PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    generation BIGINT NOT NULL,
    hash       TEXT NOT NULL
);
CREATE INDEX taa_audit_by_subject ON taa_audit (subject, seq);
CREATE INDEX taa_audit_by_actor ON taa_audit (actor, seq);

CREATE FUNCTION taa_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever added to';
END;
$$;

CREATE TRIGGER taa_audit_keeps BEFORE UPDATE OR DELETE ON taa_audit
    FOR EACH ROW EXECUTE FUNCTION taa_audit_only_grows();

CREATE TRIGGER taa_audit_stays BEFORE TRUNCATE ON taa_audit
    FOR EACH STATEMENT EXECUTE FUNCTION taa_audit_only_grows();
