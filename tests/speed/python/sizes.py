"""Prints, as JSON, how large each function's package is, and what is measured with what."""

import importlib.metadata
import io
import json
import os
import platform
import sys
import zipfile
from pathlib import Path

MODULES = ["connection_acceptor", "domain_verifier", "availability_notifier", "endpoint_configurator"]
PROVIDERS = {"connection_acceptor", "domain_verifier", "availability_notifier"}
# What a package in Python brings beside its own modules, since Lambda has none of it.
BRINGS = {"connection_acceptor": ["cedarpy"], "domain_verifier": ["dnspython"], "connectivity_prober": ["dnspython"]}
# What Lambda's managed Python has: boto3 with what it needs, and the runtime's client.
LAMBDA_HAS = ["boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"]
CLIENT = ["awslambdaric", "simplejson", "snapshot-restore-py"]


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in sorted(files):
            archive.write(path, name)
    return len(packed.getvalue())


def below(folder):
    return [(str(path.relative_to(folder)), path) for path in folder.rglob("*") if path.is_file()]


def distributed(names):
    """The files of installed distributions, without what was compiled of them here."""
    found = []
    for name in names:
        for file in importlib.metadata.files(name) or []:
            path = Path(file.locate())
            if path.is_file() and path.suffix != ".pyc" and ".." not in file.parts:
                found.append((str(file), path))
    return found


def is_installed(name):
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def main(programs, modules, policy):
    programs, modules, policy = Path(programs), Path(modules), Path(policy)
    shipped = [(f"infra/policy/{name}", path) for name, path in below(policy)]
    rust, python = {}, {}
    for module in [*MODULES, "connectivity_prober", "empty_function"]:
        name = module.replace("_", "-")
        more = shipped if module in PROVIDERS else []
        rust[name] = zipped([("bootstrap", programs / name), *more])
        own = [module, "provider"] if module in PROVIDERS else [module]
        brought = distributed([one for one in BRINGS.get(module, []) if is_installed(one)])
        python[name] = zipped([(f"{one}.py", modules / f"{one}.py") for one in own] + brought + more)
    cedar = "and cedarpy judges" if is_installed("cedarpy") else "and no cedarpy was to be had, so that nothing judges"
    about = {
        "machine": f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "boto3": importlib.metadata.version("boto3"),
        "awslambdaric": importlib.metadata.version("awslambdaric"),
        "runtime": zipped(distributed(LAMBDA_HAS + CLIENT)),
        "cedar": cedar,
    }
    json.dump({"rust": rust, "python": python, "about": about}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
