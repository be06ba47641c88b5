"""(topology, here) to plan: which sessions, listeners and dials make the tunnels true, or why there is no way.

:func:`make_plan` answers for tunnels, :func:`check_expectations` for the file's own tests, :func:`check_statically`
for what is wrong whatever the paths are.
"""

from orchestra.planning.client import choose_client
from orchestra.planning.expect import check_expectations
from orchestra.planning.plan import make_plan
from orchestra.planning.static import check_statically

__all__ = ["check_expectations", "check_statically", "choose_client", "make_plan"]
