"""Which lines are boilerplate: sites of a few kinds, each with the lines that must and must not be found."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.count import count, join
from pipeline.boilerplate.lines import find_lines
from pipeline.boilerplate.select import (
    SELECTED,
    anywhere,
    removal_keys,
    select,
    selected_batch,
    selected_rows,
)

DEFAULT = BoilerplateConfig()


def found(
    documents: list[str], config: BoilerplateConfig = DEFAULT, sites: list[int] | None = None
) -> dict[tuple[int, str], tuple[int, int]]:
    """(site, line) -> (pages, of all pages of the site)."""
    lines = find_lines(pa.array(documents, pa.string()))
    texts = {
        key: documents[d].split("\n")[n].strip()
        for d, n, key in zip(*map(np.ndarray.tolist, (lines.document, lines.number, lines.key)), strict=True)
    }
    counts = join([count(np.array(sites or [1] * len(documents), np.uint64), lines)], config.sample)
    return {
        (int(row["site"]), texts[int(row["line"])]): (int(row["pages"]), int(row["of"]))
        for row in select(counts, config)
    }


def pages(number: int, first: int = 0) -> list[str]:
    """Pages with two lines of their own."""
    return [f"The story of page {n} begins here.\nAnd it ends, as page {n} must." for n in range(first, first + number)]


def test_lines_of_enough_pages_are_found_with_their_numbers() -> None:
    texts = [f"Home | About\n{text}\n© 2020" if n < 6 else text for n, text in enumerate(pages(8))]
    texts[7] += "\nHome | About"
    assert found(texts) == {(1, "Home | About"): (7, 8), (1, "© 2020"): (6, 8)}


@pytest.mark.parametrize(("with_line", "of", "is_found"), [(4, 4, False), (5, 5, True), (5, 20, True), (5, 21, False)])
def test_least_number_and_share_of_pages(with_line: int, of: int, is_found: bool) -> None:
    texts = [text + "\nRead more" if n < with_line else text for n, text in enumerate(pages(of))]
    assert found(texts) == ({(1, "Read more"): (with_line, of)} if is_found else {})


def test_copies_of_a_page_count_once_also_with_another_beginning_or_end() -> None:
    story = "A long line that only this story has, and no other page of the site.\nShort line.\nThe end of it."
    copies = [f"Copy {n} from the archive\n{story}" for n in range(10)] + [story] * 5
    assert found([*copies, *pages(20)]) == {}
    assert found([*copies, *(text + "\nShort line." for text in pages(20))]) == {(1, "Short line."): (21, 21)}


def test_page_of_nothing_but_common_lines_counts_neither_way() -> None:
    framed = [f"Home\n{text}" for text in pages(6)]
    assert found([*framed, "Home", "Home\nHome"]) == {(1, "Home"): (6, 6)}


def test_paragraph_needs_more_pages_and_one_too_long_is_never_found() -> None:
    notice, licence = "Cookies. " * 40, "Licence. " * 300

    def site(with_line: int, of: int, line: str) -> list[str]:
        own = [text + " " + "Own words. " * 400 for text in pages(of)]
        return [f"{line}\n{text}" if n < with_line else text for n, text in enumerate(own)]

    assert found(site(9, 9, notice)) == {}
    assert found(site(10, 20, notice)) == {(1, notice.strip()): (10, 20)}
    assert found(site(10, 21, notice)) == {}
    assert found(site(20, 20, licence)) == {}


def test_refrains_and_headings_of_some_of_many_books_stay() -> None:
    books = [f"{'CHAPTER I' if n % 5 == 0 else f'CHAPTER {n}'}\n{text}\n" for n, text in enumerate(pages(100))]
    refrain = [f"Fa la la\nverse {n} of a song\nFa la la\nverse again {n}\nFa la la" for n in range(10)]
    assert found([*books, *refrain]) == {}


def test_line_repeated_within_a_document_counts_once() -> None:
    texts = pages(20)
    texts[:4] = [f"Yes.\n{text}\nYes.\nYes." for text in texts[:4]]
    assert found(texts) == {}


def test_sites_do_not_count_for_each_other() -> None:
    texts = [f"Menu\n{text}" for text in pages(8)]
    assert found(texts, sites=[1] * 4 + [2] * 4) == {}
    assert found(texts * 1 + pages(8, 8), sites=[1] * 2 + [2] * 6 + [1] * 8) == {(2, "Menu"): (6, 6)}


def test_sample_estimates_the_shares_of_a_large_site() -> None:
    texts = [text + "\nRead more" if n % 2 else text for n, text in enumerate(pages(2000))]
    ((key, (with_line, of)),) = found(texts, BoilerplateConfig(sample=400)).items()
    assert key == (1, "Read more")
    assert of == 400
    assert 160 < with_line < 240


def test_no_document_and_no_line() -> None:
    assert found([]) == {}
    assert found(["", " \n"]) == {}


def selected(rows: list[tuple[int, int, int]]) -> np.ndarray:
    result = np.zeros(len(rows), SELECTED)
    for place, (line, site, size) in enumerate(rows):
        result[place] = (line, site, 5, 5, size)
    return result


def test_line_of_enough_sites_is_removed_anywhere_unless_it_is_a_paragraph() -> None:
    rows = selected([(7, 1, 20), (7, 2, 20), (7, 3, 20), (8, 1, 20), (8, 2, 20), (9, 1, 900), (9, 2, 900), (9, 3, 900)])
    shared = anywhere(np.array([7], np.uint64))[0]
    keys = removal_keys([rows[:4], rows[4:]], DEFAULT)
    assert len(keys) == 9
    assert keys.tolist() == sorted(keys.tolist())
    assert shared in keys
    assert anywhere(np.array([8], np.uint64))[0] not in keys
    assert len(removal_keys([rows], BoilerplateConfig(min_sites=0))) == 8
    assert len(removal_keys([rows], BoilerplateConfig(min_sites=2))) == 10
    assert removal_keys([], DEFAULT).tolist() == []


def test_rows_come_back_from_columns() -> None:
    rows = selected([(7, 1, 20), (1 << 63, 2, 30)])
    assert selected_rows(pa.Table.from_batches([selected_batch(rows)])).tolist() == rows.tolist()
