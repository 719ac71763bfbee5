"""What single operations of a shard cost: the parts of scripts/bench.py that look at one node alone."""
import json
import pathlib
import queue
import statistics
import threading
import time

REFRESHES = 40
REFRESH_BASE_DOCUMENTS = 100_000
FIELD_DOCUMENTS = 20_000
FIELDS_USED = 20
FIELDS_MAPPED = 1_000
IDLE_INDICES = 50
IDLE_WAIT_SECONDS = 45
WRITER_SECONDS = 3
WRITERS = 64
GET_SECONDS = 3
GET_CLIENTS = 4
REPLAY_DOCUMENTS = 200_000
BULK_DOCUMENTS = 5_000


def cpu_nanoseconds(process):
    """Processor time of all threads that live, finer than clock ticks."""
    total = 0
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            pass
    return total


def log_line(number):
    return {
        "number": number,
        "status": (200, 301, 404, 500)[number % 4],
        "host": f"host-{number % 97}",
        "message": f"GET /page/{number % 1013}/item-{number % 10007} served in {number % 977} ms by worker {number % 17}",
    }


def bulk_body(numbers, make, with_id=True):
    lines = []
    for number in numbers:
        lines.append(json.dumps({"index": {"_id": str(number)}} if with_id else {"index": {}}))
        lines.append(json.dumps(make(number)))
    return ("\n".join(lines) + "\n").encode()


def send_bulk(connection, index, body, failure):
    status, text = connection.raw("POST", f"/{index}/_bulk", body, "application/x-ndjson")
    if status != 200 or b'"errors":false' not in text[:200]:
        raise failure(f"a bulk answered {status} {text[:300].decode(errors='replace')}")


def load(connection, index, count, make, failure, first=0):
    for start in range(first, first + count, BULK_DOCUMENTS):
        send_bulk(connection, index, bulk_body(range(start, min(start + BULK_DOCUMENTS, first + count)), make), failure)


MAPPING = {"properties": {"number": {"type": "long"}, "status": {"type": "integer"}, "host": {"type": "keyword"}, "message": {"type": "text"}}}


def create(connection, index, settings=None, mappings=None):
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0, **(settings or {})}, "mappings": mappings or MAPPING}
    connection.call("PUT", f"/{index}", body)


def measure_refresh(node, connection, table, failure):
    """Processor time of a refresh of 1 and of 1,000 new documents, on an index of 100,000."""
    create(connection, "r", {"refresh_interval": "-1"})
    load(connection, "r", REFRESH_BASE_DOCUMENTS, log_line, failure)
    connection.call("POST", "/r/_forcemerge?max_num_segments=1")
    number = REFRESH_BASE_DOCUMENTS
    for documents in (1, 1_000):
        # One refresh takes less than a tick of the clock that counts processor time; many of them do not.
        spent = 0.0
        for _ in range(REFRESHES):
            send_bulk(connection, "r", bulk_body(range(number, number + documents), log_line), failure)
            number += documents
            node.process.wait_until_quiet_for(0.05)
            before = node.process.cpu_seconds()
            connection.call("POST", "/r/_refresh")
            spent += node.process.cpu_seconds() - before
        table.add(f"processor time of a refresh of {documents:,} documents, mean of {REFRESHES}", f"{spent / REFRESHES * 1e3:.1f} ms")
    connection.call("DELETE", "/r")


def field_document(number):
    return {f"f{field}": f"word{(number * 31 + field) % 5003}" for field in range(FIELDS_USED)}


def measure_fields(node, connection, table, failure):
    """Processor time per document with 20 fields, when the mapping has 20 and when it has 1,000."""
    costs = {}
    for round_number in range(3):
        for fields in (FIELDS_USED, FIELDS_MAPPED):
            mapping = {"properties": {f"f{field}": {"type": "text" if field % 2 else "keyword"} for field in range(fields)}}
            create(connection, "f", {"index.mapping.total_fields.limit": 2_000}, mapping)
            node.process.wait_until_quiet()
            before = node.process.cpu_seconds()
            load(connection, "f", FIELD_DOCUMENTS, field_document, failure)
            connection.call("POST", "/f/_refresh")
            node.process.wait_until_quiet()
            costs.setdefault(fields, []).append((node.process.cpu_seconds() - before) / FIELD_DOCUMENTS * 1e6)
            connection.call("DELETE", "/f")
    few, many = statistics.median(costs[FIELDS_USED]), statistics.median(costs[FIELDS_MAPPED])
    table.add(f"processor time per document of {FIELDS_USED} fields, {FIELDS_USED} mapped", f"{few:.0f} us")
    table.add(f"the same, {FIELDS_MAPPED:,} mapped", f"{many:.0f} us ({many / few:.2f} x)")


