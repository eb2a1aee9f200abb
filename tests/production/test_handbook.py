"""The whole system as an operator sets it up: Debian's PostgreSQL 15, Redis 7, RabbitMQ and nginx, real systemd, and
the handbook's own lines. Nothing here is installed outside the machine of its own that the tests throw away."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.production import handbook
from tests.production.house import AUTHORITY, CREDENTIALS, SERVICES, URL, House, settled

pytestmark = pytest.mark.soak
TOOL = Path(__file__).resolve().parents[3] / "shared/tools/fresh_machine"


def test_every_service_runs_and_nothing_failed(house: House) -> None:
    assert settled(lambda: house.active() == set(SERVICES), 60), house.active()
    assert house.run("systemctl --failed --no-legend") == ""
    versions = house.run("psql --version; redis-server --version; rabbitmqctl version; nginx -v 2>&1")
    assert re.search(r"PostgreSQL\) 15\.", versions) and "v=7." in versions
    assert house.run(
        "systemctl is-enabled tickerdesk.target nginx postgresql redis-server rabbitmq-server"
    ).split() == (["enabled"] * 5)


def test_the_main_job(house: House) -> None:
    if not TOOL.exists():
        pytest.skip("../shared/tools is absent")
    house.run(f"cp {TOOL} /usr/local/bin/main_job")
    told = house.run(f"SSL_CERT_FILE={AUTHORITY} main_job --url {URL} --credentials {CREDENTIALS}")
    assert told.splitlines()[-1].endswith(" 0 failed"), told


def test_jobs_lie_in_quorum_queues(house: House) -> None:
    def queues() -> dict[str, tuple[str, int]]:
        rows = house.run("rabbitmqctl -q list_queues --vhost tickerdesk name type consumers").splitlines()
        found = {name: (kind, int(number)) for name, kind, number in map(str.split, rows[1:])}
        return {name: found[name] for name in ("celery", "ingest")}

    assert settled(lambda: queues() == dict.fromkeys(("celery", "ingest"), ("quorum", 1)), 30), queues()
    told = house.metrics()
    assert 'tickerdesk_queue_messages{queue="ingest"}' in told and told["tickerdesk_broker_up"] == 1
    assert "rabbitmq_queue_messages" in house.run("curl -sS http://127.0.0.1:15692/metrics")


@pytest.mark.parametrize("blow", ["KILL", "STOP"])
def test_rabbitmq_is_lost_and_the_work_goes_on_after(house: House, blow: str) -> None:
    """Killed as by a power cut, or frozen, so that its connections stay open and nothing answers."""
    one = house.pending()
    house.run(f"systemctl kill --kill-who=all --signal={blow} rabbitmq-server")
    if blow == "KILL":
        house.run("systemctl stop rabbitmq-server")
    began = time.monotonic()
    assert house.approve(one, seconds=5) == 201
    assert house.ask("/api/v1/candidates/?market=de&state=pending", seconds=5)[0] == 200
    assert house.metrics()["tickerdesk_broker_up"] == 0
    assert live(house, one, 5)
    time.sleep(max(0.0, 30 - (time.monotonic() - began)))  # longer than heartbeats and time limits
    back = house.sql("select clock_timestamp()")
    house.run(
        "systemctl kill --kill-who=all --signal=CONT rabbitmq-server"
        if blow == "STOP"
        else "systemctl start rabbitmq-server"
    )
    assert settled(lambda: house.read_since(back), 90), house.run("journalctl -u 'tickerdesk-*' -n 40 --no-pager")
    assert settled(lambda: house.active() == set(SERVICES), 30)


def live(house: House, one: dict[str, object], seconds: float) -> bool:
    path = f"/api/v1/feeds/de/{one['category']}/"
    current = str(one["tweet"]["id"])  # type: ignore[index]
    return bool(settled(lambda: current in {entry["id"] for entry in house.ask(path)[1]["entries"]}, seconds))


def test_a_decision_under_way_is_not_cut_off(house: House) -> None:
    """A web is told to end while a decision waits for a lock: it answers, then the web ends."""
    one = house.pending()
    lock = "begin; select 1 from regions_channel for update; select pg_sleep(3); commit"
    house.run(f"systemd-run -q --unit=lock runuser -u postgres -- psql -qX tickerdesk -c '{lock}'")
    ends = "systemd-run -q --on-active=1 --timer-property=AccuracySec=100ms systemctl restart"
    house.run(f"{ends} tickerdesk-web@8000 tickerdesk-web@8002")
    assert house.approve(one) == 201
    assert settled(lambda: house.ask("/api/v1/candidates/?market=de&state=pending")[0] == 200, 30)


def test_an_upgrade_turns_nobody_away(house: House) -> None:
    asked = "while :; do curl -so /dev/null -w '%{http_code}\\n' --max-time 20 --cacert "
    for one in range(3):
        house.run(
            f"systemd-run -q --unit=asked-{one} bash -c "
            f'"{asked} {AUTHORITY} {URL}/accounts/login/ >> /root/asked; sleep 0.1; done"'
        )
    first = handbook.named(HOST="ticker.example", REPOSITORY=f"file://{house.repository}", VERSION="v2")
    lines, missing = handbook.lines()[handbook.LATER[1]], first.replace("VERSION=v2", "VERSION=v9")
    assert house.run(f"! ( {missing + lines} )") == ""
    house.run("rm -f /opt/tickerdesk/releases/v1/.venv/whole; ! /opt/tickerdesk/releases/v1/deploy/upgrade")
    assert house.run("readlink /opt/tickerdesk/current").strip().endswith("/v1")
    try:
        for heading in handbook.LATER:
            house.run(first + handbook.lines()[heading], online=heading == handbook.LATER[0], seconds=1200)
    except AssertionError as wrong:
        raise AssertionError(house.run("journalctl -u 'tickerdesk-*' -n 60 -o cat --no-pager")) from wrong
    assert house.run("readlink /opt/tickerdesk/current").strip().endswith("/v2")
    house.run("/opt/tickerdesk/releases/v1/deploy/build", online=True, seconds=1200)
    house.run("/opt/tickerdesk/releases/v1/deploy/upgrade")
    assert house.run("readlink /opt/tickerdesk/current").strip().endswith("/v1")
    house.run("systemctl stop asked-0 asked-1 asked-2")
    answers = house.run("cat /root/asked").split()
    assert len(answers) > 50
    assert set(answers) == {"200"}, {status: answers.count(status) for status in set(answers)}
    assert settled(lambda: house.active() == set(SERVICES), 60)
    back = house.sql("select clock_timestamp()")
    assert settled(lambda: house.read_since(back), 90)


def test_bounds_hold(house: House) -> None:
    page = (handbook.ROOT / "docs/handbook.md").read_text()
    told = re.search(r"Together (\d+) connections", page)
    assert told
    used = int(house.sql("select count(*) from pg_stat_activity where usename = 'tickerdesk'"))
    assert 0 < used <= int(told[1])
    for one in SERVICES:
        shown = house.run(f"systemctl show tickerdesk-{one} -p MemoryCurrent -p MemoryMax --value").split()
        current, most = map(int, shown)
        assert current < 0.8 * most, (one, current, most)


def test_only_nginx_listens_outside(house: House) -> None:
    places = {line.split()[3] for line in house.run("ss -ltnH").splitlines()}
    assert {one for one in places if not one.startswith(("127.", "[::1]:"))} == {"0.0.0.0:80", "0.0.0.0:443"}


def test_secrets_are_roots_alone_and_in_no_log(house: House) -> None:
    assert house.run("stat -c '%U %a' /etc/tickerdesk/environment").split() == ["root", "600"]
    assert house.run("runuser -u www-data -- cat /etc/tickerdesk/environment 2>&1 || true").endswith("denied\n")
    text = house.run("cat /etc/tickerdesk/environment")
    secrets = re.findall(r"(?:KEY=|:)([0-9a-f]{48,})", text)
    assert len(secrets) == 4
    log = house.run("journalctl -u 'tickerdesk-*' -u nginx --no-pager -o cat; cat /var/log/nginx/*.log")
    assert [number for number, secret in enumerate(secrets) if secret in log] == []


def test_services_cannot_write_elsewhere(house: House) -> None:
    house.run("install -d -m 777 /srv/open; ! runuser -u tickerdesk -- touch /opt/tickerdesk/current/x 2> /dev/null")
    for one in SERVICES:
        pid = house.run(f"systemctl show tickerdesk-{one} -p MainPID --value").strip()
        within = f"nsenter --target {pid} --mount -- runuser -u tickerdesk --"
        told = house.run(f"{within} touch /srv/open/{one[:3]} 2>&1 || true")
        assert "Read-only file system" in told, (one, told)


def test_logs_are_json_with_request_ids(house: House) -> None:
    headers = house.run(
        f"curl -sS -o /dev/null -D - --cacert {AUTHORITY} -H 'X-Request-ID: asked-by-test' "
        f"'{URL}/api/v1/candidates/?market=de'"
    )
    told = re.findall(r"^x-request-id: (\w{32})\s", headers, re.MULTILINE | re.IGNORECASE)
    assert len(told) == 1
    assert settled(lambda: told[0] in house.run("tail -n 50 /var/log/nginx/tickerdesk.log"), 20)
    lines = house.run("journalctl -u 'tickerdesk-*' -o cat --no-pager").splitlines()
    parsed = [json.loads(line) for line in lines if line.startswith("{")]
    assert parsed and all({"event", "level", "timestamp"} <= set(one) for one in parsed)
    asked = [one for one in parsed if one.get("code") == 401 and one["event"] == "request_finished"]
    assert told[0] in {one["request_id"] for one in asked}
    assert "asked-by-test" not in {one["request_id"] for one in asked}
