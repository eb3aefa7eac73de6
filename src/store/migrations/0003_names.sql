-- Whose a server is, as the administration says; '': of nobody else's but its own.
ALTER TABLE servers ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- Names of servers for NTS: a label below the pool ("alice"), or a whole name of the member's own
-- ("time.example.org"). A row stays after the removal, so that nobody else takes the name.
CREATE TABLE names (
  name    TEXT PRIMARY KEY,
  owner   TEXT NOT NULL,
  created INTEGER NOT NULL,
  removed INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX names_removed ON names (removed);

-- A server's name and where its NTS stands; several servers of one owner may have one name.
CREATE TABLE nts_servers (
  server_id    INTEGER PRIMARY KEY REFERENCES servers (id),
  name         TEXT NOT NULL,
  port         INTEGER NOT NULL,
  account_uris TEXT NOT NULL,
  state        TEXT NOT NULL,
  reason       TEXT NOT NULL,
  since        INTEGER NOT NULL,
  not_after    INTEGER,
  last_check   INTEGER
) STRICT;
CREATE INDEX nts_servers_name ON nts_servers (name);

-- What one monitor found last of one server's NTS.
CREATE TABLE nts_pairs (
  server_id  INTEGER NOT NULL REFERENCES servers (id),
  monitor_id INTEGER NOT NULL REFERENCES monitors (id),
  time       INTEGER NOT NULL,
  outcome    TEXT NOT NULL,
  failures   INTEGER NOT NULL,
  PRIMARY KEY (server_id, monitor_id)
) STRICT, WITHOUT ROWID;

-- Every check of NTS, as reported.
CREATE TABLE nts_checks (
  id         INTEGER PRIMARY KEY,
  server_id  INTEGER NOT NULL REFERENCES servers (id),
  monitor_id INTEGER NOT NULL REFERENCES monitors (id),
  time       INTEGER NOT NULL,
  outcome    TEXT NOT NULL,
  code       INTEGER,
  detail     TEXT NOT NULL,
  not_after  INTEGER,
  cookies    INTEGER,
  aead       INTEGER,
  ke_ms      REAL,
  "offset"   REAL
) STRICT;
CREATE INDEX nts_checks_server ON nts_checks (server_id, time);
CREATE INDEX nts_checks_time ON nts_checks (time);

-- Every change of a server's name and of the state of its NTS.
CREATE TABLE nts_changes (
  id        INTEGER PRIMARY KEY,
  server_id INTEGER NOT NULL REFERENCES servers (id),
  time      INTEGER NOT NULL,
  name      TEXT NOT NULL,
  state     TEXT NOT NULL,
  reason    TEXT NOT NULL
) STRICT;
CREATE INDEX nts_changes_server ON nts_changes (server_id, time);
CREATE INDEX nts_changes_time ON nts_changes (time);
