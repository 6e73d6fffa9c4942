-- The latest finding on late rows for the latest model, if it is a reason to retrain.
select sentence from (
    select sentence, is_retrain_due from ops.late_rows
    where as_of <= %(window_end)s and model_version = (
        select version from ops.models where as_of <= %(window_end)s and removed_at is null
        order by as_of desc, version desc limit 1)
    order by as_of desc, measured_at desc limit 1) newest
where is_retrain_due
