from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.sentences.codes import splitter_code
from pipeline.sentences.lines import cut_lines
from pipeline.sentences.long import cut_long
from pipeline.sentences.passthrough import is_passthrough
from pipeline.sentences.split import split

PAGE = """# Water

Clean water saves lives.  Dr. Achieng says so.

* Boil it. Let it cool.
*
1. https://water.example/help

    See page 3.
"""


def test_sentences_of_a_page() -> None:
    layout = split(PAGE, "eng_Latn")
    assert layout.sentences == (
        "Water",
        "Clean water saves lives.",
        "Dr. Achieng says so.",
        "Boil it.",
        "Let it cool.",
        "https://water.example/help",
        "See page 3.",
    )
    assert layout.passthrough == (False, False, False, False, False, True, False)
    assert [line.lead for line in layout.lines] == ["# ", "", "* ", "1. ", "    "]
    assert layout.line_of == (0, 1, 1, 2, 2, 3, 4)
    assert layout.rebuild(layout.sentences) == PAGE


def test_a_sentence_left_out_leaves_nothing_behind() -> None:
    layout = split(PAGE, "eng_Latn")
    kept = ["Maji", None, "Dkt. Achieng anasema hivyo.", None, None, "https://water.example/help", "Ona ukurasa wa 3."]
    assert layout.rebuild(kept, "swh_Latn") == (
        "# Maji\n\nDkt. Achieng anasema hivyo.\n\n1. https://water.example/help\n\n    Ona ukurasa wa 3.\n"
    )
    assert layout.rebuild([None] * 7) == ""


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        ([None, "B.", "C."], "B.  C.\n"),
        (["A.", None, "C."], "A. C.\n"),
        (["A.", "B.", None], "A. B.\n"),
    ],
)
def test_gaps_around_what_is_left_out(kept: list[str | None], text: str) -> None:
    layout = split("Ay. Bee.  Cee.\n", "eng_Latn")
    assert layout.rebuild(kept) == text


def test_what_was_copied_goes_with_its_line() -> None:
    layout = split("Call us now. +1 555 0100.\n- 42", "eng_Latn")
    assert layout.sentences == ("Call us now.", "+1 555 0100.", "42")
    assert layout.rebuild([None, "+1 555 0100.", "42"]) == "- 42"


def test_spaces_follow_the_language_of_the_translation() -> None:
    layout = split("Hello there. Come in.\n", "eng_Latn")
    assert layout.rebuild(["你好。", "请进。"], "zho_Hans") == "你好。请进。\n"
    back = split("你好。请进。\n", "zho_Hans")
    assert back.sentences == ("你好。", "请进。")
    assert back.rebuild([" Hello there.", "Come\nin."], "eng_Latn") == "Hello there. Come in.\n"
    assert back.rebuild(["", "Come in."], "eng_Latn") == "Come in.\n"


def test_another_number_of_sentences_is_refused() -> None:
    with pytest.raises(ValueError, match="2 sentences for a layout of 1"):
        split("One.", "eng_Latn").rebuild(["One.", "Two."])


@pytest.mark.parametrize(
    ("lang", "text", "sentences"),
    [
        ("hin_Deva", "यह घर है। वह पेड़ है। सच?", ("यह घर है।", "वह पेड़ है।", "सच?")),
        ("amh_Ethi", "ሰላም ነው። እንዴት ነህ?", ("ሰላም ነው።", "እንዴት ነህ?")),
        ("arb_Arab", "مرحبا بك. كيف حالك؟ بخير.", ("مرحبا بك.", "كيف حالك؟", "بخير.")),
        ("khm_Khmr", "នេះជាផ្ទះ។ នោះជាដើមឈើ។", ("នេះជាផ្ទះ។", "នោះជាដើមឈើ។")),
        ("bod_Tibt", "བོད་ཡིག། གཉིས་པ།", ("བོད་ཡིག།", "གཉིས་པ།")),
        ("chr_Cher", "ᎣᏏᏲ ᎤᏔᎾ. ᏙᎯᏧ ᎠᎹ.", ("ᎣᏏᏲ ᎤᏔᎾ.", "ᏙᎯᏧ ᎠᎹ.")),
        ("jpn_Jpan", "水です。「はい。」行こう！", ("水です。", "「はい。」", "行こう！")),
        ("mya_Mymr", "သူ၏အိမ်။ ငါ့အိမ်။", ("သူ၏အိမ်။", "ငါ့အိမ်။")),
        ("pan_Guru", "ਇਹ ਘਰ ਹੈ | ਉਹ ਰੁੱਖ ਹੈ |", ("ਇਹ ਘਰ ਹੈ |", "ਉਹ ਰੁੱਖ ਹੈ |")),
        ("tir_Ethi", "ሰላም ድዩ፡፡ ከመይ ኣለኻ::", ("ሰላም ድዩ፡፡", "ከመይ ኣለኻ::")),
        (
            "eng_Latn",
            'He said: “I go. You stay.” Then "Why?" she asked.',
            ("He said: “I go.", "You stay.”", 'Then "Why?" she asked.'),
        ),
        (
            "eng_Latn",
            'It ended. "New one," he said. "End."',
            ("It ended.", '"New one," he said.', '"End."'),
        ),
        ("deu_Latn", "Er rief: „Ja. Gut.“ Dann ging er.", ("Er rief: „Ja.", "Gut.“", "Dann ging er.")),
        ("uzn_Latn", "Bu o'zbekcha. Men o'qiyman. U keldi.", ("Bu o'zbekcha.", "Men o'qiyman.", "U keldi.")),
        ("swh_Latn", "Alikuja jana. Aliondoka leo.", ("Alikuja jana.", "Aliondoka leo.")),
    ],
)
def test_languages(lang: str, text: str, sentences: tuple[str, ...]) -> None:
    layout = split(text, lang)
    assert layout.sentences == sentences
    assert layout.rebuild(layout.sentences) == text


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("swh_Latn", "sw"),
        ("zho_Hant", "zh"),
        ("pes_Arab", "fa"),
        ("ekk_Latn", "et"),
        ("bbc_Latn", "bbc"),
        ("hin_Latn", "en"),
        ("mya_Mymr", "en"),
        ("und", "en"),
        ("zxx", "en"),
    ],
)
def test_codes(tag: str, code: str) -> None:
    assert splitter_code(tag) == code


