"""Tokens of each family are those that its own tokenizer in transformers makes, and so is the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from corpus.lexicon import Lexicon, write_lexicons
from pipeline.translation.card import ModelCard
from pipeline.translation.families import Family, open_family
from tests.pipeline.translation import tiny_models

transformers = pytest.importorskip("transformers")

TEXTS = [
    "the river rose in the night",
    "The farmer, 27, led the cows up the hill!",
    "der bauer trieb die kuehe",
    "naïve Σ 日本",
    "a  b",
    "x",
]
"""With signs that the tiny tokenizers do not know."""


def card(family: str, **more: Any) -> ModelCard:
    """A card of English and German."""
    codes = {"nllb": ("eng_Latn", "deu_Latn"), "m2m100": ("en", "de"), "t5": ("en", "de")}.get(family, ())
    named = dict(zip(("eng_Latn", "deu_Latn"), codes, strict=False))
    fields = {"name": "x", "revision": "1", "pairs": [("eng_Latn", "deu_Latn")], "codes": named, **more}
    return ModelCard.model_validate({"family": family, **fields})


def known(tokenizer: Any, tokens: list[list[str]]) -> list[list[int]]:
    """Ids of tokens: what a model sees of them."""
    return [tokenizer.convert_tokens_to_ids(one) for one in tokens]


def agree(family: Family, tokenizer: Any, before: str = "", same_text: bool = True) -> None:
    """Compare both ways."""
    ours = family.encode(TEXTS, "eng_Latn", "deu_Latn")
    assert known(tokenizer, ours) == [tokenizer(f"{before}{text}")["input_ids"] for text in TEXTS]
    pieces = [
        tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in TEXTS[:1]
    ]
    if same_text:
        expected = [
            tokenizer.decode(tokenizer.convert_tokens_to_ids(one), skip_special_tokens=True).strip() for one in pieces
        ]
        assert family.decode(pieces, "deu_Latn") == expected == TEXTS[:1]


def test_marian_reads_its_source_through_the_lexicon_in_its_folder(tmp_path: Path) -> None:
    folder = tiny_models.marian(tmp_path / "m")
    plain = open_family(folder, card("marian"))
    write_lexicons(folder, {("eng_Latn", "deu_Latn"): Lexicon({"night": "nacht", "the": "die"})})
    glossing = open_family(folder, card("marian"))
    expected = plain.encode(["Die nacht, x!"], "eng_Latn", "deu_Latn")
    assert glossing.encode(["The night, x!"], "eng_Latn", "deu_Latn") == expected
    # Of the way back it has none.
    assert glossing.encode(["The night"], "deu_Latn", "eng_Latn") == plain.encode(["The night"], "deu_Latn", "eng_Latn")
    assert glossing.decode(expected, "deu_Latn") == plain.decode(expected, "deu_Latn")


def test_marian(tmp_path: Path) -> None:
    folder = tiny_models.marian(tmp_path / "m")
    family = open_family(folder, card("marian"))
    agree(family, transformers.AutoTokenizer.from_pretrained(folder))
    assert family.encode(["the night"], "eng_Latn", "deu_Latn")[0][-1] == "</s>"
    assert family.prefix("deu_Latn") == []


def test_marian_of_several_targets(tmp_path: Path) -> None:
    folder = tiny_models.marian(tmp_path / "m", target="gmw", targets=["deu", "nld"])
    family = open_family(folder, card("marian", codes={"deu_Latn": "deu"}))
    agree(family, transformers.AutoTokenizer.from_pretrained(folder), before=">>deu<< ")


@pytest.mark.parametrize(
    ("make", "name", "prefix"),
    [
        (tiny_models.nllb, "nllb", "deu_Latn"),
        (lambda folder: tiny_models.m2m100(folder, listed=True), "m2m100", "__de__"),
    ],
)
def test_nllb_and_m2m100(tmp_path: Path, make: Callable[[Path], Path], name: str, prefix: str) -> None:
    folder = make(tmp_path / "m")
    family = open_family(folder, card(name))
    source = {"nllb": "eng_Latn", "m2m100": "en"}[name]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, src_lang=source)
    agree(family, tokenizer)
    assert family.prefix("deu_Latn") == [prefix]
    pieces = family.encode(TEXTS[:1], "eng_Latn", "deu_Latn")[0][1:-1]
    assert family.decode([[prefix, *pieces, "</s>"]], "deu_Latn") == TEXTS[:1]


@pytest.mark.parametrize("only_json", [False, True])
def test_madlad(tmp_path: Path, only_json: bool) -> None:
    folder = tiny_models.madlad(tmp_path / "m")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if only_json:
        (folder / "spiece.model").unlink()
    family = open_family(folder, card("t5"))
    # Of two blanks in a row transformers makes two pieces with no SentencePiece rules at hand: only in tiny models.
    agree(family, tokenizer, before="<2de> ")
    assert family.prefix("deu_Latn") == []


def test_a_model_that_adds_the_end_itself_is_not_given_one(tmp_path: Path) -> None:
    folder = tiny_models.marian(tmp_path / "m")
    (folder / "config.json").write_text('{"add_source_eos": true}', encoding="utf-8")
    assert open_family(folder, card("marian")).encode(["x"], "eng_Latn", "deu_Latn")[0][-1] != "</s>"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "source.spm").unlink(), "has none of source.spm, tokenizer.json"),
        (lambda folder: (folder / "target.spm").write_bytes(b"no model"), "target.spm is no SentencePiece model"),
        (lambda folder: (folder / "config.json").write_text("["), "config.json cannot be read"),
    ],
)
def test_missing_and_damaged_files_are_named(tmp_path: Path, damage: Callable[[Path], object], said: str) -> None:
    folder = tiny_models.marian(tmp_path / "m")
    damage(folder)
    with pytest.raises(InputError, match=said):
        open_family(folder, card("marian"))
