import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small image as a folder: this machine's /bin/sh and Debian's Python, with what they are linked to. No papermill. */
export async function pythonImage(): Promise<string> {
  const image = await mkdtemp(join(tmpdir(), 'mlops-image-'));
  for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/share', 'etc', 'tmp', 'dev', 'proc', 'sys', 'ch'])
    await mkdir(join(image, folder), { recursive: true });
  for (const folder of ['bin', 'lib', 'lib64']) await symlink(`usr/${folder}`, join(image, folder));
  for (const file of ['passwd', 'group', 'hosts', 'resolv.conf', 'nsswitch.conf'])
    await copyFile(join('/etc', file), join(image, 'etc', file)).catch(() => undefined);
  const { stdout: version } = await run('/usr/bin/python3', [
    '-c',
    'import sys; print("python%d.%d" % sys.version_info[:2])',
  ]);
  const python = version.trim();
  // How this machine reaches its package index.
  const trusted = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'].map(
    (name) => process.env[name],
  );
  for (const file of new Set([...trusted, '/etc/pip.conf'])) {
    if (file === undefined || !file.startsWith('/')) continue;
    await mkdir(join(image, dirname(file)), { recursive: true });
    await copyFile(file, join(image, file)).catch(() => undefined);
  }
  const programs = ['/bin/sh', '/bin/cat', `/usr/bin/${python}`];
  await run('cp', ['-RL', `/usr/lib/${python}`, join(image, 'usr/lib')]);
  // What Debian's venv makes pip from.
  await run('cp', ['-R', '/usr/share/python-wheels', join(image, 'usr/share')]);
  const { stdout: extensions } = await run('find', [`/usr/lib/${python}/lib-dynload`, '-name', '*.so']);
  // What wheels take from the system.
  const { stdout: known } = await run('/sbin/ldconfig', ['-p']);
  const forWheels = [
    ...known.matchAll(/lib(?:gcc_s|stdc\+\+|pthread|dl|rt|util|m)\.so\.\d+ \(libc6,x86-64\) => (\S+)/g),
  ].map(([, path = '']) => path);
  const { stdout: linked } = await run('ldd', [...programs, ...extensions.trim().split('\n')]);
  const libraries = new Set([...linked.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path));
  for (const path of [...programs, ...forWheels, ...libraries]) {
    const place = join(image, path.startsWith('/usr') ? path : `/usr${path}`);
    await mkdir(dirname(place), { recursive: true });
    await copyFile(path, place);
  }
  await symlink(python, join(image, 'usr/bin/python3'));
  return image;
}
