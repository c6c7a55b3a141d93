"""NVIDIA's management library as its C functions look through ctypes, for processors that are not there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_UNSUPPORTED = 3


@dataclass(frozen=True)
class FakeGpu:
    name: str = "NVIDIA H200"
    uuid: str = "GPU-0"
    bus_id: str = "00000000:18:00.0"
    memory: int = 141 * 10**9
    cores: int | None = 16896
    sm_clock: int = 1980
    memory_clock: int = 3201
    bus_width: int = 6144
    capability: tuple[int, int] = (9, 0)
    pcie: tuple[int, int] = (5, 16)
    links: tuple[tuple[int, str], ...] = ()
    """Version and far end of each NVLink: a bus address, "switch", "cpu", or "" for one that is down."""


class FakeNvml:
    """Handles are indices; a figure that is None is one that the driver does not support."""

    def __init__(self, *gpus: FakeGpu, starts: bool = True) -> None:
        self.gpus, self.starts, self.is_open = gpus, starts, False

    def __getattr__(self, name: str) -> Callable[..., int]:
        figures: dict[str, Callable[[FakeGpu], int | None]] = {
            "nvmlDeviceGetMemoryBusWidth": lambda gpu: gpu.bus_width,
            "nvmlDeviceGetNumGpuCores": lambda gpu: gpu.cores,
            "nvmlDeviceGetMaxPcieLinkGeneration": lambda gpu: gpu.pcie[0],
            "nvmlDeviceGetMaxPcieLinkWidth": lambda gpu: gpu.pcie[1],
        }
        if name not in figures:
            raise AttributeError(name)  # as ctypes does for a function that the library lacks

        def ask(handle: Any, out: Any) -> int:
            figure = figures[name](self._of(handle))
            if figure is None:
                return _UNSUPPORTED
            out.contents.value = figure
            return 0

        return ask

    def _of(self, handle: Any) -> FakeGpu:
        assert self.is_open
        return self.gpus[(handle.value or 0) - 1]

    def nvmlInit_v2(self) -> int:  # noqa: N802
        self.is_open = self.starts
        return 0 if self.starts else 9

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.is_open = False
        return 0

    def nvmlDeviceGetCount_v2(self, out: Any) -> int:  # noqa: N802
        out.contents.value = len(self.gpus)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, out: Any) -> int:  # noqa: N802
        out.contents.value = index + 1
        return 0

    def nvmlDeviceGetName(self, handle: Any, out: Any, length: int) -> int:  # noqa: N802
        out.value = self._of(handle).name.encode()[: length - 1]
        return 0

    def nvmlDeviceGetUUID(self, handle: Any, out: Any, length: int) -> int:  # noqa: N802
        out.value = self._of(handle).uuid.encode()[: length - 1]
        return 0

    def nvmlDeviceGetMemoryInfo(self, handle: Any, out: Any) -> int:  # noqa: N802
        out.contents.total = self._of(handle).memory
        return 0

    def nvmlDeviceGetMaxClockInfo(self, handle: Any, kind: int, out: Any) -> int:  # noqa: N802
        gpu = self._of(handle)
        out.contents.value = {1: gpu.sm_clock, 2: gpu.memory_clock}[kind]
        return 0

    def nvmlDeviceGetCudaComputeCapability(self, handle: Any, major: Any, minor: Any) -> int:  # noqa: N802
        major.contents.value, minor.contents.value = self._of(handle).capability
        return 0

    def nvmlDeviceGetPciInfo_v3(self, handle: Any, out: Any) -> int:  # noqa: N802
        out.contents.bus_id = self._of(handle).bus_id.encode()
        return 0

    def nvmlDeviceGetNvLinkState(self, handle: Any, link: int, out: Any) -> int:  # noqa: N802
        links = self._of(handle).links
        if link >= len(links):
            return _UNSUPPORTED
        out.contents.value = bool(links[link][1])
        return 0

    def nvmlDeviceGetNvLinkVersion(self, handle: Any, link: int, out: Any) -> int:  # noqa: N802
        out.contents.value = self._of(handle).links[link][0]
        return 0

    def nvmlDeviceGetNvLinkRemoteDeviceType(self, handle: Any, link: int, out: Any) -> int:  # noqa: N802
        out.contents.value = {"cpu": 1, "switch": 2}.get(self._of(handle).links[link][1], 0)
        return 0

    def nvmlDeviceGetNvLinkRemotePciInfo_v2(self, handle: Any, link: int, out: Any) -> int:  # noqa: N802
        out.contents.bus_id = self._of(handle).links[link][1].encode()
        return 0
