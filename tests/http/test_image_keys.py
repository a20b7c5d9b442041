"""What an image's builder says about requests: argv template, default outputs, policy,
variables, exit statuses, CORS. Each test has a front of its own."""
import json

from support.http_client import call

TEMPLATE = ("argv=sh", "argv=-c", 'argv=echo "$@" > out.txt', "argv=x", "argv={files}")


def form(*parts):
    """A multipart body and its type; a part is (name, content) or (name, content, filename)."""
    body = b""
    for name, content, *filename in parts:
        body += b'--b\r\nContent-Disposition: form-data; name="%s"' % name.encode()
        if filename:
            body += b'; filename="%s"' % filename[0].encode()
        body += b"\r\n\r\n" + content + b"\r\n"
    return body + b"--b--\r\n", "multipart/form-data; boundary=b"


def test_template_and_default_output_serve_a_request_without_a_query(front_with):
    address = front_with(*TEMPLATE, "out=out.txt").address
    assert call(address, "/hello.c", "PUT", b"x")[1] == b"hello.c\n"
    body, kind = form(("file", b"1", "a.c"), ("inc/b.h", b"2", "b.h"))
    assert call(address, "/", "POST", body, Content_Type=kind)[1] == b"a.c inc/b.h\n"
    envelope = json.dumps({"files": {"z": "", "-n": ""}})
    _, answer = call(address, "/_/run", "POST", envelope, Content_Type="application/json")
    assert json.loads(answer)["files"][0]["data"] == "z ./-n\n"


def test_request_with_arguments_of_its_own_has_its_own_outputs_too(front_with):
    address = front_with(*TEMPLATE, "out=out.txt").address
    assert call(address, "/?echo&mine")[1] == b"mine\n"
    body, kind = form(("arg", b"echo"), ("arg", b"form"))
    assert call(address, "/", "POST", body, Content_Type=kind)[1] == b"form\n"
    answer, _ = call(address, "/?_out=no", "GET")
    assert answer.status == 422, "an output that the request names replaces the default"


def test_template_with_args_shapes_every_request(front_with):
    address = front_with("argv=echo", "argv={args}", "argv=--", "argv={files}").address
    assert call(address, "/f?a&b", "PUT", b"x")[1] == b"a b -- f\n"
    assert call(address, "/?_stderr=drop")[1] == b"--\n"


def test_default_output_without_a_template_is_for_all_requests(front_with):
    address = front_with("out=*.txt").address
    assert call(address, "/?sh&-c&echo+one>a.txt")[1] == b"one\n"
    assert call(address, "/?true")[0].status == 422
    assert call(address, "/?echo&x&_format=stream")[1] == b"x\n"


def test_argument_outside_the_policy_is_403_wherever_it_stands(front_with):
    address = front_with("allow_arg=echo|cat", "allow_arg=[a-c]+").address
    assert call(address, "/?echo&abc")[1] == b"abc\n"
    body, kind = form(("arg", b"sh"))
    envelope = json.dumps({"argv": ["echo", "abcd"]})
    for target, method, data, fields in (
            ("/?echo&abcd", "GET", None, {}), ("/?echo&%0Aab", "GET", None, {}),
            ("/?sh", "POST", b"x", {}), ("/", "POST", body, {"Content_Type": kind}),
            ("/_/run", "POST", envelope, {"Content_Type": "application/json"})):
        answer, text = call(address, target, method, data, **fields)
        assert answer.status == 403, target
        assert b"does not let" in text


def test_variables_that_are_allowed_can_be_set_and_others_are_403(front_with):
    address = front_with("allow_env=LANG").address
    assert call(address, "/?sh&-c&echo+$LANG&_env=LANG=de")[1] == b"de\n"
    assert call(address, "/?env&_env=PATH=/x")[0].status == 403


def test_further_exit_statuses_can_be_answers(front_with):
    address = front_with("ok_exit=1", "ok_exit=7").address
    for code, status in ((0, 200), (1, 200), (7, 200), (2, 422)):
        answer, _ = call(address, f"/?sh&-c&exit+{code}")
        assert (answer.status, answer.getheader("Elfpack-Exit-Code")) == (status, str(code))


def test_cors_is_off_unless_the_image_names_an_origin(front_with):
    plain = front_with().address
    assert call(plain, "/?true")[0].getheader("Access-Control-Allow-Origin") is None
    address = front_with("cors=https://a.example").address
    for target, method in (("/?true", "GET"), ("/?false", "GET"), ("/nothing", "GET")):
        answer, _ = call(address, target, method, Origin="https://b.example")
        assert answer.getheader("Access-Control-Allow-Origin") == "https://a.example"
        assert "Elfpack-Outcome" in answer.getheader("Access-Control-Expose-Headers")
    asked, _ = call(address, "/f", "OPTIONS", Origin="https://a.example",
                    Access_Control_Request_Method="PUT")
    assert asked.status == 204 and "PUT" in asked.getheader("Access-Control-Allow-Methods")
    assert "Content-Type" in asked.getheader("Access-Control-Allow-Headers")
