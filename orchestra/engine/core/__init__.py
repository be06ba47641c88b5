"""The decisions of the engine: ``(state, event, now, rng) -> (state, commands)`` over frozen values.

Nothing here awaits, reads a clock or touches the network; times are seconds of whatever clock ``now`` is read from.

=================  ==================================================================================
:mod:`.moves`      the life cycles of sessions, listeners and proofs, as transition tables
:mod:`.failures`   failures as values, and which of three classes a code belongs to
:mod:`.backoff`    how long to wait before trying again
:mod:`.messages`   what happened (events) and what is to be done (commands)
:mod:`.ways`       the ways that a tunnel has, its planned path first
:mod:`.state`      everything that is known, frozen; and the draft that one step works on
:mod:`.session`    the tree of sessions
:mod:`.tunnel`     listeners and proofs
:mod:`.failover`   which of its ways a tunnel takes, and which sessions only stand by
:mod:`.coming`     what a tunnel is to become: made first, and what nothing needs any more let go
:mod:`.changing`   another plan while everything runs
:mod:`.supervisor` ``begin`` and ``step``: the two functions that the shell calls
:mod:`.report`     the state as :mod:`orchestra.model.status` shows it
:mod:`.telling`    what observers are told about the difference between two states
=================  ==================================================================================
"""
