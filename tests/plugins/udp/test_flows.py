"""Who is served: on a clock of the tests' own."""

from __future__ import annotations

from orchestra_plugins.udp.flows import IDLE, LEAST_IDLE, MOST, Bucket, FlowTable


def test_the_one_that_was_silent_longest_goes_for_a_new_one() -> None:
    table = FlowTable[int]()
    assert [table.use(number, float(number)) for number in range(MOST)] == [None] * MOST
    table.use(0, 2000.0)
    assert table.use(MOST, 2001.0) == 1
    assert len(table) == MOST
    assert (0 in table, 1 in table, MOST in table) == (True, False, True)


def test_silence_ends_a_flow_and_traffic_does_not() -> None:
    table = FlowTable[str](idle=30.0)
    table.use("dig", 0.0)
    table.use("chrony", 10.0)
    assert table.next_expiry() == 30.0
    table.use("dig", 20.0)
    assert table.expire(39.9) == []
    assert table.next_expiry() == 40.0
    assert table.expire(40.0) == ["chrony"]
    assert table.expire(1000.0) == ["dig"]
    assert table.next_expiry() is None


def test_what_is_removed_is_not_expired() -> None:
    table = FlowTable[str](idle=30.0)
    table.use("dig", 0.0)
    assert (table.remove("dig"), table.remove("dig")) == (True, False)
    assert table.expire(100.0) == []


def test_times_of_rfc_4787() -> None:
    assert (IDLE, LEAST_IDLE) == (300.0, 120.0)


def test_a_bucket_lets_so_many_through_at_once_and_so_many_each_second() -> None:
    bucket = Bucket(3, 2)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.4), bucket.take(100.5), bucket.take(100.5)] == [False, True, False]
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]
