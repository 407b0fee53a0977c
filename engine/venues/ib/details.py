"""How contracts trade: hours, ticks and settlement, asked once for each contract and connection.

Details are asked again when no answer came, and after half a day, because they tell only the next
few days' hours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from ib_insync.contract import Contract, ContractDetails
from ib_insync.objects import PriceIncrement

from engine.desk.facts import ContractDescribed
from engine.desk.instruments import ContractSpec, PriceStep, Session
from engine.venues.ib import codes
from engine.venues.ib.hours import parse_hours, zone_named
from engine.venues.ib.link import Link
from engine.venues.ib.pacer import Lane
from engine.venues.ib.translate import SMART, decimal_of, market_rule_id, price_steps

_ASK_AGAIN_SECONDS = 20.0
_STALE_SECONDS = 12 * 3600.0


@dataclass(slots=True)
class _Enquiry:
    """One contract whose details are wanted. details is the best row so far; queued: the question
    waits for its turn."""

    ref: str
    contract: Contract
    request: int = -1
    asked_at: float = 0.0
    queued: bool = False
    answered: bool = False
    hopeless: bool = False
    waits_for_rule: bool = False
    details: ContractDetails | None = None


class Details:
    """ref -> what was asked and answered; rule -> price steps, None while it is asked for.
    changed is called when an underlying became known, or more of one."""

    def __init__(self, link: Link, changed: Callable[[], None]) -> None:
        self._link = link
        self._changed = changed
        self._by_ref: dict[str, _Enquiry] = {}
        self._by_request: dict[int, _Enquiry] = {}
        self._rules: dict[int, tuple[PriceStep, ...] | None] = {}
        self._underlyings: set[str] = set()

    def want(self, ref: str, contract: Contract) -> None:
        if ref not in self._by_ref:
            self._by_ref[ref] = _Enquiry(ref=ref, contract=contract)
            self._ask(self._by_ref[ref])

    def underlying_of(self, ref: str) -> str | None:
        """The underlying's ref of an option whose details are known."""
        found = self._by_ref.get(ref)
        under = found.details.underConId if found and found.details else 0
        return str(under) if under > 0 else None

    def contract_of(self, ref: str) -> Contract | None:
        """A contract as its details name it, exchange and all."""
        found = self._by_ref.get(ref)
        return found.details.contract if found and found.details else None

    def tick(self) -> None:
        """Ask again for what was not answered, or long ago."""
        now = self._link.clock()
        for enquiry in self._by_ref.values():
            if enquiry.waits_for_rule:
                self._describe(enquiry)
            if enquiry.queued:
                continue
            patience = _STALE_SECONDS if enquiry.answered else _ASK_AGAIN_SECONDS
            if not enquiry.hopeless and now - enquiry.asked_at >= patience:
                self._ask(enquiry)

    def take(self, request: int, details: ContractDetails) -> None:
        """Take one row; of several, SMART's is the one."""
        enquiry = self._by_request.get(request)
        contract = details.contract
        if enquiry is None or contract is None or str(contract.conId) != enquiry.ref:
            return
        if not enquiry.answered or contract.exchange == SMART or enquiry.details is None:
            enquiry.details = details
            enquiry.answered = True

    def end(self, request: int) -> None:
        enquiry = self._by_request.pop(request, None)
        if enquiry is None:
            return
        if not enquiry.answered:
            enquiry.hopeless = True
            return
        if not self._wait_for_rule(enquiry):
            self._describe(enquiry)
        under = self.underlying_of(enquiry.ref)
        if under is None or under not in self._underlyings:
            self._underlyings.add(under or enquiry.ref)
            self._changed()

    def rule(self, rule_id: int, increments: list[PriceIncrement]) -> None:
        self._rules[rule_id] = price_steps(increments)
        for enquiry in self._by_ref.values():
            if enquiry.details is not None and market_rule_id(enquiry.details) == rule_id:
                self._describe(enquiry)

    def error(self, request: int, code: int, text: str) -> bool:
        """Take an error; False when it is about none of our requests."""
        enquiry = self._by_request.get(request)
        if enquiry is None:
            return False
        if code == codes.NO_SUCH_CONTRACT:
            enquiry.hopeless = True
        if not codes.is_informative(code):
            name = enquiry.contract.symbol or enquiry.ref
            self._link.warn(str(code), f"no contract details for {name}: {text}")
        return True

    def _ask(self, enquiry: _Enquiry) -> None:
        enquiry.queued, enquiry.answered = True, False
        # An underlying must not wait behind the hundreds of options that are written on it.
        lane = Lane.DETAILS if enquiry.contract.secType == "OPT" else Lane.QUESTIONS
        self._link.ask(lane, partial(self._send, enquiry))

    def _send(self, enquiry: _Enquiry) -> None:
        client = self._link.client
        self._by_request.pop(enquiry.request, None)
        enquiry.request = client.getReqId()
        enquiry.queued, enquiry.asked_at = False, self._link.clock()
        self._by_request[enquiry.request] = enquiry
        client.reqContractDetails(enquiry.request, enquiry.contract)

    def _wait_for_rule(self, enquiry: _Enquiry) -> bool:
        """Ask for the contract's price rule if it is not known; not for longer than one tick."""
        rule_id = market_rule_id(enquiry.details) if enquiry.details else None
        if rule_id is None or self._rules.get(rule_id) is not None:
            return False
        if rule_id not in self._rules:
            self._rules[rule_id] = None
            self._link.ask(Lane.QUESTIONS, partial(self._link.client.reqMarketRule, rule_id))
        enquiry.waits_for_rule = True
        return True

    def _describe(self, enquiry: _Enquiry) -> None:
        details = enquiry.details
        enquiry.waits_for_rule = False
        if details is None or details.contract is None:
            return
        rule_id = market_rule_id(details)
        trading, liquid, zone = self._hours(details)
        is_option = details.contract.secType == "OPT"
        self._link.emit(
            ContractDescribed(
                venue=self._link.venue,
                spec=ContractSpec(
                    ref=enquiry.ref,
                    trading=trading,
                    liquid=liquid,
                    time_zone=zone,
                    price_steps=(self._rules.get(rule_id) if rule_id is not None else None)
                    or _steps_of_min_tick(details),
                    cash_settled=is_option and details.underSecType == "IND",
                    underlying_ref=self.underlying_of(enquiry.ref) if is_option else None,
                ),
            )
        )

    def _hours(
        self, details: ContractDetails
    ) -> tuple[tuple[Session, ...], tuple[Session, ...], str]:
        """Read the hours; none at all when they cannot be read, and a person hears of it."""
        zone = zone_named(details.timeZoneId)
        name = details.longName or details.marketName
        if zone is None:
            unknown = f"unknown time zone {details.timeZoneId!r}: the hours of {name} are not known"
            self._link.warn("hours", unknown, critical=True)
            return (), (), "UTC"
        try:
            trading = parse_hours(details.tradingHours, zone)
            liquid = parse_hours(details.liquidHours, zone)
        except ValueError as error:
            self._link.warn("hours", f"the hours of {name} cannot be read: {error}", critical=True)
            return (), (), zone.key
        return trading, liquid, zone.key


def _steps_of_min_tick(details: ContractDetails) -> tuple[PriceStep, ...]:
    tick = decimal_of(details.minTick) if details.minTick > 0 else Decimal("0.01")
    return (PriceStep(from_price=Decimal(0), increment=tick),)
