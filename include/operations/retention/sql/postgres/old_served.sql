-- What was handed out long ago.
delete from recs.served where served_at < %(before)s
