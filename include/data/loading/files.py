"""Finding and unpacking the files of a load, assigning them to sections of the mapping, and reading their heads."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

from include.core.errors import SettingsError, SourceError
from include.core.numbers import write_count
from include.core.settings import Settings
from include.data.loading.mapping import Section
from include.data.store import scratch

FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
FORMATS |= {".parquet": "parquet", ".pq": "parquet"}
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
PACKED = (".gz", *ARCHIVES)
LOOKS = {"{": "jsonl", "PAR1": "parquet"}  # the first characters of files without a known suffix
HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """One file: its present path, and the name that people know."""

    path: Path
    name: str

    @property
    def suffix(self) -> str:
        """Return the suffix of the name without `.gz`."""
        return Path(self.name.removesuffix(".gz")).suffix.lower()


@contextmanager
def open_files(settings: Settings, given: Sequence[str]) -> Iterator[list[Source]]:
    """Yield all files given by name, pattern or folder; archives are unpacked while the block runs."""
    folder = scratch(settings)
    try:
        yield [source for path in find_files(given) for source in _unpacked(path, folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_files(given: Sequence[str]) -> list[Path]:
    """Return the files in the order of their names; raise `SourceError` for a pattern without matches."""
    found: dict[Path, None] = {}
    for pattern in given:
        path = Path(pattern).expanduser()
        if path.is_dir():
            hits = [one for one in sorted(path.rglob("*")) if one.is_file() and _is_readable(one)]
        elif path.is_file():
            hits = [path]
        else:  # pathlib does not support absolute patterns
            hits = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
        if not hits:
            raise SourceError(f"There is no file {pattern}.", hint="give files, patterns in quotes, or a folder.")
        found |= dict.fromkeys(hits)
    return list(found)


def _is_readable(path: Path) -> bool:
    """Return whether a file in a folder can be read, judged by its suffix, or without one by its first characters."""
    if path.name.startswith("."):
        return False
    return path.name.endswith(PACKED) or path.suffix.lower() in FORMATS or (not path.suffix and bool(_sniff(path)))


def _sniff(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(64).decode("utf-8-sig", errors="replace").lstrip()
    return next((form for sign, form in LOOKS.items() if begin.startswith(sign)), "")


def _unpacked(path: Path, folder: Path) -> Iterator[Source]:
    """Yield the file itself, or each file of an archive and of archives inside it."""
    if not path.name.endswith(ARCHIVES):
        yield Source(path, path.name)
        return
    try:
        for name, packed in _members(path):
            folder.mkdir(parents=True, exist_ok=True)
            target = Path(tempfile.mkdtemp(dir=folder)) / name
            with packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file, HEAD_BYTES)
            if _is_readable(target):
                yield from _unpacked(target, folder)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise SourceError(
            f"{path} cannot be unpacked: {error}.", hint="download it again, or unpack it yourself."
        ) from None


def _members(path: Path) -> Iterable[tuple[str, IO[bytes]]]:
    """Yield name and content of each readable file in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for one in archive.infolist():
                if not one.is_dir() and _may_be_read(one.filename):
                    yield Path(one.filename).name, archive.open(one)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and _may_be_read(member.name) else None
                if content is not None:
                    yield Path(member.name).name, content


def _may_be_read(name: str) -> bool:
    path = Path(name)
    is_known = not path.suffix or path.suffix.lower() in FORMATS or path.name.endswith(PACKED)
    return is_known and not path.name.startswith(".")


def assign(sections: Sequence[Section], sources: Sequence[Source]) -> dict[str, list[Source]]:
    """Return the files of each section; raise `SettingsError` for a file that no section reads."""
    taken = {
        section.name: [one for one in sources if any(fnmatch(one.name, pattern) for pattern in section.files)]
        for section in sections
    }
    used = {one for files in taken.values() for one in files}
    if unused := [one.name for one in sources if one not in used]:
        raise SettingsError(
            f"No section of the mapping reads {write_count(len(unused), 'file')}: {', '.join(unused[:5])}.",
            hint="leave them out, or make `files` of a section match their names.",
        )
    return taken


def format_of(section: Section | None, source: Source) -> str:
    """Return the format of a file, from the mapping or else from its name or first characters."""
    found = (section.format if section else "") or FORMATS.get(source.suffix, "")
    if not found and not source.name.endswith(".gz"):
        found = _sniff(source.path)
    if not found:
        raise SettingsError(
            f"{source.name}: {source.suffix or 'a name without a suffix'} is not a known file type.",
            hint="write `format: csv`, `jsonl` or `parquet` in the mapping.",
        )
    return found


def delimiter_of(section: Section | None, source: Source) -> str:
    """Return the delimiter of a table's cells."""
    return (section.delimiter if section else "") or ("\t" if source.suffix == ".tsv" else ",")


def head(source: Source, encoding: str = "utf-8") -> str:
    """Return the beginning of a text file."""
    opener = gzip.open if source.name.endswith(".gz") else open
    try:
        with opener(source.path, "rb") as file:
            text = file.read(HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise SourceError(f"{source.name} cannot be read: {error}.", hint="download it again.") from None
    return text.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")


def first_rows(text: str, delimiter: str, count: int, quote: str = '"') -> list[list[str]]:
    """Return the first rows of a CSV text, cells unchanged."""
    lines = io.StringIO(text)
    if quote:
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return [row for row, _ in zip(reader, range(count), strict=False)]
