"""A frozen convolutional network of timm, if timm is installed, with weights from a file."""

from __future__ import annotations

import re

from torch import Tensor

from steadyhand.policies.encoders.backbone import Backbone, EncoderError, read_weights

__all__ = ["TimmModel"]

NAME = re.compile(r"[A-Za-z0-9_.]+")  # a plain name: anything with a scheme would make timm fetch


class TimmModel(Backbone):
    """The last map of a convolutional network.

    Args:
        name: Name of the model, as timm lists it.
        weights: A safetensors file with its weights; those of its classifier are left out.

    Raises:
        EncoderError: The package timm is not installed or has no such network, or the file does not fit.
    """

    def __init__(self, name: str, weights: str | None) -> None:
        try:
            import timm  # an optional extra, and slow to import
        except ImportError:
            raise EncoderError(f"policy.encoder=timm:{name} needs timm; pip install timm") from None
        if not NAME.fullmatch(name) or not timm.is_model(name.partition(".")[0]):
            raise EncoderError(f"policy.encoder=timm:{name}: expected a name of timm.list_models(), found another")
        model = timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
        super().__init__(model.pretrained_cfg["mean"], model.pretrained_cfg["std"])
        self.model = model.eval()
        tensors, classifier = read_weights(f"timm:{name}", weights), model.pretrained_cfg["classifier"]
        differing = sorted(
            one for one in tensors.keys() ^ model.state_dict().keys() if not one.startswith(f"{classifier}.")
        )
        if differing:
            raise EncoderError(f"{weights}: expected the weights of timm:{name}, {differing[:3]} do not fit")
        try:
            model.load_state_dict(tensors, strict=False)
        except RuntimeError as error:
            raise EncoderError(f"{weights}: expected the weights of timm:{name}, found others ({error})") from None
        self.seal()

    def maps(self, images: Tensor) -> Tensor:
        """Turn scaled images (N, 3, height, width) into maps (N, C, h, w)."""
        maps: Tensor = self.model.forward_features(images)
        if maps.ndim != 4:
            raise EncoderError(f"policy.encoder: expected a network with maps (N, C, h, w), found {tuple(maps.shape)}")
        return maps
