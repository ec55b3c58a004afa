CREATE TABLE older_pages (           -- RFC 5005: the documents with older entries of a feed that were read
  feed INTEGER NOT NULL REFERENCES feeds (id),
  url TEXT NOT NULL,                 -- '' is the feed's own document
  older TEXT,                        -- where still older entries are; null: nowhere
  fixed INTEGER NOT NULL,            -- 1: that is an archive document, which never changes; 0: a page that moves on
  read_at INTEGER NOT NULL,
  PRIMARY KEY (feed, url)
) STRICT, WITHOUT ROWID;
