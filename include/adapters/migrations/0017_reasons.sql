-- The reason that a person gave with an answer; empty for none.
set role daybreak_run;

alter table ops.answers add column reason text not null default '';

reset role;
