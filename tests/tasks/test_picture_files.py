"""A folder of the user's own images: how it is split, scaled and refused."""

import os

import numpy as np
import pytest

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.tasks.harlow import picture_files
from kerasmeta.tasks.harlow.episodic_visual import EpisodicVisualHarlow
from kerasmeta.tasks.harlow.visual import VisualHarlow
from kerasmeta.tasks.play import play


def write(path, pixels):
    encode = tf.io.encode_jpeg if path.suffix == ".jpg" else tf.io.encode_png
    path.write_bytes(encode(tf.constant(pixels, tf.uint8)).numpy())


def flat(level, height=20, width=20):
    return np.full([height, width, 3], level, np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Seven images in the order of their names; level 10 n + 10 in the n-th."""
    for n in range(7):
        write(tmp_path / f"image_{n}.png", flat(10 * n + 10))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def test_every_second_image_is_held_out(folder):
    images = picture_files.read_images(str(folder), 16)
    assert images.shape == (6, 16, 16, 3)  # the seventh is left out
    assert images[:, 3, 3, 0].tolist() == [10, 30, 50, 20, 40, 60]
    task = VisualHarlow(images=str(folder))
    for objects, levels in ((task, {10, 30, 50}), (task.held_out(), {20, 40, 60})):
        state, _ = objects.reset(100, np.array([1, 2], np.int32))
        numbers = {*state.rewarded.numpy(), *state.distractor.numpy()}
        assert {int(images[n, 0, 0, 0]) for n in numbers} == levels


def test_the_middle_square_is_scaled_down(tmp_path):
    wide = np.zeros([32, 64, 3], np.uint8)
    wide[:, 16:48] = np.arange(32)[:, None, None] * 8  # rows of 0, 8, 16, ...
    for n in range(4):
        write(tmp_path / f"{n}.png", wide if n == 0 else flat(n))
    image = picture_files.read_images(str(tmp_path), 16)[0]
    rows = (np.arange(16) * 16 + 4)[:, None, None]  # the mean of two rows
    np.testing.assert_array_equal(image, np.broadcast_to(rows, [16, 16, 3]))


def test_grey_images_transparency_and_other_formats_will_do(tmp_path):
    write(tmp_path / "a.png", np.full([20, 20, 1], 7, np.uint8))
    write(tmp_path / "b.PNG", np.full([20, 20, 4], 9, np.uint8))
    write(tmp_path / "c.jpg", flat(128))
    write(tmp_path / "d.png", flat(200))
    images = picture_files.read_images(str(tmp_path), 16)
    assert images[:, 0, 0].tolist() == [[7] * 3, [128] * 3, [9] * 3, [200] * 3]


def test_a_changed_folder_is_read_again(folder):
    before = picture_files.read_images(str(folder), 16)
    write(folder / "image_0.png", flat(99))
    os.utime(folder / "image_0.png", ns=(1, 1))
    after = picture_files.read_images(str(folder), 16)
    assert before[0].max() == 10
    assert after[0].min() == 99


def test_the_task_is_made_and_played_with_them(folder):
    task = tasks.make("visual_harlow", images=str(folder))
    assert task == VisualHarlow(images=str(folder))
    lifetimes = play(task, "optimal", 50)
    choice = lifetimes.reward[np.abs(lifetimes.reward) == 1].reshape(50, 6)
    assert (choice[:, 1:] == 1).all()
    levels = lifetimes.observation["stimulus"][:, 2, 0, 0, 0]
    assert set(levels) == {10, 30, 50}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("image_3.png", b"", r"image_3.png': cannot be read as an image"),
        ("image_3.png", b"\x89PNG\r\n\x1a\nrubbish", r"image_3.png': cannot be read"),
        ("zebra.jpg", b"\xff\xd8\xff\xe0 cut short", r"zebra.jpg': cannot be read"),
        ("small.png", flat(1, 15, 40), r"small.png': is 40 x 15 pixels, smaller than"),
        ("words.png", b"words", r"words.png': cannot be read as .* \(\w[^{}[]+\);"),
        ("twin.png", flat(30), r"twin.png': looks the same as another"),
    ],
)
def test_images_of_no_use_are_refused(folder, name, content, message):
    if isinstance(content, bytes):
        (folder / name).write_bytes(content)
    else:
        write(folder / name, content)
    with pytest.raises(UserError, match=message) as caught:
        VisualHarlow(images=str(folder))
    assert "\n" not in str(caught.value)


def test_folders_of_no_use_are_refused(tmp_path, folder):
    with pytest.raises(UserError, match=r"missing': does not exist; give a folder"):
        VisualHarlow(images=str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"notes.txt': is not a directory"):
        VisualHarlow(images=str(folder / "notes.txt"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match=r"holds 0 images .*; give 4 or more"):
        VisualHarlow(images=str(empty))
    with pytest.raises(UserError, match=r"\(6 images\).* needs 10 .* 20 or more"):
        EpisodicVisualHarlow(pairs=5, images=str(folder))
    assert EpisodicVisualHarlow(pairs=1, images=str(folder)).pairs == 1
