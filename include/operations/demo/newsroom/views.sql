-- The three views that map the newsroom's tables to Daybreak's contract; they replace existing views.
drop view if exists source.reading_events, source.articles, source.subscribers, source.deliveries;

create view source.subscribers as
select customer_no as reader_id,
       territory   as region,
       tariff      as plan,
       registered  as signed_up_at,
       likes       as interests
from newsroom.customers;

create view source.articles as
select story_no  as article_id,
       headline  as title,
       teaser    as summary,
       desk      as category,
       outlet    as publisher,
       lang      as language,
       words     as word_count,
       live_from as published_at,
       received  as ingested_at,
       revised   as updated_at,
       disputed  as is_flagged
from newsroom.stories;

-- The publisher's marker: everything up to this moment has been delivered.
create view source.deliveries as
select played_until as complete_until
from newsroom.state;

create view source.reading_events as
select hit_no      as event_id,
       customer_no as reader_id,
       story_no    as article_id,
       case action when 'shown' then 'impression' when 'opened' then 'click' when 'finished' then 'read'
                   else action end as kind,
       happened    as occurred_at,
       logged      as ingested_at,
       seconds     as dwell_seconds,
       slot        as position,
       place       as surface,
       list_ref    as batch_id,
       visit_no    as session_id
from newsroom.tracking;
