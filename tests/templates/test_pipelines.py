"""The pipelines that `elfpack init` writes, run as GitHub's and GitLab's runners would: their
commands, one by one, with this build in the package's place and the mock in AWS's."""
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "aws"))

from awscli_session import Session  # noqa: E402
from mock import MockAws  # noqa: E402
from support.guest import ELFPACK  # noqa: E402

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def aws():
    with MockAws() as mock:
        yield mock


@pytest.fixture
def project(aws, tmp_path):
    """A repository whose program is made by `make`, and a runner's programs."""
    (tmp_path / "Makefile").write_text("program:\n\tcp /bin/busybox program\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "elfpack").write_text(f"""#!/bin/sh
case $1 in
publish) exec {ELFPACK} "$@" --endpoint-url {aws.url} ;;
*) exec {ELFPACK} "$@" ;;
esac
""")
    (programs / "elfpack").chmod(0o755)
    aws.begin_again()
    return tmp_path


def run(project, script, **environment):
    said = subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=project, timeout=120,
                          capture_output=True, text=True, start_new_session=True,
                          env={**os.environ, "PATH": f"{project}/bin:{os.environ['PATH']}",
                               **environment})
    assert said.returncode == 0, said.stdout + said.stderr


def published(aws, project):
    """The one image, as the pipeline's artifact names it."""
    said = yaml.safe_load((project / "ami.json").read_text())
    image, = aws.cloud.regions["eu-west-1"].images.values()
    assert said["ami"] == image.id and image.name == f"elfpack-{COMMIT}"
    snapshot = image.mappings[0]["Ebs"]["SnapshotId"]
    disk = (project / "image.ami.raw").read_bytes()
    assert aws.disk_bytes(snapshot).rstrip(b"\0") == disk.rstrip(b"\0")
    return image


def test_github_steps_publish_the_program(aws, project):
    subprocess.run([ELFPACK, "init", "github-actions", project], check=True, capture_output=True)
    workflow = yaml.safe_load((project / ".github/workflows/elfpack.yml").read_text())
    steps = [s for s in workflow["jobs"]["publish"]["steps"] if "run" in s]
    assert [s["name"] for s in steps] == ["Install elfpack", "Build the program",
                                          "Build the image", "Publish the AMI"]
    for step in steps[1:]:
        run(project, step["run"], GITHUB_SHA=COMMIT, **aws.environment())
    image = published(aws, project)
    assert image.tags["elfpack:sha256"]


def test_gitlab_jobs_publish_the_program_with_their_identity(aws, project):
    subprocess.run([ELFPACK, "init", "gitlab-ci", project], check=True, capture_output=True)
    pipeline = yaml.safe_load((project / ".gitlab-ci.yml").read_text())
    job = pipeline["publish-ami"]
    run(project, "\n".join(pipeline["build-image"]["script"]))
    said = {**job["variables"], "AWS_WEB_IDENTITY_TOKEN_FILE": str(project / "token"),
            "AWS_ID_TOKEN": "mock.web.identity", "CI_COMMIT_SHA": COMMIT,
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/publisher",
            "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    run(project, "\n".join(job["script"]), **said)
    published(aws, project)
    assert aws.requests("AssumeRoleWithWebIdentity")[0].done
    assert (project / "token").stat().st_mode & 0o077 == 0


def test_stack_finds_the_image_by_its_digest(aws, project):
    """./deploy, up to CloudFormation, which the mock does not have."""
    run(project, f"make && {ELFPACK} build ./program --http -f ami -o image.ami.raw")
    run(project, "elfpack publish aws image.ami.raw --name one --region eu-west-1",
        **aws.environment())
    image, = aws.cloud.regions["eu-west-1"].images.values()
    subprocess.run([ELFPACK, "init", "aws-cloudformation", project / "stack", "--image",
                    project / "image.ami.raw"], check=True, capture_output=True)
    (project / "bin/aws").write_text("""#!/bin/sh
case $1 in
cloudformation) echo "$@" >deployed ;;
*) exec aws-session "$@" ;;
esac
""")
    (project / "bin/aws").chmod(0o755)
    session = Session(project, aws.url, aws.environment())
    try:
        session.install(project / "bin/aws-session")
        run(project, "stack/deploy VpcId=vpc-1")
        words = (project / "stack/deployed").read_text().split()
        assert f"ImageId={image.id}" in words and "VpcId=vpc-1" in words
        image.tags.clear()
        with pytest.raises(AssertionError, match="has the tag elfpack:sha256"):
            run(project, "stack/deploy VpcId=vpc-1")
    finally:
        session.stop()
