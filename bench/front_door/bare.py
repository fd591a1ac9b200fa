"""The bare door: FastAPI takes a body and puts it into the store, and that is all. Started by `doors`, as ingest is.

python -m bench.front_door.bare STORE_URL STATUS_FILE
"""

from __future__ import annotations

import json
import os
import socket
import sys
import uuid
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from pipeline.blobs.location import store_at
from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.ports import BlobStore


def app_over(store: BlobStore) -> FastAPI:
    """The application."""
    app = FastAPI()

    @app.post("/v1/jobs", status_code=202)
    async def submit(request: Request) -> dict[str, str]:
        data = await request.body()
        key = f"jobs/{uuid.uuid4()}/audio"
        await run_in_threadpool(store.put, key, data, media_type="audio/wav")
        return {"key": key}

    return app


def main() -> None:
    """Serve until ended."""
    store_url, status_file = sys.argv[1:]
    access_key = os.environ.get("INGEST_STORE_ACCESS_KEY")
    credentials = Credentials(access_key, os.environ["INGEST_STORE_SECRET_KEY"]) if access_key else None
    store = store_at(store_url, StoreOptions(credentials=credentials))
    config = uvicorn.Config(app_over(store), ws="none", lifespan="off", access_log=False, log_level="warning")
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        host, port = listener.getsockname()[:2]
        Path(status_file).write_text(json.dumps({"address": f"http://{host}:{port}"}), encoding="utf-8")
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
