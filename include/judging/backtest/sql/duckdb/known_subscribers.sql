-- The readers who signed up before the moment.
select * from all_subscribers where signed_up_at < $moment
