"""Where `elfpack publish aws` finds its keys: each place of AWS's own tools, on the mock."""
import datetime
import hashlib
import json

import pytest

from mock import MockAws, make_certificate

from test_publish import Publisher, fails, made_one, publish, small_image  # noqa: F401

NONE = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


@pytest.fixture
def home(tmp_path):
    """A home with the AWS tools' files, and the variables that say so."""
    (tmp_path / ".aws/sso/cache").mkdir(parents=True)

    def write(config="", credentials="", **more):
        (tmp_path / ".aws/config").write_text(config)
        (tmp_path / ".aws/credentials").write_text(credentials)
        return {**NONE, "HOME": str(tmp_path), "AWS_CONFIG_FILE": None,
                "AWS_SHARED_CREDENTIALS_FILE": None, **more}
    write.folder = tmp_path
    return write


def keys_lines(key):
    return (f"aws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n" +
            (f"aws_session_token = {key.token}\n" if key.token else ""))


def test_profile_of_the_shared_files(aws, publish, small_image, home):
    key = aws.keys.temporary()
    env = home("[profile ci]\nregion = us-east-1\n", f"[ci]\n{keys_lines(key)}",
               AWS_DEFAULT_REGION=None)
    result = publish(small_image, "--profile", "ci", env=env)
    assert result.returncode == 0, result.stderr
    assert {record.region for record in aws.log} == {"us-east-1"}


def test_default_profile_in_config(aws, publish, small_image, home):
    env = home(f"[default]\nregion=eu-west-1\n{keys_lines(aws.keys.first)}")
    made_one(aws, publish(small_image, env=env), small_image)


def test_given_profile_wins_over_the_environment(aws, publish, small_image, home):
    env = home("", f"[ci]\n{keys_lines(aws.keys.first)}")
    env |= {"AWS_ACCESS_KEY_ID": "AKIAWRONG00000000000", "AWS_SECRET_ACCESS_KEY": "wrong"}
    made_one(aws, publish(small_image, "--profile", "ci", env=env), small_image)


@pytest.mark.parametrize("by_profile", [False, True])
def test_web_identity(aws, publish, small_image, home, by_profile):
    token = home.folder / "token"
    token.write_text("mock.web.identity\n")
    role = "arn:aws:iam::123456789012:role/publisher"
    env = home(f"[profile ci]\nrole_arn={role}\nweb_identity_token_file={token}\n",
               AWS_PROFILE="ci") if by_profile else home(
                   AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=str(token))
    made_one(aws, publish(small_image, env=env), small_image)
    token.write_text("forged\n")
    fails(publish(small_image, env=env), "InvalidIdentityToken")


@pytest.mark.parametrize("session", [False, True])
def test_sso(aws, publish, small_image, home, session):
    url = "https://corp.example/start"
    where = f"sso_start_url={url}\nsso_region=eu-west-1\n"
    role = "sso_account_id=123456789012\nsso_role_name=r\n"
    env = home(f"[profile ci]\nsso_session=corp\n{role}[sso-session corp]\n{where}" if session
               else f"[profile ci]\n{where}{role}", AWS_PROFILE="ci")
    name = hashlib.sha1(b"corp" if session else url.encode()).hexdigest()
    cache = home.folder / f".aws/sso/cache/{name}.json"

    def log_in(hours):
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        cache.write_text(json.dumps({"accessToken": "mock-sso-token",
                                     "expiresAt": f"{until:%Y-%m-%dT%H:%M:%SZ}"}))
    log_in(-1)
    fails(publish(small_image, env=env), "SSO session is over", "hint: aws sso login")
    log_in(1)
    made_one(aws, publish(small_image, env=env), small_image)


def test_container(aws, publish, small_image, home):
    env = home(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{aws.url}/container-credentials",
               AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer mock-container")
    made_one(aws, publish(small_image, env=env), small_image)
    fails(publish(small_image, env={**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer x"}),
          "container's credentials", "401")
    fails(publish(small_image, env={**env, "AWS_CONTAINER_CREDENTIALS_FULL_URI":
                                    "http://127.0.0.1.example/x"}), "neither https nor")


def test_instance_metadata_gives_keys_and_region(aws, publish, small_image, home):
    env = home(AWS_EC2_METADATA_DISABLED=None, AWS_DEFAULT_REGION=None,
               AWS_EC2_METADATA_SERVICE_ENDPOINT=aws.url)
    made_one(aws, publish(small_image, env=env), small_image)


def test_keys_that_end_are_renewed(aws, publish, small_image, home):
    aws.keys.lifetime_s = 200   # within what is renewed ahead of the end
    env = home(AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=aws.url)
    made_one(aws, publish(small_image, env=env), small_image)
    used = {h.split("Credential=")[1].split("/")[0] for record in aws.log
            for n, h in record.headers if n.lower() == "authorization"}
    assert len(used) > 1


@pytest.mark.parametrize("line, said", [("credential_process = /bin/true", "credential_process"),
                                        ("role_arn = arn:x\nsource_profile = y", "role_arn")])
def test_what_is_not_followed_is_said(publish, small_image, home, line, said):
    fails(publish(small_image, env=home(f"[profile ci]\n{line}\n", AWS_PROFILE="ci")),
          f"profile ci: {said} is not followed", "export-credentials")


def test_certificates_are_checked(tmp_path, small_image):
    certificate, key = make_certificate(tmp_path)
    with MockAws(certificate=(certificate, key)) as secure:
        publish = Publisher(secure, tmp_path)
        fails(publish(small_image), "certificate", "hint: where a proxy opens TLS, AWS_CA_BUNDLE")
        assert not secure.log
        made_one(secure, publish(small_image, env={"AWS_CA_BUNDLE": str(certificate)}),
                 small_image)
        record, = secure.requests("StartSnapshot")
        assert record.headers and secure.keys.first.secret not in str(record.headers)
