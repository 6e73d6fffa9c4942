-- Marks the version as removed, unless it gained a reference since it was checked.
update ops.models m set removed_at = %(moment)s, removed_why = %(why)s
where m.version = %(version)s and m.removed_at is null and m.registered_at < %(before)s
  and not exists (select 1 from ops.version_claims c where c.version = m.version)
returning m.version
