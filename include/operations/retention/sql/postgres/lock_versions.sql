-- Blocks promoting, pinning, asking and publishing until this transaction ends, so no version gains a reference meanwhile.
lock table ops.holds, ops.champions, ops.verdicts, recs.batches, ops.models in share row exclusive mode
