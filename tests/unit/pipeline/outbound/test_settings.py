from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from pipeline.outbound import UrlNotAllowed, destination
from pipeline.outbound.settings import OutboundSettings


class _Settings(OutboundSettings):
    model_config = SettingsConfigDict(env_prefix="TEST_", frozen=True, extra="ignore")


def test_by_default_only_https_to_public_addresses_is_allowed() -> None:
    allowed = _Settings().outbound_allowed
    assert not allowed.permits(ip_address("10.0.0.1"))
    with pytest.raises(UrlNotAllowed, match="scheme"):
        destination("http://example.org", allowed)
    with pytest.raises(UrlNotAllowed, match="port"):
        destination("https://example.org:8443", allowed)


def test_an_operator_allows_networks_ports_and_schemes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_OUTBOUND_NETWORKS", '["10.1.0.0/16", "fd00::/8"]')
    monkeypatch.setenv("TEST_OUTBOUND_PORTS", "[80, 443]")
    monkeypatch.setenv("TEST_OUTBOUND_SCHEMES", '["http", "https"]')
    allowed = _Settings().outbound_allowed
    assert allowed.permits(ip_address("10.1.2.3"))
    assert allowed.permits(ip_address("fd00::1"))
    assert not allowed.permits(ip_address("10.2.0.1"))
    assert destination("http://example.org", allowed).port == 80


@pytest.mark.parametrize("wrong", [{"outbound_networks": ["10.1.0.1/16"]}, {"outbound_schemes": ["ftp"]}])
def test_a_setting_that_says_nothing_sound_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _Settings(**wrong)
