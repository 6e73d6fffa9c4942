-- Create the batch's table separately, so that neither filling nor attaching it blocks readers of the live lists.
drop table if exists {draft};
create table {draft} (like recs.recommendations including defaults including constraints);
-- with the default, COPY need not repeat the id in every row; with the check, `attach` need not scan the rows
alter table {draft}
    alter batch_id set default {batch_id},
    add constraint is_batch check (batch_id = {batch_id});
