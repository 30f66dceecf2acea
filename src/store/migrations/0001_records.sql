-- One row per call. No column tells a caller's number, and `arrived` is rounded to the minute.
CREATE TABLE records (
    id               INTEGER PRIMARY KEY,
    call             INTEGER NOT NULL,
    line             TEXT    NOT NULL,
    trunk            TEXT,
    arrived          INTEGER NOT NULL,  -- seconds since 1970, UTC
    greeting_ms      INTEGER NOT NULL,
    waited_ms        INTEGER NOT NULL,
    talked_ms        INTEGER NOT NULL,
    lasted_ms        INTEGER NOT NULL,
    listener         TEXT,
    attempts         TEXT    NOT NULL,  -- JSON
    attempts_untold  INTEGER NOT NULL,
    outcome          TEXT    NOT NULL,
    ended_by         TEXT    NOT NULL,
    cause            INTEGER NOT NULL,  -- Q.850
    plan             TEXT    NOT NULL,
    packets_received INTEGER NOT NULL,
    packets_sent     INTEGER NOT NULL,
    packets_lost     INTEGER NOT NULL,
    packets_strange  INTEGER NOT NULL,
    jitter_us        INTEGER NOT NULL
) STRICT;

CREATE INDEX records_by_arrival ON records (arrived);

-- What stays when records are forgotten.
CREATE TABLE days (
    day       TEXT    NOT NULL,  -- in the house's time zone
    line      TEXT    NOT NULL,
    outcome   TEXT    NOT NULL,
    calls     INTEGER NOT NULL,
    waited_ms INTEGER NOT NULL,
    talked_ms INTEGER NOT NULL,
    PRIMARY KEY (day, line, outcome)
) STRICT, WITHOUT ROWID;

-- The proof that they were.
CREATE TABLE purges (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    before  INTEGER NOT NULL,
    records INTEGER NOT NULL
) STRICT;
