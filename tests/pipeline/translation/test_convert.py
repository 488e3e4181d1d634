"""Models of other toolkits become model folders that give what the original gives."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError, EvenglotError, InputError
from pipeline.translation.card import check_files, read_card
from pipeline.translation.convert import convert
from pipeline.translation.families import open_family
from tests.pipeline.translation import tiny_models

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.marian(tmp_path_factory.mktemp("hub") / "opus-mt-en-de")


def test_marian_becomes_a_model_folder(marian: Path, tmp_path: Path) -> None:
    card = convert(marian, tmp_path / "models" / "en-de")
    assert card == read_card(tmp_path / "models" / "en-de")
    assert (card.name, card.family, card.source, card.licence) == (
        "opus-mt-en-de",
        "marian",
        "opus-mt-en-de",
        "apache-2.0",
    )
    assert (card.pairs, card.languages, card.codes) == ((("eng_Latn", "deu_Latn"),), (), {})
    assert (card.quantisation, card.max_positions, card.made_of) == ("int8", 64, "")
    # 41 pieces, 2 x 64 positions, and one layer on each side, all 16 wide
    assert card.parameters == 656 + 2_048 + 2_224 + 3_344
    names = ["README.md", "config.json", "model.bin", "shared_vocabulary.json", "source.spm", "target.spm"]
    assert list(card.files) == names
    assert sorted(path.name for path in (tmp_path / "models" / "en-de").iterdir()) == sorted(
        [*names, "evenglot-model.json"]
    )
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["en-de"]
    check_files(tmp_path / "models" / "en-de", card)


def test_marian_scores_as_the_original_does(marian: Path, tmp_path: Path) -> None:
    convert(marian, tmp_path / "out", quantisation="float32")
    source, target = "the river rose in the night", "der fluss stieg in der nacht"
    expected, tokens, output = original(marian, source, target)
    assert tokens[-1] == output[-1] == "</s>"
    assert converted(tmp_path / "out", tokens, output[:-1]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("layout", ["nllb", "m2m100 as published", "m2m100 saved again", "madlad", "mt5"])
def test_other_families_score_as_the_original_does(tmp_path: Path, layout: str) -> None:
    make = {
        "nllb": lambda: tiny_models.nllb(tmp_path / "it"),
        "m2m100 as published": lambda: tiny_models.m2m100(tmp_path / "it", listed=True),
        "m2m100 saved again": lambda: tiny_models.m2m100(tmp_path / "it", listed=False),
        "madlad": lambda: tiny_models.madlad(tmp_path / "it"),
        "mt5": lambda: tiny_models.madlad(tmp_path / "it", kind="MT5"),
    }
    folder = make[layout]()
    card = convert(folder, tmp_path / "out", quantisation="float32")
    source, target = "the river rose in the night", "der fluss stieg in der nacht"
    expected, tokens, output = original(folder, f"<2de> {source}" if layout in ("madlad", "mt5") else source, target)
    assert converted(tmp_path / "out", tokens, output[:-1]) == pytest.approx(expected, abs=1e-4)
    runtime = open_family(tmp_path / "out", card)
    assert runtime.encode([source], "eng_Latn", "deu_Latn") == [tokens]
    prefix = runtime.prefix("deu_Latn")
    assert output[: len(prefix)] == prefix
    assert runtime.decode([output], "deu_Latn") == [target]
    assert card.family == {"madlad": "t5", "mt5": "t5"}.get(layout, layout.split()[0])
    assert card.pairs == ()
    if card.family == "t5":
        assert (card.languages, card.codes) == (("deu_Latn", "eng_Latn"), {"deu_Latn": "de", "eng_Latn": "en"})
        assert (card.max_positions, list(card.files)[-2:]) == (None, ["spiece.model", "tokenizer.json"])
    else:
        assert len(card.languages) == {"nllb": 202, "m2m100": 100}[card.family]
        assert card.codes["swh_Latn"] == {"nllb": "swh_Latn", "m2m100": "sw"}[card.family]
        assert card.codes["ekk_Latn"] == {"nllb": "est_Latn", "m2m100": "et"}[card.family]


def original(folder: Path, source: str, target: str) -> tuple[list[float], list[str], list[str]]:
    """Log-probability of each token of the target by transformers; the tokens of both sides."""
    import torch
    import transformers
    from safetensors.torch import load_file

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    if "t5" in model.config.model_type:  # an output layer of its own is not taken for the embeddings
        output_layer = load_file(folder / "model.safetensors")["lm_head.weight"]
        assert torch.equal(model.lm_head.weight, output_layer)
    given = tokenizer(source, text_target=target, return_tensors="pt")
    labels = given.pop("labels")
    with torch.no_grad():
        logits = model(**given, labels=labels).logits[0]
    if model.config.model_type == "marian":
        logits[:, model.config.pad_token_id] = -torch.inf  # never generated; the converted model does not have it
    found = torch.log_softmax(logits, -1).gather(1, labels[0][:, None])[:, 0]
    tokens = [tokenizer.convert_ids_to_tokens(ids.tolist()) for ids in (given["input_ids"][0], labels[0])]
    return found.tolist(), tokens[0], tokens[1]


def converted(folder: Path, tokens: Sequence[str], output: Sequence[str]) -> list[float]:
    """The same of the converted model."""
    import ctranslate2

    translator = ctranslate2.Translator(str(folder), device="cpu", compute_type="float32", intra_threads=1)
    (found,) = translator.score_batch([list(tokens)], [list(output)])
    return list(found.log_probs)


def test_several_targets_are_asked_for_by_their_tokens(tmp_path: Path) -> None:
    folder = tiny_models.marian(
        tmp_path / "opus-mt-en-gmw", target="gmw", targets=["deu", "nld", "nld_Latn", "gos", "qxx"]
    )
    said: list[str] = []
    card = convert(folder, tmp_path / "all", say=said.append)
    assert card.pairs == (("eng_Latn", "deu_Latn"), ("eng_Latn", "gos_Latn"), ("eng_Latn", "nld_Latn"))
    assert card.codes == {"deu_Latn": "deu", "gos_Latn": "gos", "nld_Latn": "nld_Latn"}
    assert said[0] == "1 of its language codes name no single language and are left out: qxx"
    card = convert(folder, tmp_path / "some", pairs=[("en", "Dutch")])
    assert (card.pairs, card.codes) == ((("eng_Latn", "nld_Latn"),), {"nld_Latn": "nld_Latn"})
    with pytest.raises(ConfigurationError, match="the model does not know swh_Latn"):
        convert(folder, tmp_path / "none", pairs=[("en", "sw")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "opus-mt-en-gmw", "some"]


def test_what_the_user_says_goes_on_the_card(marian: Path, tmp_path: Path) -> None:
    card = convert(
        marian,
        tmp_path / "out",
        pairs=[("sw", "en")],
        licence="CC0-1.0",
        made_of="40 sentences",
        quantisation="float16",
        name="my model",
        origin="me/mine",
        revision="abc",
    )
    assert (card.pairs, card.licence, card.made_of) == ((("swh_Latn", "eng_Latn"),), "CC0-1.0", "40 sentences")
    assert (card.name, card.source, card.revision, card.quantisation) == ("my-model", "me/mine", "abc", "float16")


def test_same_folder_same_bytes(marian: Path, tmp_path: Path) -> None:
    first, second = (convert(marian, tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert first.revision == read_card(tmp_path / "one").revision


def test_an_output_that_exists_is_replaced_only_when_asked(marian: Path, tmp_path: Path) -> None:
    convert(marian, tmp_path / "out")
    with pytest.raises(ConfigurationError, match="--replace"):
        convert(marian, tmp_path / "out")
    card = convert(marian, tmp_path / "out", licence="CC0-1.0", replace=True)
    assert read_card(tmp_path / "out") == card
    other = tmp_path / "photos"
    other.mkdir()
    (other / "one.jpg").touch()
    with pytest.raises(ConfigurationError, match="is no model folder"):
        convert(marian, other, replace=True)
    assert [path.name for path in other.iterdir()] == ["one.jpg"]


def test_weights_that_are_missing_are_not_made_up(marian: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = copy(marian, tmp_path / "opus-mt-en-de")
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layers.0.fc1.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        InputError, match=r"lacks 1 weights of its architecture, such as model\.decoder\.layers\.0\.fc1\.weight"
    ):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_pickle_is_read_only_when_asked_and_then_without_running_code(marian: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = copy(marian, tmp_path / "opus-mt-en-de")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"are a pickle \(pytorch_model\.bin\).*--allow-pickle"):
        convert(folder, tmp_path / "out")
    assert convert(folder, tmp_path / "out", allow_pickle=True).parameters == 8_272

    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
            return Path.touch, (tmp_path / "touched",)

    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Evil()}))
    with pytest.raises(InputError, match="cannot be converted"):
        convert(folder, tmp_path / "evil", allow_pickle=True)
    assert not (tmp_path / "touched").exists()
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no weights"),
        (lambda folder: (folder / "source.spm").unlink(), "cannot be converted|has no source.spm"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json with a model_type"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "llama"}'), "model_type 'llama'"),
        (lambda folder: (folder / "tokenizer_config.json").unlink(), "says the source language"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be converted"),
    ],
)
def test_broken_folders_say_what_is_wrong(marian: Path, tmp_path: Path, spoil: Any, message: str) -> None:
    folder = copy(marian, tmp_path / "broken")
    spoil(folder)
    with pytest.raises(InputError, match=message):
        convert(folder, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_two_vocabularies_are_not_taken_for_one(marian: Path, tmp_path: Path) -> None:
    folder = copy(marian, tmp_path / "two")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tiny_models.write_json(folder / "config.json", {**config, "share_encoder_decoder_embeddings": False})
    with pytest.raises(InputError, match=r"vocabularies of its own.*decoder\.yml"):
        convert(folder, tmp_path / "out")


def test_a_conversion_of_others_has_no_languages(marian: Path, tmp_path: Path) -> None:
    convert(marian, tmp_path / "out")
    (tmp_path / "out" / "evenglot-model.json").unlink()
    with pytest.raises(InputError, match="was converted for CTranslate2 elsewhere"):
        convert(tmp_path / "out", tmp_path / "again")


def test_nllb_is_told_by_its_tokens_whatever_its_tokenizer_is_called(tmp_path: Path) -> None:
    folder = tiny_models.nllb(tmp_path / "it", ["eng_Latn", "ewe_Latn"])
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    tiny_models.write_json(folder / "tokenizer_config.json", settings)
    card = convert(folder, tmp_path / "out")
    assert (card.family, card.languages) == ("nllb", ("eng_Latn", "ewe_Latn"))


def test_packages_that_are_missing_are_named(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("torch", "transformers") else find(name)
    )
    with pytest.raises(
        EvenglotError, match=r"torch and transformers, which are not installed.*evenglot\[train,transformers\]"
    ):
        convert(marian, tmp_path / "out")


def test_importing_the_converter_loads_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.translation.convert\n"
        "heavy = {'torch', 'transformers', 'ctranslate2', 'sentencepiece', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def copy(folder: Path, to: Path) -> Path:
    import shutil

    return Path(shutil.copytree(folder, to))
