import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const requirements = ['papermill', 'ipykernel', 'numpy'];

/** A Python with papermill, ipykernel and numpy: made once per machine and list, whichever of jest's workers comes first. */
export async function pythonEnvironment(): Promise<string> {
  const key = createHash('sha256').update(requirements.join(' ')).digest('hex').slice(0, 12);
  const shared = join(tmpdir(), `mlops-tests-${userInfo().uid}`);
  const folder = join(shared, `venv-${key}`);
  await mkdir(shared, { recursive: true, mode: 0o700 });
  await underLock(`${folder}.lock`, async () => {
    if (await exists(join(folder, 'complete'))) return;
    await rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/python'), [
      '-m',
      'pip',
      'install',
      '-q',
      '--disable-pip-version-check',
      ...requirements,
    ]);
    await run(join(folder, 'bin/python'), ['-c', 'import papermill, ipykernel, numpy']);
    await writeFile(join(folder, 'complete'), '');
  });
  return folder;
}

const exists = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  );

/** mkdir is atomic; a lock whose owner has not touched it for 30 s belongs to a test run that was killed. */
async function underLock(lock: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    const taken = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (taken) break;
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 30_000) await rm(lock, { recursive: true, force: true });
    else await sleep(200);
  }
  const beat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), 5000);
  try {
    await work();
  } finally {
    clearInterval(beat);
    await rm(lock, { recursive: true, force: true });
  }
}
