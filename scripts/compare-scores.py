#!/usr/bin/env python3
"""Compares what two servers find, and with which scores.

    scripts/compare-scores.py URL_A URL_B [--queries 240] [--seed 1] [--index scores-cities] [--keep]

Loads the cities of cluster-tests/data into an index of one shard on both servers, merges it to one segment where the server
can, and sends the same generated queries to both: full text with one to four words and both operators, terms on keyword and
text, ranges, ids, exists, and bool queries that combine them, with boosts. Compared are the number of hits, the ten best
scores (within 1e-4) and the ids; documents with equal scores may change places, and where the tenth place is shared, each
side must give the other's document the same score. Nothing but the index named is touched; it is deleted at the end unless
--keep is given. Exit status: 0 all equal, 1 something differs, 2 could not be compared.
"""
import argparse
import collections
import gzip
import http.client
import json
import pathlib
import random
import re
import sys
import urllib.parse

DATA = pathlib.Path(__file__).resolve().parent.parent / "cluster-tests" / "data"
TOLERANCE = 1e-4
PAGE = 10
BULK_DOCUMENTS = 2_000
SHOWN_DIFFERENCES = 10


class Failure(Exception):
    """The comparison itself could not be made."""


class Server:
    def __init__(self, url):
        self.url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)

    def call(self, method, path, body=None, fine=(200,)):
        headers = {}
        if body is not None:
            ndjson = isinstance(body, str)
            headers["Content-Type"] = "application/x-ndjson" if ndjson else "application/json"
            body = (body if ndjson else json.dumps(body)).encode()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if fine is not None and response.status not in fine:
            raise Failure(f"{self.url}: {method} {path} answered {response.status} {text[:500]}")
        return response.status, json.loads(text) if text else None

    def load(self, index, mapping, documents):
        self.call("DELETE", f"/{index}", fine=(200, 404))
        self.call("PUT", f"/{index}", mapping)
        for start in range(0, len(documents), BULK_DOCUMENTS):
            lines = []
            for document in documents[start:start + BULK_DOCUMENTS]:
                lines.append(json.dumps({"index": {"_id": document["id"]}}))
                lines.append(json.dumps(document, ensure_ascii=False))
            _, answer = self.call("POST", f"/{index}/_bulk", "\n".join(lines) + "\n")
            if answer["errors"]:
                failed = next(item for item in answer["items"] if item["index"]["status"] >= 300)
                raise Failure(f"{self.url}: a document was refused: {failed}")
        self.call("POST", f"/{index}/_refresh")
        status, _ = self.call("POST", f"/{index}/_forcemerge?max_num_segments=1", fine=None)
        if status == 200:
            self.call("POST", f"/{index}/_refresh")
        _, answer = self.call("GET", f"/{index}/_count")
        if answer["count"] != len(documents):
            raise Failure(f"{self.url}: {answer['count']} of {len(documents)} documents are counted")
        return status == 200

    def search(self, index, query):
        body = {"query": query, "size": PAGE, "_source": False, "track_total_hits": True}
        status, answer = self.call("POST", f"/{index}/_search", body, fine=None)
        if status != 200:
            return {"status": status, "error": answer.get("error") if isinstance(answer, dict) else answer}
        hits = answer["hits"]
        return {"total": hits["total"]["value"], "max": hits["max_score"],
                "hits": [(hit["_id"], hit["_score"]) for hit in hits["hits"]]}

    def score_of(self, index, query, document):
        """The score that this one document gets, or None if the query does not find it."""
        found = self.search(index, {"bool": {"must": [query], "filter": [{"ids": {"values": [document]}}]}})
        return found["hits"][0][1] if found.get("hits") else None


