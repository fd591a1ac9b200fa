"""How a store is reached, besides its address. Built by `settings.StoreSettings`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.errors import Fatal

Cipher = Literal["", "AES256", "aws:kms"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to the store."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Encryption:
    """What the store is asked to encrypt our objects with.

    Attributes:
        cipher: S3's name for it; empty: whatever the bucket says.
        key_id: The KMS key; empty: the store's default one.
    """

    cipher: Cipher = ""
    key_id: str = ""

    @classmethod
    def parse(cls, text: str) -> Encryption:
        """`none`, `sse-s3`, `sse-kms` or `sse-kms:KEY_ID`.

        Raises:
            Fatal: It is none of these.
        """
        kind, _, key_id = text.partition(":")
        if text == "none":
            return cls()
        if text == "sse-s3":
            return cls("AES256")
        if kind == "sse-kms":
            return cls("aws:kms", key_id)
        raise Fatal("store_encryption must be none, sse-s3, sse-kms or sse-kms:KEY_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """What an S3 store is told; a folder needs none of it.

    Attributes:
        credentials: Of this service; None: the store is asked without.
        encryption: See `Encryption`.
        ca_file: PEM of the store's authority; None: the system's.
        connections: Kept open at most; more are opened when needed and closed after use.
        connect_timeout_s: Until a connection stands.
        read_timeout_s: Between two pieces of an answer.
        attempts: How often a request is sent at most when the store fails.
        scratch_dir: Where copies and parts of uploads lie; None: the system's temporary folder.
    """

    credentials: Credentials | None = None
    encryption: Encryption = Encryption()
    ca_file: Path | None = None
    connections: int = 32
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 15.0
    attempts: int = 3
    scratch_dir: Path | None = None
