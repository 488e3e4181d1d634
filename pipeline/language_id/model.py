"""fastText language identification models of any origin, with labels in our tags, over whole documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from corpus.errors import ConfigurationError
from corpus.hashing import file_hash, fingerprint
from corpus.schema import UNDETERMINED
from corpus.tags import UnknownLanguage, script_of, to_tag
from pipeline.language_id.config import DEFAULT_MODEL, IdentifyConfig
from pipeline.language_id.documents import Votes, label
from pipeline.language_id.ensemble import Ensemble
from pipeline.language_id.prediction import Prediction
from pipeline.language_id.relatives import Relatives
from pipeline.language_id.relatives import read as read_relatives
from pipeline.language_id.scripts import ScriptCounter
from pipeline.language_id.softmax import softmax_of
from pipeline.language_id.text import clean

BUILTIN_FOLDER: Final = Path(__file__).parent / "models"
BUILTIN_FILE: Final = BUILTIN_FOLDER / "evenglot-lid.ftz"
BUILTIN_CARD: Final = BUILTIN_FOLDER / "evenglot-lid.json"
BUILTIN_RELATIVES: Final = BUILTIN_FOLDER / "evenglot-lid-relatives.npz"

_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+(?:/[\w./-]+\.(?:bin|ftz))?")
_HUB_FILE: Final = "model.bin"
_LICENCES: Final = {
    "cis-lmu/glotlid": "Apache-2.0",
    "facebook/fasttext-language-identification": "CC BY-NC 4.0",
    "laurievb/openlid": "GPL-3.0",
    "laurievb/openlid-v2": "GPL-3.0",
    "hplt/openlid-v3": "GPL-3.0",
    "lid.176.bin": "CC BY-SA 3.0",
    "lid.176.ftz": "CC BY-SA 3.0",
    "lid218e.bin": "CC BY-NC 4.0",
}
_SCRIPT_SHARE: Final = 0.2
"""Least share of a window's letters that a label's script must be able to write."""
_BATCH: Final = 4096
"""Windows given to fastText at once; bounds memory."""


class LanguageModel:
    """A loaded model. It holds native memory and does not pickle: load it in the process that uses it.

    Args:
        path: a fastText supervised model, quantised or not.
        name: as the user gave it, for messages and provenance.
        licence: of the model file, where known.
        cleaned: whether the model was trained on text passed through ``clean``.
        relatives: file of tables that tell close relatives apart, made with the model.
        abstain_below: a piece of text whose likeliest language, close relatives together, has less probability than
            this gets no label at all: it is more often in a language that the model does not know.

    Raises:
        ConfigurationError: a file is missing or is no such model or table.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        licence: str | None = None,
        cleaned: bool = False,
        relatives: Path | None = None,
        abstain_below: float = 0.0,
    ) -> None:
        import fasttext

        try:
            self._model: Any = fasttext.load_model(str(path))
            labels: list[str] = self._model.get_labels()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ConfigurationError(
                f"language identification model '{name}': {path} cannot be loaded: {error}",
                "Give the path of a fastText model file (.bin or .ftz)",
            ) from error
        if not labels or not labels[0].startswith("__label__"):
            raise ConfigurationError(
                f"language identification model '{name}': {path} holds word vectors, not labels",
                "Give a fastText model trained with `supervised`",
            )
        self.name = name
        self.licence = licence
        self.path = path
        self.unmapped: tuple[str, ...] = ()
        """Labels of the model that name no language known to us; their votes count for ``und``."""
        self._cleaned = cleaned
        tags = [_tag(label, cleaned) for label in labels]
        self.unmapped = tuple(
            label for label, tag in zip(labels, tags, strict=True) if tag == UNDETERMINED and "und" not in label
        )
        self.tags: tuple[str, ...] = tuple(sorted(set(tags)))
        self._relatives = Relatives(read_relatives(relatives), self.tags) if relatives is not None else None
        self._abstain_below = abstain_below
        self._files = (path,) if relatives is None else (path, relatives)
        position = {tag: number for number, tag in enumerate(self.tags)}
        self._tag_of_label = {label: position[tag] for label, tag in zip(labels, tags, strict=True)}
        self._tag_of_number = np.array([position[tag] for tag in tags], dtype=np.int64)
        self._softmax = softmax_of(self._model, path)
        scripts = sorted({script for tag in self.tags if (script := script_of(tag))})
        self._scripts = ScriptCounter.of(scripts)
        self._script_of_tag = np.array(
            [scripts.index(script) if (script := script_of(tag)) else len(scripts) for tag in self.tags], dtype=np.int64
        )

    @property
    def reader(self) -> LanguageModel:
        """Itself; an ensemble has its first model here."""
        return self

    def relatives_of(self, tag: str) -> tuple[str, ...]:
        """The tags that the model easily takes for this one, itself among them; none where it does not know it."""
        if tag not in self.tags:
            return ()
        if self._relatives is None:
            return (tag,)
        own = np.full(len(self.tags), self.tags.index(tag), dtype=np.int64)
        related = self._relatives.related(np.arange(len(self.tags)), own)
        return tuple(self.tags[number] for number in np.flatnonzero(related).tolist())

    def describe(self) -> dict[str, Any]:
        """What a snapshot says of the model that labelled it: name, hash of its files, licence, number of labels."""
        hashes = [file_hash(path) for path in self._files]
        return {
            "name": self.name,
            "hash": hashes[0] if len(hashes) == 1 else fingerprint(hashes),
            "licence": self.licence,
            "labels": len(self.tags),
        }

    def predict(
        self, texts: Sequence[str], config: IdentifyConfig | None = None, declared: Sequence[str | None] | None = None
    ) -> Prediction:
        """Label whole documents.

        Each document is cut into windows that cover it, or sample it evenly when it is long; see
        ``documents.label``.

        Args:
            texts: n documents, NFC.
            config: windows, candidates and thresholds.
            declared: n tags or None; they decide only between close labels.

        Returns:
            n tags and scores; a document's result does not depend on the others.
        """
        return label(self, texts, config or IdentifyConfig(), declared)

    def read(self, pieces: Sequence[str], candidates: int, abstain: bool = True) -> Votes:
        """The best labels of pieces of text; those whose script a piece is not written in have probability 0.

        Args:
            pieces: n pieces, NFC.
            candidates: labels for each piece.
            abstain: give no vote for a piece whose likeliest language is not likely enough.
        """
        letters = np.zeros(len(pieces), dtype=np.float32)
        owners, tags, probabilities, scripts = [], [], [], []
        for start in range(0, len(pieces), _BATCH):
            given = pieces[start : start + _BATCH]
            cleaned = clean(given)
            count, by_script = self._scripts.count(cleaned)
            letters[start : start + len(given)] = count
            rows = np.flatnonzero(count > 0)
            if not len(rows):
                continue
            lines = cleaned if self._cleaned else [_one_line(piece) for piece in given]
            row, tag, probability = self._best([lines[row] for row in rows.tolist()], candidates)
            row = rows[row]
            if self._relatives is not None:
                row, tag, probability = self._relatives.refine(lines, row, tag, probability)
            if abstain and self._abstain_below > 0:
                probability = np.where(self._sure(row, tag, probability, len(given)), probability, 0.0)
            share = by_script / np.maximum(count, 1.0)[:, None]
            share = np.concatenate([share, np.ones((len(given), 1), dtype=np.float32)], axis=1)
            written = share[row, self._script_of_tag[tag]].astype(np.float64)
            owners.append(start + row)
            tags.append(tag)
            probabilities.append(np.where(written >= _SCRIPT_SHARE, probability, 0.0))
            scripts.append(written)
        if not owners:
            return Votes(letters, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        return Votes(letters, *(np.concatenate(parts) for parts in (owners, tags, probabilities, scripts)))

    def _best(
        self, lines: Sequence[str], candidates: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Row, tag and probability of each line's best labels, a line's together and the best first."""
        if self._softmax is not None:
            best = self._softmax.best(lines, candidates)
            rows = np.repeat(np.arange(len(lines)), best.label.shape[1])
            return rows, self._tag_of_number[best.label.ravel()], best.probability.ravel()
        found, values = self._model.predict(list(lines), k=candidates)
        rows = np.repeat(np.arange(len(lines)), np.fromiter(map(len, found), dtype=np.int64, count=len(found)))
        index = self._tag_of_label
        tags = np.array([index[label] for label in chain.from_iterable(found)], dtype=np.int64)
        return rows, tags, np.minimum(np.concatenate([np.asarray(some, dtype=np.float64) for some in values]), 1.0)

    def _sure(
        self, row: npt.NDArray[np.int64], tag: npt.NDArray[np.int64], probability: npt.NDArray[np.float64], count: int
    ) -> npt.NDArray[np.bool_]:
        """[votes] whether the likeliest language of the vote's piece, the first of its votes, is likely enough."""
        first = np.concatenate([[True], row[1:] != row[:-1]])[: len(row)]
        top = np.zeros(count, dtype=np.int64)
        top[row[first]] = tag[first]
        related = tag == top[row] if self._relatives is None else self._relatives.related(tag, top[row])
        together = np.bincount(row[related], weights=probability[related], minlength=count)
        return together[row] >= self._abstain_below


@overload
def load_model(name: str = DEFAULT_MODEL) -> LanguageModel: ...


@overload
def load_model(name: tuple[str, ...]) -> Ensemble: ...


def load_model(name: str | tuple[str, ...] = DEFAULT_MODEL) -> LanguageModel | Ensemble:
    """Load a model, once per process and name.

    Args:
        name: ``evenglot``, a path, or a hub id (``owner/name``, or ``owner/name/file.bin``); several of these
            vote by agreement.

    Raises:
        ConfigurationError: there is no such file, the hub cannot be reached, or it is no language model.
    """
    return _load(name) if isinstance(name, str) else Ensemble(tuple(_load(member) for member in name))


@lru_cache(maxsize=4)
def _load(name: str) -> LanguageModel:
    if name == DEFAULT_MODEL:
        card = model_card()
        relatives = _relatives_beside(BUILTIN_FILE, card)
        cleaned, abstain_below = bool(card["cleaned"]), float(card.get("abstain_below", 0.0))
        return LanguageModel(BUILTIN_FILE, name, str(card["licence"]), cleaned, relatives, abstain_below)
    path = Path(name).expanduser()
    if path.is_file():
        card = _card_beside(path)
        licence = card.get("licence") or _LICENCES.get(path.name.lower())
        relatives, abstain_below = _relatives_beside(path, card), float(card.get("abstain_below", 0.0))
        return LanguageModel(path, name, licence, card.get("cleaned") is True, relatives, abstain_below)
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        return LanguageModel(_download(name), name, _LICENCES.get("/".join(name.lower().split("/")[:2])))
    raise ConfigurationError(
        f"language identification model '{name}' is no file and no hub id",
        f"Use '{DEFAULT_MODEL}', the path of a fastText model, or a hub id such as cis-lmu/glotlid",
    )


def _card_beside(path: Path) -> dict[str, Any]:
    """The card of a model trained here; empty for other models, whatever JSON file lies beside them.

    Raises:
        ConfigurationError: the card is of another file: its cleaning and licence may be wrong for this one.
    """
    place = path.with_suffix(".json")
    try:
        card = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None
    except ValueError:
        card = None
    if not isinstance(card, dict) or not {"cleaned", "licence", "xxh3_128"} <= card.keys():
        return {}
    if card["xxh3_128"] != file_hash(path):
        raise ConfigurationError(
            f"language identification model '{path}': the card {place} describes another file",
            "Copy model and card together, train again, or remove a card that does not belong to the model",
        )
    return card


def _relatives_beside(path: Path, card: Mapping[str, Any]) -> Path | None:
    """The tables of close relatives that the card names.

    Raises:
        ConfigurationError: they are missing or are another model's.
    """
    if (entry := card.get("relatives")) is None:
        return None
    place = path.with_name(Path(str(entry["file"])).name)
    if not place.is_file() or file_hash(place) != entry["xxh3_128"]:
        raise ConfigurationError(
            f"language identification model '{path}': its tables of close relatives {place} are "
            + ("another model's" if place.is_file() else "missing"),
            "Copy model, tables and card together, or train again",
        )
    return place


@lru_cache(maxsize=1)
def model_card() -> dict[str, Any]:
    """What is known of the model that ships: name, version, licence, labels, sources, scores, hash."""
    card: dict[str, Any] = json.loads(BUILTIN_CARD.read_text(encoding="utf-8"))
    return card


def known_models() -> list[dict[str, Any]]:
    """The model that ships, and those of others whose licence is known: name, languages, bytes, licence.

    Languages and bytes are None of models that are not here.
    """
    card = model_card()
    size = BUILTIN_FILE.stat().st_size
    ships = {"name": DEFAULT_MODEL, "languages": len(card["labels"]), "size": size, "licence": str(card["licence"])}
    others = (
        {"name": name, "languages": None, "size": None, "licence": licence} for name, licence in _LICENCES.items()
    )
    return [ships, *others]


def _download(name: str) -> Path:
    owner, repository, *file = name.split("/")
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ConfigurationError(
            f"language identification model '{name}' is on the hub, but huggingface_hub is not installed",
            "Install it with `pip install huggingface_hub`, or give the path of a model file",
        ) from error
    try:
        return Path(hf_hub_download(f"{owner}/{repository}", "/".join(file) or _HUB_FILE))
    except Exception as error:
        raise ConfigurationError(
            f"language identification model '{name}' is no local file and cannot be fetched from the hub "
            f"({type(error).__name__})",
            f"Check the name and the connection, or give the path of a downloaded file, or use '{DEFAULT_MODEL}'",
        ) from error


def _tag(label: str, ours: bool) -> str:
    if ours:
        return label.removeprefix("__label__")
    try:
        return to_tag(label)
    except UnknownLanguage:
        return UNDETERMINED


def _one_line(text: str) -> str:
    """What fastText's binding can take: one line, no lone surrogates."""
    return " ".join(text.split()).encode("utf-8", "replace").decode("utf-8")
