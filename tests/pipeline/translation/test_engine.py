"""The engine gives each sentence one translation, whatever else it is asked, with any threads and any cache."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.random_models import random_marian
from corpus.errors import ConfigurationError, InputError
from pipeline.translation.cells import Done, NothingKept
from pipeline.translation.config import TranslationConfig
from pipeline.translation.convert import convert
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine
from pipeline.translation.families import open_family
from pipeline.translation.request import Request
from pipeline.translation.result import Translation
from pipeline.translation.routes import Step
from tests.pipeline.translation import tiny_models
from tests.pipeline.translation.conftest import SENTENCES, MakeEngine

BEAM = Decoding(beam_size=3)
GREEDY = Decoding(beam_size=1)
SAMPLE = Decoding(beam_size=1, sampling_topk=0)
DECODINGS = pytest.mark.parametrize("decoding", [BEAM, GREEDY, SAMPLE], ids=["beam", "greedy", "sampling"])


def test_translations_keep_the_order_and_say_how_sure_the_model_was(make_engine: MakeEngine) -> None:
    engine = make_engine()
    found = engine.translate(SENTENCES, engine.routes.find("eng_Latn", "swh_Latn"), BEAM)
    assert len(found) == len(SENTENCES)
    assert found[::-1] == engine.translate(SENTENCES[::-1], engine.routes.find("eng_Latn", "swh_Latn"), BEAM)
    assert len({one.text for one in found}) > 5, "the model's noise differs by sentence"
    assert all(one.problem is None and one.score is not None and one.score <= 0 for one in found)
    assert all(one.scores == (one.score,) for one in found)
    assert {one.truncated for one in found} == {True, False}
    assert all(one.tokens == 32 for one in found if one.truncated and one.tokens < 62), "short sentences end at 32"


@pytest.mark.parametrize("end", [-9.0, 7.0])
def test_scores_are_mean_log_probabilities(tmp_path: Path, end: float) -> None:
    import ctranslate2
    import sentencepiece

    random_marian(tmp_path / "m", SENTENCES, [("eng_Latn", "swh_Latn")], end=end)
    engine = Engine(TranslationConfig(models=(str(tmp_path / "m"),), device="cpu", compute_type="float32"))
    route = engine.routes.find("eng_Latn", "swh_Latn")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m" / "source.spm"))
    source = [*pieces.encode(SENTENCES[1], out_type=str), "</s>"]
    translator = ctranslate2.Translator(str(tmp_path / "m"), compute_type="float32")
    for penalty in (1.0, 0.5):
        options = {"beam_size": 3, "length_penalty": penalty, "max_decoding_length": 32, "disable_unk": True}
        target = translator.translate_batch([source], **options)[0].hypotheses[0]
        (scored,) = translator.score_batch([source], [target])
        (found,) = engine.translate([SENTENCES[1]], route, Decoding(beam_size=3, length_penalty=penalty))
        assert found.truncated == (end < 0)
        counted = scored.log_probs[:-1] if found.truncated else scored.log_probs
        # The end cannot come first; what it would have there is shared out among the others.
        (nothing,) = translator.score_batch([source], [[]])
        total = sum(counted) - math.log1p(-math.exp(nothing.log_probs[0]))
        assert found.score == pytest.approx(total / len(counted), abs=1e-4)
        assert found.tokens == len(target)


@DECODINGS
def test_neither_threads_nor_translators_change_a_translation(make_engine: MakeEngine, decoding: Decoding) -> None:
    found = []
    for more in ({}, {"threads": 2}, {"translators": 3}, {"keep_loaded": 1}):
        engine = make_engine(**more)
        found.append(engine.translate(SENTENCES, engine.routes.find("eng_Latn", "swh_Latn"), decoding, seed=3))
    assert all(one == found[0] for one in found)


@DECODINGS
def test_what_is_asked_beside_a_request_does_not_change_it(make_engine: MakeEngine, decoding: Decoding) -> None:
    engine = make_engine()
    route = engine.routes.find("eng_Latn", "swh_Latn")
    requests = [Request("a", SENTENCES[:6], route, decoding, 1), Request("b", SENTENCES[4:], route, decoding, 1)]
    alone = [engine.translate(one.sentences, route, decoding, seed=1) for one in requests]
    assert engine.translate_requests(requests) == alone
    assert engine.translate_requests(requests[::-1]) == alone[::-1]


@settings(max_examples=15, deadline=None)
@given(chosen=st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=15), tokens=st.integers(1, 300))
def test_a_request_has_the_same_translations_in_any_order(model: Path, chosen: list[str], tokens: int) -> None:
    engine = Engine(TranslationConfig(models=(str(model),), device="cpu", batch_tokens=tokens))
    route = engine.routes.find("eng_Latn", "swh_Latn")
    once = dict(zip(sorted(set(chosen)), engine.translate(sorted(set(chosen)), route, GREEDY), strict=True))
    assert engine.translate(chosen, route, GREEDY) == [once[text] for text in chosen]


def test_other_arithmetic_depends_on_the_request_alone(make_engine: MakeEngine) -> None:
    engine = make_engine(compute_type="float32")
    route = engine.routes.find("eng_Latn", "swh_Latn")
    first = [Request("a", SENTENCES, route, BEAM)]
    assert (
        engine.translate_requests([*first, Request("b", SENTENCES[3:9], route, BEAM)])[0]
        == (engine.translate_requests(first)[0])
    )


def test_seeds_differ_and_a_seed_is_repeated_in_any_engine(make_engine: MakeEngine) -> None:
    engine = make_engine()
    route = engine.routes.find("eng_Latn", "swh_Latn")
    by_seed = [engine.translate(SENTENCES, route, SAMPLE, seed=seed) for seed in (0, 1, 2)]
    assert len({tuple(one.text for one in found) for found in by_seed}) == 3
    # In a thread of its own, while another samples with other seeds.
    again: list[list[Translation]] = []
    other = threading.Thread(target=lambda: [engine.translate(SENTENCES[:5], route, SAMPLE, seed=n) for n in range(9)])
    mine = threading.Thread(
        target=lambda: again.extend(engine.translate(SENTENCES, route, SAMPLE, seed=n) for n in (2, 1, 0))
    )
    for thread in (other, mine):
        thread.start()
    for thread in (other, mine):
        thread.join()
    assert again == by_seed[::-1]


@pytest.mark.parametrize("compute_type", ["int8", "float32"])
@DECODINGS
def test_a_warm_cache_changes_nothing_and_saves_the_work(
    make_engine: MakeEngine, tmp_path: Path, decoding: Decoding, compute_type: str
) -> None:
    plain = make_engine(compute_type=compute_type)
    route = plain.routes.find("eng_Latn", "hau_Latn")
    expected = plain.translate(SENTENCES, route, decoding, seed=1)
    first = make_engine(cache=str(tmp_path / "cache"), compute_type=compute_type)
    first.translate(SENTENCES[:7], route, decoding, seed=1)
    assert first.translate(SENTENCES, route, decoding, seed=1) == expected
    first.close()
    second = make_engine(cache=str(tmp_path / "cache"), compute_type=compute_type)
    assert second.translate(SENTENCES, route, decoding, seed=1) == expected
    counts = second.counts
    assert (counts.batches, counts.target_tokens, counts.kept) == (0, 0, counts.sentences - counts.too_long)
    assert counts.kept >= len(SENTENCES)
    assert second.translate(SENTENCES, route, decoding, seed=2) != expected or not decoding.samples


class Dies(NothingKept):
    """Takes so many batches and then is no more, as a process that is killed."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.rows: list[int] = []

    def keep(self, made: Mapping[bytes, Done]) -> None:
        """Take up a batch."""
        if len(self.rows) == self.takes:
            raise KeyboardInterrupt
        self.rows.append(len(made))


