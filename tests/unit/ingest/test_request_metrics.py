from __future__ import annotations

from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from tests.unit.ingest.rig import Rig, wav


def test_requests_are_counted_by_route_never_by_path() -> None:
    metrics = Metrics()
    rig = Rig(options={"metrics": metrics})
    with rig.http() as client:
        client.post("/v1/jobs", content=wav(), headers={"Content-Type": "audio/wav"})
        client.get(f"/v1/jobs/{rig.only_job()}")
        client.get("/v1/jobs/no-such-job")
        client.get("/made/up")
        client.request("MADEUP", "/v1/jobs")
    counted = {
        labels: metrics.value(families.REQUESTS, "_count", method=labels[0], route=labels[1], status=labels[2])
        for labels in (
            ("POST", "/v1/jobs", "202"),
            ("GET", "/v1/jobs/{job_id}", "200"),
            ("GET", "/v1/jobs/{job_id}", "404"),
            ("other", "other", "404"),
        )
    }
    assert counted == dict.fromkeys(counted, 1)
    methods = {
        sample.labels["method"]
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if "method" in sample.labels
    }
    assert methods == {"GET", "POST", "other"}
