import { stat } from 'node:fs/promises';
import type { Config } from '../../lib/config/types.ts';
import { runStep, type Scene } from './job.ts';

export const venv: Config['environment'] = { kind: 'venv', file: 'requirements.txt', buildOn: 'job' };

/** A venv's scene. Different words in the requirements are different environments. */
export const venvScene = (
  requirements: string,
  line = 'python -c "import sys; print(sys.prefix)"',
  more: Partial<Scene> = {},
): Scene => ({
  ...more,
  files: { 'requirements.txt': requirements, ...more.files },
  config: { environment: venv, steps: [runStep(line)], ...more.config },
});

/**
 * The files of a package, in a folder `slow` of the tree, whose installation waits: it makes the file $GATE.reached, goes on when
 * $GATE is there, and ends in an error where that holds a text.
 */
export const slowPackage = {
  'slow/setup.py': `import os, time
gate = os.environ["GATE"]
open(gate + ".reached", "w").close()
while not os.path.exists(gate):
    time.sleep(0.05)
words = open(gate).read()
if words:
    raise SystemExit(words)
from setuptools import setup
setup(name="slow", version="1", py_modules=[])
`,
};

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
