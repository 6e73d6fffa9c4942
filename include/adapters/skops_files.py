"""skops files: models stored without code, in a form where equal models give equal bytes.

skops names parts after memory addresses, so two dumps of one model differ. Here the parts are renamed in order of
appearance, the zip's time stamps are fixed and the number of training threads is left out; the SHA-256 of the file is
then the digest of the model, whatever machine trained it.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from include.core.errors import ArtifactDamaged

# Reviewed: HistGradientBoosting's trees, plain arrays of node records, and the type of the numbers that an imputer met.
# Files are only loaded after a hash check.
TRUSTED = ("numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")


def dump(model: Any, path: Path) -> None:
    """Write the model to `path` as a canonical skops file."""
    import skops.io as sio

    _forget_threads(model)
    path.write_bytes(canonical(sio.dumps(model)))


def _forget_threads(model: Any) -> None:
    """Reset the number of training threads that scikit-learn's trees record; it is not part of the model."""
    for part in model.values() if isinstance(model, dict) else (model,):
        if hasattr(part, "_bin_mapper"):
            part._bin_mapper.n_threads = 1  # used while fitting only
        elif isinstance(part, dict):
            _forget_threads(part)


def canonical(data: bytes) -> bytes:
    """Return the skops archive with parts numbered in order of appearance and without time stamps."""
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
    """Return the model in a file; raise `ArtifactDamaged` if it is unreadable or holds types that were not reviewed."""
    import skops.io as sio

    try:
        unknown = sorted(set(sio.get_untrusted_types(file=path)) - set(TRUSTED))
        if unknown:
            raise ArtifactDamaged(
                f"{path.name} contains types that were not reviewed: {', '.join(unknown)}.",
                hint="do not load it; train again.",
            )
        return sio.load(path, trusted=list(TRUSTED))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactDamaged(
            f"{path} is not a readable model file: {error}.", hint="roll back or train again."
        ) from error
