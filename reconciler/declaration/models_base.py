"""What all models of the file share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """The common rules: an unknown key is an error, nothing is converted, nothing changes afterwards.

    Only the model of a whole file is ever asked, so that the others need not be made ready for it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True)
