-- Times are nanoseconds since 1970 UTC, offsets and round trips seconds.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE servers (
  id          INTEGER PRIMARY KEY,
  address     TEXT NOT NULL,
  hostname    TEXT NOT NULL DEFAULT '',
  country     TEXT NOT NULL DEFAULT '',
  netspeed    INTEGER NOT NULL,
  in_pool     INTEGER NOT NULL DEFAULT 1,
  score       REAL NOT NULL DEFAULT 0,
  stratum     INTEGER,
  last_offset REAL,
  last_rtt    REAL,
  last_check  INTEGER,
  last_reason TEXT NOT NULL DEFAULT '',
  created     INTEGER NOT NULL,
  deleted     INTEGER
) STRICT;
CREATE UNIQUE INDEX servers_address ON servers (address) WHERE deleted IS NULL;

CREATE TABLE monitors (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  address    TEXT NOT NULL DEFAULT '',
  token_hash TEXT NOT NULL UNIQUE,
  status     TEXT NOT NULL DEFAULT 'active',
  created    INTEGER NOT NULL,
  last_seen  INTEGER
) STRICT;

-- One monitor's view of one server.
CREATE TABLE pairs (
  server_id   INTEGER NOT NULL REFERENCES servers (id),
  monitor_id  INTEGER NOT NULL REFERENCES monitors (id),
  raw         REAL NOT NULL,
  last_check  INTEGER NOT NULL,
  last_offset REAL,
  last_rtt    REAL,
  last_reason TEXT NOT NULL,
  last_ticket INTEGER NOT NULL,
  PRIMARY KEY (server_id, monitor_id)
) STRICT;

-- One row a check; monitor_id is null where the row is the server's own score after the check.
CREATE TABLE score_log (
  id         INTEGER PRIMARY KEY,
  server_id  INTEGER NOT NULL REFERENCES servers (id),
  monitor_id INTEGER REFERENCES monitors (id),
  time       INTEGER NOT NULL,
  score      REAL NOT NULL,
  step       REAL NOT NULL,
  reason     TEXT NOT NULL,
  "offset"   REAL,
  rtt        REAL,
  stratum    INTEGER,
  leap       INTEGER,
  samples    INTEGER NOT NULL,
  lost       INTEGER NOT NULL
) STRICT;
CREATE INDEX score_log_server ON score_log (server_id, time);
CREATE INDEX score_log_time ON score_log (time);

-- Every sample of every check, as reported.
CREATE TABLE samples (
  check_id        INTEGER NOT NULL REFERENCES score_log (id) ON DELETE CASCADE,
  number          INTEGER NOT NULL,
  error           TEXT NOT NULL,
  "offset"        REAL,
  rtt             REAL,
  stratum         INTEGER,
  leap            INTEGER,
  root_delay      REAL,
  root_dispersion REAL,
  refid           TEXT NOT NULL DEFAULT '',
  "precision"     INTEGER,
  PRIMARY KEY (check_id, number)
) STRICT, WITHOUT ROWID;

-- The answers already given: the same key gets the same answer.
CREATE TABLE idempotency (
  monitor_id INTEGER NOT NULL REFERENCES monitors (id),
  key        TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  answer     TEXT NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (monitor_id, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created);

-- The last published snapshot of each channel; serials never go back.
CREATE TABLE snapshots (
  channel      TEXT PRIMARY KEY,
  serial       INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  public_key   TEXT NOT NULL,
  body         BLOB NOT NULL
) STRICT;
