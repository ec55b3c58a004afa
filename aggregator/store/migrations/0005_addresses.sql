CREATE TABLE addresses (             -- what else a feed is read from: what stands in for it, parts of a sitemap index, its archive
  feed INTEGER NOT NULL REFERENCES feeds (id),
  url TEXT NOT NULL,
  read_at INTEGER NOT NULL,
  etag TEXT,
  last_modified TEXT,
  validators_url TEXT,
  body_hash BLOB,
  entries INTEGER NOT NULL DEFAULT 0,
  partial_reads INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (feed, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE stand_ins (             -- feeds that are read from another address, while their own brings nothing
  feed INTEGER PRIMARY KEY REFERENCES feeds (id),
  url TEXT NOT NULL,                 -- the other address
  since INTEGER NOT NULL,
  reason TEXT NOT NULL,              -- why their own brings nothing
  detail TEXT NOT NULL,
  failures INTEGER NOT NULL,         -- of their own, in a row
  retry_at INTEGER NOT NULL          -- when their own is asked again
) STRICT;
