import { describe, expect, test } from '@jest/globals';
import { PlainProgress } from '../../lib/cli/screens/gate-events.ts';
import { Live } from '../../lib/cli/screens/live.ts';
import { plain } from '../../lib/cli/style.ts';
import type { JobStatus } from '../../lib/cluster/scheduler.ts';
import type { GateEvent } from '../../lib/gate/events.ts';
import { golden } from '../rig/golden.ts';
import { commit, fingerprint } from '../rig/sample-report.ts';
import { dangerous, evil, now, screen, setting, tooWide } from '../rig/screen.ts';
import { TerminalScreen } from '../rig/terminal-screen.ts';

const place = 'login.hpc.example.edu';
const job = '481516';
const planned: GateEvent = {
  event: 'planned',
  fingerprint,
  commit,
  place,
  environment: { label: 'mlops', ready: true },
  files: 1,
  bytes: 3000,
  steps: 1,
};
const submitted: GateEvent = { event: 'submitted', job, attempt: 1, place };
const status = (state: JobStatus): GateEvent => ({ event: 'status', job, status: state });
const queued = (ahead: number, expectedStart = now + 120): JobStatus => ({
  state: 'queued',
  reason: 'Resources',
  partition: 'gpu',
  ahead,
  expectedStart,
});
const running = (elapsedSeconds: number): JobStatus => ({ state: 'running', node: 'c117', elapsedSeconds });
const cell = (index: number): GateEvent => ({ event: 'progress', line: `step 1 of 1 cell ${index} of 69` });
const ended: JobStatus = { state: 'ended', how: 'completed', word: 'COMPLETED', elapsedSeconds: 68 };
const lost = (retryInSeconds: number): GateEvent => ({
  event: 'connection-lost',
  hasJob: true,
  error: { reason: 'lost', host: place, detail: 'read ECONNRESET' },
  retryInSeconds,
});

/** Seconds after the push began, and what happened then. */
type Story = readonly (readonly [seconds: number, event: GateEvent])[];

const ordinary: Story = [
  [0, { event: 'fetching-reports', remote: 'origin' }],
  [1, { event: 'hashing', files: 12, bytes: 2_480_000 }],
  [1, { event: 'connecting', place }],
  [2, planned],
  [2, { event: 'uploading', bytes: 0, of: 3000 }],
  [2, { event: 'uploading', bytes: 3000, of: 3000 }],
  [3, submitted],
  [3, status(queued(3))],
  [18, status(queued(2))],
  [33, status(queued(1))],
  [48, status(running(2))],
  [48, { event: 'progress', line: 'starting' }],
  [49, { event: 'progress', line: 'environment' }],
  ...Array.from({ length: 60 }, (_, index): Story[number] => [50 + index, cell(index + 1)]),
  [110, { event: 'log', text: 'epoch 1: loss 0.1\n', left: 0 }],
  [116, { event: 'progress', line: 'keeping results' }],
  [117, status(ended)],
  [117, { event: 'collecting' }],
];

const rough: Story = [
  [0, { event: 'waiting-for-recorder' }],
  [5, { event: 'hashing', files: 100_000, bytes: 34_000_000_000 }],
  [8, { event: 'hashing', files: 100_000, bytes: 34_000_000_000 }],
  [20, { ...planned, environment: { label: 'mlops', ready: false }, files: 4000, bytes: 2_700_000_000 }],
  ...Array.from({ length: 55 }, (_, index): Story[number] => [
    20 + index * 5,
    { event: 'uploading', bytes: index * 50_000_000, of: 2_700_000_000 },
  ]),
  [300, { ...submitted, event: 'attached' }],
  [301, status({ state: 'queued', reason: 'AssocGrpGRES' })],
  [330, lost(2)],
  [333, lost(4)],
  [340, lost(8)],
  [350, status(running(9))],
  [351, { event: 'progress', line: 'environment building: conda installs numpy' }],
  [380, { event: 'progress', line: 'environment building: conda installs scipy' }],
  [385, { event: 'progress', line: 'environment building: importing' }],
  [390, { event: 'progress', line: 'step 1 of 2 cell 1 of 10' }],
  [391, { event: 'scheduler-silent', detail: 'slurm_load_jobs error: Unable to contact slurm controller' }],
  [395, { event: 'scheduler-silent', detail: 'slurm_load_jobs error: Unable to contact slurm controller' }],
  [400, { event: 'progress', line: 'step 2 of 2' }],
  [410, status({ state: 'ended', how: 'node-failed', word: 'NODE_FAIL' })],
  [411, { event: 'retrying', reason: 'node-failed', attempt: 2, of: 3 }],
  [412, { ...submitted, attempt: 2, job: '481600' } as GateEvent],
  [413, { event: 'status', job: '481600', status: { state: 'absent' } }],
  [420, { event: 'publish-failed', reason: 'refused', detail: 'remote: GitLab: You are not allowed to push' }],
  [421, { event: 'report-ignored', path: 'runs/5b/5b7e90d/20261123T101010Z-000001/report.json', reason: 'malformed' }],
];

