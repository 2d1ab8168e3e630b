import { describe, expect, test } from '@jest/globals';
import { asJobId } from '../../lib/base/ids.ts';
import type { JobRef } from '../../lib/cluster/scheduler.ts';
import { parseBytes, parseDuration, parseEpoch, parseExitCode, parseReqMem } from '../../lib/cluster/slurm-fields.ts';
import { accounted, countAhead, parseFacts, parseQueue, shown } from '../../lib/cluster/slurm-parse.ts';
import { readNow, readSections } from '../../lib/cluster/slurm-script.ts';
import { slurmMeaning, slurmStates } from '../../lib/cluster/slurm-states.ts';

// What Slurm 22.05 has really printed, with SLURM_TIME_FORMAT=%s.
const name = 'mlops-65331aaaaaaaaaaa.1';
const job: JobRef = { id: asJobId('7'), name, submittedAt: 1795509010 };
const now = 1795509020;
const nobodyAhead = () => undefined;

describe('a state', () => {
  test.each([
    ['PENDING', 'queued'],
    ['PD', 'queued'],
    ['COMPLETING', 'running'],
    ['SUSPENDED', 'running'],
    ['PREEMPTED', 'passing'],
    ['REQUEUED', 'passing'],
    ['CANCELLED by 1234', 'ended'],
    ['CANCELLED+', 'ended'],
    ['REVOKED', 'elsewhere'],
    ['HIBERNATING', undefined],
    ['', undefined],
  ])('%s is %s', (word, kind) => {
    expect(slurmMeaning(word)?.kind).toBe(kind);
  });

  test('is in the table once, by its word and by its short form', () => {
    const names = slurmStates.flatMap(({ word, short }) => (short === undefined ? [word] : [word, short]));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a field', () => {
  test.each([
    ['0:07', 7],
    ['12:30', 750],
    ['1:00:00', 3600],
    ['2-03:04:05', 183_845],
    ['INVALID', undefined],
  ])('of a duration, %s', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  test.each([
    ['1795509010', 1795509010],
    ['N/A', undefined],
    ['Unknown', undefined],
    ['0', undefined],
  ])('of a time, %s', (text, at) => expect(parseEpoch(text)).toBe(at));

  test.each([
    ['147372K', 150_908_928],
    ['1.50G', 1_610_612_736],
    ['12', 12],
    ['', undefined],
    ['16?', undefined],
  ])('of a size, %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each([
    ['16G', 4, 2, 17_179_869_184],
    ['4Gc', 4, 2, 17_179_869_184],
    ['8Gn', 4, 2, 17_179_869_184],
    ['16?', 1, 1, undefined],
  ])('of a request for memory, %s', (text, cpus, nodes, bytes) => expect(parseReqMem(text, cpus, nodes)).toBe(bytes));

  test.each([
    ['3:0', { exitCode: 3 }],
    ['0:9', { exitCode: 0, signal: 9 }],
    ['', {}],
  ])('of an exit code, %s', (text, exit) => expect(parseExitCode(text)).toEqual(exit));
});

describe('squeue', () => {
  test('says that a job runs, waits and why, and is silent about one that has ended', () => {
    const text = [
      'Maintenance on Friday | Saturday!',
      `7|RUNNING|N/A|None|1795509011|1:01|c1|main|1795509010|4294901759|${name}`,
      '8|PENDING|N/A|Resources|1795512345|0:00||main,gpu|1795509010|100|other | name',
      '9|FAILED|N/A|JobLaunchFailure|1795509011|0:01|c1|main|1795509010|4294901759|ended',
      '10|HIBERNATING|N/A|None|N/A|0:00||main|1795509010|1|new',
      '11|PENDING|1-4%2|JobArrayTaskLimit|N/A|0:00||main|1795509010|1|array',
    ].join('\n');
    expect(parseQueue(text, (partition, priority) => (partition === 'main,gpu' ? priority / 50 : undefined))).toEqual([
      expect.objectContaining({
        id: '7',
        name,
        live: true,
        status: { state: 'running', node: 'c1', elapsedSeconds: 61 },
      }),
      expect.objectContaining({
        id: '8',
        name: 'other | name',
        status: { state: 'queued', reason: 'Resources', partition: 'main,gpu', expectedStart: 1795512345, ahead: 2 },
      }),
      expect.objectContaining({ id: '9', live: false, status: undefined }),
      expect.objectContaining({ id: '10', status: { state: 'unknown', word: 'HIBERNATING' } }),
      expect.objectContaining({ id: '11', tasks: [1, 2, 3, 4] }),
    ]);
    expect(parseQueue('', nobodyAhead)).toEqual([]);
  });

  test('counts who is before a job: more priority, one partition in common', () => {
    const ahead = countAhead('      3 main|200\n      2 gpu,main|150\n      9 gpu|90\n     40 cpu|500\n');
    expect(ahead('main', 100)).toBe(5);
    expect(ahead('gpu', 80)).toBe(11);
    expect(ahead('main', 200)).toBe(0);
    expect(countAhead(undefined)('main', 1)).toBeUndefined();
  });
});

describe('sacct', () => {
  const line = (more: Partial<Record<'state' | 'exit' | 'submit' | 'end' | 'mem' | 'name', string>>) =>
    `7|${more.state ?? 'COMPLETED'}|${more.exit ?? '0:0'}|${more.submit ?? '1795509010'}|${more.end ?? '1795509012'}|2||${more.mem ?? '58M'}|1|1|c1|${more.name ?? name}`;
  const batch = (state: string, rss = '2000K') => `7.batch|${state}|0:0|1795509011|1795509012|1|${rss}||1|1|c1|batch`;
  const said = (...lines: string[]) => accounted(lines.join('\n'), job, now);

  test('tells how a job ended, how long it took and how much memory', () => {
    expect(said(line({ state: 'FAILED', exit: '3:0' }), batch('FAILED'))).toEqual({
      state: 'ended',
      how: 'failed',
      word: 'FAILED',
      exitCode: 3,
      elapsedSeconds: 2,
      peakMemory: 2_048_000,
      node: 'c1',
    });
    expect(said(line({ state: 'CANCELLED by 1001' }))).toMatchObject({ how: 'cancelled', word: 'CANCELLED' });
  });

  test('says out of memory where only a step was, and where only the sizes tell it', () => {
    expect(said(line({}), batch('OUT_OF_MEMORY'))).toMatchObject({ how: 'out-of-memory', word: 'COMPLETED' });
    expect(said(line({ state: 'FAILED', exit: '0:9' }), batch('CANCELLED by 0', '147372K'))).toMatchObject({
      how: 'out-of-memory',
    });
    expect(said(line({ state: 'FAILED', exit: '0:9' }), batch('CANCELLED by 0'))).toMatchObject({ how: 'failed' });
  });

  test('is not believed about another job: an earlier one of the same id, another name, one that it has not named yet', () => {
    expect(said(line({ submit: '1494509010' }))).toBeUndefined();
    expect(said(line({ name: 'theirs' }))).toBeUndefined();
    expect(said(line({ name: 'allocation', mem: '16?' }))).toBeUndefined();
    expect(said('')).toBeUndefined();
  });

  test('says of a preempted job that it may come back, for two minutes', () => {
    const preempted = line({ state: 'PREEMPTED', end: String(now - 100) });
    expect(said(preempted)).toEqual({ state: 'queued', reason: 'PREEMPTED' });
    expect(accounted(preempted, job, now + 60)).toEqual({ state: 'ended', how: 'preempted', word: 'PREEMPTED' });
  });

  test('that still believes in a job which nobody else knows is unknown', () => {
    expect(said(line({ state: 'RUNNING' }))).toEqual({ state: 'unknown', word: 'RUNNING' });
  });
});

describe('scontrol', () => {
  const line = (state: string, more = 'ExitCode=0:0') =>
    `JobId=7 JobName=${name} UserId=me(1001) Priority=4294901758 Account=(null) JobState=${state} Reason=BeginTime Dependency=(null) Restarts=0 ${more} RunTime=00:01:01 TimeLimit=00:10:00 StartTime=1795509011 EndTime=1795509015 Partition=main NodeList=c1 BatchHost=c1 Command=/work dir/job.sh Comment=${name}  StdErr=/work dir/log Power= `;
  const said = (text: string, accounting = false) => shown(text, job, now, accounting);

  test('tells how a job ended, waits or runs, whatever else stands around it', () => {
    expect(said(`quota: 98 %\n${line('FAILED', 'ExitCode=3:0')}\n`)).toMatchObject({
      how: 'failed',
      exitCode: 3,
      node: 'c1',
    });
    expect(said(line('PENDING'))).toEqual({ state: 'queued', reason: 'BeginTime', partition: 'main' });
    expect(said(line('RUNNING'))).toEqual({ state: 'running', node: 'c1', elapsedSeconds: 61 });
    expect(said(line('HIBERNATING'))).toEqual({ state: 'unknown', word: 'HIBERNATING' });
  });

  test('of a preempted job that may not be started again is its end, at once', () => {
    expect(said(line('PREEMPTED', 'Requeue=1'))).toEqual({ state: 'queued', reason: 'PREEMPTED' });
    expect(said(line('PREEMPTED', 'Requeue=0'))).toMatchObject({ state: 'ended', how: 'preempted', node: 'c1' });
  });

  test('knows a job that was given another name by its comment', () => {
    expect(said(line('RUNNING').replace(`JobName=${name}`, 'JobName=theirs'))).toMatchObject({ state: 'running' });
    expect(said(line('RUNNING').replace(`Comment=${name}`, 'Comment=(null)'))).toMatchObject({ state: 'running' });
  });

  test('has no say about another job', () => {
    expect(said('No jobs in the system')).toBeUndefined();
    expect(said(line('RUNNING').replace('JobId=7', 'JobId=70'))).toBeUndefined();
    expect(said(line('RUNNING').replaceAll(name, 'theirs'))).toBeUndefined();
  });

  test('waits for accounting to say whether a killed job was killed for its memory', () => {
    const killed = line('FAILED', 'ExitCode=0:9');
    expect(said(killed, true)).toMatchObject({ state: 'running' });
    expect(shown(killed, job, now + 60, true)).toMatchObject({ state: 'ended', how: 'failed', signal: 9 });
    expect(said(killed, false)).toMatchObject({ state: 'ended', how: 'failed', signal: 9 });
  });

  test('shows the site: accounting, MinJobAge, preemption, hidden jobs', () => {
    const config = (lines: string) => ({ code: 0, stdout: lines, stderr: '' });
    expect(
      parseFacts(
        config(
          'AccountingStorageType   = accounting_storage/none\nMinJobAge               = 300 sec\nPreemptMode             = OFF\nPrivateData             = jobs,usage\nSLURM_VERSION           = 22.05.8',
        ),
      ),
    ).toEqual({ accounting: false, privateJobs: true, version: '22.05.8', minJobAge: 300, preemptMode: 'OFF' });
    expect(parseFacts({ ...config(''), code: 1 })).toBeUndefined();
  });
});

describe('the answer to one script', () => {
  const mark = (text: string) => `\u001e${text}\u001e\n`;

  test('is taken apart by its marks, a banner before it and an end that is missing', () => {
    const stdout = `hello\n${mark('now 1795509020')}${mark('squeue')}a\nb\n\n${mark('end 0')}${mark('sacct')}broken o`;
    const sections = readSections(stdout, `banner\n${mark('squeue')}${mark('sacct')}slurm: error\n`);
    expect(Object.fromEntries(sections)).toEqual({
      squeue: { code: 0, stdout: 'a\nb\n', stderr: '' },
      sacct: { code: 255, stdout: 'broken o', stderr: 'slurm: error' },
    });
    expect(readNow(stdout)).toBe(1795509020);
    expect(readNow('')).toBeUndefined();
  });
});
