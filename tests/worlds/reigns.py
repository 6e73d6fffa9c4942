"""Champions in turn, with versions, verdicts and lists of theirs, in a warehouse that a test may fill."""

from __future__ import annotations

import json
from datetime import timedelta

import pyarrow as pa

from include.adapters import mlflow_client, mlflow_registry
from include.adapters.warehouse import connect
from include.core.references import Reference
from include.data.store import digest_folder
from include.features.scenes import VERSION
from include.judging import champion as champions
from include.lists import batch as batches
from include.models import RANKED
from include.models.kinds.most_read import MostRead
from tests.worlds import tiny

AS_OF = tiny.AS_OF


def ask_for(settings, text, *values):
    with connect(settings, "postgres") as warehouse:
        return warehouse.execute(text, values).fetchall()


def register(settings, version):
    """A version whose files lie on this machine, in the registry behind those before it."""
    mlflow, number = mlflow_client.client(settings), 0
    run_id = mlflow.create_run("0").info.run_id
    while number < version:
        made = mlflow.create_model_version(mlflow_client.MODEL, f"runs:/{run_id}/model", run_id=run_id)
        number = int(made.version)
    folder = settings.home / "models" / f"draft-{version}"
    folder.mkdir(parents=True)
    MostRead().save(folder)
    (folder / "version.txt").write_text(str(version))
    digest = digest_folder(folder)
    folder.rename(folder.with_name(digest))
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id) values (%s, %s, 'most_read', %s, 'f', %s, %s, 'r', 'gone')",
            [version, digest, VERSION, f"snapshot of {version}", AS_OF],
        )
    return digest


def reign(settings, *versions):
    """Each version champion in turn, with live lists of its own an hour apart."""
    with connect(settings) as warehouse:
        for seq, version in enumerate(versions):
            before = versions[seq - 1] if seq else None
            champions.append(
                warehouse, after_seq=seq, version=version, from_version=before, why="better", actor="test",
                run_id=f"run {version}", snapshot_id=f"snapshot of {version}",
            )  # fmt: skip
    for seq, version in enumerate(versions):
        publish(settings, version, AS_OF + timedelta(hours=seq))


def crown(settings, version, at, action="promote", verdict_id=None):
    """A row of the ledger as it was written at some moment."""
    ask_for(
        settings,
        "insert into ops.champions (seq, version, action, why, actor, verdict_id, run_id, snapshot_id, at)"
        " select coalesce(max(seq), 0) + 1, %s, %s, 'w', 'test', %s, 'r', 's', %s from ops.champions returning seq",
        version, action, verdict_id, at,
    )  # fmt: skip


def publish(settings, version, as_of, status="audited", goes_live=True):
    batch_id = f"batch_of_{version}_{as_of:%H}"
    row = {"list_at": AS_OF, "score": 0.5, "reason": "w"}
    rows = [{**row, "reader_id": r, "rank": n, "article_id": 100 * version + n} for r in (1, 2) for n in (1, 2)]
    about = {"batch_id": batch_id, "as_of": as_of, "model_version": version, "snapshot_id": "s", "run_id": "r"}
    with connect(settings) as warehouse:
        batches.write(warehouse, pa.Table.from_pylist(rows, RANKED).to_batches(), {**about, "list_length": 2})
        batches.set_status(warehouse, batch_id, status)
        if goes_live:
            batches.restore(warehouse, batch_id, 150)
    return batch_id


def keep_verdict(settings, verdict, version, after_seq, champion_version=None, *, is_asked=True):
    name = f"verdict-on-{version}-after-{after_seq}-{verdict.decision}"
    checks = json.dumps([check.to_dict() for check in verdict.checks])
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics, of_record_at, asked_at)"
            " values (%s, %s, 'r', %s, %s, %s, %s, %s, '{}', now(), case when %s then now() end)",
            [
                name,
                AS_OF,
                version,
                champion_version,
                after_seq,
                verdict.decision,
                checks,
                is_asked and verdict.decision == "ask",
            ],
        )
    facts = {"decision": verdict.decision, "sentence": verdict.sentence, "challenger_version": version,
             "champion_version": champion_version, "champion_seq": after_seq, "report": "r.html"}  # fmt: skip
    return Reference("verdict", name, "r.html", AS_OF, "f", (), facts)


def champion_of(settings):
    with connect(settings) as warehouse:
        return champions.find_champion(warehouse)


def live_model(settings):
    return ask_for(settings, "select distinct model_version from recs.current")


def aliases(settings):
    """The versions that MLflow's aliases name."""
    return {alias: mlflow_registry.read_alias(settings, alias) for alias in ("champion", "previous")}


def two_and_a_challenger(settings):
    """Two champions in turn, the second one's lists live, and a third version that nobody judged yet."""
    for version in (1, 2, 3):
        register(settings, version)
    reign(settings, 1, 2)
