// `node bench/noise.mjs`: the operating curve of the noise gate. Simulated pairs of runs go through the very rule of lib/verdict:
// max_drop of two standard deviations, true drops from 0 to 4. At a drop of 2 "met" should be 5 %, at 0 it is the power.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '20261124' } },
});
const pairs = Number(values.pairs);
const bundled = await build({
  entryPoints: [join(checkout, 'lib/verdict/sample.ts')],
  bundle: true,
  format: 'esm',
  write: false,
});
const { confidenceFor, halfWidth, spreadOf, summarise } = await import(
  `data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].contents).toString('base64')}`
);

// mulberry32: the table is the same each time.
let state = Number(values.seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const margin = 2;
const drops = [0, 1, 2, 3, 4];
const kinds = [
  { name: 'same seeds, correlation 0', rho: 0, first: 1 },
  { name: 'same seeds, correlation 0.5', rho: 0.5, first: 1 },
  { name: 'same seeds, correlation 0.9', rho: 0.9, first: 1 },
  { name: 'other seeds (Welch)', rho: 0, first: 1001 },
];

function cell(n, drop, { rho, first }) {
  const count = { met: 0, undecided: 0, 'not-met': 0 };
  for (let pair = 0; pair < pairs; pair += 1) {
    const [before, now] = [[], []];
    for (let index = 0; index < n; index += 1) {
      const base = normal();
      before.push({ seed: index + 1, value: base });
      now.push({ seed: index + first, value: rho * base + Math.sqrt(1 - rho * rho) * normal() - drop });
    }
    const mean = (sample) => summarise(sample.map(({ value }) => value)).mean;
    const off = halfWidth(spreadOf(now, before), confidenceFor({}));
    const change = mean(now) - mean(before);
    count[change - off >= -margin ? 'met' : change + off < -margin ? 'not-met' : 'undecided'] += 1;
  }
  return Object.values(count)
    .map((times) => ((100 * times) / pairs).toFixed(1).padStart(5))
    .join(' /');
}

const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
console.log(
  `mlops-hpc ${version}, ${pairs} simulated pairs a cell, max_drop 2 standard deviations; met / undecided / not met, in %\n`,
);
for (const kind of kinds) {
  console.log(`**${kind.name}**\n`);
  console.log(`| seeds | ${drops.map((drop) => `drop ${drop} sd`).join(' | ')} |`);
  console.log(`|---:|${drops.map(() => '---').join('|')}|`);
  for (const n of [3, 5, 7, 10, 20]) console.log(`| ${n} | ${drops.map((drop) => cell(n, drop, kind)).join(' | ')} |`);
  console.log('');
}

// `undecided: more`: a first look, and where that is undecided a second at all seeds. "met" counts both.
function twoLooks(n, more, drop, { rho, baseline }) {
  const confidence = confidenceFor({ undecided: 'more' });
  let met = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const [before, now] = [[], []];
    for (let index = 0; index < n + more; index += 1) {
      const base = normal();
      if (index < n) before.push({ seed: index + 1, value: base });
      now.push({ seed: index + 1, value: rho * base + Math.sqrt(1 - rho * rho) * normal() - drop });
    }
    for (const sample of [now.slice(0, n), now]) {
      const mean = (of) => summarise(of.map(({ value }) => value)).mean;
      const off = halfWidth(spreadOf(sample, baseline ? before : undefined), confidence);
      const change = mean(sample) - (baseline ? mean(before) : 0);
      if (change - off >= -margin) met += 1;
      if (change - off >= -margin || change + off < -margin) break;
    }
  }
  return ((100 * met) / pairs).toFixed(1);
}

console.log('**`undecided: more`: met at the first look or the second, in %**\n');
console.log('| compared with | seeds | more | drop 0 sd | drop 1 sd | drop 2 sd: the limit | drop 3 sd |');
console.log('|---|---:|---:|---|---|---|---|');
for (const [name, kind] of [
  ['a constant', { rho: 0, baseline: false }],
  ['a baseline of the same first seeds, correlation 0', { rho: 0, baseline: true }],
  ['a baseline of the same first seeds, correlation 0.9', { rho: 0.9, baseline: true }],
])
  for (const [n, more] of [
    [3, 7],
    [5, 5],
    [5, 15],
  ])
    console.log(
      `| ${name} | ${n} | ${more} | ${[0, 1, 2, 3].map((drop) => twoLooks(n, more, drop, kind)).join(' | ')} |`,
    );
