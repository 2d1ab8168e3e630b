import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** The floors of docs/architecture.md: imports run downward only, and rooms of one floor do not import each other. */
const floors = {
  base: 1,
  config: 2,
  git: 2,
  cluster: 2,
  fingerprint: 3,
  verdict: 3,
  report: 4,
  job: 4,
  gate: 5,
  commands: 6,
  cli: 7,
} as const;
type Room = keyof typeof floors;

/** Packages that one place alone may import: a file, or (ending in a slash) a room. */
const owners: Record<string, string> = {
  ssh2: 'cluster/ssh2-host.ts',
  handlebars: 'job/render.ts',
  'simple-git': 'git/',
  chalk: 'cli/',
  commander: 'cli/',
  zod: 'config/',
  'd3-scale': 'report/plot',
  'd3-shape': 'report/plot',
};

const lib = join(import.meta.dirname, '../../lib');
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort();
const imports = files.flatMap((file) => {
  const text = readFileSync(join(lib, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => ({ file, to: match[1] ?? '' }));
});
const roomOf = (file: string) => file.split('/')[0] as Room;
const inside = imports
  .filter(({ to }) => to.startsWith('.'))
  .map(({ file, to }) => ({ file, to: relative(lib, join(lib, dirname(file), to)) }));

describe('the house', () => {
  test('every file stands in a known room', () => {
    expect(files.filter((file) => !(roomOf(file) in floors))).toEqual([]);
  });

  test('imports run downward, types too, and never across a floor', () => {
    const upward = inside.filter(
      ({ file, to }) => roomOf(file) !== roomOf(to) && !(floors[roomOf(to)] < floors[roomOf(file)]),
    );
    expect(upward).toEqual([]);
  });

  test('no file is in a cycle', () => {
    const edges = new Map(files.map((file) => [file, inside.filter((edge) => edge.file === file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
      if (done.has(file) || trail.includes(file)) return;
      for (const { to } of edges.get(file) ?? []) visit(to, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('an outside library has one owner', () => {
    const strays = imports.filter(({ file, to }) => {
      const owner = owners[to.split('/')[0] ?? ''];
      return owner !== undefined && !to.startsWith('.') && !file.startsWith(owner);
    });
    expect(strays).toEqual([]);
  });

  test('the floor knows nothing of Node', () => {
    expect(imports.filter(({ file, to }) => roomOf(file) === 'base' && !to.startsWith('.'))).toEqual([]);
  });

  test('only main exits the process or asks for its folder', () => {
    const strays = files.filter(
      (file) =>
        !['cli/main.ts', 'cluster/supervisor.ts'].includes(file) &&
        /process\.(exit|cwd|chdir)\(/.test(readFileSync(join(lib, file), 'utf8')),
    );
    expect(strays).toEqual([]);
  });
});
