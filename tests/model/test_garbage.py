"""The collector is as it was before."""

import gc

from orchestra.model.garbage import collector_off, settled


def test_the_collector_is_as_it_was() -> None:
    assert gc.isenabled()
    with collector_off():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_a_program_is_made_of_is_not_looked_through_again() -> None:
    settled()
    assert gc.get_freeze_count() == 0, "nothing was off"
    gc.disable()
    try:
        settled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()
