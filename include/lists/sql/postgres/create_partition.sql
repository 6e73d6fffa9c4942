-- A table of the batch's own, made apart: neither filling nor attaching it blocks those who read the live lists.
drop table if exists {draft};
create table {draft} (like recs.recommendations including defaults including constraints);
-- the default spares COPY the same word in every row, the check spares `attach` a look at every row
alter table {draft}
    alter batch_id set default {batch_id},
    add constraint is_batch check (batch_id = {batch_id});
