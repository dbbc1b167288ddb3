// Runs on every page: GOV.UK Frontend's behaviour, and what only makes sense with JavaScript.
import { Button, createAll, ErrorSummary, Radios } from './govuk-frontend.min.js';

document.body.classList.add('js-enabled');
if ('noModule' in HTMLScriptElement.prototype) document.body.classList.add('govuk-frontend-supported');
for (const component of [Button, ErrorSummary, Radios]) createAll(component);

// A language or topic chosen from a list goes at once; the button beside it is for those without JavaScript.
for (const list of document.querySelectorAll('select[data-go]')) {
  list.addEventListener('change', () => list.form?.requestSubmit());
}
