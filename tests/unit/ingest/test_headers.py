"""Security headers stand on every answer: of every route, with and without a key, and where nothing is."""

from __future__ import annotations

import pytest

from services.ingest.web.context import SECURITY_HEADERS, STRICT_POLICY
from tests.unit.ingest.rig import Rig, wav

#: Pages that load scripts of our own say so; everything else loads nothing.
PAGES = frozenset({"/", "/docs"})
#: An answer that goes on and on; asked for nonsense, it ends at once.
ENDLESS = frozenset({"/v1/events"})


def requests() -> list[tuple[str, str]]:
    """Every route with an id that nobody has, and what is no route."""
    paths = Rig().http().get("/openapi.json").json()["paths"]
    ours = [(method.upper(), path.format_map(_Nobodys())) for path in paths for method in paths[path]]
    ours = [(method, f"{path}?jobs=none" if path in ENDLESS else path) for method, path in ours]
    return [
        *ours,
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/docs/assets/none"),
        ("GET", "/nothing"),
        ("BREW", "/v1/jobs"),
    ]


class _Nobodys(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("key", [None, ""])
def test_every_answer_has_them(key: str | None) -> None:
    http = Rig().http(key)
    statuses = set()
    for method, path in requests():
        answer = http.request(method, path)
        statuses.add(answer.status_code)
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS, (method, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert policy == STRICT_POLICY or path in PAGES or not path.startswith("/v1"), (method, path)
        assert answer.headers["cache-control"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
    assert statuses >= {200, 404, 405}


def test_what_a_client_keeps_to_itself_is_stored_by_nobody_on_the_way() -> None:
    http = Rig().http()
    job_id = http.post("/v1/jobs", content=wav()).json()["job_id"]
    for path in ("/v1/jobs", f"/v1/jobs/{job_id}", f"/v1/jobs/{job_id}/audio"):
        assert http.get(path).headers["cache-control"] == "no-store"


def test_errors_of_ours_have_them_too() -> None:
    rig = Rig()
    rig.options["new_id"] = lambda: 1 / 0
    answer = rig.http().post("/v1/jobs", content=wav(), headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
