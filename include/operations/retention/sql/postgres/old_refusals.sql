delete from ops.refused_runs where refused_at < %(before)s
