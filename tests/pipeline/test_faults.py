"""SIGKILL, to a run or to one of its workers, at any moment: it resumes and ends with the bytes of an undisturbed one.

What counts as repeated is seen from outside: a file of the work folder that was whole when the run was killed, and is
written again when it resumes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from corpus.hashing import stable_hash
from corpus.manifest import current_number
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig

PARTS: Final = 8
TEXTS_PER_LANGUAGE: Final = 8
CONFIG: Final = PrepareConfig.model_validate({"batch_bytes": 1 << 15, "runner": {"rows_worth_workers": 0}})
SCRIPT: Final = """
import sys
from pathlib import Path
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
config = PrepareConfig.model_validate_json(sys.argv[3])
prepare([InputConfig(path=sys.argv[1], name="in")], sys.argv[2], config, workers=int(sys.argv[4]))
"""


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed."""

    pattern: str
    tree: dict[str, str]
    files: int
    """Files that were seen to appear from its beginning to its end, those that went again included."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Real text in twenty languages and scripts, in several files, with copies and shared lines."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "in").mkdir()
    texts = sorted(path for path in files("evenglot.demo").joinpath("texts").iterdir() if path.name.endswith(".txt"))
    for part in range(PARTS):
        lines = []
        for path in texts:
            lang = path.name.removesuffix(".txt")
            for number, text in enumerate(path.read_text(encoding="utf-8").split("\n")[:TEXTS_PER_LANGUAGE]):
                url = f"https://{lang[:3]}.example/{number}/{part}"
                body = f"Home | News | Contact\n{text}\n{part}: {text[: 40 + 7 * part]}"
                lines.append({"id": f"{lang}-{number}-{part}", "lang": lang, "url": url, "text": body})
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / "in" / f"part-{part:02d}.jsonl").write_text(content + '{"text": "cut\n', encoding="utf-8")
    pattern = f"{folder}/in/*.jsonl"
    seen: set[str] = set()
    with started_run(pattern, folder / "corpus", 1) as process:
        while process.poll() is None:
            seen |= whole_files(folder / "corpus")
            time.sleep(0.002)
        assert process.returncode == 0
    return Undisturbed(pattern, tree(folder / "corpus"), len(seen))


@contextmanager
def started_run(pattern: str, root: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-c", SCRIPT, pattern, str(root), CONFIG.model_dump_json(), str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def tree(root: Path) -> dict[str, str]:
    """Hash of every file but those that belong to one run alone."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }


def work_files(root: Path) -> set[str]:
    """Whole files in the work folder, by ``folder/name``."""
    return {
        str(path.relative_to(work))
        for work in (root / ".work").glob("[0-9a-f]*")
        for path in work.rglob("*")
        if path.is_file() and not path.name.endswith(".part")
    }


def whole_files(root: Path) -> set[str]:
    """Every file of the corpus and of its work folder, but those being written."""
    return {
        str(Path(folder, name))
        for folder, _, names in os.walk(root)
        for name in names
        if not name.endswith(".part") and name != "lock"
    }


def workers_of(process: int) -> list[int]:
    """Processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process:
                found.append(int(entry.name))
    return sorted(found)


def resume(pattern: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Run to the end, in this process; gives the files of the work folder it wrote."""
    written: Counter[str] = Counter()
    create = Storage.create

    def recorded(self: Storage, name: str) -> object:
        if ".work/" in self.root:
            written[name] += 1
        return create(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "create", recorded)
        prepare([InputConfig(path=pattern, name="in")], str(root), CONFIG, workers=1)
    return written


def split_of(name: str) -> str:
    """The input file that a file of the work folder comes from, where its name says so: a number and a hash."""
    return name.rpartition("/")[2].split(".")[0][:23]


def check_repeated(before: set[str], written: Counter[str]) -> dict[str, int]:
    """What was whole and is written again: at most the input file that was being read in each phase, and the
    comparison, whose decisions rest on all pieces; gives the number of repeated files in each folder."""
    assert max(written.values(), default=1) == 1, "nothing is written twice within a run"
    again = before & set(written)
    finished = {(name.split("/")[0], split_of(name)) for name in before if name.endswith(".done.json")}
    for folder in ("read", "staged"):
        repeated = {split_of(name) for name in again if name.startswith(f"{folder}/")}
        assert not any((folder, split) in finished for split in repeated), f"a finished file was repeated: {repeated}"
        assert len(repeated) <= 1, f"one worker has one file under way: {repeated}"
    for folder in ("lines", "written", "index"):
        assert not any(name.startswith(f"{folder}/") for name in again), f"{folder} was finished"
    return dict(Counter(name.split("/")[0] for name in again))


