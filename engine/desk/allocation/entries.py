"""From a buy signal to a reservation and its order, or to the reason there is none."""

from decimal import Decimal

from engine.desk.allocation.bracket import floored, refusal
from engine.desk.allocation.episode import Episode
from engine.desk.allocation.flow import Flow
from engine.desk.allocation.ledger import Ledger
from engine.desk.allocation.watch import Watched
from engine.desk.facts import SignalRaised
from engine.desk.floor import Floor
from engine.desk.intents import Purpose


def enter(
    floor: Floor, ledger: Ledger, flow: Flow, watched: Watched, fact: SignalRaised, whole: Decimal
) -> Episode | str:
    """Reserve the symbol's share and send the buy; else say in the log's words why not.

    whole is what the percents of all sets are taken of: 100, or their sum where they are scaled.
    """
    symbol, parameters, instrument = fact.symbol, watched.parameters, watched.instrument
    failed = f"Failed to reserve funds for {symbol}: "
    passed = f"{symbol}: buy signal not taken, "
    obstacle = flow.obstacle(fact.venue)
    spec = floor.spec(fact.venue, instrument)
    if obstacle:
        return passed + obstacle
    if not instrument.base:
        return f"{passed}it is not quoted in {instrument.quote}"
    if spec is None:
        return f"{passed}its trading rules are not known yet"
    if not ledger.known:
        return f"{failed}the account's balance is not known yet"
    amount = ledger.share(parameters.allocation_percent, whole)
    if not 0 < amount <= ledger.spendable:
        return f"{failed}Insufficient funds"
    refused = refusal(amount, fact.price, parameters, spec)
    if refused:
        return passed + refused
    episode = Episode(
        # The bar names the trade: a journal that was lost and begun anew cannot derive its ids.
        name=f"{symbol}/{fact.bar_at:%Y%m%dT%H%M%S}",
        venue=fact.venue,
        instrument=instrument,
        parameters=parameters,
        signal_price=fact.price,
        begun_at=floor.now,
        amount=amount,
        expected=floored(amount / fact.price, spec),
    )
    if not ledger.reserve(symbol, amount, floor.now, flow.id_of(episode, Purpose.ENTRY)):
        return f"{failed}Insufficient funds"
    threshold, percent = _plain(parameters.z_score_threshold), _plain(parameters.allocation_percent)
    flow.buy(episode, f"z-score {fact.z_score:.2f} reached {threshold}")
    floor.write(f"Reserved ${amount:.2f} ({percent}%) for {symbol}", symbol)
    floor.write(f"Total reserved: ${ledger.reserved:.2f} / ${ledger.total:.2f}", symbol)
    return episode


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
