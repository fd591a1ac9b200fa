from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import CallFault
from pipeline.isolation import ChildClosed, ChildCrashed, ChildPool, Limits
from tests.integration.pipeline.isolation import work

PATIENCE_S = 60.0


def pool_of(size: int) -> ChildPool[str, object]:
    return ChildPool(size, work.faithful, name="pool", limits=Limits(), start_timeout_s=PATIENCE_S)


def test_calls_are_served_side_by_side_and_a_crash_costs_only_its_own_call() -> None:
    with pool_of(2) as pool, ThreadPoolExecutor(4) as threads:
        pool.start()
        assert len(set(pool.pids)) == 2
        crash = threads.submit(pool.call, "segfault", timeout_s=PATIENCE_S)
        echoes = [threads.submit(pool.call, f"echo:{n}", timeout_s=PATIENCE_S) for n in range(8)]
        assert [echo.result(PATIENCE_S) for echo in echoes] == [str(n) for n in range(8)]
        with pytest.raises(ChildCrashed):
            crash.result(PATIENCE_S)
        assert pool.call("echo:after", timeout_s=PATIENCE_S) == "after"


def test_all_children_start_at_once(tmp_path: Path) -> None:
    factory = partial(work.all_there, tmp_path, 3)
    with ChildPool(3, factory, name="pool", limits=Limits(), start_timeout_s=PATIENCE_S) as pool:
        pool.start()
        assert len(pool.pids) == 3


def test_one_that_does_not_start_is_told() -> None:
    with ChildPool(2, work.refusing, name="pool", limits=Limits(), start_timeout_s=PATIENCE_S) as pool:
        with pytest.raises(CallFault):
            pool.start()
        assert pool.pids == ()


def test_a_quiet_pool_starts_no_more_children_than_it_needs() -> None:
    with pool_of(3) as pool:
        assert {pool.call("pid", timeout_s=PATIENCE_S) for _ in range(4)} == set(pool.pids)
        assert len(pool.pids) == 1


def test_a_closed_pool_has_no_children_and_takes_no_requests() -> None:
    pool = pool_of(1)
    pool.start()
    pool.close()
    assert pool.pids == ()
    with pytest.raises(ChildClosed):
        pool.call("echo:late", timeout_s=PATIENCE_S)


def test_a_pool_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="serves nobody"):
        pool_of(0)
