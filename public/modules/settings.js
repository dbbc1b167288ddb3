// The settings: the picture of the day follows what is chosen; a button has this browser notified, too. It fills in the form, which is then sent like any other.
import { able, isAllowed, sayWhy, showHomeScreen, subscription } from './push.js';

const form = document.getElementById('browser');

const addBrowser = async () => {
  if (!(await isAllowed())) return sayWhy('denied');
  const { endpoint, keys } = await subscription(form.dataset.vapid);
  for (const [name, value] of Object.entries({ endpoint, ...keys })) form.elements[name].value = value;
  form.submit();
};

// Where the browser cannot do it, it is not offered.
showHomeScreen();
if (form && !able) form.hidden = true;
else
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    addBrowser().catch(() => sayWhy('failed'));
  });

// The same as src/web/pages/day.ts, while somebody chooses.
const day = document.getElementById('day');
const chosen = (id) => document.getElementById(id).value;
const minutesOf = (time) => (time === '' ? null : Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));

const place = (rect, from, minutes) => {
  rect.setAttribute('x', from);
  rect.setAttribute('width', minutes);
};

const drawDay = () => {
  const [from, to] = [minutesOf(chosen('from')), minutesOf(chosen('to'))];
  const isQuiet = from !== null && to !== null && from !== to;
  const [first, second] = day.querySelectorAll('.bm-day__quiet');
  place(first, from ?? 0, isQuiet ? (from < to ? to - from : 1440 - from) : 0);
  place(second, 0, isQuiet && from > to ? to : 0);
  place(day.querySelector('.bm-day__digest'), minutesOf(chosen('digestHour')), 12);
  const { quiet, loud, digest } = day.dataset;
  const words = isQuiet ? quiet.replace('{from}', chosen('from')).replace('{to}', chosen('to')) : loud;
  day.querySelector('figcaption').textContent = `${words} ${digest.replace('{at}', chosen('digestHour'))}`;
};

if (day) for (const id of ['from', 'to', 'digestHour']) document.getElementById(id).addEventListener('change', drawDay);
