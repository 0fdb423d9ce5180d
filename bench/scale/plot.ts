/** A small plotter: panels of lines over logarithmic axes, as SVG that any browser shows. */

export interface Line {
  name: string;
  /** By rising x; both above 0. */
  points: readonly { x: number; y: number }[];
}

export interface Panel {
  title: string;
  /** What a number of the upright axis looks like. */
  format: (value: number) => string;
  lines: readonly Line[];
}

const PANEL_WIDTH = 420;
const PANEL_HEIGHT = 300;
const COLUMNS = 2;
const MARGIN = { left: 70, right: 20, top: 40, bottom: 40 } as const;
const LEGEND_LINE_HEIGHT = 22;
/** Told apart by most who see colours otherwise, and by their shades: Okabe and Ito's. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

/** @param xFormat what a number of the level axis looks like */
export function plot(panels: readonly Panel[], xTitle: string, xFormat: (value: number) => string): string {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const rows = Math.ceil(panels.length / COLUMNS);
  const width = COLUMNS * PANEL_WIDTH;
  const legendTop = rows * PANEL_HEIGHT + LEGEND_LINE_HEIGHT / 2;
  const height = legendTop + Math.ceil(names.length / COLUMNS) * LEGEND_LINE_HEIGHT;
  const xs = axisOf(panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(({ x }) => x))));
  const drawn = panels.map((panel, number) => {
    const left = (number % COLUMNS) * PANEL_WIDTH;
    const top = Math.floor(number / COLUMNS) * PANEL_HEIGHT;
    return `<g transform="translate(${left} ${top})">${drawPanel(panel, xs, names, xTitle, xFormat)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      'font-family="system-ui, sans-serif" font-size="12" role="img">',
    `<title>${escaped(panels.map(({ title }) => title).join('; '))}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...drawn,
    ...names.map((name, number) => drawLegend(name, number, legendTop)),
    '</svg>\n',
  ].join('\n');
}

/** A logarithmic axis: from one tick to another, 1, 2 or 5 times a power of ten. */
interface Axis {
  least: number;
  most: number;
}

function axisOf(values: readonly number[]): Axis {
  const least = tickBelow(Math.min(...values));
  const most = tickAbove(Math.max(...values));
  return least === most ? { least, most: tickAbove(most * 1.1) } : { least, most };
}

const STEPS = [1, 2, 5];

function ticksOf({ least, most }: Axis): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most; power++)
    for (const step of STEPS) {
      const tick = step * 10 ** power;
      if (tick > least * 0.999 && tick < most * 1.001) ticks.push(tick);
    }
  return ticks;
}

function tickBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (STEPS.findLast((step) => step * power <= value * 1.001) ?? 1);
}

function tickAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (STEPS.find((step) => step * power >= value * 0.999) ?? 10);
}

function place(value: number, { least, most }: Axis, from: number, to: number): number {
  return from + (Math.log(value / least) / Math.log(most / least)) * (to - from);
}

function drawPanel(
  { title, format, lines }: Panel,
  xs: Axis,
  names: readonly string[],
  xTitle: string,
  xFormat: (value: number) => string,
): string {
  const ys = axisOf(lines.flatMap(({ points }) => points.map(({ y }) => y)));
  const [left, right] = [MARGIN.left, PANEL_WIDTH - MARGIN.right];
  const [top, bottom] = [MARGIN.top, PANEL_HEIGHT - MARGIN.bottom];
  const xOf = (value: number) => rounded(place(value, xs, left, right));
  const yOf = (value: number) => rounded(place(value, ys, bottom, top));
  const grid = [
    ...ticksOf(xs).map((tick) => gridLine(xOf(tick), bottom, xOf(tick), top)),
    ...ticksOf(ys).map((tick) => gridLine(left, yOf(tick), right, yOf(tick))),
  ];
  const xLabels = ticksOf(xs)
    .filter((tick) => isLabelled(tick, xs))
    .map((tick) => text(xOf(tick), bottom + 16, 'middle', xFormat(tick)));
  const yLabels = ticksOf(ys).map((tick) => text(left - 6, yOf(tick) + 4, 'end', format(tick)));
  const curves = lines.map(({ name, points }) => {
    const colour = colourOf(name, names);
    const path = points.map(({ x, y }) => `${xOf(x)},${yOf(y)}`).join(' ');
    const dots = points.map(({ x, y }) => {
      const hint = `<title>${escaped(`${name}: ${xFormat(x)}, ${format(y)}`)}</title>`;
      return `<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3.5" fill="${colour}">${hint}</circle>`;
    });
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
  });
  return [
    text(left, top - 16, 'start', title, 'font-weight="600" font-size="14"'),
    ...grid,
    ...xLabels,
    ...yLabels,
    text((left + right) / 2, PANEL_HEIGHT - 6, 'middle', xTitle),
    ...curves,
  ].join('\n');
}

/** Over a wide range there is room for powers of ten only, and half of them. */
function isLabelled(tick: number, { least, most }: Axis): boolean {
  if (most / least <= 20) return true;
  const leading = tick / 10 ** Math.floor(Math.log10(tick) + 1e-9);
  return Math.abs(leading - 1) < 0.01 || (most / least <= 200 && Math.abs(leading - 5) > 0.01);
}

function drawLegend(name: string, number: number, top: number): string {
  const left = MARGIN.left + (number % COLUMNS) * PANEL_WIDTH;
  const y = top + Math.floor(number / COLUMNS) * LEGEND_LINE_HEIGHT;
  const colour = COLOURS[number % COLOURS.length];
  return (
    `<line x1="${left}" y1="${y}" x2="${left + 24}" y2="${y}" stroke="${colour}" stroke-width="2"/>` +
    `<circle cx="${left + 12}" cy="${y}" r="3.5" fill="${colour}"/>${text(left + 32, y + 4, 'start', name)}`
  );
}

function colourOf(name: string, names: readonly string[]): string {
  return COLOURS[names.indexOf(name) % COLOURS.length] ?? '#000000';
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#dddddd"/>`;
}

function text(x: number, y: number, anchor: string, content: string, more = ''): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#222222" ${more}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
