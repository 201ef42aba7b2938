"""The arithmetic of the benchmarks and how their reports are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import ALL, chosen_names
from tests.benchmarks.capacity import Costs, plan
from tests.benchmarks.figures import Spread, quantile, slope, table
from tests.benchmarks.freshness import latencies
from tests.benchmarks.pages import END, mark_of, write
from tests.benchmarks.peers.job import updated
from tests.benchmarks.peers.run import last_words
from tests.benchmarks.peers.truth import Totals, totals_of_events, totals_of_states
from tests.benchmarks.plot import draw
from tests.benchmarks.report import report
from tests.benchmarks.results import OURS, Restored, Result, Results, load, machine, save
from tests.benchmarks.scale import grown
from tests.benchmarks.scale_engine import EngineCosts
from tests.benchmarks.scrapes import Scraped, verdict
from tests.benchmarks.setting import Measured
from tests.benchmarks.soak import Growth, Sample, stretches

MIB = 2**20


def results(*runs: Result) -> Results:
    return Results(machine(), 1000, 200, list(runs))


def run(peer: str, seconds: float, cpu_seconds: float = 0.01) -> Result:
    return Result(peer, "kafka", 1000, Measured(seconds, cpu_seconds, 50 * MIB))


def row_of(text: str, title: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {title}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_spread_is_the_median_with_least_and_most() -> None:
    assert Spread.of([3.0, 1.0, 2000.0]).text() == "3 (1 to 2,000)"
    assert Spread.of([1.25]).text(1) == "1.2"


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)] == [
        1,
        50,
        99,
        100,
        100,
    ]


def test_the_promise_of_scrapes_is_held_where_99_of_100_were_quick_enough() -> None:
    quick = Scraped(took=[0.02] * 99 + [0.5])
    slow = Scraped(took=[0.02] * 98 + [0.11] * 2)
    said = verdict({"5,000": quick, "replay": slow})
    assert said == ("99% of scrapes within 100 ms, events/s: held at 5,000; not at replay.")
    assert verdict({"replay": slow}).endswith("held at none; not at replay.")


def test_a_slope_is_what_one_more_brings() -> None:
    assert slope([0, 1, 2], [5, 7, 9]) == pytest.approx(2)
    assert slope([1, 1], [5, 7]) == 0


def test_a_table_has_a_line_under_its_headings() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_ratios_are_to_ours_of_the_same_broker() -> None:
    text = report(
        results(
            *(run(OURS, seconds, cpu_seconds=0.02) for seconds in (0.010, 0.011, 0.009)),
            *(run("quix", seconds, cpu_seconds=0.05) for seconds in (0.05, 0.04, 0.06)),
            run("floor-aiokafka", 0.005),
            run("floor-confluent", 0.004),
        )
    )
    assert row_of(text, "Quix Streams") == [
        "Quix Streams",
        "20,000 (16,667 to 25,000)",
        "5.00",
        "50.0",
        "2.50",
        "50",
    ]
    assert "0.40 of the faster bare loop" in text
    assert "Apache Kafka" in text
    assert "embedded" not in text


def test_a_peer_that_failed_stands_in_the_table_with_its_reason() -> None:
    text = report(results(Result("flink", "kafka", 1000, failure="no | such\nclass")))
    assert row_of(text, "Flink")[1] == "none: no / such class"


def test_a_peer_given_fewer_events_is_compared_by_its_rate_and_says_so() -> None:
    fewer = Result("faust-documented", "kafka", 100, Measured(0.05, 0.02, MIB))
    cells = row_of(report(results(run(OURS, 0.01), fewer)), "Faust as documented")
    assert cells[:3] == ["Faust as documented, 100 events", "2,000", "50.00"]


def test_restores_tell_customers_a_second() -> None:
    kept = results()
    kept.restores = [
        Restored(OURS, 1000, 2.0),
        Restored(OURS, 1000, 4.0),
        Restored(OURS, 1000, 5.0),
    ]
    kept.restores.append(Restored("quix", 1000, failure="hung"))
    text = report(kept)
    assert row_of(text, "**retention-stream**")[1:] == ["1,000", "4.0 (2.0 to 5.0)", "250"]
    assert row_of(text, "Quix")[1] == "none: hung"


def test_what_was_measured_is_kept_for_the_same_machine_and_events_only(tmp_path: Path) -> None:
    store = tmp_path / "deep" / "results.json"
    kept = results(run(OURS, 0.01), Result("flink", "kafka", 1000, failure="x"))
    save(kept, store)
    assert load(1000, 200, store) == kept
    assert load(2000, 200, store).runs == []
    other = results(run(OURS, 0.01))
    other.machine = "another"
    save(other, store)
    assert load(1000, 200, store).runs == []


def test_a_resumed_benchmark_does_what_is_missing() -> None:
    kept = results(run(OURS, 0.01), Result("flink", "kafka", 1000, failure="x"))
    assert kept.missing(OURS, "kafka", 5) == 4
    assert kept.missing(OURS, "embedded", 5) == 5
    assert kept.missing("flink", "kafka", 5) == 0
    kept.forget({"flink"}, {"kafka"})
    assert kept.missing("flink", "kafka", 5) == 5
    assert kept.missing(OURS, "kafka", 5) == 4


def test_groups_of_peers_have_a_name() -> None:
    assert chosen_names(["quix", "floor", OURS]) == [
        OURS,
        "floor-aiokafka",
        "floor-confluent",
        "quix",
    ]
    assert chosen_names(list(ALL)) == list(ALL)


def test_figures_go_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{mark_of('a')}\nold\n{END}\n{mark_of('b')}\nkept\n{END}\nafter\n")
    write("a", "new\n\n", page)
    assert page.read_text() == (
        f"before\n{mark_of('a')}\n\nnew\n\n{END}\n{mark_of('b')}\nkept\n{END}\nafter\n"
    )
    with pytest.raises(ValueError, match="no place"):
        write("c", "new", page)


def test_the_picture_has_a_bar_for_each_that_has_figures(tmp_path: Path) -> None:
    path = tmp_path / "rates.svg"
    draw(results(run(OURS, 0.01), run("quix", 0.05), run("quix", 0.04)), path)
    picture = path.read_text()
    assert "100,000" in picture
    assert "Quix Streams" in picture
    assert "Flink" not in picture


def test_the_truth_counts_every_purchase_also_one_sent_twice() -> None:
    purchase = b'{"type":"purchase","customer_id":"a","occurred_at":"2025","amount":"1.10"}'
    other = b'{"type":"purchase","customer_id":"b","occurred_at":"2025","amount":"2"}'
    signup = b'{"type":"signup","customer_id":"c","occurred_at":"2025"}'
    truth = totals_of_events([purchase, purchase, signup, other])
    assert truth == Totals(2, 3, 420)
    assert truth.difference(truth) is None
    assert Totals(2, 2, 420).difference(truth) == "orders 2 instead of 3"


def test_states_as_json_add_up() -> None:
    values = [b'{"first":"1","last":"2","orders":2,"revenue":5}', b'{"orders":1,"revenue":7}']
    assert totals_of_states(values) == Totals(2, 3, 12)


def test_the_job_keeps_first_and_last_whatever_the_order() -> None:
    late = updated(
        updated(None, {"occurred_at": "2025-02", "amount": "1.15"}),
        {"occurred_at": "2025-01", "amount": "2.00"},
    )
    assert late == {"first": "2025-01", "last": "2025-02", "orders": 2, "revenue": 315}


def test_the_reason_of_a_failure_is_the_line_that_names_the_error() -> None:
    log = "INFO fine\nCaused by: java.lang.IllegalStateException: no\n\tat a.b.Error(x)\n"
    assert last_words(log) == "Caused by: java.lang.IllegalStateException: no"
    assert last_words("Traceback:\n  x\nKeyError: 'retention.ms'\n") == "KeyError: 'retention.ms'"
    assert last_words("bench: first 1.0\nplain\n") == "plain"
    assert last_words("") == "no output"


def test_a_marker_is_fresh_from_the_first_scrape_that_counted_it() -> None:
    assert latencies([1.0, 2.0, 3.0], [(2.5, 1), (2.6, 1), (4.0, 3)]) == [1.5, 2.0, 1.0]
    with pytest.raises(ValueError, match="1 of 3"):
        latencies([1.0, 2.0, 3.0], [(4.0, 2)])


def test_memory_that_grows_is_told_by_event_and_by_minute() -> None:
    samples = [Sample(second, 100.0 * second, 0.0, 1000 + 500 * second) for second in range(10)]
    growth = Growth.of(samples)
    assert growth is not None
    assert growth.bytes_per_event == pytest.approx(5)
    assert growth.bytes_per_minute == pytest.approx(30_000)
    assert (growth.first_bytes, growth.last_bytes) == (2000, 5500)
    assert Growth.of(samples[:2]) is None


def test_load_that_is_sent_again_is_a_stretch_of_its_own() -> None:
    samples = [Sample(second, 100.0 * second, 0.0, 0) for second in range(10)]
    named = {name: len(some) for name, some in stretches(samples, 600)}
    assert list(named.values()) == [3, 3, 4]


COSTS = EngineCosts(
    customers=1000,
    partitions=8,
    stores=1,
    bytes_per_customer=400,
    events_per_second=1e5,
    flush_seconds=0.1,
    restore_seconds=1.0,
    restore_peak_bytes=MIB,
    scrape_seconds=0.01,
    series=100,
    changelog_bytes_per_customer=170,
)


def test_what_grows_is_named_by_how_much() -> None:
    doubled = EngineCosts(
        customers=2000,
        partitions=8,
        stores=1,
        bytes_per_customer=300,
        events_per_second=1e5,
        flush_seconds=0.1,
        restore_seconds=2.0,
        restore_peak_bytes=MIB,
        scrape_seconds=0.025,
        series=100,
        changelog_bytes_per_customer=170,
    )
    assert grown(doubled, COSTS) == "scrape x 2.5"
    assert grown(COSTS, COSTS) == "nothing"


def test_on_paper_the_harder_need_decides_how_many_workers() -> None:
    costs = Costs(150_000, 400, 170, 250_000, worker_bytes=24 * 2**30)
    planned = plan(costs, customers=1e9, events_per_second=1e6)
    assert planned.workers_for_events == 12
    assert planned.workers_for_memory == 23
    assert planned.workers == 23
    assert planned.restore_seconds == pytest.approx(1e9 / 23 / 250_000)
    assert planned.first_to_give_way.startswith("memory")
    needs = {need.name: need.value for need in planned.needs}
    assert needs["partitions"] == "64"
    assert needs["Kafka, events in"] == "210 MB/s"
    assert needs["Kafka, changelog in"] == "170 MB/s"
    assert needs["Kafka brokers"] == "7"
    assert needs["changelog on disk"] == "0.51 TB"
    few = plan(costs, customers=1e6, events_per_second=1e6)
    assert few.workers == few.workers_for_events
    assert few.first_to_give_way.startswith("the rate")
