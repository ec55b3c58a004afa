"""`aggregator watch`: each command stands in a file of its own, `watch_<command>.py`."""

from __future__ import annotations

import typer

from aggregator.cli import watch_backtest, watch_import, watch_lint, watch_list, watch_test, watch_why

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def watch() -> None:
    """List watchlists, try them on texts and on the archive, and see why they find what they find."""


app.command("list")(watch_list.list_)
app.command("test")(watch_test.try_)
app.command("backtest")(watch_backtest.backtest)
app.command("why")(watch_why.why)
app.command("lint")(watch_lint.lint)
app.command("import")(watch_import.import_)
