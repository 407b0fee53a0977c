"""IB's objects as ours, and ours as IB's. Pure.

What cannot be understood is a ValueError; a kind of contract that is not guarded here (futures,
bonds, currencies) is None.
"""

from datetime import date
from decimal import Decimal

from ib_insync.contract import Contract, ContractDetails
from ib_insync.objects import Execution as IbExecution
from ib_insync.objects import PriceIncrement

from engine.desk.facts import Execution, ExecutionOrigin, OrderType, Side
from engine.desk.instruments import Instrument, OptionContract, PriceStep, Right, Stock
from engine.desk.orders import is_ours
from engine.desk.text import clean_text
from engine.venues.ib.wire import IbOrder
from engine.venues.port import PricedOrder

SMART = "SMART"
_UNSET = 1e300
_RIGHTS = {"C": Right.CALL, "CALL": Right.CALL, "P": Right.PUT, "PUT": Right.PUT}
_SIDES = {"BOT": Side.BUY, "SLD": Side.SELL}
_LIQUIDATOR_ORDER_ID = -1
# Setting its hundred fields one by one is the longest step of spelling an order out.
_DEFAULTS = vars(IbOrder())


def decimal_of(value: float) -> Decimal:
    """Take a figure as the venue wrote it: 200.0 is 200, 4.15 is 4.15. NaN is a ValueError."""
    if value.is_integer():
        return Decimal(int(value))
    number = Decimal(repr(value))
    if not number.is_finite():
        raise ValueError(f"{value} is no number")
    return number


def cost_of(value: float) -> Decimal | None:
    return decimal_of(value) if abs(value) < _UNSET else None


def instrument_of(contract: Contract) -> Instrument | None:
    """Understand a contract of a position or execution; its exchange may be blank."""
    if contract.conId <= 0:
        raise ValueError(f"contract id {contract.conId}")
    if contract.secType == "STK":
        return Stock(
            ref=str(contract.conId),
            symbol=clean_text(contract.symbol),
            currency=clean_text(contract.currency),
        )
    if contract.secType != "OPT":
        return None
    expiry = contract.lastTradeDateOrContractMonth
    return OptionContract(
        ref=str(contract.conId),
        underlying=clean_text(contract.symbol),
        right=_RIGHTS[contract.right.upper()],
        strike=decimal_of(contract.strike),
        expiry=date(int(expiry[:4]), int(expiry[4:6]), int(expiry[6:8])),
        multiplier=Decimal(contract.multiplier or "100"),
        currency=clean_text(contract.currency),
        trading_class=clean_text(contract.tradingClass),
    )


def contract_of(instrument: Instrument) -> Contract | None:
    """Name an instrument to IB, routed SMART. None for one that IB cannot know."""
    if not instrument.ref.isdecimal():
        return None
    match instrument:
        case Stock():
            return Contract(
                secType="STK",
                conId=int(instrument.ref),
                symbol=instrument.symbol,
                exchange=SMART,
                currency=instrument.currency,
            )
        case OptionContract():
            return Contract(
                secType="OPT",
                conId=int(instrument.ref),
                symbol=instrument.underlying,
                lastTradeDateOrContractMonth=f"{instrument.expiry:%Y%m%d}",
                strike=float(instrument.strike),
                right=instrument.right.value,
                multiplier=f"{instrument.multiplier:f}",
                exchange=SMART,
                currency=instrument.currency,
                tradingClass=instrument.trading_class,
            )
        case _:
            return None


def order_of(order: PricedOrder) -> IbOrder:
    """Spell an order out: account, time in force and our id always, no OCA group ever.

    Position guards are ours alone: IB has no reduce-only flag.
    """
    quantity = order.quantity
    whole = quantity == quantity.to_integral_value()
    ours = IbOrder.__new__(IbOrder)
    vars(ours).update(
        _DEFAULTS,
        action=order.side.value,
        totalQuantity=int(quantity) if whole else float(quantity),
        orderType="MKT",
        tif="DAY",
        account=order.account,
        orderRef=order.client_order_id,
        outsideRth=order.outside_rth,
        transmit=True,
    )
    if order.order_type is OrderType.LIMIT:
        if order.limit_price is None:
            raise ValueError("a limit order without its limit")
        ours.orderType = "LMT"
        ours.lmtPrice = float(order.limit_price)
    return ours


def probe_of(account: str, held: Decimal) -> IbOrder:
    """An order that only asks "what if": never executed, refused when the API is read-only."""
    return what_if_of(account, Side.SELL if held > 0 else Side.BUY, Decimal(1))


def what_if_of(account: str, side: Side, quantity: Decimal) -> IbOrder:
    """An order that only asks what it would do to the margin: it has no name of ours."""
    return IbOrder(
        action=side.value,
        totalQuantity=float(quantity),
        orderType="MKT",
        tif="DAY",
        account=account,
        whatIf=True,
    )


def execution_of(contract: Contract, execution: IbExecution) -> Execution | None:
    """Understand an execution, whoever caused it. None for contracts that are not guarded."""
    instrument = instrument_of(contract)
    if instrument is None:
        return None
    execution_id, revision = split_execution_id(execution.execId)
    ours = is_ours(execution.orderRef)
    return Execution(
        execution_id=execution_id,
        revision=revision,
        account=execution.acctNumber,
        instrument=instrument,
        side=_SIDES[execution.side],
        quantity=decimal_of(execution.shares),
        price=decimal_of(execution.price),
        at=execution.time,
        origin=_origin(execution, ours),
        client_order_id=execution.orderRef if ours else None,
    )


def split_execution_id(text: str) -> tuple[str, int]:
    """Part `0000e0d5.67fe667b.01.02` into its id and revision 2: a correction raises the last."""
    stem, dot, last = text.rpartition(".")
    if dot and stem and last.isdecimal():
        return clean_text(stem), int(last)
    return clean_text(text), 1


def price_steps(increments: list[PriceIncrement]) -> tuple[PriceStep, ...]:
    steps = [
        PriceStep(from_price=decimal_of(one.lowEdge), increment=decimal_of(one.increment))
        for one in increments
        if one.increment > 0
    ]
    return tuple(sorted(steps, key=lambda step: step.from_price))


def market_rule_id(details: ContractDetails) -> int | None:
    """Find SMART's rule: marketRuleIds pair one to one with validExchanges."""
    rules = [rule for rule in details.marketRuleIds.split(",") if rule.strip()]
    exchanges = details.validExchanges.split(",")
    if not rules:
        return None
    at = exchanges.index(SMART) if SMART in exchanges else 0
    return int(rules[at] if at < len(rules) else rules[0])


def _origin(execution: IbExecution, ours: bool) -> ExecutionOrigin:
    """Say who caused it. Source: IB API, Execution.liquidation, orderId, permId and clientId."""
    if ours:
        return ExecutionOrigin.OURS
    liquidator = execution.clientId == 0 and execution.orderId == _LIQUIDATOR_ORDER_ID
    if execution.liquidation > 0 or liquidator:
        return ExecutionOrigin.LIQUIDATION
    if execution.orderId == 0 and execution.permId == 0:
        return ExecutionOrigin.BROKER
    return ExecutionOrigin.HAND
