"""Cache of a frozen encoder's features of recorded frames, computed once for a few shifted views of each frame."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from steadyhand.learner.replay.feature_file import FeatureFile
from steadyhand.policies import Backbone, InputSpec
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import OBSERVATION

__all__ = ["FeatureCache", "slot_dtype", "views_kept"]

logger = get_logger("learner.features")


def views_kept(views: int, shift: int) -> int:
    """Return the number of distinct `views`: without a shift all of them are the same."""
    return views if shift else 1


def slot_dtype(map_shapes: Mapping[str, tuple[int, ...]], views: int) -> np.dtype[Any]:
    """Return the dtype of one record's slot: a checksum, and `views` maps of each of these shapes by camera."""
    return np.dtype([("crc", "<u4"), *((key, "<f2", (views, *shape)) for key, shape in map_shapes.items())])


class FeatureCache:
    """Maps of K views of every frame, so that an update has no pass through the encoder in it.

    The shift of a view follows from session, episode, camera and view alone, and a record's views always go through the
    encoder together. The gathered maps thus do not depend on the thread or the time of the encoding. All frames of an
    episode move together in one view, as the frames of one decision must.

    Args:
        folder: Folder with one file per session, of this encoder and these views.
        backbone: The frozen encoder.
        inputs: The policy's inputs; the frames among them are encoded.
        views: K; with a shift of 0 there is only one.
        shift: Largest shift of a view in pixels (DrQ).
    """

    def __init__(self, folder: Path, backbone: Backbone, inputs: Sequence[InputSpec], views: int, shift: int) -> None:
        self.views = views_kept(views, shift)
        self._backbone, self._shift = backbone, shift
        self._frames = [item for item in inputs if item.is_frame]
        self.shapes = {item.key: backbone.map_shape(item.shape) for item in self._frames}
        self._dtype = slot_dtype(self.shapes, self.views)
        key = f"{backbone.hash}/{self.views}/{shift}/{[(item.key, item.shape) for item in self._frames]}"
        self._folder = folder / hashlib.sha256(key.encode()).hexdigest()[:16]
        self._files: dict[str, FeatureFile] = {}
        self._lock = threading.Lock()  # of the files' list
        self._full = False

    def gather(
        self, reader: LogReader, rows: NDArray[np.int64], seqs: NDArray[np.int64], views: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float16]]:
        """Return the maps (n, C, h, w) of every camera; encode those that are not cached yet.

        Args:
            reader: Reader of the log.
            rows: Rows (n,) of its records.
            seqs: Their numbers (n,).
            views: Index of the view of each (n,).
        """
        file = self._file(reader.session_id)
        there = file.has(seqs)
        maps = {key: np.empty((len(rows), *shape), np.float16) for key, shape in self.shapes.items()}
        for key, out in maps.items():
            out[there] = file.read(key, seqs[there], views[there])
        missing = np.flatnonzero(~there)
        for row in np.unique(rows[missing]):
            slot = self.encode(reader, int(row))
            places = missing[rows[missing] == row]
            for key, out in maps.items():
                out[places] = slot[key][views[places]]
        return maps

    def claims(self, session_id: str, seq: int) -> bool:
        """Return whether a record seems to have been encoded before; its checksum is not checked."""
        return self._file(session_id).claims(seq)

    def encode(self, reader: LogReader, row: int) -> NDArray[Any]:
        """Encode one record and cache it; return its slot (), whose field of a camera is (K, C, h, w) float16.

        A full disk stops nothing: features that cannot be stored are encoded again when needed.
        """
        rows = np.array([row])
        slot = np.zeros((), self._dtype)
        session_id, episode = reader.session_id, int(reader.gather(rows, "episode_id")[0])
        for item in self._frames:
            frame = reader.gather(rows, OBSERVATION + item.key)[0]
            views = np.stack([self._view(frame, f"{session_id}/{episode}/{item.key}/{k}") for k in range(self.views)])
            device = self._backbone.mean.device
            slot[item.key] = self._backbone(torch.from_numpy(views)[:, None].to(device))[:, 0].half().cpu().numpy()
        try:
            self._file(session_id).write(int(reader.gather(rows, "seq")[0]), slot)
        except OSError as error:
            if not self._full:
                logger.error("%s: features cannot be kept (%s); training goes on, slower", self._folder, error)
            self._full = True
        return slot

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.popitem()[1].close()

    def _view(self, frame: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
        """Shift a frame (height, width, 3) by the amount that the view's name determines, repeating the border."""
        if not self._shift:
            return frame
        digest, places = hashlib.sha256(name.encode()).digest(), 2 * self._shift + 1
        down, right = (int.from_bytes(digest[at : at + 8], "little") % places for at in (0, 8))
        padded = np.pad(frame, ((self._shift, self._shift), (self._shift, self._shift), (0, 0)), "edge")
        return padded[down : down + frame.shape[0], right : right + frame.shape[1]]

    def _file(self, session_id: str) -> FeatureFile:
        with self._lock:
            if session_id not in self._files:
                self._files[session_id] = FeatureFile(self._folder / f"{session_id}.bin", self._dtype)
            return self._files[session_id]
