"""Text to ids and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorpusError
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.model import SPACE, Tokenizer, load_tokenizer
from pipeline.tokenizer.train import SPECIAL, train

LINES = [
    "The small ship sailed on the wide sea and came home again.",
    "Das kleine Schiff fuhr auf das weite Meer und kam wieder heim.",
    "Малък кораб плаваше по широкото море и се върна у дома.",
    "小さな船は広い海を渡り、また家に帰った。",
] * 3


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(train(lambda: LINES, TokenizerConfig(vocabulary=330)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The ship",
        "  two spaces before, between  and after  ",
        "\n\n one\n\n\ntwo\n",
        "tab\tand\r\nreturn",
        "\x00 and \x1b",
        f"a real {SPACE} is no space, nor is {SPACE}{SPACE}",
        SPACE,
        "<mask> <s> </s> <pad> <unk> <0x41>",
        "𓀀 ᚠ \u0378 e\u0301 \u200b \ufeff \U0010fffd",
        "船は広い\u3000海",
    ],
)
def test_literal_round_trips(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not set(ids) & set(SPECIAL.values())


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \n▁ship海<>")), max_size=80)
)
def test_any_text_comes_back_and_never_holds_a_special_piece(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not set(ids) & set(SPECIAL.values())


def test_no_space_is_put_before_the_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.piece(tokenizer.encode("The")[0]).startswith("T")
    assert tokenizer.piece(tokenizer.encode(" The")[0]).startswith(SPACE)


def test_documents_end_with_the_end_piece(tokenizer: Tokenizer) -> None:
    texts = ["The ship", "", f"a{SPACE}b", "море"]
    tokens, offsets = tokenizer.encode_documents(texts)
    assert offsets[0] == 0
    for text, start, end in zip(texts, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        assert tokens[start:end].tolist() == [*tokenizer.encode(text), SPECIAL["eos"]]
        assert tokenizer.decode(tokens[start:end]) == text


def test_special_pieces(tokenizer: Tokenizer) -> None:
    assert tokenizer.special == {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
    assert [tokenizer.piece(token) for token in range(5)] == ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
    assert tokenizer.vocabulary == 330


def test_a_damaged_model_and_an_unknown_name(tmp_path: Path, write_corpus: object) -> None:
    with pytest.raises(CorpusError, match="model is damaged"):
        Tokenizer(b"nothing of the kind")
    root = write_corpus(tmp_path, {"eng_Latn": LINES})  # type: ignore[operator]
    with pytest.raises(CorpusError, match=r"no tokenizer 'spm' \(it has none\).*evenglot tokenize"):
        load_tokenizer(root)
