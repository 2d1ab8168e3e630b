import type { CliProject } from './cli.ts';
import { type Run, run } from './repository.ts';

/** A command in a terminal of its own (util-linux's script), into which these lines are typed. Its output is all in stdout. */
export const inTerminal = (project: CliProject, command: string, lines: string): Promise<Run> =>
  run('script', ['-qec', command, '/dev/null'], {
    cwd: project.repository.dir,
    env: { ...project.env, TERM: 'dumb' },
    stdin: lines,
  });
