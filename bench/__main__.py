"""Every part, or those that are named.

python -m bench [--quick] [--rounds 3] [--json FILE] [PART …]
"""

from __future__ import annotations

import argparse
import sys
import time

from bench import connections, fairness, link, memory, ready, running, scale, startup, throughput, udp

PARTS: dict[str, running.Part] = {
    "throughput": throughput.measure,
    "connections": connections.measure,
    "fairness": fairness.measure,
    "memory": memory.measure,
    "ready": ready.measure,
    "link": link.measure,
    "startup": startup.measure,
    "udp": udp.measure,
    "scale": scale.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    running.options(parser)
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    begun, lines, failed = time.monotonic(), list[str](), list[str]()
    for name in given.parts or PARTS:
        try:
            lines += running.run(name, PARTS[name], running.effort(given), given.json)
        except (RuntimeError, OSError) as error:  # the others can be measured all the same
            failed.append(f"{name} failed: {error}")
    print(f"{time.monotonic() - begun:.0f} s; " + ("missed:" if lines else "everything that is wanted was reached"))
    print("".join(f"  {line}\n" for line in lines + failed), end="")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
