"""Models: which there are, where they come from, and that what lies in the cache is what it should be.

`catalogue` says what can be had (models.toml), `formats` which files make a model, `fetching` and the sources bring them,
`inspection` checks a folder, `library` joins them. The transcriber's composition root and the command line call `resolve`,
`get`, `take`, `verify` and `list_models`.
Nothing here loads a model or reads the environment: the cache folder is handed in.
"""

from __future__ import annotations

from services.transcriber.models.errors import ModelDamaged, ModelUnavailable
from services.transcriber.models.library import (
    Listing,
    Model,
    Verification,
    canonical_name,
    get,
    list_models,
    resolve,
    take,
    verify,
)

__all__ = [
    "Listing",
    "Model",
    "ModelDamaged",
    "ModelUnavailable",
    "Verification",
    "canonical_name",
    "get",
    "list_models",
    "resolve",
    "take",
    "verify",
]
