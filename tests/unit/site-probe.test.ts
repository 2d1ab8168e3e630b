import { describe, expect, test } from '@jest/globals';
import { parseFolder, parseSite } from '../../lib/cluster/site-probe.ts';
import { parseSlurmProbe } from '../../lib/cluster/slurm-probe.ts';

describe('what a machine says of its folder', () => {
  test('free space is that of the last four columns, whatever the device is called', () => {
    const text =
      'space=my nas:/vol 1 1048576 524288 524288 50% /mnt/my data\ninodes=my nas:/vol 1000 10 990 1% /mnt/my data\nlinks=yes\ntype=nfs\n';
    expect(parseFolder(text)).toEqual({
      free: 524288 * 1024,
      freeFiles: 990,
      type: 'nfs',
      mount: '/mnt/my data',
      hardLinks: true,
      quotas: [],
    });
  });

  test('a file system that makes inodes as they are needed says 0 of 0, which is no shortage', () => {
    expect(parseFolder('inodes=btrfs 0 0 0 - /home\ninodes=x 0 0 0 0% /\n').freeFiles).toBeUndefined();
  });

  test.each([
    [
      'quota -w -p',
      [
        'Disk quotas for user ann (uid 1000): ',
        '     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace',
        'nas:/home     1048576* 1000000 2000000 1700000000   12345  0  50000       0',
      ],
      { of: 'nas:/home', bytes: 1048576 * 1024, byteLimit: 1000000 * 1024, files: 12345, fileLimit: 50000 },
    ],
    [
      'lfs quota -q, whose long names have a line of their own',
      ['/lustre/scratch/project', '                 2048       0    4096       -     7*      5      10 1d'],
      { of: '/lustre/scratch/project', bytes: 2048 * 1024, byteLimit: 4096 * 1024, files: 7, fileLimit: 5 },
    ],
    ['no limit at all', ['/lustre 2048 0 0 - 7 0 0 -'], { of: '/lustre', bytes: 2048 * 1024, files: 7 }],
  ])('the quota of %s', (_what, lines, quota) => {
    expect(parseFolder(lines.map((line) => `quota=${line}`).join('\n')).quotas).toEqual([quota]);
  });

  test('a quota that could not be asked for keeps its words', () => {
    expect(parseFolder('quota-words=quota: cannot\nquota-words=contact the server\n').quotaWords).toBe(
      'quota: cannot\ncontact the server',
    );
  });

  test('an answer without a clock is none', () => {
    expect(parseSite('bash: date: command not found\nuser=ann\n')).toBeUndefined();
  });
});

test('partitions: which is the default one, which is down, and how long a job may be', () => {
  const mark = (name: string, text: string) => `\u001e${name}\u001e\n${text}\n\u001eend 0\u001e\n`;
  const probe = parseSlurmProbe(mark('partitions', 'main*|up|1-00:00:00\nshort|down|10:00\nlong|up|infinite\n'), '');
  expect(probe.partitions).toEqual([
    { name: 'main', up: true, isDefault: true, seconds: 86400 },
    { name: 'short', up: false, isDefault: false, seconds: 600 },
    { name: 'long', up: true, isDefault: false },
  ]);
  expect([probe.facts, probe.test]).toEqual([undefined, undefined]);
});
