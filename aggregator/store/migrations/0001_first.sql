-- Times are epoch milliseconds (UTC). Lists are JSON. Hashes are 16 bytes of BLAKE2b.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  site TEXT NOT NULL,                -- host without www.: whose words these are, and whose server is asked
  listed INTEGER NOT NULL,           -- 1 while feeds.yaml names it; its history stays
  due_at INTEGER NOT NULL,
  due_why TEXT NOT NULL,
  not_before INTEGER,                -- the server's own bound; even a forced fetch honours it
  lease_token TEXT,
  lease_until INTEGER,
  etag TEXT,                         -- validators: the received bytes as latin-1
  last_modified TEXT,
  validators_url TEXT,
  moved_to TEXT,
  body_hash BLOB,
  title TEXT,
  format TEXT,
  flags TEXT NOT NULL DEFAULT '[]',
  entries INTEGER NOT NULL DEFAULT 0,
  partial_reads INTEGER NOT NULL DEFAULT 0, -- documents since the last one that was parsed whole
  history TEXT NOT NULL DEFAULT '{}',
  visited_at INTEGER,
  read_at INTEGER,                   -- last visit that went well
  new_at INTEGER,                    -- last visit that brought an item
  failures INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,
  reason TEXT,
  detail TEXT
) STRICT;
CREATE UNIQUE INDEX feeds_name ON feeds (name) WHERE listed = 1;
CREATE INDEX feeds_due ON feeds (due_at) WHERE listed = 1;
CREATE INDEX feeds_leased ON feeds (site) WHERE lease_until IS NOT NULL;

CREATE TABLE sites (
  site TEXT PRIMARY KEY,
  free_at INTEGER NOT NULL           -- the gap after the last request
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
  id INTEGER PRIMARY KEY,            -- time ordered: first seen
  feed INTEGER NOT NULL REFERENCES feeds (id),
  key TEXT NOT NULL,                 -- identity inside the feed
  nth INTEGER NOT NULL DEFAULT 0,    -- how often the key was reused for another story
  story INTEGER NOT NULL REFERENCES items (id), -- the item that brought the story first
  story_rule TEXT NOT NULL,          -- why it belongs there: new, url, words, text
  revision INTEGER NOT NULL DEFAULT 1,
  first_seen INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  change INTEGER NOT NULL,           -- grows with every change of any item: the search index follows it
  guid TEXT,
  link TEXT,
  url_key TEXT,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  content TEXT NOT NULL,
  author TEXT,
  lang TEXT,
  tags TEXT NOT NULL,
  enclosures TEXT NOT NULL,
  published INTEGER,
  updated INTEGER,
  flags TEXT NOT NULL,
  content_hash BLOB NOT NULL,
  slice_hash BLOB,                   -- of the bytes it was last read from: the same bytes need no parser
  title_hash BLOB NOT NULL,
  full_hash BLOB,
  text_hash BLOB,
  article_hash BLOB,
  UNIQUE (feed, key, nth)
) STRICT;
CREATE INDEX items_change ON items (change);
CREATE INDEX items_content ON items (feed, content_hash);
CREATE INDEX items_slice ON items (slice_hash) WHERE slice_hash IS NOT NULL;
CREATE INDEX items_story ON items (story);
CREATE INDEX items_url_key ON items (url_key) WHERE url_key IS NOT NULL;
CREATE INDEX items_full_hash ON items (full_hash) WHERE full_hash IS NOT NULL;
CREATE INDEX items_text_hash ON items (text_hash) WHERE text_hash IS NOT NULL;
CREATE INDEX items_article_hash ON items (article_hash) WHERE article_hash IS NOT NULL;

CREATE TABLE revisions (             -- what an item said before it was changed
  item INTEGER NOT NULL REFERENCES items (id),
  revision INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  content TEXT NOT NULL,
  link TEXT,
  tags TEXT NOT NULL,
  PRIMARY KEY (item, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejections (            -- entries that could not become items
  feed INTEGER NOT NULL REFERENCES feeds (id),
  position INTEGER NOT NULL,
  reason TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  PRIMARY KEY (feed, position, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE articles (
  item INTEGER PRIMARY KEY REFERENCES items (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'read', 'failed')),
  link TEXT NOT NULL,
  site TEXT NOT NULL,
  text TEXT,
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,                    -- null: nothing to do
  lease_token TEXT,
  lease_until INTEGER,
  read_at INTEGER
) STRICT;
CREATE INDEX articles_due ON articles (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX articles_leased ON articles (site) WHERE lease_until IS NOT NULL;
CREATE INDEX articles_link ON articles (link, read_at);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  watchlist TEXT NOT NULL,
  label TEXT NOT NULL,
  severity TEXT NOT NULL,
  story INTEGER NOT NULL REFERENCES items (id),
  item INTEGER NOT NULL REFERENCES items (id),
  revision INTEGER NOT NULL,
  title TEXT NOT NULL,               -- as it stood then
  created_at INTEGER NOT NULL,
  is_update INTEGER NOT NULL,
  acked_at INTEGER,
  terms TEXT NOT NULL,
  excerpts TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_item ON alerts (item);
CREATE INDEX alerts_story ON alerts (story);

CREATE TABLE told (                  -- decides inside the write transaction who alerts first
  watchlist TEXT NOT NULL,
  story INTEGER NOT NULL REFERENCES items (id),
  term TEXT NOT NULL,
  alert INTEGER NOT NULL REFERENCES alerts (id),
  PRIMARY KEY (watchlist, story, term)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_story ON told (story);

CREATE TABLE deliveries (            -- the outbox
  id INTEGER PRIMARY KEY,
  alert INTEGER NOT NULL REFERENCES alerts (id),
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'dead')),
  urgency INTEGER NOT NULL,          -- 0 critical ... 3 low: who goes first
  message TEXT,                      -- set when first claimed and never changed: a repeat is the same message
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  lease_token TEXT,
  lease_until INTEGER,
  last_code TEXT,
  last_error TEXT,
  sent_at INTEGER,
  UNIQUE (alert, channel, recipient)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'due';
CREATE INDEX deliveries_message ON deliveries (message) WHERE message IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';

CREATE TABLE ticks (                 -- liveness is data
  name TEXT PRIMARY KEY,
  every_ms INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  error TEXT
) STRICT, WITHOUT ROWID;
