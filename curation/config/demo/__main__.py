"""`python -m curation.config.demo`: Tickerdesk with all it needs, until Ctrl+C. `make demo` calls it."""

import errno
import os
import subprocess
import sys
import time

from curation.config.demo.console import Console
from curation.config.demo.greeting import greeting
from curation.config.demo.options import ROOT, Options, check_machine, claim, disk, read_options
from curation.config.demo.ports import HOST, remembered_ports
from curation.config.demo.program import Program
from curation.config.demo.programs import answer, environment, processes, python, simulator, write_environment
from curation.config.demo.servers import postgres_program, redis_program
from curation.config.demo.static import collected, static_stamp
from curation.config.demo.supervisor import Supervisor
from curation.config.demo.trouble import Ended, Trouble


class Demo:
    """One start of the demo: its servers, what they need, Tickerdesk's processes, and the greeting."""

    def __init__(self, options: Options, supervisor: Supervisor) -> None:
        self.options = options
        self.supervisor = supervisor
        self.ports = remembered_ports(options.folder / "ports.json", ("postgres", "redis", "events", "simulator"))
        self.phases: list[tuple[str, float]] = [("", time.monotonic())]

    def phase(self, name: str) -> None:
        self.phases.append((name, time.monotonic()))

    def took(self) -> str:
        """How long the phases took, for the eye: `servers 0.9 s, tables 2.1 s`."""
        pairs = zip(self.phases, self.phases[1:], strict=False)
        return ", ".join(f"{name} {until - since:.1f} s" for (_, since), (name, until) in pairs)

    def start(self) -> None:
        shared = environment(self.options, self.ports, self.start_servers())
        self.check_settings(shared)
        write_environment(self.options.folder, shared)
        if self.options.own_x:
            x = simulator(self.options.folder, self.ports["simulator"], shared)
            self.supervisor.start(x)
        self.prepare(shared)
        if self.options.own_x:
            self.supervisor.wait(x.ready, "The simulated X", 60)
        for program in processes(self.options, self.ports, shared):
            self.supervisor.start(program)
        self.wait_for_web()
        self.supervisor.console.write(greeting(self.options, self.took()))

    def start_servers(self) -> dict[str, str]:
        """Addresses of the servers; those not given from outside are started."""
        folder, urls = self.options.folder, dict(self.options.given)
        started: list[Program] = []
        if "DATABASE_URL" not in urls:
            started.append(postgres_program(folder / "postgres", self.ports["postgres"]))
            urls["DATABASE_URL"] = started[-1].url
        if "REDIS_URL" not in urls:
            started.append(redis_program(folder / "redis", self.ports["redis"]))
            urls["REDIS_URL"] = started[-1].url
        urls.setdefault("CELERY_BROKER_URL", urls["REDIS_URL"])
        for program in started:
            self.supervisor.start(program)
        for program in started:
            self.supervisor.wait(program.ready, program.name, 60)
        self.phase("servers")
        return urls

    def check_settings(self, shared: dict[str, str]) -> None:
        """A bad variable is told in its one sentence, before anything else starts."""
        command = [sys.executable, "-c", "import curation.config.settings"]
        told = subprocess.run(command, cwd=ROOT, env=shared, capture_output=True, text=True, check=False)
        if told.returncode:
            raise Trouble(told.stderr.strip().splitlines()[-1].split(": ", 1)[-1])

    def prepare(self, shared: dict[str, str]) -> None:
        more = ["demo_sources"] if self.options.own_x else []
        credentials = str(self.options.folder / "credentials.json")
        steps = [python("prepare", shared, "-m", "curation.config.demo.prepare", credentials, *more)]
        stamp = static_stamp()
        if not collected(self.options.folder, stamp):
            self.supervisor.console.say("preparing tables, people and static files; this is done once")
            steps.append(python("static", shared, "-m", "curation.config.demo.static"))
        self.supervisor.run(*steps)
        (self.options.folder / "static.stamp").write_text(stamp)
        self.phase("tables and people")

    def wait_for_web(self) -> None:
        url = f"http://{HOST}:{self.options.port}/readyz"
        said = (0, "")

        def ready() -> bool:
            nonlocal said
            said = answer(url)
            return said[0] == 200

        try:
            self.supervisor.wait(ready, "Tickerdesk", 180)
        except Trouble as trouble:
            raise Trouble(f"{trouble} The last answer of {url} was: {said[0]} {said[1][:300]}") from None
        self.phase("processes")


def main() -> None:
    os.umask(0o077)  # logs, tokens and passwords are nobody else's
    options = read_options(os.environ)
    lock = claim(options)
    check_machine(options)
    console = Console(folder=options.folder / "log")
    try:
        (options.folder / "log").mkdir(exist_ok=True)
        with lock, Supervisor(console) as supervisor:
            try:
                Demo(options, supervisor).start()
                supervisor.watch()
            except Ended:
                console.say("ending; Ctrl+C again kills at once")
                ended = time.monotonic()
        console.say(f"ended in {time.monotonic() - ended:.1f} s")
    except Ended:
        pass
    except PermissionError as error:
        raise Trouble(f"{error.filename} belongs to another user: set DEMO_DIR to another folder.") from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Trouble(f"{disk(options.folder)}: free some and start again.") from error


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"The demo cannot run. {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
