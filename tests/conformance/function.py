"""A function's own program in a process, as Lambda runs it: a Runtime API that hands out events and takes answers."""

import json
import os
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue

from stage import PROVIDER, REGION

# How long Lambda gives a function for one event.
LEFT = 30
# How long its program may take to start, on a machine that has much to do.
START = 20


def program(name):
    """A function's program, which stands beside `privatelink`."""
    path = Path(os.environ["PRIVATELINK_BIN"]).absolute().with_name(name)
    assert os.access(path, os.X_OK), f"`{path}` is no program; `cargo build --workspace --bins` makes it"
    return path


class Failed(Exception):
    """What a function answers an event with that it fails at."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
        self.kind = answer.get("errorType")


class Runtime(ThreadingHTTPServer):
    """Lambda's Runtime API for one function: each event is given out once, and what is answered is kept."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Invocation)
        self.events, self.answers = Queue(), Queue()


class Invocation(BaseHTTPRequestHandler):
    """One request of the function's."""

    def do_GET(self):
        assert self.path == "/2018-06-01/runtime/invocation/next"
        # Who asks for an event when there is none waits, as in Lambda.
        number, event = self.server.events.get()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", number)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + LEFT) * 1000)))
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


class Function:
    """The process. It gets nothing of this environment but what Lambda would give, and `variables`."""

    def __init__(self, program, variables, folder=None):
        """`folder` is where Lambda would have unpacked it; its own, if left out."""
        folder = folder or program.parent
        self._runtime = Runtime()
        # The interval is what `close` waits for.
        threading.Thread(target=self._runtime.serve_forever, args=(0.02,), daemon=True).start()
        self._events = 0
        self._log = tempfile.TemporaryFile()
        lambdas = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._runtime.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "it",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "LAMBDA_TASK_ROOT": str(folder),
        }
        self._process = subprocess.Popen(
            [program], cwd=folder, env={**lambdas, **variables}, stdout=self._log, stderr=self._log
        )

    def call(self, event):
        """Hands it an event, and gives what it returns."""
        self._events += 1
        number = f"the-{self._events}"
        self._runtime.events.put((number, json.dumps(event).encode()))
        deadline = time.monotonic() + LEFT + START
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                path, answer = self._runtime.answers.get(timeout=0.2)
            except Empty:
                continue
            if path == f"/2018-06-01/runtime/invocation/{number}/response":
                return answer
            assert path == f"/2018-06-01/runtime/invocation/{number}/error", path
            raise Failed(answer)
        raise AssertionError(f"no answer from `{self._process.args[0]}`:\n{self.log()}")

    def log(self):
        """Everything that it wrote."""
        return os.pread(self._log.fileno(), 1 << 22, 0).decode()

    def lines(self, message):
        """The lines of its log that bear that message."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("message") == message]

    def runs(self):
        return self._process.poll() is None

    def close(self):
        self._process.kill()
        self._process.wait()
        self._runtime.shutdown()
        self._runtime.server_close()
        self._log.close()
