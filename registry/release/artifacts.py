"""What a release consists of, in one folder: the same bytes from the same commit, for everybody."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from registry.release.manual import write_share
from registry.release.source import Source
from registry.release.version import read_version

_PROJECT: Final = "ebox-message-registry"
# What pages in the wheel bring along: of the npm registry, and so in no lock file.
_IN_THE_WHEEL: Final = {"swagger-ui-dist": "5.35.0", "@noble/ed25519": "3.2.0"}


def make_artifacts(checkout: Path, folder: Path, epoch: int) -> list[Path]:
    """Make all files of a release in a folder, which is emptied; `epoch` is the time they bear.

    Only what git knows of gets into them, as it is now. Gives their paths.
    """
    version, instant = read_version(checkout), datetime.fromtimestamp(epoch, UTC)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as temporary:
        source = Source(Path(temporary), checkout / ".cache" / "uv" / "bin" / "uv")
        source.copy(checkout)
        requirements = source.export("requirements-txt", "--no-emit-workspace", "--no-header")
        bill = source.export("cyclonedx1.5")
        write_share(source.made / "share", version, f"{instant:%Y-%m-%d}")
        (source.made / "constraints.txt").write_text(_write_advice(version) + requirements)
        source.build(folder, epoch)
    constraints = _write_advice(version) + requirements + _pin_ours(folder, version)
    (folder / "constraints.txt").write_text(constraints)
    (folder / f"{_PROJECT}-{version}.cdx.json").write_text(_date_bill(bill, version, instant))
    _write_sums(folder)
    return sorted(folder.iterdir())


def _write_advice(version: str) -> str:
    return (
        "# Every version that was tested, with its hashes, from the project's lock file. With the\n"
        "# wheel beside it, and pip 26.1 or newer, which compares hashes of constraints:\n"
        f"# pip install -c constraints.txt --find-links . '{_PROJECT}[server]=={version}'\n"
    )


def _pin_ours(folder: Path, version: str) -> str:
    """Pin our own wheel and sdist: where one has a hash, pip wants them of all."""
    files = sorted(folder.glob("*.whl")) + sorted(folder.glob("*.tar.gz"))
    hashes = [f"    --hash=sha256:{compute_sum(path)}" for path in files]
    return " \\\n".join([f"{_PROJECT}=={version}", *hashes]) + "\n"


def _date_bill(text: str, version: str, instant: datetime) -> str:
    """Have the bill of materials name this release, and nothing that differs from run to run."""
    bill = json.loads(text)
    name = f"pkg:pypi/{_PROJECT}@{version}"
    bill["serialNumber"] = uuid5(NAMESPACE_URL, name).urn
    bill["metadata"]["timestamp"] = instant.isoformat()
    bill["metadata"]["component"] |= {"version": version, "purl": name}
    bill["components"] += [
        {
            "type": "library",
            "name": library,
            "version": number,
            "purl": f"pkg:npm/{quote(library)}@{number}",
        }
        for library, number in _IN_THE_WHEEL.items()
    ]
    return json.dumps(bill, indent=2) + "\n"


def _write_sums(folder: Path) -> None:
    """Write SHA256SUMS, for `sha256sum --check`."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = [f"{compute_sum(path)}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines))


def compute_sum(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
