/** What a text is made of, as far as it matters to where it is cut: blocks, end to end. */
import type { SplitOptions } from './split-options.ts';

export interface Block {
  /** UTF-16 offsets; blank lines belong to the block before them. */
  start: number;
  end: number;
  /** `end` without the blank lines. */
  contentEnd: number;
  kind: 'heading' | 'prose' | 'code';
  /** Titles of the sections that it is in, the outermost first; a heading is in its own. */
  headings: readonly string[];
}

/** A longer line is no heading. It bounds what each chunk repeats of its path. */
const HEADING_CHARACTERS_MAX = 200;
/** A "---" much further below closes no front matter. */
const FRONT_MATTER_CHARACTERS_MAX = 10_000;

export function findBlocks(text: string, format: NonNullable<SplitOptions['format']>): Block[] {
  const finder = new BlockFinder(text);
  if (format === 'markdown') findMarkdown(finder, text);
  else if (format === 'code') findCode(finder);
  else findParagraphs(finder);
  return finder.blocks;
}

interface Line {
  start: number;
  /** Behind its line feed. */
  end: number;
  /** Its first characters, without the line end: all that says what it is. */
  head: string;
  isBlank: boolean;
  isWhole: boolean;
}

class BlockFinder {
  readonly #text: string;
  readonly blocks: Block[] = [];
  #at = 0;
  headings: readonly string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** The line at this offset. */
  lineAt(start: number): Line | undefined {
    const text = this.#text;
    if (start >= text.length) return undefined;
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed + 1;
    const headEnd = Math.min(end, start + HEADING_CHARACTERS_MAX);
    const head = text.slice(start, headEnd).trimEnd();
    const isWhole = headEnd === end;
    return { start, end, head, isWhole, isBlank: isWhole && head === '' };
  }

  /** Each line must be in a block when the next is asked for, unless it is blank. */
  *lines(): Generator<Line> {
    for (let line = this.lineAt(this.#at); line; line = this.lineAt(this.#at)) {
      this.#at = line.end;
      yield line;
      if (!line.isBlank && this.#at === line.end) this.#endContent(line);
    }
  }

  /** Goes on behind this line, which belongs to the block begun last. */
  skipPast(line: Line): void {
    this.#at = line.end;
    this.#endContent(line);
  }

  #endContent({ start, end, head, isWhole }: Line): void {
    this.blocks.at(-1)!.contentEnd = isWhole ? start + head.length : end;
  }

  /** A block from `start` on; what came before ends there. */
  begin(start: number, kind: Block['kind']): Block {
    const before = this.blocks.at(-1);
    if (before) before.end = start;
    const block: Block = {
      start: before ? start : 0,
      end: this.#text.length,
      contentEnd: this.#text.length,
      kind,
      headings: this.headings,
    };
    this.blocks.push(block);
    return block;
  }
}

function findParagraphs(finder: BlockFinder): void {
  let isOpen = false;
  for (const line of finder.lines()) {
    if (!line.isBlank && !isOpen) finder.begin(line.start, 'prose');
    isOpen = !line.isBlank;
  }
}

/** A block begins where a line behind a blank one is not indented and closes nothing: with a declaration, mostly. */
function findCode(finder: BlockFinder): void {
  let wasBlank = true;
  for (const line of finder.lines()) {
    if (!line.isBlank && (finder.blocks.length === 0 || (wasBlank && /^[^\s})\]]/.test(line.head))))
      finder.begin(line.start, 'code');
    wasBlank = line.isBlank;
  }
}

/** After CommonMark 0.31, as far as headings, fences and paragraphs go: https://spec.commonmark.org/0.31.2/ */
function findMarkdown(finder: BlockFinder, text: string): void {
  const path = new HeadingPath();
  skipFrontMatter(finder, text);
  let paragraph: Block | undefined;
  let paragraphLines: Line[] = [];
  const endParagraph = () => {
    paragraph = undefined;
    paragraphLines = [];
  };
  for (const line of finder.lines()) {
    if (line.isBlank) {
      endParagraph();
      continue;
    }
    const heading = atxHeading(line);
    const fence = FENCE_OPENING.exec(line.head)?.[1];
    const underline = line.isWhole && paragraphLines.length === 1 && UNDERLINE.exec(line.head)?.[1];
    if (heading) {
      finder.headings = path.enter(heading.level, heading.title);
      finder.begin(line.start, 'heading');
      endParagraph();
    } else if (fence) {
      finder.begin(line.start, 'code');
      finder.skipPast(lastOfFence(finder, line, fence));
      endParagraph();
    } else if (underline && paragraph && paragraphLines[0]!.isWhole) {
      finder.headings = path.enter(underline.startsWith('=') ? 1 : 2, paragraphLines[0]!.head.trim());
      Object.assign(paragraph, { kind: 'heading', headings: finder.headings });
      endParagraph();
    } else {
      paragraph ??= finder.begin(line.start, 'prose');
      if (paragraphLines.length < 2) paragraphLines.push(line);
    }
  }
}

/** Indented as deep as in nested lists. A line of backticks with more of them behind is code within a sentence. */
const FENCE_OPENING = /^[ \t]{0,12}(`{3,}(?=[^`]*$)|~{3,})/;
const UNDERLINE = /^ {0,3}(={2,}|-{2,})$/;

function atxHeading({ head, isWhole }: Line): { level: number; title: string } | undefined {
  const marks = isWhole ? /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(head) : null;
  if (!marks) return undefined;
  return { level: marks[1]!.length, title: withoutClosingMarks(head.slice(marks[0].length).trim()) };
}

/** "Title ##" is "Title"; "C#" stays as it is. */
function withoutClosingMarks(title: string): string {
  let end = title.length;
  while (title[end - 1] === '#') end--;
  if (end === 0) return '';
  return end < title.length && /\s/.test(title[end - 1]!) ? title.slice(0, end).trimEnd() : title;
}

/** The line that closes a fence; the text's last one if none does. */
function lastOfFence(finder: BlockFinder, opening: Line, fence: string): Line {
  let last = opening;
  for (let line = finder.lineAt(opening.end); line; line = finder.lineAt(line.end)) {
    last = line;
    const marks = line.head.trim();
    if (marks.length >= fence.length && line.isWhole && marks === fence[0]!.repeat(marks.length)) break;
  }
  return last;
}

function skipFrontMatter(finder: BlockFinder, text: string): void {
  const close = /^---\r?\n/.test(text) ? text.indexOf('\n---', 3) : -1;
  if (close < 0 || close > FRONT_MATTER_CHARACTERS_MAX) return;
  finder.begin(0, 'code');
  finder.skipPast(finder.lineAt(close + 1)!);
}

class HeadingPath {
  #open: { level: number; title: string }[] = [];

  /** @returns the titles of the sections that are open now */
  enter(level: number, title: string): readonly string[] {
    this.#open = [...this.#open.filter((above) => above.level < level), { level, title }];
    return this.#open.map((each) => each.title);
  }
}
