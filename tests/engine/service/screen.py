"""Whether what `status --json` says is what the terminal shows."""

from decimal import Decimal

from engine.attach import snapshot_from_document, status_document
from engine.desk.snapshot import Snapshot, StrategyStatus
from tui.rows.alerts import alert_blocks
from tui.rows.marks import assignment_word
from tui.rows.strategies import strategy_blocks


def assert_screen_agrees(snapshot: Snapshot) -> None:
    """Every status, leg, event and order of the status document stands on the screen."""
    document = status_document(snapshot)
    shown = snapshot_from_document(document)
    rows = {
        block.key: [row.text for row in block.draw()]
        for block in (*strategy_blocks(shown, width=120), *alert_blocks(shown, width=120))
    }
    for strategy in document["strategies"]:
        head, *below = rows[strategy["id"]]
        assert StrategyStatus(strategy["status"]).value in head, (strategy["status"], head)
        assert strategy["underlying"] in head
        for leg in strategy["legs"] if below else ():
            strike = f"{Decimal(leg['strike']).normalize():f}"
            lines = [text for text in below if f" {strike} " in text and leg["right"] in text]
            held = int(Decimal(leg["held"]))
            assert not held or any(f"{held:+d}" in line for line in lines), (leg, below)
    for event, view in zip(document["assignments"], shown.assignments, strict=True):
        text = " ".join(rows[f"assignment:{event['id']}"])
        assert assignment_word(view.kind) in text, (event, text)
    for alert in document["alerts"]:
        text = " ".join(rows[f"alert:{alert['id']}"])
        assert alert["title"].split()[0] in text, (alert, text)
