"""What can go wrong with a served agent: one class for each kind of fault.

Each is a `UserError`: one line that names the thing, its value and the fix. Whoever
serves agents to others (a gateway) tells the classes apart, not the texts.

| error | what happened | what to do |
| --- | --- | --- |
| `TensorError` | a tensor is missing, unknown or of a wrong shape or type | mend it |
| `NotFiniteError` | a tensor holds NaN or infinity | mend it |
| `UnknownAgentError` | the server serves no agent of this name | mend the name |
| `WrongVersionError` | the version of a state is not the one served | new lifetime |
| `WrongSchemaError` | the state or the server is of another agent | see the text |
| `ServerTimeoutError` | no answer in time | ask again: nothing was lost |
| `ServerUnavailableError` | the server is gone, or too busy | ask again later |
| `ServerRefusedError` | the server answered with an error of its own | see the text |

No error changes a state: the one that was sent is still the lifetime's latest.
"""

from __future__ import annotations

from kerasmeta.errors import UserError


class ServingError(UserError):
    """Any fault of a served agent or of a request to one."""


class TensorError(ServingError):
    """A tensor is missing, unknown, or of a wrong shape or type."""


class NotFiniteError(ServingError):
    """A tensor holds NaN or infinity."""


class UnknownAgentError(ServingError):
    """The server serves no agent of this name, or not under this label."""


class WrongVersionError(ServingError):
    """The version that a state belongs to is not served, or not the one asked for."""


class WrongSchemaError(ServingError):
    """A state is that of another agent, or the server's agent takes other tensors."""


class ServerTimeoutError(ServingError):
    """The server did not answer in time."""


class ServerUnavailableError(ServingError):
    """The server cannot be reached, went away, or has no room for requests."""


class ServerRefusedError(ServingError):
    """The server answered with an error that is none of the others."""
