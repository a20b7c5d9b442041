"""Requests and replies by botocore's service models: what a request says becomes checked
parameters, what a handler returns becomes the reply. The same models drive awscli, so that both
ends are held to one description."""
import base64
import datetime
import functools
import json
import re
import urllib.parse
import xml.etree.ElementTree as xml

import botocore.loaders
import botocore.model

from .errors import ApiError
from .wire import Reply

# Values that AWS documents and that the oldest model we judge with (Debian 12's) has not got.
NEWER_VALUES = {"BootModeValues": ["uefi-preferred"]}
PROTOCOL_OF = {"ebs": "rest-json", "ec2": "ec2", "sts": "query"}


class Service:
    """One service's model, and the way its requests and replies are written."""

    def __init__(self, name):
        description = botocore.loaders.Loader().load_service_model(name, "service-2")
        self.name, self.model = name, botocore.model.ServiceModel(description, name)
        self.protocol = PROTOCOL_OF[name]

    def check(self, shape, value, path):
        """Everything the model says of a value: types, what is required, ranges, patterns."""
        getattr(self, f"check_{shape.type_name}", self.check_scalar)(shape, value, path)

    def check_structure(self, shape, value, path):
        for name in shape.required_members:
            if name not in value:
                self.refuse_missing(f"{path}.{name}" if path else name)
        for name, member in value.items():
            self.check(shape.members[name], member, f"{path}.{name}" if path else name)

    def check_list(self, shape, value, path):
        self.check_size(shape, len(value), value, path)
        for i, member in enumerate(value, 1):
            self.check(shape.member, member, f"{path}.{i}")

    def check_scalar(self, shape, value, path):
        if isinstance(value, str):
            enum = shape.metadata.get("enum")
            if enum and value not in enum + NEWER_VALUES.get(shape.name, []):
                self.refuse_value(value, path, f"one of {', '.join(enum)}")
            pattern = shape.metadata.get("pattern")
            if pattern and not re.search(pattern, value):
                self.refuse_value(value, path, pattern)
            self.check_size(shape, len(value), value, path)
        elif isinstance(value, int) and not isinstance(value, bool):
            self.check_size(shape, value, value, path)

    def check_size(self, shape, size, value, path):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and size < low or high is not None and size > high:
            self.refuse_value(value, path, f"from {low} to {high}")

    def scalar(self, shape, text, path):
        """A value that was sent as text."""
        kind = shape.type_name
        try:
            if kind in ("integer", "long"):
                return int(text)
            if kind == "boolean":
                return {"true": True, "false": False}[text]
            if kind == "timestamp":
                return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
            if kind == "blob":
                return base64.b64decode(text, validate=True)
        except (ValueError, KeyError):
            self.refuse_value(text, path, kind)
        return text


