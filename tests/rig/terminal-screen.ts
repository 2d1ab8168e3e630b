import { width } from '../../lib/cli/screens/layout.ts';

/**
 * What a terminal of so many columns shows after what was written to it: enough of one (new lines, carriage return, cursor up, erase
 * to the end, wrapping) to see whether a block is rewritten in its place. Any other escape sequence is an error.
 */
export class TerminalScreen {
  columns: number;
  rows = 24;
  writes = 0;
  readonly #lines: string[] = [''];
  #row = 0;
  #fresh = true;

  constructor(columns = 80) {
    this.columns = columns;
  }

  get lines(): readonly string[] {
    return this.#lines.at(-1) === '' ? this.#lines.slice(0, -1) : this.#lines;
  }

  write(text: string): void {
    this.writes += 1;
    for (const part of text.replace(/\u001b\[\d*m/g, '').split(/(\r|\n|\u001b\[\d*[A-Z])/)) {
      if (part === '') continue;
      if (part === '\n') this.#newLine();
      else if (part === '\r') this.#fresh = true;
      else if (/^\u001b\[\d+A$/.test(part)) this.#row = Math.max(0, this.#row - Number(part.slice(2, -1)));
      else if (part === '\u001b[J') this.#lines.splice(this.#row, Number.POSITIVE_INFINITY, '');
      else if (/[\u0000-\u001f]/.test(part)) throw new Error(`not known here: ${JSON.stringify(part)}`);
      else this.#put(part);
    }
  }

  #put(text: string): void {
    for (const character of text) {
      const before = this.#fresh ? '' : (this.#lines[this.#row] ?? '');
      if (before !== '' && width(before + character) > this.columns) {
        this.#newLine();
        this.#lines[this.#row] = character;
      } else this.#lines[this.#row] = before + character;
      this.#fresh = false;
    }
  }

  #newLine(): void {
    this.#row += 1;
    if (this.#row >= this.#lines.length) this.#lines.push('');
    this.#fresh = true;
  }
}
