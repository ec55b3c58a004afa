ALTER TABLE feeds ADD COLUMN coverage TEXT NOT NULL DEFAULT '{}'; -- JSON: its silences and failures so far
ALTER TABLE feeds ADD COLUMN look_at INTEGER; -- when something may be wrong with it, or over, before its next visit
CREATE INDEX feeds_look ON feeds (look_at) WHERE listed = 1 AND look_at IS NOT NULL;

CREATE TABLE troubles (              -- what keeps a feed or a watchlist from being watched; one row for each kind
  feed INTEGER REFERENCES feeds (id), -- null: of a watchlist
  watchlist TEXT,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  since INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  ended_at INTEGER,                  -- null: it goes on
  told INTEGER NOT NULL,             -- 1: the operator was told that it began, and not yet that it ended
  told_at INTEGER,                   -- when a notice said last that it began
  UNIQUE (feed, kind),
  UNIQUE (watchlist, kind),
  CHECK (feed IS NULL OR watchlist IS NULL)
) STRICT;
CREATE INDEX troubles_open ON troubles (watchlist, feed) WHERE ended_at IS NULL;
CREATE INDEX troubles_owed ON troubles (told_at)
  WHERE (told = 0 AND ended_at IS NULL) OR (told = 1 AND ended_at IS NOT NULL);

CREATE TABLE notices (               -- what the operator is told: a trouble began, or ended
  id INTEGER PRIMARY KEY,
  feed INTEGER REFERENCES feeds (id), -- null: of a watchlist
  watchlist TEXT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,                -- of the feed or the watchlist, as it stood then
  label TEXT,                        -- of a watchlist, for minimal messages
  detail TEXT NOT NULL,
  since INTEGER NOT NULL,
  is_over INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL            -- notices of one moment wait for each other and go out as one message
) STRICT;

CREATE TABLE deliveries_of_both (    -- the outbox: alerts and notices that are owed to somebody
  id INTEGER PRIMARY KEY,
  alert INTEGER REFERENCES alerts (id),
  notice INTEGER REFERENCES notices (id),
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'dead', 'orphaned')), -- orphaned: feeds.yaml no longer names the recipient
  urgency INTEGER NOT NULL,          -- 0 critical ... 3 low: who goes first
  message TEXT,                      -- set when first claimed and never changed: a repeat is the same message
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  lease_token TEXT,
  lease_until INTEGER,
  last_code TEXT,
  last_error TEXT,
  sent_at INTEGER,
  UNIQUE (alert, channel, recipient),
  UNIQUE (notice, channel, recipient),
  CHECK ((alert IS NULL) != (notice IS NULL))
) STRICT;
INSERT INTO deliveries_of_both (id, alert, channel, recipient, state, urgency, message, attempts, due_at, lease_token,
  lease_until, last_code, last_error, sent_at)
  SELECT id, alert, channel, recipient, state, urgency, message, attempts, due_at, lease_token, lease_until, last_code,
    last_error, sent_at FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_of_both RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'due';
CREATE INDEX deliveries_message ON deliveries (message) WHERE message IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';
CREATE INDEX deliveries_orphaned ON deliveries (channel, recipient) WHERE state = 'orphaned';
CREATE INDEX deliveries_notices ON deliveries (channel, recipient) WHERE notice IS NOT NULL AND message IS NULL;
