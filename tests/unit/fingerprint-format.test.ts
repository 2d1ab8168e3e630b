import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { canonicalJson, type Json } from '../../lib/base/canonical-json.ts';
import type { Sha256 } from '../../lib/base/ids.ts';
import { chain, fingerprintOf, type Ingredients, verifyInputs } from '../../lib/fingerprint/chain.ts';
import { dataSet } from '../../lib/fingerprint/data-set.ts';
import { meaningHash, notebookMeaning } from '../../lib/fingerprint/meaning.ts';
import { parseNotebook } from '../../lib/fingerprint/notebook.ts';

interface Vectors {
  readonly notebooks: readonly { name: string; text: string; meaning: Json; hash: string }[];
  readonly data: readonly { name: string; files: Readonly<Record<string, Sha256>>; hash: string }[];
  readonly pipelines: readonly { name: string; inputs: Ingredients; fingerprints: readonly string[] }[];
}
const file = join(import.meta.dirname, 'fingerprint-vectors.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

describe('the frozen format, as a second implementation in Python computed it', () => {
  test.each(vectors.notebooks)('notebook: $name', ({ text, meaning, hash }) => {
    const notebook = parseNotebook(text);
    if (!notebook.ok) throw new Error(notebook.error.reason);
    expect(notebookMeaning(notebook.value)).toEqual(meaning);
    expect(meaningHash(notebook.value)).toBe(hash);
  });

  test.each(vectors.data)('data: $name', ({ files, hash }) => {
    const list = Object.entries(files).map(([path, sha256]) => ({ path, sha256, size: 1 }));
    expect(dataSet(list, false).hash).toBe(hash);
    expect(dataSet(list.reverse(), true).hash).toBe(hash);
  });

  test.each(vectors.pipelines)('pipeline: $name', ({ inputs, fingerprints }) => {
    const done = chain(inputs);
    expect(done.steps.map((step) => step.fingerprint)).toEqual(fingerprints);
    expect(fingerprintOf(done)).toBe(fingerprints.at(-1));
  });

  // Written down by hand once: whoever changes the Python and this program alike still fails here.
  test('the fingerprints of the vectors are those of the first release', () => {
    expect(vectors.pipelines.flatMap(({ fingerprints }) => fingerprints)).toEqual([
      '1547dc0eb7dc9143661b13f462664171d6311d1656de60dc0c2f53df17b5cbb0',
      '293c40269233d1eb34ac9e5d0f87b17fc7a2b668ff3794ec31ed029ffdaef7bf',
      'f88a1eee57a090286bdbd513a17c69b33bc4dab8b91c6231fffc3af4a507ecbf',
    ]);
  });
});

describe('inputs that carry their own fingerprints', () => {
  const inputs = vectors.pipelines.map((pipeline) => chain(pipeline.inputs)).at(-1);
  if (inputs === undefined) throw new Error('no vectors');

  test('are verified from their own content', () => {
    expect(verifyInputs(inputs)).toBe(true);
    expect(verifyInputs(JSON.parse(canonicalJson(inputs as object as Json)))).toBe(true);
  });

  test.each([
    ['a parameter', { steps: inputs.steps.map((step) => ({ ...step, definition: { kind: 'run', run: 'true' } })) }],
    ['the environment', { environment: { kind: 'none' } }],
    ['code', { code: {} }],
    ['what does not count for a step', { steps: inputs.steps.map((step) => ({ ...step, without: [] })) }],
    ['a variable', { env: { OMP_NUM_THREADS: '8' } }],
    ['the computation number', { computation: 2 }],
  ])('are refused when %s was changed', (_, change) => {
    expect(verifyInputs({ ...inputs, ...change })).toBe(false);
  });
});
