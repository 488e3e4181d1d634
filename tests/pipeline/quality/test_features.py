"""Features: literal documents, independence of neighbours, documents of unusual size."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.quality.features import FEATURES, compute


def features(text: str) -> dict[str, float]:
    return dict(zip(FEATURES, compute(pa.array([text], pa.string()))[0].tolist(), strict=True))


def test_literal_prose() -> None:
    found = features("The cat sat. The cat ran!\n\n- a dog: 12 km\nEnd of it")
    expected = {
        "n_chars": 51,
        "n_bytes": 51,
        "n_words": 13,
        "n_lines": 3,
        "mean_word_length": 33 / 13,
        "alphabetic_ratio": 31 / 37,
        "digit_ratio": 2 / 37,
        "punctuation_ratio": 4 / 37,
        "symbol_ratio": 0,
        "code_ratio": 0,
        "short_line_share": 2 / 3,
        "duplicate_line_share": 0,
        "bullet_line_share": 1 / 3,
        "terminal_line_share": 1 / 3,
        "code_line_share": 0,
        "unique_word_ratio": 11 / 13,
        "lexical_diversity": float(np.log(11) / np.log(13)),
        "top_bigram_share": 0,
        "duplicate_ngram_share": 0,
        "url_share": 0,
        "longest_token": 4,
        "long_token_share": 0,
        "filler_share": 0,
        "alphabetic_word_share": 12 / 13,
        "hash_word_ratio": 0,
        "ellipsis_word_ratio": 0,
        "newline_word_ratio": 3 / 13,
        "ellipsis_line_share": 0,
        "duplicate_line_ratio": 0,
        "duplicate_paragraph_ratio": 0,
        "duplicate_paragraph_share": 0,
        "top_trigram_share": 0,
        "top_4gram_share": 0,
        "duplicate_6gram_share": 0,
        "duplicate_7gram_share": 0,
        "duplicate_8gram_share": 0,
        "duplicate_9gram_share": 0,
        "duplicate_10gram_share": 0,
    }
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "feature", "value"),
    [
        ("汉字很多。", "n_words", 4),
        ("བོད་སྐད་ཡིག", "n_words", 3),
        ("བོད་སྐད་ཡིག", "longest_token", 3),
        ("ሰላም፡ለዓለም", "n_words", 2),
        ("नमस्ते दुनिया", "n_words", 2),
        ("カタカナabc漢", "n_words", 6),
        ("汉字很多。", "terminal_line_share", 1),
        ("# one #two, three ##", "hash_word_ratio", 4 / 3),
        ("wait... what…… so ..... no. a . . . b ..", "ellipsis_word_ratio", 4 / 6),
        ("read more...\nand so on…\nend..\n...", "ellipsis_line_share", 3 / 4),
        ("..", "ellipsis_line_share", 0),
        ("3 cats, 12 dogs and 4th", "alphabetic_word_share", 3 / 6),
        ("a b\n\na b\na b\n\n\nc\n \nc", "duplicate_paragraph_ratio", 1 / 4),
        ("a b\n\na b\na b\n\n\nc\n \nc", "duplicate_paragraph_share", 1 / 12),
        ("a b\n\na b\na b\n\n\nc\n \nc", "duplicate_line_ratio", 3 / 5),
        ("a b\n\na b\na b\n\n\nc\n \nc", "duplicate_line_share", 7 / 11),
        ("a b c d x a b c d y a b c d z a b c", "top_bigram_share", 8 / 18),
        ("a b c d x a b c d y a b c d z a b c", "top_trigram_share", 12 / 18),
        ("a b c d x a b c d y a b c d z a b c", "top_4gram_share", 12 / 18),
        ("a b c d x a b c d y a b c d z a b c", "duplicate_ngram_share", 0),
        (" ".join("abcdefghijk" * 2), "duplicate_ngram_share", 7 / 18),
        (" ".join("abcdefghijk" * 2), "duplicate_10gram_share", 2 / 13),
        (" ".join("abcdefghijk" * 2), "duplicate_9gram_share", 3 / 14),
        ("天地玄黄宇宙洪荒" * 2, "duplicate_7gram_share", 2 / 10),
        ("यह वाक्य है।", "terminal_line_share", 1),
        ("هل هذا سؤال؟", "terminal_line_share", 1),
        ("“He said so.”", "terminal_line_share", 1),
        ("እንዴት ነህ።", "terminal_line_share", 1),
        ("see https://example.org/a and www.example.org", "url_share", 36 / 42),
        ("x" * 50 + " yy", "longest_token", 50),
        ("x" * 50 + " " + "y" * 50, "long_token_share", 1),
        ("if (a) {\n b();\n}", "code_line_share", 1),
        ("a b c a b c a b c", "top_bigram_share", 6 / 9),
        ("a b c d e " * 5, "duplicate_ngram_share", 16 / 21),
        ("line one\nline one\nother", "duplicate_line_share", 8 / 21),
        ("Lorem ipsum dolor sit amet", "filler_share", 1),
        ("a" * 7, "mean_word_length", 7),
        ("♥★☆ab", "symbol_ratio", 3 / 5),
    ],
)
def test_literal_values(text: str, feature: str, value: float) -> None:
    assert features(text)[feature] == pytest.approx(value, abs=1e-6)


def test_alphabets_without_spaces_are_cut_by_content() -> None:
    sentence = "ทุกเช้าฉันเดินไปตามริมแม่น้ำและมองดูเรือที่แล่นผ่านไปช้าๆ"
    found = features(sentence)
    assert 3 <= found["mean_word_length"] <= 7
    assert found["lexical_diversity"] > 0.9
    assert found["long_token_share"] == 0
    assert features(f"{sentence} " * 12)["duplicate_ngram_share"] > 0.8


@pytest.mark.parametrize("text", ["", " ", "\n", "。", "a", "\n\n a \n"])
def test_tiny_documents_have_finite_features(text: str) -> None:
    assert np.isfinite(compute(pa.array([text]))).all()


TEXT = st.text(st.sampled_from("aé漢กขค่क्  \n\n.;{}:/w0-!"), max_size=60)


@settings(max_examples=80, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8))
@example([":", "//a"])
@example(["w", "ww.a"])
@example([".", "..", "..."])
@example(["a\n", "\n a", " "])
@example(["a", "", "", "b"])
def test_neighbours_do_not_matter(texts: list[str]) -> None:
    together = compute(pa.array(texts, pa.string()))
    alone = np.concatenate([compute(pa.array([text], pa.string())) for text in texts])
    np.testing.assert_array_equal(together, alone)


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("abéक् \n.;:/0-"), max_size=80))
def test_words_and_lines_as_counted_one_by_one(text: str) -> None:
    found = features(text)
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    assert found["n_words"] == len(words)
    assert found["unique_word_ratio"] == pytest.approx(len(set(words)) / max(len(words), 1))
    assert found["n_lines"] == len(lines)
    repeated = sum(len(line) for place, line in enumerate(lines) if line in lines[:place])
    assert found["duplicate_line_share"] == pytest.approx(repeated / max(sum(map(len, lines)), 1), abs=1e-6)
    grams = [tuple(words[i : i + 5]) for i in range(len(words) - 4)]
    assert found["duplicate_ngram_share"] == pytest.approx(
        1 - len(set(grams)) / max(len(grams), 1) if grams else 0, abs=1e-6
    )


def test_very_long_documents_take_linear_time() -> None:
    documents = ["wort " * 200_000, "漢" * 400_000, "x" * 1_000_000, " " * 1_000_000, "a\n" * 500_000]
    started = time.process_time()
    found = compute(pa.array(documents))
    assert time.process_time() - started < 10
    repetition = FEATURES.index("duplicate_ngram_share")
    assert found[0, repetition] > 0.99
    assert found[1, repetition] > 0.99


def test_sizes_of_documents_beyond_the_limit_are_whole() -> None:
    text = "é" * 2_200_000
    found = features(text)
    assert found["n_chars"] == 2_200_000
    assert found["n_bytes"] == 4_400_000
