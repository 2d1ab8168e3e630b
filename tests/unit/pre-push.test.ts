import { describe, expect, test } from '@jest/globals';
import { asOid } from '../../lib/base/ids.ts';
import { gatedUpdates, parsePrePush } from '../../lib/git/pre-push.ts';
import { holdSeconds, transportOf } from '../../lib/git/transport.ts';

const a = asOid('a'.repeat(40));
const b = asOid('b'.repeat(40));
const zero = '0'.repeat(40);
const parse = (...lines: string[]) => parsePrePush(lines.map((line) => `${line}\n`).join(''), 'origin', 'git@host:x');
const gated = (...lines: string[]) => gatedUpdates(parse(...lines));

describe('what git tells a pre-push hook', () => {
  test('is nothing when everything is up to date', () => {
    expect(parse()).toEqual([]);
  });

  test('may name the local side with spaces', () => {
    expect(parse(`HEAD@{1 day ago} ${a} refs/heads/main ${b}`)).toEqual([
      {
        localRef: 'HEAD@{1 day ago}',
        localOid: a,
        remoteRef: 'refs/heads/main',
        remoteOid: b,
        remote: 'origin',
        url: 'git@host:x',
        bareUrl: false,
      },
    ]);
  });

  test('has zeros of either length for what does not exist', () => {
    expect(parse(`(delete) ${zero} refs/heads/x ${a}`)[0]?.localOid).toBeUndefined();
    const long = 'c'.repeat(64);
    const [update] = parse(`refs/heads/x ${long} refs/heads/x ${'0'.repeat(64)}`);
    expect(update).toMatchObject({ localOid: long, remoteOid: undefined });
  });

  test('names a bare URL twice', () => {
    expect(parsePrePush(`main ${a} refs/heads/main ${zero}\n`, '/srv/x.git', '/srv/x.git')[0]?.bareUrl).toBe(true);
  });
});

describe('what is gated', () => {
  test.each([
    ['a branch', `main ${a} refs/heads/main ${b}`, ['main']],
    ['a branch with slashes', `main ${a} refs/heads/release/1.0 ${zero}`, ['release/1.0']],
    ['a deletion', `(delete) ${zero} refs/heads/main ${a}`, undefined],
    ['a tag', `refs/tags/v1 ${a} refs/tags/v1 ${zero}`, undefined],
    ['a review ref', `HEAD ${a} refs/for/main ${zero}`, undefined],
    ['our own notes', `refs/notes/mlops ${a} refs/notes/mlops ${zero}`, undefined],
  ])('%s', (_, line, branches) => {
    expect(gated(line)[0]?.branches.map(({ name }) => name)).toEqual(branches);
  });

  test('each commit once, with every branch that gets it', () => {
    expect(gated(`x ${a} refs/heads/x ${zero}`, `y ${a} refs/heads/y ${b}`, `z ${b} refs/heads/z ${zero}`)).toEqual([
      {
        commit: a,
        branches: [
          { name: 'x', before: undefined },
          { name: 'y', before: b },
        ],
      },
      { commit: b, branches: [{ name: 'z', before: undefined }] },
    ]);
  });
});

describe('how long a push may be held', () => {
  test.each([
    ['git@github.com:group/recs.git', { kind: 'ssh', host: 'github.com' }, 240],
    ['ssh://git@GitHub.com/group/recs.git', { kind: 'ssh', host: 'github.com' }, 240],
    ['ssh://git@ssh.github.com:443/group/recs.git', { kind: 'ssh', host: 'ssh.github.com' }, 240],
    ['git@gitlab.com:group/recs.git', { kind: 'ssh', host: 'gitlab.com' }, 60],
    ['login.hpc.example.edu:recs.git', { kind: 'ssh', host: 'login.hpc.example.edu' }, 20],
    ['[git@host.example:2222]:recs.git', { kind: 'ssh', host: 'host.example' }, 20],
    ['ssh://git@[::1]:2222/recs.git', { kind: 'ssh', host: '::1' }, 20],
    ['https://github.com/group/recs.git', { kind: 'http', host: 'github.com' }, undefined],
    ['https://user:pass@host.example:8443/x', { kind: 'http', host: 'host.example' }, undefined],
    ['git://host.example/x', { kind: 'git', host: 'host.example' }, 20],
    ['/srv/git/recs.git', { kind: 'file' }, undefined],
    ['../recs.git', { kind: 'file' }, undefined],
    ['./folder:with-colon', { kind: 'file' }, undefined],
    ['C:/git/recs.git', { kind: 'file' }, undefined],
    ['file:///srv/git/recs.git', { kind: 'file' }, undefined],
    ['ext::sh -c something', { kind: 'helper', name: 'ext' }, 20],
  ])('%s', (url, transport, seconds) => {
    expect(transportOf(url)).toEqual(transport);
    expect(holdSeconds(url)).toBe(seconds);
  });
});
