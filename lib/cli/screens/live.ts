import type { GateEvent } from '../../gate/events.ts';
import { remarkLines } from './gate-events.ts';
import { advanceState, atFirst, type GateState } from './gate-state.ts';
import { jobLine, plannedLines } from './gate-words.ts';
import { paragraph } from './layout.ts';
import { lastBlock, liveBlock } from './live-block.ts';
import type { Setting } from './setting.ts';

/** A terminal, as far as it is needed here. */
export interface LiveStream {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

/** Milliseconds: not more than ten times a second, and often enough for seconds to be seen passing. */
const paintEvery = 100;
const tickEvery = 250;

/** One block at the end of the terminal that is written anew in its place. What is printed goes above it and stays. */
export class Live {
  readonly #stream: LiveStream;
  readonly #setting: Setting;
  readonly #now: () => number;
  #state: GateState = atFirst;
  #begun = false;
  #painted: readonly string[] = [];
  #paintedAt = Number.NEGATIVE_INFINITY;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  /** `now`: milliseconds since the epoch; it takes the place of the setting's. */
  constructor(stream: LiveStream, setting: Setting, now: () => number) {
    this.#stream = stream;
    this.#setting = setting;
    this.#now = now;
  }

  /** Lets time be seen passing between two events. */
  start(): void {
    this.#timer ??= setInterval(() => this.tick(), tickEvery).unref();
  }

  event(event: GateEvent): void {
    const before = this.#state;
    this.#begun = true;
    this.#state = advanceState(before, event, this.#now() / 1000);
    // One word for a whole outage: the block tells of every try.
    const repeated =
      (event.event === 'connection-lost' && before.lost !== undefined) ||
      (event.event === 'scheduler-silent' && before.silent !== undefined);
    const ended = event.event === 'retrying' ? jobLine(before, this.#at().clock) : undefined;
    const remarks = repeated ? [] : remarkLines(event, this.#at());
    // The run's line never changes: it stays, and what follows stands below it.
    const run = event.event === 'planned' ? plannedLines(event, this.#stream.columns) : [];
    const above = [...run, ...(ended === undefined ? [] : paragraph(ended[0], [ended[1]])), ...remarks];
    if (above.length > 0) this.print(above);
    else this.tick();
  }

  /** Lines that stay. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#write(lines.map((line) => `${line}\n`).join(''), this.#block());
  }

  /** What has come of it: below the block's last form, which stays above it. A later event begins a new block. */
  conclude(lines: readonly string[]): void {
    const all = [...this.#last(), ...lines];
    this.#write(all.map((line) => `${line}\n`).join(''), []);
  }

  tick(): void {
    if (this.#paused || this.#now() - this.#paintedAt < paintEvery) return;
    const block = this.#block();
    const same = block.length === this.#painted.length && block.every((line, index) => line === this.#painted[index]);
    if (!same) this.#write('', block);
  }

  /** The terminal is needed for a question: nothing is written until `resume`. */
  pause(): void {
    if (!this.#paused) this.#write('', []);
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#paintedAt = Number.NEGATIVE_INFINITY;
    this.tick();
  }

  /**
   * After Ctrl-C the terminal has written `^C`, and whoever started us may have written its prompt: nothing is rewritten any more, and
   * what is still to be said goes below.
   */
  release(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#begun = false;
    this.#state = atFirst;
    if (this.#painted.length > 0) this.#stream.write('\n');
    this.#painted = [];
  }

  /** The block's last form stays above whatever comes next. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.conclude([]);
  }

  #last(): readonly string[] {
    const last = lastBlock(this.#state, this.#at().clock);
    this.#begun = false;
    this.#state = atFirst;
    return last;
  }

  #at(): Setting {
    return { ...this.#setting, clock: { ...this.#setting.clock, now: this.#now() / 1000 } };
  }

  #block(): readonly string[] {
    if (this.#paused || !this.#begun) return [];
    const { clock, style } = this.#at();
    const { columns = 80, rows = 24 } = this.#stream;
    // What scrolls off the top cannot be written anew.
    return liveBlock(this.#state, columns || 80, clock, style).slice(0, Math.max(1, (rows || 24) - 1));
  }

  /** All at once, so that nothing flickers. */
  #write(above: string, block: readonly string[]): void {
    // As many lines as were written. After the window became narrower they may take more rows; then remains of the block are left
    // above it, but nothing that was printed before is ever erased.
    const up = this.#painted.length;
    const erase = up === 0 ? '' : `\r\u001b[${up}A\u001b[J`;
    const text = `${erase}${above}${block.map((line) => `${line}\n`).join('')}`;
    if (text !== '') this.#stream.write(text);
    this.#painted = block;
    this.#paintedAt = this.#now();
  }
}
