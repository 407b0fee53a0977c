"""The bulkhead command: names what there is, and turns every error into a line and an exit code.

Exit codes: 0 done; 1 the engine or a venue refused or failed; 2 bad arguments or config; 3 no
engine running. Errors are one or two plain lines on stderr; --json prints one document and nothing
else.
"""

import os
import sys

from cyclopts import App, CycloptsError, UnusedCliTokensError

from engine.attach import AttachError, EngineNotRunning
from engine.commands import acting, looking, running
from engine.commands.link import BAD_INPUT, DONE, NO_ENGINE, REFUSED
from engine.errors import BulkheadError, InputError

app = App(
    name="bulkhead",
    help="Watches for positions you did not choose, closes what is broken, once, and says why.",
    version_flags=["--version"],
    result_action="return_value",
)
app.default(running.default)
for command in (
    running.demo,
    running.engine,
    running.attach,
    looking.status,
    acting.close,
    acting.reset_allocations,
    acting.arm,
    acting.disarm,
    acting.guard,
    acting.adopt,
    looking.check,
    looking.doctor,
    looking.replay,
    running.stop,
):
    app.command(command)

drill = App(name="drill", help="Practise: demo and paper only.")
drill.command(acting.assignment)
app.command(drill)

journal = App(name="journal", help="The audit trail: what was seen, decided and sent.")
journal.default(looking.read_journal)
journal.command(looking.verify)
app.command(journal)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its code. No traceback reaches a person."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
        return DONE if code is None else int(code)
    except CycloptsError as error:
        print(_explained(error), file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except EngineNotRunning as error:
        print(error, file=sys.stderr)
        return NO_ENGINE
    except (AttachError, BulkheadError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _explained(error: CycloptsError) -> str:
    """Say what was wrong with the arguments, and where it stands what is allowed."""
    chain = error.command_chain or ()
    said = " ".join(("bulkhead", *chain))
    if not isinstance(error, UnusedCliTokensError):
        return f"{error} See {said} --help."
    word = (error.unused_tokens or [""])[0]
    if chain:
        return f"{said} takes no {word!r}. See {said} --help."
    names = sorted(name for name in app if not name.startswith("-"))
    return f"There is no command {word!r}. Commands: {', '.join(names)}."


if __name__ == "__main__":
    main()
