"""Requests and answers, held against AWS's own models as botocore carries them.

`check_request` and `check_answer` return what is wrong, as a list of sentences that is empty where all is well. They
are stricter than botocore: its parser silently drops an element that it does not know, and takes any text for false.
Both know the protocols `ec2` and `query` (SNS, STS); `check_answer` knows `rest-xml` (Route 53) too.
"""

import base64
import re
from functools import cache
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import botocore.session
from botocore.model import OperationNotFoundError

_session = botocore.session.Session()

# What a text must look like to be of a type. Strings may look as they like.
_FORMS = {
    "boolean": r"true|false",
    "integer": r"-?(0|[1-9]\d*)",
    "long": r"-?(0|[1-9]\d*)",
    "float": r"-?\d+(\.\d+)?",
    "double": r"-?\d+(\.\d+)?",
    "timestamp": r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?Z",
}
# The model says `PendingAcceptance`; the wire says `pendingAcceptance`, as the API reference's examples do.
_LOWER_CAMEL_ON_THE_WIRE = {"State"}


@cache
def service_model(service):
    return _session.get_service_model(service)


def _scalar(shape, text, path):
    """What is wrong with a plain value."""
    form = _FORMS.get(shape.type_name)
    if form and not re.fullmatch(form, text):
        return [f"{path}: `{text}` is no {shape.type_name}"]
    if shape.type_name == "blob":
        try:
            base64.b64decode(text, validate=True)
        except ValueError:
            return [f"{path}: `{text}` is no base64"]
    words = getattr(shape, "enum", [])
    if shape.name in _LOWER_CAMEL_ON_THE_WIRE:
        words = [word[0].lower() + word[1:] for word in words]
    if words and text not in words:
        return [f"{path}: `{text}` is none of the words of {shape.name}"]
    if shape.name == "ResourceId":  # Its bounds are an id's without the path: with it those of real zones are too long.
        text = text.rpartition("/")[2]
    size = {"integer": int, "long": int, "string": len}.get(shape.type_name)
    return _bounds(shape, size(text), path) if size else []


def _bounds(shape, size, path):
    least, most = (shape.metadata.get(name) for name in ("min", "max"))
    if (least is not None and size < least) or (most is not None and size > most):
        return [f"{path}: {size} is not between {least} and {most}"]
    return []


# Requests --------------------------------------------------------------------------------------------------------


class _Parameter:
    """A place in a form: `Filter.1.Value.2=x` is at `Filter`, `1`, `Value`, `2`."""

    def __init__(self):
        self.value, self.children = None, {}


def check_request(operation, form, service="ec2"):
    """What is wrong with a request in a form: a query string, as text or bytes, or pairs of names and values."""
    protocol = (model := service_model(service)).resolved_protocol
    if protocol not in ("ec2", "query"):
        raise ValueError(f"{service} takes no forms, but {protocol}")
    try:
        shape = model.operation_model(operation).input_shape
    except OperationNotFoundError:
        return [f"{service} has no operation {operation}"]
    problems, root = [], _Parameter()
    if isinstance(form, (str, bytes)):
        text = form.decode() if isinstance(form, bytes) else form
        try:
            form = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
        except ValueError as error:
            return [f"no form: {error}"]
    elif hasattr(form, "items"):
        form = form.items()
    for name, value in form:
        at = root
        for part in name.split("."):
            at = at.children.setdefault(part, _Parameter())
        if at.value is not None:
            problems.append(f"{name}: given more than once")
        at.value = value
    for name, expected in [("Action", operation), ("Version", model.metadata["apiVersion"])]:
        given = root.children.pop(name, _Parameter()).value
        if given != expected:
            problems.append(f"{name}: `{given}` is not `{expected}`")
    if shape is None:
        return problems + [f"{name}: {operation} has no parameters" for name in root.children]
    return problems + _parameter(shape, root, "", protocol)


def _request_name(shape, default, protocol):
    """A parameter's name on the wire. EC2 writes it with a capital, unless a name for queries is given."""
    name = shape.serialization.get("name", default)
    return shape.serialization.get("queryName", name[0].upper() + name[1:]) if protocol == "ec2" else name


