-- Whether a version was ever champion, or has a verdict of record and this one is none.
select exists (select from ops.champions where version = %(version)s)
    or not %(is_binding)s
       and exists (select from ops.verdicts where challenger_version = %(version)s and of_record_at is not null)
