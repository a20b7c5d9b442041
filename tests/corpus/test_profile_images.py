"""Images made by a profile answer a real request as the native program does. The others:
tests/corpus/profiles."""
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from profile_requests import REQUESTS, ask_image  # noqa: E402

pytestmark = pytest.mark.xdist_group("profiles")


@pytest.mark.parametrize("request_", [r for r in REQUESTS if r.quick],
                         ids=lambda r: r.program.rsplit("/", 1)[1])
def test_the_image_of_a_profile_answers_as_the_program_does(request_, tmp_path):
    assert shutil.which(request_.program)

    def check(_, here, there):
        assert here[0] == 0 and here[1]
        assert there == here

    ask_image([request_], tmp_path, check)
