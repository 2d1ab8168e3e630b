import { environmentKeys, environmentKinds } from './environment-schema.ts';
import { has, isMap, type Loose } from './loose.ts';
import type { Path } from './path.ts';
import { checkPath } from './path-rules.ts';
import type { Reporter } from './reporter.ts';
import { tidyPath } from './repository-path.ts';
import { dataKeys } from './schema.ts';

export function checkData(entries: readonly unknown[], report: Reporter): void {
  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    const at: Path = ['data', index];
    const map = isMap(entry) ? entry : undefined;
    if (map !== undefined && !has(map, 'path') && !has(map, 'cluster')) {
      report.error('missing-key', at, 'value', 'an entry of `data` needs `path` or `cluster`');
      return;
    }
    if (map !== undefined && has(map, 'path') && has(map, 'cluster')) {
      report.error('conflict', [...at, 'cluster'], 'key', 'an entry of `data` has `path` or `cluster`, not both');
      return;
    }
    const place: Path = map === undefined ? at : [...at, has(map, 'path') ? 'path' : 'as'];
    const path = map === undefined ? entry : (map.path ?? map.as);
    if (map !== undefined) {
      const known: readonly string[] = has(map, 'cluster') ? dataKeys.cluster : dataKeys.path;
      const foreign = Object.keys(map).filter(
        (key) => !known.includes(key) && (Object.values(dataKeys).flat() as readonly string[]).includes(key),
      );
      for (const key of foreign)
        report.error(
          'conflict',
          [...at, key],
          'key',
          `\`${key}\` does not go with \`${has(map, 'cluster') ? 'cluster' : 'path'}\` in an entry of \`data\``,
        );
      if (has(map, 'cluster') && !has(map, 'as'))
        report.error(
          'missing-key',
          at,
          'value',
          'missing key `as` in an entry of `data`',
          'the path in the repository under which steps see it',
        );
      const cluster = map.cluster;
      if (typeof cluster === 'string' && !/^[/$]/.test(cluster))
        report.error(
          'wrong-value',
          [...at, 'cluster'],
          'value',
          `\`cluster\` is an absolute path on the cluster, not ${report.shown([...at, 'cluster'], cluster)}`,
        );
    }
    checkPath(
      path,
      place,
      report,
      'repository',
      '{ cluster: /datasets/x, as: data/x } names data that is on the cluster already',
    );
    if (typeof path !== 'string') return;
    if (seen.has(tidyPath(path)))
      report.error('conflict', place, 'value', `${report.shown(place, path)} is in \`data\` twice`);
    seen.add(tidyPath(path));
  });
}

const conda = ['conda', 'mamba', 'micromamba'];
const managers: Readonly<Record<string, readonly string[]>> = {
  conda,
  packages: conda,
  venv: ['uv'],
  uv: ['uv'],
};

const lockable: readonly string[] = ['conda', 'packages', 'venv'];
const pythonElsewhere: Readonly<Record<string, string>> = {
  conda: 'a conda file names it among its packages: python=3.11',
  packages: 'it is one of the packages: python=3.11',
  uv: 'pyproject.toml says it: requires-python',
};

export function checkEnvironment(value: unknown, report: Reporter): void {
  if (!isMap(value)) return;
  const kinds = environmentKinds.filter((kind) => has(value, kind));
  const all = environmentKinds.map((kind) => `\`${kind}\``).join(', ');
  const foreign = Object.keys(value).some((key) => !environmentKeys.includes(key));
  if (kinds.length === 0 && !foreign)
    report.error(
      'missing-key',
      ['environment'],
      'key',
      `\`environment\` needs one of ${all}`,
      '`environment: none` uses what is there',
    );
  const [first, second] = kinds;
  if (first !== undefined && second !== undefined)
    report.error(
      'conflict',
      ['environment', second],
      'key',
      `\`${first}\` and \`${second}\`: an environment is made from exactly one of ${all}`,
    );
  if (has(value, 'channels') && first !== undefined && !kinds.includes('packages'))
    report.error(
      'conflict',
      ['environment', 'channels'],
      'key',
      '`channels` goes with `packages` only',
      first === 'conda' ? 'the conda file names its own channels' : undefined,
    );
  if (has(value, 'python') && first !== undefined && !kinds.includes('venv'))
    report.error(
      'conflict',
      ['environment', 'python'],
      'key',
      '`python` goes with `venv` only',
      pythonElsewhere[first],
    );
  if (has(value, 'lock') && first !== undefined && !kinds.some((kind) => lockable.includes(kind)))
    report.error(
      'conflict',
      ['environment', 'lock'],
      'key',
      '`lock` goes with `conda`, `packages` and `venv`',
      first === 'uv' ? 'uv.lock is a lock already' : undefined,
    );
  checkManager(value, first, report);
  if (value.packed === true && first !== undefined && !(first in managers))
    report.error(
      'conflict',
      ['environment', 'packed'],
      'key',
      '`packed` goes with `conda`, `packages`, `venv` and `uv`',
    );
  if (value.packed === true && has(value, 'kernel'))
    report.error(
      'conflict',
      ['environment', 'kernel'],
      'key',
      '`kernel` does not go with `packed`: Jupyter would find an empty folder',
    );
  for (const kind of ['conda', 'venv', 'uv', 'lock'])
    checkPath(value[kind], ['environment', kind], report, 'repository');
  const { prefix } = value;
  if (typeof prefix === 'string' && !/^[/$]/.test(prefix))
    report.error(
      'wrong-value',
      ['environment', 'prefix'],
      'value',
      `\`prefix\` is an absolute path, not ${report.shown(['environment', 'prefix'], prefix)}`,
    );
}

function checkManager({ manager }: Loose, kind: string | undefined, report: Reporter): void {
  if (manager === undefined || kind === undefined) return;
  const at: Path = ['environment', 'manager'];
  const names = managers[kind];
  if (names === undefined)
    report.error('conflict', at, 'key', '`manager` goes with `conda`, `packages`, `venv` and `uv`');
  else if (typeof manager === 'string' && (!/^[/$]/.test(manager) || !names.includes(manager.replace(/.*\//, ''))))
    report.error(
      'wrong-value',
      at,
      'value',
      `\`manager\` is the absolute path of ${names.join(', ').replace(/, (?=[^,]*$)/, ' or ')}, not ${report.shown(at, manager)}`,
    );
}