const tell = (story: Story): readonly string[] => {
  const progress = new PlainProgress(setting);
  return story.flatMap(([seconds, event]) => progress.lines(event, now + seconds));
};

describe('progress without a terminal', () => {
  test.each([
    ['ordinary', ordinary],
    ['rough', rough],
  ])('%s push: a line where something has changed', (name, story) => {
    const lines = tell(story);
    const text = screen('git push 2>&1 | cat', lines);
    expect(text).toBe(golden(`screens/progress-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('a flood of events gives a line every ten percent or thirty seconds', () => {
    const progress = new PlainProgress(setting);
    progress.lines(submitted, now);
    const flood = Array.from({ length: 10_000 }, (_, index) =>
      progress.lines({ event: 'progress', line: `step 1 of 1 cell ${index + 1} of 10000` }, now + index / 1000),
    );
    expect(flood.flat()).toHaveLength(11);
  });

  test('what was held back is told when time has passed', () => {
    const progress = new PlainProgress(setting);
    for (const event of [submitted, status(running(0)), cell(1)]) progress.lines(event, now);
    expect(progress.lines(cell(2), now + 1)).toEqual([]);
    expect(progress.tick(now + 20)).toEqual([]);
    expect(progress.tick(now + 40)).toEqual(['       running  c117 · cell 2 of 69 · 0:40']);
    expect(progress.tick(now + 80)).toEqual([]);
  });

  test('hostile text is harmless', () => {
    const lines = tell([
      [0, { ...planned, place: evil, environment: { label: evil, ready: true } } as GateEvent],
      [1, { event: 'submitted', job: evil, attempt: 1, place: evil }],
      [2, { event: 'status', job: evil, status: { state: 'queued', reason: evil, partition: evil } }],
      [3, { event: 'status', job: evil, status: { state: 'running', node: evil, elapsedSeconds: 1 } }],
      [40, { event: 'progress', line: evil }],
      [41, { event: 'scheduler-silent', detail: evil }],
      [42, { event: 'report-ignored', path: evil, reason: evil }],
      [43, { event: 'publish-failed', reason: evil, detail: evil }],
      [99, { event: 'status', job: evil, status: { state: 'unknown', word: evil } }],
    ]);
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

/** A terminal, and the block on it after every event of a story. */
function watch(story: Story, columns = 80) {
  const terminal = new TerminalScreen(columns);
  let seconds = 0;
  const live = new Live(terminal, { ...setting, style: plain }, () => (now + seconds) * 1000);
  const at = (time: number) => {
    seconds = time;
  };
  terminal.write('$ git push\n');
  for (const [time, event] of story) {
    at(time);
    live.event(event);
    at(time + 0.2);
    live.tick();
  }
  return { terminal, live, at };
}

describe('the live block', () => {
  test.each([
    [5, 'queued', 9],
    [48, 'running', 60],
    [2, 'connecting', 3],
  ])('after %s s it shows what goes on: %s', (_seconds, name, events) => {
    const { terminal } = watch(ordinary.slice(0, events));
    const text = [...terminal.lines, ''].join('\n');
    expect(text).toBe(golden(`screens/live-${name}.txt`, text));
  });

  test('an upload has a bar, a rate and the time left', () => {
    const { terminal } = watch(rough.slice(0, 30), 100);
    const text = [...terminal.lines, ''].join('\n');
    expect(text).toBe(golden('screens/live-sending.txt', text));
  });

  test('a push that was watched to its end keeps three lines', () => {
    const { terminal, live } = watch(ordinary, 100);
    live.end();
    expect(terminal.lines).toEqual([
      '$ git push',
      'mlops  run 5b7e90d on login.hpc.example.edu · environment mlops ready · 1 file, 2.9 KB to send',
      '       ended    job 481516 · COMPLETED · 1:08',
    ]);
  });

  test('the verdict stands below what has become of the job, and the next commit begins anew', () => {
    const { terminal, live } = watch(ordinary, 100);
    live.conclude(['mlops  PASS']);
    live.event({ event: 'hashing', files: 1, bytes: 1 });
    live.end();
    expect(terminal.lines.slice(2)).toEqual(['       ended    job 481516 · COMPLETED · 1:08', 'mlops  PASS']);
  });

  test('a verdict that is known leaves nothing', () => {
    const { terminal, live } = watch(ordinary.slice(0, 2));
    live.end();
    expect(terminal.lines).toEqual(['$ git push']);
  });

  test('what is printed stays above, once for a whole outage', () => {
    const { terminal, live } = watch(rough, 100);
    live.print(['something else']);
    live.end();
    const text = [...terminal.lines, ''].join('\n');
    expect(text).toBe(golden('screens/live-rough.txt', text));
  });

  test.each([2, 10, 20, 39, 79, 200])('on %s columns it is rewritten in its place', (columns) => {
    const { live, terminal } = watch(ordinary, columns);
    live.pause();
    const shown = terminal.lines.join('').replaceAll(' ', '');
    expect(shown).toBe('$gitpushmlopsrun5b7e90donlogin.hpc.example.edu·environmentmlopsready·1file,2.9KBtosend');
  });

  test('a window that becomes narrower loses nothing that was printed', () => {
    const { terminal, live, at } = watch([...ordinary.slice(0, 9)], 120);
    terminal.columns = 40;
    at(60);
    live.tick();
    expect(terminal.lines[0]).toBe('$ git push');
    expect(terminal.lines.at(-1)).toBe('       queued   job 481516 · 3rd for g…');
  });

  test('a flood of log lines repaints at most ten times a second and shows the last', () => {
    const { terminal, live, at } = watch([
      [0, planned],
      [1, submitted],
      [2, status(running(1))],
    ]);
    const before = terminal.writes;
    for (let index = 0; index < 10_000; index += 1) {
      at(3 + index / 10_000);
      live.event({ event: 'log', text: `epoch ${index}\n`, left: 0 });
    }
    at(4.2);
    live.tick();
    expect(terminal.writes - before).toBeLessThanOrEqual(12);
    expect(terminal.lines.at(-1)).toBe('       log      epoch 9999');
  });

  test('a progress bar of the job shows its last state, also when a line comes in pieces', () => {
    const { terminal } = watch([
      [0, planned],
      [1, submitted],
      [2, status(running(1))],
      [3, { event: 'log', text: ' 10%|#         |\r 20%|##        |\r 3', left: 0 }],
      [4, { event: 'log', text: '0%|###       |', left: 0 }],
    ]);
    expect(terminal.lines.at(-1)).toBe('       log      30%|###       |');
  });

  test('hostile text moves no cursor', () => {
    const { terminal } = watch([
      [0, { ...planned, place: evil } as GateEvent],
      [1, { event: 'submitted', job: evil, attempt: 1, place: evil }],
      [2, { event: 'log', text: `${evil}\u001b[10A\u001b[2K`, left: 0 }],
      [3, { event: 'progress', line: evil }],
      [4, { event: 'status', job: evil, status: { state: 'queued', reason: '漢字'.repeat(99), partition: evil } }],
    ]);
    expect(dangerous(terminal.lines)).toEqual([]);
    expect(terminal.lines[0]).toBe('$ git push');
  });

  test('after Ctrl-C nothing that stands on the terminal is written over', () => {
    const { terminal, live } = watch(ordinary.slice(0, 9));
    const before = terminal.lines.slice();
    live.release();
    live.print(['the job goes on']);
    expect(terminal.lines.slice(0, before.length)).toEqual(before);
    expect(terminal.lines.at(-1) === '' ? terminal.lines.at(-2) : terminal.lines.at(-1)).toBe('the job goes on');
  });

  test('a question has the terminal for itself', () => {
    const { terminal, live } = watch(ordinary.slice(0, 9));
    const before = terminal.lines.slice(0, 3);
    live.pause();
    expect(terminal.lines).toEqual(before);
    live.event(status(running(1)));
    live.tick();
    expect(terminal.lines).toEqual(before);
    live.resume();
    expect(terminal.lines).toHaveLength(4);
  });
});
