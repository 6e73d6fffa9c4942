insert into ops.late_rows (snapshot_id, model_version, as_of, before_count, late_count, corrected_count, gone_count, share,
                           limit_share, is_retrain_due, sentence)
values (%(snapshot_id)s, %(model_version)s, %(as_of)s, %(before_count)s, %(late_count)s, %(corrected_count)s,
        %(gone_count)s, %(share)s, %(limit_share)s, %(is_retrain_due)s, %(sentence)s)
on conflict (snapshot_id, model_version) do nothing
