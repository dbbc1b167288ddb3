// Runs on every page: GOV.UK Frontend's behaviour, and the service worker of the installed site.
import { Button, createAll, ErrorSummary, PasswordInput } from './govuk-frontend.min.js';

document.body.classList.add('js-enabled', 'govuk-frontend-supported');
for (const component of [Button, ErrorSummary, PasswordInput]) createAll(component);

// Who signs out leaves nothing in this tab for whoever comes next (draft.js).
document.querySelector('form[action="/staff/sign-out"]')?.addEventListener('submit', () => sessionStorage.clear());

// On a phone the menu of staff is a line that scrolls: where one is has to be in sight.
document.querySelector('.bm-header__nav--many [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

// Whoever only reads gets no service worker; who installed the site has its page for when there is no network.
const workers = navigator.serviceWorker;
if (workers && matchMedia('(display-mode: standalone)').matches) workers.register('/sw.js').catch(() => undefined);
// browsers do not always tell the worker that its endpoint has changed
workers?.controller?.postMessage('look');
