from dataclasses import replace

import pytest

from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

PIXELS = build(PolicyConfig, compose(["policy=pixels"])["policy"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"encoder": "vit"}, r"expected one of none, small_cnn, .*timm:<name>, found 'vit'"),
        ({"encoder": "keypoints", "feature_cache": 4}, "found 4 with encoder=keypoints"),
        ({"encoder": "resnet10", "feature_cache": -1}, "feature_cache"),
    ],
)
def test_what_cannot_be_is_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        replace(PIXELS, **changes)


def test_a_frozen_encoder_may_have_a_cache():
    assert replace(PIXELS, encoder="timm:resnet18", feature_cache=4).feature_cache == 4
