"""Dominant scripts and their agreement with the language."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.schema import SCRIPT_SHARES
from pipeline.script.config import ScriptConfig
from pipeline.script.stage import ScriptStage
from pipeline.script.tags import script_rule


def run(texts: list[str], langs: list[str | None] | None = None) -> pa.RecordBatch:
    columns = {"text": pa.array(texts, pa.string())}
    if langs is not None:
        columns["lang"] = pa.array(langs, pa.string())
    return ScriptStage()(pa.record_batch(columns)).kept


def test_dominant_script_and_share() -> None:
    kept = run(["abc гд", "漢字とかなとカナ", "汉字", "한국어 漢", "123 !?", "", "नमस्ते"])
    assert kept.column("script").to_pylist() == ["Latn", "Jpan", "Hani", "Hang", "Zyyy", "Zyyy", "Deva"]
    assert kept.column("script_share").to_pylist() == pytest.approx([0.6, 1, 1, 0.75, 0, 0, 1])
    assert kept.column("lang_script_agrees").to_pylist() == [None] * 7


def test_shares_of_all_scripts() -> None:
    column = run(["abc гд", "漢字とかなとカナ", "", "123", "a" * 199 + "б", "a" * 198 + "бб"]).column("scripts")
    assert column.type == SCRIPT_SHARES
    assert [[(part["script"], round(part["share"], 3)) for part in row] for row in column.to_pylist()] == [
        [("Latn", 0.6), ("Cyrl", 0.4)],
        [("Hira", 0.5), ("Hani", 0.25), ("Kana", 0.25)],
        [],
        [],
        [("Latn", 0.995)],
        [("Latn", 0.99), ("Cyrl", 0.01)],
    ]
    assert run([]).column("scripts").type == SCRIPT_SHARES


@pytest.mark.parametrize(
    ("text", "lang", "agrees"),
    [
        ("This is English", "eng_Latn", True),
        ("Это по-русски", "eng_Latn", False),
        ("Это только API Windows NT", "rus_Cyrl", True),
        ("日本語のテキスト", "jpn_Jpan", True),
        ("这是中文的句子", "jpn_Jpan", False),
        ("这是中文的句子", "zho_Hans", True),
        ("这是中文的句子", "zho_Hant", True),
        ("日本語のテキストはこちら", "zho_Hans", False),
        ("한국어 문장입니다", "kor_Hang", True),
        ("这是中文的句子", "kor_Hang", False),
        ("123", "eng_Latn", None),
        ("text", "und", None),
        ("text", "zxx", None),
        ("text", None, None),
    ],
)
def test_agreement(text: str, lang: str | None, agrees: bool | None) -> None:
    assert run([text], [lang]).column("lang_script_agrees").to_pylist() == [agrees]


def test_counts_and_keeps_every_row() -> None:
    batch = pa.record_batch({"text": ["Это", "this"], "lang": ["eng_Latn", "eng_Latn"]})
    outcome = ScriptStage()(batch)
    assert outcome.counters == {"script_mismatch": 1}
    assert outcome.rejected is None
    assert outcome.kept.num_rows == 2
    assert ScriptStage(ScriptConfig(enabled=False))(batch).kept.equals(batch)
    empty = ScriptStage()(batch.slice(0, 0)).kept
    assert [empty.schema.field(name).type for name in ("script", "script_share", "lang_script_agrees")] == [
        pa.string(),
        pa.float32(),
        pa.bool_(),
    ]


def test_rules_of_tags() -> None:
    assert script_rule("srp_Cyrl").accepted == {"Cyrl"}  # type: ignore[union-attr]
    assert script_rule("urd_Aran").accepted == {"Arab"}  # type: ignore[union-attr]
    assert script_rule("und") is None
    assert script_rule("xyz_Qaaa") is None
