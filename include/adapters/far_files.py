"""Files at any fsspec URL (`s3://`, `gs://`, `sftp://`, `file://`, …), for stores that machines share.

The protocol's package (s3fs, gcsfs, …) finds its credentials in the environment. A missing file raises
`FileNotFoundError`; a store that cannot be reached raises a `ServiceError` that names the URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import fsspec

from include.core.errors import ServiceError


def size_of(url: str) -> int | None:
    """Return the size of the file in bytes; None if it does not exist."""
    with _opened(url) as (files, path):
        return int(files.info(path)["size"]) if files.exists(path) else None


def upload(local: Path, url: str) -> None:
    """Copy the local file to `url` atomically."""
    with _opened(url) as (files, path):
        draft = f"{path}.{local.name}.part"
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        files.put_file(str(local), draft)
        files.mv(draft, path)


def download(url: str, local: Path) -> None:
    """Copy the file at `url` to the local path."""
    with _opened(url) as (files, path):
        files.get_file(path, str(local))


def read_text(url: str) -> str:
    """Return the text at `url`."""
    with _opened(url) as (files, path):
        return cast(bytes, files.cat_file(path)).decode()


@contextmanager
def _opened(url: str) -> Iterator[tuple[Any, str]]:
    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
        yield files, path
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ServiceError(
            f"{url} cannot be used: {type(error).__name__}: {' '.join(str(error).split())[:300]}",
            hint="check the setting snapshot_url and its credentials; s3:// requires the package s3fs, gs:// gcsfs.",
            about="snapshot store",
        ) from error
