"""Contestants in turn on throwaway databases, several rounds; then medians and ratios. scripts/bench starts it."""
