"""Every address says which methods it takes."""

from __future__ import annotations

import pytest

from tests.unit.ingest.rig import Rig, new_id


def test_an_address_asked_for_by_another_method_names_all_that_it_takes() -> None:
    with Rig().http() as client:
        described = client.get("/openapi.json").json()["paths"]
        answers = {
            path: client.request("MADEUP", path.format(job_id=new_id(), webhook_id=new_id())) for path in described
        }
    assert {answer.status_code for answer in answers.values()} == {405}
    assert {answer.json()["code"] for answer in answers.values()} == {"method_not_allowed"}
    assert {path: answer.headers["allow"] for path, answer in answers.items()} == {
        path: ", ".join(sorted(method.upper() for method in operations)) for path, operations in described.items()
    }
    assert answers["/v1/jobs"].headers["allow"] == "GET, POST"
    assert answers["/v1/jobs/{job_id}"].headers["allow"] == "DELETE, GET"


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_the_address_for_batches_is_no_job(method: str) -> None:
    with Rig().http() as client:
        answer = client.request(method, "/v1/jobs/batch")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_what_is_no_address_takes_no_method() -> None:
    with Rig().http() as client:
        answer = client.request("OPTIONS", "/v1/made/up")
    assert (answer.status_code, "allow" in answer.headers) == (404, False)
