"""Every metric there is: name, meaning, labels. Data for `metrics`; a test holds docs/operations.md against it.

Labels take few values: never the id of a job or of an object, a client only where the operator asked for it.
Names follow Prometheus: base units, `_total` for what only grows (the exposition adds it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its label values. `text` says what is counted, in one sentence."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


class Counter(Family):
    """Only grows; shown with `_total`."""


class Gauge(Family):
    """Goes up and down."""


class Summary(Family):
    """How often and how much in all: `_count` and `_sum`."""


@dataclass(frozen=True, slots=True)
class Histogram(Family):
    """How often below each of these bounds, beside `_count` and `_sum`."""

    bounds: tuple[float, ...] = ()


_REQUEST_S: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
#: From a free worker's to a weekend's backlog.
_WAIT_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 259_200.0)

# Every service.
BUILD: Final = Gauge("razgovor_build_info", "Always 1; says what runs.", ("service", "version", "python"))
READY: Final = Gauge(
    "razgovor_ready",
    "1 while the service is at work, 0 while it starts, waits for a peer, rests by its fuse or (ingest) drains.",
)
PEER_CALLS: Final = Summary(
    "razgovor_peer_call_seconds",
    "Seconds spent waiting for a peer's answers; `outcome` is ok, transient (it did not answer) or failed.",
    ("peer", "operation", "outcome"),
)

# Services that consume.
SLOTS: Final = Gauge("razgovor_slots", "Records that this process works on at once, at most.")
IN_FLIGHT: Final = Gauge("razgovor_in_flight", "Records being worked on, pauses included.")
RECORDS: Final = Counter("razgovor_records_total", "Records taken from the broker, repeated ones too.", ("topic",))
LAG: Final = Gauge(
    "razgovor_consumer_lag_records",
    "Records of the partitions assigned here that are not committed; the group's lag is the sum over its members.",
    ("topic",),
)
PAUSES: Final = Counter(
    "razgovor_pause_seconds_total", "Seconds of work in flight spent pausing because a dependency did not answer."
)
ATTEMPTS: Final = Counter(
    "razgovor_attempts_total",
    "Attempts at an event by their end: done, called_off, call_fault, transient, permanent or unknown (a bug).",
    ("outcome",),
)
PUBLISHED: Final = Counter("razgovor_published_records_total", "Records that the broker acknowledged.", ("topic",))
RETRIES: Final = Counter("razgovor_retries_total", "Events put on the retry topic.", ("topic",))
DEAD_LETTERS: Final = Counter(
    "razgovor_dead_letters_total", "Records put aside; `topic` is where they came from.", ("topic", "reason")
)
FUSE: Final = Gauge(
    "razgovor_fuse_blown", "1 while the fuse's marker lies in the store and this group takes nothing.", ("group",)
)

# ingest
BACKLOG_JOBS: Final = Gauge(
    "razgovor_backlog_jobs",
    "Jobs that are not terminal; `state` is waiting (in the outbox) or announced. From PostgreSQL, the same at every "
    "replica: take the maximum.",
    ("priority", "state"),
)
BACKLOG_AUDIO: Final = Gauge(
    "razgovor_backlog_audio_seconds",
    "Their declared durations; a recording whose header does not tell counts 0 here.",
    ("priority", "state"),
)
BACKLOG_AGE: Final = Gauge(
    "razgovor_backlog_oldest_age_seconds", "Since the oldest of them was accepted.", ("priority", "state")
)
RELAY_HEALTHY: Final = Gauge("razgovor_relay_healthy", "1 while announcing works; uploads do not depend on it.")
ANNOUNCED: Final = Counter(
    "razgovor_announcements_total", "Jobs announced; `kind` is first, or again after the log lost one.", ("kind",)
)
ACCEPTED: Final = Counter(
    "razgovor_accepted_jobs_total", "Uploads answered with 202 for the first time.", ("priority",)
)
ACCEPTED_AUDIO: Final = Counter(
    "razgovor_accepted_audio_seconds_total", "Their declared durations: what comes in.", ("priority",)
)
REQUESTS: Final = Histogram(
    "razgovor_http_request_seconds",
    "HTTP requests, from the first byte to the last.",
    ("method", "route", "status"),
    _REQUEST_S,
)

# transcriber
ENGINE: Final = Counter(
    "razgovor_engine_seconds_total", "Seconds in which the engine worked; its rate is how busy this worker is (0 to 1)."
)
ENGINE_SPEECH: Final = Counter("razgovor_engine_speech_seconds_total", "Seconds of speech that the engine heard.")
ENGINE_SLOTS: Final = Gauge(
    "razgovor_engine_slots", "Batches that the engine works on at once, over all devices that work."
)
ENGINE_DEVICES: Final = Gauge(
    "razgovor_engine_devices",
    "Devices of this worker; `state` is working, or sick: out until the worker is started again.",
    ("state",),
)
ENGINE_SLOT_TIME: Final = Counter(
    "razgovor_engine_slot_seconds_total",
    "Seconds of slots with a batch in hand; its rate over the slots is how full they are. The rest of the time nothing "
    "waited to be heard.",
)
ENGINE_BATCHES: Final = Counter(
    "razgovor_engine_batches_total",
    "Batches heard, by kind of attempt: first, or again as whole, half or chance.",
    ("attempt",),
)
ENGINE_PASSAGES: Final = Counter(
    "razgovor_engine_passages_total", "Windows, or halves of them, in these batches.", ("attempt",)
)
ENGINE_AXIS: Final = Counter(
    "razgovor_engine_axis_seconds_total",
    "Seconds that the model looked at in first attempts; speech over it is how full windows are.",
)
ENGINE_QUEUE: Final = Gauge("razgovor_engine_queue_passages", "Windows that wait to be put into a batch.")
STAGES: Final = Counter(
    "razgovor_stage_seconds_total",
    "Seconds of work by stage: decode, vad and features in the front end; features, encode, search and align in the engine.",
    ("stage",),
)
QUEUE_WAIT: Final = Histogram(
    "razgovor_queue_wait_seconds", "From acceptance to a worker's pickup, of first runs.", ("priority",), _WAIT_S
)
CHILD_CRASHES: Final = Counter(
    "razgovor_child_crashes_total", "Child processes that died over a request: engine, front_end or probe.", ("child",)
)

STOPS: Final = Counter(
    "razgovor_stops_total", "Jobs called off and told so; `state` is canceled or erased.", ("state",)
)
WATCHED: Final = Counter(
    "razgovor_watched_files_total",
    "Files that a watcher decided on; `outcome` is taken, refused or deferred, `reason` why not.",
    ("watcher", "outcome", "reason"),
)
WATCHED_UNMOVED: Final = Counter(
    "razgovor_watched_unmoved_total",
    "Files that the source did not let us move; tried again at the next look.",
    ("watcher",),
)
WATCHED_FOUND: Final = Gauge(
    "razgovor_watched_found_files", "Recordings that the last look saw in the folders of its days.", ("watcher",)
)
WATCHED_WAITING: Final = Gauge("razgovor_watched_waiting_files", "Of these, not complete yet.", ("watcher",))
WATCHER_LOOKS: Final = Counter(
    "razgovor_watcher_looks_total", "Looks at a source; `outcome` is done or failed.", ("watcher", "outcome")
)

WEBHOOKS: Final = Counter(
    "razgovor_webhook_attempts_total",
    "Attempts to tell a client of an end; `outcome` is delivered, again, refused or expired.",
    ("outcome",),
)

# ledger
JOBS: Final = Counter(
    "razgovor_jobs_total",
    "Runs that ended, each counted once; `reason` of failures; `client` only with LEDGER_METRICS_CLIENTS.",
    ("outcome", "reason", "client"),
)
AUDIO: Final = Counter("razgovor_audio_seconds_total", "Duration of the calls that were completed.", ("client",))
LATENCY: Final = Histogram("razgovor_job_seconds", "From acceptance to completed, of first runs.", (), _WAIT_S)
LEDGER_EVENTS: Final = Counter(
    "razgovor_ledger_events_total", "Events counted for the first time, by what they claim.", ("state",)
)
ORPHANS: Final = Counter(
    "razgovor_orphans_swept_total", "Prefixes of the store that no job owned and the janitor deleted."
)
ERASED_OBJECTS: Final = Counter("razgovor_erased_objects_total", "Objects of erased jobs that were deleted.")
EXPIRED_OBJECTS: Final = Counter(
    "razgovor_expired_objects_total",
    "Objects deleted because they were kept as long as agreed; `what` is audio or transcript.",
    ("what",),
)
SWEEPS: Final = Counter(
    "razgovor_sweeps_total", "Times the janitor went through the store; `outcome` is done or failed.", ("outcome",)
)