def test_a_batch_is_kept_before_the_next_is_looked_at_and_draws_only_together(model: Path) -> None:
    config = TranslationConfig(models=(str(model),), device="cpu", batch_tokens=40)
    route = Engine(config).routes.find("eng_Latn", "swh_Latn")
    whole, drawn, killed = Dies(99), Dies(99), Dies(2)
    counts = Engine(config, whole).translate_and_count([Request("", SENTENCES, route, GREEDY)])[1]
    assert len(whole.rows) == counts.batches > 2
    assert sum(whole.rows) == counts.sentences - counts.too_long
    assert Engine(config, drawn).translate(SENTENCES, route, SAMPLE)
    assert drawn.rows == [counts.sentences - counts.too_long]
    with pytest.raises(KeyboardInterrupt):
        Engine(config, killed).translate(SENTENCES, route, GREEDY)
    assert killed.rows == whole.rows[:2]


def test_drawing_from_more_tokens_than_there_are_is_a_mistake_of_the_recipe(make_engine: MakeEngine) -> None:
    engine = make_engine()
    route = engine.routes.find("eng_Latn", "swh_Latn")
    with pytest.raises(ConfigurationError, match=r"sampling_topk option \(5000\).*Set a smaller one"):
        engine.translate(SENTENCES, route, Decoding(beam_size=1, sampling_topk=5000))


