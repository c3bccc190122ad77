import io

import numpy as np
from PIL import Image

from steadyhand.actor.web.pictures import Pictures


def observation(value):
    return {"side": np.full((8, 12, 3), value, np.uint8), "force": np.zeros(6, np.float32)}


def test_only_images_are_views_and_each_is_encoded_once():
    pictures = Pictures(90)
    assert (pictures.number, pictures.names(), pictures.encode()) == (0, (), {})
    pictures.put(observation(200), 5)
    assert pictures.names() == ("side",)
    first = pictures.encode()["side"]
    assert pictures.encode()["side"] is first
    assert (first.number, first.taken_ns) == (1, 5)
    image = np.asarray(Image.open(io.BytesIO(first.jpeg)))
    assert image.shape == (8, 12, 3)
    assert abs(int(image[0, 0, 0]) - 200) < 3


def test_the_newest_observation_replaces_the_rest():
    pictures = Pictures(90)
    for number in range(3):
        pictures.put(observation(number), number)
    assert pictures.encode()["side"].number == 3
