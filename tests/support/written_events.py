"""Events as JSON text, written in every way a producer might, at every limit and past it."""

from __future__ import annotations

import json

from hypothesis import strategies as st

#: Attributes that matter; one of them is not ASCII.
DIMENSIONS = ("channel", "land")

_NINES = [("9" * count) for count in (14, 15, 16, 17, 18, 19, 20, 40, 41, 256, 257, 400, 5000)]
_NUMBERS = ["0", "1", "-0", "-0.0", "-1", "1.0", "2.5", "1e2", "1E+2", "1.5e-1", "00", "01", "1."]
_NUMBERS += [".5", "+1", "0x1", "NaN", "-Infinity", "1e400", f"{'9' * 400}.5", *_NINES]
_NUMBERS += [f"0.{'0' * 20}1", f"1.{'0' * 37}", f"1.{'0' * 38}", f"1.{'0' * 39}", "1_0", "1,5"]
_OTHERS = ["null", "true", "false", "[]", "{}", "[1,2]", '{"a":{"b":[null]}}', "nul", "nullx", ""]
_TEXTS = ["", "a", "ann", "é", "😀", "a b", "\x7f", "a/b", 'quote"', "back\\slash", "new\nline"]
_TEXTS += ["\0", "a\0b", "default", "north", "`$.path`"]
_TEXTS += [letter * count for letter in "xé" for count in (127, 128, 129, 255, 256, 257)]
_RAW_TEXTS = ['"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0041"', '"\\x"', '"\\', '"']
_RAW_TEXTS += ['"tab\there"', '"\\u00"', '"caf\\u00e9"', '"a\\/b"', '"\\u0000"', '"\x1f"', '"\n"']

_CLOCKS = ["2024-01-01T00:00:00", "2024-02-29t23:59:59", "2023-02-29T00:00:00"]
_CLOCKS += ["1970-01-01 00:00:00", "1970-01-01T00:59:59", "1969-12-31T23:59:59"]
_CLOCKS += ["9999-12-31T23:59:59", "0000-01-01T00:00:00", "2100-02-29T00:00:00"]
_CLOCKS += ["2000-02-29T12:00:00", "2024-04-31T00:00:00", "2024-13-01T00:00:00"]
_CLOCKS += ["2024-00-01T00:00:00", "2024-01-00T00:00:00", "2024-01-01T24:00:00"]
_CLOCKS += ["2024-01-01T23:60:00", "2016-12-31T23:59:60", "2024-1-01T00:00:00", "2024-01-01"]
_CLOCKS += ["2024/01/01T00:00:00", "2024-01-01_00:00:00", "\uff12024-01-01T00:00:00"]
_RESTS = ["Z", "z", "", "+00:00", "-00:00", "+01:00", "-23:59", "+24:00", "+00:60", "+0100", "+01"]
_RESTS += [".5Z", ".12Z", ".123Z", ".1239Z", ".999-00:01", ".Z", ".", ".123", " Z", "Zz", "é"]
_RESTS += [f".{'1' * count}Z" for count in (37, 38, 39)]
_RESTS += [f".{'1' * count}+01:00" for count in (33, 34)]
_TIME_NUMBERS = ["100000000000", "100000000001", "100000000000.5", "99999999999.9995"]
_TIME_NUMBERS += ["1700000000", "1700000000123", "1700000000.0005", "1700000000.0015"]
_TIME_NUMBERS += ["1700000000123.5", "1700000000124.5", "0.0005", "253402300799", "253402300800"]
_TIME_NUMBERS += ["253402300799.999", "253402300799.9996", "253402300799999", "253402300800000"]
_TIME_NUMBERS += ["253402300799999.4", "253402300799999.6", "1700000000.123456789012345678"]

_AMOUNTS = ["12.34", "0.00", "00012.5", "1.", ".5", "1e5", "+1", "-1", " 1", "1_0", "1,2", "١٢"]
_AMOUNTS += ["12.345", "12.340", "12.5", "1000000000000", "1000000000000.01", "100000000000000"]
_AMOUNTS += ["100000000000001", "99999999999999.99", "999999999999.99", "10000000000.0000"]
_AMOUNTS += ["0.0001", "0.00010", f"1.{'0' * 32}", f"1.{'0' * 33}", "1.2.3", "123456789012.345"]
_AMOUNTS += ["19.989999999999998", "0.005", "0.015", "1234567890123.45", "0.000000000000001"]


def quoted(text: str) -> str:
    """A text as the shortest JSON there is."""
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    return '"' + "".join(f"\\u{ord(each) % 65536:04x}" for each in text) + '"'


