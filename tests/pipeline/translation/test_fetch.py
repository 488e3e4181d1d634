"""Fetching from a hub on this machine: pinned, whole, nothing twice, nothing dangerous."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import CorpusError, InputError
from corpus.lock import exclusive
from corpus.storage import Storage
from pipeline.translation.convert import convert
from pipeline.translation.convert_encoder import convert_encoder
from pipeline.translation.fetch import RemoteFile, chosen, fetch, is_hub_id
from tests.pipeline.translation import tiny_models
from tests.pipeline.translation.fake_hub import COMMIT, Hub, serving

pytest.importorskip("huggingface_hub")
pytest.importorskip("transformers")
MODEL = "me/opus-mt-en-de"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_models.marian(tmp_path_factory.mktemp("hub") / "opus-mt-en-de")
    (folder / "tf_model.h5").write_bytes(b"not wanted")
    (folder / "modeling_mine.py").write_text("raise SystemExit")
    return folder


def test_what_is_needed_is_fetched_and_converts(hub: Hub, marian: Path, tmp_path: Path) -> None:
    hub.add(MODEL, marian)
    seen: list[tuple[int, int]] = []
    found = fetch(MODEL, tmp_path / "downloads", endpoint=hub.address, progress=lambda *at: seen.append(at))
    assert (found.source, found.revision) == (MODEL, COMMIT)
    assert found.folder == tmp_path / "downloads" / f"me--opus-mt-en-de@{COMMIT[:12]}"
    names = files_in(found.folder)
    assert names == [
        "README.md", "config.json", "generation_config.json", "model.safetensors", "source.spm", "target.spm",
        "tokenizer_config.json", "vocab.json",
    ]  # fmt: skip
    assert all((found.folder / name).read_bytes() == (marian / name).read_bytes() for name in names)
    total = sum((marian / name).stat().st_size for name in names)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    card = convert(found.folder, tmp_path / "out", origin=found.source, revision=found.revision)
    assert (card.name, card.source, card.revision, card.licence) == ("opus-mt-en-de", MODEL, COMMIT, "apache-2.0")

    asked = len(hub.asked)
    fetch(MODEL, tmp_path / "downloads", endpoint=hub.address, revision="main")
    assert len(hub.asked) == asked


def test_a_fetch_that_was_killed_goes_on_where_its_bytes_end(hub: Hub, marian: Path, tmp_path: Path) -> None:
    hub.add(MODEL, marian)
    hub.stall_after = 20_000
    downloads = tmp_path / "downloads"
    code = "from pathlib import Path; import huggingface_hub.constants as hub; hub.DOWNLOAD_CHUNK_SIZE = 4096; "
    code += "from pipeline.translation.fetch import fetch; "
    code += f"fetch({MODEL!r}, Path({str(downloads)!r}), endpoint={hub.address!r})"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    part = downloads / f"me--opus-mt-en-de@{COMMIT[:12]}" / "model.safetensors.part"
    try:
        deadline = time.monotonic() + 30
        while not (part.is_file() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait(10)
    have = part.stat().st_size
    assert 0 < have <= 20_000
    hub.stall_after = None
    hub.asked.clear()
    found = fetch(MODEL, downloads, endpoint=hub.address)
    assert ("model.safetensors", f"bytes={have}-") in hub.asked
    assert (found.folder / "model.safetensors").read_bytes() == (marian / "model.safetensors").read_bytes()
    assert not part.exists()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_two_do_not_fetch_one_model_at_once(hub: Hub, marian: Path, tmp_path: Path) -> None:
    hub.add(MODEL, marian)
    with (
        exclusive(Storage(tmp_path / f"me--opus-mt-en-de@{COMMIT[:12]}")),
        pytest.raises(CorpusError, match="another run is writing to"),
    ):
        fetch(MODEL, tmp_path, endpoint=hub.address)
    assert hub.asked == []
    assert fetch(MODEL, tmp_path, endpoint=hub.address).revision == COMMIT


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_differs_from_its_hash_is_not_kept(hub: Hub, marian: Path, tmp_path: Path, name: str) -> None:
    hub.add(MODEL, marian)
    hub.spoilt.add(name)
    with pytest.raises(InputError, match=f"{name} of {MODEL} did not arrive as the hub has it"):
        fetch(MODEL, tmp_path, endpoint=hub.address)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(name)]
    hub.spoilt.clear()
    assert (fetch(MODEL, tmp_path, endpoint=hub.address).folder / name).read_bytes() == (marian / name).read_bytes()


def test_a_model_of_ours_is_fetched_as_it_is(hub: Hub, marian: Path, tmp_path: Path) -> None:
    card = convert(marian, tmp_path / "converted")
    (tmp_path / "converted" / "extra.py").write_text("raise SystemExit")
    hub.add("me/converted", tmp_path / "converted")
    found = fetch("me/converted", tmp_path / "downloads", endpoint=hub.address)
    assert files_in(found.folder) == sorted([*card.files, "evenglot-model.json"])


def test_an_encoder_comes_with_what_is_noted_of_its_pooling(hub: Hub, tmp_path: Path) -> None:
    folder = tiny_models.encoder(tmp_path / "labse", "bert")
    (folder / "1_Pooling").mkdir()
    tiny_models.write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"not wanted")
    hub.add("me/labse", folder)
    found = fetch("me/labse", tmp_path / "downloads", endpoint=hub.address)
    assert not (found.folder / "onnx").exists()
    assert convert_encoder(found.folder, tmp_path / "out", origin="me/labse").pooling == "cls"


def test_a_card_cannot_lead_out_of_the_folder(hub: Hub, tmp_path: Path) -> None:
    hub.models["me/evil"] = {"evenglot-model.json": b'{"files": {"../../outside": "00"}}', "../../outside": b"evil"}
    with pytest.raises(InputError, match=r"names the file '\.\./\.\./outside'"):
        fetch("me/evil", tmp_path / "downloads", endpoint=hub.address)
    assert not (tmp_path / "outside").exists()


def test_pickles_are_refused_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.models[MODEL] = {"config.json": b"{}", "pytorch_model.bin": b"pickle"}
    with pytest.raises(InputError, match=r"pickle \(pytorch_model\.bin\).*refs/pr/N.*--allow-pickle"):
        fetch(MODEL, tmp_path, endpoint=hub.address)
    assert hub.asked == []
    found = fetch(MODEL, tmp_path, endpoint=hub.address, allow_pickle=True)
    assert [file.name for file in found.files] == ["config.json", "pytorch_model.bin"]


def test_the_safest_weights_are_chosen_once() -> None:
    def names(*given: str) -> list[str]:
        listed = [RemoteFile(name, 1, None, "0") for name in given]
        return [file.name for file in chosen("me/it", listed, allow_pickle=True)]

    both = ("config.json", "model.safetensors", "pytorch_model.bin", "pytorch_model.bin.index.json")
    assert names(*both) == ["config.json", "model.safetensors"]
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json")
    assert names(*shards) == list(shards)
    assert names("model.safetensors", *shards) == ["model.safetensors", "model.safetensors.index.json"]
    for given in (("config.json",), ("model.bin", "shared_vocabulary.json"), ("decoder.yml", "model.npz")):
        with pytest.raises(InputError, match="has no weights of transformers"):
            names(*given)


@pytest.mark.parametrize(
    ("model", "revision", "message"),
    [
        ("me/none", None, r"the hub has no model me/none, or it is private.*HF_TOKEN"),
        (MODEL, "v9", r"has no revision 'v9'"),
        ("no-owner", None, "is no folder and no hub id"),
    ],
)
def test_what_is_not_there_is_said(
    hub: Hub, marian: Path, tmp_path: Path, model: str, revision: str | None, message: str
) -> None:
    hub.add(MODEL, marian)
    with pytest.raises(InputError, match=message):
        fetch(model, tmp_path, revision=revision, endpoint=hub.address)


def test_without_a_connection_the_way_out_is_named(tmp_path: Path) -> None:
    with serving() as hub:
        gone = hub.address
    with pytest.raises(InputError, match=r"cannot be fetched: .*evenglot models convert FOLDER"):
        fetch(MODEL, tmp_path, endpoint=gone)


def test_hub_ids() -> None:
    assert is_hub_id("Helsinki-NLP/opus-mt-en-de")
    assert not any(is_hub_id(name) for name in ("./a/b", "a/b/c", "/a/b", "one", "../b", "tests/pipeline"))
