import { keepDraft } from './draft.js';

// The editor of notices: the preview follows what is typed. The server renders it, as it renders the messages themselves.
const form = document.querySelector('form[data-editor]');
const preview = document.getElementById('preview');
const pause = 400;

const bodyOf = () => new URLSearchParams(new FormData(form));

// A mail is markup of its own under a policy of its own, so it comes by a form that leads into its frame.
const forms = new Map();
const fillFrame = (frame) => {
  const sent = document.createElement('form');
  sent.method = 'post';
  sent.action = `/staff/items/preview/${frame.dataset.mail}`;
  sent.target = frame.name;
  sent.hidden = true;
  for (const [name, value] of new FormData(form)) {
    const field = document.createElement('textarea');
    field.name = name;
    field.value = value;
    sent.append(field);
  }
  // a form that is gone is not sent: it stays until the next one takes its place
  forms.get(frame)?.remove();
  forms.set(frame, sent);
  document.body.append(sent);
  sent.submit();
};

let latest = 0;
const show = async () => {
  latest += 1;
  const mine = latest;
  const answer = await fetch('/staff/items/preview', { method: 'POST', body: bodyOf() });
  if (!answer.ok || mine !== latest) return;
  const made = new DOMParser().parseFromString(await answer.text(), 'text/html');
  preview.replaceChildren(...made.body.childNodes);
  for (const frame of form.querySelectorAll('iframe[data-mail]')) fillFrame(frame);
};

let timer;
const later = () => {
  clearTimeout(timer);
  timer = setTimeout(() => show().catch(() => undefined), pause);
};

// Puts fields back as they were typed.
const bring = (fields) => {
  for (const field of form.elements) {
    if (!field.name || ['_csrf', 'once'].includes(field.name)) continue;
    const values = fields.getAll(field.name);
    if (['checkbox', 'radio'].includes(field.type)) field.checked = values.includes(field.value);
    else if (values.length > 0 && field.type !== 'hidden') field.value = values[0];
  }
  later();
};

if (form && preview) {
  keepDraft(() => form, bring);
  form.addEventListener('input', (event) => {
    if (event.target.name !== 'width') later();
  });
  show().catch(() => undefined);
}
