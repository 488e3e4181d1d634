"""What a run logged about its own course: conflict, gaps, penalties, paths of languages, translations, speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evenglot.report.points import Points, Row, curve, curves, mapping, number, numbers

KINDS = ("conflict", "parallel", "retrieval")
"""Lines of the log that only this reads."""


@dataclass(frozen=True)
class Conflict:
    """One measurement of how the gradients of groups of languages stand to each other."""

    step: int
    tokens: float
    groups: Mapping[str, Sequence[str]]
    """Tags by name of the group, in the order of the log."""
    cosines: Mapping[tuple[str, str], float]
    """Running means by groups, each pair once, in the order of ``groups``; of a group with itself, between its halves.
    Pairs that were not seen yet are missing."""

    def cosine(self, first: str, second: str) -> float | None:
        """Of two groups in either order."""
        found = self.cosines.get((first, second))
        return self.cosines.get((second, first)) if found is None else found

    @property
    def between(self) -> dict[tuple[str, str], float]:
        """Cosines of groups that differ."""
        return {pair: value for pair, value in self.cosines.items() if pair[0] != pair[1]}

    @property
    def within(self) -> dict[str, float]:
        """Cosines between the halves of each group."""
        return {first: value for (first, second), value in self.cosines.items() if first == second}


@dataclass(frozen=True)
class Course:
    """Curves over the tokens seen; whatever the run did not log is empty."""

    conflicts: Sequence[Conflict] = ()
    """In the order of the steps."""
    norms: Mapping[str, Points] = field(default_factory=dict)
    """Norm of the gradient of each group's mean loss."""
    shares: Mapping[str, Points] = field(default_factory=dict)
    """Part of each group in the step's gradient; they sum to 1."""
    blocks: Mapping[str, Points] = field(default_factory=dict)
    """Mean cosine between groups in each block, by its number."""
    trained: Mapping[str, Points] = field(default_factory=dict)
    """By language the mean training loss between two evaluations, nats per token."""
    heldout: Mapping[str, Points] = field(default_factory=dict)
    """By language the held-out loss at those evaluations, nats per token."""
    gaps: Mapping[str, Points] = field(default_factory=dict)
    """By language the latter less the former."""
    factors: Mapping[str, Points] = field(default_factory=dict)
    """By language what its loss is multiplied by."""
    norms_of: Mapping[str, Points] = field(default_factory=dict)
    """By language the norm of its adapters' projections."""
    deviations: Mapping[str, Points] = field(default_factory=dict)
    """By language the squared distance of its adapters from their start, in units of their prior variance."""
    gates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By language and block how open its path is at the end, from 0 to 1."""
    openness: Mapping[str, Points] = field(default_factory=dict)
    """By language the mean of its gates."""
    translation: Points = ()
    """Loss of the hidden tokens in translations, nats per token."""
    translations: Mapping[str, Points] = field(default_factory=dict)
    """The same by language."""
    passes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Passes over the translations of each two languages at the end, by what they were read for."""
    retrieval: Mapping[str, Points] = field(default_factory=dict)
    """Share of held-out sentences whose translation is found, mean over the pairs of languages, by how; baselines
    ``chance`` and ``embeddings`` among them."""
    searched: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The last search by two languages: number of ``pairs``, and the same shares."""
    layer: int | None = None
    """Block, from 0, whose vectors were searched."""
    speed: Points = ()
    """Tokens per second between two lines."""
    mfu: Points = ()
    """Share of the device's peak."""
    memory: Points = ()
    """Bytes that were in use at most so far."""
    skipped: Points = ()
    """Steps so far without a finite loss or gradient."""


def course(log: Mapping[str, Sequence[Row]], limit: int) -> Course:
    """Read the lines of a log.

    Args:
        log: lines by kind, in the order of their steps.
        limit: points of a curve at most.
    """
    conflicts, train = log["conflict"], log["train"]
    # Their own count of tokens is that of the translations alone; the curves stand over those of the run.
    parallel = _placed(log["parallel"], train)
    compared = [row for row in log["heldout"] if mapping(row.get("gaps"))]
    heldout = curves(compared, "languages", "loss", limit)
    gaps = curves(compared, "gaps", "gap", limit)
    gated = [row for row in train if mapping(row.get("gates"))]
    searches = _placed(log["retrieval"], [*log["heldout"], *train])
    shares = [{"tokens": row["tokens"], "mean": mapping(row.get("mean"))} for row in searches]
    last: Row = searches[-1] if searches else {}
    layer = number(last.get("layer"))
    return Course(
        conflicts=[found for row in conflicts if (found := _conflict(row)) is not None],
        norms=curves(conflicts, "norms", None, limit),
        shares=curves(conflicts, "shares", None, limit),
        blocks=curves(conflicts, "blocks", None, limit),
        trained=curves(compared, "gaps", "train_loss", limit),
        heldout={lang: points for lang, points in heldout.items() if lang in gaps},
        gaps=gaps,
        factors=curves(train, "languages", "loss_factor", limit),
        norms_of=curves(train, "adapters", "norm", limit),
        deviations=curves(train, "adapters", "deviation", limit),
        gates={lang: numbers(blocks) for lang, blocks in mapping(gated[-1]["gates"]).items()} if gated else {},
        openness=_openness(gated, limit),
        translation=curve(parallel, "loss", limit),
        translations=curves(parallel, "languages", "loss", limit),
        passes={kind: numbers(pairs) for kind, pairs in mapping(parallel[-1].get("passes")).items()}
        if parallel
        else {},
        retrieval=curves(shares, "mean", None, limit),
        searched={pair: numbers(values) for pair, values in mapping(last.get("pairs")).items()},
        layer=None if layer is None else int(layer),
        speed=curve(train, "tokens_per_second", limit),
        mfu=curve(train, "mfu", limit),
        memory=curve(train, "peak_memory_bytes", limit),
        skipped=curve(train, "skipped", limit),
    )


def _openness(rows: Sequence[Row], limit: int) -> dict[str, Points]:
    """By language the mean over the blocks."""
    means = [
        {
            "tokens": row["tokens"],
            "gates": {
                lang: sum(found.values()) / len(found)
                for lang, blocks in mapping(row["gates"]).items()
                if (found := numbers(blocks))
            },
        }
        for row in rows
    ]
    return curves(means, "gates", None, limit)


def _placed(events: Sequence[Row], lines: Sequence[Row]) -> list[Row]:
    """Events with the tokens that another line of the same step tells; those without such a line are left out."""
    tokens = {row["step"]: row["tokens"] for row in lines}
    return [row | {"tokens": tokens[row["step"]]} for row in events if row["step"] in tokens]


def _conflict(row: Row) -> Conflict | None:
    """A measurement; None where it has no groups or saw none."""
    groups = {
        str(name): [str(tag) for tag in tags]
        for name, tags in mapping(row.get("groups")).items()
        if isinstance(tags, list)
    }
    cosines = {
        (first, second): value
        for first, line in mapping(row.get("cosines")).items()
        for second, value in numbers(line).items()
        if first in groups and second in groups
    }
    return Conflict(int(row["step"]), row["tokens"], groups, cosines) if cosines else None
