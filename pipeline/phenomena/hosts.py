"""Which passage a sentence is inserted into: of a few by hash, the one that is nearest to it in its words."""

from __future__ import annotations

from typing import Final

from corpus.hashing import stable_hash
from pipeline.phenomena.choose import Passage, Room
from pipeline.phenomena.compose import Block
from pipeline.phenomena.topics import sketches

CHOICE: Final = 8
"""Hosts compared for each sentence."""


def with_hosts(blocks: list[Block], hosts: list[Passage], room: Room, seed: int) -> tuple[list[Block], list[Block]]:
    """Give each carrier a host of another document.

    Args:
        blocks: carriers alone.
        hosts: to choose from.
        room: what may be added; hosts are taken from it.
        seed: another one gives other hosts.

    Returns:
        blocks with hosts, and those for which there was none.
    """
    if not hosts:
        return [], blocks
    about = sketches([block.carrier.text for block in blocks])
    topics = sketches([host.text for host in hosts])
    found, alone = [], []
    for number, block in enumerate(blocks):
        begin = stable_hash("host", block.carrier.order, block.use, seed=seed)
        own = set(block.carrier.sentences)
        near: list[int] = []
        for step in range(len(hosts)):
            place = (begin + step) % len(hosts)
            host = hosts[place]
            if host.document == block.carrier.document or not own.isdisjoint(host.sentences):
                continue
            if room.used_up(host) or room.above(host):
                continue
            near.append(place)
            if len(near) == CHOICE:
                break
        if not near:
            alone.append(block)
            continue
        likeness = topics[near] @ about[number]
        host = hosts[near[int(likeness.argmax())]]
        room.take(host)
        found.append(Block(block.carrier, block.use, host))
    return found, alone
