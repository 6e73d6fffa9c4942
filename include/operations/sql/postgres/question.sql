-- The version that a verdict asks about, and the champion that would make way for it.
select verdict_id, challenger_version as version, champion_version from ops.verdicts where verdict_id = %(verdict_id)s
