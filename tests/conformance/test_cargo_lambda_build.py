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
from pathlib import Path

import pytest

from function import Function
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
# What the functions look at everything for; the prober takes nothing but another function's report.
EVENT = {"connectivity-prober": {"function": "endpoint-configurator", "endpoints": []}}
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
            "PRIVATELINK_DNS_SERVER": stage.name_servers,
        }
        folder = built[0] / name
        shutil.copytree(ROOT / "infra" / "policy", folder / "policy", dirs_exist_ok=True)
        function = Function(folder / "bootstrap", variables)
        try:
            answer = function.call(EVENT.get(name, {}))
            assert (answer["function"], answer["mode"]) == (name, "enforce")
            assert function.runs()
        finally:
            function.close()
        if name == "connection-acceptor":
            assert stage.state(endpoint) == "pending"
    finally:
        stage.close()
