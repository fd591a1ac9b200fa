"""Continuous batching: the windows of all calls in flight become batches that keep every device full.

`BatchingEngine` serves calls (`ports.Engine`) over recognizers that serve batches (`ports.Recognizer`). It computes
nothing itself: `former` decides what is heard next, `courses` what a window needs yet, `dispatcher` has recognizers do it.
Called by `handler` through its port; built by `__main__`.
"""

from services.transcriber.batching.engine import BatchingEngine, BatchingRules
from services.transcriber.batching.watching import HeardBatch, Nobody, Watch

__all__ = ["BatchingEngine", "BatchingRules", "HeardBatch", "Nobody", "Watch"]
