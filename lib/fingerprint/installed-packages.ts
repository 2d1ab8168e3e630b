import { createHash } from 'node:crypto';
import { asSha256, type Sha256 } from '../base/ids.ts';

/** What was installed where a run was, as one text that its hash names. */
export const installedText = (packages: readonly string[]): string => packages.map((line) => `${line}\n`).join('');

export const installedHash = (packages: readonly string[]): Sha256 =>
  asSha256(createHash('sha256').update(installedText(packages)).digest('hex'));
