"""Users and policies of MinIO and its forks, which are no part of S3. The only door to the `minio` package."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeVar

import urllib3
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException
from urllib3.exceptions import HTTPError

from pipeline.blobs.options import StoreOptions
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.admin import Finding
from pipeline.errors import Fatal, Transient
from razgovor.storage.plan import Policy, user_of

T = TypeVar("T")


class MinioUsers:
    """The users of one server, as its owner.

    Raises, from every method:
        Transient: The server does not answer.
        Fatal: It refuses us, or is no MinIO.
    """

    def __init__(self, address: S3Address, options: StoreOptions) -> None:
        if options.credentials is None:
            raise Fatal("the store's owner is needed: RAZGOVOR_STORE_ACCESS_KEY and RAZGOVOR_STORE_SECRET_KEY")
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=options.connect_timeout_s, read=options.read_timeout_s),
            retries=urllib3.Retry(total=options.attempts - 1, status_forcelist=(500, 502, 503, 504)),
            cert_reqs="CERT_REQUIRED",
            ca_certs=None if options.ca_file is None else str(options.ca_file),
        )
        self._admin = MinioAdmin(
            endpoint=address.host_header,
            credentials=StaticProvider(options.credentials.access_key, options.credentials.secret_key),
            region=address.region,
            secure=address.scheme == "https",
            http_client=self._pool,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def apply(self, service: str, policy: Policy, secret: str) -> Finding:
        """Make a service's user and policy so; the secret is set anew every time."""
        name = user_of(service)
        self._ask(lambda: self._admin.policy_add(name, policy=policy))
        self._ask(lambda: self._admin.user_add(name, secret))
        self._ask(lambda: self._admin.policy_set(name, user=name))
        return Finding(f"user {name}", "done")

    def check(self, service: str, policy: Policy) -> Finding:
        """Whether a service's user has its policy and no other."""
        name = user_of(service)
        user = self._users.get(name)
        if user is None or user.get("status") != "enabled":
            return Finding(f"user {name}", "differs", "there is none")
        if user.get("policyName") != name:
            return Finding(f"user {name}", "differs", "its policies are others")
        held = json.loads(self._ask(lambda: self._admin.policy_info(name)))
        is_so = _essence(held.get("Policy", held)) == _essence(policy)
        return Finding(f"user {name}", "as wanted" if is_so else "differs", "" if is_so else "its policy is another")

    @cached_property
    def _users(self) -> Mapping[str, Mapping[str, str]]:
        """All there are, asked for once: the answer is encrypted with a key that takes a second to derive."""
        users: Mapping[str, Mapping[str, str]] = json.loads(self._ask(self._admin.user_list))
        return users

    def _ask(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except MinioAdminException as error:
            code = _code(str(getattr(error, "_body", "")))
            raise Fatal(f"the store's administration refuses us, or is not MinIO's: {code}") from error
        except HTTPError as error:
            raise Transient(f"store: {type(error).__name__}") from error


def _essence(policy: Policy) -> list[tuple[object, ...]]:
    """What a policy allows, however it is ordered."""
    return sorted(
        (
            str(statement["Effect"]),
            tuple(sorted(_listed(statement["Action"]))),
            tuple(sorted(_listed(statement["Resource"]))),
            json.dumps(statement.get("Condition", {}), sort_keys=True),
        )
        for statement in policy["Statement"]
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _code(body: str) -> str:
    try:
        return str(json.loads(body)["Code"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
