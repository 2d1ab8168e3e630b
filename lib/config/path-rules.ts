import type { Path } from './path.ts';
import type { Reporter } from './reporter.ts';
import { type PathProblem, pathProblem } from './repository-path.ts';

const pathMessages: Readonly<Record<PathProblem, string>> = {
  absolute: 'is an absolute path: paths here begin at the top of the repository',
  home: 'begins with ~: paths here begin at the top of the repository',
  outside: 'leaves the repository by `..`',
  'git-folder': "is in git's own folder",
  empty: 'is an empty path',
  newline: 'has a line break in it',
};

/** `output`: may begin with $MLOPS_OUT, the folder of a step's results. */
export function checkPath(
  value: unknown,
  path: Path,
  report: Reporter,
  kind: 'repository' | 'output',
  hint?: string,
): void {
  if (typeof value !== 'string' || value.trim() === '') return;
  const inside = kind === 'output' ? value.replace(/^\$(?:MLOPS_OUT|\{MLOPS_OUT\})\//, '') : value;
  const problem = pathProblem(inside);
  if (problem === undefined) return;
  const useful = problem === 'absolute' || problem === 'outside' ? hint : undefined;
  report.error('wrong-value', path, 'value', `${report.shown(path, value)} ${pathMessages[problem]}`, useful);
}
