"""The stage: literal texts, the whole counters, and the promise that no suspect is overlooked."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.normalise.config import NormaliseConfig
from pipeline.normalise.stage import NormaliseStage, normalise

SAMPLES = (
    "word Word été größe क़ कि नदी 한국어 Ελλη の コ 。 . , < > & ; <p> </p> &amp; &nbsp; &#39; <br> \n \n\n \r\n \t "
    "\u200b \u200c \u200d \u200e \xad \xa0 \x00 \x07 \x0b \x85 \u2028 \u2029 \ufeff \u3000 \u202f \x1b[0m e\u0301 Ã© "
    "Ã¤ â€™ Ð¿Ñ€ РїСЂРё Íàïðèâåò \x83R\x83\x93 ¶ é» É» ﬁ 가\u11a8 \u0958 ├⌐ √© Ăź \u180e \ufff9 \U000e0001 👩\u200d🔬"
)
PIECES = [*SAMPLES.split(" "), " ", "  ", "\n", ""]


def batch(texts: list[str]) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string()), "key": [str(n) for n in range(len(texts))]})


def test_literal_batch() -> None:
    outcome = NormaliseStage()(
        batch(
            [
                "In order.",
                "Ünwillkürlich".encode().decode("latin-1"),
                "<p>One&nbsp;&amp; two</p>",
                "zero\u200bwidth",
                "cafe\u0301",
                "two  blanks ",
                " \u200b\n",
                "",
            ]
        )
    )
    assert outcome.kept.column("text").to_pylist() == [
        "In order.",
        "Ünwillkürlich",
        "One & two",
        "zerowidth",
        "café",
        "two blanks",
    ]
    assert outcome.kept.column("repairs").to_pylist() == [
        None,
        "mojibake",
        "markup,whitespace",
        "control",
        "nfc",
        "whitespace",
    ]
    assert outcome.rejected is not None
    assert outcome.rejected.column("key").to_pylist() == ["6", "7"]
    assert outcome.rejected.column("reason").to_pylist() == ["empty_text", "empty_text"]
    assert outcome.counters == {
        "repaired/control": 2,
        "repaired/markup": 1,
        "repaired/mojibake": 1,
        "repaired/nfc": 1,
        "repaired/whitespace": 3,
    }


def test_switched_off_repairs_are_not_made() -> None:
    config = NormaliseConfig(mojibake=False, markup=False, control=False, nfc=False, whitespace=False)
    texts = ["<p>a</p>", "a\u200bb", "cafe\u0301", "a  b"]
    outcome = NormaliseStage(config)(batch([*texts, "  "]))
    assert outcome.kept.column("text").to_pylist() == texts
    assert outcome.rejected is not None
    assert outcome.rejected.column("reason").to_pylist() == ["empty_text"]
    assert outcome.counters == {}


def test_empty_batch_gets_the_columns() -> None:
    kept = NormaliseStage()(batch([])).kept
    assert kept.num_rows == 0
    assert kept.schema.names == ["text", "key", "repairs"]


def test_sliced_batch() -> None:
    outcome = NormaliseStage()(batch(["a  b", "c  d", "e  f"]).slice(1, 1))
    assert outcome.kept.column("text").to_pylist() == ["c d"]
    assert outcome.kept.column("key").to_pylist() == ["1"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join), max_size=6)
)
@example(["a", " ", "\n", "a "])
def test_no_suspect_is_overlooked(texts: list[str]) -> None:
    """The batch's quick look must never spare a text that the repairs would change."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    expected = [normalise(text, NormaliseConfig())[0] for text in texts]
    outcome = NormaliseStage()(batch(texts))
    assert outcome.kept.column("text").to_pylist() == [text for text in expected if text]
