// Once before the end-to-end suites: the program as users get it, packed and installed, away from this checkout.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (file, args) => {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd: import.meta.dirname, encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error ?? stdout + stderr}`);
  return stdout.trim();
};

// biome-ignore lint/style/noDefaultExport: jest's globalSetup is the default export of its file.
export default function installProgram() {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-installed-'));
  const top = join(import.meta.dirname, '../..');
  run('npm', ['--prefix', top, 'run', '--silent', 'build']);
  // No scripts: `prepare` is for those who develop here.
  const packed = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, top]));
  // npm 11 gives a list, npm 12 an object by package name.
  const [{ filename }] = Object.values(packed);
  run('npm', ['install', '--global', '--prefix', folder, '--no-audit', '--no-fund', join(folder, filename)]);
  process.env.MLOPS_TEST_BIN = join(folder, 'bin');
  process.env.MLOPS_TEST_TARBALL = join(folder, filename);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}
