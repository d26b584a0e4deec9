"""One Region for each test, unless its module says otherwise: no test sees what another left behind."""

import os
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

from stage import Stage

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
