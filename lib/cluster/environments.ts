import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import { parseFiles, parseSurvey, parseUsers } from './environment-parse.ts';
import { environmentScript, environmentsScript, removeEnvironmentScript } from './environment-scripts.ts';
import type {
  EnvironmentFiles,
  EnvironmentSurvey,
  EnvironmentsError,
  EnvironmentUser,
  RemoveOutcome,
} from './environment-types.ts';
import type { Host } from './host.ts';

export type * from './environment-types.ts';

const removeSeconds = 3600;
const safeKey = /^[0-9a-f]{24}(?:\.\w+)?$/;

export async function listEnvironments(
  host: Host,
  workdir: string,
): Promise<Result<EnvironmentSurvey, EnvironmentsError>> {
  const done = await run(host, 'list', environmentsScript(workdir), 120);
  if (!done.ok) return done;
  const survey = parseSurvey(done.value.stdout);
  return survey === undefined
    ? err({ reason: 'environments-failed', what: 'list', code: done.value.code, stderr: done.value.stderr.trim() })
    : ok(survey);
}

export async function readEnvironment(
  host: Host,
  workdir: string,
  key: string,
): Promise<Result<EnvironmentFiles, EnvironmentsError>> {
  if (!safeKey.test(key)) throw new Error(`no key of an environment: ${key}`);
  const done = await run(host, 'read', environmentScript(workdir, key), 120);
  return done.ok ? ok(parseFiles(Buffer.from(done.value.stdout))) : done;
}

/** Nothing that a live run uses: `dead` names attempts without a last word whose job is known to be over. `idle`: nor anything used within a day. */
export async function removeEnvironment(
  host: Host,
  workdir: string,
  key: string,
  dead: readonly EnvironmentUser[],
  { idle }: { readonly idle: boolean } = { idle: false },
): Promise<Result<RemoveOutcome, EnvironmentsError>> {
  if (!safeKey.test(key)) throw new Error(`no key of an environment: ${key}`);
  const id = randomBytes(8).toString('hex');
  const script = removeEnvironmentScript({ workdir, key, id, dead: dead.map(({ path }) => path), idle });
  const done = await run(host, 'remove', script, removeSeconds);
  if (!done.ok) return done;
  const { stdout } = done.value;
  const [first = '', ...owner] = stdout.trim().split(' ');
  if (first === 'removed' || first === 'absent') return ok({ outcome: first });
  if (first === 'locked') return ok({ outcome: 'locked', owner: owner.join(' ') });
  return ok({ outcome: 'used', users: parseUsers(stdout) });
}

async function run(
  host: Host,
  what: 'list' | 'read' | 'remove',
  script: string,
  timeoutSeconds: number,
): Promise<Result<{ readonly stdout: string; readonly stderr: string; readonly code: number }, EnvironmentsError>> {
  const done = await host.exec(script, { timeoutSeconds });
  if (!done.ok) return err({ reason: 'host', cause: done.error });
  const { code, stderr } = done.value;
  return code === 0 ? done : err({ reason: 'environments-failed', what, code, stderr: stderr.trim() });
}
