import subprocess
import sys

import pytest

from kerasmeta import UserError, tasks

LISTING = """
import sys
from kerasmeta import tasks
assert "two_step" in tasks.names()
assert all(tasks.entry(name).summary for name in tasks.names())
sys.exit("tensorflow" in sys.modules)
"""


def test_listing_does_not_import_tensorflow():
    assert subprocess.run([sys.executable, "-c", LISTING], check=False).returncode == 0


@pytest.mark.slow
def test_a_task_can_be_imported_before_anything_else():
    # tf_agents would choose Keras 3 if it were imported first.
    command = "import kerasmeta.tasks.two_step.two_step"
    ran = subprocess.run(
        [sys.executable, "-c", command], check=False, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()


@pytest.mark.parametrize("name", tasks.names())
def test_make_gives_the_task_of_that_name(name):
    task = tasks.make(name)
    line = tasks.entry(name)
    assert task.name == name
    assert task.paper == line.paper
    assert line.summary
    assert line.summary[0].islower()


def test_text_is_converted_to_the_type_of_the_field():
    task = tasks.make("two_step", trials="50", common="0.7")
    assert (task.trials, task.common) == (50, 0.7)
    assert type(task.trials) is int


def test_refuses_a_name_that_is_taken():
    with pytest.raises(ValueError, match="'two_step' is registered already"):
        tasks.register(tasks.entry("two_step"))


def test_unknown_task_is_refused_with_a_close_name_and_the_list():
    with pytest.raises(UserError, match=r"did you mean 'two_step'\? use one of two_s"):
        tasks.make("two-step")


def test_unknown_parameter_is_refused_with_the_allowed_ones():
    with pytest.raises(UserError, match=r"comon 0.8: .* 'common'\? use one of trials,"):
        tasks.make("two_step", comon=0.8)


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("two_step", "trials", "many"),
        ("two_step", "trials", "1.5"),
        ("two_step", "trials", 0),
        ("two_step", "trials", 2.0),
        ("two_step", "trials", True),
        ("two_step", "common", "1.2"),
        ("two_step", "common", "nan"),
        ("two_step", "common", None),
        ("two_step", "high_reward", -0.1),
        ("two_step", "low_reward", 0.95),
        ("two_step", "reversal", 1.01),
        ("episodic_two_step", "uncued_trials", 1),
        ("episodic_two_step", "cued_trials", 0),
        ("episodic_two_step", "context_size", 5),
        ("episodic_two_step", "context_size", 63),
        ("episodic_two_step", "common", 2),
        ("episodic_two_step", "reversal", -1),
    ],
)
def test_bad_values_are_refused_by_name(name, parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make(name, **{parameter: value})
    assert error.value.argument == parameter