_FREE_TEXTS = st.text(max_size=6) | st.sampled_from(_TEXTS)
TEXTS = (
    _FREE_TEXTS.map(quoted)
    | _FREE_TEXTS.map(json.dumps)
    | _FREE_TEXTS.map(_escaped)
    | st.sampled_from(_RAW_TEXTS)
)
NUMBERS = (
    st.sampled_from(_NUMBERS)
    | st.integers(-1000, 10**20).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)
    | st.decimals(0, 10**15, places=4, allow_nan=False).map("{:f}".format)
)
ANY = TEXTS | NUMBERS | st.sampled_from(_OTHERS)
IDS = TEXTS | st.integers(0, 10**18).map(str) | ANY
TIMES = (
    st.builds(lambda clock, rest: quoted(clock + rest), *map(st.sampled_from, (_CLOCKS, _RESTS)))
    | st.datetimes().map(lambda at: quoted(f"{at.isoformat()}Z"))
    | st.sampled_from(_TIME_NUMBERS)
    | st.floats(0, 3e14).map(json.dumps)
    | st.integers(0, 300_000_000_000_000).map(str)
    | ANY
)
AMOUNTS = (
    st.sampled_from(_AMOUNTS).map(quoted)
    | st.sampled_from(_AMOUNTS)
    | st.decimals(0, 10**13, places=2, allow_nan=False).map("{:f}".format)
    | st.decimals(0, 10**13, places=3, allow_nan=False).map('"{:f}"'.format)
    | st.floats(0, 1e13).map(json.dumps)
    | ANY
)
CURRENCIES = st.sampled_from(['"EUR"', '"JPY"', '"KWD"', '"CLF"', '"eur"', '"XYZ"', '"EURO"']) | ANY
UNITS = st.sampled_from(["0", "1", "4294967295", "4294967296", "2.0", '"2"']) | ANY
TYPES = (
    st.sampled_from(['"purchase"', '"signup"', '"return"', '"cancellation"', '"Purchase"']) | ANY
)

_SPACES = st.sampled_from(["", "", "", "", " ", "\n", "\t \r\n", "\x0b"])
_PLAIN = {
    "customer_id": '"ann"',
    "occurred_at": '"2024-01-01T00:00:00.250Z"',
    "order_id": '"o1"',
    "return_id": "17",
    "amount": '"12.34"',
    "currency": '"EUR"',
    "units": "2",
    "store": '"north"',
    "attributes": '{"channel":"web","land":"Österreich"}',
}


def _object(members: list[tuple[str, str]], space: str) -> str:
    inner = ",".join(f"{space}{name}{space}:{space}{value}{space}" for name, value in members)
    return f"{{{inner}}}"


_NAMES = st.sampled_from([*DIMENSIONS, "size", "", "länge"]).map(quoted) | st.just('"\\u006cand"')
_ATTRIBUTES = (
    st.builds(_object, st.lists(st.tuples(_NAMES, TEXTS | ANY), max_size=4), _SPACES)
    | st.builds(lambda name, value: f"{{{name}:{value}}}", _NAMES, TEXTS)
    | ANY
)
#: What a field may be written as, right or wrong.
FIELDS = {
    "type": TYPES,
    "customer_id": IDS,
    "order_id": IDS,
    "return_id": IDS,
    "occurred_at": TIMES,
    "amount": AMOUNTS,
    "currency": CURRENCIES,
    "units": UNITS,
    "store": TEXTS | ANY,
    "attributes": _ATTRIBUTES,
    "event_id": ANY,
    "more": st.recursive(
        ANY,
        lambda inner: (
            st.builds(_object, st.lists(st.tuples(TEXTS, inner), max_size=2), _SPACES)
            | st.lists(inner, max_size=2).map(lambda values: f"[{','.join(values)}]")
        ),
        max_leaves=4,
    )
    | st.sampled_from([f"{'[' * depth}{']' * depth}" for depth in (31, 32, 33, 34, 200)]),
}
_CHANGES = st.lists(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            FIELDS[name],
            st.sampled_from(["set", "set", "set", "again", "leave out"]),
        )
    ),
    max_size=3,
)


@st.composite
def _event(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(("purchase", "purchase", "signup", "return", "cancellation")))
    members = [("type", quoted(kind)), *_PLAIN.items()]
    for name, value, change in draw(_CHANGES):
        if change != "again":
            members = [member for member in members if member[0] != name]
        if change != "leave out":
            members.insert(draw(st.integers(0, len(members))), (name, value))
    if draw(st.booleans()):
        members.reverse()
    space = draw(_SPACES)
    text = _object([(quoted(name), value) for name, value in members], space)
    return f"{space}{text}{space}".encode(errors="surrogatepass")


def _mutated(value: bytes, place: int, what: bytes, length: int) -> bytes:
    place %= len(value) + 1
    return value[:place] + what + value[place + length :]


_MUTATED = st.builds(
    _mutated, _event(), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)
)
_CUT = st.builds(lambda value, end: value[:end], _event(), st.integers(0, 400))
#: The value of a record.
VALUES = _event() | _event() | _event() | _MUTATED | _CUT | st.none() | st.binary(max_size=8)
