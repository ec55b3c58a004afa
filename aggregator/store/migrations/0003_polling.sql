ALTER TABLE feeds ADD COLUMN address TEXT;         -- where it is asked since it moved for good; null: at url
ALTER TABLE feeds ADD COLUMN moved_since INTEGER;  -- since when every good visit was sent to moved_to for good
ALTER TABLE feeds ADD COLUMN moved_visits INTEGER NOT NULL DEFAULT 0; -- how many those are
ALTER TABLE feeds ADD COLUMN document TEXT NOT NULL DEFAULT ''; -- the address without scheme and last slash: of several listed feeds with one document one is asked
ALTER TABLE sites ADD COLUMN paused_until INTEGER; -- it refused us: nothing of it is asked before
CREATE INDEX feeds_document ON feeds (document) WHERE listed = 1;
CREATE INDEX feeds_visited ON feeds (visited_at) WHERE listed = 1;
