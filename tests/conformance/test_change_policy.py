"""`infra/change-policy`, as a person runs it: the `aws` command line against moto's Lambda, `privatelink` against ours.

moto keeps layers and gives no place to fetch them from, so whatever stands between the two says where, and serves it.
"""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest

from beside import Moto
from stage import ACME, PROVIDER, REGION, Stage
from test_cargo_lambda import ROOT

FUNCTIONS = ["connection-acceptor", "domain-verifier", "availability-notifier"]
POLICY = ROOT / "infra" / "policy"
NOBODY = '@id("nobody") forbid(principal, action, resource);\n'


class Fetching(ThreadingHTTPServer):
    """Passes everything on to moto, and adds to each version of a layer where its content is."""

    def __init__(self, moto):
        super().__init__(("127.0.0.1", 0), Handler)
        self.moto, self.contents = moto, {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        server = self.server
        if self.path.startswith("/content/"):
            return self.write(200, server.contents[self.path.removeprefix("/content/")])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(server.moto.url + self.path, data=body or None, method=self.command)
        for name in ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Target"):
            if name in self.headers:
                request.add_header(name, self.headers[name])
        try:
            with urlopen(request, timeout=30) as reply:
                status, text = reply.status, reply.read()
        except HTTPError as error:
            status, text = error.code, error.read()
        if status < 300 and "/layers" in self.path:
            answer = json.loads(text)
            if "Content" in answer:
                name = answer["LayerVersionArn"].replace(":", "-")
                if self.command == "POST":
                    server.contents[name] = base64.b64decode(json.loads(body)["Content"]["ZipFile"])
                answer["Content"]["Location"] = f"{server.url}/content/{name}"
                text = json.dumps(answer).encode()
        self.write(status, text)

    do_GET = do_POST = do_PUT = answer

    def write(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def folder_as_layer(folder):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"policy/{file.name}")
    return content.getvalue()


class Place:
    """Deployed functions with a policy layer, and connections."""

    def __init__(self):
        self.moto = Moto()
        self.lambdas = Fetching(self.moto)
        self.region = Stage()
        keys = {"aws_access_key_id": PROVIDER, "aws_secret_access_key": "any", "region_name": REGION}
        self.client = boto3.client("lambda", endpoint_url=self.lambdas.url, **keys)
        iam = boto3.client("iam", endpoint_url=self.moto.url, **keys)
        role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        first = self.publish("stack-policy", folder_as_layer(POLICY))
        other = self.publish("something-else", folder_as_layer(POLICY))
        for name in FUNCTIONS:
            self.client.create_function(
                FunctionName=name, Runtime="provided.al2023", Role=role, Handler="bootstrap",
                Code={"ZipFile": folder_as_layer(POLICY)}, Layers=[other, first],
            )  # fmt: skip

    def publish(self, name, content):
        return self.client.publish_layer_version(LayerName=name, Content={"ZipFile": content})["LayerVersionArn"]

    def versions(self):
        """Which layers the functions have, by name and version."""
        layers = [self.client.get_function_configuration(FunctionName=name)["Layers"] for name in FUNCTIONS]
        return [[":".join(layer["Arn"].split(":")[-2:]) for layer in of_one] for of_one in layers]

    def run(self, *words):
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": PROVIDER,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.region.url,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambdas.url,
        }  # fmt: skip
        ended = subprocess.run(
            [sys.executable, ROOT / "infra" / "change-policy", *words],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr

    def close(self):
        self.region.close()
        self.lambdas.shutdown()
        self.moto.close()


@pytest.fixture
def place():
    place = Place()
    yield place
    place.close()


@pytest.fixture
def strict(tmp_path):
    """A folder that lets nobody in."""
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "consumers.toml").write_bytes((POLICY / "consumers.toml").read_bytes())
    (folder / "nobody.cedar").write_text(NOBODY)
    return folder


def test_a_policy_is_published_and_taken_back(place, strict):
    service = place.region.create_service()
    endpoint = place.region.connect(service, ACME)["VpcEndpointId"]
    assert place.versions() == [["something-else:1", "stack-policy:1"]] * 3

    # Nobody is there to say yes.
    status, text = place.run("publish", str(strict))
    assert status != 0 and "accept -> hold" in text and endpoint in text, text
    assert place.versions() == [["something-else:1", "stack-policy:1"]] * 3

    status, text = place.run("--yes", "publish", str(strict))
    assert status == 0, text
    assert "in force: version 1" in text and "1 of 1 connections are decided differently" in text, text
    assert place.versions() == [["something-else:1", "stack-policy:2"]] * 3, text
    (new,) = [content for name, content in place.lambdas.contents.items() if name.endswith("stack-policy-2")]
    names = zipfile.ZipFile(io.BytesIO(new)).namelist()
    assert {"policy/consumers.toml", "policy/nobody.cedar"} <= set(names)

    status, text = place.run("--yes", "rollback")
    assert status == 0 and "hold -> accept" in text, text
    assert place.versions() == [["something-else:1", "stack-policy:1"]] * 3
    status, text = place.run("--yes", "rollback")
    assert status != 0 and "no version before 1" in text, text


def test_a_folder_that_fails_changes_nothing(place, strict):
    (strict / "broken.cedar").write_text("permit(principal, action);")
    status, text = place.run("publish", str(strict))
    assert status != 0 and "broken.cedar" in text and "is not published" in text, text
    for words in ([], ["publish"], ["publish", "nowhere"], ["--function", "nobody", "publish", str(POLICY)]):
        status, text = place.run("--yes", *words)
        assert status != 0 and "change-policy" in text and "Traceback" not in text, text
    assert place.versions() == [["something-else:1", "stack-policy:1"]] * 3
