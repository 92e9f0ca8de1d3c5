-- What the house keeps, by pseudonym alone. Names and accounts are in another file.
-- Moments are microseconds UTC. 64-bit epochs are kept as signed numbers of the same bits.

CREATE TABLE devices (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A gateway's numbering of one device's batches.
CREATE TABLE spools (
    id          INTEGER PRIMARY KEY,
    device      INTEGER NOT NULL REFERENCES devices,
    epoch       INTEGER NOT NULL,
    gateway     TEXT    NOT NULL,
    received_at INTEGER NOT NULL,               -- newest batch, a repeated one included
    UNIQUE (device, epoch)
) STRICT;

-- Which batches of a spool are here, as ranges that never touch.
CREATE TABLE received (
    spool INTEGER NOT NULL REFERENCES spools,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (spool, first)
) STRICT, WITHOUT ROWID;

-- Batches as they came, in the order in which they were committed.
CREATE TABLE batches (
    id          INTEGER PRIMARY KEY,
    spool       INTEGER NOT NULL REFERENCES spools,
    sequence    INTEGER NOT NULL,
    live        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    hash        BLOB    NOT NULL,               -- SHA-256 of the payload
    payload     BLOB    NOT NULL,
    UNIQUE (spool, sequence)
) STRICT;
CREATE INDEX batches_by_arrival ON batches (spool, received_at);

-- Readings, each kept once however often it came.
CREATE TABLE readings (
    batch       INTEGER NOT NULL REFERENCES batches,
    ordinal     INTEGER NOT NULL,
    device      INTEGER NOT NULL REFERENCES devices,
    channel     INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    measured_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    period_us   INTEGER NOT NULL,
    samples     BLOB    NOT NULL,               -- see src/samples.rs
    PRIMARY KEY (batch, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX readings_once ON readings (device, epoch, sequence, channel);
-- The channel comes last: with it before the time, each transaction would touch a place
-- for every channel of every device.
CREATE INDEX readings_by_time ON readings (device, measured_at, channel);

-- Readings that another batch had brought before: no query sees them, but a batch
-- is read back with all that it held.
CREATE TABLE repeats (
    batch       INTEGER NOT NULL REFERENCES batches,
    ordinal     INTEGER NOT NULL,
    device      INTEGER NOT NULL REFERENCES devices,
    channel     INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    measured_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    period_us   INTEGER NOT NULL,
    samples     BLOB    NOT NULL,
    PRIMARY KEY (batch, ordinal)
) STRICT, WITHOUT ROWID;

-- Batches that are kept for somebody to look at, and used for nothing.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    device      TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    hash        BLOB    NOT NULL,
    payload     BLOB    NOT NULL,
    UNIQUE (device, epoch, sequence, hash)
) STRICT;

-- The ledger of missing time.
CREATE TABLE gaps (
    id             INTEGER PRIMARY KEY,
    device         INTEGER NOT NULL REFERENCES devices,
    gateway        TEXT    NOT NULL,
    cause          TEXT    NOT NULL,
    from_at        INTEGER NOT NULL,
    until_at       INTEGER NOT NULL,
    band_epoch     INTEGER,
    first_sequence INTEGER,
    last_sequence  INTEGER
) STRICT;
CREATE INDEX gaps_by_time ON gaps (device, from_at);

-- What the detector decided, in order; published or still to be published.
CREATE TABLE decisions (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('assessment', 'alert')),
    id         TEXT    NOT NULL,                -- the alert's; empty for an assessment
    device     INTEGER NOT NULL REFERENCES devices,
    person     TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    payload    BLOB    NOT NULL,
    published  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device, person, at, decided_at, kind, id)
) STRICT;
CREATE INDEX decisions_of_person ON decisions (person, kind, at);
CREATE INDEX decisions_unpublished ON decisions (sequence) WHERE published = 0;

CREATE TABLE snapshots (
    person  TEXT    PRIMARY KEY,
    at      INTEGER NOT NULL,
    version TEXT    NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Who wears what, and since when.
CREATE TABLE assignments (
    id       INTEGER PRIMARY KEY,
    device   INTEGER NOT NULL REFERENCES devices,
    person   TEXT    NOT NULL,
    from_at  INTEGER NOT NULL,
    until_at INTEGER,
    by       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_wearer_per_device ON assignments (device) WHERE until_at IS NULL;
CREATE UNIQUE INDEX one_device_per_wearer ON assignments (person) WHERE until_at IS NULL;
CREATE INDEX assignments_of_device ON assignments (device, from_at);
CREATE INDEX assignments_of_person ON assignments (person, from_at);

CREATE TABLE alerts (
    id              TEXT    PRIMARY KEY,
    device          TEXT    NOT NULL,
    person          TEXT    NOT NULL,
    level           TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    raised_at       INTEGER NOT NULL,
    ended_at        INTEGER,
    reasons         TEXT    NOT NULL,           -- JSON
    quality         REAL    NOT NULL,
    score           REAL    NOT NULL,
    acknowledged_by TEXT,
    acknowledged_at INTEGER,
    resolved_by     TEXT,
    resolved_at     INTEGER,
    outcome         TEXT,
    note            TEXT,
    sequence        INTEGER NOT NULL            -- of its newest event
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_open ON alerts (raised_at) WHERE state <> 'resolved';
CREATE INDEX alerts_of_person ON alerts (person, raised_at);

-- What happened to alerts, in the order of the server.
CREATE TABLE alert_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    alert    TEXT    NOT NULL REFERENCES alerts,
    kind     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT
) STRICT;

-- Who did and saw what; each entry's hash covers the one before.
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
