"""Settings of the measurement of gradient conflict and of gradient surgery. Importing this module loads no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config


class GroupsConfig(Config):
    """Which languages are looked at together."""

    by: Literal["language", "script", "size", "file"] = "script"
    """language: each alone. script: by the last part of the tag. size: classes of equally many languages, by their
    training tokens. file: as a file says."""
    file: str | None = None
    """``file`` only: a JSON object that maps names of groups, for example families, to lists of tags. Languages that
    it does not name are a group of their own, ``others``."""
    most: int = Field(default=8, ge=2)
    """Largest number of groups; beyond it, the groups with the fewest training tokens are joined as ``others``."""

    @model_validator(mode="after")
    def _file_where_needed(self) -> GroupsConfig:
        if (self.by == "file") != (self.file is not None):
            raise ValueError("`file` is needed for `by: file`, and for nothing else")
        return self


class ConflictConfig(Config):
    """How gradient conflict is measured."""

    groups: GroupsConfig = GroupsConfig()
    """The groups of languages whose gradients are compared."""
    every: int = Field(default=50, ge=1)
    """Steps between two measurements."""
    sketch: int = Field(default=128, ge=4)
    """Numbers that the inputs, and the outputs, of each linear layer are projected to; layers that are narrower are
    measured exactly."""
    smoothing: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the running means of the cosines at each measurement."""


class SurgeryConfig(Config):
    """Projection of the gradients of groups of languages before they are added up."""

    kind: Literal["pcgrad", "gradvac"]
    """pcgrad: what opposes another group's gradient is taken out. gradvac: pairs are turned to their usual cosine."""
    groups: GroupsConfig = GroupsConfig()
    """The groups; a gradient of the whole core is held for each."""
    every: int = Field(default=1, ge=1)
    """Steps between two operations; the steps between them are ordinary."""
    parameters: Literal["whole", "by_layer", "by_tensor"] = "whole"
    """What is looked at as one vector: the whole core, each block, or each tensor."""
    rate: float = Field(default=0.01, gt=0, le=1)
    """``gradvac`` only: weight of the newest cosine in the running mean that is aimed at."""
