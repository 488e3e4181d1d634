"""Rows of tokens in plain Python and NumPy: no torch is imported.

    python examples/iterate_rows.py demo-output/corpus

`demo-output/corpus` is what `evenglot demo` leaves; any corpus that went through `evenglot tokenize` will do.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from sampler import CurriculumStream, SamplerConfig


def main(arguments: list[str] | None = None) -> None:
    """Read some rows, change the mixture, save the state and go on from it."""
    parser = argparse.ArgumentParser(description="Read rows of a tokenised corpus with NumPy.")
    parser.add_argument("corpus", help="folder or URL of the corpus")
    parser.add_argument("--tokenizer", default="spm", help="its name in the corpus")
    parser.add_argument("--rows", type=int, default=512, help="rows to read before and after the state is saved")
    options = parser.parse_args(arguments)
    config = SamplerConfig(row_tokens=128, mixture="temperature", block_rows=64)
    stream = CurriculumStream(options.corpus, tokenizer=options.tokenizer, config=config, seed=0)

    print("The first rows, and how many tokens each document has in them:")
    batch = stream.rows(range(4))
    for row, (segments, language) in enumerate(zip(batch.segments, batch.languages, strict=True)):
        print(f"  row {row}  {stream.languages[language]}  {np.bincount(segments).tolist()}")

    for _ in stream.iterate(stop=options.rows):
        pass  # one Row after the other: tokens, segments, positions, language
    largest = max(stream.sizes, key=lambda lang: stream.sizes[lang])
    block = stream.set_mixture({**dict.fromkeys(stream.languages, 1.0), largest: 0.0}, reason=f"enough of {largest}")
    print(f"From row {block * config.block_rows} on there is no more {largest}.")

    state = json.dumps(stream.state())
    print(f"The state has {len(state):,} bytes.")
    again = CurriculumStream(options.corpus, tokenizer=options.tokenizer, config=config, seed=0)
    again.load_state(json.loads(state))
    for ours, theirs in zip(stream.iterate(stop=2 * options.rows), again.iterate(stop=2 * options.rows), strict=True):
        assert np.array_equal(ours.tokens, theirs.tokens)

    print("Asked for, got, passes over the language's text:")
    for lang, got in again.realised().items():
        print(f"  {lang}  {got.asked:7.2%}  {got.share:7.2%}  {got.passes:6.2f}")


if __name__ == "__main__":
    main()
