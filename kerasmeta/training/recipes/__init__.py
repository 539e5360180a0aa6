"""The fixed recipes: what `kerasmeta train FAMILY` does without options.

One module for each kind of tasks says what differs from the defaults of `RunConfig`,
`AgentConfig` and `TRPOConfig`, and what other settings gave.
"""

from kerasmeta.training.recipes.of_tasks import RECIPES, recipe

__all__ = ["RECIPES", "recipe"]
