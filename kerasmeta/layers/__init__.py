"""Layers of the agents: the epLSTM cell, its scan through time, and the DND memory."""

from kerasmeta.layers.dnd import DND
from kerasmeta.layers.dnd_state import DNDState, Match, Retrieval
from kerasmeta.layers.ep_lstm import EpLSTMCell, Gates, LSTMState, ep_lstm_step
from kerasmeta.layers.scan import (
    Recording,
    ep_lstm_scan,
    record_scan,
    replay_scan,
    simple_scan,
)

__all__ = [
    "DND",
    "DNDState",
    "EpLSTMCell",
    "Gates",
    "LSTMState",
    "Match",
    "Recording",
    "Retrieval",
    "ep_lstm_scan",
    "ep_lstm_step",
    "record_scan",
    "replay_scan",
    "simple_scan",
]
