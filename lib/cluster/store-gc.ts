import { randomBytes } from 'node:crypto';
import { isSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { removeScript, surveyScript, verifyScript } from './gc-scripts.ts';
import { parseSurvey } from './gc-survey.ts';
import type { GcDone, GcError, GcItem, GcOptions, GcSurvey } from './gc-types.ts';
import type { Host } from './host.ts';

export type * from './gc-types.ts';

export interface StoreGc {
  survey(options: GcOptions, signal?: AbortSignal): Promise<Result<GcSurvey, GcError>>;
  remove(items: readonly GcItem[], options: GcOptions, signal?: AbortSignal): Promise<Result<GcDone, GcError>>;
  /** Reads every object. `remove`: damaged ones go. `stderr` names what could not be read. */
  verify(
    options: { readonly remove: boolean },
    signal?: AbortSignal,
  ): Promise<Result<{ readonly damaged: readonly Sha256[]; readonly stderr: string }, GcError>>;
}

/** Scratch file systems with millions of files take their time; who waits can interrupt it. */
const seconds = 24 * 3600;

export function openStoreGc(host: Host, workdir: string): StoreGc {
  const run = async (what: 'survey' | 'remove' | 'verify', script: string, stdin: string, signal?: AbortSignal) => {
    const done = await host.exec(script, {
      stdin,
      timeoutSeconds: seconds,
      ...(signal === undefined ? {} : { signal }),
    });
    if (!done.ok) return err({ reason: 'host', cause: done.error } as const);
    const { code, stderr } = done.value;
    if (code === 71) return err({ reason: 'no-program', programs: ['openssl', 'sha256sum', 'shasum'] } as const);
    if (code !== 0) return err({ reason: 'failed', what, code, stderr: stderr.trim() } as const);
    return ok(done.value);
  };

  return {
    async survey(options, signal) {
      const all = options.maxBytes !== undefined;
      const script = surveyScript({ workdir, days: wholeDays(options), all });
      const done = await run('survey', script, '', signal);
      if (!done.ok) return done;
      const survey = parseSurvey(done.value.stdout, { all });
      return survey === undefined
        ? err({ reason: 'failed', what: 'survey', code: done.value.code, stderr: done.value.stderr.trim() })
        : ok(survey);
    },

    async remove(items, options, signal) {
      if (items.length === 0) return ok({ left: [], stderr: '' });
      const words = {
        object: 'object',
        step: 'step',
        tree: 'tree',
        temporary: 'folder',
        'run-files': 'folder',
      };
      const stdin = items.map(({ kind, path }) => `${words[kind]} ${path}\n`).join('');
      const script = removeScript(workdir, randomBytes(8).toString('hex'), wholeDays(options));
      const done = await run('remove', script, stdin, signal);
      if (!done.ok) return done;
      const left = [...done.value.stdout.matchAll(/^left (.+)$/gm)].map(([, path = '']) => path);
      return ok({ left, stderr: done.value.stderr.trim() });
    },

    async verify({ remove }, signal) {
      const done = await run('verify', verifyScript(workdir, remove), '', signal);
      if (!done.ok) return done;
      const damaged = [...done.value.stdout.matchAll(/^damaged (..)\/(\S+)$/gm)]
        .map(([, first = '', rest = '']) => first + rest)
        .filter(isSha256);
      return ok({ damaged, stderr: done.value.stderr.trim() });
    },
  };
}

const wholeDays = ({ olderThanDays }: GcOptions): number => Math.max(1, Math.floor(olderThanDays));
