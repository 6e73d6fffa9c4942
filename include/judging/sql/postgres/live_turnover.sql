-- The comparison with the live lists when this run judged this version first.
select found.value
from ops.verdicts v
cross join jsonb_array_elements(v.checks) found
where v.run_id = %(run_id)s and v.as_of = %(as_of)s and v.challenger_version = %(version)s
  and v.of_record_at is not null and found.value ->> 'code' = 'RT126'
order by v.judged_at limit 1
