"""The rows of files as fastavro, pyarrow and the json module read them: one JSON document a file, in the order given.

Logical types as their base types, bytes as hexadecimal digits: what Connect's data are.
"""
import datetime
import decimal
import gzip
import json
import sys

import fastavro
import pyarrow.parquet

EPOCH = datetime.date(1970, 1, 1)


def plain(value):
    if isinstance(value, datetime.datetime):
        since = value.replace(tzinfo=value.tzinfo or datetime.timezone.utc).timestamp()
        return round(since * 1000)
    if isinstance(value, datetime.date):
        return (value - EPOCH).days
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    # pyarrow gives a map as pairs.
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        return {key: plain(member) for key, member in value}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value


def rows(file):
    if file.endswith(".avro"):
        with open(file, "rb") as stream:
            return list(fastavro.reader(stream))
    if file.endswith(".parquet"):
        return pyarrow.parquet.read_table(file).to_pylist()
    unzip = gzip.open if file.endswith(".gz") else open
    with unzip(file, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


for name in sys.argv[1:]:
    print(json.dumps([plain(row) for row in rows(name)]))
