from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ConfigurationError
from corpus.hashing import file_hash
from corpus.tags import is_tag
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import (
    BUILTIN_CARD,
    BUILTIN_FILE,
    BUILTIN_FOLDER,
    BUILTIN_RELATIVES,
    LanguageModel,
    load_model,
    model_card,
)

WRITTEN = {
    # Sentences of everyday life, written for this test.
    "eng_Latn": "My neighbour keeps bees behind the house, and every autumn she brings us a jar of honey.",
    "deu_Latn": "Unsere Nachbarin hält hinter dem Haus Bienen und bringt uns jeden Herbst ein Glas Honig.",
    "fra_Latn": "Notre voisine élève des abeilles derrière la maison et nous apporte chaque automne un pot de miel.",
    "spa_Latn": "Nuestra vecina cría abejas detrás de la casa y cada otoño nos trae un frasco de miel.",
    "swh_Latn": "Jirani yetu anafuga nyuki nyuma ya nyumba, na kila mwaka anatuletea chupa ya asali.",
    "rus_Cyrl": "Наша соседка держит пчёл за домом и каждую осень приносит нам банку мёда.",
    "jpn_Jpan": "隣の人は家の裏でミツバチを飼っていて、毎年秋になると蜂蜜を持ってきてくれます。",
    "kor_Hang": "이웃 사람은 집 뒤에서 벌을 키우고 해마다 가을이면 꿀을 한 병 가져다준다.",
    "hin_Deva": "हमारी पड़ोसन घर के पीछे मधुमक्खियाँ पालती है और हर साल हमें शहद देती है।",
    "tam_Taml": "எங்கள் பக்கத்து வீட்டுக்காரர் வீட்டின் பின்னால் தேனீ வளர்க்கிறார்.",
    "arb_Arab": "تربي جارتنا النحل خلف المنزل وتحضر لنا كل خريف وعاء من العسل.",
    "ell_Grek": "Η γειτόνισσά μας έχει μέλισσες πίσω από το σπίτι και κάθε φθινόπωρο μας φέρνει μέλι.",
}


def test_the_model_that_ships_is_the_one_its_card_describes() -> None:
    card = model_card()
    assert card["sha256"] == hashlib.sha256(BUILTIN_FILE.read_bytes()).hexdigest()
    assert card["xxh3_128"] == file_hash(BUILTIN_FILE)
    assert card["relatives"]["xxh3_128"] == file_hash(BUILTIN_RELATIVES)
    assert card["bytes"] == BUILTIN_FILE.stat().st_size
    assert card["relatives"]["bytes"] == BUILTIN_RELATIVES.stat().st_size
    assert card["bytes"] + card["relatives"]["bytes"] <= 7_000_000
    model = load_model()
    assert list(model.tags) == card["labels"]
    assert len(model.tags) >= 450
    assert "zxx" in model.tags
    assert all(is_tag(tag) for tag in model.tags)
    assert model.licence == card["licence"]
    assert load_model() is model


def test_sentences_are_labelled() -> None:
    prediction = load_model().predict(list(WRITTEN.values()))
    assert dict(zip(WRITTEN, prediction.tags, strict=True)) == {tag: tag for tag in WRITTEN}
    assert prediction.scores.dtype == np.float32
    assert prediction.scores.shape == (len(WRITTEN),)
    assert ((prediction.scores > 0.3) & (prediction.scores <= 1)).all()


def test_what_has_no_language() -> None:
    texts = [
        "",
        " \n\t",
        "12.5 % 17:30 ★★★",
        "a",
        "https://a.example/b?c=1\nhttps://a.example/d",
        "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ ᱠᱟᱱᱟ ᱟᱨ",
    ]
    prediction = load_model().predict(texts)
    assert prediction.tags == ["und", "und", "zxx", "zxx", "zxx", "und"]
    assert prediction.scores.tolist() == [0, 0, 1, 1, 1, 0]


def test_code_is_no_language() -> None:
    code = 'const getItem = list.findIndex(x0);\nif (x1 > 53) { return foo(x1, "aa804"); }\n' * 8
    assert load_model().predict([code]).tags == ["zxx"]


def test_traps_of_the_binding_do_not_reach_the_caller() -> None:
    english = WRITTEN["eng_Latn"]
    texts = [english.replace(" ", "\n"), english + "\x00", english + " \ud800", english + "\U0010ffff"]
    assert load_model().predict(texts).tags == ["eng_Latn"] * 4


def test_a_document_s_label_does_not_depend_on_its_neighbours() -> None:
    texts = [text * repeats for repeats, text in enumerate(WRITTEN.values(), start=1)]
    together = load_model().predict(texts)
    alone = [load_model().predict([text]) for text in texts]
    assert together.tags == [single.tags[0] for single in alone]
    assert together.scores.tolist() == [single.scores[0] for single in alone]


def test_the_longer_part_of_a_document_wins() -> None:
    mixed = WRITTEN["deu_Latn"] * 9 + "\n" + WRITTEN["tam_Taml"] * 3
    prediction = load_model().predict([mixed])
    assert prediction.tags == ["deu_Latn"]
    assert 0.4 < prediction.scores[0] < 0.9


def test_a_declared_label_is_ignored_where_there_is_no_doubt() -> None:
    model = load_model()
    for label in ("deu_Latn", "jpn_Jpan", None):
        prediction = model.predict([WRITTEN["eng_Latn"]], IdentifyConfig(declared_margin=1.0), [label])
        assert prediction.tags == ["eng_Latn"]
        assert prediction.declared == frozenset()


