insert into ops.incidents (cause, subject, title, severity, trouble, thread, opened_at, last_at)
values (%(cause)s, %(subject)s, %(title)s, 'ticket', %(trouble)s, %(thread)s, %(moment)s, %(moment)s)
