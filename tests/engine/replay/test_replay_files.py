"""Bars as exchanges write them; every fault names its file and line."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.desk.market import Bar
from engine.errors import InputError
from engine.replay.files import BarFile, BarReader, bar_files
from tests.engine.replay.bars_made import FIRST, as_csv, flat, write

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
AT = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)


def read(path: Path) -> list[Bar]:
    return list(BarReader(BarFile(symbol="BTCUSDT", path=path)))


def written(folder: Path, text: str) -> Path:
    path = folder / "BTCUSDT.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["BTCUSDT.csv", "BTCUSDT.csv.gz"])
def test_plain_and_gzipped_files_are_read_as_they_are(tmp_path: Path, name: str) -> None:
    bars = read(write(tmp_path / name, flat([1.5, 2.5])))
    assert [(bar.at, bar.close) for bar in bars] == [(FIRST, 1.5), (bars[1].at, 2.5)]


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,open,high,low,close,volume\n2026-01-05 00:00:00,1,3,0.5,2,9\n",
        "\ufeffDate;Open;High;Low;Close\n2026-01-05T00:00:00Z;1;3;0.5;2\n",
        "open_time\topen\thigh\tlow\tclose\tvolume\n1767571200000\t1\t3\t0.5\t2\t9\n",
        "1767571200000,1,3,0.5,2,9,1767571259999,0,0,0,0,0\n",
        "1767571200000000,1,3,0.5,2,9\n",
        "1767571200,1,3,0.5,2,9\n",
        "1767571200000000000,1,3,0.5,2,9\n",
        "https://www.example.org\nunix,date,symbol,open,high,low,close,Volume BTC\n"
        "1767571200.0,2026-01-05 00:00:00,BTC/USDT,1,3,0.5,2,9\n",
        "# made by hand\n\nTime,O,H,L,C,V\n2026-01-05T01:00:00+01:00,1,3,0.5,2,9\n\n",
        '"timestamp","close","open","low","high"\r\n"2026-01-05","2","1","0.5","3"\r\n',
    ],
)
def test_common_forms_are_understood(tmp_path: Path, text: str) -> None:
    [bar] = read(written(tmp_path, text))
    assert (bar.at, bar.open, bar.high, bar.low, bar.close) == (AT, 1.0, 3.0, 0.5, 2.0)


def test_a_file_with_its_newest_bar_first_is_turned_round(tmp_path: Path) -> None:
    rows = flat([1.0, 2.0, 3.0])
    bars = read(written(tmp_path, as_csv(rows[::-1])))
    assert [bar.close for bar in bars] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-01-05 00:02:00,1,1,1", "has 4 columns, too few"),
        ("2026-01-05 00:02:00,1,1,one,1,1", "cannot be read: could not convert string to float"),
        ("yesterday,1,1,1,1,1", "cannot be read"),
        ("2026-01-05 00:02:00,1,1,2,1,1", "is no bar: open 1.0, high 1.0, low 2.0, close 1.0"),
        ("2026-01-05 00:02:00,nan,nan,nan,nan,1", "is no bar"),
        ("2026-01-05 00:02:00,0,1,0,1,1", "is no bar"),
    ],
)
def test_a_fault_names_its_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, as_csv(flat([1.0, 1.0])) + line + "\n")
    with pytest.raises(InputError, match=r"BTCUSDT\.csv:4: ") as caught:
        read(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no bars"),
        ("timestamp,open,high,low,volume\n", "names no column for close"),
        ("a,b\n1,2\n", "names no column for timestamp, open, high, low, close"),
    ],
)
def test_a_file_that_is_no_bars_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(written(tmp_path, text))


def test_what_is_damaged_or_missing_is_refused_in_plain_words(tmp_path: Path) -> None:
    packed = gzip.compress(as_csv(flat([float(n) for n in range(1, 900)])).encode())
    path = tmp_path / "BTCUSDT.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="damaged"):
        read(path)
    path.write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(InputError, match="damaged"):
        read(path)
    path.write_bytes(b"timestamp,open\xff\n")
    with pytest.raises(InputError, match="not text"):
        read(path)
    with pytest.raises(InputError, match="is not a file"):
        read(tmp_path)
    with pytest.raises(InputError, match="is not a file"):
        read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "symbol", "path"),
    [
        ("BTCUSDT.csv", "BTCUSDT", "BTCUSDT.csv"),
        ("bars/ethusdt-1m-2022-01.csv.gz", "ETHUSDT", "bars/ethusdt-1m-2022-01.csv.gz"),
        ("Binance_BTC-USDT_minute.csv", "BTCUSDT", "Binance_BTC-USDT_minute.csv"),
        ("btc_perp_1m_2022-01.csv.gz", "BTCUSDT", "btc_perp_1m_2022-01.csv.gz"),
        ("BNBUSDT=mine.csv", "BNBUSDT", "mine.csv"),
        ("bnbusdt=a=b.csv", "BNBUSDT", "a=b.csv"),
    ],
)
def test_a_symbol_comes_from_the_name_or_is_said(text: str, symbol: str, path: str) -> None:
    [found] = bar_files([text], SYMBOLS, "USDT")
    assert (found.symbol, found.path) == (symbol, Path(path))


@pytest.mark.parametrize("text", ["mine.csv", "XRPUSDT=mine.csv", "btc_eth.csv"])
def test_a_file_of_no_known_symbol_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="BTCUSDT, ETHUSDT, BNBUSDT"):
        bar_files([text], SYMBOLS, "USDT")
