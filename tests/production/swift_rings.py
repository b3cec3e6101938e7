"""Build Swift's rings for one disk: ``swift_rings.py FOLDER account=PORT container=PORT object=PORT``.

A program of its own, so that the test run need not import Swift.
"""

import sys

from swift.common.ring import RingBuilder

DISK = {"id": 0, "region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "device": "disk"}


def main() -> None:
    folder, *pairs = sys.argv[1:]
    for kind, port in (pair.split("=") for pair in pairs):
        builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
        builder.add_dev({**DISK, "port": int(port)})
        builder.rebalance()
        builder.get_ring().save(f"{folder}/{kind}.ring.gz")


if __name__ == "__main__":
    main()
