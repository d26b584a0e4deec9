"""`cargo lambda build` makes of every function what can be deployed, and what it makes answers an event.

It compiles through `cargo-as-tested`, so that nothing is compiled that the tests have compiled already; what it would
do with a named target, its own linker and a release's optimizations is not tested here.
"""

import json
import os
import platform
import shutil
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest

from stage import PROVIDER, REGION, Stage
from test_cargo_lambda import CARGO_LAMBDA, ROOT

METADATA = json.loads(subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT))
# Every program below `functions/` is a function, but for the command line.
FUNCTIONS = [
    target["name"]
    for package in METADATA["packages"]
    if Path(package["manifest_path"]).is_relative_to(ROOT / "functions")
    for target in package["targets"]
    if "bin" in target["kind"] and target["name"] != "privatelink"
]
# The machine's number in the header of a program.
MACHINES = {"x86_64": 62, "aarch64": 183}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with what `cargo lambda build` made, and what it said."""
    folder = tmp_path_factory.mktemp("build")
    variables = {
        "PATH": f"{Path(__file__).parent}{os.pathsep}{os.environ['PATH']}",
        "CARGO_LAMBDA_COMPILER_SUBCOMMAND": "as-tested",
        "CARGO_TARGET_DIR": str(folder / "target"),
        "AS_TESTED_TARGET_DIR": METADATA["target_directory"],
    }
    command = [CARGO_LAMBDA, "lambda", "build", "--compiler", "cargo", "--skip-target-check", "--locked"]
    command += [word for name in FUNCTIONS for word in ("--bin", name)]
    ended = subprocess.run(
        [*command, "--lambda-dir", folder / "lambda"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "lambda", ended.stderr


def test_the_sdk_is_not_compiled_another_time(built):
    assert "Compiling aws-sdk" not in built[1], built[1]


def test_there_is_a_bootstrap_for_each_function_and_nothing_else(built):
    assert FUNCTIONS
    found = [str(path.relative_to(built[0])) for path in built[0].rglob("*") if path.is_file()]
    assert sorted(found) == sorted(f"{name}/bootstrap" for name in FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bootstrap_is_a_program_for_this_machine(built, name):
    bootstrap = built[0] / name / "bootstrap"
    assert os.access(bootstrap, os.X_OK)
    with bootstrap.open("rb") as program:
        header = program.read(20)
    # The name of the format, 64 bits, the least byte first; then a program, and for which machine.
    assert header[:6] == b"\x7fELF\x02\x01"
    kind, machine = struct.unpack("<HH", header[16:])
    assert kind in (2, 3) and machine == MACHINES[platform.machine()]


class Runtime(ThreadingHTTPServer):
    """Lambda's Runtime API for one event: it is given out once, and what is answered is kept."""

    daemon_threads = True

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), Invocation)
        self.events, self.answers = Queue(), Queue()
        self.events.put(event)


class Invocation(BaseHTTPRequestHandler):
    """One request of the function's."""

    def do_GET(self):
        assert self.path == "/2018-06-01/runtime/invocation/next"
        # Who asks for a second event waits, as in Lambda.
        event = json.dumps(self.server.events.get()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", "the-first")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 30) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:{PROVIDER}:function:it")
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((self.path, json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def deployed(bootstrap, event, **variables):
    """A bootstrap in a folder as Lambda has it, started as Lambda does, with one event for it."""
    runtime = Runtime(event)
    threading.Thread(target=runtime.serve_forever, daemon=True).start()
    shutil.copytree(ROOT / "infra" / "policy", bootstrap.parent / "policy", dirs_exist_ok=True)
    lambdas = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": bootstrap.parent.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "LAMBDA_TASK_ROOT": str(bootstrap.parent),
    }
    # Nothing of this environment but what Lambda would give.
    process = subprocess.Popen([bootstrap], cwd=bootstrap.parent, env={**lambdas, **variables})
    try:
        yield process, runtime
    finally:
        process.kill()
        process.wait()
        runtime.shutdown()
        runtime.server_close()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bootstrap_answers_an_event_and_waits_for_the_next(built, name):
    stage = Stage("--no-throttling")
    try:
        endpoint = stage.connect(stage.create_service())
        topic = f"arn:aws:sns:{REGION}:{PROVIDER}:notices"
        variables = {
            "AWS_ENDPOINT_URL": stage.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": PROVIDER,
            "AWS_SECRET_ACCESS_KEY": "none",
            # What some functions can not do without; the others do not look at it.
            "PRIVATELINK_NOTICE_TOPIC_ARN": topic,
            "PRIVATELINK_ENDPOINT_TAG": "managed=yes",
        }
        with deployed(built[0] / name / "bootstrap", {}, **variables) as (process, runtime):
            path, answer = runtime.answers.get(timeout=30)
            assert path == "/2018-06-01/runtime/invocation/the-first/response", answer
            assert (answer["function"], answer["mode"]) == (name, "enforce")
            assert process.poll() is None
        if name == "connection-acceptor":
            assert stage.state(endpoint) == "pending"
    finally:
        stage.close()
