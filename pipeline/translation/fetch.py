"""Fetch a model's files from a hub: a pinned state, only the files that are needed, each checked against its hash.

What was fetched stays in a folder of its own until it is converted; a fetch that was interrupted goes on where its
bytes end. Files are chosen by name from a fixed list, so that nothing a hub answers can lead out of the folder.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from corpus.errors import EvenglotError, InputError
from corpus.lock import exclusive
from corpus.storage import Storage
from pipeline.translation.card import CARD_NAME
from pipeline.translation.from_transformers import require_packages
from pipeline.translation.languages import read_json
from pipeline.translation.weights import Weights, refusal, way_out, weights_among

Progress = Callable[[int, int], None]
"""Bytes that are there, bytes in all."""
_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+\Z")
_COMMIT: Final = re.compile(r"[0-9a-f]{12,64}\Z")
_FILE: Final = re.compile(r"[\w][\w.-]*\Z")
_BESIDE: Final = frozenset({
    "1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors", "README.md", "added_tokens.json",
    "config.json", "generation_config.json", "merges.txt", "model.safetensors.index.json",
    "pytorch_model.bin.index.json", "sentencepiece.bpe.model", "sentencepiece.model", "source.spm",
    "special_tokens_map.json", "spiece.model", "target.spm", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    "vocab.txt", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE",
})  # fmt: skip
"""Files that a conversion may read beside the weights."""
_PART: Final = ".part"


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub lists it."""

    name: str
    size: int
    sha256: str | None
    """Of large files; others have ``git`` alone."""
    git: str | None
    """Git's hash of the file as a blob."""


@dataclass(frozen=True)
class Fetched:
    """Files that lie on this machine now."""

    folder: Path
    source: str
    """The hub id."""
    revision: str
    """The commit that the wanted revision stood for."""
    files: tuple[RemoteFile, ...]


def is_hub_id(name: str) -> bool:
    """Whether a name may be that of a model on a hub: ``owner/name``, and no folder here."""
    return _HUB_ID.match(name) is not None and not name.startswith(".") and not Path(name).exists()


