"""Plays the cells of the fault matrix through microburst, and compares what the functions answer."""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

import function
from faults import expected, rule
from function import Failed, Function, program
from stage import ACME, PROVIDER, REGION, Region

# As long as an invocation has in the matrix.
function.LEFT = 10
TOPIC = f"arn:aws:sns:{REGION}:{PROVIDER}:"


def ask(url, method="GET", body=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}, method=method), timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class Way:
    """A Region and a microburst before it, each in a process of its own."""

    def __init__(self):
        self.region = Region("--no-throttling")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [os.environ["MICROBURST"], "--upstream", self.region.url, "--port", str(port), "--no-resign"]
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + 30
        while True:
            try:
                ask(f"{self.url}/_microburst/health")
                break
            except URLError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(os.pread(self._log.fileno(), 1 << 16, 0).decode()) from None
                time.sleep(0.1)
        # It reads a service's model when it is first called, which for EC2's takes longer than a function waits.
        for service in ("ec2", "route53", "sns", "sts"):
            scope = f"AWS4-HMAC-SHA256 Credential={PROVIDER}/20260131/{REGION}/{service}/aws4_request"
            try:
                urlopen(Request(self.url, b"Action=None", {"Authorization": scope}), timeout=60).close()
            except HTTPError:
                pass

    def play(self, cell, folder):
        """What the function answers, and how many calls went wrong."""
        made, _ = rule(cell)
        ask(f"{self.region.url}/_region/state", "PUT", (folder / "world.json").read_bytes())
        ask(f"{self.url}/_microburst/fired", "DELETE")
        ask(f"{self.url}/_microburst/rules", "POST", [made])
        variables = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACME if cell["function"] == "endpoint-configurator" else PROVIDER,
            "AWS_SECRET_ACCESS_KEY": "none",
            "PRIVATELINK_POLICY_DIR": str(folder / "policy"),
            "PRIVATELINK_NOTICE_TOPIC_ARN": f"{TOPIC}notices",
            "PRIVATELINK_OPERATOR_TOPIC_ARN": f"{TOPIC}operators",
            "PRIVATELINK_DNS_SERVER": self.region.name_servers,
            "PRIVATELINK_ENDPOINT_TAG": "privatelink=managed",
            "PRIVATELINK_PRIVATE_DNS": "true",
        }
        process = Function(program(cell["function"]), variables)
        try:
            answer = said(process.call({}))
        except Failed as failed:
            answer = failure(str(failed))
        finally:
            process.close()
        return answer, len(ask(f"{self.url}/_microburst/fired"))

    def close(self):
        self._process.kill()
        self._process.wait()
        self.region.close()


def said(answer):
    """An answer in one line, as the matrix has it."""
    words = (" ".join(outcome[key] for key in ("effect", "result", "code") if key in outcome) for outcome in answer["outcomes"])
    return ", ".join(f"{n} {word}" for word, n in sorted(Counter(words).items()))


def failure(text):
    quoted = re.findall("`([^`]*)`", text)
    kind = text.split(":")[0]
    # Where AWS said nothing there is no code.
    return f"{kind} {quoted[-1 if kind == 'Retry' else 0]}" if quoted else kind


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--at-once", type=int, default=6, help="how many cells are played at the same time")
    parser.add_argument("--only", default="", help="only cells in whose line this stands")
    parser.add_argument("--save", type=Path, help="every answer is written there, as JSON")
    options = parser.parse_args()
    cells = json.loads(options.matrix.read_text())["cells"]
    line = lambda cell: " ".join(cell[key] for key in ("function", "operation", "part", "fault", "often"))
    cells = [cell for cell in cells if options.only in line(cell)]
    playable = [cell for cell in cells if rule(cell)[0]]
    unplayable = Counter(rule(cell)[1] for cell in cells if not rule(cell)[0])
    ways = Queue()
    opened = [Way() for _ in range(options.at_once)]
    for way in opened:
        ways.put(way)
    different, done, known, lock = [], [], Counter(), threading.Lock()

    def play(cell):
        way = ways.get()
        try:
            answer, fired = way.play(cell, options.matrix.parent / cell["scene"])
        except Exception as error:
            answer, fired = f"{type(error).__name__}: {error}"[:300], 0
        finally:
            ways.put(way)
        with lock:
            done.append({**cell, "through microburst": answer, "fired": fired})
            wanted, why = expected(cell)
            if answer != wanted or not fired:
                different.append(cell)
                print(f"{line(cell)}: {fired} calls went wrong\n  ours:  {wanted}\n  there: {answer}", flush=True)
            elif why:
                known[why] += 1

    try:
        with ThreadPoolExecutor(options.at_once) as pool:
            list(pool.map(play, playable))
    finally:
        for way in opened:
            way.close()
    if options.save:
        options.save.write_text(json.dumps(done, indent=1))
    for why, n in unplayable.items():
        print(f"{n} cells were not played: {why}")
    for why, n in known.items():
        print(f"{n} cells are as they should be, and not as in the matrix: {why}")
    print(f"{len(playable)} cells played through microburst, {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
