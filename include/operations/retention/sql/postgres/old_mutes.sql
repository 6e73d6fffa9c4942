delete from ops.mutes where until < %(before)s
