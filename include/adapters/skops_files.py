"""skops: models as files that hold no code, in a form where equal models give equal bytes.

skops names its parts after memory addresses, so the same model dumped twice differs. Here the parts are renamed in
order of appearance, the zip's time stamps fixed and the number of threads that trained it left out; the SHA-256 of the
file is then the digest of the model, whatever machine it was trained on.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from include.core.errors import ArtifactDamaged

# Reviewed: HistGradientBoosting's trees, plain arrays of node records. Its file is only loaded after a hash check.
TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)


def dump(model: Any, path: Path) -> None:
    """The model as a canonical skops file."""
    import skops.io as sio

    _forget_threads(model)
    path.write_bytes(canonical(sio.dumps(model)))


def _forget_threads(model: Any) -> None:
    """scikit-learn's trees note how many threads they were grown with, which is no part of what was learnt."""
    for part in model.values() if isinstance(model, dict) else (model,):
        if hasattr(part, "_bin_mapper"):
            part._bin_mapper.n_threads = 1  # used while fitting only
        elif isinstance(part, dict):
            _forget_threads(part)


def canonical(data: bytes) -> bytes:
    """The same skops archive with parts numbered in order of appearance and no time stamps."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = parts.pop("schema.json").decode()
    ids: dict[str, int] = {}
    schema = re.sub(r'("__id__": )(\d+)', lambda match: f"{match[1]}{ids.setdefault(match[2], len(ids))}", schema)
    names: dict[str, str] = {}
    schema = re.sub(
        r'("file": )"([^"]+)"',
        lambda match: f'{match[1]}"{names.setdefault(match[2], f"{len(names)}{Path(match[2]).suffix}")}"',
        schema,
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("schema.json", schema.encode()), *((names[old], parts[old]) for old in names)]:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def load(path: Path) -> Any:
    """The model in a file that holds nothing but reviewed types."""
    import skops.io as sio

    try:
        unknown = sorted(set(sio.get_untrusted_types(file=path)) - set(TRUSTED))
        if unknown:
            raise ArtifactDamaged(
                f"{path.name} holds types that were never reviewed: {', '.join(unknown)}.",
                hint="do not load it; train again.",
            )
        return sio.load(path, trusted=list(TRUSTED))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactDamaged(
            f"{path} is not a readable model file: {error}.", hint="roll back or train again."
        ) from error
