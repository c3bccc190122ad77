"""An algorithm's updates, uncompiled until a process of its own has compiled them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.learner.algos.algorithm import Algorithm, Metrics
from steadyhand.learner.algos.batch import to_device
from steadyhand.learner.compile_ahead import CompileJob, write_job
from steadyhand.learner.compiled_update import CompilationError, CompiledUpdate
from steadyhand.policies.encoders.frames import FRAME_DTYPE
from steadyhand.policies.noise import Draw
from steadyhand.runtime.logging import get_logger

__all__ = ["CompiledSteps"]

FRAMES = "blocks have frames, which are not compiled; cache the features of a frozen encoder (policy.feature_cache)"

logger = get_logger("learner.compiled_steps")


class CompiledSteps:
    """Makes an algorithm's gradient steps; its updates are compiled ones as soon as they can be.

    What cannot be compiled is made by the algorithm itself, after one warning.

    Args:
        algo: Trained in place, on a CPU.
        encoder_weights: File of the policy's frozen encoder, if it needs one.
    """

    def __init__(self, algo: Algorithm[Any], encoder_weights: str | None = None) -> None:
        self._algo, self._encoder_weights = algo, encoder_weights
        self._is_off = False
        self._folder = tempfile.TemporaryDirectory(prefix="steadyhand-compile-")
        self._process: subprocess.Popen[bytes] | None = None
        self._draws: list[Draw] | None = None
        self._compiled: CompiledUpdate | None = None

    @property
    def is_compiled(self) -> bool:
        """True once updates are compiled."""
        return self._compiled is not None and not self._is_off

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.pretrain`; it is not compiled, since pretraining is over before the compiler is."""
        self._start_once(block)
        return self._algo.pretrain(block)

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.update`."""
        self._start_once(block)
        if self._is_off:
            return self._algo.update(block)
        if self._draws is None:
            with self._algo.noise.noted() as self._draws:
                return self._algo.update(block)
        if self._compiled is None and not self._take_up(self._draws):
            return self._algo.update(block)
        assert self._compiled is not None
        try:
            return self._compiled(block)
        except CompilationError as error:
            self._give_up(str(error))
            return self._algo.update(block)

    def close(self) -> None:
        """End the compiling process."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # the C++ compiler that it has started too
            self._process.wait()
        self._folder.cleanup()

    @property
    def _errors(self) -> Path:
        return Path(self._folder.name, "errors")

    def _start_once(self, block: Mapping[str, Any]) -> None:
        """Start to compile at the first block."""
        if self._process is not None or self._is_off:
            return
        if any(value.dtype == FRAME_DTYPE for value in to_device(block["observation"], self._algo.device).values()):
            self._give_up(FRAMES)
            return
        write_job(Path(self._folder.name), CompileJob.of(self._algo, self._encoder_weights), block)
        command = [sys.executable, "-m", "steadyhand.learner.compile_ahead", self._folder.name]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )

    def _take_up(self, draws: list[Draw]) -> bool:
        """Take up compiled updates if the process has ended well; returns whether it has."""
        assert self._process is not None
        status = self._process.poll()
        if status == 0:
            logger.info("updates are compiled from here on")
            self._compiled = CompiledUpdate(self._algo, draws)
        elif status is not None:
            lines = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            self._give_up(lines[-1] if lines else f"the compiling process ended with status {status}")
        return self._compiled is not None

    def _give_up(self, reason: str) -> None:
        self._is_off = True
        logger.warning("learner.compile=true: updates stay uncompiled: %s", reason)
