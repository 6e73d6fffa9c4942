select count(*) from quarantine.every_row where replayed_into is null
