"""Whether what `status --json` says is what the terminal shows."""

from decimal import Decimal
from typing import Any

from engine.attach import snapshot_from_document, status_document
from engine.desk.snapshot import OrderState, Snapshot, StrategyStatus
from tui.journal import About, Topic
from tui.rows.alerts import alert_blocks
from tui.rows.details import detail_rows
from tui.rows.marks import assignment_word, order_mark
from tui.rows.scene import Scene
from tui.rows.strategies import strategy_blocks
from tui.tracks import Tracks

WIDTH = 200


def assert_screen_agrees(snapshot: Snapshot) -> None:
    """Every status, reason, leg, share, plan line, order, event and alert of the status document
    stands on the screen: on the dashboard, or on the details of its strategy."""
    document = status_document(snapshot)
    shown = snapshot_from_document(document)
    assert shown == snapshot_from_document(status_document(shown))
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
        _assert_details_agree(document, strategy, shown)
    for event, view in zip(document["assignments"], shown.assignments, strict=True):
        text = " ".join(rows[f"assignment:{event['id']}"])
        assert assignment_word(view.kind) in text, (event, text)
    for alert in document["alerts"]:
        text = " ".join(rows[f"alert:{alert['id']}"])
        assert alert["title"].split()[0] in text, (alert, text)


def _assert_details_agree(
    document: dict[str, Any], strategy: dict[str, Any], shown: Snapshot
) -> None:
    """The details screen of one strategy tells what the document tells of it."""
    scene = Scene(picture=shown, tracks=Tracks(), width=WIDTH, height=40)
    told = detail_rows(About(topic=Topic.STRATEGY, id=strategy["id"]), scene)
    assert told is not None
    lines = [row.text for row in told[1]]
    text = " ".join(" ".join(lines).split())
    assert strategy["status"] in text
    assert " ".join(strategy["reason"].split()) in text, (strategy["reason"], text)
    assert f"shares {_signed(strategy['shares'])} " in f"{text} ".replace("Legs", " ")
    for leg in strategy["legs"]:
        strike = _plain(leg["strike"])
        held, want = _signed(leg["held"]), _signed(leg["expected"])
        found = [one for one in lines if one.split()[:2] == [leg["right"], strike]]
        said = [" ".join(one.split()) for one in found]
        assert any(f"want {want} held {held} " in f"{one} " for one in said), (leg, said)
    for planned in strategy["plan"]:
        name, quantity = planned["instrument"], _plain(planned["quantity"])
        rows = [one.split() for one in lines]
        wanted = [planned["side"], quantity, *name.split()]
        assert any(row[1 : 1 + len(wanted)] == wanted for row in rows), (planned, lines)
        assert planned["reason"] in text, (planned, text)
    for order in document["orders"]:
        if order["strategy_id"] != strategy["id"]:
            continue
        mark = order_mark(OrderState(order["state"])).word
        wanted = [order["side"], _plain(order["quantity"]), *order["instrument"].split()]
        matching = [one for one in lines if mark in one and " ".join(wanted) in _spaced(one)]
        assert matching, (order, lines)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _plain(value: str) -> str:
    return f"{Decimal(value).normalize():f}" if Decimal(value) else "0"


def _signed(value: str) -> str:
    plain = _plain(value)
    return f"+{plain}" if Decimal(value) > 0 else plain
