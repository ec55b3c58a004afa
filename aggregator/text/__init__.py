"""Text as people write it, made comparable: folding, HTML to plain text, URL identity, spellings of a term."""