def fetch(
    model: str,
    downloads: Path,
    *,
    revision: str | None = None,
    allow_pickle: bool = False,
    endpoint: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Fetched:
    """Fetch what a conversion needs of a model; nothing twice.

    Args:
        model: hub id, ``owner/name``.
        downloads: folder under which each state of a model has a folder of its own.
        revision: branch, tag or commit; None takes the default branch. The commit is what is pinned.
        allow_pickle: whether weights may be a pickle, where there are no others.
        endpoint: address of the hub; None takes that of ``HF_ENDPOINT``, else Hugging Face.
        progress: is told of bytes fetched.

    Raises:
        EvenglotError: huggingface_hub is not installed, or what a conversion needs.
        InputError: there is no such model, it cannot be reached, it has no weights that may be read, or a file did
            not arrive whole.
    """
    if not _HUB_ID.match(model):
        raise InputError(f"'{model}' is no folder and no hub id", "Give a folder, or a hub id such as owner/name")
    hub = _hub()
    with _reached(model, revision):
        told = hub.HfApi(endpoint=endpoint).model_info(model, revision=revision, files_metadata=True)
    commit = str(told.sha)
    if not _COMMIT.match(commit):
        raise InputError(f"the hub says that {model} is at '{commit}', which is no commit", "Give a hub's address")
    listed = [_remote(entry) for entry in told.siblings or ()]
    folder = downloads / f"{model.replace('/', '--')}@{commit[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(Storage(folder)):  # two at once would write to the same parts
        if any(file.name == CARD_NAME for file in listed):
            _get(hub, model, commit, [file for file in listed if file.name == CARD_NAME], folder, endpoint, progress)
            files = _of_card(model, folder, listed)
        else:
            require_packages()  # rather than after gigabytes
            files = chosen(model, listed, allow_pickle)
        _check_space(folder, files)
        _get(hub, model, commit, files, folder, endpoint, progress)
    return Fetched(folder, model, commit, tuple(files))


def chosen(model: str, listed: Sequence[RemoteFile], allow_pickle: bool) -> list[RemoteFile]:
    """The files of a model that a conversion reads: weights in their safest form, and what lies beside them.

    Raises:
        InputError: it has no weights, or none that may be read.
    """
    weights = weights_among(file.name for file in listed)
    if weights is None or weights.form in ("npz", "ctranslate2"):
        raise InputError(
            f"{model} has no weights of transformers"
            + (f" and no {CARD_NAME} beside its files of CTranslate2" if weights else ""),
            "Name a model of Marian, NLLB, M2M100, MADLAD, BERT or XLM-R in the layout of transformers; one that "
            "identifies languages is named in prepare.identify.model and fetched when it is used",
        )
    if weights.form == "pickle" and not allow_pickle:
        raise InputError(refusal(f"the weights of {model}", weights), way_out())
    wanted = {*weights.names, *_beside(weights)}
    return [file for file in listed if file.name in wanted]


def _beside(weights: Weights) -> Iterator[str]:
    index = {"safetensors": "pytorch_model.bin.index.json", "pickle": "model.safetensors.index.json"}[weights.form]
    yield from (name for name in _BESIDE if name != index)


def _of_card(model: str, folder: Path, listed: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The files that a card of ours names, of a model that was converted before it was put on the hub."""
    names = dict(read_json(folder / CARD_NAME).get("files") or {})
    if bad := [name for name in names if not _FILE.match(name)]:
        raise InputError(
            f"{CARD_NAME} of {model} names the file '{bad[0]}', which cannot be in a folder", "Do not use it"
        )
    found = [file for file in listed if file.name in names]
    if missing := sorted(set(names) - {file.name for file in found}):
        raise InputError(f"{model} lacks {missing[0]}, which its {CARD_NAME} names", "Use another revision of it")
    return [*found, *(file for file in listed if file.name == CARD_NAME)]


def _get(
    hub: Any,
    model: str,
    commit: str,
    files: Sequence[RemoteFile],
    folder: Path,
    endpoint: str | None,
    progress: Progress,
) -> None:
    total = sum(file.size for file in files)
    done = 0
    for file in files:
        path = folder / file.name
        path.parent.mkdir(exist_ok=True)
        if not path.is_file():
            part = path.with_name(path.name + _PART)
            url = hub.hf_hub_url(model, file.name, revision=commit, endpoint=endpoint)
            with _reached(model, commit):
                _get_one(url, part, file.size, partial(_add, progress, done, total))
            _check_whole(part, file, model)
            part.replace(path)
        done += file.size
        progress(done, total)


def _add(progress: Progress, before: int, total: int, here: int) -> None:
    progress(before + here, total)


def _get_one(url: str, part: Path, size: int, say: Callable[[int], None]) -> None:
    """Append to a file what it lacks."""
    transfer = importlib.import_module("huggingface_hub.file_download")
    headers = importlib.import_module("huggingface_hub.utils").build_hf_headers()
    have = part.stat().st_size if part.is_file() else 0
    if have > size:
        part.unlink()
        have = 0

    class Bar:
        """What the library takes for a progress bar."""

        def __init__(self, *, initial: int = 0, **settings: Any) -> None:
            self.done = initial

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            return None

        def update(self, count: int) -> None:
            self.done += count
            say(self.done)

    with part.open("ab", buffering=0) as handle:
        # Compressed on the way, sizes and places within the file would not be those of the file.
        headers = {**headers, "Accept-Encoding": "identity"}
        transfer.http_get(url, handle, resume_size=have, headers=headers, expected_size=size, tqdm_class=Bar)


def _check_whole(part: Path, file: RemoteFile, model: str) -> None:
    """Compare a file with its hash on the hub; one that differs is removed.

    Raises:
        InputError: it differs, or the hub gives no hash.
    """
    if file.sha256 is not None:
        digest, expected = hashlib.sha256(), file.sha256
    else:
        digest, expected = hashlib.sha1(usedforsecurity=False), file.git or ""
        digest.update(f"blob {part.stat().st_size}\0".encode())
    with part.open("rb") as handle:
        while piece := handle.read(4 << 20):
            digest.update(piece)
    if digest.hexdigest() != expected:
        part.unlink()
        raise InputError(
            f"{file.name} of {model} did not arrive as the hub has it: its hash differs", "Run the command again"
        )


def _remote(entry: Any) -> RemoteFile:
    large = entry.lfs
    return RemoteFile(str(entry.rfilename), int(entry.size or 0), large.sha256 if large else None, entry.blob_id)


def _check_space(folder: Path, files: Sequence[RemoteFile]) -> None:
    missing = sum(file.size for file in files if not (folder / file.name).is_file())
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise InputError(
            f"{folder} has {free / 1e9:.1f} GB left and the model takes {missing / 1e9:.1f} GB",
            "Make room, or choose another folder with --models",
        )


def _hub() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise EvenglotError(
            "fetching a model needs huggingface_hub, which is not installed",
            "Install it: pip install huggingface_hub, or copy the model's folder here and run "
            "'evenglot models convert FOLDER'",
        ) from error


@contextmanager
def _reached(model: str, revision: str | None) -> Iterator[None]:
    """Errors of the hub's library as one line with a way out."""
    errors = importlib.import_module("huggingface_hub.errors")
    try:
        yield
    except errors.GatedRepoError as error:
        raise InputError(
            f"{model} is given only to those who accepted its terms", "Accept them on the hub, then set HF_TOKEN"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"the hub has no model {model}, or it is private", "Check its name; for a private one set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{model} has no revision '{revision}'", "Give a branch, a tag or a commit of it") from error
    except EvenglotError:
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{model} cannot be fetched: {first}",
            "Fetch again when there is a connection, or copy the model's folder from a machine that has one and run "
            "'evenglot models convert FOLDER'",
        ) from error
