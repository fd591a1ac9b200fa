"""Who may call, and what everybody else is told."""

from __future__ import annotations

import pytest

from services.ingest import keys
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.admin import add_key
from services.ingest.clients import Client, StoredKey
from services.ingest.recent_keys import RecentKeys
from tests.unit.ingest.rig import Rig, wav

ADDRESSES = [
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/00000000-0000-0000-0000-000000000001"),
    ("GET", "/v1/jobs/00000000-0000-0000-0000-000000000001/transcript"),
    ("GET", "/v1/jobs/00000000-0000-0000-0000-000000000001/audio"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_missing_wrong_unknown_mistyped_and_revoked_keys_get_the_same_answer(method: str, address: str) -> None:
    rig = Rig()
    revoked = rig.add_client(Client(client_id="gone", name="Gone"))
    rig.clients.revoke_key(bytes([2] * 6).hex())
    wrong_secret = keys.compose(bytes([1] * 6), bytes([9] * 32))
    unknown = keys.compose(bytes([9] * 6), bytes([1] * 32))
    mistyped = rig.key[:-1] + ("0" if rig.key[-1] != "0" else "1")
    headers = [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer " + "x" * 10_000},
        *({"Authorization": f"Bearer {key}"} for key in (wrong_secret, unknown, mistyped, revoked)),
    ]
    answers = [
        rig.http(None).request(method, address, headers={**header, "X-Request-ID": "same"}) for header in headers
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="razgovor"'}
    assert answers[0].json()["code"] == "unauthorized"


class CountingClients(MemoryClients):
    """Counts how often a key is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def find_key(self, key_id: str) -> StoredKey | None:
        self.looks += 1
        return super().find_key(key_id)


def test_every_key_that_opens_nothing_costs_the_same_look() -> None:
    clients = CountingClients()
    rig = Rig(clients=clients)
    rig.add_client(Client(client_id="gone", name="Gone"))
    rig.clients.revoke_key(bytes([2] * 6).hex())
    rig.options["keys"] = RecentKeys(clients, 60.0, lambda: 0.0)
    for _ in range(2):  # the second time it is fresh in memory
        assert rig.http().get("/v1/jobs").status_code == 200
    looks = []
    for key_id, secret in ((1, 9), (9, 1), (2, 2), (2, 9)):  # wrong, unknown, revoked, revoked and wrong
        before = clients.looks
        key = keys.compose(bytes([key_id] * 6), bytes([secret] * 32))
        assert rig.http(key).get("/v1/jobs").status_code == 401
        looks.append(clients.looks - before)
    assert looks == [1, 1, 1, 1]


def test_another_clients_job_is_no_job_at_any_address() -> None:
    rig = Rig()
    rig.http().post("/v1/jobs", content=wav())
    other = rig.http(rig.add_client(Client(client_id="other", name="Other")))
    job = f"/v1/jobs/{rig.only_job()}"
    missing = "/v1/jobs/11111111-1111-1111-1111-111111111111"
    for end in ("", "/transcript", "/transcript?format=vtt", "/audio"):
        foreign, none = (other.get(address + end, headers={"X-Request-ID": "same"}) for address in (job, missing))
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        assert foreign.content == none.content
    assert other.get("/v1/jobs").json() == {"jobs": [], "next_cursor": None}


def test_a_refused_caller_uploads_nothing() -> None:
    rig = Rig()
    assert rig.http(None).post("/v1/jobs", content=wav()).status_code == 401
    assert rig.store.objects == {}


def test_with_the_keys_out_of_reach_the_answer_is_to_come_again() -> None:
    rig = Rig()
    rig.clients.down = True
    answer = rig.http().get("/v1/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_new_key_of_an_old_client_leaves_its_defaults_alone() -> None:
    rig = Rig()
    text = add_key(rig.clients, Client(client_id="acme", name="Other", locale="en"), bytes(6), bytes(32))
    parsed = keys.parse(text)
    assert parsed is not None
    stored = rig.clients.find_key(parsed.key_id)
    assert stored is not None
    assert (stored.client.name, stored.client.locale) == ("Acme", "ru")


@pytest.mark.parametrize("client_id", ["", "a b", "Вася", "x" * 65, "a/b"])
def test_a_client_needs_a_plain_id(client_id: str) -> None:
    with pytest.raises(ValueError, match="name"):
        add_key(Rig().clients, Client(client_id=client_id, name="x"), bytes(6), bytes(32))


def test_a_scope_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="scopes"):
        add_key(Rig().clients, Client(client_id="a", name="a"), bytes(6), bytes(32), ("everything",))
