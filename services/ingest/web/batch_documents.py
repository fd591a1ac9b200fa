"""What the API says of a batch, as documents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.web.models import AcceptedDocument, ProblemDocument


class BatchItemDocument(BaseModel):
    """What became of one recording: either its job or its problem."""

    model_config = ConfigDict(frozen=True)

    index: int = Field(description="Which one, in the order that they were sent, from 0.")
    file_name: str | None = Field(description="As it was sent.")
    job: AcceptedDocument | None
    problem: ProblemDocument | None


class BatchDocument(BaseModel):
    """What became of a batch. `stopped`: why the rest of the request could not be read, if it could not."""

    model_config = ConfigDict(frozen=True)

    accepted: int
    refused: int
    items: list[BatchItemDocument]
    stopped: ProblemDocument | None
