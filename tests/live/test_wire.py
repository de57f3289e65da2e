"""Messages as datagrams."""

import pytest
from live_nodes import Tick

from dscourse.consensus import AppendEntries, Entry
from dscourse.live.wire import LARGEST, Parcel, from_wire, opened, sealed, to_wire
from dscourse.simulation import Reply, Request

SECRET = b"s" * 16


@pytest.mark.parametrize(
    "message",
    [
        Tick(3, ("a", (True, None, 1.5), -2)),
        Request(1, ("put", "ключ", ("x", 2))),
        Reply(1, "ok", Entry(2, ("put", "x", 1))),
        AppendEntries(2, "n0", 0, 0, (Entry(1, None), Entry(2, ("put", "x", 1))), 0, 5),
    ],
)
def test_a_message_comes_out_as_it_went_in(message):
    parcel = Parcel("n0", 1, 7, 123, "n1", message)
    assert opened(sealed(parcel, SECRET), SECRET, {}) == parcel
    assert from_wire(to_wire(message), {}) == message


@pytest.mark.parametrize("change", [0, 20, -1])
def test_a_changed_datagram_is_none_of_ours(change):
    datagram = bytearray(sealed(Parcel("n0", 0, 1, 0, "n1", Tick(1)), SECRET))
    datagram[change] ^= 1
    assert opened(bytes(datagram), SECRET, {}) is None


@pytest.mark.parametrize("datagram", [b"", b"hello", b"x" * 65_000])
def test_anything_else_is_none_of_ours(datagram):
    assert opened(datagram, SECRET, {}) is None


def test_another_clusters_message_is_none_of_ours():
    assert opened(sealed(Parcel("n0", 0, 1, 0, "n1", Tick(1)), b"t" * 16), SECRET, {}) is None


def test_a_message_has_a_limit():
    with pytest.raises(ValueError, match=f"holds at most {LARGEST} bytes, and this Tick to n1 has"):
        sealed(Parcel("n0", 0, 1, 0, "n1", Tick(1, ("x" * LARGEST,))), SECRET)


@pytest.mark.parametrize("name", ["os:system", "live_nodes:Ticker", "live_nodes:Nobody"])
def test_only_classes_of_messages_are_made(name):
    with pytest.raises(LookupError, match="there is no class of messages"):
        from_wire({"type": name, "fields": []}, {})
