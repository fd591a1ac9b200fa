"""The door to huggingface_hub: a program that brings one repository and prints the snapshot's folder.

Started by `hub` as a child, so that a download can be ended and watched; imports nothing of ours.

    hub_client.py REPOSITORY REVISION CACHE_FOLDER FILE_PATTERN...     (an empty REVISION is the newest)
"""

from __future__ import annotations

import sys

import huggingface_hub


def main(arguments: list[str]) -> None:
    """Bring the files and print where they lie."""
    repository, revision, cache_folder, *patterns = arguments
    print(  # noqa: T201  the answer to whoever started us
        huggingface_hub.snapshot_download(
            repository, revision=revision or None, cache_dir=cache_folder, allow_patterns=patterns
        )
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (
        OSError,
        ValueError,
    ) as error:  # what huggingface_hub documents: no network, no such repository, no such revision
        sys.exit(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}")
