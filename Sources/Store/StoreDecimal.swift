public import Postgres

/// An exact decimal of the database, for modules that speak to it through this one alone.
public typealias StoreDecimal = PostgresNumeric

extension PostgresNumeric {
    /// `unscaled` × 10⁻ˢᶜᵃˡᵉ.
    public static func exact(unscaled: Int128, scale: Int) -> Self { Self(unscaled: unscaled, scale: scale) }

    /// The number is `unscaled` × 10⁻ˢᶜᵃˡᵉ.
    public var exactParts: (unscaled: Int128, scale: Int) { (unscaled, scale) }

    /// Digits with an optional sign and point; nil where it is anything else, or too long.
    public static func exact(_ text: String) -> Self? { Self(text) }
}
