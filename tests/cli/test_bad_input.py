"""Bad input: one line that names the thing, the value and the fix; nothing written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from harness.command_line import (
    TINY,
    Damage,
    assert_refused,
    cut,
    edit,
    flip,
    make_run,
    remove,
    snapshot,
    write,
)

# So short that a row which is not refused fails soon.
TRAIN = ("train", "two_step", "--agent", "lstm", "--steps", "80", *TINY)
AGENT = "registry/two_step/lstm/1"


class Row(NamedTuple):
    """A command, what is damaged before it, and what its one line must contain."""

    arguments: tuple[str, ...]
    words: tuple[str, ...]
    damage: Damage | None = None
    registry: bool = False  # whether it needs the one a run was published to


def row(command: str, *words: str, damage: Damage | None = None) -> Row:
    """A row whose command has no word with spaces."""
    return Row(tuple(command.split()), words, damage, "registry" in command)


def images(folder: str, *words: str, damage: Damage | None = None) -> Row:
    """A row that trains a tiny agent on a folder of images."""
    command = ("train", "visual_harlow", "--agent", "lstm", *TRAIN[4:])
    options = ("--set", "task.trials=6", "--set", f"task.images={folder}")
    return Row((*command, *options), words, damage)


def broken_image(root: Path) -> None:
    (root / "pictures").mkdir()
    for n in range(4):
        (root / "pictures" / f"{n}.png").write_bytes(b"no image")


def train(options: str, *words: str, damage: Damage | None = None) -> Row:
    """A row that trains a tiny agent with some options more."""
    return Row((*TRAIN, *options.split()), words, damage)


COMMANDS = {
    # What does not exist.
    "no command": row("trian", "trian", "did you mean 'train'", "kerasmeta --help"),
    "no zoo command": row("zoo lst", "lst", "did you mean 'list'", "zoo --help"),
    "no option": row("train two_step --stps 9", "--stps", "did you mean", "--steps"),
    "nothing by the way": row("tasks extra", "extra", "kerasmeta tasks --help"),
    "task is missing": row("train", "TASK", "kerasmeta train --help"),
    "agent is missing": row("evaluate --json", "AGENT", "kerasmeta evaluate --help"),
    "out is missing": row("export lstm", "--out", "kerasmeta export --help"),
    "runs are missing": row("zoo publish x/y", "RUN", "publish --help"),
    "task": row("train two_stp --json", "task 'two_stp'", "did you mean 'two_step'"),
    "gymnasium id": row(
        "train CartPol-v1 --json", "task 'CartPol-v1'", "did you mean 'CartPole-v1'"
    ),
    "meta-world task": row(
        "train metaworld_ml1_raech", "metaworld_ml1_raech", "'metaworld_ml1_reach'"
    ),
    "meta-world horizon": row(
        "train metaworld_ml10 --set task.horizon=501", "task.horizon 501", "2 to 500"
    ),
    "nothing to draw": row(
        "evaluate two_step/lstm --registry registry --render x.gif", "--render 'x.gif'"
    ),
    "gymnasium module": row(
        "train no_such_module:Env-v0", "no_such_module", "cannot be imported", "install"
    ),
    "gymnasium observations": row(
        "train Blackjack-v1", "'Blackjack-v1'", "observations are Tuple", "Dict obs"
    ),
    "gymnasium package": row(
        "train LunarLander-v3 --json", "LunarLander-v3", "not installed", "install it"
    ),
    "gymnasium argument": row(
        "train Pendulum-v1 --set task.gravity=2", "Pendulum-v1", "gravity=2", "correct"
    ),
    "gymnasium rows": row(
        "train CartPole-v1 --set task.collect_steps=0", "task.collect_steps 0", ">= 1"
    ),
    "agent kind": row("train two_step --agent gru", "--agent 'gru'", "ep_lstm or lstm"),
    "agent id": row(
        "evaluate two_step/lstn --registry registry --json",
        *("agent 'two_step/lstn'", "did you mean 'two_step/lstm'"),
    ),
    "version": row(
        "evaluate two_step/lstm@9 --registry registry",
        *("'two_step/lstm@9'", "no version 9", "use one of its versions: 1"),
    ),
    "unknown alias": row(
        "export two_step/lstm@best --registry registry --out e",
        *("'two_step/lstm@best'", "no alias best", "use one of its versions: 1"),
    ),
    "version of no number": row(
        "export two_step/lstm@1.5 --registry registry --out e",
        *("'two_step/lstm@1.5'", "family/agent@version"),
    ),
    "alias that is taken": row(
        "zoo alias set two_step/lstm@1 latest --registry registry",
        *("alias 'latest'", "choose another name"),
    ),
    "alias to remove": row(
        "zoo remove-alias two_step/lstm stable --registry registry", "no alias stable"
    ),
    "address": row("zoo list --registry ftp://x/y", "ftp://x/y", "unknown kind"),
    "publish elsewhere": row(
        "zoo publish x/y lstm --registry https://x.invalid", "not a folder", "give a"
    ),
    "publish what exists": row(
        "zoo publish two_step/lstm lstm --registry registry --version 1",
        *("version 1", "exists already", "leave the version out"),
    ),
    "gallery's folder": row(
        "gallery --registry registry --out file", "--out 'file'", "is no folder"
    ),
    "gallery's pages": row(
        "gallery --registry registry --out s --docs nowhere", "--docs 'nowhere'"
    ),
    "agent to show": row("zoo show a/b --registry registry", "agent 'a/b'", "use one"),
    "agent to verify": row("zoo verify a/b --registry registry", "agent 'a/b'", "use"),
    "registry": row("zoo list --registry none --json", "registry", "none", "publish"),
    "run": row("evaluate none --json", "run 'none'", "does not exist", "zoo id"),
    "run path": row("evaluate ./a/b", "run 'a/b'", "does not exist", "zoo id"),
    "run to publish": row("zoo publish x/y none", "run 'none'", "does not exist"),
    "lesion": row("evaluate lstm --lesion gates", "--lesion 'gates'", "use memory, ga"),
    "lesion of no unit": row(
        "evaluate lstm --lesion units:", "--lesion 'units:'", "no unit's number"
    ),
    "threshold of a lesion": row(
        "evaluate ep_lstm --lesion gate_open:2", "'gate_open:2'", "between 0 and 1"
    ),
    # Values of options.
    "word for a number": row("train two_step --steps x", "--steps 'x'", "an integer"),
    "no steps": row("train two_step --steps 0", "--steps '0'", "equal to 1"),
    "seed below 0": row("train two_step --seed -1", "--seed '-1'", "equal to 0"),
    "large seed": row(f"demo --seed {2**30}", "--seed", str(2**30), str(2**30 - 1)),
    "no lifetimes": row("evaluate lstm --lifetimes 0", "--lifetimes '0'", "equal to 1"),
    "export version": row("export lstm --out e --version 0", "--version '0'", "to 1"),
    # --set.
    "set without =": train("--set lifetimes", "--set 'lifetimes'", "no =", "key=value"),
    "set without key": train("--set =3", "--set '=3'", "no key", "key=value"),
    "set unknown": train("--set lifetime=4", "lifetime=4", "did you mean 'lifetimes'"),
    "set unknown inside": train("--set agent.unit=4", "agent.unit=4", "mean 'units'"),
    "set unknown group": train("--set agnt.units=4", "agnt", "did you mean 'agent'"),
    "set below a number": train("--set lifetimes.x=4", "lifetimes.x", "holds no keys"),
    "set a group": train("--set agent.memory=4", "agent.memory=4", "set one of"),
    "set text": train("--set agent.units=x", "agent.units 'x'", "give an integer"),
    "set negative": train("--set agent.units=-1", "agent.units -1", "greater than 0"),
    "set fraction": train("--set lifetimes=4.5", "lifetimes 4.5", "give an integer"),
    "set no list": train("--set agent.encoder=5", "agent.encoder 5", "give a list"),
    "set no choice": train(
        "--set agent.memory.read=best", "agent.memory.read 'best'", "'nearest'"
    ),
    "set range": train("--set trpo.gamma=2", "trpo.gamma 2", "less than or equal to 1"),
    "set infinity": train("--set trpo.delta=Infinity", "Infinity", "finite number"),
    "set NaN": train("--set task.common=nan", "task.common=nan", "finite number"),
    "set seed": train("--set seed=3", "--set 'seed=3'", "give --seed"),
    "set steps": train("--set steps=3", "--set 'steps=3'", "give --steps"),
    "set kind": train("--set agent.kind=lstm", "agent.kind", "give --agent"),
    "workers": train("--workers a:1,b", "--workers 'b'", "write host:port"),
    "worker": train("--workers a:1,b:2 --worker 2", "--worker 2", "use 0 to 1"),
    "this worker": train("--workers a:1,b:2", "0 times", "--worker 0 to 1"),
    "worker alone": train("--worker 1", "--worker 1", "give --workers"),
    "no shares": train(
        "--workers a:1,b:2,c:3 --worker 0", "3 workers", "4 lifetimes equally", "use 1"
    ),
    "no SLURM": train("--workers slurm", "--workers 'slurm'", "with srun"),
    "task range": train("--set task.common=1.5", "--set task.common 1.5", "[0, 1]"),
    "task count": train("--set task.trials=0", "--set task.trials 0", ">= 1"),
    "task type": train("--set task.trials=x", "--set task.trials 'x'", "type int"),
    "no images": images("nowhere", "task.images 'nowhere'", "exist", "give a folder"),
    "broken image": images(
        "pictures", "pictures/0.png", "cannot be read", "repair it", damage=broken_image
    ),
    "task unknown": train("--set task.comon=.5", "task.comon", "mean 'common'"),
    "task together": train(
        "--set task.high_reward=0.05", "task.low_reward 0.1", "high_reward 0.05"
    ),
    # Directories.
    "train below a file": train("--out file/run --json", "--out 'file/run'", "choose"),
    "train in proc": train("--out /proc/run", "--out '/proc/run'", "choose"),
    "train into a file": train("--out file", "--out 'file'", "not a directory"),
    "train over a run": train("--out lstm --json", "--out 'lstm'", "add --resume"),
    "train over others": train("--out .", "--out '.'", "not empty", "choose another"),
    "demo over a run": row("demo --out lstm", "--out 'lstm'", "holds a run already"),
    "demo below a file": row("demo --out file/x --json", "--out 'file/x'", "choose"),
    "analyse below a file": row("analyse lstm --out file/x", "--out 'file/x'", "choos"),
    "analyse nothing": row("analyse none --out a", "run 'none'", "does not exist"),
    "analyse no agent": row("analyse --out a", "AGENT", "is missing", "--list"),
    "analyse to nowhere": row("analyse lstm --json", "--out", "give a directory"),
    "analysis": row(
        "analyse lstm --out a --analysis sty", "--analysis 'sty'", "did you mean 'stay'"
    ),
    "analysis of another family": row(
        "analyse bandit --out a --analysis stay --json",
        *("--analysis 'stay'", "is of two_step", "family is bandit"),
        damage=lambda root: make_run(root / "bandit", "lstm", 160, task="bandit"),
    ),
    "analysis without training": row(
        "analyse two_step/lstm --registry registry --out a --analysis learning_curve",
        *("--analysis 'learning_curve'", "needs training", "give run directories"),
    ),
    "analyse two families": row(
        "analyse lstm bandit --out a", "AGENT 'bandit'", "of family bandit", "seeds",
        damage=lambda root: make_run(root / "bandit", "lstm", 160, task="bandit"),
    ),
    "analyse two kinds": row(
        "analyse lstm ep_lstm --out a", "AGENT 'ep_lstm'", "other parts than lstm"
    ),
    "gateway without a server": row("gateway", "--serving", "gateway --help"),
    "gateway to REST": row(
        "gateway --serving http://localhost:8501", "--serving 'http://", "give grpc://"
    ),
    "gateway to nowhere": row(
        "gateway --serving localhost --json", "--serving 'localhost'", "grpc://host"
    ),
    "gateway for others": row(
        "gateway --serving grpc://h:1 --host 0.0.0.0", "--host '0.0.", "--token-file"
    ),
    "gateway's store": row(
        "gateway --serving grpc://h:1 --store sqlite", "--store 'sqlite'", "redis://"
    ),
    "gateway's token": row(
        "gateway --serving grpc://h:1 --token-file file", "--token-file", "openssl rand"
    ),
    "gateway's certificate": row(
        "gateway --serving grpc://h:1 --certificate file", "--certificate", "its key"
    ),
    "export below a file": row("export lstm --out file/x", "--out", "file/x", "give"),
    "export twice": row(
        "export lstm --out e", "--out", "e/1", "exists already",
        damage=lambda root: (root / "e/1").mkdir(parents=True),
    ),
    "publish below a file": row(
        "zoo publish x/y lstm --registry file/r --lifetimes 60", "file/r", "directory"
    ),
    # Resuming.
    "resume nothing": train("--out none --resume", "'none'", "holds no run", "leave"),
    "resume other seed": train(
        "--out begun --resume --seed 1", "--resume 'begun'", "seed=0", "give the opt"
    ),
    "resume other setting": train(
        "--out begun --resume --set agent.units=5", "agent.units=4", "give the options"
    ),
    "resume other task": train(
        "--out begun --resume --set task.common=0.7", "task.common=its default"
    ),
    "resume broken metrics": train(
        "--out begun --resume", "begun/metrics.jsonl", "line 1", "restore",
        damage=write("begun/metrics.jsonl", '{"iteration": 1, "steps"\n'),
    ),
    "resume binary metrics": train(
        "--out begun --resume", "begun/metrics.jsonl", "line 1", "restore",
        damage=write("begun/metrics.jsonl", b"\xff\xfe\n"),
    ),
    "resume other metrics": train(
        "--out begun --resume --json", "begun/metrics.jsonl", "line 1", "iteration",
        damage=write("begun/metrics.jsonl", '{"loss": 1}\n'),
    ),
    "resume cut checkpoint": train(
        "--out begun --resume --json", "checkpoint", "begun/checkpoints/ckpt-2",
        damage=cut("begun/checkpoints/ckpt-2.data-00000-of-00001"),
    ),
    "resume flipped checkpoint": train(
        "--out begun --resume", "checkpoint", "begun/checkpoints/ckpt-2", "restore",
        damage=flip("begun/checkpoints/ckpt-2.data-00000-of-00001"),
    ),
    "resume cut index": train(
        "--out begun --resume", "checkpoint", "begun/checkpoints/ckpt-2", "restore",
        damage=cut("begun/checkpoints/ckpt-2.index"),
    ),
    "resume no index": train(
        "--out begun --resume", "checkpoint", "begun/checkpoints/ckpt-2", "restore",
        damage=remove("begun/checkpoints/ckpt-2.index"),
    ),
    "resume no data": train(
        "--out begun --resume", "checkpoint", "begun/checkpoints/ckpt-2", "restore",
        damage=remove("begun/checkpoints/ckpt-2.data-00000-of-00001"),
    ),
    "resume broken checkpoint list": train(
        "--out begun --resume", "begun/checkpoints/checkpoint", "restore",
        damage=write("begun/checkpoints/checkpoint", "?"),
    ),
    # Runs that cannot be read.
    "no run": row("evaluate . --json", "run '.'", "no config.json", "zoo id"),
    "a file": row("evaluate file", "run 'file'", "is not a directory", "zoo id"),
    "another format": row(
        "evaluate lstm --json", "run 'lstm'", "format 99", "use the kerasmeta that",
        damage=edit("lstm/config.json", format=99),
    ),
    "resume another format": train(
        "--out begun --resume", "run 'begun'", "format 99", "use the kerasmeta that",
        damage=edit("begun/config.json", format=99),
    ),
    "broken configuration": row(
        "evaluate lstm", "lstm/config.json", "not the JSON", "restore",
        damage=cut("lstm/config.json"),
    ),
    "empty configuration": row(
        "evaluate lstm", "lstm/config.json", "no 'format'", "restore",
        damage=write("lstm/config.json", "{}"),
    ),
    "other configuration": row(
        "evaluate lstm", "lstm/config.json", "restore",
        damage=edit("lstm/config.json", observation=3),
    ),
    "truncated weights": row(
        "evaluate lstm --json", "weights", "lstm/weights.safetensors", "restore",
        damage=cut("lstm/weights.safetensors"),
    ),
    "other weights": row(
        "export ep_lstm --out e", "weights", "ep_lstm/weights.safetensors", "restore",
        damage=lambda root: shutil.copy(
            root / "lstm/weights.safetensors", root / "ep_lstm/weights.safetensors"
        ),
    ),
    "no weights": row(
        "evaluate lstm", "run 'lstm'", "no trained weights yet", "first checkpoint",
        damage=remove("lstm/weights.safetensors"),
    ),
    "lesion without memory": row(
        "evaluate lstm --lesion memory --json", "--lesion 'memory'", "no memory", "ep_l"
    ),
    "gate without memory": row(
        "evaluate lstm --lesion gate_open:0.5", "--lesion 'gate_open:0.5'", "no memory"
    ),
    "unit out of range": row(
        "evaluate lstm --lesion units:3,4", "--lesion 'units:3,4'", "units 0 to 3"
    ),
    "gate that never opens": row(
        "evaluate ep_lstm --lesion gate_open:0", "--lesion 'gate_open:0'", "no contexts"
    ),
    # Publishing.
    "unfinished run": row(
        "zoo publish x/y begun --registry registry", "run 'begun'", "not finished",
        "160 of 800 steps", "--resume",
    ),
    "runs of two recipes": row(
        "zoo publish x/y lstm ep_lstm --registry registry", "run 'ep_lstm'", "recipe"
    ),
    "publish no id": row("zoo publish x lstm", "'x'", "family/agent"),
    "publish a version": row("zoo publish x/y@3 lstm", "ID 'x/y@3'", "use x/y"),
    # A damaged registry.
    "flipped manifest": row(
        "evaluate two_step/lstm --registry registry --json", AGENT, "manifest.json",
        "SHA-256", "restore", damage=flip(f"{AGENT}/manifest.json"),
    ),
    "flipped manifest in a list": row(
        "zoo list --registry registry --json", AGENT, "manifest.json",
        "SHA-256", "restore", damage=flip(f"{AGENT}/manifest.json"),
    ),
    "truncated published weights": row(
        "evaluate two_step/lstm --registry registry", AGENT, "weights.safetensors",
        "bytes", "restore", damage=cut(f"{AGENT}/weights.safetensors"),
    ),
    "flipped published weights": row(
        "zoo verify --registry registry --json", AGENT, "weights.safetensors",
        "SHA-256", "restore", damage=flip(f"{AGENT}/weights.safetensors"),
    ),
    "flipped index": row(
        "zoo list --registry registry", "registry/index.json", "restore",
        damage=cut("registry/index.json"),
    ),
    "no index": row(
        "zoo list --registry registry", "registry", "index.json", "restore",
        damage=remove("registry/index.json"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_one_line_and_nothing_written(
    name: str, command_line: Any, workplace: Path, request: pytest.FixtureRequest
) -> None:
    tested = COMMANDS[name]
    if tested.registry:
        request.getfixturevalue("registry")
    if tested.damage:
        tested.damage(workplace)
    before = snapshot(workplace)
    answer = command_line(*tested.arguments)
    assert_refused(answer, tested.words)
    assert snapshot(workplace) == before, "something was written"
