"""Logs, metrics and traces: what they say, and that they say nothing about people."""

from __future__ import annotations

import inspect
import json
import logging
import re
import subprocess
import sys

import pytest

from services.platform.telemetry import metrics, tracing
from services.platform.telemetry.logs import describe, only_allowed
from services.platform.telemetry.tracing import continue_trace, current_traceparent, enter_trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPEAKS = """
import logging, structlog
from services.platform.telemetry.logs import configure_logging, caller_handle
from services.platform.telemetry.tracing import continue_trace, enter_trace
configure_logging("vouchers", key=b"k" * 32)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
log = structlog.get_logger()
log.info("serving", port=7, name="Ada Lovelace")
enter_trace(continue_trace(PARENT))
log.warning("call", caller=caller_handle("ada"), method="A/B")
logging.getLogger("kafka").error("cannot send %s", "Ada Lovelace")
logging.getLogger("kafka").error(f"cannot send {'Ada Lovelace'}")
try:
    raise ValueError("Ada Lovelace") from KeyError("Ada Lovelace")
except ValueError:
    log.exception("unexpected error")
"""


@pytest.fixture(scope="module")
def said() -> str:
    done = subprocess.run([sys.executable, "-c", SPEAKS], capture_output=True, text=True, check=True)
    return done.stdout


def test_lines_are_json_with_trace_and_service(said: str) -> None:
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) == 5
    assert {line["service"] for line in lines} == {"vouchers"}
    assert lines[0]["port"] == 7
    assert lines[1]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert re.fullmatch("[0-9a-f]{12}", lines[1]["caller"])


def test_nothing_of_a_person_is_in_them(said: str) -> None:
    assert "Lovelace" not in said
    assert '"ada"' not in said


def test_what_was_dropped_is_named(said: str) -> None:
    assert json.loads(said.splitlines()[0])["dropped"] == ["name"]


def test_libraries_show_place_and_template_only(said: str) -> None:
    templated, formatted = (json.loads(line) for line in said.splitlines()[2:4])
    assert (templated["event"], templated["logger"]) == ("cannot send %s", "kafka")
    assert formatted["event"] == "library message"
    assert formatted["level"] == "error"


def test_errors_show_types_and_places(said: str) -> None:
    line = json.loads(said.splitlines()[4])
    assert (line["error"], line["cause"]) == ("ValueError", "KeyError")
    assert line["at"][-1].endswith("<module>")


def test_control_without_the_allow_list_names_would_pass() -> None:
    event = {"event": "a", "name": "Ada Lovelace"}
    assert "Ada Lovelace" in str(event)
    assert "Ada Lovelace" not in str(only_allowed(None, "", event))


def test_causes_that_turn_in_a_circle_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert describe(first)[1].count("<") < 6


def test_a_trace_is_continued() -> None:
    trace = continue_trace(PARENT)
    assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert trace.parent_id == "b7ad6b7169203331"
    assert trace.sampled
    assert trace.span_id not in (trace.parent_id, "")
    assert continue_trace(trace.traceparent).parent_id == trace.span_id


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-short-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
    ],
)
def test_a_malformed_header_starts_a_new_trace(header: str | None) -> None:
    trace = continue_trace(header)
    assert trace.parent_id == ""
    assert trace.trace_id != "0af7651916cd43dd8448eb211c80319c"


def test_the_current_trace_is_handed_on() -> None:
    assert current_traceparent() == ""
    span = tracing.start_span("A/B", PARENT)
    enter_trace(span.context)
    assert current_traceparent() == span.context.traceparent
    enter_trace(None)
    assert current_traceparent() == ""


def test_each_metric_has_its_comment() -> None:
    lines = inspect.getsource(metrics).splitlines()
    defined = [
        number for number, line in enumerate(lines) if re.match(r"[A-Z_]+ = (Counter|Gauge|Hist)", line)
    ]
    assert len(defined) > 15
    assert all(lines[number - 1].startswith("# ") for number in defined)


def test_no_metric_is_made_elsewhere() -> None:
    found = subprocess.run(
        ["grep", "-rlE", r"\b(Counter|Gauge|Histogram|Summary)\(\s*[\"']", "services"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert [name for name in found if name.endswith(".py")] == ["services/platform/telemetry/metrics.py"]


def test_library_logs_below_warning_stay_silent() -> None:
    assert logging.getLogger().getEffectiveLevel() >= logging.WARNING
