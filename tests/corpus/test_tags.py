from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.tags import UnknownLanguage, bcp47, english_name, is_tag, script_of, to_tag, to_tag_or_none


@pytest.mark.parametrize(
    ("label", "tag"),
    [
        ("sw", "swh_Latn"),
        ("swa", "swh_Latn"),
        ("pus", "pbt_Arab"),
        ("pbu_Arab", "pbt_Arab"),
        ("src_Latn", "srd_Latn"),
        ("__label__swh_Latn", "swh_Latn"),
        ("Swahili", "swh_Latn"),
        ("EN", "eng_Latn"),
        ("en-US", "eng_Latn"),
        ("fr_FR", "fra_Latn"),
        ("ger", "deu_Latn"),
        ("wel", "cym_Latn"),
        ("iw", "heb_Hebr"),
        ("in", "ind_Latn"),
        ("zh", "zho_Hans"),
        ("cmn", "zho_Hans"),
        ("cmn_Hani", "zho_Hans"),
        ("zh-CN", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zho_Hant", "zho_Hant"),
        ("ja", "jpn_Jpan"),
        ("ko", "kor_Hang"),
        ("kor_Hang", "kor_Hang"),
        ("fa", "pes_Arab"),
        ("ar", "arb_Arab"),
        ("no", "nob_Latn"),
        ("nn", "nno_Latn"),
        ("sr-Latn", "srp_Latn"),
        ("sr", "srp_Cyrl"),
        ("mni_Mtei", "mni_Mtei"),
        ("es-419", "spa_Latn"),
        ("fil", "tgl_Latn"),
        ("zxx", "zxx"),
        ("zxx_Zxxx", "zxx"),
        ("mas", "mas_Latn"),
        ("chr", "chr_Cher"),
    ],
)
def test_labels_of_every_scheme(label: str, tag: str) -> None:
    assert to_tag(label) == tag


@pytest.mark.parametrize("label", ["", "und", "xx", "unknown", "mul", "blorp", "null", "qqq-nonsense"])
def test_what_names_no_language_says_so(label: str) -> None:
    with pytest.raises(UnknownLanguage):
        to_tag(label)
    assert to_tag_or_none(label) is None


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Min Nan", "nan_Hans"),
        ("Traditional Chinese", "zho_Hant"),
        ("zh TW", "zho_Hant"),
        ("malayo", "mbp_Latn"),
        ("Norwegian Bokmal", "nob_Latn"),
    ],
)
def test_names_of_several_words_and_without_diacritics(name: str, tag: str) -> None:
    assert to_tag(name) == tag


@pytest.mark.parametrize(
    ("name", "suggestion"), [("Swahilli", "Swahili"), ("Germans", "German"), ("Estonain", "Estonian")]
)
def test_a_misspelt_name_is_no_other_language(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownLanguage, match=f"'{name}' names no language.*Did you mean .*{suggestion}"):
        to_tag(name)


@given(st.text(max_size=20))
def test_any_text_gives_a_tag_or_the_reason(label: str) -> None:
    tag = to_tag_or_none(label)  # anything but UnknownLanguage would come through
    assert tag is None or is_tag(tag)


@given(st.sampled_from(["sw", "zh-TW", "iw", "Korean", "sr-Latn", "yo", "ckb", "German"]))
def test_tags_are_fixed_points(label: str) -> None:
    assert to_tag(to_tag(label)) == to_tag(label)


def test_names_and_forms_of_a_tag() -> None:
    assert english_name("swh_Latn") == "Swahili"
    assert english_name("und") == "Undetermined"
    assert bcp47("heb_Hebr") == "he"
    assert bcp47("und") == "und"
    assert script_of("srp_Cyrl") == "Cyrl"
    assert script_of("und") is None
