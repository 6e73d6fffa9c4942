-- No figure is worth more of the warehouse's time.
set statement_timeout = '3s'
