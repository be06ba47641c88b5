"""Data is lent to those who say that they keep none of it."""

import pytest

from orchestra.session.protocols import borrowing


class Keeper:
    """Keeps what it is told, as most do."""

    def __init__(self):
        self.told = []

    def data_received(self, data):
        self.told.append(data)


class Borrower(Keeper):
    borrows = True


@pytest.mark.parametrize(("receiver", "kept"), [(Keeper(), b"data"), (Borrower(), b"gone")])
def test_who_does_not_borrow_is_given_bytes_of_its_own(receiver, kept):
    space = bytearray(b"data")
    take = borrowing(receiver, receiver.data_received)
    assert take.__name__ == "data_received"  # as it is called when it fails
    take(memoryview(space))
    space[:] = b"gone"
    assert receiver.told == [kept]
    assert isinstance(receiver.told[0], memoryview if hasattr(receiver, "borrows") else bytes)
