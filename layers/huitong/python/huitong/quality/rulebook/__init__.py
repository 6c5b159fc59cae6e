"""Rules of the office: beside the contract, versioned, tried, enabled (C-04 to C-07)."""
