"""Layers of the agents: the epLSTM cell, its scan through time, and the DND memory."""

from kerasmeta.layers.dnd import DND
from kerasmeta.layers.dnd import DNDState
from kerasmeta.layers.dnd import Retrieval
from kerasmeta.layers.ep_lstm import EpLSTMCell
from kerasmeta.layers.ep_lstm import Gates
from kerasmeta.layers.ep_lstm import LSTMState
from kerasmeta.layers.ep_lstm import ep_lstm_step
from kerasmeta.layers.scan import ep_lstm_scan
from kerasmeta.layers.scan import simple_scan

__all__ = [
    "DND",
    "DNDState",
    "EpLSTMCell",
    "Gates",
    "LSTMState",
    "Retrieval",
    "ep_lstm_scan",
    "ep_lstm_step",
    "simple_scan",
]
