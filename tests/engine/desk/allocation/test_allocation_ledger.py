"""The ledger: nothing promised twice, whatever order fills and balances are told in."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.desk.allocation.ledger import Ledger
from engine.desk.facts import ResetRequested
from engine.desk.intents import Purpose
from tests.engine.desk.allocation.spot_exchange import NOON
from tests.engine.desk.allocation.spot_world import OWNERS, SpotWorld, parameters

BTC, ETH, BNB = "BTCUSDT", "ETHUSDT", "BNBUSDT"
D = Decimal


def ledger(free: str = "1000") -> Ledger:
    made = Ledger()
    made.tell(D(free), NOON)
    return made


def reserve(of: Ledger, symbol: str, amount: str) -> bool:
    return of.reserve(symbol, D(amount), NOON, f"order of {symbol}")


@pytest.mark.parametrize(
    ("total", "percent", "whole", "amount"),
    [
        ("1000", "33.3", "100", "333.00"),
        ("1000", "33.3", "99.9", "333.33"),
        ("1000", "33.33", "100", "333.30"),
        ("999.99", "33.3", "100", "332.99"),
        ("0.03", "33.3", "100", "0.00"),
    ],
)
def test_a_share_is_rounded_down_to_the_cent(
    total: str, percent: str, whole: str, amount: str
) -> None:
    assert ledger(total).share(D(percent), D(whole)) == D(amount)


def test_one_reservation_a_symbol_and_never_more_than_there_is() -> None:
    book = ledger()
    assert reserve(book, "A", "600")
    assert not reserve(book, "A", "100")
    assert not reserve(book, "B", "400.01")
    assert reserve(book, "B", "400")
    assert not reserve(book, "C", "0.01")
    assert (book.total, book.reserved, book.available) == (1000, 1000, 0)


def test_nothing_can_be_reserved_before_a_balance() -> None:
    assert not reserve(Ledger(), "A", "1")


@pytest.mark.parametrize("balance_first", [True, False])
def test_the_total_is_the_same_whether_fill_or_balance_comes_first(balance_first: bool) -> None:
    book = ledger()
    reserve(book, "A", "400")
    told = [lambda: book.tell(D(600), NOON), lambda: book.spend("A", D(400), NOON)]
    for tell in told if balance_first else reversed(told):
        tell()
        assert book.total == 1000
        assert reserve(book, "B", "500")
        book.release("B")
    assert book.settles_at is None


def test_a_profit_and_a_loss_come_in_with_the_release() -> None:
    book = ledger()
    reserve(book, "A", "400")
    book.spend("A", D(400), NOON)
    book.bought("A", whole=True)
    book.earn("A", D(460), NOON)
    assert book.total == 1000
    assert book.release("A") == 400
    assert (book.total, book.reserved) == (1060, 0)


def test_a_withdrawal_counts_when_no_fill_explains_it() -> None:
    book = ledger()
    reserve(book, "A", "400")
    book.tell(D(700), NOON)
    # 300 less may be the buy under way: it does not hold the next one up.
    assert book.spendable == 600
    book.tell(D(500), NOON)
    assert book.spendable == 500
    assert book.settle(NOON + timedelta(seconds=9), under_way=True) == 0
    assert book.settle(NOON + timedelta(seconds=4), under_way=False) == 0
    assert book.settle(NOON + timedelta(seconds=5), under_way=False) == -500
    assert (book.total, book.available) == (500, 100)


def test_a_balance_told_before_a_fill_is_no_evidence() -> None:
    book = ledger()
    reserve(book, "A", "400")
    book.spend("A", D(400), NOON)
    assert book.settle(NOON + timedelta(seconds=60), under_way=False) == 0
    assert book.total == 1000
    # Told again after the fill, the same figure is a deposit.
    assert book.tell(D(1000), NOON)
    assert book.settle(NOON + timedelta(seconds=60), under_way=False) == 400


def test_a_deposit_counts_at_once_when_nothing_is_reserved() -> None:
    book = ledger()
    assert book.tell(D(2000), NOON)
    assert not book.tell(D(2000), NOON)
    assert book.total == 2000


def test_a_debt_is_paid_by_the_next_release() -> None:
    book = ledger()
    reserve(book, "A", "900")
    book.tell(D(50), NOON)
    book.settle(NOON + timedelta(seconds=5), under_way=False)
    assert (book.available, book.reserved <= book.total) == (0, True)
    book.release("A")
    assert book.total == 50


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["reserve", "spend", "earn", "bought", "release", "force", "tell", "settle"]
        ),
        st.sampled_from("ABCDE"),
        st.decimals(0, 900, places=2),
        st.booleans(),
    ),
    max_size=60,
)


@given(moves)
def test_the_sums_hold_after_every_move(story: list[tuple[str, str, Decimal, bool]]) -> None:
    book, now = ledger(), NOON
    for word, symbol, amount, flag in story:
        now += timedelta(seconds=3)
        known = symbol in book.claims
        if word == "reserve":
            before = book.available
            taken = book.reserve(symbol, amount, now, "x")
            assert not taken or (not known and book.available == before - amount)
        elif word == "spend" and known:
            book.spend(symbol, amount, now)
        elif word == "earn" and known:
            book.earn(symbol, amount, now)
        elif word == "bought" and known:
            book.bought(symbol, whole=flag)
        elif word == "release" and known:
            book.release(symbol)
        elif word == "force" and known:
            book.force(symbol)
        elif word == "tell":
            book.tell(amount, now)
        elif word == "settle":
            book.settle(now, under_way=flag)
        claims = book.claims.values()
        assert book.reserved == sum(c.amount for c in claims if c.reserved)
        assert 0 <= book.reserved <= book.total
        assert book.total == book.available + sum(c.amount for c in claims)


# --- reset ----------------------------------------------------------------------------------------


def reset(world: SpotWorld, *, force: bool) -> str:
    asked = ResetRequested(request_id="r", force=force, by="me")
    [answer] = world.tell(asked).answers
    assert answer.ok
    return answer.message


def test_a_reset_keeps_what_an_order_or_a_position_stands_behind_and_says_so() -> None:
    world = SpotWorld()
    world.signal(BTC)
    world.signal(ETH, run=False)
    world.lose.add(Purpose.ENTRY)
    world.signal(BNB, run=False)
    assert world.set(BTC).would_keep == "a position of 0.00666 BTC stands behind it"
    assert world.set(ETH).would_keep == "an order of it is live"
    said = reset(world, force=False)
    assert said.startswith("Nothing was released. Kept BTCUSDT: a position of 0.00666 BTC")
    assert "ETHUSDT: an order of it is live" in said
    assert world.allocation.totalReserved == 999.0


def test_fills_not_yet_shown_stand_behind_a_reservation() -> None:
    world = SpotWorld()
    world.signal(ETH, run=False)
    done = world.answers.pop()
    world.answers.clear()
    world.tell(done)
    assert "ETHUSDT: the fills of its order are not known yet" in reset(world, force=False)


def test_a_reservation_nothing_stands_behind_is_released() -> None:
    world = SpotWorld()
    world.vanish.add(Purpose.ENTRY)
    world.signal(ETH, run=False)
    world.unlink()
    # The book shows that the buy never arrived; the link is not ready to send it again.
    world.later(11)
    world.now += timedelta(seconds=1)
    world.tell(world.exchange.snapshot(world.now))
    assert world.allocation.totalReserved == 333.0
    assert world.set(ETH).would_keep == ""
    assert reset(world, force=False) == "Released $333.00 for ETHUSDT."
    assert world.allocation.totalReserved == 0.0
    world.link()
    world.deliver()
    assert len(world.sent) == 1


def test_force_releases_all_and_positions_still_count_against_what_is_available() -> None:
    world = SpotWorld()
    for symbol in (BTC, ETH):
        world.signal(symbol)
    world.signal(BNB, run=False)
    said = reset(world, force=True)
    assert "Released $333.00 for BTCUSDT, though a position" in said
    view = world.allocation
    assert view.reservations == ()
    assert (view.totalBalance, view.totalReserved, view.availableBalance) == (1000.0, 0.0, 1.0)
    world.deliver()
    world.signal(BTC)
    assert world.lines[-1] == "Already have position in BTCUSDT, skipping buy signal"
    world.move(BTC, "57500")
    assert world.allocation.availableBalance == 383.95
    world.signal(BTC)
    assert world.allocation.totalReserved == 349.63
    assert len(world.of(Purpose.ENTRY)) == 4
    assert "was released before" in reset(world, force=True)


def test_a_reset_without_allocation_is_refused() -> None:
    from engine.desk.desk import Desk

    asked = ResetRequested(request_id="r", force=True, by="me")
    [answer] = Desk().apply([asked], NOON).answers
    assert (answer.ok, answer.message) == (False, "No allocation desk is configured.")


def test_commissions_in_the_quote_are_paid_out_of_what_is_free() -> None:
    world = SpotWorld(sets=[parameters(BTC, "50", "5", "15", "2")])
    world.exchange.fee, world.exchange.fee_in = D("0.001"), "quote"
    world.signal(BTC)
    assert (world.allocation.totalBalance, world.allocation.availableBalance) == (1000.0, 499.5)
    world.move(BTC, "57500")
    assert D(repr(world.allocation.availableBalance)) == world.exchange.cash


def test_the_owners_percents_are_written_as_the_owner_wrote_them() -> None:
    world = SpotWorld(sets=OWNERS)
    world.signal(BNB)
    assert "Reserved $333.00 (33.3%) for BNBUSDT" in world.lines
