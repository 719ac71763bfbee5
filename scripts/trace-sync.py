#!/usr/bin/env python3
"""Shows with strace that every write is on disk before it is answered.

    scripts/trace-sync.py PATH_TO_TANDEM [--writes 100]

Starts a node under strace, sends writes one after the other, and looks in the trace: between the arrival of each request and its
201 there must be a successful fdatasync of the shard's log. Ends with 0 when it was so for every one. Needs strace."""
import argparse, http.client, os, re, shutil, socket, subprocess, sys, tempfile, time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tandem")
    parser.add_argument("--writes", type=int, default=100)
    arguments = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is not installed")
    folder = tempfile.mkdtemp()
    trace, port = os.path.join(folder, "trace"), free_port()
    node = subprocess.Popen(
        [arguments.tandem, "-E", f"path.data={folder}/data", "-E", f"http.port={port}", "-E", f"transport.port={free_port()}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    tracer = None
    try:
        wait(port)
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "64", "-o", trace, "-e", "trace=recvfrom,read,fdatasync,sendto,write,writev", "-p", str(node.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        attached(trace, tracer)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def send(method, path, body, expected):
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != expected:
                sys.exit(f"{method} {path}: {answer.status} {text!r}")

        send("PUT", "/t", '{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}}}', 200)
        for n in range(arguments.writes):
            send("PUT", f"/t/_doc/traced-{n}", f'{{"n":{n}}}', 201)
    finally:
        node.terminate()
        node.wait(timeout=30)
        if tracer:
            tracer.wait(timeout=30)
    late = judge(trace, arguments.writes)
    shutil.rmtree(folder)
    print(f"{arguments.writes - len(late)} of {arguments.writes} writes were synced between their arrival and their answer")
    if late:
        sys.exit(f"not so for {late[:10]}")


def attached(trace, tracer):
    """Waits until the trace has begun."""
    end = time.time() + 20
    while time.time() < end and tracer.poll() is None:
        if os.path.exists(trace) and os.path.getsize(trace) > 0:
            return
        time.sleep(0.05)
    sys.exit("strace does not attach")


def wait(port):
    end = time.time() + 60
    while time.time() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/_cluster/health?wait_for_status=yellow")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("the node does not answer")


def judge(trace, writes):
    """The numbers of the writes that were answered without a sync of the log after they had arrived."""
    late, current, synced, seen = [], None, False, set()
    open_syncs = set()
    with open(trace, errors="replace") as lines:
        for line in lines:
            thread = line.split(" ", 1)[0]
            arrived = re.search(r"PUT /t/_doc/traced-(\d+) ", line)
            if arrived:
                current, synced = int(arrived.group(1)), False
            elif "fdatasync(" in line and "translog" in line:
                if "unfinished" in line:
                    open_syncs.add(thread)
                elif "= 0" in line:
                    synced = True
            elif "fdatasync resumed" in line and thread in open_syncs:
                open_syncs.discard(thread)
                synced = synced or "= 0" in line
            elif "HTTP/1.1 201" in line and current is not None and current not in seen:
                seen.add(current)
                if not synced:
                    late.append(current)
    return late + [n for n in range(writes) if n not in seen]


main()
