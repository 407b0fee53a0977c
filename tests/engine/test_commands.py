"""The commands as processes: what they print, where, and the exit code they end with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.test_two_processes import CONFIG, Bench, end, ready
from tests.fakes.tws.process import tws_process

TEN_FAULTS = """\
mode = "practice"
armed = "yes"
colour = 1
[venues.ibkr]
kind = "ib"
port = 70000
accounts = ["DU1234567"]
[options]
venue = "ibrk"
close_at_dte = -1
[[options.strategies]]
id = "A"
kind = "iron_condor"
underlying = "SPY"
legs = [
  { right = "X", strike = "440", expiry = "2026-12-18", quantity = -2 },
  { right = "P", strike = "-5", expiry = "2026-12-18", quantity = 2 },
  { right = "C", strike = "460", expiry = "2026-13-18", quantity = -2 },
  { right = "C", strike = "465", expiry = "2026-12-18", quantity = "two" } ]
"""
FAULTS = {
    1: "mode",
    2: "armed",
    3: "colour",
    6: "venues.ibkr.port",
    9: "options.venue",
    10: "options.close_at_dte",
    16: "options.strategies[0].legs[0].right",
    17: "options.strategies[0].legs[1].strike",
    18: "options.strategies[0].legs[2].expiry",
    19: "options.strategies[0].legs[3].quantity",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


def test_check_names_ten_faults_with_their_lines(bench: Bench) -> None:
    bench.config.write_text(TEN_FAULTS)
    answer = bench.bulkhead("check")
    assert (answer.returncode, answer.stdout) == (2, "")
    lines = answer.stderr.splitlines()
    for line, field in FAULTS.items():
        assert any(f"{bench.config}:{line}:" in told and field in told for told in lines), field
    assert len(lines) == len(FAULTS)
    assert "Traceback" not in answer.stderr


def test_check_of_a_good_config_ends_well(bench: Bench) -> None:
    answer = bench.bulkhead("check")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_doctor_without_an_engine_looks_for_itself(bench: Bench) -> None:
    answer = bench.bulkhead("doctor")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for text in ("link is ready", "takes orders", "book of DU1234567: 4 held", "its clock"):
        assert text in answer.stdout
    assert not [o for o in bench.tws.control.order_records() if not o.what_if]


async def test_doctor_asks_the_engine_that_runs(bench: Bench) -> None:
    engine = bench.engine()
    try:
        assert await bench.until(ready, engine)
        answer = bench.bulkhead("doctor", "--json")
        findings = json.loads(answer.stdout)
        assert answer.returncode == 0
        assert {"verdict": "ok", "about": "engine", "text": "runs, armed"} in findings
    finally:
        end(engine)


def test_doctor_says_what_would_stop_a_close(bench: Bench) -> None:
    bench.tws.control.set_read_only(True)
    answer = bench.bulkhead("doctor")
    assert answer.returncode == 1
    assert "cannot act" in answer.stdout


def test_doctor_of_a_broker_that_is_not_there(bench: Bench) -> None:
    bench.config.write_text(CONFIG.format(state=bench.state, port=1))
    answer = bench.bulkhead("doctor")
    assert answer.returncode == 1
    assert "fault" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


async def test_what_cannot_be_done_is_refused_in_one_line(bench: Bench) -> None:
    engine = bench.engine()
    try:
        assert await bench.until(ready, engine)
        for words, code, text in (
            (("close", "NOBODY", "--yes"), 2, "Declared: SPY-IC-1"),
            (("close",), 2, "Say what to close"),
            (("close", "SPY-IC-1"), 2, "--yes"),
            (("reset-allocations", "--yes"), 1, "No allocation desk is configured."),
            (("guard", "BTC-USD", "--stop-loss", "5"), 2, "No perpetual position is held."),
            (("adopt", "X1"), 2, "No candidate X1"),
            (("drill", "assignment"), 1, "demo only"),
        ):
            answer = bench.bulkhead(*words)
            assert answer.returncode == code, words
            assert text in answer.stderr
            assert len(answer.stderr.strip().splitlines()) <= 2
    finally:
        end(engine)


@pytest.mark.parametrize("broken", ["mode = 7\n", "[options\n", "nonsense\n"])
async def test_a_config_that_was_broken_meanwhile_still_leads_to_its_engine(
    bench: Bench, broken: str
) -> None:
    engine = bench.engine()
    try:
        assert await bench.until(ready, engine)
        good = bench.config.read_text()
        bench.config.write_text(broken + good.replace('mode = "live"\n', ""))
        answer = bench.bulkhead("status", "--json")
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["venues"]
        assert answer.stderr.rstrip().endswith("has faults: bulkhead check names them.")
        assert bench.bulkhead("stop").returncode == 0
        assert engine.wait(10) == 0
        refused = bench.bulkhead("status")
        assert refused.returncode == 2
    finally:
        engine.kill()
        engine.wait()
