"""Keys of PostgreSQL's advisory locks, one per purpose.

Belongs here: every number passed to `pg_advisory_*`. A database has one set of keys, so a key used twice makes one
purpose wait for another. Does not belong here: taking a lock; a statement gets its key as a parameter.
"""

from __future__ import annotations

from enum import IntEnum


class LockKey(IntEnum):
    """The key of an advisory lock."""

    MIGRATIONS = 7_240_711  # one process migrates the warehouse at a time
    SNAPSHOTS = 7_240_712  # runs save snapshots (shared), or retention removes old ones
    LIVE_LISTS = 7_240_713  # one batch is switched live at a time
    ALIASES = 7_240_714  # one process at a time sets MLflow's aliases
    NEWSROOM = 7_240_715  # one process plays the demo publisher at a time
    LOADING = 7_240_716  # one process loads a log at a time
    INCIDENTS = 7_240_717  # one process at a time opens, joins or closes an incident
    REHEARSAL = 7_240_718  # one rehearsal at a time
