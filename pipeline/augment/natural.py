"""The natural snapshot that an augmentation starts from, and the settings by which its text was judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from corpus.manifest import Snapshot, read_snapshot
from corpus.schema import TRAIN
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.gates.config import GateConfig
from pipeline.gates.stage import quality_floor
from pipeline.prepare.identity import prepared

_MADE_WITH: Final = "augment"
"""Section of the recipe that an augmented snapshot has beside those of the natural one."""


def natural_snapshot(corpus: Storage) -> Snapshot:
    """The last snapshot that ``prepare`` made: synthetic text of before, and tokens, are left aside.

    Raises:
        CorpusError: there is no corpus, or nothing in it was made by ``prepare``.
    """
    snapshot = prepared(corpus, read_snapshot(corpus))
    if snapshot.made_by != "prepare":
        raise CorpusError(
            f"no snapshot of {corpus.url} was made by `evenglot prepare`",
            "Synthetic text is made from the corpus that `prepare` wrote; name that one",
        )
    return snapshot


def judged_by(natural: Snapshot, given: PrepareConfig) -> PrepareConfig:
    """The settings by which the natural text was judged, so that synthetic text is judged alike.

    Args:
        natural: the snapshot; where it does not say by what it was made, the given settings are taken.
        given: of the recipe; its engine and what is compared with count in any case.

    Raises:
        CorpusError: the snapshot's settings are not known to this version.
    """
    said = natural.recipe.get("prepare")
    if said is None:
        return given
    try:
        found = PrepareConfig.model_validate(said)
    except ValidationError as error:
        raise CorpusError(
            f"snapshot {natural.number} was prepared with settings that this version does not know: "
            f"{error.error_count()} of them",
            "Prepare the corpus again, or augment it with the version that prepared it",
        ) from error
    return found.model_copy(update={"runner": given.runner})


def quality_floors(
    corpus: Storage, natural: Snapshot, languages: Sequence[str], config: GateConfig
) -> dict[str, float]:
    """Least quality of a synthetic document, by language; a language with too few documents has none."""
    floors = {}
    for lang in languages:
        found: list[float] = []
        for file in natural.natural_text(lang=lang, split=TRAIN):
            with corpus.local_copy(file.path) as path:
                found += read_table(path).column("quality").drop_null().to_pylist()
        floor = quality_floor(found, config)
        if floor is not None:
            floors[lang] = floor
    return floors


def made_from(snapshot: Snapshot | None, corpus: Storage, identity: str) -> bool:
    """Whether a snapshot, or one below it that it only added tokens to, has the synthetic text of an identity."""
    while snapshot is not None and snapshot.made_by == "tokenize" and snapshot.parent is not None:
        snapshot = read_snapshot(corpus, snapshot.parent)
    made = None if snapshot is None or snapshot.made_by != "augment" else snapshot.augmentation
    return made is not None and made.fingerprint == identity


def recipe_of(natural: Snapshot, augment: dict[str, Any], seed: int) -> dict[str, Any]:
    """The recipe of an augmented snapshot: that of the natural one, and what made its synthetic text."""
    return {**natural.recipe, _MADE_WITH: augment, "seed": seed}


def layer_identity(natural: Snapshot, settings: dict[str, Any], models: dict[str, str], seed: int, code: str) -> str:
    """Hash of all that decides the synthetic text.

    Args:
        natural: snapshot.
        settings: of the augmentation, without what only decides how fast it goes.
        models: identity of each model by name.
        seed: of choices.
        code: version.
    """
    return fingerprint(["augment", natural.fingerprint, settings, models, seed, code])
