"""Writes the images of digits.txt as files: data/digits/LABEL/NUMBER.pgm

A line of digits.txt is the label and 64 pixels, row by row, from 0 (paper) to g = 16 (ink): base 17.
Needs nothing but Python.
"""

from pathlib import Path

here = Path(__file__).parent
folder = here / "data" / "digits"
lines = (here / "digits.txt").read_text().split("\n")[:-1]
for number, line in enumerate(lines):
    label, pixels = line.split()
    path = folder / label / f"{number:04}.pgm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P5 8 8 16\n" + bytes(int(pixel, 17) for pixel in pixels))
print(f"{len(lines)} images in {folder.relative_to(here)}")
