-- Nobody promotes, pins, asks or publishes until this transaction ends, so what keeps a version cannot change meanwhile.
lock table ops.holds, ops.champions, ops.verdicts, recs.batches, ops.models in share row exclusive mode
