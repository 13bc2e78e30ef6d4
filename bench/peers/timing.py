"""What the scripts that time PyTorch share: how they fail where a package is missing, how they time, and what they say."""
import importlib
import json
import statistics
import sys
import time

MARK = "@samples "
MISSING = 4


def need(*names: str) -> list:
    """The modules of these names; ends with one sentence and exit code 4 where one cannot be imported."""
    packages = " ".join(name.split(".")[0] for name in names)
    found = []
    for name in names:
        try:
            found.append(importlib.import_module(name))
        except Exception as e:  # A broken installation raises anything.
            print(f"python3 cannot import {name} ({e}): pip install {packages}", file=sys.stderr)
            sys.exit(MISSING)
    return found


def arguments(parser) -> None:
    """The effort, as Fovea's benchmarks count it."""
    parser.add_argument("--warmups", type=int, default=2, help="iterations before those that count (default: 2)")
    parser.add_argument("--warmup-millis", type=float, default=300, help="least length of each (default: 300)")
    parser.add_argument("--iterations", type=int, default=5, help="iterations that count (default: 5)")
    parser.add_argument("--iteration-millis", type=float, default=1000, help="least length of each (default: 1000)")


def iteration(call, millis: float) -> float:
    """Microseconds of a call, on the average of as many as fill the time."""
    count = 0
    begin = time.perf_counter()
    while True:
        call()
        count += 1
        taken = time.perf_counter() - begin
        if 1e3 * taken >= millis:
            return 1e6 * taken / count


def samples(call, args) -> list:
    for _ in range(args.warmups):
        iteration(call, args.warmup_millis)
    return [iteration(call, args.iteration_millis) for _ in range(args.iterations)]


def say(what: str, found: list, **extras) -> None:
    """A line for people, and one for ./fovea bench."""
    print(f"{what}: {1e-3 * statistics.mean(found):.1f} ms (fastest {1e-3 * min(found):.1f})", flush=True)
    print(MARK + json.dumps({"samples": found, "extras": extras}), flush=True)
