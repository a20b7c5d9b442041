"""Real programs run in an image as they do here: same output, same end, same files. The quick
ones; tests/corpus/run has the others."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from build import RECIPES, available, compile_programs, corpus_image  # noqa: E402
from cases import CASES  # noqa: E402
from compare import complaints, differences, run_here, run_there  # noqa: E402
from support.guest import Guest  # noqa: E402

pytestmark = pytest.mark.xdist_group("corpus")
QUICK = [case for case in CASES if case.image == "quick"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return compile_programs(tmp_path_factory.mktemp("programs"), RECIPES)


@pytest.fixture(scope="module")
def guest(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    image = corpus_image(folder / "quick.img",
                         [case for case in QUICK if available(case, programs)], programs)
    with Guest(image, folder=folder, memory="1G", cpus=2) as booted:
        booted.wait_ready(60)
        yield booted


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_a_program_runs_as_it_does_natively(case, programs, guest):
    if not available(case, programs):
        pytest.skip(f"{case.argv[0]} is not installed here")
    here, _ = run_here(case, programs)
    there, _ = run_there(case, guest)
    assert not differences(case, here, there), guest.console()[-1500:]


def test_the_kernel_lost_no_page_and_complains_of_nothing(guest):
    assert not complaints(guest)
