"""The dashboard for whoever runs it: does every event arrive, and can the figures be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.source.board import Dashboard, Section, label_values, runbooks
from deploy.grafana.source.kinds import big_number, lines, table
from deploy.grafana.source.panels import (
    COUNT,
    GREEN,
    ORANGE,
    RED,
    SECONDS,
    Json,
    Panel,
    Query,
    by_name,
    steps,
)

JOB = 'job=~"$job"'
EVENTS_A_SECOND = f"rate(retention_events_total{{{JOB}}}[$__rate_interval])"


def trust() -> Section:
    """Whether what the other dashboards show is right, in six numbers."""
    missing = (
        f"max(retention_partitions_expected{{{JOB}}}) - sum(retention_partitions_ready{{{JOB}}})"
    )
    dead = f"sum(increase(retention_dead_letters_total{{{JOB}}}[1h]))"
    return Section(
        "Can the figures be trusted?",
        [
            big_number(
                "Workers up",
                "Workers that Prometheus reaches.",
                [Query(f"sum(up{{{JOB}}})")],
                COUNT,
                defaults=steps((None, RED), (1, GREEN)),
            ),
            big_number(
                "Partitions missing",
                "Partitions that no worker has restored and counts. While one is missing there "
                "are no business gauges.",
                [Query(missing)],
                COUNT,
                defaults=steps((None, GREEN), (1, RED)),
            ),
            big_number(
                "Events waiting",
                "Events in Kafka that are not read yet.",
                [Query(f"sum(retention_lag_events{{{JOB}}})")],
                COUNT,
                defaults=steps((None, GREEN), (10_000, ORANGE), (100_000, RED)),
            ),
            big_number(
                "Dead letters in the last hour",
                "Events that could not be used. Each is on the dead-letter topic with its reason.",
                [Query(f"({dead}) or vector(0)")],
                COUNT,
                decimals=0,
                defaults=steps((None, GREEN), (1, ORANGE), (100, RED)),
            ),
            big_number(
                "Age of the latest event",
                "Now minus the event time of the latest usable event.",
                [Query(f"time() - max(retention_last_event_timestamp_seconds{{{JOB}}})")],
                SECONDS,
                decimals=0,
                defaults=steps((None, GREEN), (3600, ORANGE), (6 * 3600, RED)),
            ),
            big_number(
                "Age of the figures",
                "Now minus the instant the business gauges stand for. With "
                "RETENTION_CLOCK=event it follows the events.",
                [Query(f"time() - max(retention_as_of_timestamp_seconds{{{JOB}}})")],
                SECONDS,
                decimals=0,
                defaults=steps((None, GREEN), (3600, ORANGE), (6 * 3600, RED)),
            ),
        ],
    )


def firing() -> Section:
    """Alerts of now with the way to their runbooks."""
    return Section("Alerts firing now", [_alert_table()])


def _alert_table() -> Panel:
    return table(
        "Alerts",
        "What fires now. The name leads to the runbook: what it means, what to look at, what to "
        "do.",
        [Query('ALERTS{alertstate="firing",alertname!="Watchdog"}', as_table=True)],
        transformations=[
            {
                "id": "filterFieldsByName",
                "options": {
                    "include": {
                        "names": [
                            *("alertname", "severity", "store", "dimension"),
                            *("segment", "window", "instance"),
                        ]
                    }
                },
            }
        ],
        height=6,
        defaults={"noValue": "Nothing fires."},
        overrides=[
            by_name(
                "alertname",
                displayName="Alert",
                links=[{"title": "Runbook", "url": "${runbooks}/${__value.raw}.md"}],
            )
        ],
    )


def events() -> Section:
    """What became of the events."""
    return Section(
        "Events",
        [
            lines(
                "Events a second, by what became of them",
                "applied and guest count; duplicate and replayed say nothing new; rejected and "
                "too_late are dead letters; rerouted was sent on to its customer's partition.",
                [Query(f"sum by (outcome) ({EVENTS_A_SECOND})", "{{outcome}}")],
                COUNT,
                width=12,
                stacked=True,
            ),
            lines(
                "Events a second, by topic",
                "Records read from each topic.",
                [Query(f"sum by (topic) ({EVENTS_A_SECOND})", "{{topic}}")],
                COUNT,
                width=12,
                stacked=True,
            ),
            lines(
                "Events waiting, by topic",
                "Records in Kafka that are not read yet. It falls after a start or a replay; if "
                "it grows, workers are too slow or too few.",
                [Query(f"sum by (topic) (retention_lag_events{{{JOB}}})", "{{topic}}")],
                COUNT,
                defaults={"min": 0},
            ),
            lines(
                "Dead letters an hour, by reason",
                "Why events could not be used. Counters begin anew when a worker starts.",
                [
                    Query(
                        f"sum by (reason) (increase(retention_dead_letters_total{{{JOB}}}[1h]))",
                        "{{reason}}",
                    )
                ],
                COUNT,
                defaults={"min": 0},
            ),
            lines(
                "Partitions ready",
                "Partitions each worker has restored and counts, and how many there are. They "
                "move when workers come and go.",
                [
                    Query(f"retention_partitions_ready{{{JOB}}}", "{{instance}}"),
                    Query(f"max(retention_partitions_expected{{{JOB}}})", "all there are"),
                ],
                COUNT,
                defaults={"min": 0},
            ),
        ],
    )


def workers() -> Section:
    """What the workers need."""
    return Section(
        "Workers",
        [
            lines(
                "CPU, in cores",
                "One worker uses somewhat more than one core at most.",
                [
                    Query(
                        f"rate(process_cpu_seconds_total{{{JOB}}}[$__rate_interval])",
                        "{{instance}}",
                    )
                ],
                COUNT,
                defaults={"min": 0},
            ),
            lines(
                "Memory",
                "Resident memory. It grows with customers, not with events.",
                [Query(f"process_resident_memory_bytes{{{JOB}}}", "{{instance}}")],
                "bytes",
                defaults={"min": 0},
            ),
            lines(
                "Time to write a scrape",
                "How long the business gauges took to add up. Events wait meanwhile.",
                [Query(f"retention_scrape_duration_seconds{{{JOB}}}", "{{instance}}")],
                SECONDS,
                defaults={"min": 0},
            ),
            table(
                "Versions",
                "What runs where. Two versions at once are a roll-out under way.",
                [
                    Query(
                        f"max by (instance, version) (retention_build_info{{{JOB}}})", as_table=True
                    )
                ],
                transformations=[
                    {
                        "id": "filterFieldsByName",
                        "options": {"include": {"names": ["instance", "version"]}},
                    }
                ],
                height=6,
            ),
        ],
    )


def variables() -> Sequence[Json]:
    """What can be chosen above the panels."""
    return [
        label_values("job", "job", "retention_build_info", title="Job", multiple=True),
        runbooks(),
    ]


DASHBOARD = Dashboard(
    uid="retention-pipeline",
    title="Retention pipeline",
    description="Does every event arrive, and can the figures be trusted.",
    sections=[trust(), firing(), events(), workers()],
    variables=variables(),
    time_from="now-6h",
)
