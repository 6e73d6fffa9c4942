"""The store of artifacts: files named by their content, and folders that are written atomically.

Writes go to `tmp/` and are renamed into place, so a crash leaves a temporary file and never half an artifact;
`clean_up` removes such files. Snapshots lie in the state folder or, with the setting `snapshot_url`, at that URL for
all machines: then the state folder holds copies of the objects, fetched on first use.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from include.adapters import far_files
from include.core.errors import ArtifactDamaged
from include.core.settings import Settings


def digest_of(*parts: object) -> str:
    """Return the SHA-256 of JSON-ready data, independent of key order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_folder(folder: Path) -> str:
    """Return the SHA-256 of a folder: of the names and contents of all its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_of([(str(path.relative_to(folder)), digest_file(path)) for path in files])


def scratch(settings: Settings) -> Path:
    """Return a new, unused path in the state folder's `tmp/`."""
    folder = settings.home / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"part-{uuid.uuid4().hex}"


@contextmanager
def whole_folder(settings: Settings, target: Path) -> Iterator[Path]:
    """Yield a folder to fill; when the block succeeds it becomes `target`, replacing an existing one."""
    draft = scratch(settings)
    draft.mkdir()
    try:
        yield draft
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(scratch(settings))
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_json(path: Path, data: object) -> None:
    """Write `data` as readable JSON to `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(data, indent=1, sort_keys=True, default=str) + "\n")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the data that `write_json` wrote; raise `ArtifactDamaged` if the file is missing or broken."""
    try:
        return cast(dict[str, Any], json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise ArtifactDamaged(
            f"{path} cannot be read: {error}.", hint="run the stage that makes it again; it writes to the same path."
        ) from error


def object_path(settings: Settings, digest: str) -> Path:
    """Return the path of the local file with this content, fetching it from `snapshot_url` if needed."""
    path = settings.home / "snapshots" / _object_name(digest)
    if path.exists():
        return path
    draft = scratch(settings)
    try:
        if not settings.snapshot_url:
            raise FileNotFoundError
        far_files.download(f"{settings.snapshot_url}/{_object_name(digest)}", draft)
    except FileNotFoundError as error:
        raise ArtifactDamaged(
            f"The file {digest[:12]} of a snapshot is not in {settings.snapshot_url or path.parent}.",
            hint="run extract for that window again; it writes the same files.",
        ) from error
    if digest_file(draft) != digest:
        draft.unlink()
        raise ArtifactDamaged(
            f"The file {digest[:12]} of a snapshot has changed at {settings.snapshot_url}.",
            hint="remove it there and run extract for that window again.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(path)
    return path


def keep_object(settings: Settings, draft: Path) -> str:
    """Move a draft file to the place named by its content, and return its digest; equal content is stored once."""
    digest = digest_file(draft)
    target = settings.home / "snapshots" / _object_name(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.utime(target)  # retention keeps recently used files
        draft.unlink()
    except FileNotFoundError:
        draft.replace(target)
    if settings.snapshot_url:
        url = f"{settings.snapshot_url}/{_object_name(digest)}"
        if far_files.size_of(url) != target.stat().st_size:
            far_files.upload(target, url)
    return digest


def _object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}.parquet"


def manifest_uri(settings: Settings, snapshot_id: str) -> str:
    """Return the path or URL of a snapshot's manifest."""
    return f"{settings.snapshot_url or settings.home / 'snapshots'}/{snapshot_id}/manifest.json"


def write_manifest(settings: Settings, snapshot_id: str, data: object) -> None:
    """Write the manifest of a snapshot; all its objects must be stored already."""
    uri = manifest_uri(settings, snapshot_id)
    if not settings.snapshot_url:
        write_json(Path(uri), data)
        return
    draft = scratch(settings)
    write_json(draft, data)
    far_files.upload(draft, uri)
    draft.unlink()


def read_manifest(uri: str) -> dict[str, Any]:
    """Return the data that `write_manifest` wrote; raise `ArtifactDamaged` if it is missing or broken."""
    if "://" not in uri:
        return read_json(Path(uri))
    try:
        return cast(dict[str, Any], json.loads(far_files.read_text(uri)))
    except (FileNotFoundError, ValueError) as error:
        raise ArtifactDamaged(
            f"{uri} cannot be read: {error}.", hint="run extract for that window again; it writes to the same path."
        ) from error
