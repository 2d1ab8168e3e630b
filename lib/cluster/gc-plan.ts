import type { Sha256 } from '../base/ids.ts';
import type { GcAttempt, GcItem, GcObject, GcOptions, GcSurvey } from './gc-types.ts';

/** `live`: paths of attempts whose job may still run. Nothing that they or a kept artifact use is in the plan. */
export function planGc(survey: GcSurvey, live: ReadonlySet<string>, options: GcOptions): readonly GcItem[] {
  const running = survey.attempts.filter(({ path }) => live.has(path));
  const isOver = ({ old, path }: GcAttempt) => old && !live.has(path);
  const over = survey.attempts.filter(isOver);
  const overPaths = new Set(over.map(({ path }) => path));
  const overKeeps = new Set(over.map(keepOf));
  const busyKeeps = new Set(survey.attempts.filter((attempt) => !isOver(attempt)).map(keepOf));
  const archives = new Set(survey.steps.filter(({ old }) => !old).map(({ archive }) => archive));
  const data = new Set(survey.attempts.flatMap((attempt) => (isOver(attempt) ? [] : attempt.data)));
  const trees = new Set(survey.attempts.flatMap((attempt) => (isOver(attempt) ? [] : attempt.trees)));
  const needed = (hash: Sha256) => survey.used.has(hash) || archives.has(hash) || data.has(hash);
  const free = survey.objects.filter(({ sha256 }) => !needed(sha256));
  return [
    ...survey.temporaries
      .filter((path) => !trees.has(path) && !running.some((attempt) => belongs(path, attempt)))
      .map((path) => ({ kind: 'temporary', path }) as const),
    ...survey.files
      .filter((path) => overPaths.has(path.split('/', 3).join('/')))
      .map((path) => ({ kind: 'run-files', path }) as const),
    ...survey.keeps
      .filter((path) => overKeeps.has(path) && !busyKeeps.has(path))
      .map((path) => ({ kind: 'run-files', path }) as const),
    ...survey.steps.filter(({ old }) => old).map(({ path }) => ({ kind: 'step', path }) as const),
    ...survey.trees
      .filter(({ path, old }) => old && !trees.has(path))
      .map(({ path }) => ({ kind: 'tree', path }) as const),
    ...chooseObjects(free, survey.total, options).map(
      ({ sha256, bytes }) =>
        ({ kind: 'object', path: `objects/${sha256.slice(0, 2)}/${sha256.slice(2)}`, sha256, bytes }) as const,
    ),
  ];
}

/** A job's own folder for temporary files: the beginning of its fingerprint, its attempt, and its task where it is one of an array, or `build` of the job that goes before. */
const belongs = (path: string, { fingerprint, attempt }: GcAttempt): boolean => {
  const [, start, number] = /^tmp\/([0-9a-f]+)\.(\d+)(?:\.(?:\d+|build))?$/.exec(path) ?? [];
  return start !== undefined && fingerprint.startsWith(start) && Number(number) === attempt;
};
const keepOf = ({ fingerprint }: GcAttempt): string => `runs/${fingerprint}/keep`;

function chooseObjects(free: readonly GcObject[], total: number | undefined, options: GcOptions): readonly GcObject[] {
  const chosen = free.filter(({ old }) => old);
  if (options.maxBytes === undefined || total === undefined) return chosen;
  let left = total - chosen.reduce((sum, { bytes }) => sum + bytes, 0);
  const young = free.filter(({ old }) => !old).sort((a, b) => a.day - b.day);
  for (const object of young) {
    if (left <= options.maxBytes) break;
    chosen.push(object);
    left -= object.bytes;
  }
  return chosen;
}
