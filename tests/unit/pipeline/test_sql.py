from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Fatal
from pipeline.sql import Migration, missing

STEPS = (Migration(1, "jobs", "CREATE TABLE jobs ()"), Migration(2, "runs", "CREATE TABLE runs ()"))


def test_what_a_database_lacks_comes_in_order_and_what_a_newer_release_applied_is_left_alone() -> None:
    assert missing(STEPS, {}) == list(STEPS)
    assert missing(STEPS, {1: STEPS[0].sha256}) == [STEPS[1]]
    assert missing(STEPS, {step.number: step.sha256 for step in STEPS} | {3: "another release's"}) == []


def test_a_step_that_has_changed_since_it_was_applied_is_refused_by_name() -> None:
    changed = replace(STEPS[0], sql="CREATE TABLE jobs (job_id text)")
    with pytest.raises(Fatal, match="0001_jobs"):
        missing((changed, STEPS[1]), {1: STEPS[0].sha256})
