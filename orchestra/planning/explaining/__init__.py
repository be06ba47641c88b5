"""Why there is a way, why there is none, what would have to change, and what needs no change.

:func:`~orchestra.planning.explaining.explain.explain` answers for any pair, ``blocked`` for a tunnel without a path;
both search with ``least``, and say it as an :class:`~orchestra.planning.explaining.explanation.Explanation`.
"""
