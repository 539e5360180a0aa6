"""What an agent is made of, as plain data."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)


class MemoryConfig(BaseModel):
    """The episodic memory of an ep_lstm agent; the fields are `DND`'s arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capacity: PositiveInt = 64
    read: Literal["nearest", "inverse_distance", "softmax"] = "nearest"
    num_neighbors: PositiveInt = 5
    temperature: PositiveFloat = 0.1
    min_similarity: float = Field(-1.0, ge=-1.0, le=1.0)
    eviction: Literal["oldest", "least_recently_used"] = "oldest"
    overwrite: bool = True


class AgentConfig(BaseModel):
    """An agent: L2RL (`lstm`) or epL2RL (`ep_lstm`).

    `encoder` and `critic_encoder` are the sizes of tanh layers between the observation
    and the LSTM; none by default, as in Wang et al. (2018). Where the stimulus is an
    image, actor and critic first make `image_features` numbers of it by `convolutions`
    of their own, each `(filters, kernel size, stride)`; otherwise these are not used.
    `image_encoder` tells where these get their weights from: "trained", like all
    others, or "components", convolutions stay as they were drawn and features are the
    principal components of what they make of the task's images
    (`ImageEncoder.adapt`), which training begins with and leaves as they are.
    `forget_bias` is the forget gates' first bias, of actor and critic.
    `bounded_mean` keeps the means of real actions within their bounds, by a tanh. A
    mean that has left them learns nothing more: all that is drawn is clipped to one.
    `normalize` brings stimulus, previous reward and returns to mean 0 and variance 1 by
    running moments; the families' are of that size by themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lstm", "ep_lstm"] = "ep_lstm"
    units: PositiveInt = 48
    critic_units: PositiveInt = 48
    encoder: tuple[PositiveInt, ...] = ()
    critic_encoder: tuple[PositiveInt, ...] = ()
    convolutions: tuple[tuple[PositiveInt, PositiveInt, PositiveInt], ...] = (
        (16, 5, 2),
        (32, 3, 2),
    )
    image_features: PositiveInt = 32
    image_encoder: Literal["trained", "components"] = "trained"
    reinstate_activation: Literal["tanh", "identity"] = "tanh"
    forget_bias: float = Field(1.0, allow_inf_nan=False)
    bounded_mean: bool = False
    normalize: bool = False
    clear_lstm_at_episode: bool = False
    memory: MemoryConfig = MemoryConfig()
    seed: NonNegativeInt = 0

    @property
    def has_memory(self) -> bool:
        return self.kind == "ep_lstm"
