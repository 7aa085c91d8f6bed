"""Rules of deduction, one kind each: what read bytes say about the ends of their exchange."""
