"""Signing in to the page: who gets a cookie, what it opens, what another site cannot do with it."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest
from starlette.testclient import TestClient

from services.ingest import sessions
from services.ingest.clients import Client
from services.ingest.scopes import READ
from tests.unit.ingest.rig import Rig, wav

PAGE = {"X-Razgovor-Page": "1"}


def key_id(key: str) -> str:
    return key.split("_")[1]


def browser(rig: Rig, **body: str) -> TestClient:
    """Somebody who has signed in."""
    http = rig.http(None)
    http.headers.update(PAGE)
    signed_in = http.post("/v1/session", json=body or {"key": rig.key})
    assert signed_in.status_code == 200, signed_in.text
    return http


def link(rig: Rig, key: str, lasts: timedelta = sessions.LINK_LASTS) -> str:
    token, kept = sessions.new(bytes([7] * 32))
    assert rig.sessions.add_link(key_id(key), kept, lasts)
    return token


def cookie(answer: httpx2.Response) -> tuple[str, set[str]]:
    pair, *attributes = answer.headers["set-cookie"].split("; ")
    return pair.partition("=")[0], {attribute.lower() for attribute in attributes}


def test_a_key_gets_a_cookie_that_opens_what_the_key_opens() -> None:
    rig = Rig()
    http = browser(rig)
    job = http.post("/v1/jobs", content=wav())
    assert job.status_code == 202
    assert [found["job_id"] for found in http.get("/v1/jobs").json()["jobs"]] == [job.json()["job_id"]]
    shown = http.get("/v1/session").json()
    assert (shown["client_id"], shown["scopes"]) == ("acme", ["submit", "read", "admin"])
    assert shown["ends_at"] == "2026-01-01T12:00:00Z"


def test_the_cookie_is_for_us_alone() -> None:
    rig = Rig()
    plain = rig.http(None).post("/v1/session", json={"key": rig.key}, headers=PAGE)
    name, attributes = cookie(plain)
    assert name == "razgovor"
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= attributes
    assert "secure" not in attributes
    behind_tls = rig.http(None).post(
        "/v1/session", json={"key": rig.key}, headers={**PAGE, "X-Forwarded-Proto": "https"}
    )
    name, attributes = cookie(behind_tls)
    assert name == "__Host-razgovor"
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)


def test_over_https_a_cookie_that_plain_http_could_have_set_counts_for_nothing() -> None:
    rig = Rig()
    http = browser(rig)
    assert http.get("/v1/session").status_code == 200
    for said in ("https", "HTTPS", "https, http"):
        assert http.get("/v1/session", headers={"X-Forwarded-Proto": said}).status_code == 401


def test_no_token_is_kept_as_it_is() -> None:
    rig = Rig()
    http = browser(rig)
    token = http.cookies["razgovor"]
    assert sessions.sha256(token) in rig.sessions._sessions
    assert token.encode() not in b"".join(rig.sessions._sessions)


@pytest.mark.parametrize(
    "body",
    [
        {"key": "rzg_no"},
        {"key": "rzg_" + "0" * 12 + "_" + "0" * 64 + "_" + "0" * 8},
        {"link": "x" * 43},
        {"link": "short"},
    ],
)
def test_what_opens_nothing_gets_the_same_answer(body: dict[str, str]) -> None:
    answer = Rig().http(None).post("/v1/session", json=body, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"key": 1}', b'{"key": "a", "link": "b"}', b'{"kex": "a"}']
)
def test_a_body_that_says_nothing_is_told_what_to_say_and_not_repeated(content: bytes) -> None:
    answer = Rig().http(None).post("/v1/session", content=content, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert "kex" not in answer.text


def test_a_large_body_is_not_taken() -> None:
    answer = Rig().http(None).post("/v1/session", content=b"x" * 5000, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_revoked_key_ends_its_sessions_at_once() -> None:
    rig = Rig()
    http = browser(rig)
    rig.clients.revoke_key(key_id(rig.key))
    assert http.get("/v1/jobs").status_code == 401
    assert http.get("/v1/session").status_code == 401


def test_a_session_ends_by_itself() -> None:
    rig = Rig()
    http = browser(rig)
    rig.now_s = 12 * 3600 - 1
    assert http.get("/v1/session").status_code == 200
    rig.now_s += 1
    assert http.get("/v1/session").status_code == 401


def test_who_signs_out_is_out() -> None:
    rig = Rig()
    http = browser(rig)
    token = http.cookies["razgovor"]
    answer = http.delete("/v1/session")
    assert (answer.status_code, cookie(answer)[0]) == (204, "razgovor")
    assert rig.http(None).get("/v1/session", headers={"Cookie": f"razgovor={token}"}).status_code == 401
    assert rig.http(None).delete("/v1/session", headers=PAGE).status_code == 204


def test_a_session_may_do_no_more_than_its_key() -> None:
    rig = Rig()
    http = browser(rig, key=rig.add_client(Client(client_id="reader", name="Reader"), (READ,)))
    assert http.get("/v1/jobs").status_code == 200
    refused = http.post("/v1/jobs", content=wav())
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_session_sees_its_own_clients_jobs_only() -> None:
    rig = Rig()
    rig.http().post("/v1/jobs", content=wav())
    other = browser(rig, key=rig.add_client(Client(client_id="other", name="Other")))
    for end in ("", "/audio", "/waveform", "/transcript", "/events"):
        assert other.get(f"/v1/jobs/{rig.only_job()}{end}").status_code == 404
    assert other.get("/v1/jobs").json()["jobs"] == []


def test_a_link_signs_in_once() -> None:
    rig = Rig()
    token = link(rig, rig.key)
    assert browser(rig, link=token).get("/v1/jobs").status_code == 200
    again = rig.http(None).post("/v1/session", json={"link": token}, headers=PAGE)
    assert (again.status_code, again.json()["code"]) == (401, "unauthorized")


def test_a_link_is_for_a_short_while_and_a_key_that_works() -> None:
    rig = Rig()
    late = link(rig, rig.key)
    rig.now_s = 15 * 60
    assert rig.http(None).post("/v1/session", json={"link": late}, headers=PAGE).status_code == 401
    revoked = link(rig, rig.key)
    rig.clients.revoke_key(key_id(rig.key))
    assert rig.http(None).post("/v1/session", json={"link": revoked}, headers=PAGE).status_code == 401
    assert not rig.sessions.add_link(key_id(rig.key), bytes(32), sessions.LINK_LASTS)


def test_what_another_site_sends_is_refused() -> None:
    rig = Rig()
    http = browser(rig)
    job_id = http.post("/v1/jobs", content=wav()).json()["job_id"]
    del http.headers["X-Razgovor-Page"]
    for method, address in (
        ("POST", "/v1/jobs"),
        ("POST", f"/v1/jobs/{job_id}/cancel"),
        ("DELETE", f"/v1/jobs/{job_id}"),
        ("DELETE", "/v1/session"),
    ):
        refused = http.request(method, address)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), address
    for site in ("cross-site", "same-site"):
        foreign = {"Sec-Fetch-Site": site}
        assert http.get(f"/v1/jobs/{job_id}/audio", headers=foreign).status_code == 403
        assert http.post("/v1/jobs", content=wav(), headers={**foreign, **PAGE}).status_code == 403
    assert http.post("/v1/session", json={"key": rig.key}).status_code == 403
    assert http.get("/v1/jobs", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_key_that_is_sent_counts_and_the_cookie_beside_it_does_not() -> None:
    rig = Rig()
    http = browser(rig)
    assert http.get("/v1/jobs", headers={"Authorization": "Bearer rzg_no"}).status_code == 401
    del http.headers["X-Razgovor-Page"]
    assert http.post("/v1/jobs", content=wav(), headers={"Authorization": f"Bearer {rig.key}"}).status_code == 202


def test_with_the_keys_out_of_reach_the_answer_is_to_come_again() -> None:
    rig = Rig()
    http = browser(rig)
    rig.clients.down = True
    assert http.get("/v1/jobs").status_code == 503
    assert http.post("/v1/session", json={"key": rig.key}).status_code == 503


def test_a_key_has_a_bounded_number_of_sessions_and_the_oldest_end_first() -> None:
    rig = Rig()
    first = browser(rig)
    second = browser(rig)
    for _ in range(sessions.SESSIONS_OF_KEY_MAX - 1):
        browser(rig)
    assert first.get("/v1/session").status_code == 401
    assert second.get("/v1/session").status_code == 200


def test_a_token_needs_its_random_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        sessions.new(b"few")
