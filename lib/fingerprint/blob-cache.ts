import { join } from 'node:path';
import { isOid, isSha256, type Oid, type Sha256 } from '../base/ids.ts';
import { readStateFile, type StateKind, writeCacheFile } from './state-file.ts';

const limit = 200_000;

/** Facts about git blobs, by oid: they never change, so nothing is ever stale. One file per kind of fact. */
export class BlobCache<Fact extends string> {
  private readonly facts = new Map<Oid, Fact>();
  private changed = false;
  readonly damaged: string | undefined;
  private readonly path: string;
  private readonly kind: StateKind;

  constructor(stateDir: string, kind: StateKind, name: string, isFact: (text: string) => text is Fact) {
    this.kind = kind;
    this.path = join(stateDir, 'cache', name);
    const file = readStateFile(this.path, kind);
    this.damaged = file.state === 'damaged' ? this.path : undefined;
    const flat = file.state === 'there' && Array.isArray(file.value) ? (file.value as readonly unknown[]) : [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const [oid, fact] = [flat[i], flat[i + 1]];
      if (typeof oid === 'string' && isOid(oid) && typeof fact === 'string' && isFact(fact)) this.facts.set(oid, fact);
    }
  }

  get(oid: Oid): Fact | undefined {
    return this.facts.get(oid);
  }
  has(oid: Oid): boolean {
    return this.facts.has(oid);
  }
  set(oid: Oid, fact: Fact): void {
    this.facts.set(oid, fact);
    this.changed = true;
  }

  /** Past the limit the oldest half goes: a map keeps the order in which facts came. */
  save(): void {
    if (!this.changed) return;
    const all = [...this.facts];
    writeCacheFile(this.path, this.kind, (all.length > limit ? all.slice(-limit / 2) : all).flat());
    this.changed = false;
  }
}

/** A tracked file's content: `SHA256 SIZE`, and `lfs` where the blob is a pointer and these are what it points to. */
export type ContentFact = `${string} ${number}` | `${string} ${number} lfs`;
export const contentFacts = (stateDir: string) =>
  new BlobCache(stateDir, { kind: 'mlops-blobs', version: 1 }, 'blobs', (text): text is ContentFact =>
    /^[0-9a-f]{64} \d+(?: lfs)?$/.test(text),
  );

/** A notebook's meaning, or `none` for a blob that is no notebook. */
export type MeaningFact = Sha256 | 'none';
export const meaningFacts = (stateDir: string) =>
  new BlobCache(
    stateDir,
    { kind: 'mlops-meanings', version: 1 },
    'meanings',
    (text): text is MeaningFact => text === 'none' || isSha256(text),
  );

/** Which of the asked files some code mentions: indices into the list of questions that `questionsKey` names. Kept and dropped with the commits that asked. */
export const mentionFacts = (stateDir: string, questionsKey: string) =>
  new BlobCache(
    stateDir,
    { kind: 'mlops-mentions', version: 1 },
    `commits/mentions-${questionsKey}`,
    (text): text is string => /^[\d ]*$/.test(text),
  );