def kill_when(process: subprocess.Popen[bytes], moment: Callable[[], bool], victim: Callable[[], int | None]) -> bool:
    """Kill once the moment has come; False when the run ended before."""
    while process.poll() is None:
        if moment() and (target := victim()) is not None:
            os.kill(target, signal.SIGKILL)
            return True
        time.sleep(0.002)
    return False


@pytest.mark.parametrize("phase", ["half the files read", pytest.param("comparing", marks=pytest.mark.slow)])
def test_killed_run_resumes_to_the_same_bytes_and_repeats_no_finished_file(
    phase: str, undisturbed: Undisturbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "corpus"
    enough = {
        "half the files read": lambda: sum(n.endswith(".done.json") for n in work_files(root)) >= PARTS // 2,
        "comparing": lambda: any(n.startswith("match/") for n in work_files(root)),
    }
    with started_run(undisturbed.pattern, root, 1) as process:
        assert kill_when(process, enough[phase], lambda: process.pid), "the run ended before it could be killed"
    assert current_number(Storage(str(root))) is None
    before = work_files(root)
    written = resume(undisturbed.pattern, root, monkeypatch)
    repeated = check_repeated(before, written)
    assert sum(repeated.values()) < len(before) / 2 or phase == "comparing"
    assert tree(root) == undisturbed.tree


def test_run_goes_on_by_itself_when_one_worker_is_killed(undisturbed: Undisturbed, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    with started_run(undisturbed.pattern, root, 2) as process:

        def a_file_is_read() -> bool:
            return any(name.endswith(".done.json") for name in work_files(root))

        def one_worker() -> int | None:
            found = workers_of(process.pid)
            return found[-1] if len(found) == 2 else None

        assert kill_when(process, a_file_is_read, one_worker), "the run ended before a worker could be killed"
        assert process.wait(timeout=120) == 0
    assert json.loads((root / "runs" / "000001.json").read_text())["restarts"] == 1
    assert tree(root) == undisturbed.tree


def test_workers_end_with_a_killed_run(undisturbed: Undisturbed, tmp_path: Path) -> None:
    with started_run(undisturbed.pattern, tmp_path / "corpus", 2) as process:
        found: list[int] = []
        while len(found) < 2 and process.poll() is None:
            found = workers_of(process.pid)
            time.sleep(0.01)
        assert len(found) == 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in found):
        assert time.monotonic() < deadline, "a worker outlives its run"
        time.sleep(0.1)


MOMENTS: Final = 20


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MOMENTS))
def test_kill_at_a_random_moment(
    number: int,
    undisturbed: Undisturbed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Of twenty moments chosen by hash, as shares of all files that a run writes: ten kill the run, five a run with
    two workers, five one of two workers. What was repeated is printed (``pytest -s``) and checked."""
    share = stable_hash("moment", number) / 2**64
    kind = "run" if number < MOMENTS // 2 else "run of two workers" if number < MOMENTS * 3 // 4 else "one worker"
    workers = 1 if kind == "run" else 2
    root = tmp_path / "corpus"
    seen: set[str] = set()

    def has_come() -> bool:
        seen.update(whole_files(root))
        return len(seen) >= share * undisturbed.files

    with started_run(undisturbed.pattern, root, workers) as process:

        def victim() -> int | None:
            found = workers_of(process.pid)
            return process.pid if kind != "one worker" else found[number % len(found)] if found else None

        killed = kill_when(process, has_come, victim)
        if kind == "one worker":
            assert process.wait(timeout=300) == 0, "it goes on by itself"
            before, written = set[str](), Counter[str]()
        else:
            process.wait()
    if kind != "one worker":
        before = work_files(root)
        written = resume(undisturbed.pattern, root, monkeypatch)
    repeated = (
        check_repeated(before, written)
        if workers == 1
        else dict(Counter(n.split("/")[0] for n in before & set(written)))
    )
    there = dict(Counter(name.split("/")[0] for name in before))
    print(f"\n{number:2} {kind} at {share:.0%}, killed {killed}: there {there}, repeated {repeated}")
    record_property("repeated", repeated)
    assert tree(root) == undisturbed.tree
