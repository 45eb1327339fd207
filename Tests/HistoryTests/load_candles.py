"""Loads candles as the programs do that they were exported for. Prints what was found; fails where a reader does."""
import json, sys

reader, path = sys.argv[1], sys.argv[2]


def close(rows):
    print(json.dumps({"rows": len(rows), "close": [float(row) for row in rows]}))


def pandas_frame(**options):
    import pandas
    return pandas.read_csv(path, **options)


if reader == "pandas":
    frame = pandas_frame(parse_dates=["time"])
    assert str(frame["time"].dtype).endswith("UTC]"), frame["time"].dtype
    assert frame["symbol"].unique().tolist() == ["BTC-USD"]
    close(frame["close"].tolist())
elif reader == "freqtrade":
    # The columns that its data frames have, and how its JSON handler makes the same of lists.
    columns = ["date", "open", "high", "low", "close", "volume"]
    if path.endswith(".json"):
        import pandas
        frame = pandas.DataFrame(json.load(open(path)), columns=columns)
        frame["date"] = pandas.to_datetime(frame["date"], unit="ms", utc=True)
    else:
        frame = pandas_frame(parse_dates=["date"])
    assert frame.columns.tolist() == columns, frame.columns
    assert str(frame["date"].dtype).endswith("UTC]"), frame["date"].dtype
    close(frame["close"].tolist())
elif reader == "cryptodatadownload":
    frame = pandas_frame(skiprows=1, parse_dates=["date"])
    assert frame["date"].is_monotonic_decreasing
    close(frame["close"].tolist()[::-1])
elif reader == "binance":
    frame = pandas_frame(header=None)
    assert frame.shape[1] == 12 and (frame[6] - frame[0]).unique().tolist() == [59999]
    close(frame[4].tolist())
elif reader == "backtrader":
    import backtrader

    class Collect(backtrader.Strategy):
        def __init__(self):
            self.rows = []

        def next(self):
            self.rows.append(self.data.close[0])

    cerebro = backtrader.Cerebro()
    cerebro.adddata(backtrader.feeds.GenericCSVData(
        dataname=path, timeframe=backtrader.TimeFrame.Minutes, compression=1))
    cerebro.addstrategy(Collect)
    close(cerebro.run()[0].rows)
else:
    sys.exit(f"no reader {reader}")
