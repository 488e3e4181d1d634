from __future__ import annotations

from itertools import pairwise

from sampler.config import SamplerConfig
from sampler.stream import CurriculumStream
from trainer.heldout.recent import recent_rows

BYTES = {"eng_Latn": 2.0, "swh_Latn": 1.0, "ell_Grek": 1.0}


def stream(corpus: str, rows: str) -> CurriculumStream:
    config = SamplerConfig.model_validate({"row_tokens": 32, "block_rows": 8, "rows": rows})
    return CurriculumStream(corpus, tokenizer="bytes", config=config, seed=1)


def test_the_last_rows_of_each_language(tiny_corpus: str) -> None:
    rows = stream(tiny_corpus, "one_language")
    found = recent_rows(rows, BYTES, end=100, rows=2)
    for lang, part in found.items():
        number = rows.languages.index(lang)
        last = [row for row in map(rows.row, range(99, -1, -1)) if row.language == number][:2]
        assert part.tokens.tolist() == [row.tokens.tolist() for row in last]
        assert part.segments.tolist() == [row.segments.tolist() for row in last]
        predicted = sum(int((row.segments[1:] == row.segments[:-1]).sum()) for row in last)
        assert part.size == predicted * (2 if lang == "eng_Latn" else 1)
    assert set(found) == {"eng_Latn", "swh_Latn", "ell_Grek"}


def test_documents_of_mixed_rows_are_put_together_by_language(tiny_corpus: str) -> None:
    rows = stream(tiny_corpus, "mixed")
    found = recent_rows(rows, BYTES, end=100, rows=2)
    assert set(found) == {"eng_Latn", "swh_Latn", "ell_Grek"}
    for lang, part in found.items():
        number = rows.languages.index(lang)
        known = set()
        for row in map(rows.row, range(100)):
            spoken, starts = row.token_languages, row.cu_seqlens
            for first, last in pairwise(starts):
                if spoken[first] == number:
                    known.add(tuple(row.tokens[first:last].tolist()))
        assert len(part.tokens) == 2
        assert (part.segments >= 0).sum() > 32
        for tokens, segments, positions in zip(part.tokens, part.segments, part.positions, strict=True):
            for segment in range(segments.max() + 1):
                inside = segments == segment
                assert tuple(tokens[inside].tolist()) in known
                assert positions[inside].tolist() == list(range(inside.sum()))
        inside = (part.segments[:, 1:] == part.segments[:, :-1]) & (part.segments[:, 1:] >= 0)
        assert part.size == inside.sum() * (2 if lang == "eng_Latn" else 1)
