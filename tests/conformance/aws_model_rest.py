"""Requests of the protocol `rest-xml`, Route 53's, held against AWS's own model as `aws_model` holds forms."""

import re
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from aws_model import _element, _scalar, _take_namespace, service_model


def operation_of(method, path, service="route53"):
    """Which operation a request asks for, with what its path names: `None` where it is none of the model's."""
    model = service_model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        # The slash at the end is in the model of some, and means nothing.
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", http["requestUri"].partition("?")[0].rstrip("/"))
        found = re.fullmatch(f"{pattern}/?", path)
        if found and http["method"] == method:
            return name, {key: unquote(value) for key, value in found.groupdict().items()}
    return None


def check_rest_request(method, path, query, body, service="route53"):
    """The operation, and what is wrong with a request for it. A query and a body are text, and may be empty."""
    found = operation_of(method, path, service)
    if found is None:
        return None, [f"{service} has no operation at {method} {path}"]
    operation, labels = found
    shape = service_model(service).operation_model(operation).input_shape
    problems = _plain(shape, "uri", labels.items())
    problems += _plain(shape, "querystring", parse_qsl(query, keep_blank_values=True))
    in_body = [name for name, member in shape.members.items() if not member.serialization.get("location")]
    if not in_body:
        return operation, problems + ([f"a body: {operation} takes none"] if body else [])
    return operation, problems + _body(shape, body)


def _plain(shape, location, given):
    """The values of a path or of a query."""
    members = {
        member.serialization["name"]: (name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") == location
    }
    problems, missing = [], {name for name, _ in members.values()} & set(shape.required_members)
    seen = set()
    for wire, value in given:
        if wire in seen:
            problems.append(f"{wire}: given more than once")
        seen.add(wire)
        if wire in members:
            name, member = members[wire]
            missing.discard(name)
            # Whoever leaves a value out leaves out its name too.
            problems += _scalar(member, value, wire) if value else [f"{wire}: empty"]
        else:
            problems.append(f"{wire}: no parameter of {shape.name}")
    return problems + [f"{name}: missing, and required" for name in sorted(missing)]


def _body(shape, body):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    wanted = shape.serialization["name"]
    problems = _take_namespace(root, shape.serialization["xmlNamespace"]["uri"])
    if root.tag != wanted:
        return problems + [f"the root is {root.tag}, not {wanted}"]
    return problems + _element(shape, root, wanted) + _missing(shape, root, wanted)


def _missing(shape, node, path):
    """What has to be there, all the way down: in an answer nothing has to."""
    problems = []
    if shape.type_name == "list":
        children = [(shape.member, child, f"{path}.{number}") for number, child in enumerate(node, 1)]
    elif shape.type_name == "structure":
        inner = {name: member for name, member in shape.members.items() if not member.serialization.get("location")}
        wires = {name: member.serialization.get("name", name) for name, member in inner.items()}
        problems += [
            f"{path}.{wires[name]}: missing, and required"
            for name in shape.required_members
            if name in inner and node.find(wires[name]) is None
        ]
        children = [
            (inner[name], child, f"{path}.{wire}") for name, wire in wires.items() for child in node.findall(wire)
        ]
    else:
        children = []
    return problems + [problem for child in children for problem in _missing(*child)]
