"""From passages to candidates, and the whole way for a language that fits into memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from corpus.hashing import stable_hash
from pipeline.augment.candidates import Candidate, candidate_id, candidates_batch, provenance
from pipeline.phenomena.account import KindAccount, LexiconAccount, PhenomenaAccount, PhenomenonAccount, Why
from pipeline.phenomena.choose import Passage, Room, choose, read_passages
from pipeline.phenomena.compose import Block, Composer, Draft
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import Counts, count, lexicon_of
from pipeline.phenomena.find import carriers
from pipeline.phenomena.hosts import with_hosts
from pipeline.phenomena.names import Names
from pipeline.phenomena.passages import keep
from pipeline.phenomena.plan import Plan, plan

METHOD: Final = "insertion"
GENERATOR: Final = "evenglot-phenomena@1"
"""The revision rises when the same text and settings give other documents."""
BETWEEN: Final = "\n"
"""Between the passages of a made document."""


class Made(NamedTuple):
    """What came of one language."""

    candidates: pa.RecordBatch
    """CANDIDATE_SCHEMA."""
    account: PhenomenaAccount


def make(batches: Sequence[pa.RecordBatch], lang: str, config: PhenomenaConfig, budget: int | None = None) -> Made:
    """Make documents for one language whose text is at hand, of ``budget`` bytes at most; it is read twice.

    ``count`` and ``Counts.merge``, ``plan``, ``carriers`` and ``keep``, ``compose`` are the same steps for a language
    that is spread over workers.
    """
    counts = Counts(lang)
    for batch in batches:
        counts = counts.merge(count(batch, lang, config), config)
    planned = plan(counts, config, budget)
    first, found = 0, []
    for batch in batches:
        found.append(carriers(batch, planned, config, first_row=first))
        first += batch.num_rows
    return compose(keep(found, config), planned, config)


def compose(passages: pa.RecordBatch, planned: Plan, config: PhenomenaConfig) -> Made:
    """Choose passages of one language and put them together.

    Args:
        passages: PASSAGE_SCHEMA, as ``keep`` leaves them.
        planned: what is wanted.
        config: settings.
    """
    some, hosts = read_passages(passages)
    room = Room.of(planned, config)
    inserts = config.mode == "insert"
    mean = sum(host.bytes for host in hosts) // max(len(hosts), 1)
    chosen = choose(some, planned, room, *((mean, config.host_sentences) if inserts else (0, 0)))
    blocks = [Block(some[number], use) for number, use in chosen]
    left: list[Block] = []
    if inserts:
        blocks, left = with_hosts(blocks, hosts, room, config.seed)
    composer = Composer(config.document_words, config.max_document_share)
    left = [*left, *composer.complete(composer.compose(blocks, config.seed), hosts, room)]
    drafts = _within(composer.made, planned)
    names = Names(planned, some, lexicon_of(planned.lang, config))
    final = Room.of(planned, config)
    for passage in (passage for draft in drafts for passage in draft.passages):
        final.take(passage)
    candidates = candidates_batch(_candidate(draft, planned, config, names) for draft in drafts)
    return Made(candidates, _account(drafts, some, left, planned, config, room, final, names))


def after(provenances: Iterable[str]) -> dict[str, Counter[str]]:
    """How many sentences of some made documents have each phenomenon, by kind and name.

    Args:
        provenances: of documents that the corpus took; those of other methods are passed over.
    """
    found: dict[str, Counter[str]] = {}
    for facts in map(json.loads, provenances):
        if facts.get("method") == METHOD:
            for kind, counts in facts["phenomena"].items():
                found.setdefault(kind, Counter()).update(counts)
    return found


def _within(drafts: list[Draft], planned: Plan) -> list[Draft]:
    """Those that the budgets have room for, the first made first."""
    taken, size, sentences = [], 0, 0
    for draft in drafts:
        more = len(_text(draft).encode("utf-8", "surrogatepass"))
        if size + more <= planned.byte_budget and sentences + draft.sentences <= planned.sentence_budget:
            taken.append(draft)
            size, sentences = size + more, sentences + draft.sentences
    return taken


def _text(draft: Draft) -> str:
    return BETWEEN.join(block.text for block in draft.blocks)


def _counts(draft: Draft) -> Counter[int]:
    total: Counter[int] = Counter()
    for passage in draft.passages:
        total.update(passage.counts)
    return total


def _candidate(draft: Draft, planned: Plan, config: PhenomenaConfig, names: Names) -> Candidate:
    heads = [(block.carries, block.passages[0].words, -block.passages[0].order, block) for block in draft.blocks]
    parent = max(heads, key=lambda head: head[:3])[3].passages[0]
    parts = [(passage, block.use) for block in draft.blocks for passage in block.passages]
    variant = stable_hash(*(f"{one.order}/{use}/{one.first}/{one.replaced}" for one, use in parts), seed=config.seed)
    phenomena: dict[str, dict[str, int]] = {}
    for number, times in sorted(_counts(draft).items()):
        kind, name = names(number)
        phenomena.setdefault(kind, {})[name] = times
    passages = [_part(passage, block) for block in draft.blocks for passage in block.passages]
    return Candidate(
        id=candidate_id(parent.document, METHOD, planned.lang, f"{variant:016x}"),
        text=_text(draft),
        lang=planned.lang,
        origin=METHOD,
        parent=parent.document,
        generator=GENERATOR,
        provenance=provenance(
            METHOD,
            mode=config.mode,
            seed=config.seed,
            passages=passages,
            phenomena=phenomena,
            lexicon=None if names.lexicon is None else names.lexicon.facts.digest,
        ),
        source=parent.source,
        file=parent.file,
        offset=parent.offset,
        score=1 - draft.most_from_one / draft.words,
    )


def _part(passage: Passage, block: Block) -> dict[str, object]:
    """Where a passage comes from."""
    part: dict[str, object] = {
        "document": passage.document,
        "first": passage.first,
        "sentences": len(passage.sentences),
        "role": "host" if passage is block.host else "carrier" if block.carries else "company",
    }
    if passage.replaced:
        part["replaced"] = dict(zip(("word", "form", "cell"), passage.replaced, strict=True))
    return part


def _account(
    drafts: list[Draft],
    carriers: list[Passage],
    left: list[Block],
    planned: Plan,
    config: PhenomenaConfig,
    room: Room,
    final: Room,
    names: Names,
) -> PhenomenaAccount:
    having: dict[int, list[Passage]] = {}
    for passage in carriers:
        for number in passage.counts:
            having.setdefault(number, []).append(passage)
    alone = {number for block in left for passage in block.passages for number in passage.counts}

    def why(number: int) -> Why:
        if final.added[number] >= final.wanted[number]:
            return "reached"
        some = having.get(number)
        if not some:
            return "no_carrier"
        if number in alone:
            return "company"
        free = [passage for passage in some if not room.used_up(passage)]
        if room.added[number] >= room.wanted[number] or any(not room.above(passage) for passage in free):
            return "share"
        return "multiple" if free else "uses"

    phenomena: list[PhenomenonAccount] = []
    for kind, first in planned.firsts.items():
        wanted = planned.wanted[kind]
        here = [
            PhenomenonAccount(
                kind=kind,
                name=names(first + row)[1],
                documents=int(wanted.documents[row]),
                natural=int(wanted.natural[row]),
                target=int(wanted.target[row]),
                added=int(final.added[first + row]),
                why=why(first + row),
            )
            for row in range(len(wanted.keys))
        ]
        phenomena += sorted(here, key=lambda one: (one.natural, one.name))
    kinds: dict[str, KindAccount] = {
        kind: KindAccount.of(census, [one for one in phenomena if one.kind == kind])
        for kind, census in planned.census.items()
    }
    lexicon = names.lexicon
    return PhenomenaAccount(
        lang=planned.lang,
        documents=planned.documents,
        sentences=planned.sentences,
        bytes=planned.bytes,
        bound=planned.bound,
        kinds=kinds,
        phenomena=tuple(phenomena),
        made=len(drafts),
        made_sentences=sum(draft.sentences for draft in drafts),
        made_bytes=sum(len(_text(draft).encode("utf-8", "surrogatepass")) for draft in drafts),
        donors=len({passage.document for draft in drafts for passage in draft.passages}),
        most_uses=max(final.uses.values(), default=0),
        most_document_uses=max(final.document_uses.values(), default=0),
        most_from_one=round(max((draft.most_from_one / draft.words for draft in drafts), default=0.0), 4),
        replaced=sum(bool(passage.replaced) for draft in drafts for passage in draft.passages),
        left_over=len(left),
        unsegmented=planned.unsegmented,
        lexicon=None
        if lexicon is None
        else LexiconAccount(
            digest=lexicon.facts.digest,
            lines=lexicon.facts.lines,
            broken=lexicon.facts.broken,
            broken_lines=lexicon.facts.broken_lines,
            several_words=lexicon.facts.several_words,
            cells=len(lexicon.cells),
            absent_cells=planned.absent_cells,
        ),
    )
