-- Whether no later window was measured.
select not exists (select from ops.drift where subject = 'window' and window_end > %s)
