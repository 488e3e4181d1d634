"""The page as a whole: one file, nothing fetched, nothing executed, everything escaped."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from corpus.errors import CorpusError, EvenglotError
from evenglot.report.build import build_report, visible
from evenglot.report.config import ReportConfig

VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def small_page(small_corpus: Path, small_runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = build_report(str(small_corpus), small_runs, str(tmp_path_factory.mktemp("out") / "small.html"))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def large_page(large_corpus: Path, large_runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = build_report(str(large_corpus), large_runs, str(tmp_path_factory.mktemp("out") / "large.html"))
    return path.read_text(encoding="utf-8")


def test_elements_are_balanced_and_ids_unique(small_page: str, large_page: str) -> None:
    for text in (small_page, large_page):
        page = Page(text)
        assert page.open == []
        assert len(page.ids) == len(set(page.ids))


def test_nothing_is_fetched_or_linked(small_page: str) -> None:
    for tag, name, value in Page(small_page).attributes:
        assert tag not in {"a", "use"} or name != "href" or value.startswith("#")
        assert name not in {"src", "srcset", "action", "formaction", "background", "poster", "data"}
        assert not name.startswith("on")
    style = small_page[small_page.index("<style>") : small_page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_links_lead_somewhere(large_page: str) -> None:
    page = Page(large_page)
    targets = {value[1:] for _, name, value in page.attributes if name == "href"}
    assert targets <= set(page.ids)
    assert "funnel" in targets


def test_hostile_text_stays_text(small_page: str) -> None:
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in small_page
    assert small_page.count("<script") == 1
    assert "<img" not in small_page
    assert not re.search(r"""href\s*=\s*["']?\s*javascript:""", small_page, re.IGNORECASE)
    assert "javascript:alert(3)" in small_page  # shown as the document's address, as text


def test_only_our_script_may_run(small_page: str) -> None:
    script = re.search(r"<script>(.*?)</script>", small_page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', small_page)
    assert script
    assert policy
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    allowed = policy[1].replace("&#39;", "'")
    assert f"script-src 'sha256-{digest}'" in allowed
    assert "default-src 'none'" in allowed


def test_right_to_left_text_is_marked(small_page: str) -> None:
    assert re.search(r'<blockquote dir="auto" lang="arb-Arab">[^<]*ارتفع', small_page)
    assert re.search(r'<blockquote dir="auto" lang="he">[^<]*הנהר', small_page)


def test_warnings_come_before_the_first_number(small_page: str) -> None:
    assert small_page.index("stage pii matched nothing") < small_page.index('id="overview"')


def test_ledger_is_shown_and_closes(small_page: str) -> None:
    assert "the ledger closes" in small_page
    assert "DOES NOT CLOSE" not in small_page


def test_every_section_is_there(large_page: str) -> None:
    found = re.findall(r'<section id="(\w+)"', large_page)
    assert found == [
        "overview", "funnel", "removed", "balance", "sampled", "bits", "curves", "gap", "penalties", "speed",
        "samples", "duplicates", "boilerplate", "evaluation", "identification", "mixed", "thresholds", "tokens",
        "times", "unreadable", "provenance",
    ]  # fmt: skip


def test_sections_without_data_name_the_command(tmp_path: Path, fixtures: ModuleType) -> None:
    fixtures.make_corpus(tmp_path / "corpus", fixtures.FEW, tokenized=False, hostile=False)
    page = build_report(str(tmp_path / "corpus"), [], str(tmp_path)).read_text(encoding="utf-8")
    assert f"evenglot tokenize --corpus {tmp_path}/corpus" in page
    assert f"evenglot train --corpus {tmp_path}/corpus --run RUN" in page
    assert 'id="bits"' not in page
    assert 'class="warnings"' not in page


def test_same_input_same_bytes(small_corpus: Path, small_runs: list[str], tmp_path: Path) -> None:
    first = build_report(str(small_corpus), small_runs, str(tmp_path / "a.html")).read_bytes()
    assert first == build_report(str(small_corpus), small_runs, str(tmp_path / "b.html")).read_bytes()


def test_size_with_three_hundred_languages(tmp_path: Path, fixtures: ModuleType) -> None:
    letters = "abcdefghijklmnop"
    languages = [*fixtures.MANY, *(f"q{a}{b}_Latn" for a in letters for b in letters)][:300]
    fixtures.make_corpus(tmp_path / "corpus", languages, most=20)
    runs = [str(fixtures.make_run(tmp_path / name, languages, name)) for name in ("proportional", "unimax")]
    path = build_report(str(tmp_path / "corpus"), runs, str(tmp_path / "report.html"))
    assert path.stat().st_size < 2_500_000
    assert Page(path.read_text(encoding="utf-8")).open == []


def test_output_may_be_a_folder(small_corpus: Path, tmp_path: Path) -> None:
    assert build_report(str(small_corpus), [], str(tmp_path / "new")) == tmp_path / "new" / "report.html"


def test_an_unwritable_place_is_one_clear_error(small_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EvenglotError, match="a file is where a folder should be"):
        build_report(str(small_corpus), [], str(tmp_path / "file" / "report.html"))
    with pytest.raises(CorpusError):
        build_report(str(tmp_path), [], str(tmp_path / "report.html"))


def test_title_and_paths_are_escaped(small_corpus: Path, tmp_path: Path) -> None:
    config = ReportConfig(title="<b>mine</b>")
    page = build_report(str(small_corpus), [], str(tmp_path / "r.html"), config).read_text(encoding="utf-8")
    assert "<title>&lt;b&gt;mine&lt;/b&gt;</title>" in page


def test_control_characters_become_visible() -> None:
    assert visible("a\x00b\x1bc\x7f\td\n") == "a\u2400b\u241bc\u2421\td\n"


@pytest.fixture(scope="module")
def fixtures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_fixtures", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
