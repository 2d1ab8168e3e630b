"""Reads the folder of images; used by the notebook and by evaluate.py."""

from pathlib import Path

import numpy as np


def read_pgm(path):
    """One grey image of 8 by 8 pixels, as a vector of 64 numbers between 0 and 1."""
    magic, width, height, largest = path.read_bytes()[:10].split()
    if magic != b"P5" or (int(width), int(height)) != (8, 8):
        raise ValueError(f"{path} is not a grey 8 x 8 image")
    return np.frombuffer(path.read_bytes(), np.uint8, offset=10) / int(largest)


def read_folder(folder):
    """All images below `folder` in the order of their numbers, and their labels: the names of the folders they are in."""
    paths = sorted(Path(folder).glob("*/*.pgm"), key=lambda path: path.name)
    if not paths:
        raise FileNotFoundError(f"no images in {folder}: run make_data.py first")
    return np.array([read_pgm(path) for path in paths]), np.array([int(path.parent.name) for path in paths])


def split(images, labels, test_share):
    """The last images are the test: other people wrote them."""
    cut = round(len(images) * (1 - test_share))
    return images[:cut], labels[:cut], images[cut:], labels[cut:]
