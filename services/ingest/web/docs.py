"""/docs: Swagger UI, wholly served by us under a strict policy. Mounted by `app`."""

from __future__ import annotations

from typing import Final

import swagger_ui_bundle
from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from services.ingest.problems import NOT_FOUND, Problem

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS: Final = {"Content-Security-Policy": POLICY}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>razgovor</title>
<link rel="icon" type="image/png" href="docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/assets/start.js"></script>
</body>
</html>
"""
_START: Final = """"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_ASSETS: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    """The page."""
    return Response(_PAGE, media_type="text/html", headers=_HEADERS)


@router.get("/docs/assets/start.js")
async def start() -> Response:
    """What starts Swagger UI: a file of its own, because the policy allows no script inside the page."""
    return Response(_START, media_type="text/javascript", headers=_HEADERS)


@router.get("/docs/assets/{name}")
async def asset(name: str) -> Response:
    """A file of the package swagger-ui-bundle: one of those the page needs, nothing else."""
    if name not in _ASSETS:
        raise Problem(NOT_FOUND, "there is nothing at this address")
    headers = {**_HEADERS, "Cache-Control": "public, max-age=3600"}
    return FileResponse(swagger_ui_bundle.swagger_ui_path / name, media_type=_ASSETS[name], headers=headers)
