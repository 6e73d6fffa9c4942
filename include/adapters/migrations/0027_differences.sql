-- A verdict keeps the gain over the version to beat with its interval, over all readers and for each slice, so that two
-- versions can be shown side by side long after. Empty for earlier verdicts and where a version had seen answers.
set role daybreak_run;

alter table ops.verdicts add column differences jsonb not null default '[]';

reset role;
