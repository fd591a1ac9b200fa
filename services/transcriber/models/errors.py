"""Why there is no model to work with. Both end the process: without a model a transcriber has nothing to do."""

from __future__ import annotations

from pipeline.errors import Fatal


class ModelUnavailable(Fatal):
    """The model is not here and no source gave it; the message names the folder to fill by hand."""


class ModelDamaged(Fatal):
    """A file is not the one it should be; the message names the file and what to do."""


class SourceFailed(Exception):
    """One source could not be used; the next one is tried. Never leaves this package."""
