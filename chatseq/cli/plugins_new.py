"""`chatseq plugins new`: a package to begin with, whose tests pass at once."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say
from chatseq.hookspecs import PART_HOOKS
from chatseq.scaffold.write import write_package


@click.command()
@click.argument("name")
@click.option("--kind", required=True, help=f"What the plugin brings: {', '.join(PART_HOOKS)}.")
@click.option(
    "--folder",
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the folder NAME is put; here by default.",
)
@click.pass_context
def new(ctx: click.Context, name: str, kind: str, folder: Path) -> None:
    """Write a package for a plugin of your own, into the new folder NAME.

    It holds one part that works, its tests, and a README with the next steps.
    """
    written = write_package(registry_of(ctx), name, kind, folder)
    place = shlex.quote(str(written.folder))
    say(f"Wrote the {kind} '{written.names.part}' into {place}:")
    for file in written.files:
        say(f"  {file}")
    say("Next:")
    say(f"  pytest {place}")
    say(f"  pip install -e {place}")
    say(f"  chatseq plugins check {written.names.part}")
