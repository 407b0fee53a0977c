"""Recorded messages of a real TWS through the guarded decoder, and what is no message."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from ib_insync.contract import Contract, ContractDetails
from ib_insync.objects import Execution as IbExecution
from ib_insync.objects import PriceIncrement

from engine.desk.facts import ExecutionOrigin, Side
from engine.desk.instruments import Stock
from engine.venues.ib import translate
from engine.venues.ib.wire import make_connection
from engine.venues.ib.wrapper import Wrapper
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="recorded messages not at hand")


class Ear:
    """Remembers every call, whatever it is."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> object:
        return lambda *args: self.heard.append((name, *args))

    def of(self, name: str) -> list[tuple[object, ...]]:
        return [call[1:] for call in self.heard if call[0] == name]


def ear_after(*kinds: str, containing: str = "", version: int = 176) -> Ear:
    """Play the recorded messages of these kinds to the decoder."""
    ear = Ear()
    connection = make_connection(
        Wrapper(ear),  # type: ignore[arg-type]
        ZoneInfo("US/Eastern"),
        started=lambda: None,
        failed=lambda _: None,
        lost=lambda _: None,
        broken=lambda *_: None,
    )
    connection.library.decoder.serverVersion = version
    for line in RECORDED.read_text().splitlines():
        fields = line.split("|")[:-1] if line.endswith("|") else line.split("|")
        if fields[0] in kinds and containing in line:
            connection.library.decoder.interpret(fields)
    return ear


def test_a_recorded_position_row_is_understood() -> None:
    ((account, contract, held, cost),) = ear_after("61").of("position")
    assert isinstance(contract, Contract)
    assert translate.instrument_of(contract) == Stock(ref="76792991", symbol="TSLA", currency="USD")
    assert (account, held, cost) == ("DU1234567", 500.0, 196.77)


def test_a_recorded_execution_is_a_hand_trade_at_the_login_zones_time() -> None:
    ((contract, execution),) = ear_after("11", containing="20250415").of("execution")
    assert isinstance(contract, Contract)
    assert isinstance(execution, IbExecution)
    one = translate.execution_of(contract, execution)
    assert one is not None
    assert one.origin is ExecutionOrigin.HAND
    assert (one.execution_id, one.revision) == ("0000e0d5.67fe667b.01", 1)
    assert (one.side, one.quantity, one.price) == (Side.BUY, 100, Decimal("201.94"))
    assert one.at == datetime(2025, 4, 15, 23, 38, 31, tzinfo=UTC)


def test_recorded_statuses_and_errors_are_handed_on() -> None:
    ear = ear_after("3", "4")
    assert {call[3] for call in ear.of("order_status")} == {"Filled", "PreSubmitted", "Cancelled"}
    assert {202, 2104, 2107, 2158} == {call[1] for call in ear.of("message")}


def test_recorded_market_rules_become_price_steps() -> None:
    ear = ear_after("93")
    rules = [increments for _, increments in ear.of("market_rule")]
    assert isinstance(rules[1], list)
    assert all(isinstance(one, PriceIncrement) for one in rules[1])
    steps = translate.price_steps(rules[1])
    assert [(s.from_price, s.increment) for s in steps] == [
        (Decimal(0), Decimal("0.01")),
        (Decimal(100), Decimal("0.05")),
        (Decimal(1000), Decimal("0.1")),
    ]


def test_recorded_contract_details_name_their_rule_and_hours() -> None:
    ear = ear_after("10", containing="TSLA")
    rows = [details for _, details in ear.of("details_row")]
    assert rows
    for details in rows:
        assert isinstance(details, ContractDetails)
        assert translate.market_rule_id(details) == 26
        assert details.timeZoneId == "US/Eastern"


def test_a_message_that_cannot_be_read_is_a_fault_with_its_fields() -> None:
    ear = Ear()
    connection = make_connection(
        Wrapper(ear),  # type: ignore[arg-type]
        ZoneInfo("US/Eastern"),
        started=lambda: None,
        failed=lambda _: None,
        lost=lambda _: None,
        broken=lambda *_: None,
    )
    for fields in (["61", "3", "DU1"], ["3", "x"], ["nonsense"], ["62", "1"]):
        connection.library.decoder.interpret(fields)
    assert [fields for fields, _ in ear.of("fault")] == [
        ["61", "3", "DU1"],
        ["3", "x"],
        ["nonsense"],
    ]
    assert ear.of("positions_end") == [()]
