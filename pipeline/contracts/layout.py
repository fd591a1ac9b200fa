"""Where a job's objects lie in the store. Keys are immutable: what is derived carries the hash it was derived from.

jobs/{job}/audio                                      the recording, as it came
jobs/{job}/call.json                                  who and when (names people: never in events)
jobs/{job}/{run}/{transcript_sha256}/transcript.json  the canonical transcript
jobs/{job}/{run}/{transcript_sha256}/call.{format}    the artefacts made from it
jobs/{job}/{run}/start-{n}                            the n-th time a transcriber began on the run
jobs/{job}/{run}/start-{n}.released                   that start is over, and it was no crash
jobs/{job}/{run}/start-{n}.alive-{k}                  whoever began still works, though the call is another's now
jobs/{job}/{run}/canceled                             the work on this run is called off: canceled, or its job erased
control/fuse-{group}                                  that consumer group puts too much aside and rests: when, and why
control/janitor                                       tells the janitor the store's own time
control/canary-{group}                                what the group writes and reads to see whether the store works
control/glossaries/{client}/{id}/glossary.json        terms that an engine is told before a client's calls
control/glossaries/{client}/{id}/check-{model}        this glossary passed its check with the model of this hash
"""

from __future__ import annotations

TRANSCRIPT_NAME = "transcript.json"
#: All jobs lie under this prefix.
JOBS_PREFIX = "jobs/"
#: Put by the janitor before it looks for orphans: when it came to be is the store's own time.
JANITOR_KEY = "control/janitor"
START_NAME = "start-"
RELEASED_SUFFIX = ".released"
ALIVE_SUFFIX = ".alive-"
#: Within a run's prefix: nobody may put or publish anything for the run any more.
CALLED_OFF_NAME = "canceled"


def job_prefix(job_id: str) -> str:
    """Everything of a job lies under this prefix."""
    return f"jobs/{job_id}/"


def audio_key(job_id: str) -> str:
    """The recording, as it came."""
    return f"jobs/{job_id}/audio"


def call_info_key(job_id: str) -> str:
    """What names people about the call."""
    return f"jobs/{job_id}/call.json"


def run_prefix(job_id: str, run: int) -> str:
    """Everything that one run made."""
    return f"jobs/{job_id}/{run}/"


def transcript_key(job_id: str, run: int, transcript_sha256: str) -> str:
    """The canonical transcript with this hash."""
    return f"{run_prefix(job_id, run)}{transcript_sha256}/{TRANSCRIPT_NAME}"


def artefact_key(job_id: str, run: int, transcript_sha256: str, artefact_format: str) -> str:
    """The artefact of this format made from that transcript."""
    return f"{run_prefix(job_id, run)}{transcript_sha256}/call.{artefact_format}"


def start_key(job_id: str, run: int, number: int) -> str:
    """The marker of a transcriber's start on a run, counted from 1."""
    return f"{run_prefix(job_id, run)}{START_NAME}{number}"


def start_released_key(job_id: str, run: int, number: int) -> str:
    """That start is over: drained, handed over, or ended in a failure that has a name."""
    return f"{start_key(job_id, run, number)}{RELEASED_SUFFIX}"


def start_alive_key(job_id: str, run: int, number: int, beat: int) -> str:
    """A sign of life of a start whose partition went to another worker, counted from 1."""
    return f"{start_key(job_id, run, number)}{ALIVE_SUFFIX}{beat}"


def called_off_key(job_id: str, run: int) -> str:
    """The marker of a run that was canceled, or whose job was erased. Put by ingest alone."""
    return f"{run_prefix(job_id, run)}{CALLED_OFF_NAME}"


def fuse_key(group: str) -> str:
    """The marker of a consumer group whose fuse has blown."""
    return f"control/fuse-{group}"


def canary_key(group: str) -> str:
    """What a consumer group writes and reads to see whether the store works."""
    return f"control/canary-{group}"


def job_of(key: str) -> str | None:
    """Whose object it is; None: no job's."""
    top, _, rest = key.partition("/")
    job_id, slash, _ = rest.partition("/")
    return job_id if top == JOBS_PREFIX.rstrip("/") and slash else None


def glossaries_prefix(client_id: str) -> str:
    """All glossaries of a client lie under this prefix."""
    return f"control/glossaries/{client_id}/"


def glossary_key(client_id: str, glossary_id: str) -> str:
    """A client's glossary; the id holds its hash."""
    return f"{glossaries_prefix(client_id)}{glossary_id}/glossary.json"


def glossary_checks_prefix(client_id: str, glossary_id: str) -> str:
    """All checks that a glossary passed lie under this prefix; older releases wrote `check-{model_sha256}` there."""
    return f"{glossaries_prefix(client_id)}{glossary_id}/check-"


def glossary_check_key(client_id: str, glossary_id: str, model_sha256: str, parameters_sha256: str) -> str:
    """What says that a glossary passed its check with a model, heard with these parameters."""
    return f"{glossary_checks_prefix(client_id, glossary_id)}{model_sha256}-{parameters_sha256}"
