"""The measuring behind scripts/bench.sh, which says what it is for."""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import bench_shard

PARTS = ["start", "idle", "size", "lag", "bulk", *bench_shard.PARTS]
CORPORA = ["httplogs", "packages"]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_LIMIT_SECONDS = 60
FOLLOW_LIMIT_SECONDS = 60
QUIET_LIMIT_SECONDS = 120
BULK_DOCUMENTS = 5_000
BULK_CLIENTS = 2
LAG_BATCH = 10
LAG_PAUSE_SECONDS = 0.01


class Failure(Exception):
    """Something could not be measured."""


# ---- servers ------------------------------------------------------------------------------------


class Connection:
    """One kept connection to a server."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self.http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
        self.http.connect()
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def raw(self, method, path, body=None, kind="application/json"):
        self.http.request(method, path, body, {"Content-Type": kind} if body is not None else {})
        response = self.http.getresponse()
        return response.status, response.read()

    def call(self, method, path, body=None, fine=(200,)):
        status, text = self.raw(method, path, None if body is None else json.dumps(body).encode())
        if status not in fine:
            raise Failure(f"{self.url}: {method} {path} answered {status} {text[:400].decode(errors='replace')}")
        return json.loads(text) if text else None


class Process:
    """What the kernel knows of a running process."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failure(f"process {self.pid} has no memory")

    def wait_until_quiet(self):
        """Until a whole second passes with less than a twentieth of a core, so that postponed work is counted as well."""
        deadline = time.monotonic() + QUIET_LIMIT_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(1)
            now = self.cpu_seconds()
            if now - before < 0.05:
                return
            before = now
        print(f"  (process {self.pid} was still busy after {QUIET_LIMIT_SECONDS} s)")


    def wait_until_quiet_for(self, seconds):
        """Until no thread has run for so long."""
        deadline = time.monotonic() + QUIET_LIMIT_SECONDS
        before = bench_shard.cpu_nanoseconds(self)
        while time.monotonic() < deadline:
            time.sleep(seconds)
            now = bench_shard.cpu_nanoseconds(self)
            if now - before < seconds * 1e9 / 50:
                return
            before = now


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Node(contextlib.AbstractContextManager):
    """A Tandem of our own, from its start to its end."""

    def __init__(self, binary, folder, name):
        self.data = pathlib.Path(folder) / name
        self.log = pathlib.Path(folder) / f"{name}.log"
        shutil.rmtree(self.data, ignore_errors=True)
        self.port, self.transport_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [binary]
        for setting in (f"path.data={self.data}", f"http.port={self.port}", f"transport.port={self.transport_port}", f"cluster.name={name}"):
            self.command += ["-E", setting]

    def __enter__(self):
        self.restart()
        return self

    def restart(self):
        with open(self.log, "ab") as log:
            started = time.monotonic()
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.start_seconds = self.wait_for_root(started) - started
        except BaseException:
            self.stop()
            raise
        self.process = Process(self.child.pid)

    def wait_for_root(self, started):
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        while time.monotonic() - started < START_LIMIT_SECONDS:
            if self.child.poll() is not None:
                raise Failure(f"{' '.join(self.command)} ended with {self.child.returncode}:\n{self.log.read_text(errors='replace')[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    connection.sendall(request)
                    if connection.recv(64).startswith(b"HTTP/1.1 200"):
                        return time.monotonic()
            except OSError:
                pass
            time.sleep(0.0005)
        raise Failure(f"no answer of {self.url} within {START_LIMIT_SECONDS} s:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)


# ---- the table ----------------------------------------------------------------------------------


class Table:
    def __init__(self):
        self.rows = []

    def add(self, metric, tandem, rival="–"):
        self.rows.append((metric, tandem, rival))

    def print(self):
        widths = [max(len(row[column]) for row in [("", "Tandem", "rival"), *self.rows]) for column in range(3)]
        print()
        for metric, tandem, rival in [("", "Tandem", "rival"), *self.rows]:
            print(f"{metric:<{widths[0]}}  {tandem:>{widths[1]}}  {rival:>{widths[2]}}")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def millis(seconds):
    return f"{seconds * 1000:.1f} ms"


def mebibytes(count):
    return f"{count / 2**20:.1f} MiB"


# ---- the parts ----------------------------------------------------------------------------------


def measure_start(options, folder, table):
    seconds = []
    for number in range(options.starts):
        with Node(options.tandem, folder, f"start-{number}") as node:
            seconds.append(node.start_seconds)
    table.add(f"exec to the first 200, median of {len(seconds)}", millis(statistics.median(seconds)))
    table.add("exec to the first 200, slowest", millis(max(seconds)))


def measure_idle(options, folder, table):
    with Node(options.tandem, folder, "idle") as node:
        node.process.wait_until_quiet()
        rival = mebibytes(Process(options.rival_pid).resident_bytes()) if options.rival_pid else "–"
        table.add("resident memory when idle", mebibytes(node.process.resident_bytes()), rival)


def measure_size(options, _, table):
    table.add("size of the binary", mebibytes(os.path.getsize(options.tandem)))


def measure_lag(options, folder, table):
    with Node(options.tandem, folder, "leader") as leader, Node(options.tandem, folder, "follower") as follower:
        source, target = Connection(leader.url), Connection(follower.url)
        mapping = {"properties": {"text": {"type": "text"}, "number": {"type": "long"}, "kind": {"type": "keyword"}}}
        source.call("PUT", "/l", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": mapping})
        target.call("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.leader.seeds": [f"127.0.0.1:{leader.transport_port}"]}})
        target.call("PUT", "/_plugins/_replication/f/_start", {"leader_alias": "leader", "leader_index": "l"})
        wait_until_following(target)

        batches, acknowledged, problems = round(options.lag_seconds / LAG_PAUSE_SECONDS), queue.SimpleQueue(), []
        writer = threading.Thread(target=write_steadily, args=(leader.url, batches, acknowledged, problems))
        began = time.monotonic()
        writer.start()
        lags = list(observe(target, batches, acknowledged, problems))
        writer.join()
        if problems:
            raise Failure(problems[0])
        rate = batches * LAG_BATCH / (time.monotonic() - began)
        table.add(f"replication lag, p50 of {len(lags)} batches at {rate:.0f} docs/s", millis(percentile(lags, 0.5)))
        table.add("replication lag, p99", millis(percentile(lags, 0.99)))
        table.add("replication lag, worst", millis(max(lags)))


def wait_until_following(target):
    deadline = time.monotonic() + FOLLOW_LIMIT_SECONDS
    while True:
        status = target.call("GET", "/_plugins/_replication/f/_status")
        if status["status"] == "SYNCING":
            return
        if time.monotonic() > deadline:
            raise Failure(f"not following after {FOLLOW_LIMIT_SECONDS} s: {status}")
        time.sleep(0.02)


def write_steadily(url, batches, acknowledged, problems):
    """Sends a bulk at every tick and hands over when the leader had acknowledged it."""
    try:
        connection = Connection(url)
        began = time.monotonic()
        for batch in range(batches):
            lines = []
            for position in range(LAG_BATCH):
                number = batch * LAG_BATCH + position
                lines.append(f'{{"index":{{"_id":"{number}"}}}}')
                lines.append(f'{{"text":"event number {number} of the stream","number":{number},"kind":"k{number % 7}"}}')
            pause = began + batch * LAG_PAUSE_SECONDS - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            status, text = connection.raw("POST", "/l/_bulk", ("\n".join(lines) + "\n").encode(), "application/x-ndjson")
            now = time.monotonic()
            if status != 200 or b'"errors":false' not in text:
                raise Failure(f"a bulk answered {status} {text[:300].decode(errors='replace')}")
            acknowledged.put((batch * LAG_BATCH + LAG_BATCH - 1, now))
    except Exception as problem:
        problems.append(f"writing: {problem}")
        acknowledged.put(None)


def observe(target, batches, acknowledged, problems):
    """Asks the follower for the last document of each batch until it is there, and yields how long that took after the leader's 200."""
    for _ in range(batches):
        entry = acknowledged.get()
        if entry is None:
            return
        number, since = entry
        while True:
            status, _ = target.raw("GET", f"/f/_doc/{number}?realtime=true&_source=false")
            now = time.monotonic()
            if status == 200:
                yield max(0.0, now - since)
                break
            if status != 404 or now - since > FOLLOW_LIMIT_SECONDS:
                problems.append(f"document {number}: the follower answers {status} after {now - since:.1f} s")
                return


def measure_bulk(options, folder, table):
    if not options.corpora:
        table.add("bulk indexing", "no --corpora")
        return
    with Node(options.tandem, folder, "bulk") as node:
        servers = [("tandem", node.url, node.process)]
        if options.rival:
            servers.append(("rival", options.rival, Process(options.rival_pid) if options.rival_pid else None))
        for corpus in CORPORA:
            path = pathlib.Path(options.corpora) / f"{corpus}.ndjson"
            if not path.exists():
                table.add(f"bulk, {corpus}", f"no {path.name}")
                continue
            bodies, documents = read_bodies(path, options.limit)
            create = common_index_body(servers, path)
            results = {name: [] for name, _, _ in servers}
            for round_number in range(options.warm_up + options.rounds):
                for name, url, process in servers:
                    result = index_all(url, process, create, bodies, documents)
                    if round_number >= options.warm_up:
                        results[name].append(result)
                    label = "warm-up" if round_number < options.warm_up else f"round {round_number - options.warm_up + 1}"
                    per_cpu = f", {result[1]:,.0f} docs per CPU-second" if result[1] else ""
                    print(f"  {corpus}, {label}, {name}: {result[0]:,.0f} docs/s{per_cpu}", flush=True)
            middle = {name: [statistics.median(column) if None not in column else None for column in zip(*rounds)] for name, rounds in results.items()}
            show = lambda name, column: f"{middle[name][column]:,.0f}" if name in middle and middle[name][column] else "–"
            table.add(f"bulk, {corpus}, {documents:,} docs: docs/s", show("tandem", 0), show("rival", 0))
            table.add(f"bulk, {corpus}: docs per CPU-second", show("tandem", 1), show("rival", 1))
            table.add(f"bulk, {corpus}: bytes of the index per document after a force merge", show("tandem", 2), show("rival", 2))


def read_bodies(path, limit):
    bodies, lines, documents = [], [], 0
    with open(path, "rb") as source:
        for line in source:
            if limit and documents >= limit:
                break
            identity = json.loads(line)["id"]
            lines += [b'{"index":{"_id":' + json.dumps(identity).encode() + b"}}\n", line if line.endswith(b"\n") else line + b"\n"]
            documents += 1
            if documents % BULK_DOCUMENTS == 0:
                bodies.append(b"".join(lines))
                lines = []
    if lines:
        bodies.append(b"".join(lines))
    return bodies, documents


INDEX = "bench-bulk"


def common_index_body(servers, path):
    """The body that creates the index on all servers: the one next to the corpus, with plain keywords for what one of them does not know."""
    beside = path.with_name(f"{path.stem}.index.json")
    body = json.loads(beside.read_text()) if beside.exists() else {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    refused = [refusal for _, url, _ in servers if (refusal := try_create(url, body))]
    if not refused:
        return body
    simple = {"text", "keyword", "long", "integer", "float", "double", "boolean", "date", "object"}
    replaced = []
    for name, field in body.get("mappings", {}).get("properties", {}).items():
        if field.get("type", "object") not in simple:
            replaced.append(f"{name} ({field['type']})")
            body["mappings"]["properties"][name] = {"type": "keyword"}
    for _, url, _ in servers:
        if refusal := try_create(url, body):
            raise Failure(f"{url} refuses the mapping of {path.stem}: {refusal}")
    print(f"  {path.stem}: a plain keyword for {', '.join(replaced)}, as a server refused: {refused[0][:200]}")
    return body


def try_create(url, body):
    connection = Connection(url)
    connection.call("DELETE", f"/{INDEX}", fine=(200, 404))
    status, text = connection.raw("PUT", f"/{INDEX}", json.dumps(body).encode())
    connection.call("DELETE", f"/{INDEX}", fine=(200, 404))
    return None if status == 200 else text.decode(errors="replace")


def index_all(url, process, create, bodies, documents):
    """Documents per second of the clock, and per second of the server's processor time until it is quiet again."""
    control = Connection(url)
    control.call("DELETE", f"/{INDEX}", fine=(200, 404))
    control.call("PUT", f"/{INDEX}", create)
    if process:
        process.wait_until_quiet()
        cpu_before = process.cpu_seconds()
    work, problems = queue.SimpleQueue(), []
    for body in bodies:
        work.put(body)

    def send():
        try:
            connection = Connection(url)
            while not problems:
                try:
                    body = work.get_nowait()
                except queue.Empty:
                    return
                status, text = connection.raw("POST", f"/{INDEX}/_bulk", body, "application/x-ndjson")
                if status != 200 or b'"errors":false' not in text[:200]:
                    raise Failure(f"{url}: a bulk answered {status} {text[:500].decode(errors='replace')}")
        except Exception as problem:
            problems.append(problem)

    began = time.monotonic()
    clients = [threading.Thread(target=send) for _ in range(BULK_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if problems:
        raise Failure(problems[0])
    seconds = time.monotonic() - began
    control.call("POST", f"/{INDEX}/_refresh")
    control.call("POST", f"/{INDEX}/_flush")
    per_cpu_second = None
    if process:
        process.wait_until_quiet()
        per_cpu_second = documents / (process.cpu_seconds() - cpu_before)
    control.call("POST", f"/{INDEX}/_forcemerge?max_num_segments=1")
    control.call("POST", f"/{INDEX}/_flush")
    segments = control.call("GET", f"/{INDEX}/_segments")["indices"][INDEX]["shards"]["0"][0]["segments"]
    size = sum(segment["size_in_bytes"] for segment in segments.values()) / documents
    count = control.call("GET", f"/{INDEX}/_count")["count"]
    if count != documents:
        raise Failure(f"{url}: {count} of {documents} documents are there")
    control.call("DELETE", f"/{INDEX}")
    return documents / seconds, per_cpu_second, size


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tandem", required=True, help="the binary")
    parser.add_argument("--rival", help="URL of another server, for bulk")
    parser.add_argument("--rival-pid", type=int, help="its process id, for processor time and memory")
    parser.add_argument("--corpora", help="folder with httplogs.ndjson and packages.ndjson")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--lag-seconds", type=float, default=30)
    parser.add_argument("--limit", type=int, default=200_000, help="documents per corpus, 0 for all (200000)")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds of bulk (3)")
    parser.add_argument("--warm-up", type=int, default=1, help="rounds of bulk before those (1)")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part called {unknown[0]}")
    options.tandem = os.path.abspath(options.tandem)

    table, status = Table(), 0
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        for part in parts:
            print(f"measuring {part} …", flush=True)
            try:
                if part in bench_shard.PARTS:
                    with Node(options.tandem, folder, part) as node:
                        bench_shard.PARTS[part](node, Connection(node.url), table, Failure)
                else:
                    globals()[f"measure_{part}"](options, folder, table)
            except (Failure, OSError, http.client.HTTPException) as problem:
                table.add(part, "failed")
                print(f"  {part} failed: {problem}")
                status = 1
    table.print()
    return status


if __name__ == "__main__":
    sys.exit(main())
