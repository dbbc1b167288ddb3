// Draws charts from the tables of a page, which stand below them for whoever cannot see charts. The table is the only source:
// a column with `data-series` is drawn, `data-value` is its number, `data-range` the ends of its interval.
const { uPlot } = globalThis;
const colours = ['#17504b', '#b07a12', '#54406f'];
const quiet = '#4c5a57';
const line = '#d9d5c9';
const narrow = 480;

const readTable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const drawn = heads.flatMap((head, at) => ('series' in head.dataset ? [at] : []));
  return {
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    series: drawn.map((at) => ({
      name: heads[at].textContent.trim(),
      texts: rows.map((row) => row.cells[at].textContent.trim()),
      values: rows.map((row) => {
        const { value } = row.cells[at].dataset;
        return value === undefined ? null : Number(value);
      }),
      ranges: rows.map((row) => row.cells[at].dataset.range?.split(' ').map(Number) ?? []),
    })),
  };
};

const fontOf = (table) => `14px ${getComputedStyle(table).fontFamily}`;

/** About how wide a text is, in pixels: Han characters are as wide as they are high. */
const widthOf = (text) => [...text].reduce((sum, letter) => sum + (letter > '\u2e80' ? 14 : 8), 0);

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Places of labels along the axis: not more than there is room for. */
const placesOf = (count, width, each) => {
  const step = Math.max(1, Math.ceil((count * each) / width));
  return Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
};

const isDay = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text);
const dayText = (text) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(
    new Date(text),
  );

const axisLabel = (text, most) => (isDay(text) ? dayText(text) : shortened(text, most));

const numbers = (unit) =>
  new Intl.NumberFormat(
    document.documentElement.lang,
    unit === 'share' ? { style: 'percent', maximumFractionDigits: 1 } : { notation: 'compact' },
  );

/** Bars of several series stand side by side. */
const drawBars = (chart, series) => {
  const { ctx } = chart;
  const room = chart.valToPos(1, 'x', true) - chart.valToPos(0, 'x', true);
  const width = Math.min((room * 0.8) / series.length, 40 * devicePixelRatio);
  const base = chart.valToPos(0, 'y', true);
  for (const [place, { values }] of series.entries()) {
    ctx.fillStyle = colours[place % colours.length];
    for (const [at, value] of values.entries()) {
      if (value === null) continue;
      const left = chart.valToPos(at, 'x', true) + (place - series.length / 2) * width;
      const top = chart.valToPos(value, 'y', true);
      ctx.fillRect(left, top, Math.max(1, width - devicePixelRatio), base - top);
    }
  }
};

/** A point for each share, and a bar from one end of its interval to the other. */
const drawIntervals = (chart, [series]) => {
  const { ctx } = chart;
  const cap = 5 * devicePixelRatio;
  ctx.strokeStyle = colours[0];
  ctx.fillStyle = colours[0];
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const [at, value] of series.values.entries()) {
    const [from, to] = series.ranges[at];
    if (value === null || to === undefined) continue;
    const x = chart.valToPos(at, 'x', true);
    const [low, high] = [from, to].map((end) => chart.valToPos(end, 'y', true));
    ctx.beginPath();
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    ctx.moveTo(x - cap, low);
    ctx.lineTo(x + cap, low);
    ctx.moveTo(x - cap, high);
    ctx.lineTo(x + cap, high);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, chart.valToPos(value, 'y', true), cap, 0, 2 * Math.PI);
    ctx.fill();
  }
};

const marks = { bars: drawBars, intervals: drawIntervals };

const axesOf = (kind, { labels }, width, font) => {
  const room = (width - 80) / labels.length;
  const widest = Math.max(...labels.map((text) => widthOf(axisLabel(text, 14)))) + 12;
  // days and hours may be left out between two others; names may not, and are turned instead
  const isRegular = kind === 'lines' || labels.filter((text) => !/^\d\d:00$/.test(text)).length < 2;
  const isSlanted = !isRegular && widest > room;
  const each = isRegular ? widest : 1;
  const most = isSlanted ? 9 : 14;
  const common = { stroke: quiet, font, ticks: { stroke: line }, grid: { stroke: line, width: 1 } };
  const places = placesOf(labels.length, width - 80, each);
  return [
    {
      ...common,
      grid: { show: false },
      splits: () => places,
      values: (_chart, at) => at.map((place) => axisLabel(labels[place] ?? '', most)),
      ...(isSlanted ? { rotate: -50, size: 96 } : { size: 36 }),
    },
    {
      ...common,
      size: 56,
      values: (_chart, values) =>
        values.map((value) => numbers(kind === 'intervals' ? 'share' : 'count').format(value)),
    },
  ];
};

/** Counts stand on 0. Of shares the stretch is shown that their intervals lie in, or none could be told from another. */
const reachOf = (kind, series) => {
  const values = series
    .flatMap((one) => (kind === 'intervals' ? one.ranges.flat() : one.values))
    .filter((value) => Number.isFinite(value));
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (kind !== 'intervals') return [0, high * 1.08 || 1];
  const beside = (high - low) * 0.15 || 0.05;
  return [Math.max(0, low - beside), Math.min(1, high + beside)];
};

const legendOf = (series) => {
  const list = document.createElement('ul');
  list.className = 'bm-chart__legend';
  list.ariaHidden = 'true';
  for (const [at, { name }] of series.entries()) {
    const entry = document.createElement('li');
    entry.className = `bm-chart__series-${at % colours.length}`;
    entry.textContent = name;
    list.append(entry);
  }
  return list;
};

const draw = (element) => {
  const { chart: kind, table, label } = element.dataset;
  const data = readTable(document.getElementById(table));
  element.hidden = false;
  element.role = 'img';
  element.ariaLabel = label;
  const readout = document.createElement('p');
  readout.className = 'bm-chart__at';
  const place = document.createElement('div');
  element.replaceChildren(legendOf(data.series), place, readout);
  const width = place.clientWidth;
  const outer = element.clientWidth;
  const last = data.labels.length - 1;
  const tell = ({ cursor: { idx } }) => {
    readout.textContent =
      idx == null
        ? ''
        : [data.labels[idx], ...data.series.map(({ name, texts }) => `${name} ${texts[idx]}`)].join(' · ');
  };
  const chart = new uPlot(
    {
      width,
      height: width < narrow ? 260 : 320,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === 'lines' } },
      scales: {
        x: { time: false, range: kind === 'lines' ? [0, last] : [-0.6, last + 0.6] },
        y: { range: reachOf(kind, data.series) },
      },
      axes: axesOf(kind, data, width, fontOf(document.getElementById(table))),
      series: [
        {},
        ...data.series.map(({ name }, at) => ({
          label: name,
          stroke: colours[at % colours.length],
          width: 2,
          ...(kind === 'lines' ? {} : { paths: () => null, points: { show: false } }),
        })),
      ],
      hooks: {
        setCursor: [tell],
        draw: marks[kind] ? [(drawn) => marks[kind](drawn, data.series)] : [],
      },
    },
    [data.labels.map((_, at) => at), ...data.series.map(({ values }) => values)],
    place,
  );
  return { isStale: () => element.clientWidth !== outer, destroy: () => chart.destroy() };
};

for (const element of document.querySelectorAll('[data-chart]')) {
  let drawn = draw(element);
  let timer;
  addEventListener('resize', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!drawn.isStale()) return;
      drawn.destroy();
      drawn = draw(element);
    }, 150);
  });
}
