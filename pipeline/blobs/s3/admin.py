"""What is done to a bucket once a deployment: make it, encrypt it, let it forget. By boto3; called by `razgovor store`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.blobs.options import Encryption, StoreOptions
from pipeline.blobs.s3.address import S3Address
from pipeline.errors import Fatal, RazgovorError, Transient

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import (
        BucketLifecycleConfigurationTypeDef,
        CreateBucketConfigurationTypeDef,
        LifecycleRuleTypeDef,
        ServerSideEncryptionConfigurationTypeDef,
    )

State = Literal["as wanted", "done", "differs", "not offered"]
Rule = dict[str, object]
T = TypeVar("T")

_ATTEMPTS: Final = 3
_SERVER_ERROR: Final = 500
_NOT_IMPLEMENTED: Final = 501
_ABORT: Final = "AbortIncompleteMultipartUpload"
_OLD_VERSIONS: Final = "NoncurrentVersionExpiration"
_ELSE: Final = "the ledger's janitor gives uploads up"
_DEFAULT_REGION: Final = "us-east-1"  # S3 wants it left out when a bucket is made
_ABSENT: Final = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchLifecycleConfiguration",
        "NoSuchBucketLifecycle",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a bucket: what it is now, or was made."""

    subject: str
    state: State
    detail: str = ""


class BucketAdmin:
    """One bucket, as whoever owns it.

    Raises, from every method:
        Transient: The store does not answer.
        Fatal: It refuses us.
    """

    def __init__(self, address: S3Address, options: StoreOptions) -> None:
        if options.credentials is None:
            raise Fatal("the store's owner is needed: RAZGOVOR_STORE_ACCESS_KEY and RAZGOVOR_STORE_SECRET_KEY")
        self._bucket = address.bucket
        self._region = address.region
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            connect_timeout=options.connect_timeout_s,
            read_timeout=options.read_timeout_s,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._client: S3Client = boto3.session.Session().client(
            "s3",
            config=config,
            endpoint_url=address.endpoint,
            region_name=address.region,
            aws_access_key_id=options.credentials.access_key,
            aws_secret_access_key=options.credentials.secret_key,
            verify=True if options.ca_file is None else str(options.ca_file),
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def bucket(self, *, apply: bool) -> Finding:
        """Whether the bucket is there; made if it is to be."""
        if self._ask(lambda: self._client.head_bucket(Bucket=self._bucket)) is not None:
            return Finding("bucket", "as wanted", self._bucket)
        if not apply:
            return Finding("bucket", "differs", "there is none")
        self._ask(self._make_bucket)
        return Finding("bucket", "done", self._bucket)

    def encryption(self, wanted: Encryption, *, apply: bool) -> Finding:
        """Whether the bucket encrypts what is put by itself."""
        if not wanted.cipher:
            return Finding("encryption", "as wanted", "none asked for")
        try:
            found = self._ask(lambda: self._client.get_bucket_encryption(Bucket=self._bucket))
            rules = [] if found is None else found["ServerSideEncryptionConfiguration"]["Rules"]
            is_so = [rule.get("ApplyServerSideEncryptionByDefault") for rule in rules] == [_default(wanted)]
            if is_so or not apply:
                return Finding("encryption", "as wanted" if is_so else "differs", wanted.cipher)
            self._ask(lambda: self._put_encryption(wanted))
        except _NotOfferedError:
            return Finding("encryption", "not offered", "the services ask for it with every object")
        return Finding("encryption", "done", wanted.cipher)

    def lifecycle(self, rules: Sequence[Rule], *, apply: bool) -> list[Finding]:
        """Whether the bucket forgets by these rules and no others.

        A store may refuse to give up uploads by rule (MinIO does: it gives them up after a day by itself, and the
        ledger's janitor does wherever it runs). Then it goes without that rule.
        """
        try:
            found = self._ask(lambda: self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket))
            held = {} if found is None else {str(rule.get("ID")): _essence(dict(rule)) for rule in found["Rules"]}
            wanted = {str(rule["ID"]): _essence(rule) for rule in rules}
            if not apply or held == wanted:
                return _compared(held, wanted)
            optional = {str(rule["ID"]) for rule in rules if _ABORT in rule}
            if held == {name: rule for name, rule in wanted.items() if name not in optional}:
                return _compared(held, wanted)
            return self._put_lifecycle(rules, optional)
        except _NotOfferedError:
            return [Finding("lifecycle", "not offered", "nothing expires by itself")]

    def _put_lifecycle(self, rules: Sequence[Rule], optional: Collection[str]) -> list[Finding]:
        kept = list(rules)
        try:
            self._ask(lambda: self._write_rules(kept))
        except Fatal:
            kept = [rule for rule in rules if str(rule["ID"]) not in optional]
            if len(kept) == len(rules):
                raise
            self._ask(lambda: self._write_rules(kept))
        return [
            Finding(f"lifecycle {rule['ID']}", "done" if rule in kept else "not offered", "" if rule in kept else _ELSE)
            for rule in rules
        ]

    def _write_rules(self, rules: Sequence[Rule]) -> object:
        configuration = {"Rules": cast("list[LifecycleRuleTypeDef]", list(rules))}
        return self._client.put_bucket_lifecycle_configuration(
            Bucket=self._bucket, LifecycleConfiguration=cast("BucketLifecycleConfigurationTypeDef", configuration)
        )

    def _make_bucket(self) -> object:
        if self._region == _DEFAULT_REGION:
            return self._client.create_bucket(Bucket=self._bucket)
        place = cast("CreateBucketConfigurationTypeDef", {"LocationConstraint": self._region})
        return self._client.create_bucket(Bucket=self._bucket, CreateBucketConfiguration=place)

    def _put_encryption(self, wanted: Encryption) -> object:
        configuration = {"Rules": [{"ApplyServerSideEncryptionByDefault": _default(wanted)}]}
        return self._client.put_bucket_encryption(
            Bucket=self._bucket,
            ServerSideEncryptionConfiguration=cast("ServerSideEncryptionConfigurationTypeDef", configuration),
        )

    def _ask(self, request: Callable[[], T]) -> T | None:
        """The answer; None where what was asked for is not there."""
        try:
            return request()
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _ABSENT:
                return None
            if status == _NOT_IMPLEMENTED or code == "NotImplemented":
                raise _NotOfferedError from error
            if status >= _SERVER_ERROR:
                raise Transient(f"store: {code}") from error
            raise Fatal(f"the store refuses us: {code}") from error
        except BotoCoreError as error:
            raise Transient(f"store: {type(error).__name__}") from error