def test_no_documents() -> None:
    prediction = load_model().predict([])
    assert prediction.tags == []
    assert prediction.scores.shape == (0,)


def test_labels_of_other_models_become_tags(foreign_model: Path) -> None:
    model = load_model(str(foreign_model))
    assert model.tags == ("eng_Latn", "rus_Cyrl", "swh_Latn", "und")
    assert model.unmapped == ("__label__nothing-1",)
    assert model.licence is None
    prediction = model.predict(["the children play\nin the garden", "watoto wanacheza kwenye bustani", "дети играют"])
    assert prediction.tags == ["eng_Latn", "swh_Latn", "rus_Cyrl"]


def test_an_unknown_name_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigurationError, match="is no file and no hub id"):
        load_model("./missing.bin")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.ftz"
    path.write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match=r"broken\.ftz cannot be loaded"):
        load_model(str(path))


def test_word_vectors_are_refused(tmp_path: Path) -> None:
    import fasttext

    (tmp_path / "text.txt").write_text("one two three four five\n" * 50, encoding="utf-8")
    vectors = fasttext.train_unsupervised(
        str(tmp_path / "text.txt"), dim=4, epoch=1, bucket=100, minCount=1, thread=1, verbose=0
    )
    vectors.save_model(str(tmp_path / "vectors.bin"))
    with pytest.raises(ConfigurationError, match="holds word vectors"):
        LanguageModel(tmp_path / "vectors.bin", "vectors")


def test_a_hub_that_cannot_be_reached_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(repository: str, file: str) -> str:
        assert (repository, file) == ("nobody/nothing", "model.bin")
        raise ConnectionError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    with pytest.raises(ConfigurationError, match="cannot be fetched from the hub"):
        load_model("nobody/nothing")


def test_the_card_beside_a_model_says_how_its_text_is_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "renamed.ftz"
    shutil.copy(BUILTIN_FILE, path)
    card = {"cleaned": True, "licence": "CC BY-SA 4.0", "xxh3_128": file_hash(path), "name": "of no importance"}
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    shouted = [text.upper() for text in WRITTEN.values()]
    model = load_model(str(path))
    assert model.licence == "CC BY-SA 4.0"
    bare = LanguageModel(BUILTIN_FILE, "bare", cleaned=True)
    assert model.predict(shouted).scores.tolist() == bare.predict(shouted).scores.tolist()


def test_a_card_of_another_file_is_refused(tmp_path: Path, foreign_model: Path) -> None:
    path = tmp_path / "model.bin"
    shutil.copy(foreign_model, path)
    card = {"cleaned": True, "licence": "CC0 1.0", "xxh3_128": "0" * 32}
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"model\.json describes another file"):
        load_model(str(path))


@pytest.mark.parametrize("content", ['{"vocabulary": 3}', "[1, 2]", "not JSON"])
def test_an_unrelated_file_beside_a_model_is_no_card(tmp_path: Path, foreign_model: Path, content: str) -> None:
    path = tmp_path / "model.bin"
    shutil.copy(foreign_model, path)
    path.with_suffix(".json").write_text(content, encoding="utf-8")
    assert load_model(str(path)).licence is None


def test_tables_of_close_relatives_belong_to_their_model(tmp_path: Path) -> None:
    for file in BUILTIN_FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    model = load_model(str(tmp_path / BUILTIN_FILE.name))
    # Ijekavian "što" and "tko" against "šta" and "ko"; Galician against Portuguese.
    texts = ["Tko je to vidio i što je rekao o vlaku?", "Non sabemos aínda onde vai estar a nosa xente mañá."]
    assert model.predict(texts).tags == load_model().predict(texts).tags == ["hrv_Latn", "glg_Latn"]
    assert model.describe()["hash"] == load_model().describe()["hash"] != file_hash(BUILTIN_FILE)
    tables = tmp_path / BUILTIN_RELATIVES.name
    (tmp_path / "other").mkdir()
    for file in (BUILTIN_FILE, BUILTIN_CARD):
        shutil.copy(file, tmp_path / "other")
    with pytest.raises(ConfigurationError, match="missing"):
        load_model(str(tmp_path / "other" / BUILTIN_FILE.name))
    (tmp_path / "other" / tables.name).write_bytes(b"another model's")
    with pytest.raises(ConfigurationError, match="another model's"):
        load_model(str(tmp_path / "other" / BUILTIN_FILE.name))


def test_a_label_needs_the_probability_asked_for() -> None:
    sentences = [WRITTEN["swh_Latn"], WRITTEN["eng_Latn"] + " " + WRITTEN["swh_Latn"]]
    bold = LanguageModel(BUILTIN_FILE, "bold", cleaned=True).predict(sentences)
    between = float(np.mean(bold.scores))
    careful = LanguageModel(BUILTIN_FILE, "careful", cleaned=True, abstain_below=between).predict(sentences)
    assert bold.scores[1] < between < bold.scores[0]
    assert careful.tags == ["swh_Latn", "und"]
    assert careful.scores.tolist() == [bold.scores[0], 0.0]


def test_close_relatives_count_together_for_abstention() -> None:
    model = load_model()
    tags = np.array([model.tags.index(tag) for tag in ("bos_Latn", "hrv_Latn", "deu_Latn", "nld_Latn")])
    rows, probabilities = np.array([0, 0, 2, 2]), np.array([0.4, 0.3, 0.4, 0.3])
    assert model._sure(rows, tags, probabilities, 3).tolist() == [True, True, False, False]
    assert model._sure(rows[:0], tags[:0], probabilities[:0], 3).tolist() == []
