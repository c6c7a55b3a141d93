"""The XLA device of this process: it compiles StableHLO once, and takes arrays without a copy where it can.

On CPU it is a client of dlc's own with one thread, whatever JAX may be set up to do: the bits of a matrix
product depend on the number of threads, and ranks would take each other's cores. It computes in the calling
thread. Elsewhere it is the accelerator that JAX finds.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from dlc.diagnostics import DlcError
from dlc.runtime.kernels.xla_cache import Cache
from dlc.runtime.tensors import Array

# Without types, and without a trace for tools: what this module takes from them is small and stands below.
_PACKAGES = ("jax", "jax.extend.backend", "jaxlib.xla_client", "jaxlib._jax", "jaxlib._hlo")
_lock = threading.Lock()
_devices: list["Device"] = []


def device() -> "Device":
    """The device, set up at the first call. Raises DLC702 without JAX."""
    with _lock:
        if not _devices:
            _devices.append(Device())
        return _devices[0]


class Module:
    """A compiled module; `shapes` and `dtypes` describe its results."""

    def __init__(self, loaded: Any, owner: "Device") -> None:
        self._execute = loaded.execute_sharded
        self._put, self._held = owner.put, owner.array_type
        proto = loaded.hlo_modules()[0].as_serialized_hlo_module_proto()
        result = owner.computation(proto).program_shape().result_shape()
        parts = result.tuple_shapes() if result.is_tuple() else [result]
        self.shapes: list[tuple[int, ...]] = [tuple(part.dimensions()) for part in parts]
        self.dtypes: list[np.dtype[Any]] = [np.dtype(part.numpy_dtype()) for part in parts]
        self._handlers = [owner.result_handler(*of) for of in zip(self.shapes, self.dtypes, strict=True)]

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """The results as arrays of the device."""
        put, held = self._put, self._held
        found = self._execute([value if type(value) is held else put(value) for value in arguments])
        return found.consume_with_handlers(self._handlers)


class Device:
    """Compiles modules for one XLA device and brings arrays to it; `loaded` did not need to be compiled."""

    def __init__(self) -> None:
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # ranks may share an accelerator
        try:
            jax, backend, xla_client, internals, hlo = map(import_module, _PACKAGES)
        except ImportError as error:
            raise DlcError(
                "DLC702", f"tensors need JAX: {error}", help="install it, for instance with `pip install jax`"
            ) from error
        self._client = _client(backend, xla_client)
        devices = self._client.local_devices()
        chosen = devices[int(os.environ.get("DLC_DEVICE", "0")) % len(devices)]
        self._device = chosen
        self._devices = internals.DeviceList((chosen,))
        self._options = _options(xla_client, self._client.platform)
        self._sharding = jax.sharding.SingleDeviceSharding(chosen)
        self._shaped = jax.core.ShapedArray
        self._batched_put = internals.batched_device_put
        self._handler = internals.array_result_handler
        self._semantics = internals.HostBufferSemantics.ZERO_COPY
        self._failure: type[Exception] = jax.errors.JaxRuntimeError
        self._avals: dict[tuple[tuple[int, ...], np.dtype[Any]], Any] = {}
        self._modules: dict[str, Module] = {}
        self.loaded: set[str] = set()
        self._compiling = threading.Lock()
        self._cache = Cache(f"{jax.lib.__version__} {self._client.platform} {chosen.device_kind}")
        self.array_type: type = xla_client.ArrayImpl
        self.computation = hlo.XlaComputation

    def put(self, value: Any) -> Any:
        """An array or an integer on the device. Its memory is shared if it is aligned: it must not change."""
        array: Array = np.asarray(value, np.int32 if isinstance(value, int) else None, order="C")
        key = (array.shape, array.dtype)
        aval = self._avals.get(key)
        if aval is None:
            aval = self._avals[key] = self._shaped(*key)
        return self._batched_put(
            aval, self._sharding, [array], [self._device], True, False, self._semantics, True
        )

    def result_handler(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """What makes an array of one result of a module."""
        return self._handler(self._shaped(shape, dtype), self._sharding, True, True)

    def compile(self, text: str) -> Module:
        """The module, compiled unless this process or an earlier one has. Raises DLC501."""
        with self._compiling:
            module = self._modules.get(text)
            if module is None:
                module = self._modules[text] = Module(self._load(text), self)
            return module

    def _load(self, text: str) -> Any:
        kept = self._cache.get(text)
        if kept is not None:
            with suppress(self._failure):  # an entry that this jaxlib cannot read is as good as none
                found = self._client.deserialize_executable(kept, self._devices, self._options)
                self.loaded.add(text)
                return found
        try:
            loaded = self._client.compile_and_load(text, self._devices, self._options)
        except self._failure as error:
            raise DlcError(
                "DLC501",
                f"XLA cannot compile a kernel of the plan: {str(error).splitlines()[0][:300]}",
                help="compile the program again; if that does not help, please report this",
            ) from error
        with suppress(self._failure):  # not every platform can
            self._cache.put(text, loaded.serialize())
        return loaded


def _client(backend: Any, xla_client: Any) -> Any:
    found = backend.get_backend()
    if found.platform != "cpu":
        return found
    threads = os.environ.get("NPROC")
    os.environ["NPROC"] = "1"  # read by the client once, when it sets up its pool
    try:
        return xla_client.make_cpu_client(asynchronous=False)
    finally:
        if threads is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = threads


def _options(xla_client: Any, platform: str) -> Any:
    options = xla_client.CompileOptions()
    if platform != "cpu":
        # Ranks that time kernels would choose differently, and atomics add in any order.
        options.env_option_overrides = [
            ("xla_gpu_exclude_nondeterministic_ops", True),
            ("xla_gpu_autotune_level", 0),
        ]
    return options
