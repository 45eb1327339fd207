/// Faults that are built in on purpose, to show that the simulation finds them.
package struct Flaw: OptionSet, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let noRelay = Flaw(rawValue: 1)
    package static let tieByArrival = Flaw(rawValue: 2)
    package static let duplicateNotDropped = Flaw(rawValue: 4)
    package static let watermarkTooEarly = Flaw(rawValue: 8)
    package static let confirmedAfterStamping = Flaw(rawValue: 16)
    package static let sequenceReused = Flaw(rawValue: 32)
}
