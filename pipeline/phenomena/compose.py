"""Made documents: blocks of several natural documents, one below the other.

No document would pass for new that is another one with a sentence added: nearly all of its shingles stand there. So the
words of a made document come from several natural ones, no more than a share s of them from any, and no more than s
of them stand together in another made document. Two texts of which one has at most s of its words in common with the
other have a Jaccard similarity of at most s, and a containment of the made one of at most s: below the thresholds of
near duplicates, nothing is a copy (see the method card for how that holds on real text).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from corpus.hashing import stable_hash
from pipeline.phenomena.choose import Passage, Room

OPEN = 12
"""Documents filled at a time."""
SHORTER = (1, 2, 4)
"""What is left over from documents of the wanted length makes some of a half and of a quarter of it."""
LONGEST = 5
"""Times the wanted length at which a document is given up that one passage still makes too much of."""


@dataclass(frozen=True)
class Block:
    """A passage, or a host with a passage inserted."""

    carrier: Passage
    use: int
    """Which use of the carrier, from 0."""
    host: Passage | None = None

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The host first."""
        return (self.carrier,) if self.host is None else (self.host, self.carrier)

    @property
    def carries(self) -> bool:
        """Whether it is there for a phenomenon, not as company for others."""
        return bool(self.carrier.core)

    @cached_property
    def text(self) -> str:
        """As it stands in the made document."""
        if self.host is None:
            return self.carrier.text
        return f"{self.host.text[: self.host.cut]}{self.host.gap}{self.carrier.text}{self.host.text[self.host.cut :]}"

    @cached_property
    def words(self) -> int:
        """Of all its passages."""
        return sum(passage.words for passage in self.passages)

    @cached_property
    def sentences(self) -> frozenset[int]:
        """Hashes."""
        return frozenset(sentence for passage in self.passages for sentence in passage.sentences)

    @cached_property
    def documents(self) -> frozenset[str]:
        """Ids of the natural documents it is from."""
        return frozenset(passage.document for passage in self.passages)


@dataclass
class Draft:
    """A document that is being made."""

    blocks: list[Block] = field(default_factory=list)

    @property
    def words(self) -> int:
        """So far."""
        return sum(block.words for block in self.blocks)

    def accepts(self, block: Block) -> bool:
        """Whether nothing of the block is there already, neither a sentence nor its document."""
        return all(
            block.documents.isdisjoint(other.documents) and block.sentences.isdisjoint(other.sentences)
            for other in self.blocks
        )

    @property
    def passages(self) -> list[Passage]:
        """Of all blocks, in order."""
        return [passage for block in self.blocks for passage in block.passages]

    @property
    def sentences(self) -> int:
        """So far."""
        return sum(len(passage.sentences) for passage in self.passages)

    @property
    def most_from_one(self) -> int:
        """Words of the natural document that gave the most; no document gave two passages."""
        return max((passage.words for passage in self.passages), default=0)


class Composer:
    """Deals blocks to documents, first fit, until no more documents come out."""

    def __init__(self, words: int, share: float) -> None:
        self.words, self.share = words, share
        self.made: list[Draft] = []
        self._standing: dict[int, list[int]] = defaultdict(list)

    def compose(self, blocks: Sequence[Block], seed: int) -> list[Block]:
        """Make documents of blocks.

        Returns:
            the blocks for which there was no company.
        """
        # In another order for each use, so that two documents seldom have two passages in common.
        waiting = sorted(
            blocks,
            key=lambda block: (
                block.use,
                stable_hash("block", block.carrier.order, block.use, seed=seed),
                block.carrier.text,
            ),
        )
        for part in SHORTER:
            before = -1
            while waiting and len(self.made) > before:
                before = len(self.made)
                waiting = self._pass(waiting, self.words // part)
        return waiting

    def _pass(self, blocks: Sequence[Block], words: int) -> list[Block]:
        drafts: list[Draft] = []
        left: list[Block] = []
        for block in blocks:
            draft = next((some for some in drafts if self._accepts(some, block)), None)
            if draft is None:
                if len(drafts) == OPEN:
                    left.append(block)
                    continue
                draft = Draft()
                drafts.append(draft)
            draft.blocks.append(block)
            if draft.words < words:
                continue
            if (other := self._too_alike(draft)) is not None:
                left.append(draft.blocks.pop(other))
            elif draft.most_from_one <= self.share * draft.words:
                drafts.remove(draft)
                self._finish(draft)
            elif draft.words > LONGEST * self.words:
                sizes = [max(passage.words for passage in some.passages) for some in draft.blocks]
                left.append(draft.blocks.pop(sizes.index(max(sizes))))
        return [*left, *(block for draft in drafts for block in draft.blocks)]

    def complete(self, waiting: Sequence[Block], company: Sequence[Passage], room: Room) -> list[Block]:
        """Make documents of blocks that are too few for one, with passages of ordinary text beside them.

        Args:
            waiting: blocks that ``compose`` left.
            company: passages to choose from.
            room: what may be added; company is taken from it.

        Returns:
            the blocks that are still left.
        """
        drafts: list[Draft] = []
        for block in waiting:
            draft = next((some for some in drafts if self._accepts(some, block)), None)
            if draft is None:
                drafts.append(draft := Draft())
            draft.blocks.append(block)
        left: list[Block] = []
        for draft in drafts:
            own = len(draft.blocks)
            done = self._done(draft)
            for passage in company:
                if done or draft.words > LONGEST * self.words:
                    break
                block = Block(passage, 0)
                if room.untouched(passage) and not room.above(passage) and draft.accepts(block):
                    draft.blocks.append(block)
                    room.take(passage)
                    done = self._done(draft)
            if done:
                self._finish(draft)
            else:
                left += draft.blocks[:own]
                for block in draft.blocks[own:]:
                    room.give_back(block.carrier)
        return left

    def _accepts(self, draft: Draft, block: Block) -> bool:
        """Whether a block may come into a draft: nothing of it is there, and it stands beside none of it elsewhere."""
        if not draft.accepts(block):
            return False
        places = self._places(block.sentences)
        return all(places.isdisjoint(self._places(other.sentences)) for other in draft.blocks)

    def _places(self, sentences: Iterable[int]) -> set[int]:
        """Made documents that have one of some sentences."""
        return {number for sentence in sentences for number in self._standing.get(sentence, ())}

    def _done(self, draft: Draft) -> bool:
        """Whether a draft is long enough to stand, of enough documents, and like no other."""
        if draft.words < self.words // SHORTER[-1] or draft.most_from_one > self.share * draft.words:
            return False
        return self._too_alike(draft) is None

    def _too_alike(self, draft: Draft) -> int | None:
        """The last block that a draft has in common with a document it has too much in common with."""
        together: Counter[int] = Counter()
        last: dict[int, int] = {}
        for place, block in enumerate(draft.blocks):
            for passage in block.passages:
                for sentence, words in zip(passage.sentences, passage.sizes, strict=True):
                    for number in self._standing.get(sentence, ()):
                        together[number] += words
                        last[number] = place
        for number, words in sorted(together.items()):
            if words > self.share * min(draft.words, self.made[number].words):
                return last[number]
        return None

    def _finish(self, draft: Draft) -> None:
        for block in draft.blocks:
            for sentence in block.sentences:
                self._standing[sentence].append(len(self.made))
        self.made.append(draft)
