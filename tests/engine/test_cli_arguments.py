"""Arguments the command does not take: one plain line that says what is allowed, and exit 2."""

import pytest

from engine.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frob", "x"], "There is no command 'frob'. Commands: adopt, arm, attach, check, "),
        (["journal", "x"], "bulkhead journal takes no 'x'. See bulkhead journal --help."),
        (["engine", "--bogus"], "Unknown option: --bogus. See bulkhead engine --help."),
        (["status", "--jsn"], "Did you mean --json?"),
        (["drill", "foo"], "Available commands: assignment."),
        (["close"], "Say what to close: `bulkhead close ID`, or `bulkhead close --all`."),
    ],
)
def test_arguments_that_are_not_taken(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not out