class QueryService(Service):
    """Form-encoded requests and XML replies: EC2's dialect and that of STS."""

    def refuse_missing(self, path):
        raise ApiError("MissingParameter", f"The request must contain the parameter {path}", 400)

    def refuse_value(self, value, path, expected):
        raise ApiError("InvalidParameterValue",
                       f"Value ({value}) for parameter {path} is invalid. Expected: {expected}.",
                       400)

    def identify(self, request):
        if request.method != "POST" or request.path != "/":
            return None, {}
        fields = dict(urllib.parse.parse_qsl(request.body.decode(errors="replace"),
                                             keep_blank_values=True))
        action = fields.pop("Action", None)
        return (self.model.operation_model(action)
                if action in self.model.operation_names else None), fields

    def refuse_operation(self, request):
        action = urllib.parse.parse_qs(request.body.decode(errors="replace")).get("Action", ["?"])
        return ApiError("InvalidAction", f"The action {action[0]} is not valid for this web "
                                         "service.", 400)

    def decode(self, operation, _, fields):
        version = fields.pop("Version", None)
        if version != self.model.api_version:
            raise ApiError("NoSuchVersion" if version else "MissingParameter",
                           f"The version {version} is not valid.", 400)
        tree = {}
        for name, value in fields.items():
            *way, last = name.split(".")
            node = tree
            for step in way:
                node = node.setdefault(step, {})
                if not isinstance(node, dict):
                    raise ApiError("UnknownParameter",
                                   f"The parameter {name} is not recognized", 400)
            node[last] = value
        if operation.input_shape is None:
            return {}
        params = self.value(operation.input_shape, tree, "")
        self.check(operation.input_shape, params, "")
        return params

    def sent_name(self, shape, name):
        if self.protocol == "query":
            return shape.serialization.get("name", name)
        if "queryName" in shape.serialization:
            return shape.serialization["queryName"]
        name = shape.serialization.get("name", name)
        return name[0].upper() + name[1:]

    def value(self, shape, node, path):
        if shape.type_name == "structure" and isinstance(node, dict):
            by_name = {self.sent_name(m, n): (n, m) for n, m in shape.members.items()}
            for sent in node:
                if sent not in by_name:
                    raise ApiError("UnknownParameter", "The parameter "
                                   f"{path + '.' if path else ''}{sent} is not recognized", 400)
            return {by_name[sent][0]: self.value(by_name[sent][1], below,
                                                 f"{path}.{sent}" if path else sent)
                    for sent, below in node.items()}
        if shape.type_name == "list" and isinstance(node, dict):
            if self.protocol == "query" and not shape.serialization.get("flattened"):
                node = node.get("member", {})
            if not all(key.isdigit() for key in node):
                raise ApiError("UnknownParameter", f"The parameter {path} is a list", 400)
            return [self.value(shape.member, node[key], f"{path}.{key}")
                    for key in sorted(node, key=int)]
        if not isinstance(node, str) or shape.type_name in ("structure", "list"):
            raise ApiError("UnknownParameter", f"The parameter {path} is not recognized", 400)
        return self.scalar(shape, node, path)

    def element(self, parent, name, shape, value):
        if shape.type_name == "structure":
            node = xml.SubElement(parent, name)
            for key, member in value.items():
                if member is not None:
                    below = shape.members[key]
                    self.element(node, below.serialization.get("name", key), below, member)
        elif shape.type_name == "list":
            node = xml.SubElement(parent, name)
            for member in value:
                self.element(node, shape.member.serialization.get("name", "member"),
                             shape.member, member)
        else:
            node = xml.SubElement(parent, name)
            if isinstance(value, bool):
                node.text = str(value).lower()
            elif shape.type_name == "timestamp":
                node.text = datetime.datetime.fromtimestamp(
                    value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            else:
                node.text = str(value)

    def encode(self, operation, result, request_id):
        root = xml.Element(f"{operation.name}Response",
                           xmlns=self.model.metadata["xmlNamespace"])
        body = root
        if self.protocol == "query":
            body = xml.SubElement(root, f"{operation.name}Result")
            xml.SubElement(xml.SubElement(root, "ResponseMetadata"),
                           "RequestId").text = request_id
        else:
            xml.SubElement(root, "requestId").text = request_id
        if operation.output_shape is None:
            xml.SubElement(root, "return").text = "true"
        else:
            known = operation.output_shape.members
            for key, member in (result or {}).items():
                if member is not None and key in known:
                    self.element(body, known[key].serialization.get("name", key), known[key],
                                 member)
        return Reply(200, {"Content-Type": "text/xml;charset=UTF-8",
                           "x-amzn-RequestId": request_id},
                     b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root))

    def encode_error(self, error, request_id):
        if self.protocol == "ec2":
            root = xml.Element("Response")
            below = xml.SubElement(xml.SubElement(root, "Errors"), "Error")
            last = "RequestID"
        else:
            root = xml.Element("ErrorResponse", xmlns=self.model.metadata["xmlNamespace"])
            below = xml.SubElement(root, "Error")
            xml.SubElement(below, "Type").text = "Sender"
            last = "RequestId"
        xml.SubElement(below, "Code").text = error.code
        xml.SubElement(below, "Message").text = error.message
        xml.SubElement(root, last).text = request_id
        return Reply(error.status or 400, {"Content-Type": "text/xml;charset=UTF-8"},
                     b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root))


