"""Where glossaries are kept: by ingest's settings (`INGEST_*`), or in the folder of `razgovor up`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.blobs.ports import BlobStore
from razgovor.stack.layout import StackFolder
from services.ingest.settings import GlossarySettings

_STORE_URL: Final = "INGEST_STORE_URL"


class Access:
    """The store, found when it is asked for.

    Args:
        environment: The process's.
        data: The folder of a running `razgovor up`, where the environment says nothing.
    """

    def __init__(self, environment: Mapping[str, str], data: Path) -> None:
        self._deployed = _STORE_URL in environment
        self._folder = StackFolder(data.absolute())

    def store(self) -> BlobStore:
        """Where glossaries are kept.

        Raises:
            Fatal: There is no such store.
        """
        if not self._deployed:
            return store_at(self._folder.store.as_uri())
        settings = service.load(GlossarySettings)
        return store_at(settings.store_url, settings.store_options)
