"""Every template of `elfpack init` is what those who will read it accept: each is judged by a
validator of others, and that validator refuses it when one thing in it is wrong."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from support import npm
from support.guest import ELFPACK

pytestmark = pytest.mark.xdist_group("templates")
HERE = pathlib.Path(__file__).parent
SHA256 = "5f" * 32


@pytest.fixture(scope="session")
def tools():
    return npm.install(HERE / "npm", "npm-templates")


@pytest.fixture
def made(tmp_path):
    """made(NAME, KEY=VALUE...) is the folder that the template was written into."""
    def call(name, **values):
        words = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        subprocess.run([ELFPACK, "init", name, tmp_path / name, *words], check=True,
                       capture_output=True, timeout=30)
        return tmp_path / name
    return call


def judged(*command, tools=None, cwd=None):
    """(accepted, what the validator said)"""
    environment = dict(os.environ)
    if tools:
        environment["NODE_PATH"] = str(tools / "node_modules")
    said = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120,
                          cwd=cwd, env=environment, stdin=subprocess.DEVNULL)
    return said.returncode == 0, said.stdout + said.stderr


def changed(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def all_templates():
    listed = subprocess.run([ELFPACK, "init"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  (\S+)", listed.partition("templates:")[2], re.M)


VALUES = {"aws-terraform": {"sha256": SHA256}, "aws-cloudformation": {"sha256": SHA256}}


def test_templates_are_those_that_are_judged_here():
    assert all_templates() == ["aws-cloudformation", "aws-terraform", "github-actions",
                               "gitlab-ci", "kubevirt", "libvirt", "systemd"]


@pytest.mark.parametrize("name", [
    "aws-cloudformation", "aws-terraform", "github-actions", "gitlab-ci", "kubevirt", "libvirt",
    "systemd"])
def test_no_mark_is_left(made, name):
    for path in made(name, **VALUES.get(name, {})).rglob("*"):
        if path.is_file():
            assert not re.search(r"@[a-z_0-9]+@", str(path) + path.read_text()), path


@pytest.mark.parametrize("name", ["aws-cloudformation", "github-actions", "gitlab-ci", "kubevirt"])
def test_yaml_is_clean(made, name):
    folder = made(name, **VALUES.get(name, {}))
    files = [p for p in folder.rglob("*") if p.suffix in (".yml", ".yaml")]
    rules = "{extends: default, rules: {line-length: {max: 100}}}"
    assert judged("yamllint", "-d", rules, "--strict", *files) == (True, "")


def hcl(tools, path):
    good, said = judged("node", HERE / "check.mjs", "hcl", path, tools=tools)
    assert good, said
    return json.loads(said)


def test_terraform_parses_and_names_only_what_there_is(made, tools):
    folder = made("aws-terraform", sha256=SHA256)
    main, variables = hcl(tools, folder / "main.tf"), hcl(tools, folder / "variables.tf")
    text = (folder / "main.tf").read_text()
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables["variable"])
    there = {f"{kind}.{name}" for kind, names in main["resource"].items() for name in names}
    named = set(re.findall(r"\b(aws_\w+\.\w+)\.", text)) - {"aws_ami.image"}
    assert named <= there
    said = hcl(tools, folder / "terraform.tfvars")
    assert said["image_sha256"] == SHA256 and set(said) <= set(variables["variable"])


def test_terraform_says_what_was_asked_for(made, tools):
    main = hcl(tools, made("aws-terraform", sha256=SHA256) / "main.tf")
    resources = main["resource"]
    template = resources["aws_launch_template"]["image"][0]
    assert template["metadata_options"][0]["http_tokens"] == "required"
    health = resources["aws_lb_target_group"]["front"][0]["health_check"][0]
    assert health["path"] == "/_/ready"
    metrics = {p[0]["target_tracking_configuration"][0]["predefined_metric_specification"][0]
               ["predefined_metric_type"] for p in resources["aws_autoscaling_policy"].values()}
    assert metrics == {"ASGAverageCPUUtilization", "ALBRequestCountPerTarget"}
    for rule in resources["aws_vpc_security_group_ingress_rule"].values():
        assert "cidr_ipv4" not in rule[0] and "referenced_security_group_id" in rule[0]


def test_broken_terraform_is_refused(made, tools):
    path = made("aws-terraform", sha256=SHA256) / "main.tf"
    changed(path, "monitoring {", "monitoring [")
    assert not judged("node", HERE / "check.mjs", "hcl", path, tools=tools)[0]


# cfn-lint's specification is older than this property, which EC2's own model (below) knows.
UNKNOWN = ["MetadataOptions is not a valid property of "
           "AWS::EC2::LaunchTemplate.LaunchTemplateData"]


def complaints(tools, path):
    said = judged(tools / "node_modules/.bin/cfn-lint", "validate", path, tools=tools)[1]
    return re.findall(r"^Message: (.*)$", re.sub(r"\x1b\[\d+m", "", said), re.M)


def test_cloudformation_is_valid(made, tools):
    path = made("aws-cloudformation", sha256=SHA256) / "stack.yaml"
    assert complaints(tools, path) == UNKNOWN
    changed(path, "HealthCheckPath", "HealthPath")
    assert len(complaints(tools, path)) > 1


class Template(yaml.SafeLoader):
    """CloudFormation's functions become a word: what they give is AWS's to know."""


Template.add_multi_constructor("!", lambda loader, tag, node: "word")


def test_launch_template_is_ec2s(made):
    import botocore.session
    import botocore.validate
    path = made("aws-cloudformation", sha256=SHA256) / "stack.yaml"
    stack = yaml.load(path.read_text(), Template)
    data = stack["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    shape = botocore.session.get_session().get_service_model("ec2").shape_for(
        "RequestLaunchTemplateData")
    report = botocore.validate.ParamValidator().validate(data, shape)
    assert not report.has_errors(), report.generate_report()
    assert data["MetadataOptions"]["HttpTokens"] in shape.members["MetadataOptions"].members[
        "HttpTokens"].enum


def test_scripts_are_clean(made):
    folder = made("aws-cloudformation", sha256=SHA256)
    assert judged("shellcheck", folder / "deploy") == (True, "")


def test_github_workflow_is_valid(made, tools):
    path = made("github-actions") / ".github/workflows/elfpack.yml"
    judge = tools / "node_modules/.bin/action-validator"
    assert judged(judge, path, tools=tools)[0]
    changed(path, "runs-on:", "runs-at:")
    assert not judged(judge, path, tools=tools)[0]


def test_gitlab_pipeline_is_valid(made, tools):
    folder = made("gitlab-ci")
    subprocess.run(["git", "init", "-q", folder], check=True)
    judge = tools / "node_modules/.bin/gitlab-ci-local"
    good, said = judged(judge, "--list", tools=tools, cwd=folder)
    assert good and re.search(r"^publish-ami .*\[build-image\]", said, re.M), said
    changed(folder / ".gitlab-ci.yml", "script:", "scripts:")
    assert not judged(judge, "--list", tools=tools, cwd=folder)[0]


def kubernetes_objects(folder):
    return {o["kind"]: o for o in yaml.safe_load_all((folder / "elfpack.yaml").read_text())}


@pytest.mark.parametrize("kind, wrong", [
    ("Service", {"spec": {"ports": [{"port": "http"}]}}),
    ("HorizontalPodAutoscaler", {"spec": {"maxReplicas": "many"}})])
def test_kubernetes_objects_are_valid(made, tools, tmp_path, kind, wrong):
    found = kubernetes_objects(made("kubevirt"))[kind]
    judge = ("node", HERE / "check.mjs", "kubernetes", tmp_path / "object.json")
    (tmp_path / "object.json").write_text(json.dumps(found))
    assert judged(*judge, tools=tools) == (True, "")
    (tmp_path / "object.json").write_text(json.dumps({**found, **wrong}))
    assert not judged(*judge, tools=tools)[0]


def test_machines_are_kubevirts(made, tools):
    """KubeVirt's API is published as types: the object has to be one."""
    found = kubernetes_objects(made("kubevirt"))["VirtualMachineInstanceReplicaSet"]
    probe = found["spec"]["template"]["spec"]["readinessProbe"]["httpGet"]
    assert probe.pop("port") == 80  # a number or a name: those the types leave out
    source = tools / "machines.ts"

    def accepted(object_):
        source.write_text('import { V1VirtualMachineInstanceReplicaSet } from '
                          '"@kubevirt-ui-ext/kubevirt-api/kubevirt";\n'
                          "export const machines: V1VirtualMachineInstanceReplicaSet = "
                          f"{json.dumps(object_)};\n")
        return judged(tools / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck",
                      "--module", "nodenext", "--moduleResolution", "nodenext", source,
                      tools=tools, cwd=tools)
    assert accepted(found) == (True, "")
    probe["route"] = "/"
    good, said = accepted(found)
    assert not good and '"route"' in said and "does not exist in type" in said


def test_kubevirt_objects_belong_together(made):
    objects = kubernetes_objects(made("kubevirt"))
    machines = objects["VirtualMachineInstanceReplicaSet"]
    labels = machines["spec"]["template"]["metadata"]["labels"]
    assert machines["spec"]["selector"]["matchLabels"] == labels
    assert objects["Service"]["spec"]["selector"] == labels
    target = objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (machines["kind"], machines["metadata"]["name"])


def test_domain_is_libvirts(made):
    path = made("libvirt") / "elfpack.xml"
    assert judged("virt-xml-validate", path, "domain")[0]
    changed(path, "<vcpu>2<", "<vcpu>two<")
    assert not judged("virt-xml-validate", path, "domain")[0]


def test_unit_is_systemds(made):
    path = made("systemd") / "elfpack.service"
    judge = ("systemd-analyze", "verify", "--man=no", path)
    assert judged(*judge) == (True, "")
    changed(path, "Restart=", "Restarts=")
    assert re.search("Unknown key.* 'Restarts'", judged(*judge)[1])