class RestJsonService(Service):
    """Parameters in the path, the query, headers and a JSON body."""

    def refuse_missing(self, path):
        raise ApiError("ValidationException", f"1 validation error detected: Value null at "
                       f"'{path}' failed to satisfy constraint: Member must not be null",
                       Reason="INVALID_PARAMETER_VALUE")

    def refuse_value(self, value, path, expected):
        raise ApiError("ValidationException", f"1 validation error detected: Value '{value}' at "
                       f"'{path}' failed to satisfy constraint: Member must be {expected}",
                       Reason="INVALID_PARAMETER_VALUE")

    @functools.cached_property
    def routes(self):
        """(method, path's pattern, operation)"""
        operations = [self.model.operation_model(name) for name in self.model.operation_names]
        return [(o.http["method"], re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)",
                                                     o.http["requestUri"])), o)
                for o in operations]

    def identify(self, request):
        for method, pattern, operation in self.routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return operation, {k: urllib.parse.unquote(v) for k, v in match.groupdict().items()}
        return None, {}

    def refuse_operation(self, request):
        return ApiError("UnknownOperationException", f"{request.method} {request.path}", 404)

    def decode(self, operation, request, in_path):
        shape, params = operation.input_shape, {}
        query = dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))
        body = {name: m for name, m in shape.members.items()
                if "location" not in m.serialization and not m.serialization.get("streaming")}
        for name, member in shape.members.items():
            place, sent = member.serialization.get("location"), member.serialization.get("name")
            if member.serialization.get("streaming"):
                params[name] = request.body
                continue
            text = {"uri": in_path.get, "header": request.header,
                    "querystring": lambda n: query.pop(n, None)}.get(place, lambda _: None)(sent)
            if text is not None:
                params[name] = self.scalar(member, text, name)
        if query:
            raise ApiError("ValidationException", f"unknown parameter {next(iter(query))}",
                           Reason="INVALID_PARAMETER_VALUE")
        if body:
            params |= self.json_body(shape, body, request.body)
        self.check(shape, params, "")
        return params

    def json_body(self, shape, members, text):
        try:
            said = json.loads(text or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", str(error), 400) from error
        if not isinstance(said, dict):
            raise ApiError("SerializationException", "not an object", 400)
        if unknown := set(said) - set(members):
            raise ApiError("ValidationException", f"unknown parameter {min(unknown)}",
                           Reason="INVALID_PARAMETER_VALUE")
        self.check_json_types(shape, said, "")
        return {name: value for name, value in said.items() if value is not None}

    def check_json_types(self, shape, value, path):
        expected = {"structure": dict, "list": list, "string": str, "integer": int, "long": int,
                    "boolean": bool}[shape.type_name]
        if not isinstance(value, expected) or expected is int and isinstance(value, bool):
            raise ApiError("SerializationException",
                           f"{path}: {type(value).__name__} can not be {shape.type_name}", 400)
        if expected is dict:
            for name, below in value.items():
                if name not in shape.members:
                    raise ApiError("ValidationException", f"unknown parameter {path}.{name}",
                                   Reason="INVALID_PARAMETER_VALUE")
                if below is not None:
                    self.check_json_types(shape.members[name], below, f"{path}.{name}")
        elif expected is list:
            for below in value:
                self.check_json_types(shape.member, below, f"{path}[]")

    def encode(self, operation, result, request_id):
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
        said, raw = {}, None
        for name, value in (result or {}).items():
            member = operation.output_shape.members[name]
            if value is None:
                continue
            if member.serialization.get("location") == "header":
                headers[member.serialization["name"]] = str(value)
            elif member.serialization.get("streaming"):
                raw = value
                headers["Content-Type"] = "application/octet-stream"
            else:
                said[name] = value
        return Reply(operation.http.get("responseCode", 200), headers,
                     json.dumps(said).encode() if raw is None else raw)

    def encode_error(self, error, request_id):
        status = error.status
        if status is None:
            shape = self.model.shape_for(error.code)
            status = shape.metadata["error"]["httpStatusCode"]
        return Reply(status, {"Content-Type": "application/json", "x-amzn-RequestId": request_id,
                              "x-amzn-ErrorType": error.code},
                     json.dumps({"Message": error.message, **error.fields}).encode())


@functools.lru_cache
def load_service(name):
    return (RestJsonService if PROTOCOL_OF[name] == "rest-json" else QueryService)(name)