class Words:
    """Words of one field of the sample, from common to rare, so that queries meet every kind of frequency."""

    def __init__(self, texts):
        counts = collections.Counter()
        plain = collections.Counter()
        for text in texts:
            words = set(re.findall(r"\w+", text))
            counts.update(words)
            plain.update(word for word in words if re.fullmatch(r"[a-z]{2,}", word))
        bands = [self.band(counts, low, high) for low, high in ((200, 10**9), (20, 199), (3, 19), (1, 2))]
        self.bands = [band for band in bands if band]
        self.plain = self.band(plain, 2, 10**9)

    @staticmethod
    def band(counts, low, high):
        return sorted(word for word, count in counts.items() if low <= count <= high)

    def draw(self, rng, count):
        return " ".join(rng.choice(rng.choice(self.bands)) for _ in range(count))


def generate(documents, count, seed):
    """Pairs of a kind and a query, the kinds in turn."""
    rng = random.Random(seed)
    words = {
        "name": Words([document["name"] for document in documents]),
        "names": Words([" ".join(document.get("names", [])) for document in documents]),
    }
    countries = sorted({document["country"] for document in documents})
    timezones = sorted({document["timezone"] for document in documents})
    ids = [document["id"] for document in documents]

    def match(count, **options):
        field = rng.choice(["name", "names"])
        return {"match": {field: {"query": words[field].draw(rng, count), **options}}}

    def plain_term():
        field = rng.choice(["name", "names"])
        return {"term": {field: rng.choice(words[field].plain)}}

    def near(count, **options):
        """Words of one document, so that more than one of them is found together."""
        texts = []
        while len(texts) < count:
            document = rng.choice(documents)
            texts = re.findall(r"\w+", " ".join([document["name"], *document.get("names", [])]))
        return {"match": {"names": {"query": " ".join(rng.sample(texts, count)), **options}}}

    def span():
        low = rng.choice([0, 100, 500, 1_000, 5_000, 20_000])
        return {"range": {"population": {rng.choice(["gte", "gt"]): low, rng.choice(["lte", "lt"]): low * rng.choice([2, 10]) + 500}}}

    def square():
        lat, lon = rng.uniform(30, 60), rng.uniform(10, 60)
        return [{"range": {"lat": {"gte": round(lat, 2), "lt": round(lat + 8, 2)}}}, {"range": {"lon": {"gte": round(lon, 2), "lt": round(lon + 12, 2)}}}]

    def exists():
        return {"exists": {"field": rng.choice(["names", "population", "admin1", "name", "timezone"])}}

    kinds = {
        "match, 1 word": lambda: match(1),
        "match, 2 words": lambda: match(2),
        "match, 3 words": lambda: near(3),
        "match, 4 words": lambda: near(4),
        "match, all of 2 words": lambda: near(2, operator="and"),
        "match, all of 3 words": lambda: near(3, operator="and"),
        "match, some of 4 words": lambda: near(4, minimum_should_match=rng.choice([2, 3, "50%", "75%", -1])),
        "match with a boost": lambda: match(2, boost=rng.choice([0.5, 2, 3.7])),
        "term on a text": plain_term,
        "term on a keyword": lambda: {"term": {"country": rng.choice(countries)}},
        "term on a sub-field": lambda: {"term": {"name.raw": {"value": rng.choice(documents)["name"], "boost": rng.choice([1, 2.5])}}},
        "terms": lambda: {"terms": {"timezone": rng.sample(timezones, 3), "boost": rng.choice([1, 2])}},
        "range": span,
        "exists": exists,
        "ids": lambda: {"ids": {"values": rng.sample(ids, 6) + ["none"], "boost": rng.choice([1, 3])}},
        "bool: must and filter": lambda: {"bool": {"must": [match(1)], "filter": [span()]}},
        "bool: should": lambda: {"bool": {"should": [match(1), match(2), {"term": {"country": rng.choice(countries)}}]}},
        "bool: some of should": lambda: {"bool": {"should": [near(1), exists(), span(), {"terms": {"country": rng.sample(countries, 8)}}], "minimum_should_match": rng.choice([2, 3])}},
        "bool: must, should and must_not": lambda: {"bool": {"must": [near(2)], "should": [span(), match(1, boost=2)], "must_not": [{"term": {"country": rng.choice(countries)}}]}},
        "bool: filters only": lambda: {"bool": {"filter": square()}},
        "bool: filters and should": lambda: {"bool": {"filter": square(), "should": [match(1), match(1)]}},
        "bool within bool": lambda: {"bool": {"must": [{"bool": {"should": [near(1), near(1)], "boost": 1.5}}], "must_not": [{"bool": {"must": [exists(), span()]}}]}},
        "match_all with a boost": lambda: {"bool": {"must": [{"match_all": {"boost": rng.choice([1, 2.5])}}, {"term": {"admin1": f"{rng.randint(1, 20):02d}"}}]}},
    }
    names = list(kinds)
    return [(name, kinds[name]()) for name in (names[number % len(names)] for number in range(count))]


