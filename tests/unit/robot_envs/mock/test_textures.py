import io

import numpy as np
from PIL import Image

from steadyhand.robot_envs.mock.textures import Texture, texture_files, textures_xml

GREY = Texture("board", np.arange(12, dtype=np.uint8).reshape(3, 4))


def test_a_texture_is_a_file_in_memory_and_a_material():
    files = texture_files([GREY])
    read = np.asarray(Image.open(io.BytesIO(files["board.png"])))
    assert np.array_equal(read, np.repeat(GREY.pixels[:, :, None], 3, axis=2))
    assert '<material name="board" texture="board"' in textures_xml([GREY])


def test_a_scene_without_textures_has_no_assets():
    assert textures_xml([]) == ""
    assert texture_files([]) == {}
