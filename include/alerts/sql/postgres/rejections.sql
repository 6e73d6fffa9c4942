-- The verdicts that count, since the last one that did not keep the champion or the last change of champion.
select count(*) from ops.verdicts
where decision = 'keep'
  and of_record_at > greatest(
      (select max(of_record_at) from ops.verdicts where decision <> 'keep'),
      (select max(at) from ops.champions)
  )
