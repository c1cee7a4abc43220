"""What every call passes: trace, log, errors, deadline, identity, policy, validation; outermost first."""
