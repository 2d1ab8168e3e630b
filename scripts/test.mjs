// `npm test`: types, lint, and all suites; what was skipped is named with its reason, and the last line is the sum.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cwd = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'mlops-test-'));
const outcome = join(folder, 'jest.json');
const script = (name, ...args) =>
  spawnSync('npm', ['run', '--silent', name, '--', ...args], { cwd, stdio: 'inherit' }).status === 0;

/** Jest's own report, or undefined where it did not get so far as to write one. */
function readOutcome() {
  try {
    return JSON.parse(readFileSync(outcome, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const steps = ['types', 'lint'].map((name) => {
  process.stdout.write(`\n> ${name}\n`);
  return { name, passed: script(name) };
});
process.stdout.write('\n> jest\n');
// Three on two cores: half of what the large suites do is waiting for Slurm.
const jestPassed = script('jest', '--maxWorkers=3', '--json', `--outputFile=${outcome}`, ...process.argv.slice(2));
const jest = readOutcome();
rmSync(folder, { recursive: true, force: true });

// A suite that could not even be loaded has no tests that could fail: it counts as one.
const broken = (jest?.testResults ?? []).filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
);
const skipped = new Map();
for (const { assertionResults } of jest?.testResults ?? [])
  for (const { status, ancestorTitles, title } of assertionResults)
    if (status !== 'passed' && status !== 'failed') {
      const suite = ancestorTitles[0] ?? title;
      skipped.set(suite, (skipped.get(suite) ?? 0) + 1);
    }
const counted = {
  passed: steps.filter(({ passed }) => passed).length + (jest?.numPassedTests ?? 0),
  failed: steps.filter(({ passed }) => !passed).length + (jest?.numFailedTests ?? 0) + broken.length,
  skipped: [...skipped.values()].reduce((sum, count) => sum + count, 0),
};
// Jest may also fail as a whole: a setup that threw, a pattern that matches nothing.
if (!jestPassed && (jest?.numFailedTests ?? 0) + broken.length === 0) counted.failed += 1;

process.stdout.write('\n');
for (const { name } of steps.filter(({ passed }) => !passed)) process.stdout.write(`failed: npm run ${name}\n`);
for (const { name } of broken) process.stdout.write(`failed to run: ${name}\n`);
for (const [suite, count] of skipped)
  process.stdout.write(`skipped: ${suite} (${count} ${count === 1 ? 'test' : 'tests'})\n`);
process.stdout.write(`${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped\n`);
process.exitCode = counted.failed === 0 ? 0 : 1;
