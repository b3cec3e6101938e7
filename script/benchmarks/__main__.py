"""``python -m script.benchmarks NAME``."""

import argparse
import json
import sys
from types import ModuleType

from . import faults, finetune, inference, load, pattern_flow, restyle, shards, training

BENCHMARKS: dict[str, ModuleType] = {
    "faults": faults,
    "finetune": finetune,
    "pattern-flow": pattern_flow,
    "inference": inference,
    "load": load,
    "restyle": restyle,
    "shards": shards,
    "training": training,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench")
    names = parser.add_subparsers(dest="name", required=True)
    for name, module in BENCHMARKS.items():
        sub = names.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        sub.add_argument("--json", action="store_true")
        module.add_arguments(sub)
    options = parser.parse_args()
    module = BENCHMARKS[options.name]
    rows = module.run(options)
    if options.json:
        print(json.dumps(rows))
    else:
        _table(rows)
    sys.exit(module.status(rows) if hasattr(module, "status") else 0)


def _table(rows: list[dict[str, object]]) -> None:
    columns = list(rows[0])
    widths = {column: max(len(column), *(len(str(row[column])) for row in rows)) for column in columns}
    for row in [{column: column for column in columns}, *rows]:
        print("  ".join(str(row[column]).rjust(widths[column]) for column in columns))


main()