def test_a_wrapped_paragraph_is_one() -> None:
    text = (
        "The old miller walked down to the river in the morning,\n"
        "and nobody knew why. He carried a lantern that had not\n"
        "been lit for years.\n"
    )
    layout = split(text, "eng_Latn")
    assert layout.sentences == (
        "The old miller walked down to the river in the morning,\nand nobody knew why.",
        "He carried a lantern that had not\nbeen lit for years.",
    )
    assert layout.rebuild(layout.sentences) == text
    assert layout.rebuild(["A.", "B."], "swh_Latn") == "A. B.\n"


def test_a_poem_and_headings_are_not_wrapped() -> None:
    text = "Short line\nanother short line\nand one more"
    assert [line.body for line in cut_lines(text)[0]] == ["Short line", "another short line", "and one more"]


def test_code_in_fences_is_copied() -> None:
    layout = split("Run this:\n```\nmake all now. Then wait.\n```\nDone with it.", "eng_Latn")
    assert layout.sentences == ("Run this:", "```", "make all now. Then wait.", "```", "Done with it.")
    assert layout.passthrough == (False, True, True, True, False)


@pytest.mark.parametrize(
    ("sentence", "copied"),
    [
        ("12.5 %", True),
        ("https://a.example/b?c=d", True),
        ("name@site.example", True),
        ("--- * ---", True),
        ("v2.0-rc1", True),
        ("`make test`", True),
        ("<p></p>&nbsp;", True),
        ("/etc/hosts", True),
        ("for (int i = 0; i < n; i++) {", True),
        ("x", True),
        ("Go!", False),
        ("Write to name@site.example today", False),
        ("好", False),
        ("ᎣᏏᏲ", False),
        ("同年，该公司宣布，自2006年1月1日起。", False),
        ("He came (late) and left again;", False),
    ],
)
def test_what_is_copied(sentence: str, copied: bool) -> None:
    assert is_passthrough(sentence) is copied


def test_long_sentences_are_cut_at_the_strongest_place() -> None:
    text = "one two three, four five six; seven eight nine ten eleven"
    assert cut_long(text, 100) == []
    assert [text[:30], text[30:]] == ["one two three, four five six; ", "seven eight nine ten eleven"]
    assert cut_long(text, 40) == [30]
    assert cut_long("a" * 25, 10) == [9, 17]
    assert cut_long("水" * 10, 15) == [5]
    assert cut_long("ab cd ef gh", 6) == [6]


def test_cut_parts_are_sentences_of_their_own() -> None:
    text = "word " * 100 + "end."
    layout = split(text, "eng_Latn", longest=200)
    assert [len(sentence) for sentence in layout.sentences] == [169, 164, 169]
    assert layout.rebuild(layout.sentences) == text


@given(st.text(max_size=300), st.sampled_from(["eng_Latn", "zho_Hans", "hye_Armn", "und", "quy_Latn"]))
@example("a\ud800b. C d. \u2028 - \n\n* \n1) x.", "eng_Latn")
@example("```\nx. Y z.\n", "deu_Latn")
@example("\r\n\t\r", "und")
def test_rebuilding_gives_the_text_again(text: str, lang: str) -> None:
    layout = split(text, lang, longest=40)
    assert layout.rebuild(layout.sentences) == text
    assert all(sentence and sentence == sentence.strip() for sentence in layout.sentences)
    assert len(layout.passthrough) == len(layout.sentences) == len(layout.line_of)
    assert len(layout.between) == len(layout.lines) + 1


_WORDS = st.lists(
    st.sampled_from(["Ay bee.", "Cee!  ", "\n", "\n\n", "- ", "  ", "10", "Dee; ", "。", "水。"]), max_size=30
)


@given(_WORDS, st.data())
def test_leaving_out_keeps_order_and_makes_no_empty_line_more(parts: list[str], data: st.DataObject) -> None:
    layout = split("".join(parts), "eng_Latn")
    kept = [one if data.draw(st.booleans()) else None for one in layout.sentences]
    text = layout.rebuild(kept)
    plain = [one for one, copied in zip(kept, layout.passthrough, strict=True) if one is not None and not copied]
    place = 0
    for one in plain:
        place = text.index(one, place) + len(one)
    whole = "".join(parts)
    assert text.count("\n") <= whole.count("\n")
