"""What a part of the config amounts to, in plain words: an assignment manager, a parameter set, a
strategy, the account as its sets divide it.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from tui.config_draft import TableDraft
from tui.rows.figures import left, quantity

_FULL = Decimal(100)


def summary_of(list_key: str, entry: TableDraft) -> tuple[str, ...]:
    """The summary of an entry of this list; empty where there is nothing to say."""
    match list_key:
        case "assignment_managers":
            return tuple(_manager(entry))
        case "parameter_sets":
            return tuple(_parameter_set(entry))
        case "strategies":
            return tuple(_strategy(entry))
        case _:
            return ()


def line_of(list_key: str, entry: TableDraft) -> str:
    """An entry in one line, for the list it stands in."""
    match list_key:
        case "assignment_managers":
            mode = "closes at once" if _closes_at_once(entry) else "barriers"
            return f"{entry.value('venue') or '-'}  {_pairs(entry)}  {mode}"
        case "parameter_sets":
            share = _plain(entry.value("allocation_percent"))
            return (
                f"{share}%  z {_plain(entry.value('z_score_threshold'))}"
                f"  +{_plain(entry.value('profit_percent'))}%"
                f"  -{_plain(entry.value('stop_loss_percent'))}%"
            )
        case "strategies":
            legs = sum(len(below.kept) for below in entry.lists)
            kind = str(entry.value("kind") or "").replace("_", " ")
            return f"{kind}  {entry.value('underlying') or '-'}  {legs} legs"
        case "legs":
            contract = f"{entry.value('right') or '?'} {_plain(entry.value('strike'))}"
            return f"{_signed(entry.value('quantity'))}  {contract}  {entry.value('expiry') or '-'}"
        case _:
            shown = [one.shown for one in entry.fields if one.value is not None]
            return "  ".join(shown[:3])


def account_division(section: TableDraft) -> str:
    """How the parameter sets divide the account, in one sentence."""
    for below in section.lists:
        if below.form.key == "parameter_sets" and below.kept:
            shares = [_number(one.value("allocation_percent")) or Decimal(0) for one in below.kept]
            total = sum(shares, Decimal(0))
            count = f"{len(shares)} sets" if len(shares) != 1 else "1 set"
            if total > _FULL:
                return f"{count} together promise {quantity(total)}%: more than the account."
            free = quantity(_FULL - total)
            return (
                f"{count} together promise {quantity(total)}% of the account; {free}% stays free."
            )
    return ""


def _closes_at_once(entry: TableDraft) -> bool:
    return not _number(entry.value("time_limit"))


def _manager(entry: TableDraft) -> Iterator[str]:
    yield f"Watches {entry.value('venue') or 'no venue yet'}: {_pairs(entry)}."
    share = _plain(entry.value("close_percent"))
    order = str(entry.value("order_type") or "MARKET").lower()
    buffer = _percent(entry.value("slippage_buffer"))
    within = f", within {buffer} of the touch" if order == "market" and buffer else ""
    yield (
        f"Closes {share}% of an assigned position by {order} order{within}; an order older than "
        f"{_plain(entry.value('max_order_age'))} s is priced anew."
    )
    limit = _number(entry.value("time_limit"))
    if not limit:
        yield "Immediate close (time limit 0): no barriers are used."
        return
    yield f"Barriers: held at most {left(float(limit))}, then closed."
    stop, target = _percent(entry.value("stop_loss_pct")), _percent(entry.value("take_profit_pct"))
    yield f"Stop loss {stop or 'none'}, take profit {target or 'none'}."
    on = _percent(entry.value("trailing_stop_activation_pct"))
    gap = _percent(entry.value("trailing_stop_trailing_delta_pct"))
    if on and gap:
        yield f"Trailing stop from {on} gained, {gap} below the peak."
    if not stop and not (on and gap):
        yield "Nothing limits a loss before the time is over."


def _parameter_set(entry: TableDraft) -> Iterator[str]:
    symbol = entry.value("symbol") or "the symbol"
    share = _plain(entry.value("allocation_percent"))
    yield f"Reserves {share}% of the account for {symbol}."
    yield (
        f"Buys when its z-score reaches {_plain(entry.value('z_score_threshold'))}; sells "
        f"{_plain(entry.value('profit_percent'))}% above the price bought at, or "
        f"{_plain(entry.value('stop_loss_percent'))}% below it, by OCO."
    )


def _strategy(entry: TableDraft) -> Iterator[str]:
    kind = str(entry.value("kind") or "strategy").replace("_", " ")
    legs = [leg for below in entry.lists for leg in below.kept]
    sold = sum(1 for leg in legs if (_number(leg.value("quantity")) or 0) < 0)
    yield (
        f"An {kind}" if kind[:1] in "aeiou" else f"A {kind}"
    ) + f" on {entry.value('underlying') or '-'}: {len(legs)} legs, {sold} of them sold."
    yield "If a leg is assigned or goes missing, what is left is closed."


def _pairs(entry: TableDraft) -> str:
    if entry.value("all_trading_pairs"):
        return "every pair"
    value = entry.value("trading_pairs")
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else "no pair"


def _number(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _plain(value: object) -> str:
    number = _number(value)
    return "?" if number is None else quantity(number)


def _signed(value: object) -> str:
    number = _number(value)
    return "?" if number is None else quantity(number, signed=True)


def _percent(value: object) -> str:
    number = _number(value)
    return "" if number is None else f"{quantity(number * 100)}%"