def equal(one, other):
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one), abs(other))


def difference(a, b, index, query):
    """What differs between the two answers, in words, or None."""
    left, right = a.search(index, query), b.search(index, query)
    if "hits" not in left or "hits" not in right:
        if left.get("status") == right.get("status") and left.get("error") is not None:
            return f"both refuse it: {json.dumps(left['error'])[:200]}"
        return f"A: {json.dumps(left)[:300]}\n    B: {json.dumps(right)[:300]}"
    if left["total"] != right["total"]:
        return f"A finds {left['total']}, B finds {right['total']}"
    if not equal(left["max"], right["max"]):
        return f"the best score of A is {left['max']}, of B {right['max']}"
    for place, ((_, one), (_, other)) in enumerate(zip(left["hits"], right["hits"])):
        if not equal(one, other):
            return f"the score at place {place + 1} is {one} in A and {other} in B"
    if len(left["hits"]) != len(right["hits"]):
        return f"A gives {len(left['hits'])} hits, B gives {len(right['hits'])}"
    in_left, in_right = dict(left["hits"]), dict(right["hits"])
    for document, score in left["hits"]:
        other = in_right[document] if document in in_right else b.score_of(index, query, document)
        if other is None or not equal(score, other):
            return f"document {document} scores {score} in A and {other} in B"
    for document, score in right["hits"]:
        if document not in in_left:
            other = a.score_of(index, query, document)
            if other is None or not equal(score, other):
                return f"document {document} scores {other} in A and {score} in B"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url_a")
    parser.add_argument("url_b")
    parser.add_argument("--queries", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--index", default="scores-cities")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()

    mapping = json.loads((DATA / "cities-mapping.json").read_text())
    with gzip.open(DATA / "cities.ndjson.gz", "rt", encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    queries = generate(documents, arguments.queries, arguments.seed)

    a, b = Server(arguments.url_a), Server(arguments.url_b)
    servers = [a] if a.url == b.url else [a, b]
    for server in servers:
        merged = server.load(arguments.index, mapping, documents)
        print(f"{server.url}: {len(documents)} documents" + ("" if merged else ", not merged to one segment"), flush=True)

    tried, found, differing = collections.Counter(), collections.Counter(), collections.Counter()
    for kind, query in queries:
        tried[kind] += 1
        problem = difference(a, b, arguments.index, query)
        if problem is None:
            found[kind] += a.search(arguments.index, query)["total"] > 0
            continue
        differing[kind] += 1
        if differing.total() <= SHOWN_DIFFERENCES:
            print(f"DIFFERS  {json.dumps(query, ensure_ascii=False)}\n    {problem}")
    if not arguments.keep:
        for server in servers:
            server.call("DELETE", f"/{arguments.index}", fine=(200, 404))

    print(f"\n{'kind of query':34} {'sent':>5} {'with hits':>10} {'differ':>7}")
    for kind in tried:
        print(f"{kind:34} {tried[kind]:5} {found[kind]:10} {differing[kind]:7}")
    print(f"{len(queries)} queries, {differing.total()} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
