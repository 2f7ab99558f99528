"""Allowances of addresses by a clock that is set by hand."""

from __future__ import annotations

import pytest

from server.rate_limits import Allowance, RateLimits, to_network


class Hand:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_its_allowance_and_gets_it_back_slowly() -> None:
    clock = Hand()
    limits = RateLimits(Allowance(10, 2), Allowance(1000, 100), clock_s=clock)
    assert [limits.take("192.0.2.1") for _ in range(10)] == [0] * 10
    assert limits.take("192.0.2.1") == 1  # half a second, told in whole ones
    assert limits.take("192.0.2.1", 9) == 5  # 9 at 2 a second: 4.5 s
    assert limits.take("192.0.2.2", 10) == 0  # another has its own
    clock.now_s += 4.5
    assert limits.take("192.0.2.1", 9) == 0
    assert limits.take("192.0.2.1") == 1
    clock.now_s += 3600
    assert limits.take("192.0.2.1", 10) == 0  # no more is saved up than there was
    assert limits.take("192.0.2.1") == 1
    clock.now_s -= 50  # a clock that went back gives and takes nothing
    assert limits.take("192.0.2.1") == 1


def test_all_together_have_theirs_and_nobody_pays_for_what_was_refused() -> None:
    clock = Hand()
    limits = RateLimits(Allowance(10, 1), Allowance(25, 1), clock_s=clock)
    assert [limits.take(f"192.0.2.{n}", 10) for n in range(3)] == [0, 0, 5]
    assert limits.take("192.0.2.3", 5) == 0
    clock.now_s += 5
    assert limits.take("192.0.2.2", 5) == 0  # its own ten were still there, less these
    clock.now_s += 5
    assert limits.take("192.0.2.2", 5) == 0


def test_what_is_dearer_than_all_of_it_comes_through_when_all_is_there() -> None:
    clock = Hand()
    limits = RateLimits(Allowance(10, 1), Allowance(100, 10), clock_s=clock)
    assert limits.take("192.0.2.1", 30) == 0
    assert limits.take("192.0.2.1") == 21  # twenty are owed, and one is needed
    clock.now_s += 21
    assert limits.take("192.0.2.1") == 0
    limits.charge("192.0.2.1", 50)
    assert limits.take("192.0.2.1") == 1  # a fault costs what is left, and leaves no debt


def test_memory_is_bounded_and_who_is_heard_of_stays() -> None:
    clock = Hand()
    limits = RateLimits(Allowance(2, 1), Allowance(10**6, 1), clock_s=clock, most=100)
    limits.take("192.0.2.1", 2)
    for n in range(5000):
        limits.take(f"10.0.{n // 250}.{n % 250}")
        if n % 50 == 0:
            assert limits.take("192.0.2.1") == 1
    assert limits.count_addresses() == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_subscriber_is_one_address(address: str, network: str) -> None:
    assert to_network(address) == network
