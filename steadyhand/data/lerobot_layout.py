"""Features of a LeRobotDataset v3.0, and the columns of an episode.

Names are those of huggingface/lerobot, `src/lerobot/utils/constants.py`; the features of a frame those of
`src/lerobot/datasets/feature_utils.py` and `video_utils.py` (`get_video_info`).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steadyhand.data.lerobot_reader import DONE, REWARD, SUCCESS, TRUNCATED
from steadyhand.data.outgoing import Outgoing, OutgoingEpisode
from steadyhand.transport.demo_set import DemoSetError

__all__ = ["LeRobotLayout", "png_bytes"]

STATE, PRIVILEGED, IMAGES = "observation.state", "observation.environment_state", "observation.images."
ACTION, INTERVENTION = "action", "complementary_info.is_intervention"


class LeRobotLayout:
    """The features of the data set, and how an episode fills them."""

    def __init__(self, outgoing: Outgoing, lossless: bool) -> None:
        schema = outgoing.schema
        self.outgoing, self.lossless = outgoing, lossless
        self.fps = max(round(1.0 / schema.control_period_s), 1)
        fields = {outgoing.names[one.name]: one for one in schema.observation}
        self.views = {IMAGES + name: name for name, one in fields.items() if one.is_image}
        vectors = [name for name, one in fields.items() if not one.is_image]
        # A policy that is trained elsewhere must not read what a real cell does not measure.
        hidden = [name for name in vectors if fields[name].privileged]
        self.vectors = {STATE: [name for name in vectors if name not in hidden], PRIVILEGED: hidden}
        self.vectors = {key: names for key, names in self.vectors.items() if names}
        self.fields = fields
        if not lossless:
            for name in self.views.values():
                height, width = fields[name].shape[:2]
                if height % 2 or width % 2:
                    raise DemoSetError(
                        f"{name}: expected pictures of an even size for a video, found {width} x {height}; "
                        "give --frames png"
                    )

    def features(self) -> dict[str, Any]:
        """Return the features of `meta/info.json`."""
        found: dict[str, Any] = {}
        for key, names in self.vectors.items():
            elements = [f"{name}.{index}" for name in names for index in range(self.fields[name].shape[0])]
            found[key] = {"dtype": "float32", "shape": [len(elements)], "names": elements}
        axes = self.outgoing.schema.action.shape[0]
        found[ACTION] = {"dtype": "float32", "shape": [axes], "names": [f"action.{index}" for index in range(axes)]}
        for key, name in self.views.items():
            shape = self.fields[name].shape
            found[key] = {"dtype": "image", "shape": list(shape), "names": ["height", "width", "channels"]}
            if not self.lossless:
                facts = {"height": shape[0], "width": shape[1], "codec": "h264", "pix_fmt": "yuv420p", "fps": self.fps}
                info = {f"video.{name}": value for name, value in facts.items()}
                found[key] |= {
                    "dtype": "video",
                    "info": info | {"video.channels": 3, "is_depth_map": False, "has_audio": False},
                }
        for key, kind in ((REWARD, "float32"), (DONE, "bool"), (TRUNCATED, "bool"), (SUCCESS, "bool")):
            found[key] = {"dtype": kind, "shape": [1], "names": None}
        found[INTERVENTION] = {"dtype": "bool", "shape": [1], "names": None}
        for key, kind in (("timestamp", "float32"), ("frame_index", "int64"), ("episode_index", "int64")):
            found[key] = {"dtype": kind, "shape": [1], "names": None}
        return found | {key: {"dtype": "int64", "shape": [1], "names": None} for key in ("index", "task_index")}

    def columns(self, episode: OutgoingEpisode) -> dict[str, NDArray[Any]]:
        """Return the columns of numbers of T frames."""
        steps = len(episode)
        at_end = np.arange(steps) == steps - 1
        found = {key: self._joined(episode, names)[:steps] for key, names in self.vectors.items()}
        return found | {
            ACTION: episode.actions,
            REWARD: episode.rewards,
            DONE: episode.terminated | episode.truncated,
            TRUNCATED: episode.truncated,
            SUCCESS: at_end & episode.success,
            INTERVENTION: episode.interventions,
        }

    def pictures(self, episode: OutgoingEpisode) -> dict[str, NDArray[np.uint8]]:
        """Return the pictures of T frames, by feature."""
        return {key: episode.observations[name][: len(episode)] for key, name in self.views.items()}

    def final(self, episode: OutgoingEpisode) -> dict[str, Any]:
        """Return the observation after the last step: lists of numbers, and PNG bytes."""
        found: dict[str, Any] = {key: self._joined(episode, names)[-1].tolist() for key, names in self.vectors.items()}
        return found | {key: png_bytes(episode.observations[name][-1]) for key, name in self.views.items()}

    def _joined(self, episode: OutgoingEpisode, names: list[str]) -> NDArray[np.float32]:
        return np.concatenate([episode.observations[name] for name in names], axis=1)


def png_bytes(frame: NDArray[np.uint8]) -> bytes:
    """Return a frame (h, w, 3) as PNG, which loses nothing."""
    out = io.BytesIO()
    Image.fromarray(frame).save(out, format="PNG")
    return out.getvalue()
