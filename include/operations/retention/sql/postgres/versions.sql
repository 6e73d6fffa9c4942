-- Every version that was not removed, with its claims.
select m.version, m.model, m.registered_at, m.features_id,
       array(select distinct c.why from ops.version_claims c where c.version = m.version order by 1) as claims
from ops.models m
where m.removed_at is null
order by m.version
