import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, gitText } from './spawn.ts';

/**
 * A date as git's own --since reads it (`2 weeks ago`, `yesterday`, `2026-11-01`), in seconds since the epoch. Git takes every text for a
 * date, and what it does not understand for now: that is undefined here, since nothing has been judged since now.
 */
export async function readDate(
  place: GitPlace,
  text: string,
  nowSeconds: number,
): Promise<Result<number | undefined, GitError>> {
  if (text.includes('\0')) return ok(undefined);
  const asked = await gitText(place, ['rev-parse', `--since=${text}`]);
  if (!asked.ok) return asked;
  const [, seconds] = /^--max-age=(\d+)$/.exec(asked.value) ?? [];
  return ok(seconds === undefined || Number(seconds) >= nowSeconds ? undefined : Number(seconds));
}
