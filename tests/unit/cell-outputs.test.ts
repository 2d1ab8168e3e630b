import { expect, test } from '@jest/globals';
import type { Json } from '../../lib/base/canonical-json.ts';
import { cellOutputs } from '../../lib/job/cell-outputs.ts';

const notebook = (...cells: readonly { readonly [key: string]: Json }[]): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 4,
    metadata: {},
    cells: cells.map((cell) => ({
      cell_type: 'code',
      metadata: {},
      source: '',
      outputs: [],
      execution_count: null,
      ...cell,
    })),
  });
const stream = (text: string | string[]): Json => ({ output_type: 'stream', name: 'stdout', text });
const injected = { metadata: { tags: ['injected-parameters'] }, source: 'seed = 2' };
const outputsOf = (executed: string, number: number, authors?: string) => {
  const found = cellOutputs(executed, number, authors);
  if (!found.ok) throw new Error(found.error.problem);
  return found.value.outputs;
};

test('the text, the results and the exception of a cell are shown in order, pictures by type and size', () => {
  const executed = notebook({
    execution_count: 1,
    outputs: [
      stream(['epoch 1\n', 'epoch 2\n']),
      { output_type: 'execute_result', data: { 'text/plain': '0.9', 'text/html': '<b>0.9</b>' } },
      { output_type: 'display_data', data: { 'image/png': Buffer.from('twelve bytes').toString('base64') } },
      { output_type: 'error', ename: 'KeyError', evalue: "'b'", traceback: ['Traceback', "KeyError: 'b'"] },
    ],
  });
  expect(outputsOf(executed, 1)).toEqual([
    { kind: 'text', text: 'epoch 1\nepoch 2\n' },
    { kind: 'text', text: '0.9' },
    { kind: 'data', type: 'image/png', bytes: 12 },
    { kind: 'error', text: "Traceback\nKeyError: 'b'" },
  ]);
});

test('cells are counted without those that papermill has added', () => {
  const executed = notebook(
    { outputs: [stream('one')] },
    injected,
    { metadata: { tags: ['papermill-error-cell-tag'] }, cell_type: 'markdown' },
    { outputs: [stream('two')] },
  );
  expect(outputsOf(executed, 2)).toEqual([{ kind: 'text', text: 'two' }]);
});

test('a parameters cell that an older run has left in the file of the author counts, as it does in the verdict', () => {
  const authors = notebook({}, injected, {});
  const executed = notebook({ outputs: [stream('one')] }, { outputs: [stream('three')] });
  expect(outputsOf(executed, 3, authors)).toEqual([{ kind: 'text', text: 'three' }]);
  expect(cellOutputs(executed, 2, authors)).toEqual({ ok: false, error: { problem: 'no-cell', cells: 3 } });
});

test('while it is executed each cell carries its number, and the last one of ours is none', () => {
  const executed = notebook(
    { metadata: { mlops: { cell: 4 } }, outputs: [stream('four')] },
    { metadata: { mlops: { sentinel: true } }, outputs: [stream('ours')] },
  );
  expect(outputsOf(executed, 4)).toEqual([{ kind: 'text', text: 'four' }]);
  expect(cellOutputs(executed, 1, undefined)).toMatchObject({ ok: false });
});

test('what is no notebook (yet) is said', () => {
  expect(cellOutputs('{"cells": [', 1, undefined)).toMatchObject({ ok: false, error: { problem: 'not-json' } });
});
