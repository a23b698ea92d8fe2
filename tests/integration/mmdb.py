#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Writes small files in MaxMind's DB format, version 2, for the tests.

mmdb.py FILE RECORD_BITS IP_VERSION SHAPE: the file of the unit tests; SHAPE: maxmind, flat, code."""

import ipaddress
import struct
import sys

COUNTRIES = {
    "192.0.2.0/24": "DE",
    "198.51.100.0/25": "FR",
    "198.51.100.128/25": "US",
    "203.0.113.7/32": "BR",
    "10.0.0.0/8": None,  # a record without a country
}
COUNTRIES_V6 = {"2001:db8::/32": "JP", "2001:db9:1::/48": "DE"}


def header(kind, size):
    extended = kind > 7
    extra = b""
    if size >= 65821:
        low, extra = 31, (size - 65821).to_bytes(3, "big")
    elif size >= 285:
        low, extra = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        low, extra = 29, (size - 29).to_bytes(1, "big")
    else:
        low = size
    first = bytes([(0 if extended else kind) << 5 | low])
    return first + (bytes([kind - 7]) if extended else b"") + extra


def pointer(offset):
    if offset < 2048:
        return bytes([1 << 5 | offset >> 8, offset & 255])
    offset -= 2048
    assert offset < 1 << 19
    return bytes([1 << 5 | 1 << 3 | offset >> 16]) + (offset & 0xffff).to_bytes(2, "big")


def encode(value):
    if isinstance(value, bool):
        return header(14, int(value))
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return header(6, len(raw)) + raw
    if isinstance(value, float):
        return header(3, 8) + struct.pack(">d", value)
    if isinstance(value, str):
        return header(2, len(value.encode())) + value.encode()
    if isinstance(value, bytes):  # encoded already
        return value
    if isinstance(value, list):
        return header(11, len(value)) + b"".join(map(encode, value))
    return header(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def describe(country, shape):
    """One record as the publishers have them, with more in it than we read."""
    if country is None:
        return {"continent": {"code": "ZZ"}}
    if shape == "flat":
        return {"asn": 64500, "country": country}
    if shape == "code":
        return {"as_name": "x" * 300, "country_code": country}
    names = {"de": "n" * 40, "en": "Somewhere", "zh-CN": "\u67d0\u5904"}
    return {"continent": {"code": "EU", "geoname_id": 6255148, "names": names},
            "location": {"latitude": 51.5, "is_rough": True, "zones": ["a", "b"]},
            "country": {"geoname_id": 2921044, "iso_code": country, "names": names}}


class Data:
    """The data section. Every second country stands behind a pointer, as do all keys "country"."""

    def __init__(self, shape):
        self.shape = shape
        self.key = {}
        self.bytes = b""
        for key in ("country", "country_code"):
            self.key[key] = len(self.bytes)
            self.bytes += encode(key)
        self.at = {}

    def add(self, country):
        if country not in self.at:
            record = describe(country, self.shape)
            fields = list(record.items())
            body = header(7, len(fields))
            for key, value in fields:
                coded = encode(value)
                if key.startswith("country") and len(self.at) % 2:
                    coded, place = pointer(len(self.bytes)), coded
                    self.bytes += place
                body += (pointer(self.key[key]) if key in self.key else encode(key)) + coded
            self.at[country] = len(self.bytes)
            self.bytes += body
        return self.at[country]


def tree_of(networks, is_v6):
    """Nodes as [left, right]: None, an index, or the text of a country in a tuple."""
    nodes = [[None, None]]
    for text, country in networks.items():
        network = ipaddress.ip_network(text)
        length = network.prefixlen
        number = int(network.network_address)
        bits = network.max_prefixlen
        if is_v6 and network.version == 4:
            bits, length = 128, length + 96
        node = 0
        for depth in range(length - 1):
            side = number >> (bits - 1 - depth) & 1
            if nodes[node][side] is None:
                nodes.append([None, None])
                nodes[node][side] = len(nodes) - 1
            node = nodes[node][side]
        nodes[node][number >> (bits - length) & 1] = (country,)
    return nodes


def pack(left, right, bits):
    if bits == 28:
        return (left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24]) + \
            (right & 0xffffff).to_bytes(3, "big")
    return left.to_bytes(bits // 8, "big") + right.to_bytes(bits // 8, "big")


def build(networks, bits=24, version=6, shape="maxmind"):
    """The bytes of a file. networks: {"192.0.2.0/24": "DE", ...}; None: no country there."""
    nodes = tree_of(networks, version == 6)
    data = Data(shape)
    records = []
    for node in nodes:
        for side in node:
            if side is None:
                records.append(len(nodes))
            elif isinstance(side, tuple):
                records.append(len(nodes) + 16 + data.add(side[0]))
            else:
                records.append(side)
    tree = b"".join(pack(records[i], records[i + 1], bits) for i in range(0, len(records), 2))
    metadata = encode({"binary_format_major_version": header(5, 1) + b"\2",
                       "binary_format_minor_version": header(5, 0), "build_epoch": header(9, 4) + (1_700_000_000).to_bytes(4, "big"),
                       "database_type": "Gatepost-Test-Country",
                       "description": {"en": "for tests"}, "languages": ["en"],
                       "ip_version": header(5, 1) + bytes([version]), "node_count": len(nodes),
                       "record_size": header(5, 1) + bytes([bits])})
    return tree + bytes(16) + data.bytes + b"\xab\xcd\xefMaxMind.com" + metadata


if __name__ == "__main__":
    file_name, record_bits, ip_version, file_shape = sys.argv[1:]
    with open(file_name, "wb") as file:
        file.write(build({**COUNTRIES, **(COUNTRIES_V6 if ip_version == "6" else {})},
                         int(record_bits), int(ip_version), file_shape))
