from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import InputError
from pipeline.language_id.sources import (
    corpus_documents,
    group_of,
    han_script,
    in_training,
    ntrex,
    parallel,
    udhr,
    unify,
)

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not at ../shared/data")


@pytest.mark.parametrize(
    ("source_id", "group"),
    [
        ("eltec-ENG18870_Barry-0270", "eltec-ENG18870_Barry"),
        ("asp-sw-0050", "asp-0050"),
        ("pb-hi-0109", "pb-0109"),
        ("bible-chr-1CO-1", "bible-1CO.1"),
        ("ud-UD_Russian-GSD-test-45", "ud-UD_Russian-GSD-test-4"),
        ("osg-tr-building-community-0", "osg-building-community"),
        ("electron-es-ES-tutorial.application-debugging-0", "electron-tutorial.application-debugging"),
        ("electron-ja-JP-api.incoming-message-0", "electron-api.incoming-message"),
        ("nusapar-sun-2894-ede444", "nusapar-sun-2894-ede444"),
        ("synthetic", "synthetic"),
    ],
)
def test_group_of(source_id: str, group: str) -> None:
    assert group_of(source_id) == group


def test_labels_are_unified() -> None:
    assert [unify(label) for label in ("zlm_Latn", "fil_Latn", "vie_Hani", "est_Latn", "swh_Latn")] == [
        "zsm_Latn",
        "tgl_Latn",
        "vie_Hani",
        "ekk_Latn",
        "swh_Latn",
    ]


def test_han_script() -> None:
    assert han_script("这个国家的人们说话") == "Hans"
    assert han_script("這個國家的人們說話") == "Hant"


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lid_udhr/dev\.jsonl\.gz"):
        list(udhr(tmp_path, "dev"))


@needs_data
def test_declaration_and_news_cover_the_languages() -> None:
    tags = {unit.tag for unit in udhr(DATA, "dev")}
    assert len(tags) > 440
    assert {"zsm_Latn", "yue_Hans", "ekk_Latn"} <= tags
    assert "ckb_Latn" not in tags
    news = {unit.tag for unit in ntrex(DATA)}
    assert len(news) == 122
    # The file named Northern Sotho is in Southern Sotho.
    assert "sot_Latn" in news
    assert "nso_Latn" not in news


@needs_data
def test_no_scored_document_stands_in_the_training_text() -> None:
    scored = {document.group for document in corpus_documents(DATA) if not in_training(document.group)}
    assert scored
    stories = {unit.group for unit in parallel(DATA) if unit.source == "stories"}
    cherokee = {unit.group for unit in parallel(DATA) if unit.tag == "chr_Cher"}
    assert stories
    assert cherokee
    assert not (stories | cherokee) & scored
