import { join } from 'node:path';
import type { TestRepository } from './repository.ts';

export interface TinyOptions {
  /** What the notebook's `score` comes out as: nine tenths unless told. */
  readonly quality?: number;
  /** An environment folder with papermill and ipykernel in it. */
  readonly prefix: string;
  /** The least `score` that passes. */
  readonly min?: number;
  /** More lines at the end of the config. */
  readonly config?: string;
  /** A file of this test, outside of the repository, in which every training leaves a line. */
  readonly tally: string;
}

type Cell = { readonly source: string; readonly tags?: readonly string[]; readonly prose?: true };

/**
 * Five cells, the standard library alone. Every training leaves a line in the tally, which no cache can fake, and waits while
 * `TALLY.hold` is there: a test can do something in the middle of a training without any guess about time.
 */
export function tinyNotebook({ quality = 0.9, tally }: Pick<TinyOptions, 'quality' | 'tally'>): string {
  const cells: readonly Cell[] = [
    { prose: true, source: '# The smallest model' },
    { tags: ['parameters'], source: 'weight = 1.0' },
    { source: 'from pathlib import Path\nsamples = [int(p.read_text()) for p in sorted(Path("data").iterdir())]' },
    {
      source: [
        'import os, time',
        `tally = ${JSON.stringify(tally)}`,
        'with open(tally, "a") as file: file.write(os.environ.get("MLOPS_RUN", "?") + "\\n")',
        'while os.path.exists(tally + ".hold"): time.sleep(0.02)',
      ].join('\n'),
    },
    { source: `quality = ${quality}\nscore = weight * quality * sum(samples) / sum(samples)\nprint("score", score)` },
  ];
  return `${JSON.stringify(
    {
      nbformat: 4,
      nbformat_minor: 4,
      metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
      cells: cells.map(({ source, tags = [], prose }) =>
        prose
          ? { cell_type: 'markdown', metadata: {}, source }
          : { cell_type: 'code', metadata: { tags }, source, outputs: [], execution_count: null },
      ),
    },
    null,
    1,
  )}\n`;
}

export const tinyConfig = ({
  prefix,
  min = 0.5,
  config = '',
}: Pick<TinyOptions, 'prefix' | 'min' | 'config'>): string =>
  `version: 1
code: ["**", "!*.md"]
data: [data]
environment: { prefix: ${JSON.stringify(prefix)} }
resources: { time: "00:05:00" }
steps:
  - notebook: train.ipynb
    metrics: { score: score }
require:
  score: { min: ${min} }
${config}`;

/** A notebook, twenty data files that git does not keep, and a config; nothing is committed yet. */
export async function writeTinyProject(repository: TestRepository, options: TinyOptions): Promise<void> {
  await repository.write('train.ipynb', tinyNotebook(options));
  await repository.write('README.md', '# A tiny project\n');
  await repository.write('.gitignore', 'data/\n');
  await repository.write('.mlops/config.yaml', tinyConfig(options));
  for (let number = 1; number <= 20; number += 1)
    await repository.write(join('data', `${String(number).padStart(2, '0')}.txt`), `${number}\n`);
}
