"""Languages of a model from its names, its README and its tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import ConfigurationError, InputError
from corpus.tags import is_group, to_tag
from pipeline.translation.languages import Languages, language_tokens, languages_of, mapped, tag_of


def folder(place: Path, **files: object) -> Path:
    place.mkdir(exist_ok=True)
    for name, content in files.items():
        stem, _, suffix = name.rpartition("_")
        text = content if isinstance(content, str) else json.dumps(content)
        (place / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("en", "eng_Latn"), ("zh", "zho_Hans"), ("cmn_Hant", "zho_Hant"), ("zho_Hans", "zho_Hans"),
        ("est_Latn", "ekk_Latn"), ("kon_Latn", "kng_Latn"), ("ns", "nso_Latn"), ("pt_br", "por_Latn"),
        ("iw", "heb_Hebr"), ("ROMANCE", None), ("mul", None), ("sla", None), ("gmw", None), ("crp", None),
        ("qzz_Latn", "qzz_Latn"), ("translate", None), ("zxx", None),
    ],
)  # fmt: skip
def test_codes_of_models(code: str, tag: str | None) -> None:
    assert tag_of(code) == tag


def test_groups_are_no_languages() -> None:
    assert all(is_group(to_tag(code)) for code in ("sla", "roa", "bnt", "qwe", "crp", "sgn"))
    assert not any(is_group(to_tag(code)) for code in ("en", "sw", "zh", "sl", "kab", "que"))


def test_of_several_codes_the_one_with_the_script_wins_then_the_shortest() -> None:
    assert mapped(["fr_BE", "fr", "fr_CA", "zh", "zh_Hans", "ROMANCE", "xx"]) == (
        {"fra_Latn": "fr", "zho_Hans": "zh_Hans"},
        ("ROMANCE", "xx"),
    )


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("Helsinki-NLP/opus-mt-en-de", [("eng_Latn", "deu_Latn")]),
        (
            "opus-mt-tc-big-en-cat_oci_spa",
            [("eng_Latn", "cat_Latn"), ("eng_Latn", "oci_Latn"), ("eng_Latn", "spa_Latn")],
        ),
        ("opus-mt-tc-bible-big-deu-eng", [("deu_Latn", "eng_Latn")]),
        ("opus_mt_sw_en", None),
        ("opus-mt-ROMANCE-en", None),
        ("my-model", None),
    ],
)
def test_names_of_opus_mt(tmp_path: Path, name: str, pairs: list[tuple[str, str]] | None) -> None:
    if pairs is None:
        with pytest.raises(InputError, match="--pair SOURCE-TARGET"):
            languages_of(folder(tmp_path), "marian", name)
    else:
        assert languages_of(folder(tmp_path), "marian", name) == Languages({}, tuple(pairs))


def test_a_group_of_sources_is_taken_from_the_readme(tmp_path: Path) -> None:
    readme = "### opus-mt-ROMANCE-en\n\n* source languages: fr,fr_BE, ca,xx\n* target languages: en\n"
    made = folder(tmp_path, README_md=readme, tokenizer_config_json={"source_lang": "ROMANCE", "target_lang": "en"})
    found = languages_of(made, "marian", "Helsinki-NLP/opus-mt-ROMANCE-en")
    assert found == Languages({}, (("cat_Latn", "eng_Latn"), ("fra_Latn", "eng_Latn")), ("xx",))


def test_targets_are_those_that_have_a_token(tmp_path: Path) -> None:
    vocabulary = {"</s>": 0, ">>fra<<": 1, ">>frm_Latn<<": 2, ">>en<<": 3, ">>sla<<": 4, "▁a": 5}
    made = folder(tmp_path, vocab_json=vocabulary, tokenizer_config_json={"source_lang": "en", "target_lang": "roa"})
    found = languages_of(made, "marian", "opus-mt-en-roa")
    assert found.codes == {"eng_Latn": "en", "fra_Latn": "fra", "frm_Latn": "frm_Latn"}
    assert found.pairs == (("eng_Latn", "fra_Latn"), ("eng_Latn", "frm_Latn"))
    assert found.unmapped == ("sla",)
    assert language_tokens("marian", found) == [">>en<<", ">>fra<<", ">>frm_Latn<<"]


def test_tokens_of_the_other_families(tmp_path: Path) -> None:
    nllb = folder(tmp_path / "nllb", tokenizer_config_json={"additional_special_tokens": ["eng_Latn", "est_Latn"]})
    assert languages_of(nllb, "nllb", "x") == Languages({"ekk_Latn": "est_Latn", "eng_Latn": "eng_Latn"})
    added = [{"content": "<mask>"}, {"content": "swh_Latn"}, {"content": "ewe_Latn"}]
    fast = folder(tmp_path / "fast", tokenizer_json={"added_tokens": added})
    assert languages_of(fast, "nllb", "x").codes == {"ewe_Latn": "ewe_Latn", "swh_Latn": "swh_Latn"}
    pieces = [["<2sw>", 0], ["<2zh_Latn>", 0], ["<2translate>", 0], ["<extra_id_0>", 0], ["▁a", -1]]
    t5 = folder(tmp_path / "t5", tokenizer_json={"model": {"vocab": pieces}})
    found = languages_of(t5, "t5", "x")
    assert found == Languages({"swh_Latn": "sw", "zho_Latn": "zh_Latn"}, unmapped=("translate",))
    assert language_tokens("t5", found) == ["<2sw>", "<2zh_Latn>"]
    with pytest.raises(InputError, match="names 0 languages in its tokenizer"):
        languages_of(folder(tmp_path / "none"), "t5", "x")


def test_pairs_that_the_user_names(tmp_path: Path) -> None:
    made = folder(tmp_path, tokenizer_config_json={"extra_special_tokens": ["eng_Latn", "ewe_Latn", "fra_Latn"]})
    found = languages_of(made, "nllb", "x", [("English", "ee"), ("en", "ewe")])
    assert found == Languages({"eng_Latn": "eng_Latn", "ewe_Latn": "ewe_Latn"}, (("eng_Latn", "ewe_Latn"),))
    with pytest.raises(ConfigurationError, match=r"does not know swh_Latn.*It knows eng_Latn, ewe_Latn, fra_Latn"):
        languages_of(made, "nllb", "x", [("en", "sw")])
