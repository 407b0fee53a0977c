"""From the second position row of an assignment to the first closing order, beside a bare program.

Run `python -m tests.benchmarks.reaction`. The bare program is ib_insync answering the stock row
with placeOrder and nothing else. Both meet the same TWS, one after the other; prints ratios.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.attach import AttachClient, AttachError, Role
from tests.fakes.tws.control import Control
from tests.fakes.tws.hours import closed_at
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Position, Right, option, stock
from tests.fakes.tws.scenes import ACCOUNT, EXPIRY, SPY

ASSIGNMENTS = 200
FIRST = 900_000_000

_BARE = """
import sys
from ib_insync import IB, MarketOrder, Stock
ib = IB()
def on_position(position):
    if position.contract.secType == "STK" and position.position > 0:
        contract = Stock(conId=position.contract.conId, symbol="SPY", exchange="SMART")
        order = MarketOrder("SELL", 100, account=position.account, tif="DAY")
        ib.placeOrder(contract, order)
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=17)
ib.positionEvent += on_position
print("ready", flush=True)
ib.run()
"""


def stage(control: Control) -> None:
    """Hold one short put at each of many strikes; options closed, stock trading."""
    now = datetime.now(UTC)
    underlying = stock(SPY, "SPY")
    closed = closed_at(now, timedelta(hours=30))
    for number in range(ASSIGNMENTS):
        put = option(FIRST + number, underlying, Right.PUT, Decimal(200 + number), EXPIRY)
        control.set_instrument(replace(put, trading_hours=closed, liquid_hours=closed))
        held = Position(account=ACCOUNT, con_id=put.con_id, quantity=Decimal(-1))
        control.set_position(held, push=False)


def assign_all(control: Control) -> list[float]:
    """Assign one after the other; microseconds from the second row to the order."""
    found = []
    for number in range(ASSIGNMENTS):
        before = sum(not o.what_if for o in control.order_records())
        event = control.assign(FIRST + number)
        control.flat(SPY, ACCOUNT)
        order = [o for o in control.order_records() if not o.what_if][before]
        found.append((order.arrived_ns - event.second_row_ns) / 1000)
    return found


def bare() -> list[float]:
    with tws_process(scene="condor") as tws:
        stage(tws.control)
        program = subprocess.Popen(
            [sys.executable, "-c", _BARE, str(tws.port)], stdout=subprocess.PIPE
        )
        assert program.stdout is not None
        program.stdout.readline()
        try:
            return assign_all(tws.control)
        finally:
            program.kill()
            program.wait()


def bulkhead() -> list[float]:
    with tws_process(scene="condor") as tws, tempfile.TemporaryDirectory() as folder:
        stage(tws.control)
        config = Path(folder) / "bulkhead.toml"
        config.write_text(_config(Path(folder) / "s", tws.port))
        program = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(config)],
            stderr=subprocess.DEVNULL,
        )
        try:
            asyncio.run(_ready(Path(folder) / "s" / "bulkhead.sock"))
            memory = Path(f"/proc/{program.pid}/statm").read_text().split()[1]
            print(f"engine resident: {int(memory) * os.sysconf('SC_PAGESIZE') / 1e6:.0f} MB")
            return assign_all(tws.control)
        finally:
            program.terminate()
            program.wait()


def _config(state: Path, port: int) -> str:
    head = (
        f'mode = "live"\n[engine]\nstate_dir = "{state}"\n[venues.ibkr]\nkind = "ib"\n'
        f'host = "127.0.0.1"\nport = {port}\nclient_id = 17\naccounts = ["{ACCOUNT}"]\n'
        '[options]\nvenue = "ibkr"\n'
    )
    return head + "".join(
        f'[[options.strategies]]\nid = "S{n}"\nkind = "single"\nunderlying = "SPY"\n'
        f'legs = [{{ right = "P", strike = "{200 + n}", expiry = "{EXPIRY}", quantity = -1 }}]\n'
        for n in range(ASSIGNMENTS)
    )


async def _ready(path: Path) -> None:
    """Wait until every strategy is seen whole and its hours are told."""
    while True:
        try:
            client = await AttachClient.connect(path, role=Role.READ_ONLY, client_name="bench")
        except AttachError:
            await asyncio.sleep(0.05)
            continue
        async with client:
            async for snapshot in client.snapshots():
                if snapshot.venues[0].state == "ready" and snapshot.venues[0].can_trade:
                    break
        # Contract details trickle within the message budget: some seconds for two hundred.
        await asyncio.sleep(ASSIGNMENTS / 10)
        return


def main() -> None:
    base, ours = bare(), bulkhead()
    for name, pick in (("median", 50), ("99th percentile", 99)):
        b, o = (statistics.quantiles(x, n=100)[pick - 1] for x in (base, ours))
        print(f"{name}: bare {b:.0f} us, bulkhead {o:.0f} us, ratio {o / b:.2f}")


if __name__ == "__main__":
    main()
