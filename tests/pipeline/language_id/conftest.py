from __future__ import annotations

from pathlib import Path

import pytest

SENTENCES = {
    "__label__en": "the house stands by the river and the children play in the garden",
    "__label__sw": "nyumba iko karibu na mto na watoto wanacheza kwenye bustani yao",
    "__label__rus_Cyrl": "дом стоит у реки и дети играют в саду возле старого дерева",
    "__label__nothing-1": "zzxq wqxz qqzx xwzq zqqw wxqz xzzq qwwx",
}


@pytest.fixture(scope="session")
def foreign_lines() -> list[str]:
    """Examples with labels as other models have them: ISO 639-1, our form, and one that names nothing."""
    return [
        f"{label} {' '.join(words[start:] + words[:start])}"
        for label, text in SENTENCES.items()
        for words in [text.split()]
        for start in range(len(words))
    ] * 6


@pytest.fixture(scope="session")
def foreign_model(tmp_path_factory: pytest.TempPathFactory, foreign_lines: list[str]) -> Path:
    """A small fastText model with those labels."""
    import fasttext

    folder = tmp_path_factory.mktemp("model")
    (folder / "lines.txt").write_text("\n".join(foreign_lines) + "\n", encoding="utf-8")
    model = fasttext.train_supervised(
        str(folder / "lines.txt"), dim=8, epoch=30, lr=0.5, minn=1, maxn=3, bucket=2_000, thread=1, verbose=0
    )
    path = folder / "foreign.bin"
    model.save_model(str(path))
    return path
