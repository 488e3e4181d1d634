"""What happens to batches that do not fit, sentences that fail and devices that die: a scripted translator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline.translation.decoding import Decoding
from pipeline.translation.search import DeviceFailed, Events, Output, search


@dataclass
class Result:
    """As CTranslate2's."""

    hypotheses: list[list[str]]
    scores: list[float]


@dataclass
class Handle:
    """As CTranslate2's result of a batch that is still under way."""

    outcome: Result | Exception

    def result(self) -> Result:
        """The result, or what went wrong."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@dataclass
class Scripted:
    """Turns tokens to upper case; fails where it is told to."""

    most: int = 100
    bad: str = ""
    error: Exception = field(default_factory=lambda: RuntimeError("no position encodings for position 9\nmore"))
    sizes: list[int] = field(default_factory=list)

    def __call__(self, source: list[list[str]], target_prefix: Any = None, **options: Any) -> list[Any]:
        """Translate."""
        self.sizes.append(len(source))
        outcome: Exception | None = None
        if len(source) > self.most:
            outcome = RuntimeError("CUDA failed with error out of memory")
        elif any(self.bad in tokens for tokens in source):
            outcome = self.error
        if not options.get("asynchronous"):
            if outcome is not None:
                raise outcome
            return [self._one(tokens, target_prefix, options) for tokens in source]
        return [Handle(outcome or self._one(tokens, target_prefix, options)) for tokens in source]

    def _one(self, tokens: list[str], prefix: Any, options: Any) -> Result:
        made = [*(prefix[0] if prefix else []), *(token.upper() for token in tokens)]
        limit = options["max_decoding_length"]
        return Result([[*made, "</s>"] if len(made) < limit else made[:limit]], [-2.0])


BATCH = [["a"], ["b"], ["c"], ["d"], ["e"]]


def texts(found: Iterable[list[Output | str]]) -> list[list[str]]:
    """Outputs joined, problems as they are."""
    return [[one if isinstance(one, str) else " ".join(one.tokens) for one in batch] for batch in found]


def test_a_batch_that_does_not_fit_is_halved_until_it_does() -> None:
    translate, events = Scripted(most=2), Events()
    found = search(translate, [BATCH, [["f"]]], [9, 9], [], Decoding(), events)
    assert texts(found) == [["A", "B", "C", "D", "E"], ["F"]]
    assert translate.sizes == [5, 1, 3, 2, 1, 2]
    assert events == Events(halved=2, failed=0)


def test_a_batch_comes_back_before_those_that_are_far_behind_it_are_begun() -> None:
    translate = Scripted()
    found = search(translate, [[["a"]], [["b"]] * 2, [["c"]] * 3, [["d"]] * 4], [9] * 4, [], Decoding(), Events(), 2)
    begun = [(texts([batch])[0][0], len(translate.sizes)) for batch in found]
    assert begun == [("A", 2), ("B", 3), ("C", 4), ("D", 4)]
    assert translate.sizes == [1, 2, 3, 4]


def test_a_sentence_that_does_not_fit_alone_has_a_problem() -> None:
    events = Events()
    assert texts(search(Scripted(most=0), [[["a"], ["b"]]], [9], [], Decoding(), events)) == [
        ["failed: out of memory", "failed: out of memory"]
    ]
    assert events == Events(halved=1, failed=2)


@pytest.mark.parametrize("error", [RuntimeError("no position encodings\nmore"), ValueError("no position encodings")])
def test_a_sentence_that_fails_does_not_take_the_others_with_it(error: Exception) -> None:
    events = Events()
    found = search(Scripted(bad="d", error=error), [BATCH], [9], [], Decoding(), events)
    assert texts(found) == [["A", "B", "C", "failed: no position encodings", "E"]]
    assert events == Events(halved=0, failed=1)


def test_a_device_that_fails_ends_the_work() -> None:
    error = RuntimeError("cuBLAS failed with status CUBLAS_STATUS_INTERNAL_ERROR")
    with pytest.raises(DeviceFailed, match="translation stopped: cuBLAS failed"):
        list(search(Scripted(bad="a", error=error), [BATCH], [9], [], Decoding(), Events()))


def test_prefix_and_end_are_no_part_of_an_output_and_a_limit_is_noticed() -> None:
    found = list(search(Scripted(), [[["a", "b"], ["c"]]], [2], ["<x>"], Decoding(length_penalty=0.5), Events()))
    whole, cut = found[0][1], found[0][0]
    assert isinstance(whole, Output)
    assert isinstance(cut, Output)
    assert (whole.tokens, whole.truncated) == (("C",), False)
    assert (cut.tokens, cut.truncated) == (("A", "B"), True)
    # CTranslate2 divided the sum by 3 ** 0.5 for "<x> C </s>"; the mean is over two of them.
    assert whole.score == pytest.approx(-2.0 * 3**0.5 / 2)
