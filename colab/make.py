"""The notebooks, from the texts they are written as.

    python colab/make.py             renders every .py as .ipynb; outputs that are there
                                     stay, as long as the code above them is the same
    python colab/make.py --execute   runs them at their full budgets and keeps what they
                                     print and draw

A notebook is its text (jupytext's percent format) and nothing else: cells have numbers
for names, so that the same text gives the same file. Where the project lives is said
here only, and its version in `kerasmeta.version`: rendering brings badges and install
cells, README's too, up to date with both.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from kerasmeta.version import __version__

# Owner and name on GitHub. Nothing else knows them; see CONTRIBUTING.md.
REPOSITORY = "kerasmeta/kerasmeta"
ADDRESS = re.compile(r"(/github(?:\.com)?/)[\w.-]+/[\w.-]+(/blob/v|@v)\d[\w.]*")

HERE = Path(__file__).parent
# What a reader sees of the kernel; Colab chooses its own.
METADATA = {
    "colab": {"provenance": []},
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
SMALL = "KERASMETA_SMALL"


def texts() -> list[Path]:
    """The notebooks' texts, in order."""
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


def addressed(text: str) -> str:
    """A text whose badges and install cells lead to this repository and version."""
    return ADDRESS.sub(rf"\g<1>{REPOSITORY}\g<2>{__version__}", text)


def write_addresses() -> None:
    """Brings the notebooks' texts and README up to date."""
    for path in (*texts(), HERE.parent / "README.md"):
        before = path.read_text(encoding="utf-8")
        if addressed(before) != before:
            path.write_text(addressed(before), encoding="utf-8")


def render(text: Path) -> Any:
    """The notebook that a text is, without outputs."""
    notebook = jupytext.read(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
    return notebook


def with_outputs(notebook: Any, old: Path) -> Any:
    """The notebook with the outputs of an old one, down to the first changed code."""
    if not old.exists():
        return notebook
    kept = code_cells(nbformat.read(old, 4))
    for new, before in zip(code_cells(notebook), kept, strict=False):
        if new.source != addressed(before.source):
            break
        new.outputs = before.outputs
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    """The cells that are run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute(notebook: Any) -> None:
    """Runs a notebook in this environment, and keeps its outputs."""
    from nbclient import NotebookClient

    os.environ.pop(SMALL, None)
    client = NotebookClient(notebook, timeout=1200, kernel_name="python3")
    client.execute(cwd=str(HERE))
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})  # times of execution
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
    notebook.metadata = nbformat.from_dict(METADATA)


def write(notebook: Any, path: Path) -> None:
    """Writes a valid notebook, without what XLA logs to standard error."""
    for cell in code_cells(notebook):
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main() -> None:
    """Renders all notebooks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="01_first_agent, ...; all by default")
    parser.add_argument("--execute", action="store_true", help="run them too")
    arguments = parser.parse_args()
    write_addresses()
    for text in texts():
        if arguments.names and text.stem not in arguments.names:
            continue
        notebook, path = render(text), text.with_suffix(".ipynb")
        if arguments.execute:
            execute(notebook)
        else:
            notebook = with_outputs(notebook, path)
        write(notebook, path)
        print(path.name)


if __name__ == "__main__":
    main()
