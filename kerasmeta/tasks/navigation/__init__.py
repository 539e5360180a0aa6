"""Navigation: a hidden goal, found by moving about and found again by memory."""
