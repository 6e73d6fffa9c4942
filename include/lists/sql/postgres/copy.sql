copy {draft} (reader_id, rank, article_id, score, reason) from stdin (format binary, freeze)
