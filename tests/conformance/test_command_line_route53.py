"""`aws route53`, as a user types it: a zone, a change of it, and waiting until the world has it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import botocore.session
import pytest

from stage import PROVIDER, REGION, wait_until

AWS = Path(sys.executable).parent / "aws"
CHANGES = "/2013-04-01/change/"


@pytest.fixture
def aws(stage, tmp_path):
    """Starts `aws route53 …` as the provider, with a waiter that looks every second.

    AWS's own model of the waiter says every 30, which a test does not sit out. It is `AWS_DATA_PATH`, by which anybody
    may give models of their own, that brings the other one; the rest of it is AWS's.
    """
    loader = botocore.session.Session().get_component("data_loader")
    model = dict(loader.load_service_model("route53", "waiters-2"))
    model["waiters"]["ResourceRecordSetsChanged"]["delay"] = 1
    folder = tmp_path / "models" / "route53" / loader.determine_latest_version("route53", "waiters-2")
    folder.mkdir(parents=True)
    (folder / "waiters-2.json").write_text(json.dumps(model))
    account = {"AWS_ACCESS_KEY_ID": PROVIDER, "AWS_SECRET_ACCESS_KEY": "any", "AWS_DATA_PATH": str(tmp_path / "models")}

    def start(*words):
        return subprocess.Popen(
            [AWS, "route53", *words, "--endpoint-url", stage.url, "--region", REGION, "--output", "json"],
            env=os.environ | account,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process):
    """What it printed, read as JSON."""
    out, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
    return json.loads(out) if out else None


def test_waiting_for_a_change_ends_when_the_world_has_it(stage, aws):
    zone = ended(aws("create-hosted-zone", "--name", "example.com", "--caller-reference", "1"))["HostedZone"]["Id"]
    value = {"Value": '"vpce:a"'}
    record = {"Name": "_a.example.com", "Type": "TXT", "TTL": 300, "ResourceRecords": [value]}
    batch = json.dumps({"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})
    made = ended(aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch))
    info = made["ChangeInfo"]
    assert info["Status"] == "PENDING"

    def looks():
        return sum(request["path"].startswith(CHANGES) for request in stage.control("GET", "requests"))

    waiting = aws("wait", "resource-record-sets-changed", "--id", info["Id"])
    # It looks, and looks again, and is not told that it is done.
    wait_until(lambda: looks() >= 2, True)
    assert waiting.poll() is None
    stage.step(70)
    begun = time.monotonic()
    assert ended(waiting) is None
    assert time.monotonic() - begun < 10
    assert ended(aws("get-change", "--id", info["Id"]))["ChangeInfo"] == {**info, "Status": "INSYNC"}


def test_waiting_for_a_change_that_is_unknown_fails_with_route_53s_words(aws):
    waiting = aws("wait", "resource-record-sets-changed", "--id", "C0123456789")
    _, complaint = waiting.communicate(timeout=60)
    assert waiting.returncode == 255 and "C0123456789" in complaint, complaint
