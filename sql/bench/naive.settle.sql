-- Before the measurement: statistics of the flow, and its pages' hint bits.
vacuum analyze naive.flow
