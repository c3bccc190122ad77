"""Settings of the operator page; the numbers are in configs/actor/."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["WebConfig"]


@dataclass(frozen=True)
class WebConfig:
    """Address and limits of the operator page.

    Attributes:
        enabled: Serve the page; with `device=web` it is served in every case.
        host: Address of this machine to listen at. One address, no wildcard: a page of another origin is refused.
        port: TCP port; 0 = any free one.
        picture_hz: Largest rate of each view.
        picture_quality: Quality of the JPEG pictures, 1 to 95.
        lease_s: Time without a sign of life after which the operator's page has lost its lease.
        hello_s: Time that a new connection has to give the token.
        max_messages_s: Messages of a page in one second, after which it is dropped.
        max_message_bytes: Size of a message, after which the page is dropped.
        max_pages: Number of pages that may be open at once.
    """

    enabled: bool
    host: str
    port: int
    picture_hz: float
    picture_quality: int
    lease_s: float
    hello_s: float
    max_messages_s: int
    max_message_bytes: int
    max_pages: int

    def __post_init__(self) -> None:
        expect(_is_one_address(self.host), "host", "one IP address of this machine, such as 127.0.0.1", self.host)
        expect_within(self, 0, 65_535, "port")
        expect_above(self, 0.0, "picture_hz", "lease_s", "hello_s")
        expect_within(self, 1, 95, "picture_quality")
        expect_at_least(self, 1, "max_messages_s", "max_message_bytes", "max_pages")


def _is_one_address(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