class _NotOfferedError(RazgovorError):
    """The store has no such thing."""


def _default(wanted: Encryption) -> dict[str, str]:
    key = {"KMSMasterKeyID": wanted.key_id} if wanted.key_id else {}
    return {"SSEAlgorithm": wanted.cipher, **key}


def _essence(rule: Mapping[str, object]) -> tuple[object, ...]:
    """What a rule does, however a store spells it."""
    expiration, old, abort = rule.get("Expiration"), rule.get(_OLD_VERSIONS), rule.get(_ABORT)
    chosen = rule.get("Filter")
    prefix = chosen.get("Prefix", "") if isinstance(chosen, Mapping) else rule.get("Prefix", "")
    return (
        prefix or "",
        rule.get("Status"),
        expiration.get("Days") if isinstance(expiration, Mapping) else None,
        old.get("NoncurrentDays") if isinstance(old, Mapping) else None,
        abort.get("DaysAfterInitiation") if isinstance(abort, Mapping) else None,
    )


def _compared(held: Mapping[str, object], wanted: Mapping[str, tuple[object, ...]]) -> list[Finding]:
    findings: list[Finding] = []
    for name, rule in wanted.items():
        is_optional = rule[-1] is not None and name not in held
        state: State = "as wanted" if held.get(name) == rule else "not offered" if is_optional else "differs"
        findings.append(Finding(f"lifecycle {name}", state, _ELSE if state == "not offered" else ""))
    return [*findings, *(Finding(f"lifecycle {name}", "differs", "not ours") for name in held if name not in wanted)]
