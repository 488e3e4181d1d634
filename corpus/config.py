"""The base class of every recipe section."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen, validated recipe section.

    Unknown keys are errors: a misspelt setting must never be ignored. Each field carries its own
    ``description``; the recipe reference is generated from them.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
