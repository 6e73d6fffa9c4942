"""How a question that `daybreak retrain` ends with is told."""

from __future__ import annotations

from include.core.references import Reference
from include.core.run import Run
from include.operations.cli.decisions import announce_question
from tests.parts import servers
from tests.worlds.tiny import AS_OF


def test_without_airflow_a_question_says_so_and_how_to_answer_it(tmp_path):
    settings = servers.new_settings(tmp_path)
    verdict = Reference("verdict", "20250309T000000Z-v2-after-1-abc", "", AS_OF, "f", (), {"sentence": "It is likely."})
    assert announce_question(Run(settings, "cli/retrain/1", AS_OF, "ada"), verdict) == (
        "Answer with `bin/daybreak approve 20250309T000000Z-v2-after-1-abc`, or add --keep to keep the champion. "
        "The question is not under Required Actions and stays open until it is answered or the champion changes: "
        f"Airflow does not answer at http://127.0.0.1:{settings.airflow_port}."
    )
