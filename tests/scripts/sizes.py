#!/usr/bin/env python3
"""Holds our Rust code at HEAD to its sizes: sizes.py MEASURE, with the path of measure-rs.py.

The median file is at most 130 lines, none is over 800, no function is over 90, and nothing outside tests unwraps.
The measure is printed, then each breach; the exit code is 1 when there is one.
"""

import re
import subprocess
import sys


def numbers(pattern: str, report: str) -> list[float]:
    """The numbers of the pattern's first match. A report that lacks them is a fault, not a pass."""
    found = re.search(pattern, report)
    if found is None:
        sys.exit(f"The measure no longer says {pattern!r}: adapt tests/scripts/sizes.py.")
    return [float(group) for group in found.groups()]


def breaches(report: str) -> list[str]:
    median, largest = numbers(r"code med/p95/max (\d+)/\d+/(\d+)", report)
    [unwraps] = numbers(r"unwrap/kloc\(code\) ([\d.]+)", report)
    functions = re.findall(r"^  (\d+) (\S+:\d+)$", report.partition("longest functions:")[2], re.MULTILINE)
    found = []
    if median > 130:
        found.append(f"the median file has {median:.0f} lines; at most 130")
    if largest > 800:
        found.append(f"the largest file has {largest:.0f} lines; at most 800")
    found += [f"the function at {place} has {lines} lines; at most 90" for lines, place in functions if int(lines) > 90]
    if unwraps > 0:
        found.append(
            f"{unwraps} unwraps per 1000 lines outside tests; none is allowed. The measure knows tests by "
            "`mod tests {` without `pub(crate)`, by the file tests.rs and by a folder tests/"
        )
    return found


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    report = subprocess.run(
        [sys.executable, sys.argv[1], "."], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout
    print(report, end="")
    found = breaches(report)
    for breach in found:
        print(f"Too large: {breach}.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
