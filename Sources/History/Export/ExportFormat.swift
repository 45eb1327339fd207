/// The layouts that exports of candles can have: our own, and those that other programs read.
public enum ExportFormat: String, CaseIterable, Sendable {
    case csv, binance, ccxt, freqtrade, kraken, cryptodatadownload, backtrader, lean, tradingview, json, ndjson

    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
