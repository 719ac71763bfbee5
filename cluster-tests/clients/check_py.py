"""Walks opensearch-py through a server, and through replication when a second cluster is given.

    check_py.py LEADER_URL [FOLLOWER_URL LEADER_SEED]

Prints one line per check; exit status 1 when one fails.
"""
import sys
import time
import traceback

from opensearchpy import OpenSearch, helpers
from opensearchpy.exceptions import ConflictError, NotFoundError, RequestError

INDEX = "client-py"
FOLLOWER_INDEX = "client-py-follower"
ALIAS = "client-py-leader"
DOCUMENTS = 10_000
WAIT_SECONDS = 30


def expect(found, expected):
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def expect_error(kind, status, error_type, call):
    try:
        answer = call()
    except kind as error:
        expect(error.status_code, status)
        expect(error.error, error_type)
        return error
    raise AssertionError(f"expected {kind.__name__}, found {answer!r}")


def eventually(look, good):
    """Looks until it is good; the last look is the one that counts."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = look()
        if good(found):
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {WAIT_SECONDS} s")
        time.sleep(0.05)


def document(number):
    return {"title": f"document number {number}", "number": number, "even": number % 2 == 0, "day": f"2024-01-{number % 28 + 1:02d}"}


class Leader:
    def __init__(self, client):
        self.client = client

    def check_root(self):
        expect(self.client.ping(), True)
        expect(self.client.info()["version"]["distribution"], "opensearch")

    def check_create_index(self):
        body = {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"properties": {"title": {"type": "text"}, "number": {"type": "long"}, "even": {"type": "boolean"}, "day": {"type": "date"}}},
        }
        expect(self.client.indices.create(index=INDEX, body=body), {"acknowledged": True, "shards_acknowledged": True, "index": INDEX})
        expect(self.client.indices.exists(index=INDEX), True)
        expect(self.client.indices.exists(index=INDEX + "-missing"), False)
        expect(self.client.indices.get_mapping(index=INDEX)[INDEX]["mappings"]["properties"]["day"], {"type": "date"})
        expect_error(RequestError, 400, "resource_already_exists_exception", lambda: self.client.indices.create(index=INDEX))

    def check_index_and_get(self):
        answer = self.client.index(index=INDEX, id="one", body=document(1))
        expect((answer["result"], answer["_version"], answer["_seq_no"]), ("created", 1, 0))
        expect(self.client.get(index=INDEX, id="one")["_source"], document(1))
        expect(self.client.exists(index=INDEX, id="one"), True)
        expect(self.client.exists(index=INDEX, id="none"), False)
        expect(self.client.get_source(index=INDEX, id="one"), document(1))
        answer = self.client.mget(index=INDEX, body={"ids": ["one", "none"]})
        expect([found["found"] for found in answer["docs"]], [True, False])

    def check_update_and_delete(self):
        expect(self.client.update(index=INDEX, id="one", body={"doc": {"number": 100}})["result"], "updated")
        expect(self.client.get(index=INDEX, id="one")["_source"]["number"], 100)
        expect(self.client.update(index=INDEX, id="one", body={"doc": {"number": 100}})["result"], "noop")
        expect(self.client.delete(index=INDEX, id="one")["result"], "deleted")

    def check_bulk_helper(self):
        actions = ({"_index": INDEX, "_id": number, **document(number)} for number in range(DOCUMENTS))
        expect(helpers.bulk(self.client, actions, chunk_size=1_000, refresh=True), (DOCUMENTS, []))
        expect(self.client.count(index=INDEX)["count"], DOCUMENTS)
        expect(self.client.get(index=INDEX, id="77")["_id"], "77")

    def check_bulk_helper_reports_items(self):
        actions = [{"_op_type": "create", "_index": INDEX, "_id": "0", **document(0)}, {"_index": INDEX, "_id": "bad", "number": "no number"},
                   {"_op_type": "delete", "_index": INDEX, "_id": "none"}]
        good, failed = helpers.bulk(self.client, actions, raise_on_error=False)
        expect(good, 0)
        expect([(kind, item[kind]["status"]) for item in failed for kind in item], [("create", 409), ("index", 400), ("delete", 404)])
        expect(failed[1]["index"]["error"]["type"], "mapper_parsing_exception")

    def check_parallel_and_compressed_bulk(self):
        compressed = OpenSearch(self.client.transport.hosts, http_compress=True)
        actions = [{"_index": INDEX, "_id": str(number), **document(number)} for number in range(DOCUMENTS)]
        answers = list(helpers.parallel_bulk(compressed, actions, thread_count=2, chunk_size=500))
        expect((len(answers), all(fine for fine, _ in answers)), (DOCUMENTS, True))
        compressed.indices.refresh(index=INDEX)
        expect(compressed.count(index=INDEX)["count"], DOCUMENTS)

    def check_search(self):
        answer = self.client.search(index=INDEX, body={"query": {"match": {"title": "77"}}})
        expect((answer["hits"]["total"], answer["hits"]["hits"][0]["_id"]), ({"value": 1, "relation": "eq"}, "77"))
        body = {"query": {"bool": {"filter": [{"term": {"even": True}}, {"range": {"number": {"gte": 100, "lt": 200}}}]}}, "sort": [{"number": "desc"}], "size": 3}
        answer = self.client.search(index=INDEX, body=body)
        expect((answer["hits"]["total"]["value"], [hit["sort"] for hit in answer["hits"]["hits"]]), (50, [[198], [196], [194]]))
        expect(self.client.search(index=INDEX, params={"size": 1, "track_total_hits": "true"})["hits"]["total"]["value"], DOCUMENTS)
        expect(self.client.count(index=INDEX, body={"query": {"range": {"day": {"gte": "2024-01-28"}}}})["count"], 357)

    def check_errors(self):
        expect_error(NotFoundError, 404, "index_not_found_exception", lambda: self.client.search(index=INDEX + "-missing"))
        try:
            self.client.get(index=INDEX, id="none")
            raise AssertionError("expected NotFoundError")
        except NotFoundError as error:
            expect(error.info, {"_index": INDEX, "_id": "none", "found": False})
        expect_error(ConflictError, 409, "version_conflict_engine_exception", lambda: self.client.create(index=INDEX, id="0", body=document(0)))
        expect_error(ConflictError, 409, "version_conflict_engine_exception",
                     lambda: self.client.index(index=INDEX, id="0", body=document(0), params={"if_seq_no": 999_999, "if_primary_term": 1}))
        error = expect_error(RequestError, 400, "parsing_exception", lambda: self.client.search(index=INDEX, body={"query": {"mach": {}}}))
        expect(error.info["error"]["reason"], "unknown query [mach] did you mean [match]?")
        expect_error(RequestError, 400, "mapper_parsing_exception", lambda: self.client.index(index=INDEX, body={"number": "no number"}))
        expect_error(NotFoundError, 404, "document_missing_exception", lambda: self.client.update(index=INDEX, id="none", body={"doc": {"number": 1}}))

    def check_administration(self):
        self.client.indices.put_settings(index=INDEX, body={"refresh_interval": "5s"})
        settings = self.client.indices.get_settings(index=INDEX)[INDEX]["settings"]["index"]
        expect((settings["refresh_interval"], settings["number_of_replicas"]), ("5s", "0"))
        self.client.indices.put_mapping(index=INDEX, body={"properties": {"more": {"type": "keyword"}}})
        expect(self.client.indices.flush(index=INDEX)["_shards"], {"total": 1, "successful": 1, "failed": 0})
        rows = self.client.cat.indices(index=INDEX, params={"format": "json"})
        expect((rows[0]["index"], rows[0]["health"], rows[0]["docs.count"]), (INDEX, "green", str(DOCUMENTS)))
        expect(self.client.cat.indices(index=INDEX, params={"h": "index"}), INDEX + "\n")
        expect(self.client.cluster.health(index=INDEX, params={"wait_for_status": "green"})["status"], "green")
        expect(sorted(self.client.cluster.get_settings()), ["persistent", "transient"])


class Replication:
    def __init__(self, leader, follower, seed):
        self.leader, self.follower, self.seed = leader, follower, seed
        self.calls = follower.plugins.replication

    def start(self):
        body = {"leader_alias": ALIAS, "leader_index": INDEX}
        expect(self.calls.start(index=FOLLOWER_INDEX, body=body), {"acknowledged": True})

    def status(self):
        return self.calls.status(index=FOLLOWER_INDEX)

    def check_start_copies_everything(self):
        self.follower.cluster.put_settings(body={"persistent": {f"cluster.remote.{ALIAS}.seeds": [self.seed]}})
        self.start()
        # The checkpoint of the leader is that of its last write, of the documents as well as of deletes and updates.
        last = self.leader.index(index=INDEX, id="last", body=document(5), refresh=True)["_seq_no"]
        found = eventually(self.status, lambda found: found.get("syncing_details", {}).get("follower_checkpoint") == last)
        expect({key: found[key] for key in ("status", "reason", "leader_alias", "leader_index", "follower_index")},
               {"status": "SYNCING", "reason": "User initiated", "leader_alias": ALIAS, "leader_index": INDEX, "follower_index": FOLLOWER_INDEX})
        self.follower.indices.refresh(index=FOLLOWER_INDEX)
        expect(self.follower.count(index=FOLLOWER_INDEX)["count"], DOCUMENTS + 1)
        for number in ("0", "77", "last"):
            ours, theirs = self.follower.get(index=FOLLOWER_INDEX, id=number), self.leader.get(index=INDEX, id=number)
            for key in ("_version", "_seq_no", "_primary_term", "_source"):
                expect(ours[key], theirs[key])

    def check_follower_is_read_only(self):
        for call in (lambda: self.follower.index(index=FOLLOWER_INDEX, id="x", body={}), lambda: self.follower.indices.delete(index=FOLLOWER_INDEX)):
            try:
                answer = call()
            except Exception as error:
                expect((getattr(error, "status_code", error), getattr(error, "error", None)), (403, "cluster_block_exception"))
            else:
                raise AssertionError(f"expected a block, found {answer!r}")

    def check_pause_and_resume(self):
        expect(self.calls.pause(index=FOLLOWER_INDEX, body={"reason": "a check"}), {"acknowledged": True})
        expect(self.status(), {"status": "PAUSED", "reason": "a check", "leader_alias": ALIAS, "leader_index": INDEX, "follower_index": FOLLOWER_INDEX})
        self.leader.index(index=INDEX, id="while-paused", body=document(6))
        expect_error(RequestError, 400, "resource_already_exists_exception", lambda: self.calls.pause(index=FOLLOWER_INDEX, body={}))
        expect(self.follower.exists(index=FOLLOWER_INDEX, id="while-paused"), False)
        expect(self.calls.resume(index=FOLLOWER_INDEX, body={}), {"acknowledged": True})
        eventually(lambda: self.follower.exists(index=FOLLOWER_INDEX, id="while-paused"), bool)
        expect(self.status()["status"], "SYNCING")

    def check_errors(self):
        expect_error(RequestError, 400, "illegal_argument_exception", lambda: self.calls.stop(index="client-py-none", body={}))
        expect_error(RequestError, 400, "illegal_argument_exception", self.start)
        expect_error(NotFoundError, 404, "no_such_remote_cluster_exception",
                     lambda: self.calls.start(index="client-py-none", body={"leader_alias": "nosuch", "leader_index": INDEX}))
        expect_error(NotFoundError, 404, "index_not_found_exception",
                     lambda: self.calls.start(index="client-py-none", body={"leader_alias": ALIAS, "leader_index": "client-py-none"}))

    def check_stop_makes_it_writable(self):
        expect(self.calls.stop(index=FOLLOWER_INDEX, body={}), {"acknowledged": True})
        expect(self.status(), {"status": "REPLICATION NOT IN PROGRESS"})
        expect(self.follower.index(index=FOLLOWER_INDEX, id="own", body=document(7))["result"], "created")
        expect(self.leader.exists(index=INDEX, id="own"), False)


def run(checks):
    """Runs the methods that start with check_, in the order in which they are written."""
    failed = 0
    for name in [name for name in vars(type(checks)) if name.startswith("check_")]:
        title = f"{type(checks).__name__.lower()}: {name.removeprefix('check_').replace('_', ' ')}"
        try:
            getattr(checks, name)()
            print(f"ok    py  {title}")
        except Exception:
            failed += 1
            print(f"FAIL  py  {title}\n      " + traceback.format_exc().strip().replace("\n", "\n      "))
    return failed


def clean(leader, follower):
    leader.indices.delete(index=INDEX, ignore=404)
    if follower is not None:
        try:
            follower.plugins.replication.stop(index=FOLLOWER_INDEX, body={})
        except RequestError:
            pass  # nothing was replicating into it
        follower.indices.delete(index=FOLLOWER_INDEX, ignore=404)
        follower.cluster.put_settings(body={"persistent": {f"cluster.remote.{ALIAS}.seeds": None}})


def main(arguments):
    if len(arguments) not in (1, 3):
        print(__doc__)
        return 2
    # Nothing is tried twice: an answer that needs a second try is a fault here.
    leader = OpenSearch([arguments[0]], timeout=60, max_retries=0)
    follower = OpenSearch([arguments[1]], timeout=60, max_retries=0) if len(arguments) == 3 else None
    clean(leader, follower)
    failed = run(Leader(leader))
    if follower is None:
        print("skip  py  replication (no follower was given)")
    else:
        failed += run(Replication(leader, follower, arguments[2]))
    clean(leader, follower)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
