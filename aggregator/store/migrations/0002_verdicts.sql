CREATE TABLE rules (                 -- what each watchlist looked for, and from when on
  id INTEGER PRIMARY KEY,
  watchlist TEXT NOT NULL,
  version TEXT NOT NULL,             -- changes when the rule or a concept in it does
  definition TEXT NOT NULL,          -- JSON: the rule or keywords, and the concepts that it names
  since INTEGER NOT NULL
) STRICT;
CREATE INDEX rules_watchlist ON rules (watchlist, since);

CREATE TABLE verdicts (              -- hits only: an item that was judged and has no row here was a miss
  item INTEGER NOT NULL REFERENCES items (id),
  rule INTEGER NOT NULL REFERENCES rules (id),
  revision INTEGER NOT NULL,         -- of the item, when it was last a hit
  at INTEGER NOT NULL,
  PRIMARY KEY (item, rule)
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_created ON alerts (created_at, watchlist);
