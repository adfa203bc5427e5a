"""Generates the package `jobber` from ../../proto, next to what pip has installed. Run it once after `pip install`."""

import sysconfig
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
TARGET = sysconfig.get_paths()["purelib"]


def main() -> int:
    return protoc.main(
        [
            "protoc",
            f"-I{PROTO}",
            f"-I{WELL_KNOWN}",
            f"--python_out={TARGET}",
            f"--pyi_out={TARGET}",
            f"--grpc_python_out={TARGET}",
            "jobber/jobs/v1/jobs.proto",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
