select article_id, reason, actor, taken_down_at from ops.takedowns where lifted_at is null order by taken_down_at desc
