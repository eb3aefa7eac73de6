-- How often name servers handed out each server, by zone and day (since 1970, UTC).
CREATE TABLE handed_out (
  server_id INTEGER NOT NULL REFERENCES servers (id),
  day       INTEGER NOT NULL,
  zone      TEXT NOT NULL,
  count     INTEGER NOT NULL,
  PRIMARY KEY (server_id, day, zone)
) STRICT, WITHOUT ROWID;
CREATE INDEX handed_out_day ON handed_out (day);

-- The batches of them that were taken: the same key and body count once.
CREATE TABLE handed_out_batches (
  key       TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  answer    TEXT NOT NULL,
  created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX handed_out_batches_created ON handed_out_batches (created);