def _parameter(shape, at, path, protocol):
    problems = []
    if shape.type_name in ("structure", "list", "map"):
        # The query protocol says that a list is empty; the EC2 protocol has no way to.
        empty_list = shape.type_name != "structure" and protocol == "query" and at.value == "" and not at.children
        if at.value is not None and not empty_list:
            problems.append(f"{path}: a {shape.type_name} with a plain value")
    elif at.children or at.value is None:
        return [f"{path}: a {shape.type_name} with parts of its own"]
    else:
        return _scalar(shape, at.value, path)
    if shape.type_name == "structure":
        return problems + _members(shape, at, path, protocol)
    flat = protocol == "ec2" or shape.serialization.get("flattened")
    inner = "entry" if shape.type_name == "map" else shape.member.serialization.get("name", "member")
    if not flat:
        problems += [f"{path}.{name}: should be {path}.{inner}" for name in at.children if name != inner]
        at, path = at.children.get(inner, _Parameter()), f"{path}.{inner}"
    numbers = [str(number) for number in range(1, len(at.children) + 1)]
    if set(numbers) != set(at.children):
        return problems + [f"{path}: numbered {', '.join(at.children)} instead of {', '.join(numbers)}"]
    for number, item in at.children.items():
        if shape.type_name == "map":
            problems += _members(_Entry(shape), item, f"{path}.{number}", protocol)
        else:
            problems += _parameter(shape.member, item, f"{path}.{number}", protocol)
    return problems + _bounds(shape, len(at.children), path)


