"""Graphics processors through NVML, the library that comes with NVIDIA's driver; none where it is missing."""

import ctypes
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from dlc.hwspec.detection.facts import Gpu
from dlc.hwspec.detection.files import number

_MAX_GPUS = 64
_TEXT = 96  # bytes of NVML's longest name
_SM_CLOCK, _MEMORY_CLOCK = 1, 2
# B/s of one lane in one direction, by generation of PCIe.
_LANE = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}
# Compute capabilities with half the rate of f32 at f64; others have a small fraction.
_FULL_F64 = {(6, 0), (7, 0), (8, 0), (9, 0), (10, 0)}

_MAX_LINKS = 36
# B/s of one NVLink in one direction, by NVML's number of the version: 1.0, 2.0, 2.2, 3.0, 3.1, 4.0, 5.0.
_NVLINK = {1: 20e9, **dict.fromkeys((2, 3, 4, 5, 6), 25e9), 7: 50e9}
_AT_CPU, _AT_SWITCH = 1, 2  # what NVLink leads to, other than a graphics processor


class Nvml(Protocol):
    """The C functions of NVML, each returning 0 when it has filled in what its pointers lead to."""

    def __getattr__(self, name: str, /) -> Callable[..., int]: ...


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class _Pci(ctypes.Structure):
    _fields_ = [
        ("legacy", ctypes.c_char * 16),
        *((name, ctypes.c_uint) for name in ("domain", "bus", "device", "id", "subsystem")),
        ("bus_id", ctypes.c_char * 32),
    ]


def library() -> Nvml | None:
    """NVML, if this machine has it."""
    try:
        return ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None


def gpus(root: Path, environment: Mapping[str, str], nvml: Nvml | None) -> tuple[Gpu, ...]:
    """The processors that this process may use, in the order of the driver."""
    if nvml is None or nvml.nvmlInit_v2():
        return ()
    try:
        count = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.pointer(count)):
            return ()
        handles = [_handle(nvml, index) for index in range(min(count.value, _MAX_GPUS))]
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        return tuple(
            _gpu(nvml, handle, root)
            for index, handle in enumerate(handles)
            if handle is not None and _is_visible(nvml, index, handle, visible)
        )
    finally:
        nvml.nvmlShutdown()


def _handle(nvml: Nvml, index: int) -> ctypes.c_void_p | None:
    handle = ctypes.c_void_p()
    return None if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.pointer(handle)) else handle


def _is_visible(nvml: Nvml, index: int, handle: ctypes.c_void_p, visible: str | None) -> bool:
    """NVML shows every processor, CUDA only those of the list: numbers, or beginnings of identifiers."""
    if visible is None:
        return True
    uuid = _text(nvml, "nvmlDeviceGetUUID", handle)
    names = [name.strip() for name in visible.split(",")]
    return any(name == str(index) or (name.startswith("GPU-") and uuid.startswith(name)) for name in names)


def _gpu(nvml: Nvml, handle: ctypes.c_void_p, root: Path) -> Gpu:
    memory, major, minor = _Memory(), ctypes.c_int(), ctypes.c_int()
    has_memory = _ask(nvml, "nvmlDeviceGetMemoryInfo", handle, ctypes.pointer(memory))
    clock = _number(nvml, "nvmlDeviceGetMaxClockInfo", handle, _SM_CLOCK) * 1e6
    # Memory moves data on both edges of its clock.
    width = 2 * _number(nvml, "nvmlDeviceGetMemoryBusWidth", handle) / 8
    # Every core can do a multiplication and an addition in a cycle.
    f32 = 2 * _number(nvml, "nvmlDeviceGetNumGpuCores", handle) * clock
    capability = ctypes.pointer(major), ctypes.pointer(minor)
    known = _ask(nvml, "nvmlDeviceGetCudaComputeCapability", handle, *capability)
    pci = _Pci()
    address = _address(pci) if _ask(nvml, "nvmlDeviceGetPciInfo_v3", handle, ctypes.pointer(pci)) else ""
    lane = _LANE.get(_number(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", handle), 0.0)
    return Gpu(
        name=_text(nvml, "nvmlDeviceGetName", handle),
        memory=int(memory.total) if has_memory else 0,
        bandwidth=_number(nvml, "nvmlDeviceGetMaxClockInfo", handle, _MEMORY_CLOCK) * 1e6 * width,
        clock=clock,
        f32=f32,
        f64=f32 / 2 if known and (major.value, minor.value) in _FULL_F64 else 0.0,
        link=lane * _number(nvml, "nvmlDeviceGetMaxPcieLinkWidth", handle),
        numa=_numa(address, root),
        bus=address,
        peers=tuple(_peers(nvml, handle).items()),
    )


def _ask(nvml: Nvml, name: str, *arguments: object) -> bool:
    """Whether a function, which older drivers may lack, has filled in its pointers."""
    function = getattr(nvml, name, None)
    return function is not None and function(*arguments) == 0


def _number(nvml: Nvml, name: str, handle: ctypes.c_void_p, *arguments: int) -> int:
    found = ctypes.c_uint()
    return found.value if _ask(nvml, name, handle, *arguments, ctypes.pointer(found)) else 0


def _text(nvml: Nvml, name: str, handle: ctypes.c_void_p) -> str:
    found = ctypes.create_string_buffer(_TEXT)
    return found.value.decode("utf-8", "replace") if _ask(nvml, name, handle, found, _TEXT) else ""


def _peers(nvml: Nvml, handle: ctypes.c_void_p) -> dict[str, float]:
    """What the links that are up lead to, and their rates together."""
    peers: dict[str, float] = {}
    active, version, kind, pci = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), _Pci()
    for link in range(_MAX_LINKS):
        if not _ask(nvml, "nvmlDeviceGetNvLinkState", handle, link, ctypes.pointer(active)):
            break
        rate = 0.0
        if active.value and _ask(nvml, "nvmlDeviceGetNvLinkVersion", handle, link, ctypes.pointer(version)):
            rate = _NVLINK.get(version.value, 0.0)
        if not rate:
            continue
        # Drivers that lack the question are as old as graphics processors without switches.
        known = _ask(nvml, "nvmlDeviceGetNvLinkRemoteDeviceType", handle, link, ctypes.pointer(kind))
        peer = {_AT_CPU: "cpu", _AT_SWITCH: "switch"}.get(kind.value, "") if known else ""
        if not peer and _ask(nvml, "nvmlDeviceGetNvLinkRemotePciInfo_v2", handle, link, ctypes.pointer(pci)):
            peer = _address(pci)
        if peer:
            peers[peer] = peers.get(peer, 0.0) + rate
    return peers


def _address(pci: _Pci) -> str:
    """The address as sysfs has it: NVML writes eight digits of the domain, sysfs four."""
    address = pci.bus_id.decode("ascii", "replace").lower()
    match = re.fullmatch(r"0{0,4}([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", address)
    return match[1] if match else ""


def _numa(address: str, root: Path) -> int:
    found = number(root / f"sys/bus/pci/devices/{address}/numa_node") if address else None
    return -1 if found is None else found
