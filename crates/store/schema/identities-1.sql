-- Names: of the people who are cared for, and of those who care. Nothing else in the
-- house knows a name.

CREATE TABLE people (
    id         TEXT    PRIMARY KEY,             -- pseudonym, random
    name       TEXT    NOT NULL,
    strategies TEXT    NOT NULL,                -- JSON, a list of texts
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id         TEXT    PRIMARY KEY,             -- random
    name       TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    password   TEXT    NOT NULL,                -- hash in PHC form
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token      BLOB    PRIMARY KEY,             -- SHA-256 of what the browser holds
    user       TEXT    NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user);