def test_counters(make_engine: MakeEngine) -> None:
    engine = make_engine()
    route = engine.routes.find("eng_Latn", "swh_Latn")
    found = engine.translate([SENTENCES[0], SENTENCES[0], "", SENTENCES[1]], route, GREEDY)
    counts = engine.counts
    assert (counts.sentences, counts.kept, counts.failed, counts.halved) == (2, 0, 0, 0)
    assert counts.target_tokens == found[0].tokens + found[3].tokens


def test_blank_and_too_long_sentences(make_engine: MakeEngine) -> None:
    engine = make_engine()
    route = engine.routes.find("eng_Latn", "hau_Latn")
    long = " ".join(SENTENCES)
    found = engine.translate(["", " \n", long, SENTENCES[1]], route, Decoding(max_source_tokens=40))
    assert found[:3] == [Translation(""), Translation(" \n"), Translation("", problem="too_long")]
    assert found[3].problem is None


def test_a_sentence_at_which_the_model_fails_has_a_problem(tmp_path: Path) -> None:
    # Positions for 24 tokens, and a card that does not say so: CTranslate2 refuses longer sentences.
    random_marian(tmp_path / "short", SENTENCES, [("eng_Latn", "swh_Latn")], positions=24, end=20.0)
    path = tmp_path / "short" / "evenglot-model.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"max_positions": 24', '"max_positions": null'))
    assert '"max_positions": null' in path.read_text(encoding="utf-8")
    engine = Engine(TranslationConfig(models=(str(tmp_path / "short"),), device="cpu"))
    found = engine.translate(SENTENCES, engine.routes.find("eng_Latn", "swh_Latn"), GREEDY)
    problems = [one.problem for one in found]
    assert problems[0] is None
    assert problems[4] is not None
    assert problems[4].startswith("failed: ")
    assert engine.counts.failed == sum(problem is not None for problem in problems) > 3


def test_a_pivot_translates_what_the_first_model_made(make_engine: MakeEngine) -> None:
    engine = make_engine()
    there, on, both = (
        engine.routes.find("eng_Latn", "swh_Latn"),
        engine.routes.find("swh_Latn", "hau_Latn"),
        engine.routes.find("eng_Latn", "hau_Latn"),
    )
    assert both == (*there, *on)
    first = engine.translate(SENTENCES, there, BEAM)
    second = engine.translate([one.text for one in first], on, BEAM)
    found = engine.translate(SENTENCES, both, BEAM)
    assert [one.text for one in found] == [one.text for one in second]
    assert [one.scores for one in found] == [one.scores + two.scores for one, two in zip(first, second, strict=True)]
    assert [one.tokens for one in found] == [one.tokens + two.tokens for one, two in zip(first, second, strict=True)]
    assert found[3].total == pytest.approx(sum(found[3].scores))


def test_models_are_loaded_when_needed_and_the_oldest_goes(make_engine: MakeEngine) -> None:
    engine = make_engine(keep_loaded=1)
    assert engine.loads == 0
    engine.translate(SENTENCES[:1], engine.routes.find("eng_Latn", "swh_Latn"), GREEDY)
    engine.translate(SENTENCES[:1], engine.routes.find("eng_Latn", "swh_Latn"), GREEDY)
    assert engine.loads == 1
    engine.translate(SENTENCES[:1], engine.routes.find("eng_Latn", "hau_Latn"), GREEDY)
    assert engine.loads == 2
    engine.translate(SENTENCES[:1], engine.routes.find("eng_Latn", "swh_Latn"), GREEDY)
    assert engine.loads == 3
    both = make_engine(keep_loaded=2)
    for _ in range(3):
        both.translate(SENTENCES[:1], both.routes.find("eng_Latn", "hau_Latn"), GREEDY)
    assert both.loads == 2


