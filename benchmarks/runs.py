"""Runs `ld50 scan` as a user would, from the shell, and measures what it took."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: The program beside this interpreter first, so that a virtual environment need not be active.
PROGRAM = shutil.which("ld50", path=str(Path(sys.executable).parent)) or shutil.which("ld50")
DEFAULT_COMMAND = shlex.join([PROGRAM or "ld50", "scan"])
FOUND_SOMETHING = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a command cost. Processor time and memory are the kernel's own account of it."""

    returncode: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    stderr: str


#: Started between this process and the command: the kernel counts the memory of whoever forks a
#: process as that process's own, and a benchmark that holds a corpus is larger than the scan.
LAUNCHER = """
import json, os, subprocess, sys, time
cores, report, *command = sys.argv[1:]
if int(cores):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
# An installed program has its modules compiled; a setting that forbids keeping them costs each
# start some 0.15 s.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
started = time.perf_counter()
process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
values = {
    "returncode": os.waitstatus_to_exitcode(status),
    "wall_seconds": time.perf_counter() - started,
    "cpu_seconds": usage.ru_utime + usage.ru_stime,
    "peak_bytes": usage.ru_maxrss * 1024,
}
with open(report, "w") as stream:
    json.dump(values, stream)
"""


def measured(command: Sequence[str], *, cores: int = 0) -> Run:
    """Runs a command to its end; its standard output is thrown away.

    Args:
        command: Program and arguments.
        cores: Pin the command to the first so many of the cores it may use; 0 leaves it free.

    Raises:
        FileNotFoundError: There is no such program.
    """
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(command[0])
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        line = [sys.executable, "-S", "-I", "-c", LAUNCHER, str(cores), report.name, *command]
        done = subprocess.run(line, capture_output=True, check=False)
        stderr = done.stderr.decode(errors="replace")
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)} could not be started: {stderr[-500:]}")
        return Run(**json.loads(Path(report.name).read_text()), stderr=stderr)


def run_scan(
    paths: Sequence[Path],
    out: Path,
    *,
    command: str = DEFAULT_COMMAND,
    options: Sequence[str] = (),
    cores: int = 0,
) -> Run:
    """Scans `paths` into an empty folder `out`.

    Raises:
        RuntimeError: The scan could not run (an exit code other than 0 and 1).
    """
    shutil.rmtree(out, ignore_errors=True)
    line = [*shlex.split(command), *map(str, paths), "--out", str(out), *options]
    run = measured(line, cores=cores)
    if run.returncode not in (0, FOUND_SOMETHING):
        raise RuntimeError(f"{shlex.join(line)} ended with {run.returncode}:\n{run.stderr[-2000:]}")
    return run
