"""A machine of an Auto Scaling group, for tests: what EC2 tells it about itself, and Auto Scaling that it speaks to.

moto knows groups and instances but not how a lifecycle action ends, so the two calls about that are answered here,
after moto has said that such a hook and such an instance are there.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.aws.server import CREDENTIALS, REGION, client

TOKEN = "a-token-of-the-tests"
GROUP = "convoscope-workers"
HOOK = "convoscope-finish"


@dataclass
class Machine:
    """``state`` is the lifecycle state that EC2 says, ``spot`` its notice; ``calls`` are those about the hook."""

    moto: str
    instance: str
    url: str = ""
    state: str = "InService"
    spot: str = ""
    away: bool = False
    refuses: str = ""
    calls: list[dict[str, str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process of this machine ask here and nowhere else."""
        return {
            **CREDENTIALS,
            "AWS_EC2_METADATA_DISABLED": "",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url,
            "AWS_ENDPOINT_URL_AUTO_SCALING": self.url,
            "TERMINATION_HOOK": HOOK,
        }

    def actions(self) -> list[str]:
        return [call["Action"] for call in self.calls]

    def describe(self, path: str) -> str | None:
        if path == "spot/instance-action":
            return json.dumps({"action": self.spot, "time": "2026-11-22T09:00:00Z"}) if self.spot else None
        return {
            "autoscaling/target-lifecycle-state": self.state,
            "instance-id": self.instance,
            "placement/region": REGION,
        }.get(path)

    def scale(self, form: dict[str, str]) -> tuple[int, str]:
        self.calls.append(form)
        if self.refuses:
            return 400, _error(self.refuses)
        hooks = client("autoscaling", self.moto).describe_lifecycle_hooks(
            AutoScalingGroupName=form["AutoScalingGroupName"], LifecycleHookNames=[form["LifecycleHookName"]]
        )["LifecycleHooks"]
        ended = self.actions()[:-1].count("CompleteLifecycleAction")
        if not hooks or form["InstanceId"] != self.instance or ended or self.state != "Terminated":
            return 400, _error("No active Lifecycle Action found with instance ID")
        return 200, f"<{form['Action']}Response><{form['Action']}Result/></{form['Action']}Response>"


def _error(message: str) -> str:
    return (
        "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
        f"<Message>{message}</Message></Error></ErrorResponse>"
    )


@contextmanager
def running_machine(moto: str) -> Iterator[Machine]:
    """A machine in a group with the hook, on a moto server that others may use as well."""
    scaling = client("autoscaling", moto)
    if not scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]:
        scaling.create_launch_configuration(
            LaunchConfigurationName=GROUP, ImageId="ami-12345678", InstanceType="t3.medium"
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchConfigurationName=GROUP,
            MinSize=1,
            MaxSize=2,
            DesiredCapacity=1,
            AvailabilityZones=[f"{REGION}a"],
        )
        scaling.put_lifecycle_hook(
            AutoScalingGroupName=GROUP,
            LifecycleHookName=HOOK,
            LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        )
    instance = scaling.describe_auto_scaling_instances()["AutoScalingInstances"][0]["InstanceId"]
    machine = Machine(moto, instance)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            wanted = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self._say(*((200, TOKEN) if wanted else (400, "")))

        def do_GET(self) -> None:
            if self.headers["X-aws-ec2-metadata-token"] != TOKEN:
                return self._say(401, "")
            found = machine.describe(self.path.removeprefix("/latest/meta-data/"))
            return self._say(200, found) if found is not None else self._say(404, "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = dict(parse_qsl(body.decode()))
            if form["Action"] in ("CompleteLifecycleAction", "RecordLifecycleActionHeartbeat"):
                return self._say(*machine.scale(form))
            headers: Any = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            request = urllib.request.Request(moto + self.path, body, headers)
            with urllib.request.urlopen(request, timeout=10) as response:
                return self._say(response.status, response.read().decode())

        def _say(self, status: int, text: str) -> None:
            if machine.away:
                self.close_connection = True
                return
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Nothing: tests look at ``calls``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    machine.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield machine
    finally:
        server.shutdown()
        server.server_close()
