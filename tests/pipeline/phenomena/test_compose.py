"""Choice of carriers, and documents made of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.phenomena.choose import Passage, Room, choose
from pipeline.phenomena.compose import Block, Composer
from pipeline.phenomena.hosts import with_hosts
from pipeline.phenomena.plan import Plan, Wanted


def passage(number: int, *, document: int | None = None, counts: dict[int, int] | None = None, **given: Any) -> Passage:
    """Of ten words and thirty bytes, unless told."""
    values: dict[str, Any] = {
        "order": number,
        "document": f"d{number if document is None else document}",
        "source": "web",
        "file": "f",
        "offset": number,
        "first": 0,
        "text": f"w{number} " * 10,
        "cut": 0,
        "gap": " ",
        "sizes": (10,),
        "sentences": (number,),
        "core": tuple(counts or ()),
        "counts": counts or {},
        "replaced": (),
        "bytes": 30,
    }
    return Passage(**{**values, **given})


def wanted(*phenomena: tuple[int, int, int], byte_budget: int = 10_000, sentence_budget: int = 1_000) -> Plan:
    """(natural, target, most) of each."""
    natural, target, most = np.array(phenomena, np.int64).T
    keys = np.arange(len(natural), dtype=np.uint64)
    some = Wanted("characters", keys, natural, natural, natural, target, most)
    return Plan("eng_Latn", 10, 1000, 100_000, 10, byte_budget, sentence_budget, {"characters": some}, {})


def room(plan: Plan, uses: int = 2, document_uses: int = 9) -> Room:
    (some,) = plan.wanted.values()
    zeros = np.zeros(len(some.keys), np.int64)
    return Room(some.target - some.natural, some.most - some.natural, zeros, uses, document_uses)


def test_the_most_gain_for_a_byte_comes_first_and_no_more_than_is_wanted() -> None:
    plan = wanted((3, 5, 6), (3, 4, 6))
    some = [passage(0, counts={0: 1}), passage(1, counts={0: 1, 1: 1}), passage(2, counts={0: 1}, bytes=60)]
    free = room(plan)
    # 1 serves both; then 0 is the shorter of those that serve what is still missing.
    assert choose(some, plan, free) == [(1, 0), (0, 0)]
    assert free.added.tolist() == [2, 1]
    assert free.uses == Counter({1: 1, 0: 1})


def test_repeats_come_after_other_sentences_and_other_documents() -> None:
    plan = wanted((3, 8, 9))
    some = [passage(0, counts={0: 1}), passage(1, document=0, counts={0: 1}), passage(2, counts={0: 1})]
    assert choose(some, plan, room(plan)) == [(0, 0), (2, 0), (1, 0), (2, 1), (0, 1)]


def test_a_document_gives_only_so_often() -> None:
    plan = wanted((3, 8, 9))
    some = [passage(number, document=0, counts={0: 1}) for number in range(4)]
    free = room(plan, document_uses=2)
    assert choose(some, plan, free) == [(0, 0), (1, 0)]
    assert free.document_uses == Counter({"d0": 2})


def test_what_would_become_too_frequent_is_left_alone() -> None:
    plan = wanted((3, 6, 6), (3, 4, 4))
    some = [passage(0, counts={0: 1, 1: 2}), passage(1, counts={0: 1})]
    assert choose(some, plan, room(plan)) == [(1, 0), (1, 1)]


@pytest.mark.parametrize(("byte_budget", "sentence_budget"), [(70, 100), (10_000, 2)])
def test_the_share_ends_it(byte_budget: int, sentence_budget: int) -> None:
    plan = wanted((3, 9, 12), byte_budget=byte_budget, sentence_budget=sentence_budget)
    assert len(choose([passage(number, counts={0: 1}) for number in range(5)], plan, room(plan))) == 2


def test_blocks_of_enough_documents_make_one() -> None:
    composer = Composer(words=30, share=0.35)
    left = composer.compose([Block(passage(number, counts={0: 1}), 0) for number in range(4)], seed=0)
    (draft,) = composer.made
    assert (draft.words, draft.most_from_one, draft.sentences) == (30, 10, 3)
    assert len(left) == 1


def test_two_passages_of_one_document_never_meet() -> None:
    composer = Composer(words=30, share=0.35)
    blocks = [Block(passage(number, document=number % 2, counts={0: 1}), 0) for number in range(6)]
    assert len(composer.compose(blocks, seed=0)) == 6
    assert composer.made == []


def test_two_passages_meet_once() -> None:
    composer = Composer(words=30, share=0.35)
    blocks = [Block(passage(number, counts={0: 1}), use) for number in range(12) for use in range(3)]
    composer.compose(blocks, seed=0)
    met = Counter(
        frozenset((one.document, two.document))
        for draft in composer.made
        for one in draft.passages
        for two in draft.passages
        if one.document < two.document
    )
    assert len(composer.made) >= 6
    assert max(met.values()) == 1


def test_what_is_left_gets_ordinary_company() -> None:
    composer = Composer(words=40, share=0.35)
    free = room(wanted((3, 5, 6)))
    company = [passage(10, document=0), passage(11), passage(12), passage(13)]
    left = composer.complete([Block(passage(0, counts={0: 1}), 0)], company, free)
    assert left == []
    (draft,) = composer.made
    assert [one.document for one in draft.passages] == ["d0", "d11", "d12"]
    assert [block.carries for block in draft.blocks] == [True, False, False]
    assert free.uses == Counter({11: 1, 12: 1})
    # The same company is not used again, and without any a block is left, and nothing taken.
    again = [Block(passage(1, counts={0: 1}), 0)]
    assert composer.complete(again, company[1:], free) == again
    assert free.uses[13] == 0


def test_a_sentence_goes_to_the_nearest_of_a_few_hosts() -> None:
    carrier = passage(0, text="The façade of the harbour market.", counts={0: 1})
    texts = ["Winter came early. Snow fell.", "The harbour market was busy. Ships came.", "A doctor sat. He wrote."]
    hosts = [passage(number, text=text, cut=text.index(".") + 1) for number, text in enumerate(texts, start=1)]
    free = room(wanted((3, 5, 6)), uses=1)
    (block,), alone = with_hosts([Block(carrier, 0)], hosts, free, seed=0)
    assert alone == []
    assert block.text == "The harbour market was busy. The façade of the harbour market. Ships came."
    assert [one.document for one in block.passages] == ["d2", "d0"]
    # A host of the sentence's own document, or one used before, is none.
    own = passage(9, document=0)
    assert with_hosts([Block(carrier, 0)], [own, hosts[1]], free, seed=0) == ([], [Block(carrier, 0)])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(4, 60), st.integers(0, 15), st.integers(0, 2)), max_size=40),
    st.sampled_from([0.2, 0.35, 0.6]),
    st.randoms(),
)
def test_no_document_is_much_of_another(blocks: list[tuple[int, int, int, int]], share: float, random: Any) -> None:
    def block(number: int, document: int, words: int, sentence: int, use: int) -> Block:
        made = passage(number, document=document, sizes=(words, 1), sentences=(sentence, 100 + number), counts={0: 1})
        return Block(made, use)

    some = [block(number, *values) for number, values in enumerate(blocks)]
    composer = Composer(words=60, share=share)
    left = composer.compose(some, seed=0)
    assert sorted([one.carrier.order for draft in composer.made for one in draft.blocks] + [one.carrier.order for one in left]) == list(range(len(some)))  # fmt: skip # noqa: E501
    for draft in composer.made:
        assert draft.most_from_one <= share * draft.words
        assert len({one.document for one in draft.passages}) == len(draft.passages)
    for place, one in enumerate(composer.made):
        for other in composer.made[:place]:
            words = {
                sentence: size
                for some in other.passages
                for sentence, size in zip(some.sentences, some.sizes, strict=True)
            }
            together = sum(size for some in one.passages for sentence, size in zip(some.sentences, some.sizes, strict=True) if sentence in words)  # fmt: skip # noqa: E501
            assert together <= share * min(one.words, other.words)
    random.shuffle(some)
    again = Composer(words=60, share=share)
    again.compose(some, seed=0)
    assert [draft.blocks for draft in again.made] == [draft.blocks for draft in composer.made]
