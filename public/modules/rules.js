import { keepDraft } from './draft.js';

// The builder of conditions: the exact audience follows what is typed, and buttons change the form without a reload. Without this
// script the same form works by its buttons alone.
const pause = 120;
const builder = document.getElementById('builder');

const formHere = () => builder.querySelector('form[data-live]');
const send = (path, form, extra = {}) => {
  const body = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  return fetch(path, { method: 'POST', body });
};

let latest = 0;
const count = async () => {
  latest += 1;
  const mine = latest;
  const form = formHere();
  const answer = await send(form.dataset.live, form);
  if (!answer.ok || mine !== latest) return;
  const { html } = await answer.json();
  const made = new DOMParser().parseFromString(html, 'text/html');
  if (mine === latest) document.getElementById('live')?.replaceChildren(...made.body.childNodes);
};

let timer;
const later = () => {
  clearTimeout(timer);
  timer = setTimeout(() => count().catch(() => undefined), pause);
};

/** Where the keyboard goes on after a button has changed the form. */
const focusAfter = (edit) => {
  const [what, place] = edit.split(':');
  if (what === 'remove') return `${place.split('.').slice(0, -1).join('.')}.add`;
  const form = formHere();
  const parts = form.elements[`${place}.count`];
  const last = `${place}.${Number(parts?.value ?? 1) - 1}`;
  return what === 'group' ? `${last}.kind` : `${last}.about`;
};

const change = async (edit, focus) => {
  const form = formHere();
  const sent = new Map(new FormData(form));
  const answer = await send(form.action, form, { do: edit });
  const made = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('builder');
  // signed out, or worse: sent the plain way, the page itself says so
  if (!answer.ok || !made) return form.submit();
  const meanwhile = [...new FormData(form)].filter(([name, value]) => sent.get(name) !== value);
  builder.replaceChildren(...made.childNodes);
  // what was typed while the server made the form anew is in the old one
  for (const [name, value] of meanwhile)
    if (formHere().elements[name]?.value === sent.get(name)) formHere().elements[name].value = value;
  document.getElementById(focus ?? focusAfter(edit))?.focus();
  later();
};

// The server makes the form anew from what was typed: how many sentences it has is told by the fields.
const bring = async (fields) => {
  const form = formHere();
  for (const name of ['_csrf', 'once']) if (form.elements[name]) fields.set(name, form.elements[name].value);
  fields.set('do', 'refresh');
  const answer = await fetch(form.action, { method: 'POST', body: fields });
  const made = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('builder');
  if (made) builder.replaceChildren(...made.childNodes);
  later();
};

// A field of several names is completed at its last one.
const complete = (field) => {
  const at = Math.max(...[';', '；', ',', '，', '、'].map((sign) => field.value.lastIndexOf(sign))) + 1;
  const before = field.value.slice(0, at);
  for (const option of field.list?.options ?? []) {
    option.dataset.name ??= option.value;
    option.value = before === '' ? option.dataset.name : `${before} ${option.dataset.name}`;
  }
};

if (builder) {
  keepDraft(formHere, (fields) => bring(fields).catch(() => undefined));
  builder.addEventListener('input', (event) => {
    if (event.target.dataset.names !== undefined) complete(event.target);
    later();
  });
  builder.addEventListener('change', (event) => {
    const { target } = event;
    if (target.dataset.refresh !== undefined) change('refresh', target.id).catch(() => undefined);
  });
  builder.addEventListener('submit', (event) => {
    const edit = event.submitter?.name === 'do' ? event.submitter.value : '';
    if (!/^(add|group|remove):/.test(edit)) return;
    event.preventDefault();
    change(edit).catch(() => formHere().requestSubmit(event.submitter));
  });
}
