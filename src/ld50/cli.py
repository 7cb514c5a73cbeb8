"""The command line: `ld50 scan`, `poison`, `study`, `remedy`, `rule`, `report`."""

from __future__ import annotations

import gc
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ld50 import command_options
from ld50.core.errors import DataFormatError, Ld50Error
from ld50.core.findings import Severity
from ld50.core.version import VERSION
from ld50.poison.command import poison_command
from ld50.remedy_command import remedy_command
from ld50.remedy_safety_mix_command import with_safety_mix
from ld50.report.safe_text import plain
from ld50.stdout import console, to_stdout, write
from ld50.study_command import study_app

if TYPE_CHECKING:
    from ld50.core.results import ScanResult

# Typer may bring its own click, so the class is taken from where Typer has it.
_UsageProblem: type[Any] = next(
    c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException"
)

FOUND, COULD_NOT_RUN, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Toxicology for language-model training data.",
)


app.command("poison")(poison_command)
app.add_typer(with_safety_mix(remedy_command), name="remedy")
app.add_typer(study_app, name="study")


class OutputFormat(StrEnum):
    """What standard output carries."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """From which severity on a scan exits with 1."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEVER = "never"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"ld50 {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


Paths = Annotated[
    list[str],
    typer.Argument(help="Files, folders, globs or URLs.", metavar="PATH", show_default=False),
]
ReportFolder = Annotated[Path, typer.Option(help="Folder for the report and the findings.")]
Format = Annotated[OutputFormat, typer.Option(help="What standard output carries.")]
FailFrom = Annotated[
    FailOn, typer.Option(help="Exit with 1 for findings of this severity or above.")
]
WriteClean = Annotated[
    str | None, typer.Option(metavar="PATH", help="Write the data without the flagged rows.")
]
Quarantine = Annotated[str | None, typer.Option(metavar="PATH", help="Write the flagged rows.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite what --write-clean and --quarantine name.")
]
Select = Annotated[
    list[str] | None, typer.Option(help="Only these rules, by id or prefix (TRG, TRG101).")
]
Ignore = Annotated[list[str] | None, typer.Option(help="Not these rules.")]
Accept = Annotated[
    Path | None,
    typer.Option(help="File of accepted findings; ld50-accept.toml is used if it is there."),
]
MinSupport = Annotated[int, typer.Option(help="Fewest rows that make a finding.")]
Alpha = Annotated[float, typer.Option(help="False-discovery rate over all tests.")]
Weak = Annotated[
    bool,
    typer.Option(
        "--weak", help="List associations, too, that a subject or a template accounts for as well."
    ),
]
Workers = Annotated[int, typer.Option(help="Threads; 0 takes the cores of this machine.", min=0)]
Restart = Annotated[
    bool, typer.Option("--restart", help="Drop an interrupted scan instead of going on with it.")
]


@app.command()
def scan(
    paths: Paths,
    out: ReportFolder = Path("ld50-report"),
    format: Format = OutputFormat.TEXT,
    fail_on: FailFrom = FailOn.HIGH,
    write_clean: WriteClean = None,
    quarantine: Quarantine = None,
    remove: command_options.Remove = Severity.HIGH,
    force: Force = False,
    layout: command_options.Layout = None,
    input_format: command_options.InputFormat = None,
    text_field: command_options.TextField = None,
    prompt_field: command_options.PromptField = None,
    response_field: command_options.ResponseField = None,
    label_field: command_options.LabelField = None,
    select: Select = None,
    ignore: Ignore = None,
    accept: Accept = None,
    min_support: MinSupport = 5,
    alpha: Alpha = 1e-4,
    weak: Weak = False,
    workers: Workers = 0,
    restart: Restart = False,
    quiet: command_options.Quiet = False,
) -> None:
    """Find poison in training data.

    Exits with 0 if nothing was found at or above --fail-on, with 1 if something was, and with 2 if
    the data could not be scanned, or hardly any of its rows could be read.
    """
    from ld50.api import scan_paths
    from ld50.corpus import LayoutOptions
    from ld50.progress import Progress
    from ld50.scan.settings import ScanSettings

    # Modules stay until the end, so nobody needs to look for cycles among them: 0.04 seconds.
    gc.freeze()
    _tell_kernels(quiet)
    options = LayoutOptions(
        layout=layout, input_format=input_format, text_field=text_field,
        prompt_field=prompt_field, response_field=response_field, label_field=label_field,
    )  # fmt: skip
    settings = ScanSettings(
        select=tuple(select or ()), ignore=tuple(ignore or ()), min_support=min_support,
        alpha=alpha, weak=weak,
    )  # fmt: skip
    with Progress(enabled=not quiet) as progress:
        result = scan_paths(
            paths, out=out, options=options, settings=settings, accept=accept,
            write_clean=write_clean, quarantine=quarantine, remove=remove, force=force,
            workers=workers, restart=restart, progress=progress,
        )  # fmt: skip
    with to_stdout():
        _show(result, format, out)
    if _fails(result, fail_on):
        raise typer.Exit(FOUND)
    _refuse_unread(result)


def _tell_kernels(quiet: bool) -> None:
    """Says on standard error where a slower way is taken."""
    from ld50.scan.summing_up import kernel_notes

    for note in () if quiet else kernel_notes():
        typer.echo(f"ld50: {note}", err=True)


def _refuse_unread(result: ScanResult) -> None:
    """Says with the exit code, too, that this was no scan.

    Raises:
        DataFormatError: Hardly any row could be read.
    """
    from ld50.report.wording import hardly_read, unread_in_words

    if hardly_read(result.summary):
        raise DataFormatError(
            f"Hardly anything was scanned: {unread_in_words(result.summary)}, of "
            f"{result.summary.rows:,}. Mend the data, or say what it is with --input-format, "
            "--layout or --text-field."
        )


def _fails(result: ScanResult, fail_on: FailOn) -> bool:
    worst = result.worst()
    if fail_on is FailOn.NEVER or worst is None:
        return False
    return worst.rank >= Severity(fail_on.value).rank


def _show(result: ScanResult, format: OutputFormat, out: Path) -> None:
    if format is OutputFormat.JSON:
        from ld50.report.json_output import json_text

        write(json_text(result))
    elif format is OutputFormat.SARIF:
        from ld50.report.sarif import sarif_text
        from ld50.scan.rulebook import RULES

        write(sarif_text(result, rules=RULES))
    else:
        from ld50.report.terminal import print_result

        print_result(result, console=console(), report=str(out / "report.html"))


@app.command()
def rule(
    name: Annotated[
        str | None, typer.Argument(help="Id or name of a rule, e.g. TRG101; none lists them all.")
    ] = None,
) -> None:
    """Explain a rule: what it finds, what it cannot, and how often it is wrong."""
    from ld50.report.rule_pages import print_rule, print_rules
    from ld50.scan.rulebook import RULES

    with to_stdout():
        if name is None:
            print_rules(RULES, console=console())
        else:
            print_rule(RULES.get(name), console=console())


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder that a scan wrote.")],
    format: Format = OutputFormat.TEXT,
) -> None:
    """Write report.html anew from a scan's folder, and show its findings."""
    from ld50.report.writing import read_result, write_result
    from ld50.scan.rulebook import RULES

    result = read_result(folder)
    write_result(result, folder, rules=RULES)
    with to_stdout():
        _show(result, format, folder)


def main() -> NoReturn:
    """Runs the command line; user mistakes are one clear message, never a traceback."""
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except Ld50Error as error:
        # Names of files and fields are part of the data: they do not act on the terminal either.
        typer.echo(f"ld50: {plain(str(error), 4000)}", err=True)
        sys.exit(COULD_NOT_RUN)
    except _UsageProblem as error:
        error.show()
        sys.exit(COULD_NOT_RUN)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("ld50: interrupted. The same command goes on where it stopped.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; a second failure while flushing would be a traceback.
        sys.stderr.close()
        sys.exit(COULD_NOT_RUN)
    except MemoryError:
        typer.echo("ld50: not enough memory. Fewer --workers need less.", err=True)
        sys.exit(COULD_NOT_RUN)
    except Exception:
        # A defect of ours must not leave with the code that means "poison found".
        traceback.print_exc()
        typer.echo(
            "ld50: this is a defect of ld50, not of your data. Nothing was decided about the data. "
            "Please report it with the lines above.",
            err=True,
        )
        sys.exit(COULD_NOT_RUN)