def test_wrong_models_and_routes_are_said_so(make_engine: MakeEngine, model: Path, tmp_path: Path) -> None:
    engine = make_engine()
    with pytest.raises(ConfigurationError, match=r"goes on from eng_Latn"):
        engine.translate(
            ["x"], (Step("there@0", "eng_Latn", "swh_Latn"), Step("there@0", "eng_Latn", "swh_Latn")), BEAM
        )
    with pytest.raises(ConfigurationError, match=r"model other@1 is not among the models"):
        engine.translate(["x"], (Step("other@1", "eng_Latn", "swh_Latn"),), BEAM)
    with pytest.raises(ConfigurationError, match=r"there@0 does not translate from hau_Latn to eng_Latn"):
        engine.translate(["x"], (Step("there@0", "hau_Latn", "eng_Latn"),), BEAM)
    with pytest.raises(InputError, match="is no model folder"):
        make_engine([tmp_path])
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in model.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ConfigurationError, match="are both there@0"):
        make_engine([model, copy])
    (copy / "model.bin").write_bytes(b"damaged")
    with pytest.raises(InputError, match="is not the file"):
        make_engine([copy]).translate(["x"], (Step("there@0", "eng_Latn", "swh_Latn"),), BEAM)


@pytest.mark.parametrize("family", ["nllb", "m2m100", "t5"])
def test_models_of_many_languages(tmp_path: Path, family: str) -> None:
    """Language tokens are no part of a translation, of its length, or of its limit."""
    pytest.importorskip("transformers")
    make = {
        "nllb": tiny_models.nllb,
        "m2m100": lambda folder: tiny_models.m2m100(folder, listed=True),
        "t5": tiny_models.madlad,
    }[family]
    convert(make(tmp_path / "hub"), tmp_path / "model", name=family)
    engine = Engine(TranslationConfig(models=(str(tmp_path / "model"),), device="cpu"))
    route = engine.routes.find("eng_Latn", "deu_Latn")
    texts = [*tiny_models.SENTENCES[:2], "the night"]
    for decoding in (Decoding(beam_size=2, min_length_limit=7, max_length_ratio=0.01), SAMPLE):
        found = engine.translate(texts, route, decoding, seed=1)
        assert [one.problem for one in found] == [None] * 3
        assert all("deu_Latn" not in one.text and "__de__" not in one.text for one in found)
        assert all(one.score is not None and one.score < 0 for one in found)
        if not decoding.samples:
            assert all(one.tokens == 7 for one in found if one.truncated)
            assert any(one.truncated for one in found), "random models seldom end"
        assert found == engine.translate(texts, route, decoding, seed=1)


def test_scores_count_no_prefix(tmp_path: Path) -> None:
    import ctranslate2

    pytest.importorskip("transformers")
    convert(tiny_models.nllb(tmp_path / "hub"), tmp_path / "model", name="nllb", quantisation="float32")
    config = TranslationConfig(models=(str(tmp_path / "model"),), device="cpu", compute_type="float32")
    engine = Engine(config)
    text = tiny_models.SENTENCES[0]
    decoding = Decoding(beam_size=1, min_length_limit=4, max_length_ratio=0.01)
    (found,) = engine.translate([text], engine.routes.find("eng_Latn", "deu_Latn"), decoding)
    translator = ctranslate2.Translator(str(tmp_path / "model"), compute_type="float32")
    (model,) = engine.models.values()
    source = open_family(model.folder, model.card).encode([text], "eng_Latn", "deu_Latn")
    options = {"beam_size": 1, "max_decoding_length": 5, "disable_unk": True}
    target = translator.translate_batch(source, [["deu_Latn"]], **options)[0].hypotheses[0]
    assert (len(target), target[0], found.tokens, found.truncated) == (5, "deu_Latn", 4, True)
    (scored,) = translator.score_batch(source, [target])
    assert found.score == pytest.approx(sum(scored.log_probs[1:5]) / 4, abs=5e-3)
