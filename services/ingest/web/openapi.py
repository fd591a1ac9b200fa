"""The API's description in OpenAPI 3.0: what FastAPI writes is 3.1, which the bundled Swagger UI cannot show."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.ingest.web.problems import MEDIA_TYPE

VERSION: Final = "3.0.3"
#: What answers with one job are described by.
_OF_A_JOB: Final = frozenset(
    f"#/components/schemas/{name}" for name in ("AcceptedDocument", "JobDocument", "RequeuedDocument")
)
_JOB: Final = "/v1/jobs/{job_id}"


def install(app: FastAPI) -> None:
    """Have the application describe itself in OpenAPI 3.0."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                openapi_version=VERSION,
                tags=app.openapi_tags,
            )
            app.openapi_schema = _as_3_0(_with_links(_without_fastapi_errors(described)))
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way to change the description


def _without_fastapi_errors(described: dict[str, Any]) -> dict[str, Any]:
    """Without what FastAPI adds of itself: a 422 to all that has parameters, and plain JSON beside problem+json."""
    for path in described["paths"].values():
        for operation in path.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
            for answer in operation["responses"].values():
                if MEDIA_TYPE in answer.get("content", {}):
                    answer["content"].pop("application/json", None)
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)
    return described


def _with_links(described: dict[str, Any]) -> dict[str, Any]:
    """With links from each answer that tells of a job to all that can be asked of it."""
    operations = [(path, operation) for path, found in described["paths"].items() for operation in found.values()]
    links = {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {"job_id": "$response.body#/job_id"},
            "description": operation["summary"],
        }
        for path, operation in operations
        if path.startswith(_JOB)
    }
    for _path, operation in operations:
        for answer in operation["responses"].values():
            if answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref") in _OF_A_JOB:
                answer["links"] = links
    return described


def _as_3_0(node: Any) -> Any:
    if isinstance(node, list):
        return [_as_3_0(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _as_3_0(value) for name, value in node.items()}
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    options = plain.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        return _nullable(plain, [option for option in options if option != {"type": "null"}])
    return plain


def _nullable(schema: dict[str, Any], options: list[Any]) -> dict[str, Any]:
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(options) == 1 and "$ref" not in options[0]:
        return {**options[0], **rest, "nullable": True}
    # In 3.0 nothing may stand beside a $ref, so it goes into allOf.
    return {**rest, ("allOf" if len(options) == 1 else "anyOf"): options, "nullable": True}
