"""The contextual water maze: does the agent remember where the platform was?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import contexts, seeds, specs
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.navigation import grid
from kerasmeta.tasks.navigation.water_maze_players import (
    OraclePlayer,
    RememberingPlayer,
    SearchingPlayer,
)
from kerasmeta.tasks.validation import check_count


class WaterMazeState(NamedTuple):
    """The hidden state of `B` lifetimes of `E` episodes and `C` contexts."""

    codes: Any  # [B, C] int64, the contexts
    goals: Any  # [B, C] int32, the cell of the platform in each context
    context: Any  # [B, E] int32, which context each episode has
    is_stored: Any  # [B, C] bool, the context has been stored
    cell: Any  # [B] int32, where the agent is
    steps: Any  # [B] int32, steps done


@dataclasses.dataclass(frozen=True)
class WaterMaze(Task):
    """A platform hidden in a pool; a context tells when a pool comes back.

    The pool is a grid of `rows` * `columns` cells with walls around. The agent moves
    one cell north, east, south or west, and sees where it is, but not the platform.
    Reaching the platform pays 1. There it rests for one step, in which it feels the
    platform; whatever it does then, it is put back into the water somewhere else. This
    goes on until the episode ends, so that an agent that has found the platform profits
    from going straight back to it.

    A lifetime has `contexts` contexts, each with a platform of its own, drawn uniformly
    and independently. Every context is presented in `presentations` episodes, in random
    order (a bag, drawn empty), and shown at every step. The agent is put into the water
    uniformly at random, never on the platform.

    The agent is asked to `store` a context where it feels that context's platform for
    the first time in its life. An agent whose working memory is cleared at
    `episode_start` must search anew in every episode, unless it remembers the context.

    After Morris (1984) and the contextual water maze of Ritter et al. (2018), whose
    sizes are not known to us: all numbers here are our own. By default an episode is
    just long enough to look everywhere once.

    Attributes:
        rows: Of the grid, two or more.
        columns: Of the grid, two or more; rows or columns must be even, so that there
            is a tour of all cells, the best search.
        contexts: Contexts in a lifetime.
        presentations: Episodes per context.
        episode_steps: Steps in an episode.
        context_size: `K`, components of a context.

    Observation: `stimulus` float32 `[rows + columns + 1]`: one-hot row, one-hot column,
    and 1 where the agent rests on the platform; `context` float32 `[K]` of +-1. At
    `episode_start`, and whenever it was on the platform, the agent is somewhere its
    last action did not lead to.

    Raises:
        UserError: A count is too small, both rows and columns are odd, or
          `context_size` cannot hold `contexts` distinct contexts.
    """

    rows: int = 6
    columns: int = 6
    contexts: int = 4
    presentations: int = 4
    episode_steps: int = 36
    context_size: int = 20

    name: ClassVar[str] = "water_maze"
    paper: ClassVar[str] = (
        "Ritter et al. (2018). Been There, Done That: Meta-Learning with Episodic "
        "Recall. ICML, PMLR 80:4354-4363."
    )

    def __post_init__(self) -> None:
        check_count("rows", self.rows, minimum=2)
        check_count("columns", self.columns, minimum=2)
        if self.num_cells % 2:
            raise UserError(
                "columns",
                self.columns,
                f"no tour passes all cells of a grid with {self.rows} rows",
                "use an even number of rows or columns",
            )
        check_count("contexts", self.contexts)
        check_count("presentations", self.presentations)
        check_count("episode_steps", self.episode_steps, minimum=2)
        check_count("context_size", self.context_size)
        contexts.check_context_size(self.context_size, self.contexts)

    @property
    def observation_spec(self) -> dict[str, Any]:
        size = self.rows + self.columns + 1
        return specs.vector_observation(stimulus=size, context=self.context_size)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(grid.NUM_ACTIONS)

    @property
    def num_cells(self) -> int:
        """`N`, cells of the grid."""
        return self.rows * self.columns

    @property
    def episodes(self) -> int:
        """`E`, episodes in a lifetime."""
        return self.contexts * self.presentations

    @property
    def lifetime_steps(self) -> int:
        return self.episodes * self.episode_steps

    @property
    def trials_per_lifetime(self) -> int:
        return self.episodes

    @property
    def contexts_per_lifetime(self) -> int:
        return self.contexts

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[WaterMazeState, dict[str, Any]]:
        code_seed, goal_seed, order_seed, start_seed = seeds.split(seed, 4)
        shape = [batch_size, self.contexts]
        state = WaterMazeState(
            codes=contexts.draw_codes(
                batch_size, self.contexts, self.context_size, code_seed
            ),
            goals=seeds.integers(shape, goal_seed, 0, self.num_cells),
            context=contexts.draw_bag(
                batch_size, self.contexts, self.presentations, order_seed
            ),
            is_stored=tf.zeros(shape, tf.bool),
            cell=tf.zeros([batch_size], tf.int32),
            steps=tf.zeros([batch_size], tf.int32),
        )
        state = state._replace(cell=self._draw_start(state, start_seed))
        return state, self._observe(state)

    def step(self, state: WaterMazeState, action: Any, seed: Any) -> TaskStep:
        rests = self._rests(state)
        reached = grid.move(state.cell, action, self.rows, self.columns)
        finds = ~rests & tf.equal(reached, self.goal(state))
        left = rests[:, None] & self._is_present(state)  # [B, C]
        after = state._replace(is_stored=state.is_stored | left, steps=state.steps + 1)
        is_put = rests | tf.equal(after.steps % self.episode_steps, 0)
        start = self._draw_start(after, seed)
        after = after._replace(cell=tf.where(is_put, start, reached))
        return TaskStep(
            state=after,
            observation=self._observe(after),
            reward=tf.cast(finds, tf.float32),
            done=after.steps >= self.lifetime_steps,
        )

    def hidden_variables(self, state: WaterMazeState) -> dict[str, Any]:
        return {"goal": self.goal(state)}

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "incremental": SearchingPlayer(self),
            "optimal": RememberingPlayer(self),
            "oracle": OraclePlayer(self),
        }

    def goal(self, state: WaterMazeState) -> Any:
        """The cell of this episode's platform, int32 `[B]`."""
        return tf.gather(state.goals, self._context(state), batch_dims=1)

    def _context(self, state: WaterMazeState) -> Any:
        """This episode's context, int32 `[B]`; after the last one, the last."""
        episode = tf.minimum(state.steps // self.episode_steps, self.episodes - 1)
        return tf.gather(state.context, episode, batch_dims=1)

    def _is_present(self, state: WaterMazeState) -> Any:
        """Which context is this episode's, bool `[B, C]`."""
        return tf.equal(tf.range(self.contexts), self._context(state)[:, None])

    def _rests(self, state: WaterMazeState) -> Any:
        """Whether the agent is on the platform, bool `[B]`."""
        return tf.equal(state.cell, self.goal(state))

    def _draw_start(self, state: WaterMazeState, seed: Any) -> Any:
        """A cell that is not the platform's, int32 `[B]`."""
        start = seeds.integers(state.steps.shape, seed, 0, self.num_cells - 1)
        return start + tf.cast(start >= self.goal(state), tf.int32)

    def _observe(self, state: WaterMazeState) -> dict[str, Any]:
        """What the agent sees; zeros and false after the last step."""
        lives = state.steps < self.lifetime_steps  # [B]
        rests = self._rests(state)
        place = grid.place(state.cell, self.rows, self.columns)
        stimulus = tf.concat([place, tf.cast(rests, tf.float32)[:, None]], axis=-1)
        code = tf.gather(state.codes, self._context(state), batch_dims=1)
        context = contexts.context_of(code, self.context_size)  # [B, K]
        is_new = ~tf.gather(state.is_stored, self._context(state), batch_dims=1)
        return {
            "stimulus": tf.where(lives[:, None], stimulus, 0.0),
            "context": tf.where(lives[:, None], context, 0.0),
            "episode_start": lives & tf.equal(state.steps % self.episode_steps, 0),
            "store": lives & rests & is_new,
        }