def measure_idle_indices(node, connection, table, failure):
    """Memory with 50 indices that have documents and nothing to do."""
    before = node.process.resident_bytes()
    for index in range(IDLE_INDICES):
        create(connection, f"idle-{index}")
        send_bulk(connection, f"idle-{index}", bulk_body(range(100), log_line), failure)
    time.sleep(IDLE_WAIT_SECONDS)
    after = node.process.resident_bytes()
    table.add(f"memory with {IDLE_INDICES} idle indices", f"{after / 2**20:.1f} MiB")
    table.add("of that, each index", f"{(after - before) / IDLE_INDICES / 1024:.0f} KiB")
    connection.call("DELETE", "/idle-*")


def writes_per_second(url, connect, writers, failure):
    until, counts, problems = time.monotonic() + WRITER_SECONDS, [0] * writers, []

    def write(writer):
        try:
            connection = connect(url)
            while time.monotonic() < until:
                status, text = connection.raw("POST", "/w/_doc", json.dumps(log_line(counts[writer])).encode())
                if status != 201:
                    raise failure(f"a write answered {status} {text[:300].decode(errors='replace')}")
                counts[writer] += 1
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return sum(counts) / WRITER_SECONDS


def measure_writers(node, connection, table, failure):
    """Single documents per second with one writer and with many; the client takes its share of the same cores."""
    create(connection, "w")
    connect = type(connection)
    one = writes_per_second(node.url, connect, 1, failure)
    many = writes_per_second(node.url, connect, WRITERS, failure)
    table.add("single documents a second, 1 writer", f"{one:,.0f}")
    table.add(f"the same, {WRITERS} writers", f"{many:,.0f} ({many / one:.1f} x)")
    connection.call("DELETE", "/w")


def measure_get(node, connection, table, failure):
    """Documents read by id, per second of the node's processor time."""
    create(connection, "g")
    load(connection, "g", 50_000, log_line, failure)
    connection.call("POST", "/g/_flush")
    node.process.wait_until_quiet()
    until, done, problems = time.monotonic() + GET_SECONDS, queue.SimpleQueue(), []
    before = cpu_nanoseconds(node.process)

    def read(seed):
        try:
            mine, count = type(connection)(node.url), 0
            while time.monotonic() < until:
                status, _ = mine.raw("GET", f"/g/_doc/{(seed + count * 7919) % 50_000}")
                if status != 200:
                    raise failure(f"a read answered {status}")
                count += 1
            done.put(count)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(GET_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    spent = (cpu_nanoseconds(node.process) - before) / 1e9
    total = sum(done.get() for _ in threads)
    table.add("documents read by id, per second of processor time", f"{total / spent:,.0f}")
    ids = {"ids": [str(number * 7919 % 50_000) for number in range(1_000)]}
    before = cpu_nanoseconds(node.process)
    for _ in range(20):
        connection.call("POST", "/g/_mget", ids)
    spent = (cpu_nanoseconds(node.process) - before) / 1e9
    table.add("the same, 1,000 in a request", f"{20_000 / spent:,.0f}")
    connection.call("DELETE", "/g")


def measure_replay(node, connection, table, failure):
    """Documents per second of processor time when a node that was killed replays its log."""
    create(connection, "p", {"refresh_interval": "-1", "index.translog.flush_threshold_size": "8gb"})
    node.process.wait_until_quiet()
    before = node.process.cpu_seconds()
    load(connection, "p", REPLAY_DOCUMENTS, log_line, failure)
    connection.call("POST", "/p/_refresh")
    node.process.wait_until_quiet()
    indexed = REPLAY_DOCUMENTS / (node.process.cpu_seconds() - before)
    node.child.kill()
    node.child.wait()
    node.restart()
    connection = type(connection)(node.url)
    connection.call("GET", "/_cluster/health/p?wait_for_no_initializing_shards=true&timeout=60s")
    connection.call("POST", "/p/_refresh")
    replayed = REPLAY_DOCUMENTS / node.process.cpu_seconds()
    if (count := connection.call("GET", "/p/_count")["count"]) != REPLAY_DOCUMENTS:
        raise failure(f"{count} of {REPLAY_DOCUMENTS} documents are there after the restart")
    table.add("documents replayed, per second of processor time", f"{replayed:,.0f} (indexed: {indexed:,.0f})")


PARTS = {
    "refresh": measure_refresh,
    "fields": measure_fields,
    "idle_indices": measure_idle_indices,
    "writers": measure_writers,
    "get": measure_get,
    "replay": measure_replay,
}
