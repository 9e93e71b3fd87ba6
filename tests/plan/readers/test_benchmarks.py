"""The formats of the benchmark sets: small files, and files that are broken."""

from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, NothingToDo
from sdlc_cli.plan import readers
from sdlc_cli.plan.model import Consumable, Link, Mode, Need, Resource

STARS = "*" * 72
SM = f"""{STARS}
file with basedata            : small.bas
initial value random generator: 1
{STARS}
projects                      :  1
jobs (incl. supersource/sink ):  5
horizon                       :  20
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
{STARS}
PROJECT INFORMATION:
pronr.  #jobs rel.date duedate tardcost  MPM-Time
    1      3      0       9        1        9
{STARS}
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          1           5
   5        1          0
{STARS}
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     4       2    0
  3      1     3       1    5
  4      1     2       0    0
  5      1     0       0    0
{STARS}
RESOURCEAVAILABILITIES:
  R 1  R 2
    3    5
{STARS}
"""
MM = f"""jobs  (incl. supersource/sink ):\t4
RESOURCES
- renewable                 : 1 R
- nonrenewable              : 1 N
- doubly constrained        : 0 D
{STARS}
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
1\t1\t1\t\t2 \n2\t2\t1\t\t3 \n3\t1\t1\t\t4 \n4\t1\t0\t\t
{STARS}
REQUESTS/DURATIONS
jobnr.\tmode\tdur\tR1\tN1\t
------------------------------------------------------------------------
1\t1\t0\t0\t0\t
2\t1\t3\t4\t7\t
\t2\t6\t2\t0\t
3\t1\t1\t1\t1\t
4\t1\t0\t0\t0\t
{STARS}

 RESOURCE AVAILABILITIES \n\tR 1\tN 1
\t4\t9

{STARS}
"""
RCP = """5 2
3 5

0 0 0 2 2 3
4 2 0 1
 4
3 1 5 1 4
2 0 0 1 5
0 0 0 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "small.txt"  # the name says nothing
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", [SM, RCP])
def test_three_jobs_between_a_source_and_a_sink(text: str, tmp_path: Path) -> None:
    project = readers.load(written(tmp_path, text))

    assert project.resources == (Resource(id="R1", capacity=3), Resource(id="R2", capacity=5))
    assert [task.id for task in project.tasks] == ["2", "3", "4"]
    assert [task.modes[0].duration for task in project.tasks] == [4, 3, 2]
    assert project.tasks[1].modes[0].needs == (
        Need(kind="resource", id="R1", amount=1),
        Need(kind="resource", id="R2", amount=5),
    )
    assert [task.after for task in project.tasks] == [(), (), (Link(task="2"), Link(task="3"))]


def test_modes_and_what_they_use_up(tmp_path: Path) -> None:
    project = readers.load(written(tmp_path, MM))

    assert project.consumables == (Consumable(id="N1", capacity=9),)
    assert project.tasks[0].modes == (
        Mode(id="1", duration=3, needs=(Need(kind="resource", id="R1", amount=4),),
             uses=(("N1", 7),)),
        Mode(id="2", duration=6, needs=(Need(kind="resource", id="R1", amount=2),)),
    )  # fmt: skip
    assert project.tasks[1].after == (Link(task="2"),)


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        pytest.param(SM, "  2      1     4", "  2      1    NaN", "29: wants a whole number from"
                     " 0 on, found 'NaN'", id="no number"),
        pytest.param(SM, "  2      1     4", "  2      1     -4", "29: wants a whole number from"
                     " 0 on, found '-4'", id="negative"),
        pytest.param(SM, "4       2    0", "4       4    0", "20: job 2 needs 4 of R1, and there"
                     " are 3", id="demand above capacity"),
        pytest.param(SM, "           4\n   3", "           7\n   3", "20: job 2 is followed by job"
                     " 7, which there is not", id="unknown job"),
        pytest.param(SM, "   4        1          1           5", "   4        1          1        "
                     "   2", "20: the jobs wait for each other: 2 (line 20) -> 4 (line 22) -> 2"
                     " (line 20)", id="cycle"),
        pytest.param(SM, "   4        1          1           5", "   4        1          1        "
                     "   4", "22: the jobs wait for each other: 4 (line 22) -> 4 (line 22)",
                     id="after itself"),
        pytest.param(SM, "           2   3", "           2", "19: wants a job, its modes, how many"
                     " jobs follow, and these", id="a successor is missing"),
        pytest.param(SM, "   3        1          1  ", "   2        1          1  ", "21: job 2 is"
                     " written twice, first in line 20", id="twice"),
        pytest.param(SM, "RESOURCEAVAIL", "XAVAIL", "the section RESOURCEAVAILABILITIES is"
                     " missing", id="no capacities"),
        pytest.param(SM, "    3    5\n", "    3\n", "36: wants one line with the 2 capacities",
                     id="one capacity"),
        pytest.param(SM, "  3      1     3       1    5\n", "", "21: job 3 has 0 modes, and should"
                     " have 1", id="no request"),
        pytest.param(SM, "):  5", "):  500000", "6: 500000 jobs are more than 100000", id="huge"),
        pytest.param(SM, "0   D", "1   D", "11: doubly constrained resources are not read",
                     id="doubly constrained"),
        pytest.param(MM, "\t2\t6\t2", "\t3\t6\t2", "19: mode 2 of job 2 is not here", id="mode"),
        pytest.param(MM, "\t2\t6\t2\t0", "\t2\t6\t2", "19: wants a job, a mode, a duration and 2"
                     " demands", id="a demand is missing"),
        pytest.param(RCP, "0 0 0 0\n", "0 0 0\n", "9: the file ends within job 5 of 5", id="end"),
        pytest.param(RCP, "0 0 0 0\n", "0 0 0 0 9\n", "9: numbers follow after the last of 5 jobs",
                     id="more"),
        pytest.param(RCP, "3 5\n", "", "8: the file ends within job 5 of 5",
                     id="no capacity"),
        pytest.param(RCP, "5 2", "5 200000", "1: wants how many jobs there are", id="resources"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_its_line(
    text: str, old: str, new: str, told: str, tmp_path: Path
) -> None:
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))

    with pytest.raises(ConfigError) as error:
        readers.load(path, source_format="patterson" if text is RCP else "psplib")

    assert told in "\n".join(error.value.problems)


def test_a_file_without_a_job_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo):
        readers.load(written(tmp_path, "2 0\n0 1 2\n0 0\n"))
