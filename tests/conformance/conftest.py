"""One Region for each test, unless its module says otherwise: no test sees what another left behind."""

import os
import subprocess
import tempfile
import uuid
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Nothing of the user's own AWS settings, and no proxy, comes between these clients and the Region.
for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_"))]:
    del os.environ[name]
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    NO_PROXY="*",
    no_proxy="*",
)

import pytest

pytest.register_assert_rewrite("stage")

from function import Function, program
from name_server import NameServer
from operations import OPERATIONS
from stage import PROVIDER, REGION, Stage

HERE = Path(__file__).parent


def pytest_configure(config):
    binary = os.environ.get("PRIVATELINK_BIN")
    if not binary or not os.access(binary, os.X_OK):
        raise pytest.UsageError(
            "PRIVATELINK_BIN has to name the built program `privatelink`, whose simulated Region is tested here; "
            + (f"`{binary}` is no program" if binary else "it is not set")
        )
    # A `setup` that failed leaves `$(setup)/bin/python` to be the system's.
    for line in (HERE / "requirements.txt").read_text().splitlines():
        name, _, pinned = line.partition("==")
        if name in ("boto3", "botocore", "awscli", "pytest"):
            try:
                found = version(name)
            except PackageNotFoundError:
                found = "missing"
            if found != pinned:
                raise pytest.UsageError(f"{name} is {found}, not {pinned}: run these with the Python that `setup` made")


@pytest.fixture
def stage():
    """A Region without throttling."""
    stage = Stage("--no-throttling")
    yield stage
    stage.close()


@pytest.fixture
def throttled_stage():
    """A Region that throttles as AWS does."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def knotd():
    """A name server's program, which is unpacked when the first test asks for it."""
    made = subprocess.run([HERE / "name_server"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def name_server(knotd, tmp_path):
    """Starts a name server with zones, and as many as are asked for: call it with names and `Zone`s."""
    with ExitStack() as servers:

        def start(zones):
            server = NameServer(knotd, tempfile.mkdtemp(prefix="name-server-", dir=tmp_path), zones)
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture
def deploy(stage, tmp_path):
    """Starts functions in the provider's account: call it with a name and what else is in the environment."""
    with ExitStack() as functions:

        def start(name, **variables):
            account = {
                "AWS_ENDPOINT_URL": stage.url,
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": PROVIDER,
                "AWS_SECRET_ACCESS_KEY": "none",
                "AWS_SESSION_TOKEN": "none",
            }
            function = Function(program(name), {**account, **variables}, tmp_path)
            functions.callback(function.close)
            return function

        yield start


@pytest.fixture
def example(stage):
    """Gives the example of an operation, with the ids of a service and of an endpoint that waits."""
    service = stage.create_service()
    stage.connect(service)
    (connection,) = stage.connections(service_id=[service["ServiceId"]])
    words = {
        "SERVICE": lambda: service["ServiceId"],
        "SERVICE_NAME": lambda: service["ServiceName"],
        "ENDPOINT": lambda: connection["VpcEndpointId"],
        "CONNECTION": lambda: connection["VpcEndpointConnectionId"],
        "UNUSED_SERVICE": lambda: stage.create_service()["ServiceId"],
        "NAMED_SERVICE": lambda: stage.create_service(PrivateDnsName="api.example.com")["ServiceId"],
        "OWN_ENDPOINT": lambda: own_endpoint(stage),
        "VPC": lambda: stage.make_vpc(PROVIDER, **OWN_VPC)["vpcId"],
        "GROUP": lambda: own_group(stage),
    }

    def fill(value):
        if isinstance(value, list):
            return [fill(item) for item in value]
        return words[value]() if isinstance(value, str) and value in words else value

    return lambda operation: {name: fill(value) for name, value in OPERATIONS[operation].items()}


# That in which the examples make endpoints.
OWN_VPC = {
    "vpcId": "vpc-0a",
    "cidrBlock": "10.0.0.0/16",
    "subnets": [{"subnetId": "subnet-0a", "cidrBlock": "10.0.0.0/24"}],
}


def own_group(stage):
    """A security group of the provider's that was not there before."""
    name = uuid.uuid4().hex
    made = stage.make_vpc(PROVIDER, **OWN_VPC, securityGroups=[{"groupName": name}])
    return next(group["groupId"] for group in made["securityGroups"] if group["groupName"] == name)


def own_endpoint(stage):
    """An endpoint of the provider's own, which can be changed."""
    return stage.connect(stage.create_service(AcceptanceRequired=False), PROVIDER)["VpcEndpointId"]


@pytest.fixture
def sleep_is_stepping(monkeypatch):
    """Makes boto3's waiting the passing of a Region's time: call it with the Region. Returns the naps."""

    def stepping(region):
        naps = []

        def nap(seconds):
            naps.append(seconds)
            region.step(seconds)

        monkeypatch.setattr("time.sleep", nap)
        return naps

    return stepping
