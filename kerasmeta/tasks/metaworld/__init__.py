"""Meta-World: fifty manipulation tasks of a simulated robot arm, by MuJoCo."""