class _Entry:
    """A map's entry, as if it were a structure: with both its parts."""

    def __init__(self, shape):
        names = [shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")]
        self.name, self.required_members = shape.name, names
        self.members = dict(zip(names, [shape.key, shape.value], strict=True))


def _members(shape, at, path, protocol):
    problems, prefix = [], f"{path}." if path else ""
    known = {_request_name(member, name, protocol): (name, member) for name, member in shape.members.items()}
    missing = set(shape.required_members)
    for wire, child in at.children.items():
        if wire not in known:
            problems.append(f"{prefix}{wire}: no parameter of {shape.name}")
            continue
        name, member = known[wire]
        missing.discard(name)
        problems += _parameter(member, child, f"{prefix}{wire}", protocol)
    wires = {name: wire for wire, (name, _) in known.items()}
    return problems + [f"{prefix}{wires[name]}: missing, and required" for name in sorted(missing)]


# Answers ---------------------------------------------------------------------------------------------------------


def check_answer(operation, status, body, service="ec2"):
    """What is wrong with an answer: its HTTP status and its body, as text or bytes."""
    model = service_model(service)
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    if status >= 300:
        return _check_error(model, root)
    protocol = model.resolved_protocol
    shape = model.operation_model(operation).output_shape
    root_name = shape.name if protocol == "rest-xml" and shape else f"{operation}Response"
    problems = _take_namespace(root, _namespace(model))
    if root.tag != root_name:
        return problems + [f"the root is {root.tag}, not {root_name}"]
    if protocol == "rest-xml":
        return problems + _element(shape, root, root_name)
    if protocol == "ec2":
        # Where the model has no answer, EC2 says `return`, as its reference documents for every such operation.
        extra = ["requestId"] if shape else ["requestId", "return"]
        texts = {child.tag: child.text for child in root}
        problems += [f"{root_name}.{name}: missing" for name in extra if not texts.get(name)]
        if not shape and texts.get("return") not in ("true", "false", None):
            problems.append(f"{root_name}.return: `{texts['return']}` is no boolean")
        return problems + _structure(shape, root, root_name, extra)
    parts = {child.tag: child for child in root}
    if not parts.get("ResponseMetadata", root).findtext("RequestId"):
        problems.append(f"{root_name}.ResponseMetadata.RequestId: missing")
    wrapper = shape.serialization.get("resultWrapper") if shape else None
    expected = ["ResponseMetadata", *([wrapper] if wrapper else [])]
    if sorted(child.tag for child in root) != sorted(expected):
        return problems + [f"{root_name}: holds {', '.join(parts)} instead of {', '.join(expected)}"]
    return problems + (_structure(shape, parts[wrapper], wrapper) if wrapper else [])


def _namespace(model):
    """The namespace of a service's answers."""
    return {
        # The model leaves out the slash that the wire has.
        "ec2": f"http://ec2.amazonaws.com/doc/{model.api_version}/",
        "route53": f"https://route53.amazonaws.com/doc/{model.api_version}/",
    }.get(model.service_name) or model.metadata["xmlNamespace"]


def _take_namespace(root, namespace):
    """Takes the namespace off every name, and says where it is another."""
    problems = []
    for node in root.iter():
        given, _, name = node.tag.rpartition("}")
        if given.lstrip("{") != namespace:
            problems.append(f"{name}: in the namespace `{given.lstrip('{')}`, not `{namespace}`")
        node.tag = name
    return problems


def _check_error(model, root):
    """EC2 says `Response.Errors.Error` without a namespace, everybody else `ErrorResponse.Error` with one."""
    ec2 = model.resolved_protocol == "ec2"
    problems = _take_namespace(root, "" if ec2 else _namespace(model))
    wanted = ("Response", "Errors/Error", "RequestID") if ec2 else ("ErrorResponse", "Error", "RequestId")
    if root.tag != wanted[0]:
        return problems + [f"the root is {root.tag}, not {wanted[0]}"]
    names = [f"{wanted[1]}/Code", f"{wanted[1]}/Message", wanted[2]] + ([] if ec2 else ["Error/Type"])
    for name in names:
        if len(root.findall(name)) != 1 or not (root.findtext(name) or "").strip():
            problems.append(f"{wanted[0]}/{name}: missing, empty, or there more than once")
    known = {name.rpartition("/")[2] for name in names} | {wanted[0], "Errors", "Error"}
    return problems + [f"{node.tag}: no part of an error" for node in root.iter() if node.tag not in known]


def _element(shape, node, path):
    if node.attrib:
        return [f"{path}: attributes {', '.join(node.attrib)}"]
    if shape.type_name == "structure":
        return _structure(shape, node, path)
    if shape.type_name == "list":
        return _loose_text(node, path) + _items(shape, list(node), path)
    if shape.type_name == "map":
        problems = _loose_text(node, path)
        for entry in node:
            problems += [] if entry.tag == "entry" else [f"{path}.{entry.tag}: no part of a map"]
            problems += _structure(_Entry(shape), entry, f"{path}.{entry.tag}")
        return problems
    if len(node):
        return [f"{path}: a {shape.type_name} with elements in it"]
    return _scalar(shape, node.text or "", path)


def _items(shape, nodes, path):
    wanted = shape.member.serialization.get("name", "member")
    flat = shape.serialization.get("flattened")
    problems = _bounds(shape, len(nodes), path)
    for number, node in enumerate(nodes, 1):
        if node.tag != wanted and not flat:
            problems.append(f"{path}.{node.tag}: should be {wanted}")
        problems += _element(shape.member, node, f"{path}.{number}")
    return problems


def _answer_name(shape, default):
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        default = shape.member.serialization.get("name", default)
    return shape.serialization.get("name", default)


def _structure(shape, node, path, extra=()):
    problems = _loose_text(node, path)
    members = shape.members.items() if shape else []
    known = {_answer_name(member, name): member for name, member in members if not member.serialization.get("location")}
    groups = {}
    for child in node:
        groups.setdefault(child.tag, []).append(child)
    for name, nodes in groups.items():
        where = f"{path}.{name}"
        member = known.get(name)
        if member is not None and member.type_name == "list" and member.serialization.get("flattened"):
            problems += _items(member, nodes, where)
            continue
        if len(nodes) > 1:
            problems.append(f"{where}: there {len(nodes)} times")
        if member is None and name not in extra:
            problems.append(f"{where}: not in the model; botocore drops it")
        elif member is not None:
            problems += [problem for child in nodes for problem in _element(member, child, where)]
    return problems


def _loose_text(node, path):
    texts = [node.text, *(child.tail for child in node)]
    return [f"{path}: text between its elements: `{text.strip()}`" for text in texts if text and text.strip()]
