CREATE INDEX items_first_seen ON items (first_seen);
CREATE INDEX items_feed ON items (feed, first_seen); -- the newest of a feed: 75 ms in a million items without it
