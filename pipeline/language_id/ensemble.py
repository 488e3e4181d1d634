"""Several models as one, by agreement: a label stands when every model that knows the language gives it."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from corpus.hashing import fingerprint
from corpus.schema import UNDETERMINED
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.documents import Reader
from pipeline.language_id.prediction import Candidates, Prediction


class Member(Protocol):
    """What a model must offer to vote."""

    @property
    def tags(self) -> tuple[str, ...]: ...

    @property
    def reader(self) -> Reader: ...

    def describe(self) -> dict[str, Any]: ...

    def predict(
        self, texts: Sequence[str], config: IdentifyConfig | None = None, declared: Sequence[str | None] | None = None
    ) -> Prediction: ...


@dataclass(frozen=True)
class Ensemble:
    """Models that vote by agreement; it offers what a single model does."""

    members: tuple[Member, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """Every label that a member knows."""
        return tuple(sorted({tag for member in self.members for tag in member.tags}))

    @property
    def reader(self) -> Reader:
        """The model that reads sentences, where documents in several languages are looked for: the first."""
        return self.members[0].reader

    def describe(self) -> dict[str, Any]:
        """Names, hash of the hashes, licences and the number of labels of all members."""
        parts = [member.describe() for member in self.members]
        return {
            "name": " + ".join(part["name"] for part in parts),
            "hash": fingerprint([part["hash"] for part in parts]),
            "licence": "; ".join(dict.fromkeys(part["licence"] or "unknown" for part in parts)),
            "labels": len(self.tags),
            "members": parts,
        }

    def predict(
        self, texts: Sequence[str], config: IdentifyConfig | None = None, declared: Sequence[str | None] | None = None
    ) -> Prediction:
        """Label n documents with every member, and keep what they agree on."""
        found = [member.predict(texts, config, declared) for member in self.members]
        return agree(found, [frozenset(member.tags) for member in self.members])


def agree(predictions: Sequence[Prediction], known: Sequence[AbstractSet[str]]) -> Prediction:
    """Keep the labels on which models agree.

    A label stands when every model that knows it gives it, and no other label stands beside it. So two models
    that know a language must both find it; a language that only one knows needs that one alone, unless the
    other, too, gives a label that the first does not know. All else is ``und`` with score 0.

    Args:
        predictions: of the same n documents, one for each model.
        known: the tags of each model.

    Returns:
        n tags; scores are the mean over the models that gave the tag. Doubtful are the documents that one model
        found so, and those on which they do not agree, with the best labels of every model.
    """
    tags, scores = [], []
    doubtful: dict[int, Candidates] = {}
    columns = zip(*(zip(found.tags, found.scores.tolist(), strict=True) for found in predictions), strict=True)
    for row, votes in enumerate(columns):
        standing = {
            tag
            for tag, _ in votes
            if tag != UNDETERMINED
            and all(other == tag or tag not in knows for (other, _), knows in zip(votes, known, strict=True))
        }
        tag = standing.pop() if len(standing) == 1 else UNDETERMINED
        given = [score for other, score in votes if other == tag]
        tags.append(tag)
        scores.append(sum(given) / len(given) if given and tag != UNDETERMINED else 0.0)
        if any(row in found.doubtful for found in predictions) or len({other for other, _ in votes}) > 1:
            own = (((other, round(score, 6)),) for other, score in votes)
            named = (found.doubtful.get(row, vote) for found, vote in zip(predictions, own, strict=True))
            doubtful[row] = tuple(candidate for candidates in named for candidate in candidates)
    suspects = frozenset[int]().union(*(found.suspects for found in predictions))
    declared = frozenset[int]().union(*(found.declared for found in predictions))
    return Prediction(tags, np.array(scores, dtype=np.float32), doubtful, suspects, declared)
